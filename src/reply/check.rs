//! What would keep a livestream from starting, line by line: what is fine, what is not and who can
//! mend it, and what cannot be told.

use chrono::{DateTime, Utc};

use crate::command::meeting::MeetingId;
use crate::command::outcome::{Fact, Outcome, Refusal, Unknown};
use crate::command::request::{CheckRequest, Options};
use crate::command::verb::{Access, Verb};
use crate::db::links::Link;
use crate::db::streams::Stream;
use crate::destination::{AS_SET_IN_ZOOM, DestinationName};
use crate::ids::ZoomUserId;
use crate::reply::destinations::{called, holder_and_starter, sent_to_either};
use crate::reply::reads::NotRead;
use crate::reply::stream::{StreamContext, signed};
use crate::reply::{Replies, date, ephemeral, time};
use crate::slack::message::{Button, Message, bold, cap, escape, isolated};
use crate::stream::MeetingKind;
use crate::zoom::meetings::{Destination, Meeting};
use crate::zoom::scopes::{self, lacking, lacks_livestream_scope};
use crate::zoom::users::{LiveSettings, User};

/// What was looked up.
#[derive(Debug)]
pub struct Check {
    pub acts: Acts,
    pub rules: RulesSay,
    /// When Zoom last told of a livestream of the account.
    pub last_report: Option<DateTime<Utc>>,
    /// None if Zoom was not asked.
    pub zoom: Option<AtZoom>,
    /// What would be started.
    pub request: CheckRequest,
    /// What the asker can do by the rules.
    pub access: Access,
    /// None if no start of theirs comes so far.
    pub goes: Option<Goes>,
    /// The livestream of the meeting that keeps another start from being made, if one does.
    pub on_air: Option<OnAir>,
    /// One that may go on, which keeps none from being made.
    pub perhaps_on_air: Option<Stream>,
    pub now: DateTime<Utc>,
}

/// Where a start would go.
#[derive(Debug)]
pub enum Goes {
    /// Where Zoom has it set; this would be asked before.
    AsSetInZoom(Option<Outcome>),
    /// To a destination that is free.
    To { name: DestinationName, page: String },
    /// Nowhere: the start would come to this.
    Refused(Outcome),
}

/// A livestream that goes on.
#[derive(Debug)]
pub enum OnAir {
    /// One that the asker may know of.
    Known(Box<Stream>),
    /// One of which they are told no more than this.
    Hidden {
        since: DateTime<Utc>,
        /// As Zoom reported; else as it was asked for.
        is_reported: bool,
        /// Somebody began it in Zoom.
        is_by_hand: bool,
    },
}

/// With which Zoom account somebody acts.
#[derive(Debug)]
pub enum Acts {
    /// Their own.
    Own(Link),
    /// The one that their workspace shares with them.
    Shared {
        zoom_user: ZoomUserId,
        scope: String,
        is_dead: bool,
    },
    /// None.
    NotLinked,
}

/// What the rules of the workspace say of a start here.
#[derive(Debug)]
pub enum RulesSay {
    Allowed,
    /// The person is asked first: so many read here, if that is known, perhaps some of other
    /// organisations.
    Asks {
        members: Option<i64>,
        is_shared: bool,
    },
    Refused(Refusal),
    NotKnown(Fact, Unknown),
}

/// What Zoom says.
#[derive(Debug)]
pub struct AtZoom {
    pub user: Result<User, NotRead>,
    pub settings: Result<LiveSettings, NotRead>,
    /// Of the meeting, if one is checked.
    pub meeting: Option<Result<Meeting, NotRead>>,
    pub destination: Option<Result<Destination, NotRead>>,
}

/// A line: its sign and what it says.
enum Line {
    Fine(String),
    Wrong(String),
    NotKnown(String),
    /// What has to come before the start, and nobody need mend.
    NotYet(String),
    /// What keeps nothing from starting, and is good to know.
    Note(String),
}
use Line::{Fine, NotKnown, NotYet, Note, Wrong};

