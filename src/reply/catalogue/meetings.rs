//! What is said of meetings that are not livestreamed yet: the picker, and what `check` finds.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::{Page, asker, destination, link, replies, replies_without_linking, snapshot, standing};
use crate::command::meeting::MeetingId;
use crate::command::outcome::{DestinationRule, Fact, Outcome, Unknown};
use crate::command::request::{Action, CheckRequest, Options, Settings};
use crate::command::verb::{Access, Verb};
use crate::command::{Command, ParseError};
use crate::db::destinations::{self, Carried, Fields, UsedBy};
use crate::db::stream_topics::RecentMeeting;
use crate::db::streams::Stream;
use crate::destination::DestinationName;
use crate::ids::{ChannelId, CommandId, DestinationId, StreamId, ZoomUserId};
use crate::reply::Replies;
use crate::reply::check::{Acts, AtZoom, Check, Goes, OnAir, RulesSay};
use crate::reply::home::{Home, Meetings};
use crate::reply::picker::{NotListed, Obstacle, Picker};
use crate::reply::reads::NotRead;
use crate::stream::{self, FactKind, MeetingKind};
use crate::zoom::meetings::{Destination, ListedMeeting, Meeting};
use crate::zoom::users::{LiveSettings, User};

/// Every permission that is used.
const SCOPES: &str = "meeting:update:livestream_status user:read:user meeting:read:livestream \
    meeting:read:meeting meeting:read:list_meetings \
    meeting:update:livestream user:read:settings";

fn now() -> DateTime<Utc> {
    "2026-12-01T14:55:00Z".parse().expect("a time")
}

fn number(number: i64) -> MeetingId {
    MeetingId::from_number(number).expect("a number")
}

fn listed(meeting: i64, topic: Option<&str>, minutes: i64) -> ListedMeeting {
    ListedMeeting {
        meeting: number(meeting),
        topic: topic.map(str::to_owned),
        starts_at: Some(now() + TimeDelta::minutes(minutes)),
        zone: Some(chrono_tz::Europe::Berlin),
    }
}

fn full() -> Picker {
    Picker {
        running: vec![listed(68_423_085, Some("Town <Hall> & *more*"), -5)],
        coming: vec![
            listed(842_308_501, Some("Weekly"), 65),
            listed(84_230_850_123, None, 24 * 60),
        ],
        recent: vec![RecentMeeting {
            meeting: number(91_234_567_890),
            topic: Some("Press conference".to_owned()),
            is_personal_room: false,
            at: now() - TimeDelta::days(3),
        }],
        personal_room: Some(number(1_234_567_890)),
        now: now(),
        ..Picker::default()
    }
}

/// Neither of the two lists was read, for this reason.
fn missing(why: &NotRead) -> Picker {
    Picker {
        not_listed: NotListed {
            running: Some(why.clone()),
            coming: Some(why.clone()),
            room: None,
        },
        running: vec![],
        coming: vec![],
        ..full()
    }
}

fn refused(code: i64, said: &str) -> NotRead {
    NotRead::Refused {
        code: Some(code),
        said: said.to_owned(),
    }
}

/// Every reason for which nothing is read.
fn reasons() -> Vec<NotRead> {
    vec![
        NotRead::ScopeMissing,
        NotRead::LinkDead,
        refused(3161, "Your user account is not allowed meeting hosting."),
        refused(2306, "Not allowed to view meetings scheduled for others."),
        refused(1001, "User does not exist: 7. (code 1001)"),
        NotRead::Limited,
        NotRead::DailyLimit {
            until: Some(now() + TimeDelta::hours(3)),
        },
        NotRead::DailyLimit { until: None },
        NotRead::NoAnswer,
        NotRead::Misconfigured,
    ]
}

