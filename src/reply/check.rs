//! What would keep a livestream from starting, line by line: what is fine, what is not and who can
//! mend it, and what cannot be told.

use chrono::{DateTime, Utc};

use crate::command::meeting::MeetingId;
use crate::command::outcome::{Fact, Refusal, Unknown};
use crate::db::links::Link;
use crate::db::streams::Stream;
use crate::ids::ZoomUserId;
use crate::reply::reads::NotRead;
use crate::reply::stream::{StreamContext, signed};
use crate::reply::{Replies, date, ephemeral};
use crate::slack::message::{Button, Message, bold, cap, escape};
use crate::stream::MeetingKind;
use crate::zoom::meetings::{Destination, Meeting};
use crate::zoom::scopes::{lacking, lacks_livestream_scope};
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
    pub meeting: Option<MeetingId>,
    /// The livestream of the meeting that goes on, as far as the asker may know it.
    pub on_air: Option<Stream>,
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
    /// Why other lines are not known.
    Note(String),
}
use Line::{Fine, NotKnown, Note, Wrong};

impl Acts {
    /// What the permission of the account covers, and whether it is dead.
    fn permission(&self) -> Option<(&str, bool)> {
        match self {
            Self::Own(link) => Some((&link.scope, link.is_dead)),
            Self::Shared { scope, is_dead, .. } => Some((scope, *is_dead)),
            Self::NotLinked => None,
        }
    }

    /// Why something was not read with it, behind "because".
    fn because(&self, why: &NotRead) -> String {
        why.because(match self {
            Self::Shared { .. } => "its",
            Self::Own(_) | Self::NotLinked => "your",
        })
    }

    /// Who can mend the link, and how.
    fn cure(&self) -> &'static str {
        match self {
            Self::Shared { .. } => "An admin of the workspace can link it again.",
            Self::Own(_) | Self::NotLinked => "Link it again.",
        }
    }
}

impl Line {
    fn text(&self) -> String {
        let (sign, text) = match self {
            Fine(text) => ("✓", text),
            Wrong(text) => ("✗", text),
            NotKnown(text) | Note(text) => ("–", text),
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
            lines.extend(of_user(&check.acts, zoom));
            lines.extend(of_meeting(check, zoom));
        }
        lines.extend(self.of_reports(check));
        let is_wrong = lines.iter().any(|line| matches!(line, Wrong(_)));
        let message = ephemeral(&verdict(check, &lines));
        let message = match &check.on_air {
            Some(stream) => message.with_section(&signed(&StreamContext::of(stream))),
            None => message,
        };
        let lines: Vec<_> = lines.iter().map(Line::text).collect();
        let more = match check.meeting {
            Some(_) => String::new(),
            None => format!(" {} looks at a meeting too.", self.example("check")),
        };
        message
            .with_section(&lines.join("\n"))
            .with_context(&format!("Nothing was started.{more}"))
            .with_buttons(self.after_check(check, !is_wrong))
    }

    fn after_check(&self, check: &Check, is_fine: bool) -> Vec<Button> {
        let link = |label| self.can_link().then(|| Button::typing(label, "connect"));
        let connect = match &check.acts {
            Acts::NotLinked => link("Link my Zoom account"),
            Acts::Own(own) if is_to_link_again(own, check.zoom.as_ref()) => link("Link it again"),
            Acts::Own(_) | Acts::Shared { .. } => None,
        };
        let go = check.meeting.filter(|_| is_fine && check.on_air.is_none());
        let go = go.map(|meeting| Button::typing("Go live", format!("start {meeting}")).primary());
        let again = match check.meeting {
            Some(meeting) => format!("check {meeting}"),
            None => "check".to_owned(),
        };
        let again = Button::typing("Check again", again);
        go.into_iter().chain(connect).chain([again]).collect()
    }

    /// Who acts, whether Zoom accepts it, and what the permission lacks.
    fn of_link(&self, check: &Check) -> Vec<Line> {
        let acts = &check.acts;
        let who = match acts {
            Acts::NotLinked => {
                let cure = if self.can_link() {
                    "Link yours; it takes a minute."
                } else {
                    "Ask whoever runs this bot to link yours."
                };
                return vec![Wrong(format!("No Zoom account is linked for you. {cure}"))];
            }
            Acts::Own(link) => format!("You act as Zoom account *{}*", escape(&link.email)),
            Acts::Shared { .. } => {
                "You act with the Zoom account that your workspace shares".to_owned()
            }
        };
        let (scope, is_dead) = acts.permission().unwrap_or_default();
        let cure = acts.cure();
        let link = match check.zoom.as_ref().map(|zoom| &zoom.user) {
            Some(Ok(_)) => Fine(format!("{who}, and Zoom accepts the link.")),
            Some(Err(why @ NotRead::LinkDead)) => {
                Wrong(format!("{who}, but {}. {cure}", acts.because(why)))
            }
            Some(Err(why @ NotRead::Misconfigured)) => {
                Wrong(format!("{who}, but {}.", acts.because(why)))
            }
            Some(Err(why)) => NotKnown(format!(
                "{who}. I can't tell whether Zoom accepts the link, because {}.",
                acts.because(why)
            )),
            None if is_dead => Wrong(format!(
                "{who}, but Zoom no longer accepts the link. {cure}"
            )),
            // As the rules refuse the person.
            None => Note(format!("{who}. I did not ask Zoom.")),
        };
        let scopes = (!is_dead).then(|| of_scopes(scope, cure));
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
            RulesSay::NotKnown(fact, why) => {
                let fact = match fact {
                    Fact::Membership => "whether you are a member of this workspace",
                    Fact::UserGroup => "who is in the user group that an admin has chosen",
                };
                let because = match why {
                    Unknown::NoAnswer => format!("Slack does not say {fact}."),
                    Unknown::CannotAsk => format!(
                        "I am not allowed to ask Slack {fact}. An admin must install the app again, with all its \
                         permissions."
                    ),
                };
                NotKnown(format!(
                    "I can't tell what the workspace's rules say of you, because {because}"
                ))
            }
        }
    }

    fn of_reports(&self, check: &Check) -> Option<Line> {
        check.acts.permission()?;
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
    let wrong = lines.iter().filter(|line| matches!(line, Wrong(_))).count();
    let unknown = lines.iter().filter(|line| matches!(line, NotKnown(_)));
    let unknown = unknown.count();
    let is_silent = check.zoom.as_ref().is_some_and(|zoom| zoom.user.is_err());
    let what = match check.meeting {
        Some(meeting) => format!("meeting {}", meeting.grouped()),
        None => "your livestreams".to_owned(),
    };
    match (wrong, unknown) {
        (0, _) if is_silent => format!(":question: *I can't tell whether {what} can go live.*"),
        (0, 0) if check.meeting.is_some() => {
            format!(":white_check_mark: *Nothing keeps {what} from going live.*")
        }
        (0, 0) => ":white_check_mark: *Nothing in your account or in the rules here keeps a livestream from starting.*"
            .to_owned(),
        (0, 1) => format!(
            ":white_circle: *I see nothing that keeps {what} from going live*, and can't tell one thing."
        ),
        (0, _) => format!(
            ":white_circle: *I see nothing that keeps {what} from going live*, and can't tell {unknown} things."
        ),
        (1, _) => format!(":x: *One thing keeps {what} from going live.*"),
        _ => format!(":x: *{wrong} things keep {what} from going live.*"),
    }
}

