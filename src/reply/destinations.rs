//! Where livestreams can go.

use chrono::{DateTime, Utc};

use crate::command::meeting::MeetingId;
use crate::command::outcome::DestinationRule;
use crate::command::request::{LivestreamRequest, Options, Settings};
use crate::command::verb::Verb;
use crate::db::destinations::Destination;
use crate::destination::service;
use crate::destination::{AS_SET_IN_ZOOM, DestinationName};
use crate::ids::{ChannelId, SlackUserId};
use crate::reply::{EXAMPLE, Replies, date, ephemeral};
use crate::slack::message::{Button, Message, code, escape};

/// How many destinations are listed.
const LISTED_MAX: usize = 40;
/// How many of them stand in one section, which holds 3,000 characters.
const LINES_IN_SECTION: usize = 5;
/// How long the address of a page may be to be listed, in characters.
const PAGE_MAX: usize = 400;
/// How many characters a name has at least that may be a key.
const KEY_MIN: usize = 12;

impl Replies<'_> {
    /// The destinations that somebody may use in a channel, for them alone: of shows, and of rehearsals;
    /// all of them, or those with words in their names that they typed.
    pub fn destinations(
        &self,
        channel: &ChannelId,
        mut shows: Vec<Destination>,
        mut tests: Vec<Destination>,
        is_search: bool,
    ) -> Message {
        let set_up = self.on_admin_page("destinations");
        let slash = self.slash;
        // Those that are looked for most.
        for destinations in [&mut shows, &mut tests] {
            destinations.sort_by_key(|kept| (!kept.is_default_in(channel), kept.carries.is_none()));
        }
        let is_free = |show: &&Destination| show.carries.is_none();
        let example = shows.iter().find(is_free).or(shows.first());
        let mut message = match example {
            None if is_search && tests.is_empty() => {
                return ephemeral(&format!(
                    "No destination that you can use here has that in its name. `{slash} destinations` lists them all."
                ));
            }
            None if is_search => ephemeral("Only destinations for rehearsals have that in their names."),
            None => ephemeral(&format!(
                "There is no destination that you can use here. Your livestreams go where they are set up in Zoom. Admins \
                 can add destinations{set_up}."
            )),
            Some(example) => self
                .listed(ephemeral("Your livestreams can go to:"), channel, &shows)
                .with_section(&format!(
                    "Type `{slash} start {EXAMPLE} to={}`, or choose it in the list that `{slash}` shows. \
                     `to={AS_SET_IN_ZOOM}` leaves it as it is set in Zoom.",
                    example.fields.name,
                )),
        };
        if !tests.is_empty() {
            let heading = format!("For rehearsals, with `{slash} rehearse {EXAMPLE}`:");
            message = self.listed(message.with_section(&heading), channel, &tests);
        }
        message
    }

    /// A message with a line for each destination, in as many sections as they need.
    fn listed(
        &self,
        message: Message,
        channel: &ChannelId,
        destinations: &[Destination],
    ) -> Message {
        let lines: Vec<_> = destinations
            .iter()
            .take(LISTED_MAX)
            .map(|destination| line(destination, channel))
            .collect();
        let message = lines
            .chunks(LINES_IN_SECTION)
            .fold(message, |message, lines| {
                message.with_section(&lines.join("\n"))
            });
        match destinations.len().saturating_sub(LISTED_MAX) {
            0 => message,
            more => message.with_context(&format!(
                "and {more} more. `{} destinations press` lists those with “press” in their names.",
                self.slash
            )),
        }
    }

    /// Words behind a meeting are the name of a destination, which goes behind `to=`. `named`: the settings
    /// in which they are the name to show instead, if they may be that.
    pub fn destination_without_option(
        &self,
        verb: Verb,
        request: &LivestreamRequest,
        named: Option<&Settings>,
        words: &str,
    ) -> Message {
        let meeting = request.meeting;
        let meant = self.with_settings(verb, meeting, &request.settings);
        let named = named.map_or_else(String::new, |named| {
            format!(
                " Or, for a name to show: {}.",
                self.with_settings(verb, meeting, named)
            )
        });
        let message = ephemeral(&format!(
            "I can read the meeting's number, {}, but I don't know what {} is for. There is a destination of that name. Did \
             you mean {meant}?{named}",
            meeting.grouped(),
            code(words),
        ));
        let name = request.destination().filter(|_| verb != Verb::Check);
        message.with_buttons(
            name.map(|name| Button::typing(going(request, name), request.to_string())),
        )
    }

    /// A destination was named that is none, for a start without a meeting yet.
    pub fn no_destination_to_pick(
        &self,
        name: &DestinationName,
        near: &[DestinationName],
        options: &Options,
    ) -> Message {
        let with = |near: &DestinationName| {
            let mut options = options.clone();
            options.settings.destination = Some(near.clone());
            options.to_string()
        };
        self.no_destination(name.as_str().len(), near.first().map(with))
    }

    /// A destination was named that is none. `near` are those that may be meant.
    pub fn no_destination_to_start(
        &self,
        request: &LivestreamRequest,
        near: &[DestinationName],
    ) -> Message {
        let with = |near: &DestinationName| {
            let mut request = request.unconfirmed();
            request.settings.destination = Some(near.clone());
            request.to_string()
        };
        let length = request.destination().map_or(0, |name| name.as_str().len());
        let buttons = near
            .iter()
            .map(|near| Button::typing(going(request, near), with(near)));
        self.no_destination(length, near.first().map(with))
            .with_buttons(buttons)
    }

    /// `instead` is what they may mean. What was typed, in so many characters, may be a key, and is not repeated.
    fn no_destination(&self, length: usize, instead: Option<String>) -> Message {
        let advice = match instead {
            Some(instead) => format!("Did you mean {}?", self.command(instead)),
            None if length >= KEY_MIN => format!(
                "{} If it was a stream key: keys do not belong in Slack. If others could read it here, make a new one at \
                 the service.",
                self.which_destinations()
            ),
            None => self.which_destinations(),
        };
        ephemeral(&format!(
            "Nothing was started: there is no destination of that name that you can use here. {advice}"
        ))
    }

    pub(super) fn no_such_destination(
        &self,
        meeting: &str,
        name: Option<&DestinationName>,
        near: &[DestinationName],
    ) -> String {
        format!(
            ":warning: *{meeting} was not started: there is no destination{} that you can use here.* {}",
            name.map_or_else(String::new, |name| format!(" {name}")),
            self.nearest(near)
        )
    }

    /// The same, before a start. What was typed may be a key, and is not repeated.
    pub(super) fn there_is_none(&self, near: &[DestinationName]) -> String {
        format!(
            "There is no destination of that name that you can use here. {}",
            self.nearest(near)
        )
    }

    fn nearest(&self, near: &[DestinationName]) -> String {
        if near.is_empty() {
            return self.which_destinations();
        }
        let near: Vec<_> = near.iter().map(|near| format!("`to={near}`")).collect();
        format!("Did you mean {}?", near.join(" or "))
    }

    fn which_destinations(&self) -> String {
        format!(
            "Type `{} destinations` to see where you can go live.",
            self.slash
        )
    }

    /// Why somebody may not use a destination.
    pub(super) fn destination_rule(
        &self,
        name: &DestinationName,
        rule: DestinationRule,
        channels: &[ChannelId],
        tests: &[DestinationName],
    ) -> String {
        let who = match rule {
            DestinationRule::People => "is for people whom an admin has named".to_owned(),
            DestinationRule::Group => "is for the members of a user group".to_owned(),
            DestinationRule::Channel => {
                let channels: Vec<_> = channels
                    .iter()
                    .take(10)
                    .map(|channel| format!("<#{}>", escape(channel.as_str())))
                    .collect();
                format!("can be used only in {}", channels.join(", "))
            }
            DestinationRule::ZoomAccount => {
                "can be used only with other Zoom accounts than the one you act with".to_owned()
            }
            DestinationRule::Test => "is for rehearsals only".to_owned(),
            DestinationRule::NotTest => "is not for rehearsals".to_owned(),
            DestinationRule::Unknown => {
                "has rules that this version of the bot can't read, so nobody can use it now"
                    .to_owned()
            }
        };
        if tests.is_empty() {
            return format!(
                "The destination *{name}* {who}. An admin can change that{}.",
                self.on_admin_page("destinations")
            );
        }
        let tests: Vec<_> = tests.iter().map(|name| format!("`to={name}`")).collect();
        format!(
            "The destination *{name}* {who}. To rehearse, name {}.",
            tests.join(" or ")
        )
    }

    /// Why nothing can be rehearsed: there is no destination for that, or there are several.
    pub(super) fn no_test_destination(&self, choices: &[DestinationName]) -> String {
        if choices.is_empty() {
            return format!(
                "A rehearsal goes to a destination that is only for rehearsals, and there is none that you can use here. An \
                 admin can mark one{}.",
                self.on_admin_page("destinations")
            );
        }
        let choices: Vec<_> = choices.iter().map(|name| format!("`to={name}`")).collect();
        format!(
            "There are several destinations for rehearsals. Name one: {}.",
            choices.join(", ")
        )
    }

    /// The same, before a meeting is named.
    pub fn nowhere_to_rehearse(&self) -> Message {
        ephemeral(&self.no_test_destination(&[]))
    }

    /// Where keys and servers belong, which somebody typed.
    pub(super) fn keys_do_not_belong_here(&self) -> String {
        format!(
            "*A stream key or the address of a server does not belong in Slack.* I did nothing, and kept nothing of what you \
             typed. Admins keep destinations{}; then everybody types the name of one: `{} start {EXAMPLE} to=townhall`. \
             If others could read the key here, make a new one at the service.",
            self.on_admin_page("destinations"),
            self.slash,
        )
    }

    /// ` on their page`, with a link to a part of the admins' pages where there are some.
    pub(super) fn on_admin_page(&self, page: &str) -> String {
        self.admin_url.map_or_else(
            || " on their pages, once whoever runs this bot has set those up".to_owned(),
            |url| format!(" on <{}/{page}|their page>", escape(url)),
        )
    }
}

