//! Everything the bot says in Slack, as a person reads it, in reviewed snapshots: one file a
//! topic in `tests/catalogue`. `INSTA_UPDATE=always cargo test --lib catalogue` rewrites them.

mod meetings;
mod streams;

use std::fmt::Write;

use chrono::{DateTime, Utc};
use insta::assert_snapshot;
use serde_json::{Value, json};
use strum::{VariantArray, VariantNames};

use crate::command::Command;
use crate::command::outcome::{DestinationRule, Fact, Outcome, Refusal, Rule, Unknown};
use crate::command::request::{Action, LivestreamRequest};
use crate::command::verb::Access;
use crate::db::commands::RecentCommand;
use crate::db::grants::UNOPENED;
use crate::db::links::Link;
use crate::destination::DestinationName;
use crate::ids::{Asker, ChannelId, CommandId, SlackUserId, StreamId, TeamId, ZoomUserId};
use crate::reply::Replies;
use crate::reply::account::Unlinked;
use crate::reply::help::Standing;
use crate::reply::home::{Home, Meetings};
use crate::reply::outcomes::OutcomeContext;
use crate::slack::form::Content;
use crate::slack::message::Message;

const ADMIN_URL: &str = "https://livestream.example.com/admin";
const LINK_URL: &str = "https://livestream.example.com/link/…";

/// A page of the catalogue, written entry by entry.
#[derive(Default)]
struct Page(String);

impl Page {
    fn entry(&mut self, title: &str, message: &Message) {
        let message = serde_json::to_value(message).expect("JSON");
        let readers = match message["response_type"].as_str() {
            Some("in_channel") => "the channel reads",
            _ => "only the person reads",
        };
        writeln!(self.0, "── {title} ({readers})").expect("a string");
        self.blocks(&message["blocks"]);
    }

    fn blocks(&mut self, blocks: &Value) {
        for block in blocks.as_array().expect("blocks") {
            let line = match block["type"].as_str() {
                Some("section") if block["accessory"].is_object() => {
                    format!(
                        "{} {}",
                        read(&block["text"]["text"]),
                        accessory(&block["accessory"])
                    )
                }
                Some("section") => read(&block["text"]["text"]),
                Some("header") => format!("# {}", read(&block["text"]["text"])),
                Some("context") => format!("small: {}", read(&block["elements"][0]["text"])),
                Some("actions") => buttons(&block["elements"]),
                other => panic!("a block of type {other:?}"),
            };
            assert_reads_back(&line);
            writeln!(self.0, "{line}").expect("a string");
        }
        self.0.push('\n');
    }
}

/// Every command that is shown can be copied, with its backticks or without, and typed.
fn assert_reads_back(shown: &str) {
    let marked = shown.split('`').skip(1).step_by(2);
    for command in marked.filter(|text| text.starts_with("/livestream ")) {
        for pasted in [
            command.to_owned(),
            format!("`{command}`"),
            format!("`{command}`."),
        ] {
            let read = Command::from_button(&pasted);
            assert!(read.is_ok(), "{pasted}: {read:?}");
        }
    }
}

fn buttons(elements: &Value) -> String {
    let elements = elements.as_array().expect("buttons");
    let buttons = elements.iter().map(|button| {
        let label = read(&button["text"]["text"]);
        let action = match (button["value"].as_str(), button["url"].as_str()) {
            (Some(typed), _) => {
                let read = Command::from_button(typed);
                assert!(read.is_ok(), "{typed}: {read:?}");
                format!("types {typed}")
            }
            (None, url) => format!("opens {}", url.expect("a button does something")),
        };
        let question = button.get("confirm").map(|confirm| {
            let (text, yes) = (&confirm["text"]["text"], &confirm["confirm"]["text"]);
            let no = &confirm["deny"]["text"];
            format!(", asks: {} [{}] [{}]", read(text), read(yes), read(no))
        });
        format!("[{label}] {action}{}", question.unwrap_or_default())
    });
    buttons.collect::<Vec<_>>().join("\n")
}

