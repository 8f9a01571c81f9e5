//! Every message and view, at its longest, within Slack's limits.

use std::sync::LazyLock;

use chrono::Utc;
use livestream_bot::command::meeting::MeetingId;
use livestream_bot::command::outcome::{DestinationRule, Fact, Outcome, Refusal, Rule, Unknown};
use livestream_bot::command::request::{Action, LivestreamRequest, Options, Settings};
use livestream_bot::command::verb::Access;
use livestream_bot::command::{Command, ParseError};
use livestream_bot::db::commands::RecentCommand;
use livestream_bot::db::links::Link;
use livestream_bot::db::stream_topics::RecentMeeting;
use livestream_bot::demo::slack::block_kit::{check, check_home};
use livestream_bot::destination::DestinationName;
use livestream_bot::ids::{
    Asker, ChannelId, CommandId, EnterpriseId, SlackUserId, StreamId, TeamId, ZoomUserId,
};
use livestream_bot::reply::Replies;
use livestream_bot::reply::account::Unlinked;
use livestream_bot::reply::help::Standing;
use livestream_bot::reply::home::{Home, Meetings};
use livestream_bot::reply::outcomes::OutcomeContext;
use livestream_bot::reply::picker::{NotListed, Obstacle, Picker};
use livestream_bot::reply::reads::NotRead;
use livestream_bot::slack::form::Content;
use livestream_bot::slack::message::Message;
use livestream_bot::zoom::meetings::ListedMeeting;
use serde_json::{Value, json};

/// Longer than anything may be, and full of what must be escaped.
fn long() -> String {
    "<!channel> &`é\"".repeat(2000)
}

/// The longest name that a command may have.
static SLASH: LazyLock<String> = LazyLock::new(|| format!("/{}", "é".repeat(31)));

/// The messages of a service where people can link accounts themselves, or cannot.
fn replies_where(can_link: bool) -> Replies<'static> {
    Replies::new(&SLASH, can_link.then_some("https://my.host/admin"))
}

fn destination() -> DestinationName {
    "d".repeat(30).parse().expect("a name")
}

fn requests() -> Vec<LivestreamRequest> {
    let meeting = "91234567890".parse().expect("a meeting number");
    let settings = Settings {
        destination: Some(destination()),
        takes: vec![StreamId(i64::MAX); 4],
        is_rehearsal: false,
        display_name: Some("&".repeat(50)),
        active_speaker_name: Some(true),
        layout: Some(livestream_bot::command::request::Layout::SpeakerView),
        close_caption: Some(livestream_bot::command::request::Captions::BurntIn),
    };
    [Action::Start, Action::Stop]
        .map(|action| LivestreamRequest {
            action,
            meeting,
            settings: settings.clone(),
            is_confirmed: action == Action::Start,
        })
        .into()
}

