//! Every sentence we say. Each says what happened, who can mend it, and what to do next.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::account::link::Unlinked;
use crate::command::LivestreamRequest;
use crate::command::meeting::{MeetingId, ParseMeetingIdError};
use crate::command::outcome::Outcome;
use crate::command::{Action, OPTIONS, ParseError, VERBS};
use crate::db::commands::RecentCommand;
use crate::db::links::Link;
use crate::ids::{Asker, CommandId, SlackUserId};
use crate::livestream::policy::Rule;
use crate::slack::form::Content;
use crate::slack::message::{
    Button, Message, Visibility, actions, cap, code, escape, header, section,
};

/// A meeting to show where the person's own is not known.
const EXAMPLE: &str = "68423085";

/// Writes in the words of this installation: the command may have another name.
#[derive(Debug, Clone)]
pub struct Replies {
    slash: String,
    /// Where admins change the rules, if there is such a page.
    admin_page: Option<String>,
}

/// What an outcome is told about.
#[derive(Debug)]
pub struct OutcomeContext<'a> {
    pub command: CommandId,
    pub asker: &'a Asker,
    /// It was typed in a direct message, and stays there between the asker and us.
    pub is_direct: bool,
    pub request: &'a LivestreamRequest,
    /// People can link accounts themselves.
    pub can_link: bool,
    /// The e-mail of the Zoom account that acted, if there still is one.
    pub zoom_account: Option<&'a str>,
}

/// What somebody can do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everything.
    Linked,
    /// Their grant is dead.
    Dead,
    NotLinked,
    /// They have no working link, and only the operator can make one.
    OperatorMustLink,
    /// They are no full member of the workspace, which does not allow that.
    NotAllowed,
}

impl Access {
    /// The same where people can link accounts themselves, or cannot.
    #[must_use]
    pub fn where_linking_is(self, can_link: bool) -> Self {
        match self {
            Self::Dead | Self::NotLinked if !can_link => Self::OperatorMustLink,
            access => access,
        }
    }

    /// What they can type with an effect.
    fn verbs(self) -> &'static [&'static str] {
        match self {
            Self::Linked => &VERBS,
            Self::Dead => &["connect", "disconnect", "whoami", "help"],
            Self::NotLinked => &["connect", "help"],
            Self::OperatorMustLink => &["whoami", "help"],
            Self::NotAllowed => &["help"],
        }
    }
}

/// What a person's App Home shows.
#[derive(Debug)]
pub struct Home {
    pub link: Option<Link>,
    /// The newest first.
    pub last: Vec<RecentCommand>,
    /// People can link accounts themselves.
    pub can_link: bool,
    /// A one-time link, if they asked for it.
    pub offer: Option<String>,
}

impl Replies {
    /// `slash` is the command's name with its slash, as in `SLASH_COMMAND`.
    pub fn new(slash: impl Into<String>, admin_page: Option<String>) -> Self {
        Self {
            slash: slash.into(),
            admin_page,
        }
    }

    /// The command's name here.
    pub fn slash(&self) -> &str {
        &self.slash
    }

    /// What can be typed, as `/livestream start 68423085`.
    fn typed(&self, action: Action, meeting: MeetingId) -> String {
        format!("`{} {} {meeting}`", self.slash, action.as_str())
    }

    fn example(&self, verb: &str) -> String {
        format!("`{} {verb} {EXAMPLE}`", self.slash)
    }

    /// What the command does, and what this person can do with it now.
    pub fn help(&self, access: Access) -> Message {
        ephemeral(&self.usage(access)).with_buttons(link_button(access))
    }

