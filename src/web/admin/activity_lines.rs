//! What happened, as sentences with names: a line each, and what more there is to know of it.

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use crate::app::App;
use crate::command::meeting::MeetingId;
use crate::command::outcome::{Outcome, Refusal};
use crate::db::audit::{AuditKind, Entry, NOT_ADMIN, Person};
use crate::db::stream_facts::Reported as Wanted;
use crate::db::streams::{self, Stream};
use crate::ids::{ChannelId, SlackUserId};
use crate::reply::Replies;
use crate::stream::FactKind;
use crate::stream::state::State as StreamState;
use crate::web::admin::activity_reports::{Report, Reported, Why, reports};
use crate::web::admin::activity_words::{destination_rule, outcome, rule, spaced};
use crate::web::admin::layout::Shell;
use crate::web::admin::listed::list;
use crate::web::parts::{Tone, antenna, avatar, badge, chevron, duration, mark};
use crate::web::paths::DESTINATIONS;
use crate::workspace::names::Names;

/// The names and streams that lines are made with.
pub(in crate::web) struct Lines<'a> {
    pub(in crate::web) shell: &'a Shell,
    pub(in crate::web) slash: &'a str,
    pub(in crate::web) names: Names,
    pub(in crate::web) streams: Vec<Stream>,
}

/// Something that happened.
pub(in crate::web) struct Line {
    pub(super) at: DateTime<Utc>,
    /// The number of its entry in the audit; none of what Zoom reported.
    number: Option<i64>,
    sign: Markup,
    what: Markup,
    small: Markup,
    badge: (Tone, String),
    /// More of it, by what it is.
    pairs: Vec<(&'static str, Markup)>,
    actions: Markup,
}

impl<'a> Lines<'a> {
    /// What is needed for the lines of these entries, which all are of the admin's workspace, and of
    /// the streams of which Zoom reported something.
    pub(super) async fn load(
        app: &'a App,
        shell: &'a Shell,
        entries: &[Entry],
        reported: &[Stream],
    ) -> sqlx::Result<Self> {
        let of_meetings = entries.iter().filter_map(|entry| {
            let meeting = entry.meeting_id?;
            Some((meeting, entry.happened_at))
        });
        let (meetings, times): (Vec<_>, Vec<_>) = of_meetings.unzip();
        let team = &shell.admin.asker.team;
        let streams = if meetings.is_empty() {
            Vec::new()
        } else {
            streams::at_times(&app.db, team, &meetings, &times).await?
        };
        let (people, channels) = named(entries, reported);
        let names = Names::of(
            app,
            &shell.admin.asker,
            people.iter().map(String::as_str),
            channels.iter().map(String::as_str),
        )
        .await?;
        Ok(Self {
            shell,
            slash: Replies::of(app).slash(),
            names,
            streams,
        })
    }

    /// An entry of the audit.
    pub(in crate::web) fn entry(&self, entry: &Entry) -> Line {
        let (what, small) = self.sentence(entry);
        let someone = entry.actor.as_ref().or(entry.person.as_ref());
        let sign = html! {
            @if let Some(person) = someone { (avatar(&self.plain_name(person))) }
            @else { span.avatar.bot { (mark(28)) } }
        };
        Line {
            at: entry.happened_at,
            number: Some(entry.audit_id),
            sign,
            what,
            small,
            badge: self.badge(entry),
            pairs: self.pairs(entry),
            actions: self.actions(entry),
        }
    }

    /// What Zoom reported of a stream within a span of time.
    pub(in crate::web) fn reports(&self, stream: &Stream, wanted: &Wanted) -> Vec<Line> {
        let mut lines: Vec<_> = reports(stream)
            .iter()
            .filter(|report| {
                report.at <= wanted.until && wanted.after.is_none_or(|after| report.at > after)
            })
            .map(|report| self.report(stream, report))
            .collect();
        lines.sort_by_key(|line| std::cmp::Reverse(line.at));
        lines
    }