impl Acts {
    /// The account.
    pub fn account(&self) -> Option<&ZoomUserId> {
        match self {
            Self::Own(link) => Some(&link.zoom_user),
            Self::Shared { zoom_user, .. } => Some(zoom_user),
            Self::NotLinked => None,
        }
    }

    /// Whether its link is known to be dead.
    pub fn is_dead(&self) -> Option<bool> {
        match self {
            Self::Own(link) => Some(link.is_dead),
            Self::Shared { is_dead, .. } => Some(*is_dead),
            Self::NotLinked => None,
        }
    }

    /// What the permission of the account covers.
    fn scope(&self) -> &str {
        match self {
            Self::Own(link) => &link.scope,
            Self::Shared { scope, .. } => scope,
            Self::NotLinked => "",
        }
    }

    /// Why something was not read with it, behind "because".
    fn because(&self, why: &NotRead) -> String {
        why.because(match self {
            Self::Shared { .. } => "its",
            Self::Own(_) | Self::NotLinked => "your",
        })
    }
}

impl AtZoom {
    /// Why something was not read, with the permission that it takes.
    fn refusals(&self) -> impl Iterator<Item = (&NotRead, &'static str)> {
        let meeting = self.meeting.as_ref().and_then(|read| read.as_ref().err());
        let destination = self.destination.as_ref();
        let destination = destination.and_then(|read| read.as_ref().err());
        [
            (self.user.as_ref().err(), scopes::USER),
            (self.settings.as_ref().err(), scopes::SETTINGS),
            (meeting, scopes::MEETING),
            (destination, scopes::REPORTS),
        ]
        .into_iter()
        .filter_map(|(why, scope)| Some((why?, scope)))
    }
}

impl OnAir {
    /// What is true of it.
    fn sentence(&self, check: &Check) -> String {
        match self {
            Self::Known(stream) => signed(&StreamContext::of(stream)),
            Self::Hidden {
                since,
                is_reported,
                is_by_hand,
            } => {
                let meeting = check.request.meeting.map(MeetingId::grouped);
                let meeting = meeting.unwrap_or_default();
                let since = time(*since, check.now);
                if *is_by_hand {
                    format!(
                        ":red_circle: *Meeting {meeting} is already live* since {since}, as Zoom reported: somebody began it in \
                         Zoom, not from here."
                    )
                } else if *is_reported {
                    format!(
                        ":red_circle: *Meeting {meeting} is already live* since {since}, as Zoom reported. It was started \
                         where I can't name it here."
                    )
                } else {
                    format!(
                        ":large_yellow_circle: *Meeting {meeting} may be live already.* A start of it was asked for at \
                         {since}, where I can't name it here."
                    )
                }
            }
        }
    }
}

impl Check {
    /// What the permission lacks: what was not granted, and what Zoom misses in it.
    fn lacks(&self) -> Vec<&'static str> {
        let mut lacks = lacking(self.acts.scope());
        let refusals = self.zoom.iter().flat_map(AtZoom::refusals);
        for (why, scope) in refusals {
            if *why == NotRead::ScopeMissing && !lacks.contains(&scope) {
                lacks.push(scope);
            }
        }
        lacks
    }

    /// Whether Zoom accepts the link no more, as far as it was asked.
    fn is_rejected(&self) -> bool {
        let mut refusals = self.zoom.iter().flat_map(AtZoom::refusals);
        refusals.any(|(why, _)| *why == NotRead::LinkDead)
    }

    /// Whether the asker, who looks at one meeting, can choose from others.
    fn can_choose(&self) -> bool {
        let is_allowed = matches!(self.rules, RulesSay::Allowed | RulesSay::Asks { .. });
        let is_linked = self.acts.is_dead() == Some(false) && !self.is_rejected();
        self.request.meeting.is_some() && is_allowed && is_linked
    }

    /// Whether what decides most was not read: then nothing can be concluded.
    fn is_silent(&self) -> bool {
        let is_read = self.zoom.as_ref().is_some_and(|zoom| {
            let meeting = zoom.meeting.as_ref();
            zoom.user.is_ok() && meeting.is_none_or(Result::is_ok)
        });
        !is_read || matches!(self.rules, RulesSay::NotKnown(_, Unknown::NoAnswer))
    }
}