/// What stands beside a paragraph.
fn accessory(part: &Value) -> String {
    let Some(options) = part["options"].as_array() else {
        return buttons(&json!([part]));
    };
    let options = options.iter().map(|option| {
        let typed = option["value"].as_str().expect("a value");
        let parsed = Command::from_button(typed);
        assert!(parsed.is_ok(), "{typed}: {parsed:?}");
        let note = option.get("description").map(|note| read(&note["text"]));
        let note = note.map_or_else(String::new, |note| format!(" ({note})"));
        let is_chosen = part.get("initial_option") == Some(option);
        let sign = if is_chosen { "✓" } else { " " };
        format!(
            "\n {sign}{}{note} types {typed}",
            read(&option["text"]["text"])
        )
    });
    let options: String = options.collect();
    let placeholder = read(&part["placeholder"]["text"]);
    let question = part
        .get("confirm")
        .map(|confirm| read(&confirm["text"]["text"]));
    let question = question.map_or_else(String::new, |question| format!(" asks: {question}"));
    format!("[{placeholder} ▾]{question}{options}")
}

/// mrkdwn as Slack shows it: times by their plain text, links by their label, no escapes.
fn read(text: &Value) -> String {
    let mut text = text.as_str().expect("text");
    let mut shown = String::new();
    while let Some((before, rest)) = text.split_once('<') {
        let (inner, after) = rest
            .split_once('>')
            .unwrap_or_else(|| panic!("a closed <…>: {text}"));
        shown.push_str(before);
        let label = inner.rsplit('|').next().expect("a part");
        shown.push_str(label);
        text = after;
    }
    shown.push_str(text);
    shown
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

/// Compares a text with its reviewed snapshot in `tests/catalogue`.
pub(crate) fn snapshot(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../../tests/catalogue");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| assert_snapshot!(name, text));
}

/// The messages of a service where people can link accounts themselves.
pub(crate) fn replies() -> Replies<'static> {
    Replies::new("/livestream", Some(ADMIN_URL))
}

/// The same where only the operator can link accounts.
fn replies_without_linking() -> Replies<'static> {
    Replies::new("/livestream", None)
}

fn asker() -> Asker {
    Asker {
        enterprise: None,
        team: TeamId::new("T0ACME"),
        user: SlackUserId::new("@Dana"),
    }
}

fn ada() -> SlackUserId {
    SlackUserId::new("@Ada")
}

fn request(text: &str) -> LivestreamRequest {
    match text.parse() {
        Ok(Command::Livestream(request)) => request,
        other => panic!("{text}: {other:?}"),
    }
}

fn destination(name: &str) -> DestinationName {
    name.parse().expect("a name")
}

fn at() -> DateTime<Utc> {
    "2026-11-25T15:02:00Z".parse().expect("a time")
}

fn link(is_dead: bool) -> Link {
    Link {
        zoom_user: ZoomUserId::new("zoom-dana"),
        scope: "meeting:update:livestream_status user:read:user".to_owned(),
        email: "dana@acme.example".to_owned(),
        since: at(),
        is_dead,
        refusal: None,
        worked_at: Some(at()),
    }
}

fn new_link() -> Link {
    Link {
        worked_at: None,
        ..link(false)
    }
}

fn refused_link() -> Link {
    Link {
        refusal: Some("Invalid client_id or client_secret (invalid_client)".to_owned()),
        ..link(false)
    }
}

fn unopened_link() -> Link {
    Link {
        refusal: Some(UNOPENED.to_owned()),
        ..link(false)
    }
}

/// Every rule that refuses, with and without what may be known of it.
fn refusals() -> Vec<Refusal> {
    let refusal = |rule: &Rule, set_by, channels: &[&str]| Refusal {
        rule: *rule,
        set_by,
        channels: channels.iter().map(|id| ChannelId::new(*id)).collect(),
    };
    let each = Rule::VARIANTS
        .iter()
        .flat_map(|rule| [None, Some(ada())].map(|set_by| refusal(rule, set_by, &[])));
    let listed = refusal(&Rule::Channel, Some(ada()), &["#town-hall", "#all-acme"]);
    each.chain([listed]).collect()
}

/// What this access goes with.
fn standing(access: Access) -> Standing {
    let refuses = matches!(access, Access::StopOnly | Access::NotAllowed);
    let refusal = refusals()
        .into_iter()
        .find(|refusal| refuses && refusal.set_by.is_some() && refusal.rule == Rule::Named);
    Standing {
        refusal,
        ..Standing::unrestricted(access)
    }
}

/// That of somebody who acts with the account that their workspace shares.
fn shared(is_dead: bool) -> Standing {
    Standing {
        is_shared: true,
        ..Standing::unrestricted(Access::of(Some(is_dead), false, true))
    }
}