fn is_to_link_again(link: &Link, zoom: Option<&AtZoom>) -> bool {
    let is_rejected = zoom.is_some_and(|zoom| matches!(zoom.user, Err(NotRead::LinkDead)));
    link.is_dead || is_rejected || !lacking(&link.scope).is_empty()
}

fn of_scopes(granted: &str, cure: &str) -> Line {
    let missing = lacking(granted);
    let names: Vec<_> = missing.iter().map(|scope| format!("`{scope}`")).collect();
    let names = names.join(", ");
    if missing.is_empty() {
        Fine("The link has every permission that I use.".to_owned())
    } else if lacks_livestream_scope(granted) {
        Wrong(format!(
            "The link lacks the permission to run livestreams: {names}. {cure}"
        ))
    } else {
        Note(format!(
            "The link lacks {names}, so some of what I do is missing. {cure} That helps if whoever runs this bot has added the \
             permission to the Zoom app."
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

/// The plan and settings of the account.
fn of_user(acts: &Acts, zoom: &AtZoom) -> Vec<Line> {
    // Then nothing else could be asked.
    let Ok(user) = &zoom.user else {
        return Vec::new();
    };
    let basic = user.is_basic().then(|| {
        Wrong(
            "The Zoom account has the Basic plan, which has no livestreams. A Zoom administrator can change the plan."
                .to_owned(),
        )
    });
    let whose = match acts {
        Acts::Shared { .. } => "the account's",
        Acts::Own(_) | Acts::NotLinked => "your",
    };
    let unknown = |why: &str| {
        NotKnown(format!(
            "I can't tell whether livestreaming is on in {whose} Zoom settings, because {why}."
        ))
    };
    let settings = match &zoom.settings {
        Err(why) => unknown(&acts.because(why)),
        Ok(settings) => match (
            settings.allow_live_streaming,
            settings.custom_live_streaming_service,
        ) {
            (Some(false), _) => Wrong(format!(
                "Livestreaming is off in {whose} Zoom settings: switch on _Allow livestreaming of meetings_ under In \
                 Meeting (Advanced). If it is locked, a Zoom administrator can."
            )),
            (_, Some(false)) => Wrong(format!(
                "The custom livestreaming service is off in {whose} Zoom settings: tick _Custom Live Streaming Service_ \
                 under _Allow livestreaming of meetings_. If it is locked, a Zoom administrator can."
            )),
            (Some(true), Some(true)) => Fine(format!(
                "Custom livestreaming is on in {whose} Zoom settings."
            )),
            _ => unknown("Zoom does not say"),
        },
    };
    basic.into_iter().chain([settings]).collect()
}

/// The meeting, if one is checked.
fn of_meeting(check: &Check, zoom: &AtZoom) -> Vec<Line> {
    let (Some(meeting), Ok(user), Some(read)) = (check.meeting, &zoom.user, &zoom.meeting) else {
        return Vec::new();
    };
    let number = meeting.grouped();
    let mut lines = match read {
        Ok(found) => of_found(&check.acts, &number, found, user),
        Err(why) => match of_refusal(check, &number, why) {
            // Nothing else can be said of a number that is no meeting of theirs.
            Some(refused) => return vec![refused],
            None => vec![NotKnown(format!(
                "I can't tell whose meeting {number} is, whether it is running and how it is encrypted, because {}.",
                check.acts.because(why)
            ))],
        },
    };
    let destination = zoom.destination.as_ref();
    lines.extend(destination.map(|read| of_destination(&check.acts, &number, read)));
    lines
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
            format!("{}, meeting {number},", bold(&cap(topic, 100)))
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
        Some(false) => Wrong("It is not running. Its host starts it in Zoom.".to_owned()),
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

fn of_destination(acts: &Acts, number: &str, read: &Result<Destination, NotRead>) -> Line {
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
