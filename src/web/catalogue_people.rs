//! What the admins' pages say of what happened and of people: see [`crate::web::catalogue`].

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use crate::admin::Admin;
use crate::admin::person::{CanAsk, TestResult};
use crate::command::outcome::{
    CommandResult, DestinationRule, Fact as SlackFact, Outcome, Refusal, Rule, Unknown,
};
use crate::db::audit::{AuditKind, Entry, EntryCommand, Group, Person};
use crate::db::grants::UNOPENED;
use crate::db::linked_users::{self, FormerLink, Health, LinkedUser};
use crate::db::rules::{ChannelPolicy, Rules};
use crate::db::stream_facts::Reported;
use crate::db::streams::Stream;
use crate::ids::{Asker, ChannelId, CommandId, SlackUserId, StreamId, TeamId, ZoomUserId};
use crate::livestream::policy::Decision;
use crate::reply::catalogue::snapshot;
use crate::stream::{Fact, FactKind};
use crate::web::admin::activity_lines::Lines;
use crate::web::admin::layout::Shell;
use crate::web::admin::people::List;
use crate::web::admin::person_view::{Ask, NotLinked, Seen};
use crate::web::catalogue::Catalogue;
use crate::web::parts::Clock;
use crate::workspace::names::Names;

const MEETING: &str = "68423085";

fn now() -> DateTime<Utc> {
    "2026-11-28T15:30:00Z".parse().expect("a time")
}

fn user(id: &str) -> SlackUserId {
    SlackUserId::new(id)
}

fn asker(id: &str) -> Asker {
    Asker {
        enterprise: None,
        team: TeamId::new("T0ACME"),
        user: user(id),
    }
}

fn shell() -> Shell {
    Shell {
        clock: Clock {
            now: now(),
            zone: Tz::Europe__Berlin,
        },
        admin: Admin {
            asker: asker("U0ADA"),
            name: "Ada".to_owned(),
            team_name: "Acme".to_owned(),
            zone: Some(Tz::Europe__Berlin),
        },
        csrf: "csrf".to_owned(),
        live: Vec::new(),
        troubled: 0,
    }
}

fn names() -> Names {
    Names::fixed(
        &[
            ("U0ADA", "Ada"),
            ("U0DANA", "Dana"),
            ("U0ELI", "Eli"),
            ("U0FAY", "Fay"),
        ],
        &[("C0TOWNHALL", "#town-hall"), ("C0PRESS", "#press")],
    )
}

fn known(id: &str) -> Person {
    Person::Known {
        id: id.to_owned(),
        name: None,
    }
}

fn entry(kind: &str, person: Option<&str>) -> Entry {
    Entry {
        audit_id: 135,
        happened_at: now() - TimeDelta::minutes(20),
        kind: kind.to_owned(),
        person: person.map(known),
        actor: None,
        actor_team_id: None,
        people: Vec::new(),
        email: None,
        channel_id: None,
        meeting_id: None,
        command_id: None,
        outcome: None,
        zoom_code: None,
        duration: None,
        detail: None,
        has_failed: false,
        command: None,
        people_before: Vec::new(),
    }
}

/// A command of Dana's that ended so.
fn command(kind: AuditKind, outcome: Outcome, change: impl FnOnce(&mut Entry)) -> Entry {
    let meeting = MEETING.parse().expect("a meeting number");
    let is_stop = kind == AuditKind::Stop;
    let text = if is_stop { "stop" } else { "start" };
    let request = crate::command::request::LivestreamRequest {
        action: text.parse().expect("an action"),
        meeting,
        settings: crate::command::request::Settings::default(),
        is_confirmed: false,
    };
    let mut entry = Entry {
        channel_id: Some("C0TOWNHALL".to_owned()),
        meeting_id: Some(meeting.get()),
        command_id: Some(29),
        outcome: Some(outcome.name().to_owned()),
        has_failed: outcome.has_failed(),
        duration: Some(1.24),
        email: Some("dana@acme.example".to_owned()),
        command: Some(EntryCommand {
            request: Some(request),
            result: Some(CommandResult::from(outcome)),
            attempts: 1,
            is_public: true,
        }),
        ..entry(kind.as_str(), Some("U0DANA"))
    };
    change(&mut entry);
    entry
}

