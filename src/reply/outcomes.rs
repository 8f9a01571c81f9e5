//! What became of a command.

use crate::command::Command;
use crate::command::meeting::MeetingId;
use crate::command::outcome::{DestinationRule, Fact, Outcome, Unknown};
use crate::command::request::{Action, LivestreamRequest};
use crate::destination::AS_SET_IN_ZOOM;
use crate::ids::{Asker, CommandId, SlackUserId, StreamId};
use crate::reply::destinations::{called, destination_in_use, going, on, sent_to_either};
use crate::reply::stream::{check, stop};
use crate::reply::{LINK_DEAD, Replies, date, ephemeral};
use crate::slack::form::Content;
use crate::slack::message::{Button, Message, Visibility, cap, escape};

/// What an outcome is told about.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each says another thing of where it is told"
)]
#[derive(Debug)]
pub struct OutcomeContext<'a> {
    pub command: CommandId,
    pub asker: &'a Asker,
    /// It was typed in a direct message, and stays there between the asker and us.
    pub is_direct: bool,
    /// The channel must not see what was typed: with a message for all, Slack may show it that.
    /// <https://docs.slack.dev/interactivity/implementing-slash-commands>
    pub is_private: bool,
    pub request: &'a LivestreamRequest,
    /// It was a press on the card of a stream, whose failure concerns its presser alone.
    pub is_from_card: bool,
    /// That is a message which follows the stream by itself.
    pub is_on_card: bool,
    /// They acted with the account that their workspace shares, which its admins link.
    pub is_shared: bool,
    /// We have a bot token there, by which a message could show the stream.
    pub has_bot: bool,
    /// Who started the stream, if it is known and the asker may know it.
    pub starter: Option<&'a SlackUserId>,
    /// What Zoom said, if that is more than the outcome says.
    pub zoom_message: Option<&'a str>,
    /// Zoom has set the command's destination in the meeting.
    pub is_destination_set: bool,
}