    fn usage(&self, access: Access) -> String {
        let slash = &self.slash;
        let what = format!("*{slash}* starts and stops the livestream of a Zoom meeting you host.");
        match access {
            Access::Linked => {
                let options = OPTIONS
                    .map(|(key, values)| format!("• `{key}=` {values}"))
                    .join("\n");
                format!(
                    "{what}\n\
                     • `{slash} start {EXAMPLE}` goes live\n\
                     • `{slash} stop {EXAMPLE}` ends the livestream\n\
                     • `{slash} whoami` says which Zoom account you act as, `{slash} connect` links another one, `{slash} disconnect` unlinks it\n\
                     The meeting is its number, spaced as you like, or its join link. \
                     It must be running, and its livestream set up in Zoom.\n\n\
                     A start takes options, for example `{slash} start {EXAMPLE} name=\"Town Hall\" layout=gallery_view`:\n{options}"
                )
            }
            Access::Dead => format!(
                "{what} {LINK_DEAD}\n\
                 • `{slash} connect` links it again\n\
                 • `{slash} whoami` says which Zoom account it is, `{slash} disconnect` unlinks it"
            ),
            Access::NotLinked => format!(
                "{what} Your Zoom account is not linked yet, so link it first; it takes a minute.\n\
                 • `{slash} connect` links it"
            ),
            Access::OperatorMustLink => format!(
                "{what} I have no Zoom account that I could act with for you. \
                 Ask whoever runs this bot in your team to link yours.\n\
                 • `{slash} whoami` says whether it is linked"
            ),
            Access::NotAllowed => format!("{what} {}", self.rule(Rule::Members, None)),
        }
    }

    /// The command could not be read; nothing was done.
    pub fn mistake(&self, mistake: &ParseError, access: Access) -> Message {
        match mistake {
            ParseError::UnknownVerb {
                nearest: Some(verb),
                ..
            } if access.verbs().contains(verb) => ephemeral(&self.correction(mistake)),
            ParseError::UnknownVerb {
                typed,
                nearest: None,
                ..
            } => {
                let known: Vec<_> = access
                    .verbs()
                    .iter()
                    .map(|verb| format!("`{verb}`"))
                    .collect();
                let first = access.verbs().first().copied().unwrap_or("help");
                let first = match first {
                    "start" => self.example(first),
                    verb => format!("`{} {verb}`", self.slash),
                };
                ephemeral(&format!(
                    "I don't know {}. You can type {}; try {first}.",
                    code(typed),
                    known.join(", "),
                ))
            }
            _ if access == Access::Linked => ephemeral(&self.correction(mistake)),
            // How to say it right is of no use to somebody who can't do it.
            _ => ephemeral(&format!("I can't read that. {}", self.usage(access)))
                .with_buttons(link_button(access)),
        }
    }

    fn correction(&self, mistake: &ParseError) -> String {
        let slash = &self.slash;
        match mistake {
            ParseError::UnknownVerb {
                nearest: Some(verb @ ("help" | "connect" | "disconnect" | "whoami")),
                ..
            } => format!("Did you mean `{slash} {verb}`?"),
            ParseError::UnknownVerb {
                nearest: Some(verb),
                meeting: Some(meeting),
                ..
            } => {
                format!("Did you mean `{slash} {verb} {meeting}`?")
            }
            ParseError::UnknownVerb {
                nearest: Some(verb),
                ..
            } => format!("Did you mean {}?", self.example(verb)),
            ParseError::UnknownVerb {
                typed,
                nearest: None,
                ..
            } => format!("I don't know {}.", code(typed)),
            ParseError::VerbMissing(meeting) => format!(
                "Start or stop? Type {} or {}.",
                self.typed(Action::Start, *meeting),
                self.typed(Action::Stop, *meeting),
            ),
            ParseError::MeetingMissing(action) => {
                format!(
                    "Which meeting? Add its number or join link: {}.",
                    self.example(action.as_str())
                )
            }
            ParseError::NotAMeeting { action, typed, why } => {
                self.not_a_meeting(*action, typed, why)
            }
            ParseError::UnknownOption {
                key,
                nearest: Some(nearest),
            } => {
                format!(
                    "There is no option {}. Did you mean `{nearest}=`?",
                    code(key)
                )
            }
            ParseError::UnknownOption { key, nearest: None } => format!(
                "I don't know the option {}. There are {}. A name with spaces goes in quotes: `name=\"Town Hall\"`.",
                code(key),
                OPTIONS.map(|(key, _)| format!("`{key}=`")).join(", "),
            ),
            ParseError::OptionTwice(key) => {
                format!("`{key}=` stands there twice. Which one should count?")
            }
            ParseError::BadValue { key, typed } => {
                let values = OPTIONS
                    .iter()
                    .find(|(known, _)| known == key)
                    .map_or("", |(_, values)| values);
                format!("`{key}=` can't be {}; it is {values}.", code(typed))
            }
            ParseError::NameLength(0) => {
                "The name is empty. Zoom takes 1 to 50 characters.".to_owned()
            }
            ParseError::NameLength(length) => {
                format!("The name has {length} characters; Zoom takes at most 50.")
            }
            ParseError::StopTakesNoOptions(meeting) => {
                format!(
                    "A stop takes no options. Type {}.",
                    self.typed(Action::Stop, *meeting)
                )
            }
            ParseError::QuoteOpen => "A quote is opened but never closed.".to_owned(),
        }
    }