fn stream(facts: &[(FactKind, i64, Option<&str>)]) -> Stream {
    Stream {
        stream_id: StreamId(7),
        starter: asker("U0DANA"),
        channel: ChannelId::new("C0TOWNHALL"),
        is_public: true,
        zoom_user: ZoomUserId::new("zoom-dana"),
        meeting: MEETING.parse().expect("a meeting number"),
        topic: Some("Town Hall".to_owned()),
        meeting_kind: None,
        page: None,
        destination: None,
        is_rehearsal: false,
        facts: facts
            .iter()
            .map(|(kind, minutes, by)| Fact {
                kind: *kind,
                at: now() - TimeDelta::minutes(60 - minutes),
                by: by.map(user),
            })
            .collect(),
        has_reports: true,
        version: 1,
        card: None,
        has_no_card: false,
        is_live_told: false,
        is_end_told: false,
        is_alerted: false,
        command: CommandId(29),
        asked: None,
        read_at: now(),
    }
}

/// An entry that Ada is the cause of, with the account of whom it is about.
fn by_ada(kind: &str, person: Option<&str>) -> Entry {
    Entry {
        actor: Some(known("U0ADA")),
        email: Some("eli@acme.example".to_owned()),
        ..entry(kind, person)
    }
}

fn detailed(detail: &str, entry: Entry) -> Entry {
    Entry {
        detail: Some(detail.to_owned()),
        ..entry
    }
}

/// What was refused at once.
fn refusals() -> Vec<Entry> {
    let refused = |detail: &str, outcome: &str| Entry {
        outcome: Some(outcome.to_owned()),
        has_failed: true,
        ..detailed(detail, entry(AuditKind::Refused.as_str(), Some("U0GUS")))
    };
    vec![
        refused("sign-in", "not_admin"),
        refused("no admin any more", "not_admin"),
        refused("a button", "not_allowed"),
        refused("connect", "not_allowed"),
        Entry {
            channel_id: Some("C0LOST".to_owned()),
            meeting_id: Some(68_423_085),
            ..refused("rehearse 68423085 to=test", "not_linked")
        },
    ]
}

/// Changes of rules.
fn rules() -> Vec<Entry> {
    let changed = || entry(AuditKind::RulesChanged.as_str(), Some("U0ADA"));
    let narrow = "who: everybody → listed people; where: everywhere → only #town-hall; \
        asked first: never → over 500 members";
    vec![
        detailed("guests: no → yes", changed()),
        Entry {
            people: vec![known("U0DANA"), Person::Erased],
            people_before: vec!["U0FAY".to_owned()],
            ..detailed(narrow, changed())
        },
    ]
}

/// Tests of a link, and messages that ask for one.
fn of_links(kind: AuditKind) -> Vec<Entry> {
    let name = kind.as_str();
    match kind {
        AuditKind::Linked => {
            let linked = Entry {
                email: Some("dana@acme.example".to_owned()),
                ..entry(name, Some("U0DANA"))
            };
            vec![detailed("Chrome on Linux", linked)]
        }
        AuditKind::Unlinked => vec![entry(name, Some("U0DANA")), by_ada(name, Some("U0ELI"))],
        AuditKind::Deauthorized => vec![entry(name, Some("U0DANA")), entry(name, None)],
        AuditKind::LinkCancelled => {
            vec![detailed("at the last page", entry(name, Some("U0DANA")))]
        }
        AuditKind::LinkWrongUser => vec![Entry {
            actor: Some(known("U0ELI")),
            has_failed: true,
            ..entry(name, Some("U0FAY"))
        }],
        AuditKind::LinkTested => {
            let tested = TESTS.iter().map(|outcome| Entry {
                outcome: Some((*outcome).to_owned()),
                has_failed: *outcome != "works",
                ..by_ada(name, Some("U0ELI"))
            });
            tested.collect()
        }
        AuditKind::LinkAsked => {
            let refused = Entry {
                outcome: Some("not_delivered".to_owned()),
                has_failed: true,
                ..by_ada(name, Some("U0ELI"))
            };
            vec![
                by_ada(name, Some("U0ELI")),
                detailed("channel_not_found", refused),
            ]
        }
        AuditKind::SharedAccountLinked | AuditKind::SharedAccountUnlinked => vec![
            Entry {
                email: Some("team@acme.example".to_owned()),
                ..entry(name, Some("U0ADA"))
            },
            entry(name, None),
        ],
        _ => vec![Entry {
            has_failed: true,
            ..entry(name, None)
        }],
    }
}