/// All of them; adding one without adding it here does not compile.
#[expect(clippy::too_many_lines, reason = "one list, an outcome a line")]
fn outcomes() -> Vec<Outcome> {
    let all = vec![
        Outcome::Accepted,
        Outcome::NotAMeetingNumber,
        Outcome::NotSetUp,
        Outcome::NotStarted,
        Outcome::WrongAccount,
        Outcome::MayNotHost,
        Outcome::EndToEndEncrypted,
        Outcome::ScopeMissing,
        Outcome::Unauthorized,
        Outcome::NoSuchUser,
        Outcome::NoSuchMeeting,
        Outcome::StillStarting,
        Outcome::RateLimited,
        Outcome::DailyLimit {
            until: Some(Utc::now()),
        },
        Outcome::DailyLimit { until: None },
        Outcome::NoAnswer,
        Outcome::NotUnderstood { status: 299 },
        Outcome::ServerError { status: 599 },
        Outcome::Unreachable,
        Outcome::NotRenewed { status: Some(599) },
        Outcome::NotRenewed { status: None },
        Outcome::DisabledByAdmin,
        Outcome::AlreadyLive {
            since: Utc::now(),
            is_reported: true,
            is_by_hand: false,
            by: Some(SlackUserId::new("U1")),
            channel: Some(ChannelId::new("C".repeat(32))),
            card: Some(long()),
            destination: Some(destination()),
            may_start: true,
            is_sure: true,
            ends_by_itself: false,
            stream: Some(StreamId(i64::MAX)),
        },
        Outcome::AlreadyLive {
            since: Utc::now(),
            is_reported: false,
            is_by_hand: false,
            by: None,
            channel: None,
            card: None,
            destination: None,
            may_start: false,
            is_sure: false,
            ends_by_itself: true,
            stream: None,
        },
        Outcome::NoSuchDestination {
            near: vec![destination(); 3],
        },
        Outcome::NoTestDestination {
            choices: vec![destination(); 3],
        },
        Outcome::LastSentToTest {
            name: Some(destination()),
            stream: StreamId(i64::MAX),
            choices: vec![destination(); 3],
        },
        Outcome::DestinationRefused {
            name: destination(),
            rule: DestinationRule::Channel,
            is_default: true,
            channels: vec![ChannelId::new("C".repeat(32)); 300],
            tests: Vec::new(),
        },
        Outcome::DestinationRefused {
            name: destination(),
            rule: DestinationRule::NotTest,
            is_default: true,
            channels: Vec::new(),
            tests: vec![destination(); 3],
        },
        Outcome::DestinationInUse {
            name: Some(destination()),
            since: Utc::now(),
            is_sure: true,
            is_chosen: true,
            stream: StreamId(i64::MAX),
            meeting: MeetingId::from_number(90_000_000_000),
            by: Some(SlackUserId::new("U1")),
            may_take: true,
        },
        Outcome::DestinationInUse {
            name: Some(destination()),
            since: Utc::now(),
            is_sure: false,
            is_chosen: false,
            stream: StreamId(1),
            meeting: None,
            by: None,
            may_take: false,
        },
        Outcome::DestinationNotSet {
            name: destination(),
            why: Box::new(Outcome::Other {
                status: 599,
                code: Some(i64::MAX),
                message: long(),
            }),
        },
        Outcome::DestinationBroken {
            name: destination(),
        },
        Outcome::Interrupted,
        Outcome::TooLate,
        Outcome::LinkDead,
        Outcome::LinkEnded,
        Outcome::Unsupported { was_asked: false },
        Outcome::Unsupported { was_asked: true },
        Outcome::Unknown,
        Outcome::Misconfigured,
        Outcome::NotKnown {
            fact: Fact::Membership,
            why: Unknown::NoAnswer,
        },
        Outcome::NotKnown {
            fact: Fact::UserGroup,
            why: Unknown::CannotAsk,
        },
        Outcome::NeedsConfirmation {
            members: Some(i64::MAX),
            is_shared: true,
        },
        Outcome::NeedsConfirmation {
            members: None,
            is_shared: false,
        },
        Outcome::Other {
            status: 599,
            code: Some(i64::MAX),
            message: long(),
        },
        Outcome::Other {
            status: 400,
            code: None,
            message: String::new(),
        },
    ];
    let rules = RULES.map(|rule| Outcome::NotAllowed(refusal(rule)));
    let all = [all, rules.into()].concat();
    for outcome in &all {
        match outcome {
            Outcome::Accepted
            | Outcome::NotAMeetingNumber
            | Outcome::NotSetUp
            | Outcome::NotStarted
            | Outcome::WrongAccount
            | Outcome::MayNotHost
            | Outcome::EndToEndEncrypted
            | Outcome::ScopeMissing
            | Outcome::Unauthorized
            | Outcome::NoSuchUser
            | Outcome::NoSuchMeeting
            | Outcome::StillStarting
            | Outcome::RateLimited
            | Outcome::DailyLimit { .. }
            | Outcome::NoAnswer
            | Outcome::NotUnderstood { .. }
            | Outcome::ServerError { .. }
            | Outcome::Unreachable
            | Outcome::NotRenewed { .. }
            | Outcome::DisabledByAdmin
            | Outcome::AlreadyLive { .. }
            | Outcome::LastSentNotKnown { .. }
            | Outcome::Interrupted
            | Outcome::NoSuchDestination { .. }
            | Outcome::NoTestDestination { .. }
            | Outcome::LastSentToTest { .. }
            | Outcome::DestinationRefused { .. }
            | Outcome::DestinationInUse { .. }
            | Outcome::DestinationNotSet { .. }
            | Outcome::DestinationBroken { .. }
            | Outcome::TooLate
            | Outcome::LinkDead
            | Outcome::LinkEnded
            | Outcome::Unsupported { .. }
            | Outcome::Unknown
            | Outcome::Misconfigured
            | Outcome::NotAllowed { .. }
            | Outcome::NotKnown { .. }
            | Outcome::NeedsConfirmation { .. }
            | Outcome::Other { .. } => {}
        }
    }
    all
}