impl Line {
    fn text(&self) -> String {
        let (sign, text) = match self {
            Fine(text) => ("✓", text),
            Wrong(text) => ("✗", text),
            NotKnown(text) => ("–", text),
            NotYet(text) => ("○", text),
            Note(text) => ("ℹ", text),
        };
        format!("{sign} {text}")
    }
}

impl Replies<'_> {
    /// What was found, for the asker alone.
    pub fn check(&self, check: &Check) -> Message {
        let mut lines = self.of_link(check);
        lines.push(self.of_rules(&check.rules));
        if let Some(zoom) = &check.zoom {
            lines.extend(of_user(check, zoom));
            lines.extend(of_meeting(check, zoom));
        }
        lines.extend(self.of_destination(check));
        lines.extend(self.of_reports(check));
        // What is not read yet may be, once the meeting runs.
        let is_kept = |line: &Line| matches!(line, Wrong(_) | NotYet(_));
        let can_go = check.on_air.is_none() && !lines.iter().any(is_kept);
        lines.sort_by_key(|line| !matches!(line, Wrong(_)));
        let message = match (&check.on_air, &check.perhaps_on_air) {
            (Some(on_air), _) => ephemeral(&on_air.sentence(check))
                .with_section("This is what decides about another start of it:"),
            (None, Some(stream)) => {
                ephemeral(&verdict(check, &lines)).with_section(&signed(&StreamContext::of(stream)))
            }
            (None, None) => ephemeral(&verdict(check, &lines)),
        };
        let lines: Vec<_> = lines.iter().map(Line::text).collect();
        let more = match (check.request.meeting, &check.acts) {
            (Some(_), _) => String::new(),
            (None, Acts::Own(_)) => format!(
                " {} looks at a meeting too; `{}` alone lists yours to check.",
                self.example("check"),
                self.slash
            ),
            (None, Acts::Shared { .. } | Acts::NotLinked) => {
                format!(" {} looks at a meeting too.", self.example("check"))
            }
        };
        message
            .with_section(&lines.join("\n"))
            .with_context(&format!("Nothing was started.{more}"))
            .with_buttons(self.after_check(check, can_go))
    }

    fn after_check(&self, check: &Check, can_go: bool) -> Vec<Button> {
        let link = |label| {
            self.can_be_linked(check)
                .then(|| Button::typing(label, "connect"))
        };
        let connect = match &check.acts {
            Acts::NotLinked => link("Link my Zoom account"),
            Acts::Own(own) if own.is_dead || check.is_rejected() || !check.lacks().is_empty() => {
                link("Link it again")
            }
            Acts::Own(_) | Acts::Shared { .. } => None,
        };
        let go = check.request.start().filter(|_| can_go).map(|start| {
            let label = if start.settings.is_rehearsal {
                "Rehearse"
            } else {
                "Go live"
            };
            let go = Button::typing(label, start.to_string());
            if check.is_silent() { go } else { go.primary() }
        });
        let again = Button::typing("Check again", check.request.to_string());
        let others = check.can_choose().then(|| {
            let settings = check.request.settings.clone();
            let options = Options {
                settings,
                is_confirmed: false,
            };
            Button::typing("Choose another", options.to_string())
        });
        go.into_iter()
            .chain(connect)
            .chain([again])
            .chain(others)
            .collect()
    }

    /// Whether the asker can link an account themselves, and it would help them.
    fn can_be_linked(&self, check: &Check) -> bool {
        self.can_link() && check.access.can(Verb::Connect)
    }

    /// Who can mend the link, and how; nothing where the rules refuse the person, whom it would not help.
    fn cure(&self, check: &Check) -> &'static str {
        match (&check.acts, check.access) {
            (_, Access::StopOnly | Access::NotAllowed) => "",
            (Acts::Shared { .. }, _) => " An admin of the workspace can link it again.",
            (Acts::NotLinked, _) if self.can_link() => " Link yours; it takes a minute.",
            (Acts::NotLinked, _) => " Ask whoever runs this bot to link yours.",
            (Acts::Own(_), _) if self.can_link() => " Link it again.",
            (Acts::Own(_), _) => " Ask whoever runs this bot to link it again.",
        }
    }

    /// Who acts, whether Zoom accepts it, and what the permission lacks.
    fn of_link(&self, check: &Check) -> Vec<Line> {
        let acts = &check.acts;
        let cure = self.cure(check);
        let who = match acts {
            Acts::NotLinked => {
                return vec![Wrong(format!("No Zoom account is linked for you.{cure}"))];
            }
            Acts::Own(link) => format!("You act as Zoom account *{}*", escape(&link.email)),
            Acts::Shared { .. } => {
                "You act with the Zoom account that your workspace shares".to_owned()
            }
        };
        let is_dead = acts.is_dead() == Some(true);
        let link = match check.zoom.as_ref().map(|zoom| &zoom.user) {
            _ if check.is_rejected() => Wrong(format!(
                "{who}, but {}.{cure}",
                acts.because(&NotRead::LinkDead)
            )),
            Some(Ok(_)) => Fine(format!("{who}, and Zoom accepts the link.")),
            Some(Err(why @ NotRead::Misconfigured)) => {
                Wrong(format!("{who}, but {}.", acts.because(why)))
            }
            Some(Err(why)) if why.is_of_user() => {
                Wrong(format!("{who}, but {}.", acts.because(why)))
            }
            Some(Err(why)) => NotKnown(format!(
                "{who}. I can't tell whether Zoom accepts the link, because {}.",
                acts.because(why)
            )),
            None if is_dead => Wrong(format!("{who}, but Zoom no longer accepts the link.{cure}")),
            // As the rules refuse the person.
            None => Note(format!("{who}. I did not ask Zoom.")),
        };
        let scopes = (!is_dead).then(|| of_scopes(&check.lacks(), acts.scope(), cure));
        [link].into_iter().chain(scopes).collect()
    }

    fn of_rules(&self, rules: &RulesSay) -> Line {
        match rules {
            RulesSay::Allowed => {
                Fine("The workspace's rules allow you to go live here.".to_owned())
            }
            RulesSay::Asks { members, is_shared } => Fine(format!(
                "The workspace's rules allow you to go live here; I ask you first, because {}.",
                readers(*members, *is_shared)
            )),
            RulesSay::Refused(refusal) => Wrong(self.rule(refusal)),
            RulesSay::NotKnown(fact, Unknown::CannotAsk) => Wrong(cannot_ask(*fact)),
            RulesSay::NotKnown(fact, Unknown::NoAnswer) => NotKnown(format!(
                "I can't tell what the workspace's rules say of you, because Slack does not say {}.",
                asked(*fact)
            )),
        }
    }

    /// Where it would go. Zoom's own setting counts only where nothing else is set for a start.
    fn of_destination(&self, check: &Check) -> Vec<Line> {
        let of_zoom = || {
            let zoom = check.zoom.as_ref()?;
            let read = zoom.destination.as_ref().filter(|_| zoom.user.is_ok())?;
            let number = check.request.meeting?.grouped();
            Some(as_set_in_zoom(&check.acts, &number, read))
        };
        // Of a number that is no meeting of theirs nothing else can be said.
        let is_refused = check
            .zoom
            .as_ref()
            .is_some_and(|zoom| refused(check, zoom).is_some());
        match &check.goes {
            None => Vec::new(),
            Some(_) if is_refused => Vec::new(),
            Some(Goes::AsSetInZoom(asked)) => {
                let asked = asked
                    .as_ref()
                    .map(|asked| self.of_refused_destination(asked, check.now));
                asked.into_iter().chain(of_zoom()).collect()
            }
            Some(Goes::To { name, page }) => {
                let lacks = check.lacks();
                vec![if lacks.contains(&scopes::DESTINATION) {
                    Wrong(format!(
                        "The livestream would go to *{name}*, but the link lacks `{}`, with which I set that.{} With \
                         `to={AS_SET_IN_ZOOM}` it goes where Zoom has it set.",
                        scopes::DESTINATION,
                        self.cure(check),
                    ))
                } else {
                    // Once it is live, it uses that itself.
                    let is_on_air = check.on_air.is_some() || check.perhaps_on_air.is_some();
                    let free = if is_on_air {
                        ""
                    } else {
                        ", which is free, as far as I know"
                    };
                    Fine(format!(
                        "The livestream goes to *{name}*{free}. Viewers watch it on <{}|its page>.",
                        escape(page)
                    ))
                }]
            }
            Some(Goes::Refused(outcome)) => vec![self.of_refused_destination(outcome, check.now)],
        }
    }

    /// Why a start would not be sent to Zoom for where it goes.
    fn of_refused_destination(&self, outcome: &Outcome, now: DateTime<Utc>) -> Line {
        match outcome {
            Outcome::NoSuchDestination { near } => Wrong(self.there_is_none(near)),
            Outcome::NoTestDestination { choices } => Wrong(self.no_test_destination(choices)),
            Outcome::LastSentToTest { name, choices, .. } => {
                let name = called(name.as_ref());
                let named = choices
                    .first()
                    .map(|choice| format!(" Name where it goes, such as `to={choice}`."));
                NotKnown(format!(
                    "The meeting was last sent to {name}, where only rehearsals go. If that is still set in Zoom, no viewer sees \
                     it.{}",
                    named.unwrap_or_default()
                ))
            }
            Outcome::LastSentNotKnown { name, choices, .. } => {
                NotKnown(sent_to_either(name.as_ref(), choices))
            }
            Outcome::DestinationRefused {
                name,
                rule,
                is_default,
                channels,
                tests,
            } => {
                let default = if *is_default {
                    format!(
                        " The livestreams of this channel go there, unless you name another place: with \
                         `to={AS_SET_IN_ZOOM}` it goes where Zoom has it set."
                    )
                } else {
                    String::new()
                };
                Wrong(format!(
                    "{}{default}",
                    self.destination_rule(name, *rule, channels, tests)
                ))
            }
            Outcome::DestinationBroken { name } => Wrong(format!(
                "The livestream would go to *{name}*, whose key can't be read. An admin can set it again{}.",
                self.on_admin_page("destinations")
            )),
            Outcome::DestinationInUse {
                name,
                since,
                is_sure,
                is_chosen,
                meeting,
                by,
                may_take,
                ..
            } => {
                let (stream, by) = holder_and_starter(*meeting, by.as_ref());
                let name = called(name.as_ref());
                let since = time(*since, now);
                let user = format!("{stream} since {since}{by}");
                match (*is_sure, *is_chosen) {
                    (true, _) => {
                        let who = if *may_take {
                            "As an admin you can use it all the same: I ask when you start it."
                        } else {
                            "An admin can use it all the same."
                        };
                        Wrong(format!(
                            "The livestream would go to *{name}*, which is in use by {user}. Two livestreams on one key cut \
                             each other off. {who}"
                        ))
                    }
                    (false, true) => NotKnown(format!(
                        "The livestream would go to *{name}*, which may still be in use by {user}: I can't tell whether \
                         that is over, or where it goes now."
                    )),
                    (false, false) => NotKnown(format!(
                        "The meeting was last sent to *{name}*, which is in use by {user}. If that is still set in Zoom, the two \
                         livestreams cut each other off."
                    )),
                }
            }
            Outcome::NotKnown {
                fact,
                why: Unknown::CannotAsk,
            } => Wrong(cannot_ask(*fact)),
            Outcome::NotKnown {
                fact,
                why: Unknown::NoAnswer,
            } => NotKnown(format!(
                "I can't tell whether you may use its destination, because Slack does not say {}.",
                asked(*fact)
            )),
            // No start comes to another one for where it goes.
            _ => NotKnown("I can't tell where the livestream goes.".to_owned()),
        }
    }

    fn of_reports(&self, check: &Check) -> Option<Line> {
        check.acts.account()?;
        Some(match (self.hears_zoom, check.last_report) {
            (false, _) => NotKnown(
                "I can't tell when a livestream is really live, because this bot does not get Zoom's reports. Whoever \
                 runs it can set that up."
                    .to_owned(),
            ),
            (true, Some(at)) => Fine(format!(
                "Zoom reports the livestreams of this account to me, last {}.",
                date(at, "{date_short_pretty} {time}", "%Y-%m-%d %H:%M UTC")
            )),
            (true, None) => NotKnown(
                "I can't tell whether Zoom reports the livestreams of this account to me, because it has reported none \
                 yet."
                    .to_owned(),
            ),
        })
    }
}