/// What admins changed, and where the app came and went.
fn of_settings(kind: AuditKind) -> Vec<Entry> {
    let name = kind.as_str();
    let ada = || entry(name, Some("U0ADA"));
    match kind {
        AuditKind::RulesChanged => rules(),
        AuditKind::SharedAccountUsersChanged | AuditKind::AdminsNamed => vec![
            ada(),
            Entry {
                people: vec![known("U0DANA"), known("U0ELI")],
                ..ada()
            },
        ],
        AuditKind::Installed => {
            let installed = Entry {
                actor: Some(known("U0DANA")),
                ..entry(name, None)
            };
            vec![detailed("T0ACME", installed)]
        }
        AuditKind::DestinationAdded => vec![Entry {
            people: vec![known("U0DANA")],
            ..detailed("townhall", ada())
        }],
        AuditKind::DestinationChanged => vec![
            detailed("townhall: key replaced", ada()),
            detailed("townhall: server, who may use it", ada()),
        ],
        AuditKind::DestinationDeleted => vec![detailed("townhall", ada())],
        AuditKind::KeysRotated => vec![detailed("with key k2", entry(name, None))],
        AuditKind::AdminSignedIn => vec![ada()],
        _ => vec![entry(name, None)],
    }
}

/// The entries of all kinds but commands.
fn of_all_kinds() -> Vec<Entry> {
    let all = AuditKind::ALL.iter().flat_map(|kind| match kind {
        AuditKind::Start | AuditKind::Stop => Vec::new(),
        AuditKind::Refused => refusals(),
        AuditKind::MarkedEnded => vec![Entry {
            meeting_id: Some(68_423_085),
            ..entry(kind.as_str(), Some("U0ELI"))
        }],
        kind => match kind.group() {
            Group::Links => of_links(*kind),
            Group::Shows | Group::Settings | Group::Admin => of_settings(*kind),
        },
    });
    let of_another_version = detailed("of a newer version", entry("moon_reached", Some("U0DANA")));
    all.chain([of_another_version]).collect()
}

/// How tests of a link end, as the audit names them.
const TESTS: [&str; 6] = [
    "works",
    "trouble",
    "dead",
    "refused",
    "no_answer",
    "misconfigured",
];

fn commands() -> Vec<Entry> {
    let mut all = Vec::new();
    let destination = |entry: &mut Entry| entry.detail = Some("rehearsal to=press".to_owned());
    all.push(command(AuditKind::Start, Outcome::Accepted, |_| ()));
    all.push(command(AuditKind::Start, Outcome::Accepted, destination));
    all.push(command(AuditKind::Stop, Outcome::Accepted, |_| ()));
    all.push(command(AuditKind::Start, Outcome::NotStarted, |_| ()));
    all.push(command(AuditKind::Start, Outcome::NoAnswer, |entry| {
        entry.channel_id = Some("D0DIRECT".to_owned());
    }));
    let other = Outcome::Other {
        status: 400,
        code: Some(3001),
        message: "The meeting is busy.".to_owned(),
    };
    all.push(command(AuditKind::Start, other, |entry| {
        entry.zoom_code = Some(3001);
    }));
    let unasked = Outcome::NeedsConfirmation {
        members: Some(600),
        is_shared: false,
    };
    all.push(command(AuditKind::Start, unasked, |_| ()));
    // Somebody else's, where not everybody may read.
    all.push(command(AuditKind::Start, Outcome::NotStarted, |entry| {
        entry.detail = Some("to=press".to_owned());
        if let Some(command) = &mut entry.command {
            command.is_public = false;
        }
    }));
    for rule in <Rule as strum::VariantArray>::VARIANTS {
        let refusal = Refusal {
            rule: *rule,
            set_by: Some(user("U0ADA")),
            channels: Vec::new(),
        };
        all.push(command(
            AuditKind::Refused,
            Outcome::NotAllowed(refusal),
            |entry| {
                entry.detail = Some("start".to_owned());
            },
        ));
    }
    for rule in <DestinationRule as strum::VariantArray>::VARIANTS {
        let refused = Outcome::DestinationRefused {
            name: "press".parse().expect("a name"),
            rule: *rule,
            is_default: false,
            channels: Vec::new(),
            tests: Vec::new(),
        };
        all.push(command(AuditKind::Refused, refused, |entry| {
            entry.detail = Some("start to=press".to_owned());
        }));
    }
    all
}

