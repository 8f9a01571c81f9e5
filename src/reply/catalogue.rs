//! Everything the bot says in Slack, as a person reads it, in reviewed snapshots: one file a
//! topic in `tests/catalogue`. `INSTA_UPDATE=always cargo test --lib catalogue` rewrites them.

use std::fmt::Write;

use chrono::{DateTime, Utc};
use insta::assert_snapshot;
use serde_json::{Value, json};
use strum::{VariantArray, VariantNames};

use crate::command::Command;
use crate::command::outcome::{Fact, Outcome, Rule, Unknown};
use crate::command::request::{Action, LivestreamRequest};
use crate::command::verb::Access;
use crate::db::commands::RecentCommand;
use crate::db::links::Link;
use crate::ids::{Asker, CommandId, SlackUserId, TeamId};
use crate::reply::Replies;
use crate::reply::account::Unlinked;
use crate::reply::home::Home;
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
                Some("section") => read(&block["text"]["text"]),
                Some("header") => format!("# {}", read(&block["text"]["text"])),
                Some("context") => format!("small: {}", read(&block["elements"][0]["text"])),
                Some("actions") => buttons(&block["elements"]),
                other => panic!("a block of type {other:?}"),
            };
            writeln!(self.0, "{line}").expect("a string");
        }
        self.0.push('\n');
    }
}