impl Replies<'_> {
    /// A message to somebody who cannot stop a livestream, with who started it.
    pub fn asking(&self, message: Message, starter: &SlackUserId) -> Message {
        message.with_context(&ask(starter))
    }

    /// The same request is already under way. `by` is none if the asker must not know who asked.
    pub fn already_under_way(
        &self,
        action: Action,
        meeting: MeetingId,
        by: Option<&SlackUserId>,
        seconds: i64,
    ) -> Message {
        let doing = match action {
            Action::Start => "starting",
            Action::Stop => "stopping",
        };
        let meeting = meeting.grouped();
        let by = by.map_or_else(
            || "somebody else".to_owned(),
            |by| format!("<@{}>", escape(by.as_str())),
        );
        ephemeral(&format!(
            "Already {doing} the livestream of meeting {meeting}, asked by {by} {seconds} s ago."
        ))
    }

    /// The presser's request was taken: the message keeps what it says and loses its buttons.
    pub fn pressed(&self, content: Content, presser: &SlackUserId, typed: &str) -> Message {
        Message::pressed(content).with_context(&format!(
            "<@{}> pressed the button: {}",
            escape(presser.as_str()),
            self.command(typed)
        ))
    }

    /// A message of a stream that another message shows: it keeps what it says, and loses its buttons.
    pub fn not_kept_up_to_date(&self, content: Content) -> Message {
        Message::pressed(content)
            .with_context("This message is not kept up to date. A newer one shows the livestream.")
    }

    /// The same under a message that only the presser sees, and that Slack does not show us.
    pub fn running(&self, typed: &str) -> Message {
        let text = match Command::from_button(typed) {
            Ok(Command::Livestream(LivestreamRequest {
                action: Action::Start,
                meeting,
                ..
            })) => format!("Starting the livestream of meeting {}…", meeting.grouped()),
            Ok(Command::Livestream(request)) => {
                let meeting = request.meeting.grouped();
                format!("Stopping the livestream of meeting {meeting}…")
            }
            _ => "Working on it…".to_owned(),
        };
        ephemeral(&text).replacing()
    }

    /// A command is accepted that the channel should not see: it holds a passcode.
    pub fn on_it(&self) -> Message {
        ephemeral(
            "I'm on it. The channel does not see what you typed, because it may hold a passcode.",
        )
    }

    /// What became of a command, for the channel.
    pub fn outcome(&self, told: &OutcomeContext<'_>, outcome: &Outcome) -> Message {
        let is_failed_press = told.is_from_card && outcome.has_failed();
        let visibility =
            if outcome.is_for_asker() || told.is_direct || told.is_private || is_failed_press {
                Visibility::Ephemeral
            } else {
                Visibility::InChannel
            };
        let sentence = self.sentence(told, outcome);
        let text = match told.zoom_message {
            // There it stands at its place.
            Some(message) if *outcome != Outcome::NotSetUp => {
                format!("{sentence}\n{}", said(message))
            }
            _ => sentence,
        };
        let text = match told.request.destination() {
            Some(name) if is_set_in_vain(told, outcome) => {
                format!("{text}\nThe destination *{name}* is set in the meeting.")
            }
            _ => text,
        };
        let is_failed_stop = told.request.action == Action::Stop && outcome.lacks_right();
        let text = match told.starter {
            Some(starter) if is_failed_stop => format!("{text}\n{}", ask(starter)),
            _ => text,
        };
        let message = Message::new(visibility, &text).with_context(&format!(
            "Asked by <@{}> · reference {}",
            escape(told.asker.user.as_str()),
            told.command
        ));
        let message = match self.without_card(told, outcome) {
            Some(why) => message.with_context(why),
            None => message,
        };
        let check = is_checked(told, outcome).then(|| check(told.request));
        let buttons = self.next_step(told, outcome).into_iter().chain(check);
        let message = message.with_buttons(buttons);
        match (outcome, told.request.action) {
            // Others may have a use for its button, whoever presses it in vain.
            (Outcome::Accepted, Action::Start) if !told.is_direct && !told.is_private => {
                message.as_card()
            }
            // Its button has done its work.
            (Outcome::Accepted, Action::Stop) if told.is_from_card && !told.is_on_card => {
                message.replacing()
            }
            _ => message,
        }
    }

    /// Why no message shows how a stream goes on that was started, and what would change that.
    fn without_card(&self, told: &OutcomeContext<'_>, outcome: &Outcome) -> Option<&'static str> {
        if *outcome != Outcome::Accepted || told.request.action != Action::Start || told.is_direct {
            return None;
        }
        Some(if told.has_bot {
            "Invite me to this channel, and the next livestream has one message here that stays up to date."
        } else if self.can_link() {
            "The app is installed here without a bot token. When an admin installs it again, the next livestream has \
             one message here that stays up to date."
        } else {
            "The app has no bot token here, so no message stays up to date. Whoever runs this bot can set that up."
        })
    }

    #[expect(clippy::too_many_lines, reason = "one table, a row an outcome")]
    fn sentence(&self, told: &OutcomeContext<'_>, outcome: &Outcome) -> String {
        let meeting = format!("Meeting {}", told.request.meeting.grouped());
        // What one person confirmed, another has not.
        let request = told.request.unconfirmed();
        let again = format!("type {} again", self.command(request));
        let stop = self.typed(Action::Stop, told.request.meeting);
        let not_done = match told.request.action {
            Action::Start => "was not started",
            Action::Stop => "was not stopped",
        };
        match (outcome, told.request.action) {
            (Outcome::Accepted, Action::Start) if told.request.settings.is_rehearsal => format!(
                ":large_yellow_circle: *The rehearsal of meeting {} is going live{}.* Zoom took the start. I stop it once \
                 Zoom has reported it, or after a minute.",
                told.request.meeting.grouped(),
                on(told.request.destination()),
            ),
            (Outcome::Accepted, Action::Start) => format!(
                ":red_circle: *{meeting} is going live{}.* Zoom took the start; viewers see it within a minute or so. \
                 To end it, type {stop}.",
                on(told.request.destination()),
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
                ":warning: *{meeting} can't be livestreamed yet.* {} Check all of these:\n\
                 • the meeting is running\n\
                 • it is a meeting, not a webinar\n\
                 • the host has a Pro plan or better, and _Allow livestreaming of meetings_ with _Custom Live Streaming Service_ is on in their Zoom settings\n\
                 {set_up}Then {again}.",
                told.zoom_message
                    .map_or_else(|| "Zoom does not say why.".to_owned(), said),
                set_up = if told.request.sets_destination() {
                    ""
                } else {
                    "• its stream URL, key and page are filled in under _Live Streaming_ in the meeting's settings\n"
                },
            ),
            (Outcome::NotStarted, Action::Stop) => format!(
                ":white_circle: *Nothing to stop: meeting {} is not running.*",
                told.request.meeting.grouped()
            ),
            (Outcome::NotStarted, Action::Start) => {
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
            (Outcome::ScopeMissing, _) if told.is_shared => format!(
                ":warning: *{meeting} {not_done}: the Zoom account that your workspace shares has not granted permission to \
                 run livestreams.* An admin can link it again{}.",
                self.on_admin_page("shared")
            ),
            (Outcome::ScopeMissing, _) => format!(
                ":warning: *{meeting} {not_done}: the linked Zoom account has not granted permission to run livestreams.* \
                 The account must be linked again to grant it."
            ),
            (Outcome::Unauthorized | Outcome::LinkDead, _) if told.is_shared => {
                let dead = self.shared_dead();
                format!(":warning: *{meeting} {not_done}.* {dead} Then type the command again.")
            }
            (Outcome::Unauthorized | Outcome::LinkDead, _) => {
                format!(":warning: *{meeting} {not_done}.* {LINK_DEAD}")
            }
            (Outcome::LinkEnded, _) => format!(
                ":warning: *{meeting} {not_done}: your link to this Zoom account ended before the command was carried \
                 out.* Nothing was asked of Zoom. If it is still needed, {again}."
            ),
            (Outcome::Unsupported { was_asked: false }, _) => format!(
                ":warning: *{meeting}: this version of the bot can't carry out the command as another version recorded \
                 it.* Nothing was asked of Zoom. If it is still needed, type the command again."
            ),
            (Outcome::Unsupported { was_asked: true }, _) => format!(
                ":question: *{meeting}: the command was interrupted, and this version of the bot can't carry it out as \
                 another version recorded it.* Zoom may or may not have done it: look at the stream, and if it is \
                 needed, type the command again."
            ),
            (Outcome::Unknown, _) => format!(
                ":question: *{meeting}: the command ended in a way that this version of the bot does not know.* Look at \
                 the stream. Whoever runs the bot can look it up under the reference below."
            ),
            (Outcome::NoSuchUser, _) if told.is_shared => format!(
                ":warning: *{meeting} {not_done}: Zoom no longer knows the account that your workspace shares.* An admin can \
                 link another one{}.",
                self.on_admin_page("shared")
            ),
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
            (Outcome::ServerError { status }, _) => format!(
                ":question: *Zoom answered with an error (status {status}) about meeting {}.* It may or may not have \
                 done it: look at the stream, and if it is needed, {again}.",
                told.request.meeting.grouped()
            ),
            (Outcome::NotUnderstood { status }, _) => format!(
                ":question: *I can't tell what Zoom did about meeting {}.* It answered with status {status}, but not \
                 as it should. It may or may not have done it: look at the stream, and if it is needed, {again}.",
                told.request.meeting.grouped()
            ),
            (Outcome::Interrupted, _) => format!(
                ":question: *I was interrupted while asking Zoom about meeting {}.* It may or may not have done it, and I \
                 did not ask twice: look at the stream, and if it is needed, {again}.",
                told.request.meeting.grouped()
            ),
            (Outcome::NotRenewed { status }, _) => {
                let status = status.filter(|_| told.zoom_message.is_none());
                let answered = status
                    .map(|status| format!("Zoom answered with status {status}. "))
                    .unwrap_or_default();
                format!(
                    ":warning: *{meeting} {not_done}: Zoom does not renew my access to the account just now.* \
                     {answered}In a minute, {again}."
                )
            }
            (Outcome::DisabledByAdmin, _) => format!(
                ":warning: *{meeting} {not_done}: this bot is disabled in the linked Zoom account.* \
                 An administrator of the Zoom account can enable it there; then {again}."
            ),
            (Outcome::Unreachable, _) => format!(
                ":warning: *{meeting} {not_done}: I can't reach Zoom.* In a minute, {again}."
            ),
            (
                Outcome::AlreadyLive {
                    since,
                    is_reported,
                    is_by_hand,
                    by,
                    channel,
                    card,
                    destination,
                    may_start,
                    is_sure,
                    ends_by_itself,
                    stream: _,
                },
                _,
            ) => {
                let since = date(*since, "{time}", "%H:%M UTC");
                let on = on(destination.as_ref());
                let sends = told.request.sets_destination();
                let what = if *is_by_hand {
                    format!(
                        "is already live* since {since}, as Zoom reported: somebody began it in Zoom, not from here."
                    )
                } else if *ends_by_itself {
                    format!("is being rehearsed{on}* since {since}.")
                } else if *is_reported {
                    format!("is already live{on}* since {since}, as Zoom reported.")
                } else if !is_sure {
                    format!(
                        "may be live{on} already.* Zoom was asked to start it at {since}, and has reported nothing since."
                    )
                } else if sends {
                    format!("is already going live{on}.* It was started at {since}.")
                } else {
                    format!("is already going live{on}.* Zoom took the start at {since}.")
                };
                let advice = match (sends, may_start) {
                    _ if *ends_by_itself => format!(
                        "A rehearsal ends by itself, within a minute or so. Nothing else was started; once it is over, {again}."
                    ),
                    (false, _) => "Nothing was started again.".to_owned(),
                    (true, false) => {
                        "Nothing was started: a livestream breaks when its destination changes, so stop it first."
                            .to_owned()
                    }
                    (true, true) if destination.as_ref() == told.request.destination() => {
                        "If it still goes on, it may break when its destination is set again, so stop it first. Nothing \
                         was started yet."
                            .to_owned()
                    }
                    (true, true) => {
                        "If it still goes on, it breaks when its destination changes, so stop it first. Nothing was \
                         started yet."
                            .to_owned()
                    }
                };
                let by = by.as_ref().map_or_else(
                    || match is_by_hand {
                        true => String::new(),
                        false => " It was started where I can't name it here.".to_owned(),
                    },
                    |by| format!(" <@{}> started it.", escape(by.as_str())),
                );
                let place = match (card, channel) {
                    (Some(card), _) => format!(" <{}|See how it goes on.>", escape(card)),
                    (None, Some(channel)) if !channel.is_direct() => {
                        format!(" It was started in <#{}>.", escape(channel.as_str()))
                    }
                    (None, _) => String::new(),
                };
                format!(":information_source: *{meeting} {what}{by}{place} {advice}")
            }
            (Outcome::NoSuchDestination { near }, _) => {
                self.no_such_destination(&meeting, told.request.destination(), near)
            }
            (Outcome::NoTestDestination { choices }, _) => {
                format!(
                    ":warning: *{meeting} {not_done}.* {}",
                    self.no_test_destination(choices)
                )
            }
            (
                Outcome::LastSentToTest {
                    name,
                    stream: _,
                    choices,
                },
                _,
            ) => {
                let name = called(name.as_ref());
                let named = choices
                    .first()
                    .map(|choice| format!(" Name where it goes, such as `to={choice}`."));
                format!(
                    ":question: *{meeting} was last sent to {name}, where only rehearsals go.* If that is still set in Zoom, \
                     no viewer sees it. Nothing was started yet.{}",
                    named.unwrap_or_default()
                )
            }
            (
                Outcome::LastSentNotKnown {
                    name,
                    stream: _,
                    choices,
                },
                _,
            ) => format!(
                ":question: *{meeting}: I can't tell where its livestream would go.* {} Nothing was started yet.",
                sent_to_either(name.as_ref(), choices)
            ),
            (
                Outcome::DestinationRefused {
                    name,
                    rule,
                    is_default,
                    channels,
                    tests,
                },
                _,
            ) => {
                let default = if *is_default {
                    " The livestreams of this channel go there, unless you name another place."
                } else {
                    ""
                };
                format!(
                    ":no_entry: *{meeting} {not_done}.* {}{default}",
                    self.destination_rule(name, *rule, channels, tests)
                )
            }
            (
                Outcome::DestinationInUse {
                    name,
                    since,
                    is_sure,
                    is_chosen,
                    stream: _,
                    meeting: holder,
                    by,
                    may_take,
                },
                _,
            ) => {
                let how = [*is_sure, *is_chosen];
                let message =
                    destination_in_use(&meeting, name.as_ref(), *since, how, *holder, by.as_ref());
                if *may_take {
                    message
                } else {
                    format!("{message} An admin can use it all the same.")
                }
            }
            (Outcome::DestinationNotSet { name, why }, _) => match &**why {
                Outcome::ScopeMissing if told.is_shared => format!(
                    ":warning: *{meeting} {not_done}: the Zoom account that your workspace shares does not allow me to set \
                     where a livestream goes.* An admin can link it again{}.",
                    self.on_admin_page("shared")
                ),
                Outcome::ScopeMissing => format!(
                    ":warning: *{meeting} {not_done}: your link does not allow me to set where a livestream goes.* \
                     It is older than destinations, or was made without that permission. Link the account again; it takes a minute."
                ),
                why if why.may_be_done() => {
                    let how = match why {
                        Outcome::NoAnswer => {
                            format!("Zoom did not answer when I set the destination {name}")
                        }
                        Outcome::ServerError { status }
                        | Outcome::NotUnderstood { status }
                        | Outcome::Other { status, .. } => format!(
                            "Zoom answered with status {status} when I set the destination {name}"
                        ),
                        _ => format!("I can't tell whether Zoom set the destination {name}"),
                    };
                    format!(
                        ":warning: *{meeting} {not_done}: {how}.* It was not asked for the start. The destination may be \
                         set in the meeting now, so name where it goes when you start it. In a minute, {again}."
                    )
                }
                why => format!(
                    "{}\nZoom did not take the destination *{name}*, so it was not asked for the start.",
                    self.sentence(told, why)
                ),
            },
            (Outcome::DestinationBroken { name }, _) => format!(
                ":warning: *{meeting} {not_done}: the key of the destination {name} can't be read.* An admin can set it \
                 again{}.",
                self.on_admin_page("destinations")
            ),
            (Outcome::TooLate, _) => format!(
                ":warning: *{meeting} {not_done}.* The command could not be carried out within 10 minutes, so it was dropped. \
                 If it is still needed, {again}."
            ),
            (Outcome::Misconfigured, _) => format!(
                ":warning: *{meeting} {not_done}: this bot's own access to Zoom is broken.* \
                 Whoever runs it can mend it, and finds why in its log under the reference below."
            ),
            (Outcome::NotAllowed(refusal), Action::Start) => {
                format!(":no_entry: *{meeting} {not_done}.* {}", self.rule(refusal))
            }
            (Outcome::NotAllowed(refusal), Action::Stop) => format!(
                ":no_entry: *{meeting} {not_done}.* {} Whoever started a livestream can stop it.",
                self.rule(refusal)
            ),
            (Outcome::NotKnown { fact, why }, _) => {
                let fact = match fact {
                    Fact::Membership => "whether you are a member of this workspace",
                    Fact::UserGroup => "who is in the user group that an admin has chosen",
                };
                match why {
                    Unknown::NoAnswer => format!(
                        ":warning: *{meeting} {not_done}: Slack does not say {fact}.* In a minute, {again}."
                    ),
                    Unknown::CannotAsk => format!(
                        ":warning: *{meeting} {not_done}: I am not allowed to ask Slack {fact}.* \
                         An admin must install the app again, with all its permissions; then {again}."
                    ),
                }
            }
            (Outcome::NeedsConfirmation { members, is_shared }, _) => {
                let asked = self.asks_first(*members, *is_shared);
                format!(
                    ":question: *Go live with {}?* {asked}",
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

    /// What to press next. Whoever presses acts for themselves, with their own account.
    fn next_step(&self, told: &OutcomeContext<'_>, outcome: &Outcome) -> Vec<Button> {
        // What one person confirmed, another has not.
        let request = told.request.unconfirmed();
        let again = || Button::typing("Try again", request.to_string());
        let link = || {
            let connect = format!("connect {request}");
            self.can_link()
                .then(|| Button::typing("Link a Zoom account", connect))
        };
        match outcome {
            Outcome::Accepted if told.request.action == Action::Start => {
                vec![stop(told.request.meeting)]
            }
            Outcome::NeedsConfirmation { .. } => {
                let confirmed = LivestreamRequest {
                    is_confirmed: true,
                    ..told.request.clone()
                };
                vec![Button::typing("Go live", confirmed.to_string()).primary()]
            }
            Outcome::AlreadyLive {
                may_start: false, ..
            } => vec![stop(told.request.meeting)],
            Outcome::AlreadyLive { stream, .. } => {
                let sends = told.request.sets_destination();
                let confirmed = taking(told.request, stream.filter(|_| sends));
                let anyway = Button::typing("Start anyway", confirmed.to_string());
                // The new destination would end what may go on.
                let stop = sends.then(|| stop(told.request.meeting));
                stop.into_iter().chain([anyway]).collect()
            }
            Outcome::NoSuchDestination { .. }
            | Outcome::NoTestDestination { .. }
            | Outcome::LastSentToTest { .. }
            | Outcome::LastSentNotKnown { .. }
            | Outcome::DestinationRefused { .. }
            | Outcome::DestinationInUse { .. } => other_destinations(told, outcome),
            Outcome::DestinationNotSet { why, .. } => match **why {
                Outcome::ScopeMissing | Outcome::Unauthorized | Outcome::LinkDead => {
                    link().filter(|_| !told.is_shared).into_iter().collect()
                }
                _ => vec![again()],
            },
            Outcome::NotStarted if told.request.action == Action::Stop => Vec::new(),
            Outcome::Accepted
            | Outcome::NotAMeetingNumber
            | Outcome::DestinationBroken { .. }
            | Outcome::NotAllowed(_)
            | Outcome::NotKnown {
                why: Unknown::CannotAsk,
                ..
            }
            | Outcome::Unsupported { .. }
            | Outcome::Unknown => Vec::new(),
            Outcome::NotSetUp
            | Outcome::NotKnown { .. }
            | Outcome::NotStarted
            | Outcome::StillStarting
            | Outcome::RateLimited
            | Outcome::NoAnswer
            | Outcome::ServerError { .. }
            | Outcome::NotUnderstood { .. }
            | Outcome::Unreachable
            | Outcome::NotRenewed { .. }
            | Outcome::Interrupted
            | Outcome::TooLate
            | Outcome::LinkEnded => vec![again()],
            // Nobody else reads these. Whoever links their own account no longer acts with the shared one.
            Outcome::ScopeMissing | Outcome::Unauthorized | Outcome::LinkDead => {
                link().filter(|_| !told.is_shared).into_iter().collect()
            }
            Outcome::NoSuchUser if told.is_shared => again_by_others(told).into_iter().collect(),
            Outcome::WrongAccount | Outcome::NoSuchUser => {
                link().into_iter().chain(again_by_others(told)).collect()
            }
            Outcome::MayNotHost
            | Outcome::EndToEndEncrypted
            | Outcome::NoSuchMeeting
            | Outcome::DailyLimit { .. }
            | Outcome::Misconfigured
            | Outcome::DisabledByAdmin
            | Outcome::Other { .. } => again_by_others(told).into_iter().collect(),
        }
    }
}

/// Where it may go instead, or that it goes there all the same.
fn other_destinations(told: &OutcomeContext<'_>, outcome: &Outcome) -> Vec<Button> {
    let (names, anyway) = match outcome {
        Outcome::NoSuchDestination { near: names }
        | Outcome::NoTestDestination { choices: names }
        | Outcome::DestinationRefused {
            rule: DestinationRule::NotTest,
            tests: names,
            ..
        } => (names.as_slice(), None),
        Outcome::LastSentToTest {
            choices, stream, ..
        }
        | Outcome::LastSentNotKnown {
            choices, stream, ..
        } => (choices.as_slice(), Some(("Start anyway", *stream))),
        Outcome::DestinationInUse {
            may_take: true,
            is_chosen,
            stream,
            ..
        } => {
            let label = if *is_chosen {
                "Use it anyway"
            } else {
                "Start anyway"
            };
            (&[][..], Some((label, *stream)))
        }
        Outcome::DestinationRefused {
            is_default: true, ..
        } => {
            let mut request = told.request.unconfirmed();
            request.settings.destination = AS_SET_IN_ZOOM.parse().ok();
            let as_set = Button::typing("Go live where Zoom has it set", request.to_string());
            return vec![as_set];
        }
        _ => (&[][..], None),
    };
    let others = names.iter().map(|name| {
        let mut request = told.request.unconfirmed();
        request.settings.destination = Some(name.clone());
        Button::typing(going(&request, name), request.to_string())
    });
    let anyway = anyway.map(|(label, stream)| {
        let button = Button::typing(label, taking(told.request, Some(stream)).to_string());
        match outcome {
            Outcome::DestinationInUse { .. } => button.asking(
                "If the other livestream still goes there, the two cut each other off.",
                label,
            ),
            _ => button,
        }
    });
    others.chain(anyway).collect()
}

/// The same request, of whoever was told what goes on and starts it anyway; what they were told of, if
/// that is to be named.
fn taking(request: &LivestreamRequest, stream: Option<StreamId>) -> LivestreamRequest {
    let mut request = LivestreamRequest {
        is_confirmed: true,
        ..request.clone()
    };
    if let Some(stream) = stream {
        request.settings.take(stream);
    }
    request
}

/// Whether the destination was set for a start that failed, or may have.
fn is_set_in_vain(told: &OutcomeContext<'_>, outcome: &Outcome) -> bool {
    outcome.has_failed() && (outcome.is_zooms() || told.is_destination_set)
}

/// Whether the checks may show why a start failed, and what else would keep it from starting.
fn is_checked(told: &OutcomeContext<'_>, outcome: &Outcome) -> bool {
    if let Outcome::DestinationNotSet { why, .. } = outcome {
        return is_checked(told, why);
    }
    let may_show = matches!(
        outcome,
        Outcome::NotAMeetingNumber
            | Outcome::NotSetUp
            | Outcome::NotStarted
            | Outcome::WrongAccount
            | Outcome::MayNotHost
            | Outcome::EndToEndEncrypted
            | Outcome::ScopeMissing
            | Outcome::NoSuchUser
            | Outcome::NoSuchMeeting
            | Outcome::DestinationInUse { .. }
            | Outcome::Other { .. }
    );
    may_show && told.request.action == Action::Start
}

/// Whom to ask for a stop.
fn ask(starter: &SlackUserId) -> String {
    format!(
        "<@{}> started this livestream; ask them to stop it.",
        escape(starter.as_str())
    )
}

/// Zoom's own words, which are plain text.
fn said(message: &str) -> String {
    format!("Zoom said: “{}”", escape(&cap(message.trim(), 300)))
}

/// A stop that failed for one person may be there for another to press: the button that it
/// was pressed on is gone.
fn again_by_others(told: &OutcomeContext<'_>) -> Option<Button> {
    // The card keeps its own.
    (told.request.action == Action::Stop && !told.is_from_card)
        .then(|| Button::typing("Stop", told.request.to_string()))
}

/// An outcome in a few words.
pub(super) fn brief(outcome: &Outcome, action: Action) -> &'static str {
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
        (
            Outcome::NoAnswer
            | Outcome::ServerError { .. }
            | Outcome::NotUnderstood { .. }
            | Outcome::Interrupted,
            _,
        ) => "*unknown*: look at the stream",
        (Outcome::Unreachable, _) => "Zoom was not reached",
        (Outcome::NotRenewed { .. }, _) => "Zoom did not renew the bot's access",
        (Outcome::DisabledByAdmin, _) => "the bot is disabled in the Zoom account",
        (Outcome::AlreadyLive { .. }, _) => "it was live already",
        (Outcome::NoSuchDestination { .. }, _) => "there is no such destination",
        (Outcome::NoTestDestination { .. }, _) => "no destination for rehearsals was named",
        (Outcome::LastSentToTest { .. }, _) => "it was last sent to a destination for rehearsals",
        (Outcome::LastSentNotKnown { .. }, _) => "where it would go is not known",
        (Outcome::DestinationRefused { .. }, _) => "a destination that you may not use",
        (Outcome::DestinationInUse { .. }, _) => "its destination was in use",
        (Outcome::DestinationNotSet { why, .. }, _) if why.may_be_done() => {
            "it is not known whether its destination is set"
        }
        (Outcome::DestinationNotSet { .. }, _) => "Zoom did not take its destination",
        (Outcome::DestinationBroken { .. }, _) => "the key of its destination can't be read",
        (Outcome::TooLate, _) => "too late, so not done",
        (Outcome::LinkEnded, _) => "your link ended first",
        (Outcome::Unsupported { was_asked: false }, _) => "recorded by another version of the bot",
        (Outcome::Unsupported { was_asked: true } | Outcome::Unknown, _) => {
            "*unknown* to this version of the bot"
        }
        (Outcome::Misconfigured, _) => "this bot's access to Zoom is broken",
        (Outcome::NotAllowed(_), _) => "not allowed",
        (Outcome::NotKnown { .. }, _) => "Slack did not say whether you may",
        (Outcome::NeedsConfirmation { .. }, _) => "you were asked first",
        (Outcome::Other { .. }, _) => "refused by Zoom",
    }
}