#[test]
fn catalogue_of_activity() {
    let shell = shell();
    let mut catalogue = Catalogue::default();
    let streamed = [
        (FactKind::StartAsked, 10, Some("U0DANA")),
        (FactKind::StartTaken, 10, Some("U0DANA")),
        (FactKind::OnAir, 11, None),
    ];
    for (title, streams) in [
        ("", vec![stream(&streamed)]),
        (" of a meeting that is not known", Vec::new()),
    ] {
        let lines = Lines {
            shell: &shell,
            slash: "/livestream",
            names: names(),
            streams,
        };
        let most = if title.is_empty() { usize::MAX } else { 3 };
        for (index, entry) in commands().iter().take(most).enumerate() {
            let title = format!("{}{title}, {}", entry.kind, index + 1);
            catalogue.part(&title, &lines.entry(entry).drawer(&shell, true).0);
        }
        if title.is_empty() {
            for (index, entry) in of_all_kinds().iter().enumerate() {
                let title = format!("{}, {}", entry.kind, index + 1);
                catalogue.part(&title, &lines.entry(entry).drawer(&shell, true).0);
            }
        }
    }
    snapshot("pages_activity", &catalogue.0);
}

#[test]
fn catalogue_of_reports() {
    use FactKind::{MeetingEnded, OffAir, OnAir, StartAsked, StartTaken, StopTaken};

    let shell = shell();
    let mut catalogue = Catalogue::default();
    let lines = Lines {
        shell: &shell,
        slash: "/livestream",
        names: names(),
        streams: Vec::new(),
    };
    let all = Reported {
        until: now(),
        ..Reported::default()
    };
    let begun = [
        (StartAsked, 10, None),
        (StartTaken, 10, None),
        (OnAir, 10, None),
    ];
    for (title, after) in [
        ("live", vec![]),
        (
            "stopped from here",
            vec![(StopTaken, 30, None), (OffAir, 30, None)],
        ),
        (
            "ended with the meeting",
            vec![(OffAir, 30, None), (MeetingEnded, 30, None)],
        ),
        ("ended in Zoom by Eli", vec![(OffAir, 30, Some("U0ELI"))]),
        ("stopped unasked", vec![(OffAir, 30, None)]),
        ("off air a moment ago", vec![(OffAir, 60, None)]),
        (
            "the meeting ended later",
            vec![(OffAir, 30, None), (MeetingEnded, 50, None)],
        ),
    ] {
        let stream = stream(&[begun.to_vec(), after].concat());
        for line in lines.reports(&stream, &all) {
            catalogue.part(title, &line.drawer(&shell, true).0);
        }
    }
    let private = Stream {
        is_public: false,
        ..stream(&begun)
    };
    for line in lines.reports(&private, &all) {
        catalogue.part("in a private channel", &line.drawer(&shell, true).0);
    }
    snapshot("pages_activity_reports", &catalogue.0);
}