/// What a button says that sends a start to a destination.
pub(super) fn going(request: &LivestreamRequest, name: &DestinationName) -> String {
    let doing = if request.settings.is_rehearsal {
        "Rehearse on"
    } else {
        "Go live on"
    };
    format!("{doing} {name}")
}

fn line(destination: &Destination, channel: &ChannelId) -> String {
    let fields = &destination.fields;
    let default = if destination.is_default_in(channel) {
        " · livestreams of this channel go there"
    } else {
        ""
    };
    // Whose stream that is, not everybody may know.
    let in_use = if destination.carries.is_some() {
        " · in use, as far as I know"
    } else {
        ""
    };
    // A longer address would leave no room for the others.
    let page = match fields.page_url.len() {
        0..=PAGE_MAX => format!(" · <{}|page>", escape(&fields.page_url)),
        _ => String::new(),
    };
    format!(
        "• *{}* · {}{page}{default}{in_use}",
        fields.name,
        escape(service::name(&fields.service)),
    )
}

/// ` on townhall`, if that is where it goes.
pub(super) fn on(destination: Option<&DestinationName>) -> String {
    destination.map_or_else(String::new, |name| format!(" on {name}"))
}

/// Why it is not known where the livestream of a meeting would go.
pub(super) fn sent_to_either(
    name: Option<&DestinationName>,
    choices: &[DestinationName],
) -> String {
    let named = choices
        .first()
        .map(|choice| format!(" Name where it goes, such as `to={choice}`."));
    format!(
        "Zoom did not answer when I last set where it goes, to {}: it goes there, or where it went before.{}",
        called(name),
        named.unwrap_or_default()
    )
}