/// All of it in a sentence.
fn verdict(check: &Check, lines: &[Line]) -> String {
    let count = |is: fn(&Line) -> bool| lines.iter().filter(|line| is(line)).count();
    let wrong = count(|line| matches!(line, Wrong(_)));
    let unknown = count(|line| matches!(line, NotKnown(_)));
    let once = match count(|line| matches!(line, NotYet(_))) {
        0 => "",
        _ => " once it is running",
    };
    let (noun, go, going) = if check.request.settings.is_rehearsal {
        ("rehearsal", "be rehearsed", "being rehearsed")
    } else {
        ("livestream", "go live", "going live")
    };
    let what = match check.request.meeting {
        Some(meeting) => format!("meeting {}", meeting.grouped()),
        None => "your meetings".to_owned(),
    };
    match (wrong, unknown) {
        (0, _) if check.is_silent() => {
            format!(":question: *I can't tell whether {what} can {go}.*")
        }
        (0, 0) if check.request.meeting.is_some() => {
            let sign = if once.is_empty() {
                "white_check_mark"
            } else {
                "white_circle"
            };
            format!(":{sign}: *Nothing keeps {what} from {going}{once}.*")
        }
        (0, 0) => format!(
            ":white_check_mark: *Nothing in your account or in the rules here keeps a {noun} from starting.*"
        ),
        (0, 1) => format!(
            ":white_circle: *I see nothing that keeps {what} from {going}{once}*, and can't tell one thing."
        ),
        (0, _) => format!(
            ":white_circle: *I see nothing that keeps {what} from {going}{once}*, and can't tell {unknown} things."
        ),
        (1, _) => format!(":x: *One thing keeps {what} from {going}.*"),
        _ => format!(":x: *{wrong} things keep {what} from {going}.*"),
    }
}