    fn not_a_meeting(&self, action: Action, typed: &str, why: &ParseMeetingIdError) -> String {
        let number = format!(
            "Copy the meeting's number from Zoom instead: {}.",
            self.example(action.as_str())
        );
        let reason = match why {
            ParseMeetingIdError::NotANumber => format!(
                "{} is not a meeting number or a Zoom join link.",
                code(typed)
            ),
            ParseMeetingIdError::Length(length) => {
                format!("A Zoom meeting number has 9 to 11 digits; this one has {length}.")
            }
            ParseMeetingIdError::PersonalLink => {
                "A personal link (`/my/…`) does not say the meeting's number.".to_owned()
            }
            ParseMeetingIdError::RegistrationLink => {
                "A registration link does not say the meeting's number.".to_owned()
            }
            ParseMeetingIdError::RecordingLink => {
                "That link leads to a recording, not to a meeting.".to_owned()
            }
            ParseMeetingIdError::NotZoom(host) => {
                format!("That link leads to {}, which is not Zoom.", code(host))
            }
            ParseMeetingIdError::NoNumberInLink => {
                "There is no meeting number in that link.".to_owned()
            }
        };
        format!("{reason} {number}")
    }

    /// The asker has no Zoom account linked; nothing was done.
    pub fn not_linked(&self, request: &LivestreamRequest, can_link: bool) -> Message {
        if !can_link {
            return ephemeral(
                "Your Zoom account is not linked yet, so I can't act for you and did nothing. \
                 Ask whoever runs this bot in your team to link it, then type the command again.",
            );
        }
        ephemeral("Your Zoom account is not linked yet, so I can't act for you and did nothing. Link it first; it takes a minute.")
            .with_buttons([Button::typing("Link my Zoom account", format!("connect {request}"))])
    }

    /// The asker's grant is dead; nothing was done.
    pub fn link_dead(&self, request: &LivestreamRequest, can_link: bool) -> Message {
        ephemeral(&format!("{LINK_DEAD} I did nothing.")).with_buttons(
            can_link.then(|| Button::typing("Link it again", format!("connect {request}"))),
        )
    }

    /// A one-time link, for the eyes of one person only.
    pub fn connect(&self, url: &str) -> Message {
        ephemeral(OFFER).with_buttons([Button::opening("Link my Zoom account", url)])
    }

    /// Linking takes settings that the operator has not made.
    pub fn linking_not_set_up(&self) -> Message {
        ephemeral(
            "Linking accounts from Slack is not set up here. Ask whoever runs this bot to link your Zoom account.",
        )
    }

    /// The person's link now stands.
    pub fn linked(&self, email: &str, device: &str, typed: Option<&str>) -> Message {
        let message = ephemeral(&format!(
            ":white_check_mark: Your Zoom account *{}* is linked, just now, from {}. Not you? Disconnect it.",
            escape(email),
            escape(device),
        ));
        let message = match typed {
            Some(typed) => message.with_context(&format!(
                "You had typed {}",
                code(&format!("{} {typed}", self.slash))
            )),
            None => message,
        };
        let run = typed.map(|typed| Button::typing("Run what I typed", typed).primary());
        message.with_buttons(run.into_iter().chain([disconnect()]))
    }