/// Two destinations, one of which is in use.
fn kept() -> Vec<destinations::Destination> {
    let kept = |name: &str, service: &str| destinations::Destination {
        destination_id: DestinationId(1),
        fields: Fields {
            name: destination(name),
            service: service.to_owned(),
            server_url: "rtmps://a.example/live".to_owned(),
            page_url: format!("https://video.acme.example/{name}"),
            resolution: None,
            is_test: false,
            used_by: UsedBy::Everybody,
            channels: Vec::new(),
            people: Vec::new(),
            group_id: None,
            zoom_users: Vec::new(),
            default_in: Vec::new(),
        },
        key_set_at: now(),
        key_set_by: asker().user,
        changed_by: asker().user,
        version: 1,
        carries: None,
        used: 0,
    };
    let mut townhall = kept("townhall", "youtube");
    townhall.fields.default_in.push("C0TOWNHALL".to_owned());
    townhall.carries = Some(Carried {
        meeting: "68423085".parse().expect("a meeting number"),
        topic: None,
        channel: ChannelId::new("C0PRESS"),
        is_public: false,
        began_at: now(),
    });
    vec![kept("press", "other"), townhall]
}

#[test]
fn catalogue_of_destinations() {
    let mut page = Page::default();
    let sent = Picker {
        destinations: vec![destination("press"), destination("townhall")],
        default_destination: Some(destination("townhall")),
        ..full()
    };
    page.entry("with destinations", &replies().picker(&asker(), &sent));
    let long: DestinationName = destination("aaa-international-all-hands-26");
    let Ok(Command::Pick(options)) =
        "start to=aaa-international-all-hands-26 name=\"Quarterly all hands of the whole company, 2026\" speaker=off \
         layout=gallery_view captions=burnt-in confirm=yes"
            .parse()
    else {
        panic!("no meeting is named");
    };
    let too_long = Picker {
        options,
        destinations: vec![long, destination("press"), destination("townhall")],
        ..full()
    };
    page.entry(
        "the chosen destination is too long for the menu",
        &replies().picker(&asker(), &too_long),
    );
    let chosen = Options {
        settings: Settings {
            destination: Some(destination("press")),
            ..Settings::default()
        },
        is_confirmed: false,
    };
    page.entry(
        "a destination that is none, and a near one",
        &replies().no_destination_to_pick(
            &destination("townhal"),
            &[destination("townhall")],
            &chosen,
        ),
    );
    page.entry(
        "a destination that is none",
        &replies().no_destination_to_pick(&destination("zzz"), &[], &chosen),
    );
    for (title, name, near) in [
        (
            "a start to one that is none, and a near one",
            "townhal",
            Some("townhall"),
        ),
        (
            "a start to one that may be a key",
            "fb-1234567890-0-ab12cdef",
            None,
        ),
    ] {
        let settings = Settings {
            destination: Some(destination(name)),
            ..Settings::default()
        };
        let options = Options {
            settings,
            is_confirmed: true,
        };
        let meeting = "68423085".parse().expect("a meeting number");
        let near: Vec<_> = near.into_iter().map(destination).collect();
        let request = options.request(Action::Start, meeting);
        page.entry(title, &replies().no_destination_to_start(&request, &near));
    }
    list_destinations(&mut page);
    name_destinations(&mut page);
    snapshot("destinations", &page.0);
}

/// Where livestreams can go.
fn list_destinations(page: &mut Page) {
    let channel = ChannelId::new("C0TOWNHALL");
    let list = |shows: &[_], tests: &[_]| {
        replies().destinations(&channel, shows.to_vec(), tests.to_vec(), false)
    };
    page.entry("destinations", &list(&kept(), &[]));
    page.entry(
        "destinations and one for rehearsals",
        &list(&kept(), &kept()[..1]),
    );
    page.entry(
        "destinations for rehearsals alone",
        &list(&[], &kept()[..1]),
    );
    page.entry("no destinations", &list(&[], &[]));
    let many: Vec<_> = (0..42)
        .map(|number| {
            let mut many = kept().remove(0);
            many.fields.name = destination(&format!("stage-{number}"));
            many
        })
        .chain(kept().pop())
        .collect();
    page.entry("more than are listed", &list(&many, &[]));
    let search = |shows, tests| replies().destinations(&channel, shows, tests, true);
    page.entry("of these words, none", &search(Vec::new(), Vec::new()));
    page.entry(
        "of these words, for rehearsals",
        &search(Vec::new(), kept()),
    );
    page.entry(
        "no destinations, where only the operator links",
        &replies_without_linking().destinations(&channel, Vec::new(), Vec::new(), false),
    );
}