/// What a destination is called, or that it is one which the reader may not know.
pub(super) fn called(destination: Option<&DestinationName>) -> &str {
    destination.map_or("another destination", DestinationName::as_str)
}

/// Another stream goes to a destination, or may: `is_sure`, and whether the command names it.
pub(super) fn destination_in_use(
    meeting: &str,
    destination: Option<&DestinationName>,
    since: DateTime<Utc>,
    [is_sure, is_chosen]: [bool; 2],
    holder: Option<MeetingId>,
    by: Option<&SlackUserId>,
) -> String {
    let name = called(destination);
    let since = date(since, "{time}", "%H:%M UTC");
    let (stream, by) = holder_and_starter(holder, by);
    match (is_sure, is_chosen) {
        (true, _) => format!(
            ":no_entry: *{meeting} was not started: {name} is in use by {stream}* since {since}{by}. \
             Two livestreams on one key cut each other off."
        ),
        (false, true) => format!(
            ":question: *{name} may still be in use by {stream}*, from {since}{by}: I can't tell whether that is over, or \
             where it goes now. \
             Two livestreams on one key cut each other off. Nothing was started yet."
        ),
        (false, false) => format!(
            ":question: *{meeting} was last sent to {name}, which is in use by {stream}* since {since}{by}. If that is \
             still set in Zoom, the two livestreams cut each other off. Nothing was started yet."
        ),
    }
}

/// The livestream that uses a destination, and who started it; as much as somebody may know.
pub(super) fn holder_and_starter(
    holder: Option<MeetingId>,
    by: Option<&SlackUserId>,
) -> (String, String) {
    let stream = holder.map_or_else(
        || "another livestream".to_owned(),
        |holder| format!("meeting {}", holder.grouped()),
    );
    let by = by.map_or_else(String::new, |by| {
        format!(", started by <@{}>", escape(by.as_str()))
    });
    (stream, by)
}