    /// Somebody else signed in with the person's link.
    pub fn link_opened_by_somebody_else(&self) -> Message {
        ephemeral(
            ":warning: Somebody else signed in with the link I made for you, so I stopped it: nothing was linked. \
             If you passed it on, don't: each person links their own account.",
        )
        .with_buttons([Button::typing("Make a new link", "connect")])
    }

    /// Which account is linked.
    pub fn whoami(&self, link: Option<&Link>, can_link: bool) -> Message {
        ephemeral(&whoami(link)).with_buttons(link_or_unlink(link, can_link))
    }

    /// The link is gone.
    pub fn disconnected(&self, unlinked: &Unlinked) -> Message {
        ephemeral(match unlinked {
            Unlinked::NotLinked => {
                "No Zoom account is linked for you, so there is nothing to disconnect."
            }
            Unlinked::Shared => {
                "Your Zoom account is no longer linked to you. Others here still use it, so its permission stays."
            }
            Unlinked::Revoked => {
                "Your Zoom account is no longer linked, and the permission at Zoom is withdrawn."
            }
            Unlinked::NotRevoked => {
                "Your Zoom account is no longer linked, and its tokens are deleted here. Zoom did not confirm that the \
                 permission is withdrawn: remove the app under *Added Apps* at https://marketplace.zoom.us to be sure."
            }
        })
    }

    /// The same request is already under way.
    pub fn already_under_way(
        &self,
        action: Action,
        meeting: MeetingId,
        by: &SlackUserId,
        seconds: i64,
    ) -> Message {
        let doing = match action {
            Action::Start => "starting",
            Action::Stop => "stopping",
        };
        let meeting = meeting.grouped();
        ephemeral(&format!(
            "Already {doing} the livestream of meeting {meeting}, asked by <@{by}> {seconds} s ago."
        ))
    }

    /// The presser's request was taken: the message keeps what it says and loses its buttons.
    pub fn pressed(&self, content: Content, presser: &SlackUserId, typed: &str) -> Message {
        Message::pressed(content).with_context(&format!(
            "<@{}> pressed the button: {}",
            escape(presser.as_str()),
            code(&format!("{} {typed}", self.slash))
        ))
    }

    /// The same under a message that only the presser sees, and that Slack does not show us.
    pub fn running(&self, typed: &str) -> Message {
        ephemeral(&format!(
            "Running {}. What becomes of it follows.",
            code(&format!("{} {typed}", self.slash))
        ))
        .replacing()
    }

    /// A rule forbids it; nothing was done.
    pub fn not_allowed(&self, rule: Rule, set_by: Option<&SlackUserId>) -> Message {
        ephemeral(&format!("I did nothing. {}", self.rule(rule, set_by)))
    }

    /// Which rule forbids it, and who can change it.
    fn rule(&self, rule: Rule, set_by: Option<&SlackUserId>) -> String {
        let slash = &self.slash;
        let rule = match rule {
            Rule::Members => format!(
                "In this workspace, guests and people from other organisations can't use {slash}."
            ),
            Rule::Named => {
                format!("In this workspace, only people whom an admin named can use {slash}.")
            }
            Rule::Group => format!(
                "In this workspace, only members of a user group that an admin chose can use {slash}."
            ),
            Rule::Channel => format!("In this channel, {slash} is not to be used."),
        };
        let admins = "The workspace's admins can change that";
        let admins = match (set_by, &self.admin_page) {
            (Some(admin), Some(page)) => {
                let admin = escape(admin.as_str());
                format!("{admins}, such as <@{admin}>, who did last, on <{page}|the admin's page>")
            }
            (None, Some(page)) => format!("{admins}, on <{page}|the admin's page>"),
            (_, None) => admins.to_owned(),
        };
        format!("{rule} {admins}.")
    }