const RULES: [Rule; 5] = [
    Rule::Members,
    Rule::Named,
    Rule::Group,
    Rule::Channel,
    Rule::Unknown,
];

const ACCESS: [Access; 6] = [
    Access::Linked,
    Access::LinkDead,
    Access::NotLinked,
    Access::OperatorMustLink,
    Access::StopOnly,
    Access::NotAllowed,
];

/// A refusal with everything that may be known of it.
fn refusal(rule: Rule) -> Refusal {
    Refusal {
        rule,
        set_by: Some(SlackUserId::new("U1")),
        channels: vec![ChannelId::new("C".repeat(32)); 10],
    }
}

/// What somebody can do, with every refusal.
fn standings(access: Access) -> impl Iterator<Item = Standing> {
    let refusals = RULES.map(|rule| Some(refusal(rule)));
    refusals
        .into_iter()
        .chain([None])
        .map(move |refusal| Standing {
            access,
            refusal,
            only_in: vec![ChannelId::new("C".repeat(32)); 10],
            cannot_ask: None,
            is_shared: false,
            has_destinations: true,
        })
}

fn links() -> [Option<Link>; 4] {
    let link = |is_dead, refusal| {
        Some(Link {
            worked_at: None,
            zoom_user: ZoomUserId::new("zoom-dana"),
            scope: String::new(),
            email: long(),
            since: Utc::now(),
            is_dead,
            refusal,
        })
    };
    [
        None,
        link(false, None),
        link(true, None),
        link(false, Some(long())),
    ]
}

#[track_caller]
fn assert_fits(message: &Message) {
    let message = serde_json::to_value(message).expect("JSON");
    if let Err(problem) = check(&message) {
        panic!("{problem:#}: {message}");
    }
}

fn asker() -> Asker {
    Asker {
        enterprise: Some(EnterpriseId::new("E1")),
        team: TeamId::new("T1"),
        user: SlackUserId::new("U1"),
    }
}

fn refused(code: i64) -> NotRead {
    NotRead::Refused {
        code: Some(code),
        said: long(),
    }
}

/// Three hundred meetings in each list, with the longest options and the longest topics.
fn picker() -> Picker {
    let [start, _] = <[LivestreamRequest; 2]>::try_from(requests()).expect("a start and a stop");
    let item = |n: i64| ListedMeeting {
        meeting: MeetingId::from_number(90_000_000_000 + n).expect("a number"),
        topic: Some(long().chars().take(200).collect()),
        starts_at: Some(Utc::now()),
        zone: Some(chrono_tz::America::Argentina::ComodRivadavia),
    };
    let recent = |n: i64| RecentMeeting {
        meeting: item(n).meeting,
        topic: item(n).topic,
        is_personal_room: true,
        at: Utc::now(),
    };
    Picker {
        options: Options {
            settings: Settings {
                takes: Vec::new(),
                ..start.settings
            },
            is_confirmed: true,
        },
        running: (0..300).map(item).collect(),
        coming: (300..600).map(item).collect(),
        recent: (600..605).map(recent).collect(),
        personal_room: Some(item(700).meeting),
        has_more: true,
        is_shared: false,
        not_listed: NotListed {
            running: Some(refused(1)),
            coming: Some(refused(2)),
            room: Some(refused(3)),
        },
        obstacle: None,
        now: Utc::now(),
        zone: None,
        on_air: Vec::new(),
        more_on_air: 7,
        surely_on_air: Vec::new(),
        destinations: vec![destination(); 120],
        default_destination: Some(destination()),
    }
}