/// A destination is named, but not as an option.
fn name_destinations(page: &mut Page) {
    for text in [
        "start 68423085 townhall",
        "rehearse 68423085 to town hall layout=gallery",
        "check 68423085 townhall name=Weekly",
    ] {
        let Err(ParseError::NotAMeeting { verb, settings, .. }) = text.parse::<Command>() else {
            panic!("no option says where it goes");
        };
        let mut sent = (*settings).clone();
        sent.destination = Some(destination("townhall"));
        sent.is_rehearsal = verb == Verb::Rehearse;
        sent.display_name = sent.display_name.filter(|name| name == "Weekly");
        let named = (sent.display_name != settings.display_name).then_some(&*settings);
        let options = Options {
            settings: sent,
            is_confirmed: false,
        };
        let request = options.request(Action::Start, "68423085".parse().expect("a meeting number"));
        page.entry(
            text,
            &replies().destination_without_option(verb, &request, named, "town hall"),
        );
    }
}

/// A livestream of the asker's that Zoom has reported.
fn on_air() -> Stream {
    let fact = |kind| stream::Fact {
        kind,
        at: now(),
        by: None,
    };
    Stream {
        stream_id: StreamId(7),
        starter: asker(),
        channel: ChannelId::new("C0TOWNHALL"),
        is_public: true,
        zoom_user: ZoomUserId::new("zoom-dana"),
        meeting: number(68_423_085),
        topic: Some("Town Hall".to_owned()),
        meeting_kind: None,
        page: None,
        destination: None,
        is_rehearsal: false,
        facts: vec![fact(FactKind::StartTaken), fact(FactKind::OnAir)],
        has_reports: true,
        version: 1,
        card: None,
        has_no_card: false,
        is_live_told: false,
        is_end_told: false,
        is_alerted: false,
        command: CommandId(17),
        asked: None,
        read_at: now() + TimeDelta::minutes(5),
    }
}

/// One that Zoom took 20 hours before, and whose account it never reports.
fn unreported() -> Stream {
    Stream {
        facts: vec![stream::Fact {
            kind: FactKind::StartTaken,
            at: now(),
            by: None,
        }],
        has_reports: false,
        read_at: now() + TimeDelta::hours(20),
        ..on_air()
    }
}