/// What Slack does not say.
fn asked(fact: Fact) -> &'static str {
    match fact {
        Fact::Membership => "whether you are a member of this workspace",
        Fact::UserGroup => "who is in the user group that an admin has chosen",
    }
}

/// What the bot may not ask, so that no start is made, and who can mend that.
pub(super) fn cannot_ask(fact: Fact) -> String {
    format!(
        "I am not allowed to ask Slack {}, so I start nothing. An admin must install the app again, with all its \
         permissions.",
        asked(fact)
    )
}

fn of_scopes(missing: &[&str], granted: &str, cure: &str) -> Line {
    let names: Vec<_> = missing.iter().map(|scope| format!("`{scope}`")).collect();
    let names = names.join(", ");
    if missing.is_empty() {
        Fine("The link has every permission that I use.".to_owned())
    } else if lacks_livestream_scope(granted) {
        Wrong(format!(
            "The link lacks the permission to run livestreams: {names}.{cure}"
        ))
    } else {
        let helps = if cure.is_empty() {
            ""
        } else {
            " That helps if whoever runs this bot has added the permission to the Zoom app."
        };
        Note(format!(
            "The link lacks {names}, so some of what I do is missing.{cure}{helps}"
        ))
    }
}

/// Who reads in a channel where a start is confirmed.
pub(super) fn readers(members: Option<i64>, is_shared: bool) -> String {
    match (members, is_shared) {
        (Some(members), true) => {
            format!("{members} people read here, some of other organisations")
        }
        (Some(members), false) => format!("{members} people read here"),
        (None, _) => "I can't see who reads here".to_owned(),
    }
}