    fn report(&self, stream: &Stream, report: &Report) -> Line {
        let show = self.name_of(stream);
        let place = html! { @if !stream.is_public { ", in a private channel" } };
        let (what, small, tone, words) = match &report.what {
            Reported::OnAir { after, is_now } => (
                html! { b { "Zoom" } " reported " (show) " on air" },
                html! {
                    @if let Some(after) = after { (duration(*after)) " after the start" }
                    @else { "nobody here had just asked for it" }
                    (place)
                },
                if *is_now { Tone::Live } else { Tone::Good },
                if *is_now { "On air" } else { "Went on air" },
            ),
            Reported::OffAir { lasted, why } => {
                let (verb, because, tone, words) = match why {
                    Why::Stopped => (" off air", "stopped from here".into(), Tone::Calm, "Ended"),
                    Why::WithTheMeeting => {
                        (" ended", "with the meeting".into(), Tone::Calm, "Ended")
                    }
                    Why::EndedBy(by) => {
                        let name = self.names.person(by.as_str()).unwrap_or("somebody");
                        (
                            " off air",
                            format!("{name} ended it in Zoom"),
                            Tone::Calm,
                            "Ended",
                        )
                    }
                    Why::Unasked => (
                        " stopped",
                        "nobody here asked; the meeting went on".into(),
                        Tone::Warn,
                        "Stopped",
                    ),
                    Why::NotKnownYet => (
                        " off air",
                        "why is not known yet".into(),
                        Tone::Calm,
                        "Off air",
                    ),
                };
                (
                    html! { b { "Zoom" } " reported " (show) (verb) },
                    html! {
                        (because)
                        @if let Some(lasted) = lasted { ", after " (duration(*lasted)) }
                        (place)
                    },
                    tone,
                    words,
                )
            }
            Reported::MeetingEnded => (
                html! { b { "Zoom" } " reported that the meeting of " (show) " ended" },
                html! { "nothing of it was on air then" (place) },
                Tone::Calm,
                "Meeting ended",
            ),
        };
        let meeting = stream.meeting;
        let recorded = html! { (self.full_time(report.at)) ", by Zoom's clock" };
        Line {
            at: report.at,
            number: None,
            sign: antenna(),
            what,
            small,
            badge: (tone, words.to_owned()),
            pairs: vec![
                ("Meeting", self.meeting(Some(stream), meeting)),
                (
                    "Started in",
                    self.channel(&stream.channel, Some(stream.is_public)),
                ),
                ("Reported", recorded),
            ],
            actions: html! { a.button href=(of_meeting(meeting)) { "Everything of this meeting" } },
        }
    }

    /// What happened, and a line of where, how and with what.
    fn sentence(&self, entry: &Entry) -> (Markup, Markup) {
        let Ok(kind) = entry.kind.parse::<AuditKind>() else {
            // Only another version has words for it.
            let who = html! { @if entry.person.is_some() { (self.who(entry)) ": " } };
            return (
                html! { (who) (spaced(&entry.kind)) },
                html! { (detail(entry)) },
            );
        };
        match kind {
            AuditKind::Start | AuditKind::Stop => self.asked(entry, kind),
            AuditKind::Refused => self.refused(entry),
            AuditKind::MarkedEnded => (
                html! { (self.who(entry)) " noted that " (self.show(entry)) " is over" },
                html! { "nothing was asked of Zoom" },
            ),
            AuditKind::RulesChanged => (
                html! { (self.who(entry)) " changed " b { "the rules" } },
                html! { (self.changes(entry)) },
            ),
            AuditKind::DestinationAdded
            | AuditKind::DestinationChanged
            | AuditKind::DestinationDeleted => self.destination_sentence(entry, kind),
            _ => self.about_links(entry, kind),
        }
    }