/// Pickers where each part is missing for a reason of its own, of another zone, and of a rehearsal.
fn variants() -> String {
    let mut page = Page::default();
    let hidden = refused(2306, "Not allowed to view meetings scheduled for others.");
    for (title, running, coming) in [
        (
            "each list for a reason of its own",
            NotRead::Limited,
            hidden,
        ),
        (
            "nothing at all was read",
            NotRead::NoAnswer,
            NotRead::NoAnswer,
        ),
    ] {
        let not_listed = NotListed {
            running: Some(running),
            coming: Some(coming),
            room: Some(NotRead::NoAnswer),
        };
        let picker = Picker {
            not_listed,
            running: vec![],
            coming: vec![],
            personal_room: None,
            ..full()
        };
        page.entry(title, &replies().picker(&asker(), &picker));
    }
    let abroad = Picker {
        zone: Some(chrono_tz::America::Los_Angeles),
        ..full()
    };
    page.entry(
        "in the zone of the asker",
        &replies().picker(&asker(), &abroad),
    );
    let Ok(Command::Pick(options)) = "rehearse".parse() else {
        panic!("no meeting is named");
    };
    let rehearsal = Picker { options, ..full() };
    page.entry("of a rehearsal", &replies().picker(&asker(), &rehearsal));
    let eastern = Picker {
        zone: Some(chrono_tz::Asia::Kathmandu),
        running: vec![listed(68_423_085, Some("אסיפה כללית"), -5)],
        coming: vec![listed(842_308_501, Some("אסיפה _כללית_"), 65)],
        recent: vec![],
        ..full()
    };
    page.entry(
        "of topics from right to left, in a zone without a name",
        &replies().picker(&asker(), &eastern),
    );
    let many = Picker {
        on_air: vec![on_air()],
        more_on_air: 2,
        surely_on_air: vec![number(68_423_085), number(842_308_501)],
        ..full()
    };
    page.entry(
        "more on air than are shown",
        &replies().picker(&asker(), &many),
    );
    let perhaps = Picker {
        on_air: vec![unreported()],
        ..full()
    };
    page.entry(
        "perhaps on air, and running",
        &replies().picker(&asker(), &perhaps),
    );
    page.0
}

/// What somebody reads who can start nothing, with and without livestreams that go on.
fn obstacles() -> String {
    let mut page = Page::default();
    let refusal = standing(Access::StopOnly).refusal.expect("a rule");
    for obstacle in [
        Obstacle::Rule(refusal),
        Obstacle::LinkDead,
        Obstacle::NotLinked,
        Obstacle::OperatorMustLink,
        Obstacle::SharedDead,
        Obstacle::CannotAsk(Fact::UserGroup),
    ] {
        let Ok(Command::Pick(options)) = "start to=townhall".parse() else {
            panic!("no meeting is named");
        };
        let title = format!("nothing can be started: {obstacle:?}");
        let picker = Picker {
            options,
            obstacle: Some(obstacle),
            ..Picker::default()
        };
        page.entry(&title, &replies().picker(&asker(), &picker));
        let picker = Picker {
            on_air: vec![on_air()],
            ..picker
        };
        let title = "the same, with a livestream that goes on";
        page.entry(title, &replies().picker(&asker(), &picker));
    }
    page.0
}

#[test]
fn catalogue_of_pickers() {
    let mut page = Page::default();
    page.entry("all there is", &replies().picker(&asker(), &full()));
    let Ok(Command::Pick(options)) = "start name=\"Town Hall\" layout=gallery".parse() else {
        panic!("no meeting is named");
    };
    let typed = Picker { options, ..full() };
    page.entry("with options", &replies().picker(&asker(), &typed));
    let nothing = Picker {
        now: now(),
        ..Picker::default()
    };
    page.entry("nothing at all", &replies().picker(&asker(), &nothing));
    let item = |n| listed(700_000_000 + n, Some("Stand-up"), n);
    let many = Picker {
        running: (1..=7).map(item).collect(),
        coming: (10..=40).map(item).collect(),
        has_more: true,
        ..nothing
    };
    page.entry("more than fits", &replies().picker(&asker(), &many));
    page.entry(
        "a shared account",
        &replies().picker(
            &asker(),
            &Picker {
                personal_room: None,
                is_shared: true,
                running: vec![],
                coming: vec![],
                ..full()
            },
        ),
    );
    for why in reasons() {
        let title = format!("nothing listed: {why:?}");
        page.entry(&title, &replies().picker(&asker(), &missing(&why)));
    }
    let running = Picker {
        not_listed: NotListed {
            coming: Some(NotRead::Limited),
            ..NotListed::default()
        },
        coming: vec![],
        ..full()
    };
    page.entry(
        "only the running ones",
        &replies().picker(&asker(), &running),
    );
    let coming = Picker {
        not_listed: NotListed {
            running: Some(NotRead::NoAnswer),
            ..NotListed::default()
        },
        running: vec![],
        ..full()
    };
    page.entry("only the coming ones", &replies().picker(&asker(), &coming));
    page.0.push_str(&variants());
    page.0.push_str(&obstacles());
    let unlinkable = missing(&NotRead::ScopeMissing);
    page.entry(
        "where only the operator links",
        &replies_without_linking().picker(&asker(), &unlinkable),
    );
    page.entry("our database does not answer", &replies().look_up_failed());
    for (title, meetings) in [
        (
            "── on the App Home, while Zoom is asked\n",
            Meetings::Asking,
        ),
        ("── on the App Home\n", Meetings::Listed(Box::new(full()))),
    ] {
        page.0.push_str(title);
        let home = Home {
            link: Some(link(false)),
            live: vec![],
            last: vec![],
            offer: None,
            standing: standing(Access::Linked),
            is_admin: false,
            meetings,
        };
        page.blocks(&Value::from(replies().home(&asker(), &home)));
    }
    snapshot("picker", &page.0);
}