/// The plan and settings of the account. Those of somebody who does not host the meeting decide nothing.
fn of_user(check: &Check, zoom: &AtZoom) -> Vec<Line> {
    // Then nothing else could be asked.
    let Ok(user) = &zoom.user else {
        return Vec::new();
    };
    let is_others = matches!(&zoom.meeting, Some(Ok(found)) if found.host != user.id);
    let wrong = |what: String, cure: &str| {
        if is_others {
            Note(format!("{what}; here the host's settings count."))
        } else {
            Wrong(format!("{what}{cure}"))
        }
    };
    let basic = user.is_basic().then(|| {
        wrong(
            "The Zoom account has the Basic plan, which has no livestreams".to_owned(),
            ". A Zoom administrator can change the plan.",
        )
    });
    let whose = match check.acts {
        Acts::Shared { .. } => "the account's",
        Acts::Own(_) | Acts::NotLinked => "your",
    };
    let unknown = |why: &str| {
        NotKnown(format!(
            "I can't tell whether livestreaming is on in {whose} Zoom settings, because {why}."
        ))
    };
    let settings = match &zoom.settings {
        Err(_) if is_others => return basic.into_iter().collect(),
        Err(why) => unknown(&check.acts.because(why)),
        Ok(settings) => match (
            settings.allow_live_streaming,
            settings.custom_live_streaming_service,
        ) {
            (Some(false), _) => wrong(
                format!("Livestreaming is off in {whose} Zoom settings"),
                ": switch on _Allow livestreaming of meetings_ under In Meeting (Advanced). If it is locked, a Zoom \
                 administrator can.",
            ),
            (_, Some(false)) => wrong(
                format!("The custom livestreaming service is off in {whose} Zoom settings"),
                ": tick _Custom Live Streaming Service_ under _Allow livestreaming of meetings_. If it is locked, a Zoom \
                 administrator can.",
            ),
            (Some(true), Some(true)) => Fine(format!(
                "Custom livestreaming is on in {whose} Zoom settings."
            )),
            _ if is_others => return basic.into_iter().collect(),
            _ => unknown("Zoom does not say"),
        },
    };
    basic.into_iter().chain([settings]).collect()
}