    /// A start or a stop that was carried out, or was not.
    fn asked(&self, entry: &Entry, kind: AuditKind) -> (Markup, Markup) {
        let is_rehearsal = detail(entry).split(' ').any(|word| word == "rehearsal");
        let did = match (kind, is_rehearsal) {
            (AuditKind::Stop, _) => ("stopped", "stop"),
            (_, true) => ("rehearsed", "rehearse"),
            (_, false) => ("started", "start"),
        };
        let result = entry
            .command
            .as_ref()
            .and_then(|command| command.result.as_ref());
        let may_be_done = result.is_some_and(|result| result.outcome.may_be_done());
        let what = html! {
            (self.who(entry)) " "
            @match entry.outcome.as_deref() {
                Some("accepted") => (did.0),
                _ if entry.has_failed && !may_be_done => { "tried to " (did.1) },
                _ => { "asked to " (did.1) },
            }
            " " (self.show(entry))
        };
        let lasted = self.stream_of(entry).filter(|_| kind == AuditKind::Stop);
        let lasted = lasted.and_then(|stream| {
            let on_air = stream
                .facts
                .iter()
                .filter(|fact| fact.kind == FactKind::OnAir && fact.at <= entry.happened_at);
            on_air.map(|fact| fact.at).max()
        });
        let small = html! {
            (self.place(entry))
            @if kind == AuditKind::Start { ", " (self.goes_to(entry)) }
            @if let Some(why) = why_not_set(entry) { " (" (why) ")" }
            @if entry.outcome.as_deref() == Some("accepted") && let Some(since) = lasted {
                ", live for " (duration(entry.happened_at - since))
            }
        };
        (what, small)
    }

    fn refused(&self, entry: &Entry) -> (Markup, Markup) {
        let detail = detail(entry);
        if entry.outcome.as_deref() == Some(NOT_ADMIN) {
            return (
                html! { (self.who(entry)) " was refused " b { "these pages" } },
                html! { @if detail == "sign-in" { "at sign-in" } @else { (detail) } },
            );
        }
        let wanted = match detail.split(' ').next().unwrap_or_default() {
            "stop" => "a stop",
            "rehearse" => "a rehearsal",
            "start" if detail.split(' ').any(|word| word == "rehearsal") => "a rehearsal",
            "start" => "a start",
            "connect" => "linking an account",
            "a" => "the press of a button",
            _ => "a command",
        };
        let what = html! {
            (self.who(entry)) " was refused " b { (wanted) }
            @if entry.meeting_id.is_some() { " of " (self.show(entry)) }
        };
        let small = html! {
            (self.place(entry))
            @if let Some(rule) = broken_rule(entry) { "; " (lower(rule)) }
        };
        (what, small)
    }

    fn destination_sentence(&self, entry: &Entry, kind: AuditKind) -> (Markup, Markup) {
        let (name, changes) = detail(entry)
            .split_once(": ")
            .unwrap_or((detail(entry), ""));
        let name = html! { b { (name) } };
        let who = self.who(entry);
        let users = html! {
            @if !entry.people.is_empty() { "for " (self.listed(&entry.people)) }
        };
        match kind {
            AuditKind::DestinationAdded => (
                html! { (who) " added the destination " (name) },
                html! { (changes) @if !changes.is_empty() && !entry.people.is_empty() { ", " } (users) },
            ),
            AuditKind::DestinationDeleted => {
                (html! { (who) " deleted the destination " (name) }, users)
            }
            _ if changes == "key replaced" => {
                (html! { (who) " replaced the key of " (name) }, users)
            }
            _ => {
                let now = html! { @if !entry.people.is_empty() { ", now " (users) } };
                (
                    html! { (who) " changed the destination " (name) },
                    html! { (changes) (now) },
                )
            }
        }
    }