/// Every outcome.
fn all_outcomes() -> Vec<Outcome> {
    [
        outcomes(),
        outcomes_of_destinations(),
        live_on_destinations(),
        outcomes_of_destinations_in_use(),
    ]
    .concat()
}

/// What is said of destinations.
fn outcomes_of_destinations() -> Vec<Outcome> {
    vec![
        Outcome::NoSuchDestination {
            near: vec![destination("townhall")],
        },
        Outcome::NoSuchDestination { near: Vec::new() },
        Outcome::NoTestDestination {
            choices: Vec::new(),
        },
        Outcome::NoTestDestination {
            choices: vec![destination("test"), destination("test-2")],
        },
        Outcome::LastSentToTest {
            name: None,
            stream: StreamId(12),
            choices: Vec::new(),
        },
        Outcome::DestinationInUse {
            name: None,
            since: at(),
            is_sure: false,
            is_chosen: false,
            stream: StreamId(12),
            meeting: None,
            by: None,
            may_take: true,
        },
        Outcome::LastSentNotKnown {
            name: Some(destination("press")),
            stream: StreamId(13),
            choices: vec![destination("press"), destination("townhall")],
        },
        Outcome::LastSentNotKnown {
            name: None,
            stream: StreamId(13),
            choices: Vec::new(),
        },
        Outcome::LastSentToTest {
            name: Some(destination("test")),
            stream: StreamId(11),
            choices: vec![destination("press"), destination("townhall")],
        },
        refused_on(DestinationRule::NotTest),
        Outcome::DestinationRefused {
            name: destination("press"),
            rule: DestinationRule::NotTest,
            is_default: false,
            channels: Vec::new(),
            tests: vec![destination("test"), destination("test-2")],
        },
        refused_on(DestinationRule::Channel),
        refused_on(DestinationRule::People),
        refused_on(DestinationRule::Group),
        refused_on(DestinationRule::ZoomAccount),
        refused_on(DestinationRule::Test),
        refused_on(DestinationRule::Unknown),
    ]
}

/// What is said of what goes on already, and where it goes.
fn live_on_destinations() -> Vec<Outcome> {
    vec![
        Outcome::AlreadyLive {
            since: at(),
            is_reported: true,
            is_by_hand: false,
            by: Some(ada()),
            channel: Some(ChannelId::new("#town-hall")),
            card: None,
            destination: Some(destination("press")),
            may_start: false,
            is_sure: true,
            ends_by_itself: false,
            stream: Some(StreamId(7)),
        },
        Outcome::AlreadyLive {
            since: at(),
            is_reported: false,
            is_by_hand: false,
            by: Some(ada()),
            channel: None,
            card: None,
            destination: Some(destination("townhall")),
            may_start: true,
            is_sure: false,
            ends_by_itself: false,
            stream: Some(StreamId(12)),
        },
        Outcome::AlreadyLive {
            since: at(),
            is_reported: false,
            is_by_hand: false,
            by: Some(ada()),
            channel: None,
            card: None,
            destination: Some(destination("test")),
            may_start: false,
            is_sure: true,
            ends_by_itself: true,
            stream: Some(StreamId(13)),
        },
        Outcome::AlreadyLive {
            since: at(),
            is_reported: false,
            is_by_hand: false,
            by: Some(ada()),
            channel: None,
            card: None,
            destination: Some(destination("press")),
            may_start: false,
            is_sure: false,
            ends_by_itself: false,
            stream: Some(StreamId(14)),
        },
        Outcome::AlreadyLive {
            since: at(),
            is_reported: true,
            is_by_hand: true,
            by: None,
            channel: None,
            card: None,
            destination: None,
            may_start: true,
            is_sure: true,
            ends_by_itself: false,
            stream: Some(StreamId(12)),
        },
    ]
}

/// A rule of the destination `press` refuses it.
fn refused_on(rule: DestinationRule) -> Outcome {
    let is_channel = rule == DestinationRule::Channel;
    Outcome::DestinationRefused {
        name: destination("press"),
        rule,
        is_default: is_channel,
        channels: is_channel
            .then(|| ChannelId::new("C0PRESS"))
            .into_iter()
            .collect(),
        tests: Vec::new(),
    }
}