/// The meeting, if one is checked.
fn of_meeting(check: &Check, zoom: &AtZoom) -> Vec<Line> {
    let (Some(meeting), Ok(user), Some(read)) = (check.request.meeting, &zoom.user, &zoom.meeting)
    else {
        return Vec::new();
    };
    let number = meeting.grouped();
    match (read, refused(check, zoom)) {
        (Ok(found), _) => of_found(&check.acts, &number, found, user),
        (Err(_), Some(refused)) => vec![refused],
        (Err(why), None) => vec![NotKnown(format!(
            "I can't tell whose meeting {number} is, whether it is running and how it is encrypted, because {}.",
            check.acts.because(why)
        ))],
    }
}

/// What Zoom says of a meeting that it does not tell of; where it tells nothing of the meeting for
/// another reason, what it says of the meeting's livestream.
fn refused(check: &Check, zoom: &AtZoom) -> Option<Line> {
    let number = check.request.meeting?.grouped();
    let Some(Err(of_meeting)) = &zoom.meeting else {
        return None;
    };
    of_refusal(check, &number, of_meeting).or_else(|| {
        let of_livestream = zoom.destination.as_ref()?.as_ref().err()?;
        of_refusal(check, &number, of_livestream)
    })
}

/// What Zoom's refusal to tell of a meeting says of it.
fn of_refusal(check: &Check, number: &str, why: &NotRead) -> Option<Line> {
    let NotRead::Refused { code, said } = why else {
        return None;
    };
    Some(Wrong(match code {
        Some(3000) if said.to_lowercase().contains("webinar") => {
            format!("{number} is a webinar. I can start meetings only.")
        }
        Some(3001) => format!(
            "Zoom finds no meeting {number}, or this account is not its host. Check the number, or ask the host."
        ),
        Some(1010) => format!(
            "Meeting {number} belongs to another Zoom account. Link the account that hosts it, or ask its host."
        ),
        Some(300) => {
            format!("{number} is not a meeting number that Zoom knows. Check it in Zoom.")
        }
        Some(3161) => format!(
            "Meeting {number} can't be livestreamed: {}.",
            check.acts.because(why)
        ),
        _ => return None,
    }))
}