fn linked(health: Health) -> LinkedUser {
    LinkedUser {
        user_id: user("U0ELI"),
        slack_name: Some("Eli".to_owned()),
        zoom_user_id: ZoomUserId::new("zoom-eli"),
        email: "eli@acme.example".to_owned(),
        scope: "meeting:write user:read".to_owned(),
        linked_at: now() - TimeDelta::days(40),
        used_at: Some(now() - TimeDelta::hours(5)),
        refreshed_at: Some(now() - TimeDelta::minutes(5)),
        checked_at: Some(now() - TimeDelta::hours(30)),
        health,
        refusal: None,
    }
}

fn ask(can: CanAsk, refusal: Option<&str>) -> Ask {
    Ask {
        can,
        refusal: refusal.map(str::to_owned),
        by: "Ada".to_owned(),
        slash: "/livestream".to_owned(),
    }
}

fn seen(shell: &Shell, health: Health) -> Seen<'_> {
    Seen {
        shell,
        hears_zoom: true,
        row: linked(health),
        name: "Eli".to_owned(),
        is_live: false,
        tested: None,
        accepted_at: None,
        reported_at: Some(now() - TimeDelta::minutes(3)),
        device: Some("Chrome on Linux".to_owned()),
        rules: (Rules::default(), Some(Decision::Allowed), names()),
        ask: ask(CanAsk::Yes, None),
        lately: Vec::new(),
    }
}

/// What rules may say of somebody, wherever they are.
fn by_rules() -> Vec<(&'static str, Rules, Option<Decision>)> {
    let refusal = Refusal {
        rule: Rule::Group,
        set_by: None,
        channels: Vec::new(),
    };
    let unknown = |fact, why| Some(Decision::NotKnown { fact, why });
    let only = |channels: &[&str], channel_policy| Rules {
        channel_policy,
        channels: channels.iter().map(|id| (*id).to_owned()).collect(),
        ..Rules::default()
    };
    vec![
        ("refuse", Rules::default(), Some(Decision::Refused(refusal))),
        (
            "depend on Slack's silence",
            Rules::default(),
            unknown(SlackFact::Membership, Unknown::NoAnswer),
        ),
        (
            "depend on what may not be asked",
            Rules::default(),
            unknown(SlackFact::UserGroup, Unknown::CannotAsk),
        ),
        ("not known in time", Rules::default(), None),
        (
            "only in some channels",
            only(&["C0TOWNHALL", "C0PRESS"], ChannelPolicy::Only),
            Some(Decision::Allowed),
        ),
        (
            "nowhere",
            only(&[], ChannelPolicy::Only),
            Some(Decision::Allowed),
        ),
        (
            "not in some channels",
            only(&["C0TOWNHALL"], ChannelPolicy::Except),
            Some(Decision::Allowed),
        ),
    ]
}

#[test]
fn catalogue_of_a_person() {
    let shell = shell();
    let mut catalogue = Catalogue::default();
    let healths = [
        Health::Healthy,
        Health::Dead,
        Health::Refused,
        Health::ScopeMissing,
        Health::BasicPlan,
        Health::StreamingOff,
        Health::CustomStreamingOff,
        Health::Idle,
    ];
    for health in healths {
        let mut seen = seen(&shell, health);
        match health {
            Health::Refused => seen.row.refusal = Some("Invalid client_id.".to_owned()),
            Health::ScopeMissing => seen.row.scope = "user:read:user".to_owned(),
            _ => {}
        }
        catalogue.page(&format!("a link that is {health:?}"), &seen.markup());
    }
    let mut unopened = seen(&shell, Health::Refused);
    unopened.row.refusal = Some(UNOPENED.to_owned());
    catalogue.page("a link whose tokens do not open", &unopened.markup());
    let mut untried = seen(&shell, Health::Healthy);
    untried.row = LinkedUser {
        used_at: None,
        refreshed_at: None,
        checked_at: None,
        scope: "meeting:update:livestream_status user:read:user".to_owned(),
        ..untried.row
    };
    untried.reported_at = None;
    catalogue.page("never tried, an old link", &untried.markup());
    let mut deaf = seen(&shell, Health::Healthy);
    (deaf.hears_zoom, deaf.is_live) = (false, true);
    catalogue.page("live, where Zoom reports nothing", &deaf.markup());
    for test in [
        TestResult::Works,
        TestResult::Trouble,
        TestResult::Dead,
        TestResult::Refused("No permission.".to_owned()),
        TestResult::NoAnswer,
        TestResult::Misconfigured,
    ] {
        let title = format!("tested: {test:?}");
        let mut seen = seen(&shell, Health::Healthy);
        seen.tested = Some((test, now() - TimeDelta::minutes(4)));
        catalogue.page(&title, &seen.markup());
    }
    for (title, rules, decision) in by_rules() {
        let mut seen = seen(&shell, Health::Healthy);
        seen.rules = (rules, decision, names());
        catalogue.page(&format!("the rules: {title}"), &seen.markup());
    }
    for (title, can, refusal) in [
        ("just asked", asked(0), None),
        ("asked before", asked(300), None),
        ("not delivered", CanAsk::Yes, Some("channel_not_found")),
        ("no token", CanAsk::NoToken, None),
        ("may not write", CanAsk::MayNotWrite, None),
    ] {
        let mut seen = seen(&shell, Health::Dead);
        seen.ask = ask(can, refusal);
        catalogue.page(&format!("a broken link: {title}"), &seen.markup());
    }
    snapshot("pages_person", &catalogue.0);
}