#[test]
fn every_picker_fits() {
    assert_fits(&replies_where(true).picker(&asker(), &picker()));
    for rule in RULES {
        let obstacle = Obstacle::Rule(refusal(rule));
        let refused = Picker {
            obstacle: Some(obstacle),
            ..picker()
        };
        assert_fits(&replies_where(true).picker(&asker(), &refused));
    }
    let none = Picker::default();
    assert_fits(&replies_where(false).picker(&asker(), &none));
}

#[test]
fn every_outcome_fits() {
    let asker = asker();
    let words = long();
    for request in requests() {
        for outcome in outcomes() {
            for (can_link, is_direct, zoom_message) in
                [(true, false, None), (false, true, Some(&*words))]
            {
                let told = OutcomeContext {
                    command: CommandId(i64::MAX),
                    asker: &asker,
                    is_direct,
                    is_private: is_direct,
                    request: &request,
                    is_from_card: is_direct,
                    is_on_card: false,
                    is_shared: false,
                    has_bot: is_direct,
                    starter: Some(&asker.user),
                    zoom_message,
                    is_destination_set: true,
                };
                assert_fits(&replies_where(can_link).outcome(&told, &outcome));
            }
        }
    }
}

#[test]
fn every_mistake_fits() {
    let replies = replies_where(true);
    let typed = [
        format!("{} 68423085", long()),
        "strat 68423085".to_owned(),
        "strat".to_owned(),
        "conect".to_owned(),
        "68423085".to_owned(),
        "stop name=a".to_owned(),
        format!("start {}", long()),
        "start 1".to_owned(),
        "start https://zoom.us/my/dana".to_owned(),
        "start https://zoom.us/meeting/register/abc".to_owned(),
        "start https://zoom.us/rec/share/abc".to_owned(),
        format!("start https://{}.example/j/68423085", "a".repeat(60)),
        "start https://zoom.us/test".to_owned(),
        format!("start 68423085 {}=1", "x".repeat(5000)),
        "start 68423085 nam=1".to_owned(),
        "start 68423085 name=a name=b".to_owned(),
        format!("start 68423085 layout={}", "x".repeat(5000)),
        format!("start 68423085 name={}", "x".repeat(5000)),
        "start 68423085 name=".to_owned(),
        "stop 68423085 name=a".to_owned(),
        "start 68423085 name=\"a".to_owned(),
        "start 68423085 1234".to_owned(),
        "start 68423085, 68423086".to_owned(),
        format!("start 68423085 {}", "x ".repeat(5000)),
        format!(
            "start 68423085 {}x layout=gallery speaker=on captions=off",
            "&amp;".repeat(49)
        ),
        format!("start 68423085 name=a {}", "x ".repeat(5000)),
        format!("strat 68423085 name={}", "&amp;".repeat(50)),
        "start 68423085 name".to_owned(),
        "start 68423085 name=<@U1>".to_owned(),
        format!("start 68423085 name=:{}:", "x".repeat(5000)),
        format!("start https://{}.mimecast.com/s/x", "a".repeat(60)),
        "start https://zoom.us/p/68423085".to_owned(),
    ];
    for text in typed {
        let mistake: ParseError = text.parse::<Command>().expect_err(&text);
        for standing in ACCESS.into_iter().flat_map(standings) {
            assert_fits(&replies.mistake(&mistake, &standing));
        }
    }
}