/// What is said of destinations that are in use, or that Zoom does not take.
fn outcomes_of_destinations_in_use() -> Vec<Outcome> {
    vec![
        Outcome::DestinationInUse {
            name: Some(destination("townhall")),
            since: at(),
            is_sure: true,
            is_chosen: true,
            stream: StreamId(12),
            meeting: "842308501".parse().ok(),
            by: Some(ada()),
            may_take: false,
        },
        Outcome::DestinationInUse {
            name: Some(destination("townhall")),
            since: at(),
            is_sure: true,
            is_chosen: true,
            stream: StreamId(12),
            meeting: None,
            by: None,
            may_take: true,
        },
        Outcome::DestinationInUse {
            name: Some(destination("townhall")),
            since: at(),
            is_sure: false,
            is_chosen: true,
            stream: StreamId(12),
            meeting: "842308501".parse().ok(),
            by: Some(ada()),
            may_take: true,
        },
        Outcome::DestinationInUse {
            name: Some(destination("townhall")),
            since: at(),
            is_sure: false,
            is_chosen: false,
            stream: StreamId(12),
            meeting: "842308501".parse().ok(),
            by: Some(ada()),
            may_take: true,
        },
        Outcome::DestinationNotSet {
            name: destination("townhall"),
            why: Box::new(Outcome::ScopeMissing),
        },
        Outcome::DestinationNotSet {
            name: destination("townhall"),
            why: Box::new(Outcome::NotSetUp),
        },
        Outcome::DestinationNotSet {
            name: destination("townhall"),
            why: Box::new(Outcome::NoSuchMeeting),
        },
        Outcome::DestinationNotSet {
            name: destination("townhall"),
            why: Box::new(Outcome::NoAnswer),
        },
        Outcome::DestinationNotSet {
            name: destination("townhall"),
            why: Box::new(Outcome::ServerError { status: 503 }),
        },
        Outcome::DestinationNotSet {
            name: destination("townhall"),
            why: Box::new(Outcome::Interrupted),
        },
        Outcome::DestinationBroken {
            name: destination("townhall"),
        },
    ]
}

/// Every outcome; a test holds that none is missing.
fn outcomes() -> Vec<Outcome> {
    let rules = refusals().into_iter().map(Outcome::NotAllowed);
    let unknown = Fact::VARIANTS.iter().flat_map(|fact| {
        Unknown::VARIANTS.iter().map(|why| Outcome::NotKnown {
            fact: *fact,
            why: *why,
        })
    });
    let asked = [(Some(812), false), (Some(812), true), (None, false)];
    let asked = asked.map(|(members, is_shared)| Outcome::NeedsConfirmation { members, is_shared });
    let others = [(Some(5010), "A message <we> do not know."), (None, "")];
    let others = others.map(|(code, message)| Outcome::Other {
        status: 400,
        code,
        message: message.to_owned(),
    });
    [
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
        Outcome::DailyLimit { until: Some(at()) },
        Outcome::DailyLimit { until: None },
        Outcome::NoAnswer,
        Outcome::ServerError { status: 503 },
        Outcome::NotUnderstood { status: 200 },
        Outcome::Unreachable,
        Outcome::NotRenewed { status: Some(503) },
        Outcome::NotRenewed { status: None },
        Outcome::DisabledByAdmin,
        Outcome::Interrupted,
        Outcome::TooLate,
        Outcome::LinkDead,
        Outcome::LinkEnded,
        Outcome::Unsupported { was_asked: false },
        Outcome::Unsupported { was_asked: true },
        Outcome::Unknown,
        Outcome::Misconfigured,
    ]
    .into_iter()
    .chain(already_live())
    .chain(rules)
    .chain(unknown)
    .chain(asked)
    .chain(others)
    .collect()
}

/// What is said of what goes on already.
fn already_live() -> Vec<Outcome> {
    vec![
        Outcome::AlreadyLive {
            since: at(),
            is_reported: true,
            is_by_hand: false,
            by: Some(ada()),
            channel: Some(ChannelId::new("#town-hall")),
            card: Some("https://acme.slack.example/archives/C0/p1".to_owned()),
            destination: None,
            may_start: true,
            is_sure: true,
            ends_by_itself: false,
            stream: None,
        },
        Outcome::AlreadyLive {
            since: at(),
            is_reported: false,
            is_by_hand: false,
            by: Some(ada()),
            channel: Some(ChannelId::new("#town-hall")),
            card: None,
            destination: None,
            may_start: true,
            is_sure: true,
            ends_by_itself: false,
            stream: None,
        },
        Outcome::AlreadyLive {
            since: at(),
            is_reported: true,
            is_by_hand: false,
            by: None,
            channel: None,
            card: None,
            destination: None,
            may_start: true,
            is_sure: true,
            ends_by_itself: false,
            stream: None,
        },
        Outcome::AlreadyLive {
            since: at(),
            is_reported: true,
            is_by_hand: true,
            by: None,
            channel: None,
            card: None,
            destination: None,
            may_start: true,
            is_sure: true,
            ends_by_itself: false,
            stream: None,
        },
    ]
}