    /// An admin ended the person's link.
    pub fn unlinked_by(&self, admin: &SlackUserId) -> String {
        format!(
            "<@{}>, an admin of this workspace, disconnected your Zoom account. To link it again, type `{} connect`.",
            escape(admin.as_str()),
            self.slash
        )
    }

    /// A person's App Home.
    pub fn home(&self, home: &Home) -> Vec<Value> {
        let mut blocks = vec![
            header("Your Zoom account"),
            section(&whoami(home.link.as_ref())),
        ];
        match &home.offer {
            Some(url) => {
                blocks.push(section(OFFER));
                blocks.extend(actions([Button::opening("Link my Zoom account", url)]));
            }
            None => blocks.extend(actions(link_or_unlink(home.link.as_ref(), home.can_link))),
        }
        blocks.push(header("Your last commands"));
        let last: Vec<_> = home.last.iter().map(past).collect();
        blocks.push(section(&if last.is_empty() {
            "None yet.".to_owned()
        } else {
            last.join("\n")
        }));
        let access = match &home.link {
            Some(link) if link.is_dead => Access::Dead,
            Some(_) => Access::Linked,
            None => Access::NotLinked,
        };
        blocks.push(header("What you can type, in any channel"));
        blocks.push(section(&self.usage(access.where_linking_is(home.can_link))));
        blocks
    }

    /// Our database does not answer in time: perhaps the command stands in it, perhaps not.
    pub fn cannot_tell(&self) -> Message {
        ephemeral(
            "My own database does not answer just now, so I can't tell whether I took your command. If nothing \
             follows within a minute, please type it again; if this goes on, tell whoever runs this bot.",
        )
    }

    /// The request is not for this app.
    pub fn wrong_app(&self) -> Message {
        ephemeral(
            "This command belongs to another Slack app than the one I serve, so I did nothing. Whoever runs this bot can mend it: `SLACK_APP_ID` names another app.",
        )
    }

    /// What became of a command, for the channel.
    pub fn outcome(&self, told: &OutcomeContext<'_>, outcome: &Outcome) -> Message {
        let who = match told.zoom_account {
            Some(email) => format!("as Zoom account {}", escape(email)),
            None => "with no Zoom account".to_owned(),
        };
        let visibility = match outcome {
            Outcome::NotAllowed { .. } | Outcome::NeedsConfirmation { .. } => Visibility::Ephemeral,
            _ if told.is_direct => Visibility::Ephemeral,
            _ => Visibility::InChannel,
        };
        Message::new(visibility, &self.sentence(told, outcome))
            .with_context(&format!(
                "Asked by <@{}> {who} · reference {}",
                escape(told.asker.user.as_str()),
                told.command
            ))
            .with_buttons(next_step(told, outcome))
    }