fn asked(minutes: i64) -> CanAsk {
    CanAsk::Asked {
        at: now() - TimeDelta::minutes(minutes),
        by: Some("U0ADA".to_owned()),
    }
}

#[test]
fn catalogue_of_people_and_those_not_linked() {
    let shell = shell();
    let mut catalogue = Catalogue::default();
    let eli = user("U0ELI");
    let former = |is_pending| FormerLink {
        ended_at: now() - TimeDelta::days(3),
        email: Some("eli@acme.example".to_owned()),
        zoom_user_id: None,
        is_pending,
    };
    for (title, former, is_sharing) in [
        ("never linked", None, false),
        ("linked before", Some((former(false), None)), false),
        (
            "linked before, withdrawal pending",
            Some((former(true), None)),
            false,
        ),
        ("who uses the shared account", None, true),
    ] {
        let person = NotLinked {
            shell: &shell,
            user: &eli,
            name: "Eli".to_owned(),
            former,
            is_sharing,
            ask: ask(CanAsk::Yes, None),
            lately: Vec::new(),
        };
        catalogue.page(title, &person.markup());
    }
    let list = |rows: Vec<LinkedUser>, everybody, search: &str| List {
        wanted: linked_users::Query {
            search: search.to_owned(),
            ..linked_users::Query::default()
        },
        count: i64::try_from(rows.len()).expect("a few"),
        rows,
        names: names(),
        everybody,
        untried: 1,
        live: HashSet::from(["U0DANA"]),
    };
    let rows = || {
        let healths = [
            Health::Healthy,
            Health::Dead,
            Health::Refused,
            Health::ScopeMissing,
            Health::BasicPlan,
            Health::StreamingOff,
            Health::CustomStreamingOff,
            Health::Idle,
        ];
        let mut rows: Vec<_> = healths.into_iter().map(linked).collect();
        rows.push(LinkedUser {
            user_id: user("U0DANA"),
            slack_name: None,
            ..linked(Health::Healthy)
        });
        rows.push(LinkedUser {
            user_id: user("U0LOST"),
            slack_name: None,
            used_at: None,
            refreshed_at: None,
            checked_at: None,
            ..linked(Health::Healthy)
        });
        rows
    };
    catalogue.page(
        "nobody",
        &list(Vec::new(), 0, "").markup(&shell, "/livestream"),
    );
    catalogue.page("all", &list(rows(), 10, "").markup(&shell, "/livestream"));
    catalogue.page(
        "found",
        &list(rows(), 200, "e").markup(&shell, "/livestream"),
    );
    catalogue.page(
        "none found",
        &list(Vec::new(), 200, "zoe").markup(&shell, "/livestream"),
    );
    snapshot("pages_people", &catalogue.0);
}

#[test]
fn every_test_of_a_link_is_in_the_catalogue() {
    for outcome in TESTS {
        assert!(outcome.parse::<TestResult>().is_ok(), "{outcome}");
    }
}