    /// Links, sharing, admins and installations.
    fn about_links(&self, entry: &Entry, kind: AuditKind) -> (Markup, Markup) {
        let who = self.who(entry);
        let whom = html! {
            @if let Some(person) = &entry.person { (self.person(person)) } @else { "somebody" }
        };
        let account = html! {
            @if let Some(email) = &entry.email { b { (email) } } @else { "a Zoom account" }
        };
        let email = html! { @if let Some(email) = &entry.email { (email) } };
        let detail = html! { (detail(entry)) };
        let nothing = html! {};
        let is_by_other = entry.actor.is_some();
        match kind {
            AuditKind::Linked => (html! { (who) " linked " (account) }, detail),
            AuditKind::Unlinked if is_by_other => (html! { (who) " disconnected " (whom) }, email),
            AuditKind::Unlinked => (html! { "The link of " (whom) " ended" }, email),
            AuditKind::Deauthorized if entry.person.is_some() => (
                html! { "The app was removed at Zoom, which ended the link of " (whom) },
                email,
            ),
            AuditKind::Deauthorized => (
                html! { "The app was removed at Zoom from the account that was shared here" },
                email,
            ),
            AuditKind::LinkCancelled => (html! { (who) " cancelled linking an account" }, detail),
            AuditKind::LinkWrongUser => (
                html! { (who) " opened a link made for " (whom) },
                html! { "nothing was linked" },
            ),
            AuditKind::LinkTested => (html! { (who) " tested the link of " (whom) }, email),
            AuditKind::LinkAsked if entry.has_failed => (
                html! { "Slack did not deliver the message of " (who) " to " (whom) },
                detail,
            ),
            AuditKind::LinkAsked => (
                html! { (who) " asked " (whom) " to link a Zoom account" },
                html! { "by a direct message of the bot" },
            ),
            AuditKind::AdminsNamed => (
                html! {
                    @if entry.people.is_empty() { (who) " named nobody else as an admin of these pages" }
                    @else { (who) " named " b { (self.listed(&entry.people)) } " as admins of these pages" }
                },
                nothing,
            ),
            AuditKind::AdminSignedIn => (html! { (who) " signed in to these pages" }, nothing),
            AuditKind::SharedAccountLinked => (
                html! { (who) " linked " (account) " for the workspace" },
                detail,
            ),
            AuditKind::SharedAccountUnlinked if entry.person.is_some() => {
                (html! { (who) " ended the sharing of " (account) }, nothing)
            }
            AuditKind::SharedAccountUnlinked => {
                (html! { "The sharing of " (account) " ended" }, nothing)
            }
            AuditKind::SharedAccountUsersChanged => (
                html! { (who) " changed who may use " b { "the shared account" } },
                html! {
                    "now " @if entry.people.is_empty() { "nobody" } @else { (self.listed(&entry.people)) }
                },
            ),
            AuditKind::Installed => (html! { (who) " installed the app" }, nothing),
            AuditKind::Uninstalled => (html! { "The app was uninstalled" }, nothing),
            AuditKind::KeysRotated => (html! { "Tokens were sealed with another key" }, detail),
            AuditKind::WithdrawalUnconfirmed => (
                html! { "Zoom never confirmed that the permission of " (account) " is withdrawn" },
                nothing,
            ),
            // Told elsewhere.
            _ => (html! { (who) ": " (spaced(kind.as_str())) }, detail),
        }
    }

    /// What became of it.
    fn badge(&self, entry: &Entry) -> (Tone, String) {
        let kind = entry.kind.parse::<AuditKind>().ok();
        if let Some(name) = &entry.outcome {
            if kind == Some(AuditKind::Start) && name == "accepted" {
                return self.accepted(entry);
            }
            return outcome(name, entry.has_failed);
        }
        let (tone, words) = match kind {
            Some(AuditKind::Linked | AuditKind::SharedAccountLinked) => (Tone::Good, "Linked"),
            Some(AuditKind::Unlinked) if entry.actor.is_some() => (Tone::Calm, "Disconnected"),
            Some(AuditKind::Unlinked) => (Tone::Calm, "Link ended"),
            Some(AuditKind::Deauthorized) => (Tone::Warn, "Removed at Zoom"),
            Some(AuditKind::LinkCancelled) => (Tone::Calm, "Cancelled"),
            Some(AuditKind::LinkWrongUser) => (Tone::Bad, "Refused"),
            Some(AuditKind::LinkAsked) => (Tone::Info, "Asked"),
            Some(AuditKind::AdminSignedIn) => (Tone::Calm, "Signed in"),
            Some(AuditKind::SharedAccountUnlinked) => (Tone::Calm, "Ended"),
            Some(AuditKind::Installed) => (Tone::Good, "Installed"),
            Some(AuditKind::Uninstalled) => (Tone::Warn, "Uninstalled"),
            Some(AuditKind::MarkedEnded) => (Tone::Calm, "Marked as ended"),
            Some(AuditKind::DestinationAdded) => (Tone::Info, "Added"),
            Some(AuditKind::DestinationDeleted) => (Tone::Info, "Deleted"),
            Some(AuditKind::WithdrawalUnconfirmed) => (Tone::Bad, "Not confirmed"),
            Some(
                AuditKind::RulesChanged
                | AuditKind::AdminsNamed
                | AuditKind::SharedAccountUsersChanged
                | AuditKind::DestinationChanged
                | AuditKind::KeysRotated,
            ) => (Tone::Info, "Changed"),
            Some(
                AuditKind::Start | AuditKind::Stop | AuditKind::Refused | AuditKind::LinkTested,
            )
            | None
                if entry.has_failed =>
            {
                (Tone::Bad, "Failed")
            }
            Some(
                AuditKind::Start | AuditKind::Stop | AuditKind::Refused | AuditKind::LinkTested,
            )
            | None => (Tone::Calm, "Done"),
        };
        (tone, words.to_owned())
    }