fn of_found(acts: &Acts, number: &str, found: &Meeting, user: &User) -> Vec<Line> {
    let is_theirs = found.host == user.id;
    let name = match &found.topic {
        // Until it is live, what a shared account's meeting is called is for nobody's eyes.
        Some(topic) if is_theirs && matches!(acts, Acts::Own(_)) => {
            format!("{}, meeting {number},", bold(&isolated(&cap(topic, 100))))
        }
        _ => format!("Meeting {number}"),
    };
    let host = if is_theirs {
        Fine(format!("{name} is a meeting that this account hosts."))
    } else {
        NotKnown(format!(
            "{name} is hosted by somebody else. I can't tell whether Zoom lets this account start its livestream; the \
             host's settings count."
        ))
    };
    let running = match found.is_running {
        Some(true) => Fine("It is running.".to_owned()),
        Some(false) => NotYet(format!(
            "It is not running yet. {} in Zoom.",
            if is_theirs && matches!(acts, Acts::Own(_)) {
                "You start it"
            } else {
                "Its host starts it"
            }
        )),
        None => {
            NotKnown("I can't tell whether it is running, because Zoom does not say.".to_owned())
        }
    };
    let encryption = match found.is_end_to_end_encrypted {
        Some(true) => Wrong(
            "It is end-to-end encrypted, and Zoom livestreams no such meeting. Its host can choose enhanced encryption \
             in the meeting's settings."
                .to_owned(),
        ),
        Some(false) => Fine("It is not end-to-end encrypted.".to_owned()),
        None => NotKnown(
            "I can't tell whether it is end-to-end encrypted, because Zoom does not say.".to_owned(),
        ),
    };
    let room = (found.kind == Some(MeetingKind::PersonalRoom)).then(|| {
        Note("It is a personal room: whoever meets there goes live, so look who does.".to_owned())
    });
    [host, running, encryption]
        .into_iter()
        .chain(room)
        .collect()
}

/// Where Zoom has it set.
fn as_set_in_zoom(acts: &Acts, number: &str, read: &Result<Destination, NotRead>) -> Line {
    match read {
        Ok(destination) if !destination.is_set => Wrong(
            "It has no stream address and key. Its host fills them in under _Live Streaming_ in the meeting's settings in \
             Zoom."
                .to_owned(),
        ),
        Ok(destination) => match &destination.page {
            Some(page) => Fine(format!(
                "It has a stream address and a key. Viewers watch it on <{}|its page>.",
                escape(page)
            )),
            None => NotKnown(
                "It has a stream address and a key, but no page for viewers. I can't tell whether Zoom starts it without \
                 one."
                    .to_owned(),
            ),
        },
        Err(why) => NotKnown(format!(
            "I can't tell whether meeting {number} has a stream address and a key, because {}.",
            acts.because(why)
        )),
    }
}