fn buttons(elements: &Value) -> String {
    let elements = elements.as_array().expect("buttons");
    let buttons = elements.iter().map(|button| {
        let label = read(&button["text"]["text"]);
        let action = match (button["value"].as_str(), button["url"].as_str()) {
            (Some(typed), _) => format!("types {typed}"),
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

/// mrkdwn as Slack shows it: times by their plain text, links by their label, no escapes.
fn read(text: &Value) -> String {
    let mut text = text.as_str().expect("text");
    let mut shown = String::new();
    while let Some((before, rest)) = text.split_once('<') {
        let (inner, after) = rest.split_once('>').expect("a closed <…>");
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
    settings.set_snapshot_path("../../tests/catalogue");
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

fn at() -> DateTime<Utc> {
    "2026-11-25T15:02:00Z".parse().expect("a time")
}

fn link(is_dead: bool) -> Link {
    Link {
        email: "dana@acme.example".to_owned(),
        since: at(),
        is_dead,
    }
}

/// Every outcome; a test holds that none is missing.
fn outcomes() -> Vec<Outcome> {
    let rules = Rule::VARIANTS.iter().flat_map(|rule| {
        [None, Some(ada())].map(|set_by| Outcome::NotAllowed {
            rule: *rule,
            set_by,
        })
    });
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
        Outcome::Unreachable,
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
    .chain(rules)
    .chain(unknown)
    .chain(asked)
    .chain(others)
    .collect()
}

#[test]
fn catalogue_of_outcomes() {
    let mut page = Page::default();
    for name in Outcome::VARIANTS {
        let is_listed = outcomes().iter().any(|outcome| outcome.name() == *name);
        assert!(is_listed, "{name} is not in the catalogue");
    }
    for typed in ["start 68423085", "stop 68423085"] {
        let request = request(typed);
        let context = OutcomeContext {
            command: CommandId(17),
            asker: &asker(),
            is_direct: false,
            request: &request,
            zoom_account: Some("dana@acme.example"),
        };
        for outcome in outcomes() {
            let is_asked = matches!(outcome, Outcome::NeedsConfirmation { .. });
            if request.action == Action::Stop && is_asked {
                continue; // Nobody is asked before a stop.
            }
            let title = format!("{typed}: {}", outcome.name());
            page.entry(&title, &replies().outcome(&context, &outcome));
        }
    }
    let request = request("start 68423085 name=\"Town Hall\"");
    let context = OutcomeContext {
        command: CommandId(17),
        asker: &asker(),
        is_direct: true,
        request: &request,
        zoom_account: None,
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
    let content = Content {
        text: "The message with the button.".to_owned(),
        blocks: vec![
            json!({ "type": "section", "text": { "type": "mrkdwn", "text": "The message with the button." } }),
            json!({ "type": "actions", "elements": [] }),
        ],
    };
    page.entry(
        "stop 68423085, pressed in the channel",
        &replies().pressed(content, &asker().user, "stop 68423085"),
    );
    for rule in Rule::VARIANTS {
        for set_by in [None, Some(ada())] {
            page.entry(
                &format!("refused by the rule {rule:?}"),
                &replies().not_allowed(*rule, set_by.as_ref()),
            );
        }
    }
    page.entry(
        "refused where there is no admin page",
        &replies_without_linking().not_allowed(Rule::Members, None),
    );
    page.entry("the database does not answer", &replies().cannot_tell());
    page.entry("for another Slack app", &replies().wrong_app());
    snapshot("at_once", &page.0);
}

#[test]
fn catalogue_of_help() {
    let mut page = Page::default();
    for access in Access::VARIANTS {
        page.entry(&format!("help, {access:?}"), &replies().help(*access));
    }
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
        "start",
        "stop",
        "start town hall",
        "start 1234567",
        "start https://zoom.us/my/dana",
        "start https://zoom.us/meeting/register/abc",
        "start https://zoom.us/rec/share/abc",
        "start https://meet.example.com/j/68423085",
        "start https://zoom.us/test",
        "start 68423085 mood=good",
        "start 68423085 nam=x",
        "start 68423085 name=a name=b",
        "start 68423085 layout=wall",
        "start 68423085 name=",
        &format!("start 68423085 name={}", "x".repeat(51)),
        "start 68423085 name=\"Town",
        "start 68423085 name=\"Town\0Hall\"",
        "stop 68423085 name=a",
    ];
    for text in typed {
        let error = text.parse::<Command>().expect_err(text);
        let title = text.replace(char::is_control, "␀");
        page.entry(&title, &replies().mistake(&error, Access::Linked));
    }
    for access in Access::VARIANTS {
        for text in ["frobnicate", "start 1234567"] {
            let error = text.parse::<Command>().expect_err(text);
            let title = format!("{text}, {access:?}");
            page.entry(&title, &replies().mistake(&error, *access));
        }
    }
    snapshot("mistakes", &page.0);
}

#[test]
fn catalogue_of_accounts() {
    let mut page = Page::default();
    let start = request("start 68423085");
    for (replies, here) in [
        (replies(), ""),
        (replies_without_linking(), ", where only the operator links"),
    ] {
        page.entry(&format!("not linked{here}"), &replies.not_linked(&start));
        page.entry(&format!("link dead{here}"), &replies.link_dead(&start));
        for link in [None, Some(link(false)), Some(link(true))] {
            let state = link.as_ref().map(|link| link.is_dead);
            let title = format!("whoami, is dead: {state:?}{here}");
            page.entry(&title, &replies.whoami(link.as_ref()));
        }
    }
    let replies = replies();
    page.entry("connect", &replies.connect(LINK_URL));
    page.entry("connect, not set up", &replies.linking_not_set_up());
    for typed in [None, Some("start 68423085")] {
        let message = replies.linked("dana@acme.example", "Firefox on a Mac", typed);
        page.entry(&format!("linked, typed before: {typed:?}"), &message);
    }
    page.entry(
        "somebody else signed in",
        &replies.link_opened_by_somebody_else(),
    );
    for unlinked in Unlinked::VARIANTS {
        let title = format!("disconnect, {unlinked:?}");
        page.entry(&title, &replies.disconnected(unlinked));
    }
    let text = replies.unlinked_by(&ada());
    writeln!(page.0, "── an admin disconnected them (direct message)").expect("a string");
    writeln!(page.0, "{}", read(&json!(text))).expect("a string");
    snapshot("accounts", &page.0);
}

#[test]
fn catalogue_of_the_app_home() {
    let mut page = Page::default();
    let recent = |outcome| RecentCommand {
        command_id: CommandId(17),
        action: "start".to_owned(),
        meeting: "68423085".parse().expect("a meeting number"),
        received_at: at(),
        outcome,
    };
    let mut recents = vec![recent(None)];
    recents.extend(outcomes().into_iter().map(|outcome| recent(Some(outcome))));
    for (title, replies, link, offer, last) in [
        ("nobody linked", replies(), None, None, vec![]),
        (
            "the button was pressed",
            replies(),
            None,
            Some(LINK_URL.to_owned()),
            vec![],
        ),
        ("linked", replies(), Some(link(false)), None, recents),
        ("link dead", replies(), Some(link(true)), None, vec![]),
        (
            "only the operator links",
            replies_without_linking(),
            None,
            None,
            vec![],
        ),
    ] {
        writeln!(page.0, "── {title}").expect("a string");
        let home = Home { link, last, offer };
        page.blocks(&json!(replies.home(&home)));
    }
    snapshot("app_home", &page.0);
}