#[test]
fn catalogue_of_outcomes_with_a_shared_account() {
    let mut page = Page::default();
    for typed in ["start 68423085", "stop 68423085"] {
        let shared = OutcomeContext {
            command: CommandId(17),
            asker: &asker(),
            is_direct: false,
            is_private: false,
            request: &request(typed),
            is_from_card: false,
            is_on_card: false,
            is_shared: true,
            has_bot: true,
            starter: None,
            zoom_message: None,
            is_destination_set: false,
        };
        for outcome in [
            Outcome::ScopeMissing,
            Outcome::LinkDead,
            Outcome::NoSuchUser,
            Outcome::WrongAccount,
            Outcome::DestinationNotSet {
                name: destination("townhall"),
                why: Box::new(Outcome::ScopeMissing),
            },
        ] {
            let title = format!("{typed}: {}", outcome.name());
            page.entry(&title, &replies().outcome(&shared, &outcome));
        }
    }
    snapshot("outcomes_with_a_shared_account", &page.0);
}

#[test]
fn catalogue_of_outcomes() {
    let mut page = Page::default();
    for name in Outcome::VARIANTS {
        let is_listed = all_outcomes().iter().any(|outcome| outcome.name() == *name);
        assert!(is_listed, "{name} is not in the catalogue");
    }
    for typed in [
        "start 68423085",
        "stop 68423085",
        "start 68423085 to=townhall",
    ] {
        let request = request(typed);
        let context = OutcomeContext {
            command: CommandId(17),
            asker: &asker(),
            is_direct: false,
            is_private: false,
            request: &request,
            is_from_card: false,
            is_on_card: false,
            is_shared: false,
            has_bot: true,
            starter: None,
            zoom_message: None,
            is_destination_set: false,
        };
        for outcome in all_outcomes() {
            let is_asked = matches!(
                outcome,
                Outcome::NeedsConfirmation { .. } | Outcome::AlreadyLive { .. }
            );
            let about = ["destination", "last_sent", "already_live"];
            let is_of_destination = about.iter().any(|part| outcome.name().contains(part));
            let sends = request.destination().is_some();
            if (request.action == Action::Stop && is_asked)
                || (is_of_destination && !sends && outcome.name() != "already_live")
                || (sends && !is_of_destination && !outcome.is_zooms())
            {
                continue; // Nobody is asked before a stop, nor told of a destination without one.
            }
            let title = format!("{typed}: {}", outcome.name());
            page.entry(&title, &replies().outcome(&context, &outcome));
        }
        for (outcome, zoom_message) in [
            (Outcome::NotSetUp, "Cannot access webinar info."),
            (
                Outcome::NoSuchMeeting,
                "Not meeting host. <https://zoom.us|Look>",
            ),
            (Outcome::NotUnderstood { status: 200 }, "Queued."),
            (
                Outcome::ServerError { status: 503 },
                "Maintenance until noon.",
            ),
            (Outcome::NotRenewed { status: Some(429) }, "Slow down."),
            (Outcome::DisabledByAdmin, "Disabled by admin (code 4738)"),
            (
                Outcome::Misconfigured,
                "Invalid client_id or client_secret (invalid_client)",
            ),
        ] {
            let context = OutcomeContext {
                zoom_message: Some(zoom_message),
                ..context
            };
            let title = format!("{typed}: {}, with what Zoom said", outcome.name());
            page.entry(&title, &replies().outcome(&context, &outcome));
        }
    }
    let request = request("start 68423085 name=\"Town Hall\"");
    let context = OutcomeContext {
        command: CommandId(17),
        asker: &asker(),
        is_direct: true,
        is_private: false,
        request: &request,
        is_from_card: false,
        is_on_card: false,
        is_shared: false,
        has_bot: false,
        starter: None,
        zoom_message: None,
        is_destination_set: false,
    };
    page.entry(
        "without a Zoom account, in a direct message, where only the operator links",
        &replies_without_linking().outcome(&context, &Outcome::LinkDead),
    );
    snapshot("outcomes", &page.0);
}