    /// A start that Zoom took: whether the stream is still to come.
    fn accepted(&self, entry: &Entry) -> (Tone, String) {
        let stream = self
            .stream_of(entry)
            .filter(|stream| Some(stream.command.0) == entry.command_id && stream.has_reports);
        let (tone, words) = match stream.map(Stream::state) {
            Some(StreamState::GoingLive { .. }) => (Tone::Warn, "Going live"),
            Some(StreamState::Silent { .. }) => (Tone::Warn, "Not reported"),
            _ => (Tone::Good, "Accepted"),
        };
        (tone, words.to_owned())
    }

    /// What more there is to know of an entry.
    fn pairs(&self, entry: &Entry) -> Vec<(&'static str, Markup)> {
        let mut pairs = Vec::new();
        let command = entry.command.as_ref();
        let request = command.and_then(|command| command.request.as_ref());
        if let Some(request) = request.filter(|_| self.may_read(entry)) {
            let command = format!("{} {request}", self.slash);
            pairs.push(("Command", html! { code { (command) } }));
        }
        if let Some(meeting) = entry.meeting_id.and_then(MeetingId::from_number) {
            pairs.push(("Meeting", self.meeting(self.stream_of(entry), meeting)));
        }
        if let Some(email) = &entry.email {
            pairs.push(("Zoom account", html! { (email) }));
        }
        if let Some(channel) = &entry.channel_id {
            let is_public = command.map(|command| command.is_public);
            let channel = self.channel(&ChannelId::new(channel), is_public);
            pairs.push(("Channel", channel));
        }
        if let Some(name) = destination(entry).filter(|_| self.may_read(entry)) {
            pairs.push(("Destination", html! { a href=(DESTINATIONS) { (name) } }));
        }
        if let Some(why) = why_not_set(entry) {
            pairs.push(("Not set", html! { (why) "." }));
        }
        if let Some(rule) = self.rule(entry) {
            pairs.push(("Rule", html! { (rule) "." }));
        } else if request.is_some_and(|request| request.is_confirmed) {
            pairs.push(("Rule", html! { "Asked first, and confirmed." }));
        }
        if let Some(said) = zoom_said(entry).filter(|_| self.may_read(entry)) {
            pairs.push(("Zoom said", html! { q { (said) } }));
        }
        if let Some(code) = entry.zoom_code {
            pairs.push(("Zoom's code", html! { (code) }));
        }
        if let Some(team) = &entry.actor_team_id {
            pairs.push(("Of workspace", html! { code { (team) } }));
        }
        if !entry.people.is_empty() {
            pairs.push(("Names", html! { (self.all_of(&entry.people)) }));
        }
        if let Some(took) = entry.duration {
            pairs.push((
                "Took",
                html! {
                    (format!("{took:.1}")) " s"
                    @match command.map(|command| command.attempts) {
                        Some(0) => ", Zoom was not asked",
                        Some(1) => ", one try",
                        Some(tries) => { ", " (tries) " tries" },
                        None => "",
                    }
                },
            ));
        }
        pairs.push(("Recorded", self.full_time(entry.happened_at)));
        if let Some(command) = entry.command_id {
            pairs.push(("Reference", html! { (command) ", as Slack shows it" }));
        }
        let id = entry.audit_id;
        pairs.push((
            "Entry",
            html! { (id) " · " a href=(address(id)) { "link to this entry" } },
        ));
        pairs
    }