    #[expect(clippy::too_many_lines, reason = "one table, a row an outcome")]
    fn sentence(&self, told: &OutcomeContext<'_>, outcome: &Outcome) -> String {
        let meeting = format!("Meeting {}", told.request.meeting.grouped());
        let again = format!(
            "type {} again",
            self.typed(told.request.action, told.request.meeting)
        );
        let stop = self.typed(Action::Stop, told.request.meeting);
        let not_done = match told.request.action {
            Action::Start => "was not started",
            Action::Stop => "was not stopped",
        };
        match (outcome, told.request.action) {
            (Outcome::Accepted, Action::Start) => format!(
                ":red_circle: *{meeting} is going live.* Zoom took the start; viewers see it in a few seconds. \
                 To end it, type {stop}."
            ),
            (Outcome::Accepted, Action::Stop) => {
                format!(
                    ":black_square_for_stop: *The livestream of meeting {} is stopped.*",
                    told.request.meeting.grouped()
                )
            }
            (Outcome::NotAMeetingNumber, _) => format!(
                ":warning: *{} is not a meeting number Zoom knows.* Check it in Zoom and type the command again.",
                told.request.meeting.grouped()
            ),
            (Outcome::NotSetUp, _) => format!(
                ":warning: *{meeting} can't be livestreamed yet.* Zoom does not say which of these is missing:\n\
                 • the meeting is running\n\
                 • it is a meeting, not a webinar\n\
                 • the host has a Pro plan or better, and _Allow livestreaming of meetings_ with _Custom Live Streaming Service_ is on in their Zoom settings\n\
                 • its stream URL, key and page are filled in under _Live Streaming_ in the meeting's settings\n\
                 Then {again}."
            ),
            (Outcome::NotStarted, _) => {
                format!(":warning: *{meeting} has not started.* Start it in Zoom, then {again}.")
            }
            (Outcome::WrongAccount, _) => format!(
                ":warning: *{meeting} belongs to another Zoom account.* Link the account that hosts it, or ask its host."
            ),
            (Outcome::MayNotHost, _) => format!(
                ":warning: *{meeting}: this Zoom user may not host meetings.* A Zoom administrator can change that."
            ),
            (Outcome::EndToEndEncrypted, _) => format!(
                ":lock: *{meeting} is end-to-end encrypted*, and Zoom livestreams no such meeting. \
                 Its host can choose enhanced encryption in the meeting's settings."
            ),
            (Outcome::ScopeMissing, _) => format!(
                ":warning: *{meeting} {not_done}: the linked Zoom account has not granted permission to run livestreams.* \
                 The account must be linked again to grant it."
            ),
            (Outcome::Unauthorized | Outcome::LinkDead, _) => {
                format!(":warning: *{meeting} {not_done}.* {LINK_DEAD}")
            }
            (Outcome::NoSuchUser, _) => format!(
                ":warning: *{meeting} {not_done}: Zoom no longer knows the linked user.* Link the account that hosts it."
            ),
            (Outcome::NoSuchMeeting, _) => format!(
                ":warning: *Zoom finds no meeting {}* — or the linked account is not its host. \
                 Check the number, or ask the host to type the command.",
                told.request.meeting.grouped()
            ),
            (Outcome::StillStarting, _) => format!(
                ":hourglass_flowing_sand: *Zoom is still handling an earlier start of meeting {}.* \
                 If it is not live in 30 seconds, {again}.",
                told.request.meeting.grouped()
            ),
            (Outcome::RateLimited, _) => format!(
                ":hourglass_flowing_sand: *{meeting} {not_done}: Zoom is getting too many requests from your account \
                 this second*, and was still when I tried once more. In a minute, {again}."
            ),
            (Outcome::DailyLimit { until }, _) => {
                let until = until.map_or_else(
                    || "Zoom does not say until when, but its days end at midnight UTC".to_owned(),
                    |until| {
                        format!(
                            "That ends {}",
                            date(until, "{date_short_pretty} {time}", "%Y-%m-%d %H:%M UTC")
                        )
                    },
                );
                format!(
                    ":no_entry: *{meeting} {not_done}: your Zoom account has used up its requests for today.* {until}."
                )
            }
            (Outcome::NoAnswer, _) => format!(
                ":question: *Zoom did not answer about meeting {}.* It may or may not have done it: \
                 look at the stream, and if it is needed, {again}.",
                told.request.meeting.grouped()
            ),
            (Outcome::Interrupted, _) => format!(
                ":question: *I was interrupted while asking Zoom about meeting {}.* It may or may not have done it, and I \
                 did not ask twice: look at the stream, and if it is needed, {again}.",
                told.request.meeting.grouped()
            ),
            (Outcome::Unreachable, _) => format!(
                ":warning: *{meeting} {not_done}: I can't reach Zoom.* In a minute, {again}."
            ),
            (Outcome::TooLate, _) => format!(
                ":warning: *{meeting} {not_done}.* I could not get to it within 10 minutes, and did not want to \
                 surprise you later. If it is still needed, {again}."
            ),
            (Outcome::Misconfigured, _) => format!(
                ":warning: *{meeting} {not_done}: this bot's own access to Zoom is broken.* \
                 Whoever runs it can mend it, and finds why in its log under the reference below."
            ),
            (Outcome::NotAllowed { rule, set_by }, _) => format!(
                ":no_entry: *{meeting} {not_done}.* {}",
                self.rule(*rule, set_by.as_ref())
            ),
            (Outcome::NeedsConfirmation { members, is_shared }, _) => {
                let who = match (members, is_shared) {
                    (Some(members), true) => {
                        format!("{members} people read here, some of other organisations")
                    }
                    (Some(members), false) => format!("{members} people read here"),
                    (None, _) => "I can't see who reads here".to_owned(),
                };
                format!(
                    ":question: *Go live with {}?* {who}. Nothing was started yet.",
                    meeting.to_lowercase()
                )
            }
            (
                Outcome::Other {
                    status,
                    code,
                    message,
                },
                _,
            ) => {
                let code = code
                    .map(|code| format!(", code {code}"))
                    .unwrap_or_default();
                let message = message.trim();
                let message = if message.is_empty() {
                    "nothing more"
                } else {
                    message
                };
                format!(
                    ":warning: *{meeting} {not_done}.* Zoom answered with status {status}{code}, and said: {}",
                    escape(&cap(message, 300))
                )
            }
        }
    }
}