#[test]
fn catalogue_of_what_is_said_at_once() {
    let mut page = Page::default();
    let start = request("start 68423085");
    for request in [start.clone(), request("stop 68423085")] {
        let (action, meeting) = (request.action, request.meeting);
        page.entry(
            &format!("{request}, under way"),
            &replies().already_under_way(action, meeting, Some(&ada()), 4),
        );
        page.entry(
            &format!("{request}, under way in another workspace"),
            &replies().already_under_way(action, meeting, None, 4),
        );
        page.entry(
            &format!("{request}, pressed where only the presser reads"),
            &replies().running(&request.to_string()),
        );
    }
    let content = || Content {
        text: "The message with the button.".to_owned(),
        blocks: vec![
            json!({ "type": "section", "text": { "type": "mrkdwn", "text": "The message with the button." } }),
            json!({ "type": "actions", "elements": [] }),
        ],
    };
    page.entry(
        "stop 68423085, pressed in the channel",
        &replies().pressed(content(), &asker().user, "stop 68423085"),
    );
    page.entry(
        "pressed on a message that another one has replaced",
        &replies().not_kept_up_to_date(content()),
    );
    for refusal in refusals() {
        let title = format!("refused by the rule {:?}", refusal.rule);
        page.entry(&title, &replies().not_allowed(&refusal));
    }
    page.entry(
        "refused where there is no admin page",
        &replies_without_linking().not_allowed(&Refusal {
            rule: Rule::Named,
            set_by: None,
            channels: Vec::new(),
        }),
    );
    page.entry("the database does not answer", &replies().cannot_tell());
    page.entry(
        "the database answers with an error",
        &replies().database_refuses(),
    );
    page.entry("for another Slack app", &replies().wrong_app());
    page.entry("accepted, with a passcode", &replies().on_it());
    snapshot("at_once", &page.0);
}

#[test]
fn catalogue_of_help() {
    let mut page = Page::default();
    for access in Access::VARIANTS {
        page.entry(
            &format!("help, {access:?}"),
            &replies().help(&standing(*access)),
        );
    }
    for refusal in refusals() {
        let title = format!("help, linked, refused by the rule {:?}", refusal.rule);
        let access = match refusal.rule {
            Rule::Channel => Access::Linked,
            _ => Access::StopOnly,
        };
        let standing = Standing {
            refusal: Some(refusal),
            ..Standing::unrestricted(access)
        };
        page.entry(&title, &replies().help(&standing));
    }
    for shared in [shared(false), shared(true)] {
        let title = format!(
            "help, a shared account, is dead: {}",
            shared.is_shared_dead()
        );
        page.entry(&title, &replies().help(&shared));
    }
    let unable = Standing {
        cannot_ask: Some(Fact::UserGroup),
        ..standing(Access::Linked)
    };
    page.entry("help, Slack may not be asked", &replies().help(&unable));
    snapshot("help", &page.0);
}