    fn actions(&self, entry: &Entry) -> Markup {
        let mut people: Vec<&Person> = Vec::new();
        for person in [&entry.person, &entry.actor].into_iter().flatten() {
            if !people.contains(&person) && *person != Person::Erased {
                people.push(person);
            }
        }
        // Who acted from another workspace has no page here.
        let is_here =
            |person: &Person| entry.actor_team_id.is_none() || entry.actor.as_ref() != Some(person);
        let meeting = entry.meeting_id.and_then(MeetingId::from_number);
        html! {
            @for person in people {
                @if is_here(person) {
                    a.button href=(of_person(person.id())) { (self.plain_name(person)) }
                }
            }
            @if let Some(meeting) = meeting {
                a.button href=(of_meeting(meeting)) { "Everything of this meeting" }
            }
        }
    }

    /// Who did it.
    fn who(&self, entry: &Entry) -> Markup {
        let someone = entry.actor.as_ref().or(entry.person.as_ref());
        html! { @if let Some(person) = someone { (self.person(person)) } @else { "Somebody" } }
    }

    fn person(&self, person: &Person) -> Markup {
        let name = self.plain_name(person);
        if name == person.id() && *person != Person::Erased {
            html! { b { code { (name) } } }
        } else {
            html! { b { (name) } }
        }
    }

    fn plain_name(&self, person: &Person) -> String {
        let name = match person {
            Person::Known { id, name } => self.names.person(id).or(name.as_deref()),
            Person::Erased => None,
        };
        name.unwrap_or(person.id()).to_owned()
    }

    /// The first of some people, with their names.
    fn listed(&self, people: &[Person]) -> String {
        let names: Vec<_> = people
            .iter()
            .map(|person| self.plain_name(person))
            .collect();
        list(names.iter().map(String::as_str), "and")
    }

    fn all_of(&self, people: &[Person]) -> Markup {
        html! {
            @for (index, person) in people.iter().enumerate() {
                @if index > 0 { ", " }
                (self.plain_name(person))
                @if let Person::Known { id, .. } = person && self.plain_name(person) != *id { " " code { (id) } }
            }
        }
    }

    /// The stream that an entry is about, if it is about one: that of its meeting that had begun
    /// last then.
    fn stream_of(&self, entry: &Entry) -> Option<&Stream> {
        let meeting = entry.meeting_id?;
        let of_meeting = self.streams.iter().filter(|stream| {
            let began = stream.facts.iter().map(|fact| fact.at).min();
            stream.meeting.get() == meeting && began.is_some_and(|began| began <= entry.happened_at)
        });
        of_meeting.max_by_key(|stream| stream.stream_id.0)
    }

    /// Whether everybody of the workspace may know of a stream, or it is the reader's own.
    fn may_know(&self, stream: &Stream) -> bool {
        stream.is_public || stream.starter.is(&self.shell.admin.asker)
    }

    /// Whether everybody of the workspace may read where an entry's command was given, or it is the
    /// reader's own.
    fn may_read(&self, entry: &Entry) -> bool {
        let reader = self.shell.admin.asker.user.as_str();
        let is_public = entry
            .command
            .as_ref()
            .is_some_and(|command| command.is_public);
        is_public || entry.person.as_ref().and_then(id_of) == Some(reader)
    }

    /// What a stream is called, as far as the reader may know.
    fn name_of(&self, stream: &Stream) -> Markup {
        match &stream.topic {
            Some(topic) if self.may_know(stream) => html! { b { (topic) } },
            _ => html! { "meeting " b { (stream.meeting.grouped()) } },
        }
    }

    /// What an entry's meeting is called.
    fn show(&self, entry: &Entry) -> Markup {
        let meeting = entry.meeting_id.and_then(MeetingId::from_number);
        match (self.stream_of(entry), meeting) {
            (Some(stream), _) => self.name_of(stream),
            (None, Some(meeting)) => html! { "meeting " b { (meeting.grouped()) } },
            (None, None) => html! { "a meeting" },
        }
    }

    fn meeting(&self, stream: Option<&Stream>, meeting: MeetingId) -> Markup {
        let topic = stream
            .filter(|stream| self.may_know(stream))
            .and_then(|stream| stream.topic.as_ref());
        html! {
            @if let Some(topic) = topic { (topic) ", " }
            span.nowrap { (meeting.grouped()) }
        }
    }