/// The messages of a service that gets Zoom's reports.
fn hearing() -> Replies<'static> {
    Replies {
        hears_zoom: true,
        ..replies()
    }
}

fn user(plan: i64) -> User {
    let user = json!({ "id": "zoom-dana", "account_id": "acme", "email": "dana@acme.example", "type": plan });
    serde_json::from_value(user).expect("a user")
}

fn settings(allowed: Option<bool>, custom: Option<bool>) -> LiveSettings {
    LiveSettings {
        allow_live_streaming: allowed,
        custom_live_streaming_service: custom,
    }
}

fn meeting(host: &str, is_running: Option<bool>, is_end_to_end_encrypted: bool) -> Meeting {
    Meeting {
        host: ZoomUserId::new(host),
        topic: Some("Town <Hall> & *more*".to_owned()),
        kind: is_running.map(|_| MeetingKind::PersonalRoom),
        is_running,
        is_end_to_end_encrypted: Some(is_end_to_end_encrypted),
    }
}

fn acts() -> Acts {
    let mut link = link(false);
    SCOPES.clone_into(&mut link.scope);
    Acts::Own(link)
}

fn fine() -> Check {
    Check {
        acts: acts(),
        rules: RulesSay::Allowed,
        last_report: Some(now()),
        zoom: Some(AtZoom {
            user: Ok(user(2)),
            settings: Ok(settings(Some(true), Some(true))),
            meeting: Some(Ok(meeting("zoom-dana", Some(true), false))),
            destination: Some(Ok(Destination {
                is_set: true,
                page: Some("https://live.example/watch".to_owned()),
            })),
        }),
        request: CheckRequest {
            meeting: Some(number(68_423_085)),
            settings: Settings::default(),
        },
        access: Access::Linked,
        goes: Some(Goes::AsSetInZoom(None)),
        on_air: None,
        perhaps_on_air: None,
        now: now() + TimeDelta::hours(1),
    }
}