#[test]
fn catalogue_of_mistakes() {
    let mut page = Page::default();
    let typed = [
        "frobnicate",
        "strat 68423085",
        "strat",
        "conect",
        "68423085",
        "stop layout=gallery",
        "start town hall",
        "start 1234567",
        "start https://zoom.us/my/dana",
        "start https://zoom.us/meeting/register/abc",
        "start https://zoom.us/rec/share/abc",
        "start https://meet.example.com/j/68423085",
        "start https://zoom.us/test",
        "start https://zoom.us/p/123456789",
        "start https://protect-us.mimecast.com/s/AbCdEf",
        "start https://nam12.safelinks.protection.outlook.com/?url=https%3A%2F%2Fmeet.example.com%2Fj%2F1",
        "start https://zoom.us/j/84230850123?pwd=secret Town Hall",
        "https://zoom.us/j/84230850123?pwd=secret Town Hall",
        "start 68423085 layout=https://zoom.us/j/1?pwd=secret",
        "start 68423085 Passcode: Ab=c1",
        "start name=842 3085 0123",
        "start id=68423085",
        "68423085 stop",
        "start 84230850 1234",
        "start 68423085, 84230850123",
        "start 684230851234 name=\"Town Hall\"",
        "start 68423085 Town Hall",
        "start 68423085 to=Town Hall",
        "start 68423085 to=",
        "start 68423085 stream_key=abcd-efgh",
        "start 68423085 rtmp://a.example/live/abcd",
        "start 68423085 123abc layout=gallery",
        "stop 68423085 now",
        "start passcode 123456",
        "start <@U0DANA>",
        "68423085 name=\"Town Hall\"",
        "Join Zoom Meeting https://zoom.us/j/68423085?pwd=a Meeting ID: 6842 3085 Passcode: 123456",
        "strat 68423085 name=\"Town Hall\"",
        "stop foo",
        "start townhall name=\"Q&amp;A\" layout=gallery",
        "start 68423085 mood=good",
        "start 68423085 nam=x",
        "start 68423085 nam = \"Town Hall\" layout=gallery",
        "start 68423085 name=Town Hall",
        "start 68423085 name = Town Hall 2026 layout=gallery",
        "start 68423085 name — Standup",
        "start 68423085 layout gallery",
        "start 68423085 name=\"With <@U0DANA>\"",
        "start 68423085 name=\"Town Hall :acme_logo:\"",
        "start 68423085 name=a name=b",
        "start 68423085 layout=wall",
        "start 68423085 name=",
        &format!("start 68423085 name={}", "x".repeat(51)),
        "start 68423085 name=\"Town",
        "start 68423085 name=\"Town\0Hall\"",
        "stop 68423085 name=a",
        "chek 68423085 to=press",
        "check 68423085 nam=x",
        "check 1234567 to=press",
        "rehearze 68423085 to=test",
        "rehearse 1234567 to=test",
        "start https://zoom.us/j/684 2308 5012",
        "start 68423085 to=townhall please",
        "68423085 at 15:00",
        "rehearse 68423085 in 20m",
        "stop 68423085 at 16:00",
        "check 68423085 tomorrow",
    ];
    for text in typed {
        let error = text.parse::<Command>().expect_err(text);
        let title = text.replace(char::is_control, "␀");
        page.entry(
            &title,
            &replies().mistake(&error, &standing(Access::Linked)),
        );
    }
    for access in Access::VARIANTS {
        for text in ["frobnicate", "start 1234567"] {
            let error = text.parse::<Command>().expect_err(text);
            let title = format!("{text}, {access:?}");
            page.entry(&title, &replies().mistake(&error, &standing(*access)));
        }
    }
    snapshot("mistakes", &page.0);
}