/// What to press next. Whoever presses acts for themselves, with their own account.
fn next_step(told: &OutcomeContext<'_>, outcome: &Outcome) -> Vec<Button> {
    // What one person confirmed, another has not.
    let request = LivestreamRequest {
        is_confirmed: false,
        ..told.request.clone()
    };
    let again = || Button::typing("Try again", request.to_string());
    let link = || {
        let connect = format!("connect {request}");
        told.can_link
            .then(|| Button::typing("Link a Zoom account", connect))
    };
    match outcome {
        Outcome::Accepted if told.request.action == Action::Start => {
            let meeting = told.request.meeting;
            let question = format!("Stop the livestream of meeting {}?", meeting.grouped());
            vec![Button::typing("Stop", format!("stop {meeting}")).asking(question, "Stop it")]
        }
        Outcome::NeedsConfirmation { .. } => {
            let confirmed = LivestreamRequest {
                is_confirmed: true,
                ..told.request.clone()
            };
            vec![Button::typing("Go live", confirmed.to_string()).primary()]
        }
        Outcome::Accepted | Outcome::NotAMeetingNumber | Outcome::NotAllowed { .. } => Vec::new(),
        Outcome::NotSetUp
        | Outcome::NotStarted
        | Outcome::StillStarting
        | Outcome::RateLimited
        | Outcome::NoAnswer
        | Outcome::Unreachable
        | Outcome::Interrupted
        | Outcome::TooLate => vec![again()],
        Outcome::WrongAccount
        | Outcome::ScopeMissing
        | Outcome::Unauthorized
        | Outcome::NoSuchUser
        | Outcome::LinkDead => link().into_iter().chain(again_by_others(told)).collect(),
        Outcome::MayNotHost
        | Outcome::EndToEndEncrypted
        | Outcome::NoSuchMeeting
        | Outcome::DailyLimit { .. }
        | Outcome::Misconfigured
        | Outcome::Other { .. } => again_by_others(told).into_iter().collect(),
    }
}

/// A stop that failed for one person may be there for another to press: the button that it
/// was pressed on is gone.
fn again_by_others(told: &OutcomeContext<'_>) -> Option<Button> {
    (told.request.action == Action::Stop).then(|| Button::typing("Stop", told.request.to_string()))
}

/// Who somebody acts as.
fn whoami(link: Option<&Link>) -> String {
    let Some(link) = link else {
        return "No Zoom account is linked for you.".to_owned();
    };
    let email = escape(&link.email);
    let since = date(link.since, "{date}", "%Y-%m-%d");
    if link.is_dead {
        format!("You are linked to Zoom account *{email}* since {since}. {LINK_DEAD}")
    } else {
        format!("You act as Zoom account *{email}*, linked since {since}. It is healthy.")
    }
}