    /// Where it was asked for: `in #town-hall`.
    fn place(&self, entry: &Entry) -> Markup {
        let is_public = entry.command.as_ref().map(|command| command.is_public);
        html! {
            @if let Some(channel) = &entry.channel_id { "in " (self.channel(&ChannelId::new(channel), is_public)) }
            @else { "in the app's messages" }
        }
    }

    /// A channel, as far as the reader may know it.
    fn channel(&self, channel: &ChannelId, is_public: Option<bool>) -> Markup {
        match (self.names.channel(channel.as_str()), is_public) {
            _ if channel.is_direct() => html! { "a direct message" },
            (_, Some(false)) => html! { "a private channel" },
            (Some(name), _) => html! { (name) },
            (None, Some(true)) => html! { code { (channel) } },
            (None, None) => html! { "a channel" },
        }
    }

    /// Where a start sends the livestream.
    fn goes_to(&self, entry: &Entry) -> Markup {
        match destination(entry) {
            None => html! { "as set in Zoom" },
            Some(name) if self.may_read(entry) => html! { "to " (name) },
            Some(_) => html! { "to a destination" },
        }
    }

    /// The rule that refused it, and who set that.
    fn rule(&self, entry: &Entry) -> Option<String> {
        let rule = broken_rule(entry)?;
        let set_by = refusal_of(entry).and_then(|refusal| refusal.set_by.as_ref());
        let set_by = set_by.and_then(|user| self.names.person(user.as_str()));
        Some(match set_by {
            Some(name) => format!("{rule}. {name} changed the rules last"),
            None => rule.to_owned(),
        })
    }

    /// What a change of rules changed: as it was noted, and who was added to the list and taken off it.
    fn changes(&self, entry: &Entry) -> String {
        let now = entry.people.iter();
        let now: Vec<_> = now.map(|person| self.plain_name(person)).collect();
        let before = entry.people_before.iter();
        let before = before.map(|id| self.names.person(id).unwrap_or(id).to_owned());
        let before: Vec<_> = before.collect();
        let differing = |some: &[String], others: &[String], sign: &str| {
            let differing = some.iter().filter(|name| !others.contains(name));
            let differing = differing.map(|name| format!("{sign} {name}"));
            differing.collect::<Vec<_>>()
        };
        let added = differing(&now, &before, "+");
        let removed = differing(&before, &now, "\u{2212}");
        let people = [added, removed].concat().join(", ");
        if people.is_empty() {
            detail(entry).to_owned()
        } else {
            format!("{} ({people})", detail(entry))
        }
    }

    fn full_time(&self, at: DateTime<Utc>) -> Markup {
        let clock = &self.shell.clock;
        html! { (clock.time(at)) }
    }
}

impl Line {
    /// The line with what opens below it. Its address opens it too: browsers open what holds the
    /// target of an address.
    pub(in crate::web) fn drawer(&self, shell: &Shell, is_open: bool) -> Markup {
        let (tone, words) = &self.badge;
        html! {
            details.entry name="entry" open[is_open] {
                summary {
                    (shell.clock.hour(self.at))
                    (self.sign)
                    span.what { (self.what) @if !self.small.0.is_empty() { br; small.muted { (self.small) } } }
                    span.end { (badge(*tone, words)) }
                    (chevron())
                }
                div.detail id=[self.number.map(|number| format!("e{number}"))] {
                    @if !self.small.0.is_empty() { p.again.small.muted { (self.small) } }
                    dl.pairs { @for (term, text) in &self.pairs { dt { (term) } dd { (text) } } }
                    @if !self.actions.0.is_empty() { div.actions { (self.actions) } }
                }
            }
        }
    }

    /// The line alone, for a short list.
    pub(super) fn row(&self, shell: &Shell) -> Markup {
        let (tone, words) = &self.badge;
        html! {
            (shell.clock.time(self.at))
            div.grow {
                (self.what)
                @if !self.small.0.is_empty() { p { (self.small) } }
            }
            (badge(*tone, words))
        }
    }