#[test]
fn catalogue_of_accounts() {
    let mut page = Page::default();
    let start = request("start 68423085");
    for (replies, here, can_link) in [
        (replies(), "", true),
        (
            replies_without_linking(),
            ", where only the operator links",
            false,
        ),
    ] {
        page.entry(&format!("not linked{here}"), &replies.not_linked(&start));
        page.entry(
            &format!("link dead{here}"),
            &replies.link_dead(&start, false),
        );
        page.entry(
            &format!("shared link dead{here}"),
            &replies.link_dead(&start, true),
        );
        for link in [None, Some(link(false)), Some(new_link()), Some(link(true))] {
            let state = link.as_ref().map(|link| link.is_dead);
            let title = format!("whoami, is dead: {state:?}{here}");
            let access = Access::of(state, false, can_link);
            page.entry(&title, &replies.whoami(link.as_ref(), &standing(access)));
        }
        let access = Access::of(Some(false), false, can_link);
        for (name, link) in [("refused", refused_link()), ("unopened", unopened_link())] {
            page.entry(
                &format!("whoami, {name}{here}"),
                &replies.whoami(Some(&link), &standing(access)),
            );
        }
    }
    let replies = replies();
    let refused = standing(Access::NotAllowed).refusal;
    for link in [None, Some(link(false)), Some(link(true))] {
        let state = link.as_ref().map(|link| link.is_dead);
        let title = format!("whoami, refused by a rule, is dead: {state:?}");
        let access = Access::of(state, true, true);
        page.entry(&title, &replies.whoami(link.as_ref(), &standing(access)));
    }
    for shared in [shared(false), shared(true)] {
        let title = format!(
            "whoami, a shared account, is dead: {}",
            shared.is_shared_dead()
        );
        page.entry(&title, &replies.whoami(None, &shared));
    }
    page.entry("connect", &replies.connect(LINK_URL, None));
    page.entry(
        "connect, refused by a rule",
        &replies.connect(LINK_URL, refused.as_ref()),
    );
    page.entry("connect, not set up", &replies.linking_not_set_up());
    for typed in [
        None,
        Some("start 68423085"),
        Some("start"),
        Some("start to=townhall"),
    ] {
        let message = replies.linked("dana@acme.example", "Firefox on a Mac", typed);
        page.entry(&format!("linked, typed before: {typed:?}"), &message);
    }
    page.entry(
        "somebody else signed in",
        &replies.link_opened_by_somebody_else(None),
    );
    page.entry(
        "somebody else signed in, typed before",
        &replies.link_opened_by_somebody_else(Some("start 68423085")),
    );
    for unlinked in Unlinked::VARIANTS {
        let title = format!("disconnect, {unlinked:?}");
        page.entry(&title, &replies.disconnected(unlinked));
    }
    let text = replies.unlinked_by(&ada());
    writeln!(page.0, "── an admin disconnected them (direct message)").expect("a string");
    writeln!(page.0, "{}", read(&json!(text))).expect("a string");
    let narrow = Link {
        scope: "user:read:user".to_owned(),
        ..link(false)
    };
    for (title, link) in [
        ("an admin asks to link", None),
        ("an admin asks to link again, dead", Some(link(true))),
        ("an admin asks to link again, scope missing", Some(narrow)),
    ] {
        let title = format!("{title} (direct message)");
        page.entry(&title, &replies.asked_to_link(&ada(), link.as_ref()));
    }
    snapshot("accounts", &page.0);
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table, an entry a person")]
fn catalogue_of_the_app_home() {
    let mut page = Page::default();
    let recent = |outcome| RecentCommand {
        command_id: CommandId(17),
        action: "start".to_owned(),
        meeting: "68423085".parse().expect("a meeting number"),
        topic: None,
        received_at: at(),
        outcome,
    };
    let named = RecentCommand {
        topic: Some("Town Hall".to_owned()),
        ..recent(None)
    };
    let mut recents = vec![named, recent(None)];
    recents.extend(
        all_outcomes()
            .into_iter()
            .map(|outcome| recent(Some(outcome))),
    );
    let offer = Some(LINK_URL.to_owned());
    let mut homes = vec![
        ("nobody linked", None, false, None, vec![]),
        ("the button was pressed", None, false, offer, vec![]),
    ];
    // One section holds no more.
    while !recents.is_empty() {
        let rest = recents.split_off(recents.len().min(18));
        homes.push(("linked", Some(link(false)), false, None, recents));
        recents = rest;
    }
    homes.extend([
        ("link dead", Some(link(true)), false, None, vec![]),
        (
            "link refused by Zoom",
            Some(refused_link()),
            false,
            None,
            vec![],
        ),
        ("refused by a rule", None, true, None, vec![]),
        (
            "refused by a rule, linked",
            Some(link(false)),
            true,
            None,
            vec![],
        ),
        (
            "refused by a rule, link dead",
            Some(link(true)),
            true,
            None,
            vec![],
        ),
    ]);
    for (title, link, is_refused, offer, last) in homes {
        writeln!(page.0, "── {title}").expect("a string");
        let access = Access::of(link.as_ref().map(|link| link.is_dead), is_refused, true);
        let home = Home {
            link,
            live: vec![],
            last,
            offer,
            meetings: Meetings::NotHere,
            standing: standing(access),
            is_admin: false,
        };
        page.blocks(&json!(replies().home(&asker(), &home)));
    }
    for (title, replies, standing) in [
        (
            "only the operator links",
            replies_without_linking(),
            standing(Access::OperatorMustLink),
        ),
        (
            "only in some channels",
            replies(),
            Standing {
                only_in: vec![ChannelId::new("#town-hall")],
                ..standing(Access::Linked)
            },
        ),
        ("a shared account", replies(), shared(false)),
        ("a shared account that is dead", replies(), shared(true)),
        (
            "Slack may not be asked",
            replies(),
            Standing {
                cannot_ask: Some(Fact::Membership),
                ..standing(Access::Linked)
            },
        ),
    ] {
        writeln!(page.0, "── {title}").expect("a string");
        let is_linked = standing.access == Access::Linked && !standing.is_shared;
        let home = Home {
            link: is_linked.then(|| link(false)),
            live: vec![],
            last: vec![],
            offer: None,
            meetings: Meetings::NotHere,
            standing,
            is_admin: true,
        };
        page.blocks(&json!(replies.home(&asker(), &home)));
    }
    snapshot("app_home", &page.0);
}