/// What somebody can do about the link they have, or have not.
fn link_or_unlink(link: Option<&Link>, can_link: bool) -> Vec<Button> {
    let connect = |label| can_link.then(|| Button::typing(label, "connect"));
    match link {
        None => connect("Link my Zoom account").into_iter().collect(),
        Some(link) if link.is_dead => connect("Link it again")
            .into_iter()
            .chain([disconnect()])
            .collect(),
        Some(_) => vec![disconnect()],
    }
}

fn disconnect() -> Button {
    Button::typing("Disconnect", "disconnect").asking(
        "Your commands will stop working until you link an account again.",
        "Disconnect it",
    )
}

/// What helps somebody whose link is not there or does not work.
fn link_button(access: Access) -> Option<Button> {
    match access {
        Access::Dead => Some(Button::typing("Link it again", "connect")),
        Access::NotLinked => Some(Button::typing("Link my Zoom account", "connect")),
        Access::Linked | Access::OperatorMustLink | Access::NotAllowed => None,
    }
}

/// One line about a command of before.
fn past(past: &RecentCommand) -> String {
    let when = date(
        past.received_at,
        "{date_short_pretty} {time}",
        "%Y-%m-%d %H:%M UTC",
    );
    let action = past.action.as_str();
    let became = match &past.outcome {
        None => "under way",
        Some(outcome) => brief(&outcome.0, past.action),
    };
    format!(
        "• {when}: {action} {}: {became} · reference {}",
        past.meeting.grouped(),
        past.command_id
    )
}

/// An outcome in a few words.
fn brief(outcome: &Outcome, action: Action) -> &'static str {
    match (outcome, action) {
        (Outcome::Accepted, Action::Start) => "*started*",
        (Outcome::Accepted, Action::Stop) => "*stopped*",
        (Outcome::NotAMeetingNumber, _) => "not a meeting number",
        (Outcome::NotSetUp, _) => "livestreaming is not set up",
        (Outcome::NotStarted, _) => "the meeting was not running",
        (Outcome::WrongAccount, _) => "a meeting of another Zoom account",
        (Outcome::MayNotHost, _) => "you may not host it",
        (Outcome::EndToEndEncrypted, _) => "end-to-end encrypted",
        (Outcome::ScopeMissing, _) => "a permission is missing",
        (Outcome::Unauthorized | Outcome::LinkDead, _) => "your link did not work",
        (Outcome::NoSuchUser, _) => "Zoom does not know your user",
        (Outcome::NoSuchMeeting, _) => "no such meeting of yours",
        (Outcome::StillStarting, _) => "an earlier start was under way",
        (Outcome::RateLimited | Outcome::DailyLimit { .. }, _) => "too many requests for Zoom",
        (Outcome::NoAnswer | Outcome::Interrupted, _) => "*unknown*: look at the stream",
        (Outcome::Unreachable, _) => "Zoom was not reached",
        (Outcome::TooLate, _) => "too late, so not done",
        (Outcome::Misconfigured, _) => "this bot's access to Zoom is broken",
        (Outcome::NotAllowed { .. }, _) => "not allowed",
        (Outcome::NeedsConfirmation { .. }, _) => "you were asked first",
        (Outcome::Other { .. }, _) => "refused by Zoom",
    }
}

/// A time as Slack shows it to each person in their own zone, and plainly where it cannot.
/// <https://docs.slack.dev/messaging/formatting-message-text#date-formatting>
fn date(at: DateTime<Utc>, slack: &str, plain: &str) -> String {
    format!("<!date^{}^{slack}|{}>", at.timestamp(), at.format(plain))
}

/// Goes with a one-time link.
const OFFER: &str = "Link your Zoom account: you sign in with Slack, then with Zoom, and confirm. \
                     This link is yours alone and works for 10 minutes. Don't pass it on.";

const LINK_DEAD: &str = "Zoom no longer accepts your linked account: the permission was withdrawn or has run out. \
                         Link it again, then type the command again.";

fn ephemeral(mrkdwn: &str) -> Message {
    Message::new(Visibility::Ephemeral, mrkdwn)
}