    /// Whether it is this entry of the audit.
    pub(super) fn is(&self, number: i64) -> bool {
        self.number == Some(number)
    }
}

/// The people and channels that are to be called by their names.
fn named(entries: &[Entry], reported: &[Stream]) -> (Vec<String>, Vec<String>) {
    let people = entries.iter().flat_map(|entry| {
        let named = [&entry.person, &entry.actor].into_iter().flatten();
        let named = named.chain(&entry.people).filter_map(id_of);
        named.chain(entry.people_before.iter().map(String::as_str))
    });
    let by = reported.iter().flat_map(|stream| &stream.facts);
    let by = by.filter_map(|fact| fact.by.as_ref());
    let setters = entries
        .iter()
        .filter_map(|entry| refusal_of(entry)?.set_by.as_ref());
    let people = people.chain(by.chain(setters).map(SlackUserId::as_str));
    let channels = entries.iter().filter_map(|entry| {
        let channel = entry.channel_id.as_deref()?;
        let is_private = entry
            .command
            .as_ref()
            .is_some_and(|command| !command.is_public);
        (!is_private).then_some(channel)
    });
    let of_streams = reported.iter().filter(|stream| stream.is_public);
    let channels = channels.chain(of_streams.map(|stream| stream.channel.as_str()));
    (
        people.map(str::to_owned).collect(),
        channels.map(str::to_owned).collect(),
    )
}

/// The address of an entry.
fn address(id: i64) -> String {
    format!("/admin/activity?entry={id}#e{id}")
}

/// The address of all of a meeting.
fn of_meeting(meeting: MeetingId) -> String {
    format!("/admin/activity?meeting={meeting}")
}

/// The address of the page of a person, whatever characters their ID has.
pub(super) fn of_person(id: &str) -> String {
    let id: String = form_urlencoded::byte_serialize(id.as_bytes()).collect();
    format!("/admin/people/{}", id.replace('+', "%20"))
}

fn id_of(person: &Person) -> Option<&str> {
    match person {
        Person::Known { id, .. } => Some(id),
        Person::Erased => None,
    }
}

fn detail(entry: &Entry) -> &str {
    entry.detail.as_deref().unwrap_or_default()
}

fn outcome_of(entry: &Entry) -> Option<&Outcome> {
    let result = entry.command.as_ref()?.result.as_ref()?;
    Some(&result.outcome)
}

fn refusal_of(entry: &Entry) -> Option<&Refusal> {
    match outcome_of(entry)? {
        Outcome::NotAllowed(refusal) => Some(refusal),
        _ => None,
    }
}

/// The rule that refused it.
fn broken_rule(entry: &Entry) -> Option<&'static str> {
    match outcome_of(entry)? {
        Outcome::NotAllowed(refusal) => Some(rule(refusal.rule)),
        Outcome::DestinationRefused { rule, .. } => Some(destination_rule(*rule)),
        _ => None,
    }
}

/// A sentence as a part of another.
fn lower(sentence: &str) -> String {
    let mut letters = sentence.chars();
    let first = letters.next().into_iter().flat_map(char::to_lowercase);
    first.chain(letters).collect()
}

/// The destination that a command names, if it names another than what is set in Zoom.
fn destination(entry: &Entry) -> Option<&str> {
    let named = detail(entry)
        .split(' ')
        .find_map(|word| word.strip_prefix("to="));
    named.filter(|name| *name != crate::destination::AS_SET_IN_ZOOM)
}

/// Why a destination was not set, as it is noted.
fn why_not_set(entry: &Entry) -> Option<String> {
    let noted = |key| {
        let mut words = detail(entry).split(' ');
        words.find_map(|word| word.strip_prefix(key))
    };
    let (_, why) = outcome(noted("why=")?, true);
    Some(match noted("status=") {
        Some(status) => format!("{why}, status {status}"),
        None => why,
    })
}

/// Zoom's own words.
fn zoom_said(entry: &Entry) -> Option<&str> {
    let result = entry.command.as_ref()?.result.as_ref()?;
    let outcome = match &result.outcome {
        Outcome::DestinationNotSet { why, .. } => why,
        outcome => outcome,
    };
    match outcome {
        Outcome::Other { message, .. } if !message.is_empty() => Some(message),
        _ => result.zoom_message.as_deref(),
    }
}