fn at_zoom(change: impl FnOnce(&mut AtZoom)) -> Check {
    let mut check = fine();
    change(check.zoom.as_mut().expect("what Zoom says"));
    check
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table, an entry a finding")]
fn catalogue_of_checks() {
    let mut page = Page::default();
    let unknown = |why: &NotRead| {
        at_zoom(|zoom| {
            zoom.settings = Err(why.clone());
            zoom.meeting = Some(Err(why.clone()));
            zoom.destination = Some(Err(why.clone()));
        })
    };
    let mut checks = vec![
        ("nothing is wrong", fine()),
        (
            "no meeting",
            Check {
                request: CheckRequest::default(),
                ..at_zoom(|zoom| (zoom.meeting, zoom.destination) = (None, None))
            },
        ),
        (
            "not linked",
            Check {
                acts: Acts::NotLinked,
                access: Access::NotLinked,
                zoom: None,
                last_report: None,
                goes: None,
                ..fine()
            },
        ),
        (
            "not linked, and the rules refuse the person",
            Check {
                acts: Acts::NotLinked,
                access: Access::NotAllowed,
                rules: RulesSay::Refused(standing(Access::NotAllowed).refusal.expect("a rule")),
                zoom: None,
                last_report: None,
                goes: None,
                ..fine()
            },
        ),
        (
            "the link is dead",
            Check {
                acts: Acts::Own(link(true)),
                access: Access::LinkDead,
                zoom: None,
                ..fine()
            },
        ),
        (
            "the link is dead, and the rules refuse the person",
            Check {
                acts: Acts::Own(link(true)),
                access: Access::NotAllowed,
                rules: RulesSay::Refused(standing(Access::NotAllowed).refusal.expect("a rule")),
                zoom: None,
                goes: None,
                ..fine()
            },
        ),
        (
            "the link dies on the way",
            at_zoom(|zoom| zoom.meeting = Some(Err(NotRead::LinkDead))),
        ),
        (
            "Zoom misses a permission that was granted",
            at_zoom(|zoom| zoom.settings = Err(NotRead::ScopeMissing)),
        ),
        (
            "an older link",
            Check {
                acts: Acts::Own(link(false)),
                ..unknown(&NotRead::ScopeMissing)
            },
        ),
        (
            "a shared account",
            Check {
                acts: Acts::Shared {
                    zoom_user: ZoomUserId::new("zoom-shared"),
                    scope: SCOPES.to_owned(),
                    is_dead: false,
                },
                ..fine()
            },
        ),
        (
            "a shared account that is dead",
            Check {
                acts: Acts::Shared {
                    zoom_user: ZoomUserId::new("zoom-shared"),
                    scope: SCOPES.to_owned(),
                    is_dead: true,
                },
                access: Access::LinkDead,
                zoom: None,
                ..fine()
            },
        ),
        (
            "not allowed here",
            Check {
                access: Access::StopOnly,
                goes: None,
                rules: RulesSay::Refused(standing(Access::NotAllowed).refusal.expect("a rule")),
                ..fine()
            },
        ),
        (
            "asked first",
            Check {
                rules: RulesSay::Asks {
                    members: Some(3),
                    is_shared: true,
                },
                ..fine()
            },
        ),
        (
            "asked first, by whom is not known",
            Check {
                rules: RulesSay::Asks {
                    members: None,
                    is_shared: false,
                },
                ..fine()
            },
        ),
        (
            "Slack does not answer",
            Check {
                goes: None,
                rules: RulesSay::NotKnown(Fact::Membership, Unknown::NoAnswer),
                ..fine()
            },
        ),
        (
            "Slack may not be asked",
            Check {
                goes: None,
                rules: RulesSay::NotKnown(Fact::UserGroup, Unknown::CannotAsk),
                ..fine()
            },
        ),
        (
            "no report yet",
            Check {
                last_report: None,
                ..fine()
            },
        ),
        ("a Basic plan", at_zoom(|zoom| zoom.user = Ok(user(1)))),
        (
            "livestreaming is off",
            at_zoom(|zoom| zoom.settings = Ok(settings(Some(false), None))),
        ),
        (
            "the custom service is off",
            at_zoom(|zoom| zoom.settings = Ok(settings(Some(true), Some(false)))),
        ),
        (
            "Zoom does not say",
            at_zoom(|zoom| {
                zoom.settings = Ok(settings(None, None));
                zoom.meeting = Some(Ok(meeting("zoom-dana", None, false)));
            }),
        ),
        (
            "not running, encrypted, without a destination",
            at_zoom(|zoom| {
                zoom.meeting = Some(Ok(meeting("zoom-dana", Some(false), true)));
                zoom.destination = Some(Ok(Destination {
                    is_set: false,
                    page: None,
                }));
            }),
        ),
        (
            "somebody else's",
            at_zoom(|zoom| zoom.meeting = Some(Ok(meeting("zoom-eli", Some(true), false)))),
        ),
        (
            "somebody else's, with a Basic plan and livestreaming off",
            at_zoom(|zoom| {
                zoom.user = Ok(user(1));
                zoom.settings = Ok(settings(Some(false), None));
                zoom.meeting = Some(Ok(meeting("zoom-eli", Some(true), false)));
            }),
        ),
        (
            "a webinar, by its livestream",
            at_zoom(|zoom| {
                zoom.meeting = Some(Err(NotRead::ScopeMissing));
                let webinar = refused(3000, "Cannot access webinar info.");
                zoom.destination = Some(Err(webinar));
            }),
        ),
        (
            "not running yet",
            at_zoom(|zoom| {
                zoom.meeting = Some(Ok(meeting("zoom-dana", Some(false), false)));
            }),
        ),
        (
            "not running yet, of a shared account, a rehearsal",
            Check {
                acts: Acts::Shared {
                    zoom_user: ZoomUserId::new("zoom-dana"),
                    scope: SCOPES.to_owned(),
                    is_dead: false,
                },
                request: CheckRequest {
                    meeting: Some(number(68_423_085)),
                    settings: Settings {
                        is_rehearsal: true,
                        ..Settings::default()
                    },
                },
                last_report: None,
                ..at_zoom(|zoom| {
                    zoom.meeting = Some(Ok(meeting("zoom-dana", Some(false), false)));
                })
            },
        ),
        (
            "the user is gone",
            at_zoom(|zoom| zoom.user = Err(refused(1001, "User does not exist: 7."))),
        ),
        (
            "the user may not host",
            at_zoom(|zoom| zoom.user = Err(refused(3161, "Not allowed."))),
        ),
        (
            "on air",
            Check {
                on_air: Some(OnAir::Known(Box::new(on_air()))),
                ..fine()
            },
        ),
        (
            "taken 20 hours ago, and never reported",
            Check {
                perhaps_on_air: Some(unreported()),
                last_report: None,
                ..fine()
            },
        ),
        (
            "on air since another day where the asker is not",
            Check {
                on_air: Some(OnAir::Hidden {
                    since: now() - TimeDelta::hours(20),
                    is_reported: true,
                    is_by_hand: false,
                }),
                ..fine()
            },
        ),
        (
            "on air where the asker is not",
            Check {
                on_air: Some(OnAir::Hidden {
                    since: now(),
                    is_reported: true,
                    is_by_hand: false,
                }),
                ..fine()
            },
        ),
        (
            "perhaps on air where the asker is not",
            Check {
                on_air: Some(OnAir::Hidden {
                    since: now(),
                    is_reported: false,
                    is_by_hand: false,
                }),
                ..fine()
            },
        ),
    ];
    for (title, code, said) in [
        ("a webinar", 3000, "Cannot access webinar info."),
        ("no meeting of theirs", 3001, "Meeting does not exist: 7."),
        (
            "another account's",
            1010,
            "User does not belong to this account.",
        ),
        ("no meeting number", 300, "Invalid meeting ID."),
        ("may not host", 3161, "Not allowed."),
        ("refused otherwise", 9, "Because."),
    ] {
        checks.push((
            title,
            at_zoom(|zoom| zoom.meeting = Some(Err(refused(code, said)))),
        ));
    }
    for (title, check) in &checks {
        page.entry(title, &hearing().check(check));
    }
    page.entry("Zoom's reports do not come here", &replies().check(&fine()));
    for why in [NotRead::ScopeMissing, NotRead::Limited, NotRead::NoAnswer] {
        page.entry(
            &format!("nothing read but the user: {why:?}"),
            &hearing().check(&unknown(&why)),
        );
    }
    for why in [
        NotRead::LinkDead,
        NotRead::Limited,
        NotRead::NoAnswer,
        NotRead::Misconfigured,
    ] {
        let nobody = at_zoom(|zoom| zoom.user = Err(why.clone()));
        page.entry(&format!("nothing read: {why:?}"), &hearing().check(&nobody));
    }
    snapshot("check", &page.0);
}

/// Where a start would go, in all the ways that a check says it.
#[test]
#[expect(clippy::too_many_lines, reason = "one table, an entry an answer")]
fn catalogue_of_checked_destinations() {
    let mut page = Page::default();
    let to = |goes| {
        let mut check = fine();
        check.goes = Some(goes);
        check.request.settings.destination = Some(destination("townhall"));
        check
    };
    let free = || Goes::To {
        name: destination("townhall"),
        page: "https://video.acme.example/townhall".to_owned(),
    };
    page.entry("free", &hearing().check(&to(free())));
    let mut rehearsed = to(free());
    rehearsed.request.settings.is_rehearsal = true;
    page.entry("a rehearsal", &hearing().check(&rehearsed));
    let mut older = to(free());
    older.acts = Acts::Own(link(false));
    page.entry("an older link", &hearing().check(&older));
    let mut any = to(free());
    any.request.meeting = None;
    any.zoom = at_zoom(|zoom| (zoom.meeting, zoom.destination) = (None, None)).zoom;
    page.entry("without a meeting", &hearing().check(&any));
    let in_use = |[is_sure, is_chosen, may_know, may_take]: [bool; 4]| Outcome::DestinationInUse {
        name: Some(destination("townhall")),
        since: now(),
        is_sure,
        is_chosen,
        stream: StreamId(7),
        meeting: may_know.then(|| number(84_230_850_123)),
        by: may_know.then(|| asker().user),
        may_take,
    };
    let refused = |rule, is_default| Outcome::DestinationRefused {
        name: destination("townhall"),
        rule,
        is_default,
        channels: vec![ChannelId::new("C0PRESS")],
        tests: Vec::new(),
    };
    for (title, outcome) in [
        ("in use", in_use([true, true, true, false])),
        ("in use elsewhere", in_use([true, true, false, false])),
        ("in use, for an admin", in_use([true, true, true, true])),
        ("perhaps in use", in_use([false, true, true, true])),
        (
            "another channel's",
            refused(DestinationRule::Channel, false),
        ),
        (
            "the default, which they may not use",
            refused(DestinationRule::People, true),
        ),
        (
            "none, and a near one",
            Outcome::NoSuchDestination {
                near: vec![destination("townhall")],
            },
        ),
        ("none", Outcome::NoSuchDestination { near: Vec::new() }),
        (
            "none for rehearsals",
            Outcome::NoTestDestination {
                choices: Vec::new(),
            },
        ),
        (
            "its key does not open",
            Outcome::DestinationBroken {
                name: destination("townhall"),
            },
        ),
        (
            "Slack does not answer",
            Outcome::NotKnown {
                fact: Fact::UserGroup,
                why: Unknown::NoAnswer,
            },
        ),
    ] {
        page.entry(title, &hearing().check(&to(Goes::Refused(outcome))));
    }
    for (title, asked) in [
        (
            "last sent to rehearsals",
            Outcome::LastSentToTest {
                name: Some(destination("staging")),
                stream: StreamId(7),
                choices: vec![destination("townhall")],
            },
        ),
        (
            "last sent nobody knows where",
            Outcome::LastSentNotKnown {
                name: Some(destination("press")),
                stream: StreamId(7),
                choices: vec![destination("press")],
            },
        ),
        (
            "last sent where another one goes now",
            in_use([false, false, true, true]),
        ),
    ] {
        let asked = Check {
            goes: Some(Goes::AsSetInZoom(Some(asked))),
            ..fine()
        };
        page.entry(title, &hearing().check(&asked));
    }
    snapshot("checked_destinations", &page.0);
}