#[test]
fn every_answer_fits() {
    let (replies, long, user) = (replies_where(true), long(), SlackUserId::new("U1"));
    let url = format!("https://my.host/link/{}", "0".repeat(64));
    for standing in ACCESS.into_iter().flat_map(standings) {
        assert_fits(&replies.help(&standing));
    }
    for request in requests() {
        for can_link in [true, false] {
            assert_fits(&replies_where(can_link).not_linked(&request));
            assert_fits(&replies_where(can_link).link_dead(&request, false));
        }
        assert_fits(&replies.already_under_way(
            request.action,
            request.meeting,
            Some(&user),
            i64::MAX,
        ));
        assert_fits(&replies.linked(&long, &long, Some(&request.to_string())));
        assert_fits(&replies.running(&request.to_string()));
    }
    for unlinked in [
        Unlinked::NotLinked,
        Unlinked::UsedByOthers,
        Unlinked::UsedByWorkspace,
        Unlinked::SharedWithThem,
        Unlinked::Revoked,
        Unlinked::NotRevoked,
    ] {
        assert_fits(&replies.disconnected(&unlinked));
    }
    for link in links() {
        for access in ACCESS {
            let standing = Standing::unrestricted(access);
            assert_fits(&replies.whoami(link.as_ref(), &standing));
        }
    }
    assert_fits(&replies.linked(&long, &long, None));
    assert_fits(&replies.connect(&url, None));
    assert_fits(&replies.linking_not_set_up());
    assert_fits(&replies.link_opened_by_somebody_else(None));
    // What was typed is kept as a request is printed.
    for request in requests() {
        let typed = request.to_string();
        assert_fits(&replies.link_opened_by_somebody_else(Some(&typed)));
        assert_fits(&replies.linked(&long, &long, Some(&typed)));
    }
    assert_fits(&replies.cannot_tell());
    assert_fits(&replies.database_refuses());
    assert_fits(&replies.wrong_app());
    for rule in RULES {
        assert_fits(&replies.not_allowed(&refusal(rule)));
        assert_fits(&replies.connect(&url, Some(&refusal(rule))));
    }
    let pressed = Content {
        text: long.replace("<!channel>", ""),
        blocks: vec![
            json!({ "type": "section", "text": { "type": "mrkdwn", "text": "x" } }),
            json!({ "type": "actions", "elements": [] }),
        ],
    };
    assert_fits(&replies.pressed(pressed, &user, &long));
}

#[test]
fn every_home_fits() {
    for link in links() {
        let url = format!("https://my.host/link/{}", "0".repeat(64));
        for (standing, offer) in ACCESS
            .into_iter()
            .flat_map(standings)
            .flat_map(|standing| [None, Some(url.clone())].map(|offer| (standing.clone(), offer)))
        {
            let mut outcomes = outcomes().into_iter().map(Some).chain([None]);
            loop {
                let last: Vec<_> = outcomes
                    .by_ref()
                    .take(5)
                    .map(|outcome| RecentCommand {
                        command_id: CommandId(i64::MAX),
                        action: "start".to_owned(),
                        meeting: "91234567890".parse().expect("a meeting number"),
                        topic: Some("&".repeat(200)),
                        received_at: Utc::now(),
                        outcome,
                    })
                    .collect();
                let is_last = last.is_empty();
                let home = Home {
                    link: link.clone(),
                    live: Vec::new(),
                    last,
                    offer: offer.clone(),
                    standing: standing.clone(),
                    meetings: Meetings::Listed(Box::new(picker())),
                    is_admin: true,
                };
                let view: Value =
                    json!({ "type": "home", "blocks": replies_where(true).home(&asker(), &home) });
                if let Err(problem) = check_home(&view) {
                    panic!("{problem:#}: {view}");
                }
                if is_last {
                    break;
                }
            }
        }
    }
}
