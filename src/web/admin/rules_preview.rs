//! What rules allow, before they are saved: who can go live, and whether one person may in one channel.

use maud::{Markup, html};

use crate::app::App;
use crate::command::outcome::{Fact, Rule};
use crate::command::request::Action;
use crate::db::linked_users::Health;
use crate::db::rules::{ChannelPolicy, Rules};
use crate::ids::{Asker, ChannelId, SlackUserId};
use crate::livestream::forecast::{self, Account, Forecast, Prospect};
use crate::livestream::policy::Decision;
use crate::reply::Replies;
use crate::slack::message::Message;
use crate::web::admin::layout::{Problem, describe, problem_at};
use crate::web::admin::listed::{list, named, text};
use crate::web::admin::picker::pick;
use crate::web::admin::rules_form::RulesForm;
use crate::web::admin::slack_ids::IdKind;
use crate::web::parts::{Tone, avatar, tick};
use crate::workspace::names::Names;

/// Who can go live, a row a person: those who can first.
pub(super) fn forecast_panel(forecast: &Forecast, rules: &Rules, names: &Names) -> Markup {
    let mut people: Vec<&Prospect> = forecast.people.iter().collect();
    people.sort_by_key(|prospect| match prospect.decision {
        Decision::Allowed if prospect.account.works() => 0,
        Decision::Allowed => 1,
        _ => 2,
    });
    let places = places(forecast, rules, names);
    html! {
        @if people.is_empty() {
            div.panel.empty { p { b { "Nobody has linked a Zoom account yet." } } }
        } @else {
            ul.rows.keep.panel {
                @for prospect in people {
                    @let name = text(names, IdKind::Person, prospect.user.as_str());
                    @let (tone, word, detail) = said(prospect, &places);
                    li {
                        (avatar(&name))
                        div.grow { b { (name) } p { (detail) } }
                        (tick(tone, word))
                    }
                }
                @if forecast.more > 0 {
                    li { div.grow { p { "And " (forecast.more) " more who have linked an account. Ask about one below." } } }
                }
            }
        }
    }
}

/// What is said of somebody: how it looks, in a word, and more of it.
fn said(prospect: &Prospect, places: &str) -> (Tone, &'static str, String) {
    match &prospect.decision {
        Decision::Allowed | Decision::Confirm { .. } => match trouble(prospect.account) {
            None => (Tone::Good, "can", capitalised(places)),
            Some(trouble) => (
                Tone::Warn,
                "allowed, can’t yet",
                format!("Allowed, but {trouble}"),
            ),
        },
        Decision::Refused(refusal) => {
            let refused = match refusal.rule {
                Rule::Members => "a guest or from another organisation",
                Rule::Named => "not on the list",
                Rule::Group => "not in the user group",
                Rule::Channel => "not in this channel",
                Rule::Unknown => "these rules can’t be read",
            };
            let linked = match prospect.account {
                Account::Own(_) => "Linked, but ",
                Account::Shared { .. } => "Uses the shared account, but ",
                Account::None => "Not linked, and ",
            };
            (Tone::Calm, "may not", format!("{linked}{refused}"))
        }
        Decision::NotKnown { fact, .. } => {
            let fact = match fact {
                Fact::Membership => "whether this is a member",
                Fact::UserGroup => "who is in the user group",
            };
            (
                Tone::Calm,
                "not known",
                format!("Slack does not say {fact}"),
            )
        }
    }
}

/// Why a Zoom account goes live with nothing, if it does not.
fn trouble(account: Account) -> Option<&'static str> {
    Some(match account {
        Account::Own(Health::Healthy | Health::Idle) | Account::Shared { is_dead: false } => {
            return None;
        }
        Account::Own(Health::Dead) => "Zoom no longer accepts the link",
        Account::Own(Health::Refused) => "the link is not renewed",
        Account::Own(Health::ScopeMissing) => "a permission at Zoom is missing",
        Account::Own(Health::BasicPlan) => "the Zoom account has the Basic plan",
        Account::Own(Health::StreamingOff) => "livestreaming is off in Zoom",
        Account::Own(Health::CustomStreamingOff) => "custom streaming is off in Zoom",
        Account::Shared { is_dead: true } => "Zoom no longer accepts the shared account",
        Account::None => "no Zoom account is linked",
    })
}

/// Where the rules allow it, and where people are asked first.
fn places(forecast: &Forecast, rules: &Rules, names: &Names) -> String {
    if rules.channel_policy == ChannelPolicy::Only {
        let in_words = |is_asked: bool| {
            let places = forecast.places.iter();
            let places = places.filter(|place| place.is_asked == is_asked);
            let ids: Vec<_> = places.map(|place| place.channel.to_string()).collect();
            named(names, IdKind::Channel, &ids)
        };
        let more = rules.channels.len().saturating_sub(forecast.places.len());
        let more = if more > 0 {
            format!(", and {more} more channels")
        } else {
            String::new()
        };
        return match (in_words(false).as_str(), in_words(true).as_str()) {
            ("", "") => "no channel".to_owned(),
            (at_once, "") => format!("{at_once}{more}"),
            ("", asked) => format!("{asked}{more}, asked first"),
            (at_once, asked) => format!("{at_once}; asked first in {asked}{more}"),
        };
    }
    let places = if rules.channel_policy == ChannelPolicy::Except && !rules.channels.is_empty() {
        let except = named(names, IdKind::Channel, &rules.channels);
        format!("every channel but {except}")
    } else {
        "every channel".to_owned()
    };
    let over = rules
        .confirm_over
        .map(|over| format!("where more than {over} read"));
    let shared = rules
        .confirm_shared
        .then(|| "in shared channels".to_owned());
    let asked: Vec<_> = over.into_iter().chain(shared).collect();
    if asked.is_empty() {
        places
    } else {
        let asked = list(asked.iter().map(String::as_str), "and");
        format!("{places}, asked first {asked}")
    }
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}

/// What became of asking about one person in one channel.
pub(in crate::web) struct May {
    tone: Tone,
    verdict: &'static str,
    more: Markup,
}

impl May {
    /// Judges whom a form asks about by these rules, or says what is unclear about it.
    pub(super) async fn find(
        app: &App,
        admin: &Asker,
        form: &RulesForm,
        rules: &Rules,
    ) -> sqlx::Result<Result<Self, Vec<Problem>>> {
        let fields = [
            (
                "may_person",
                IdKind::Person,
                &form.may_person,
                "Enter somebody.",
            ),
            (
                "may_channel",
                IdKind::Channel,
                &form.may_channel,
                "Enter a channel.",
            ),
        ];
        let (mut found, mut problems) = (Vec::new(), Vec::new());
        for (field, kind, typed, missing) in fields {
            let picked = pick(app, admin, kind, &[], typed).await?;
            match (picked.problem, picked.ids.as_slice()) {
                (Some(text), _) => problems.push(Problem { field, text }),
                (None, [id]) => found.push(id.clone()),
                (None, []) => problems.push(Problem {
                    field,
                    text: missing.to_owned(),
                }),
                (None, _) => problems.push(Problem {
                    field,
                    text: "Ask about one at a time.".to_owned(),
                }),
            }
        }
        let [person, channel] = found.as_slice() else {
            return Ok(Err(problems));
        };
        let asker = Asker {
            user: SlackUserId::new(person.as_str()),
            ..admin.clone()
        };
        let id = ChannelId::new(channel.as_str());
        let (account, decision) = forecast::one(app, &asker, &id, rules).await?;
        let by = match &decision {
            Decision::Refused(refusal) => refusal.set_by.as_ref().map(ToString::to_string),
            _ => None,
        };
        let told = match &decision {
            Decision::Refused(refusal) => {
                refusal.channels.iter().map(ToString::to_string).collect()
            }
            _ => Vec::new(),
        };
        let people = [Some(person.as_str()), by.as_deref()].into_iter().flatten();
        let channels = told.iter().map(String::as_str).chain([channel.as_str()]);
        let names = Names::of(app, admin, people, channels).await?;
        Ok(Ok(Self::of(
            app,
            &names,
            (person, channel),
            account,
            &decision,
        )))
    }

    fn of(
        app: &App,
        names: &Names,
        (person, channel): (&str, &str),
        account: Account,
        decision: &Decision,
    ) -> Self {
        let replies = Replies::of(app);
        let person = text(names, IdKind::Person, person);
        let channel = text(names, IdKind::Channel, channel);
        let answer =
            |mrkdwn: &str| html! { " The answer in Slack would be: “" (plain(mrkdwn, names)) "”" };
        match decision {
            Decision::Refused(refusal) => Self {
                tone: Tone::Bad,
                verdict: "No.",
                more: answer(&replies.rule(refusal)),
            },
            Decision::NotKnown { fact, .. } => {
                let fact = match fact {
                    Fact::Membership => format!("whether {person} is a member"),
                    Fact::UserGroup => "who is in the user group".to_owned(),
                };
                Self {
                    tone: Tone::Calm,
                    verdict: "Not known.",
                    more: html! { "Slack does not say " (fact) ". As long as it does not, nothing is started." },
                }
            }
            Decision::Allowed | Decision::Confirm { .. } if account == Account::None => Self {
                tone: Tone::Warn,
                verdict: "Not yet.",
                more: html! { "The rules allow it, but " (person) " has linked no Zoom account." (not_linked(&replies).map_or_else(|| html! {}, |said| answer(&said))) },
            },
            Decision::Allowed | Decision::Confirm { .. } if !account.works() => Self {
                tone: Tone::Warn,
                verdict: "Not yet.",
                more: html! { "The rules allow it, but " (trouble(account).unwrap_or_default()) "." },
            },
            Decision::Allowed => Self {
                tone: Tone::Good,
                verdict: "Yes,",
                more: html! { (person) " may go live in " (channel) ", and is not asked first." },
            },
            Decision::Confirm { members, is_shared } => Self {
                tone: Tone::Good,
                verdict: "Yes,",
                more: html! {
                    (person) " may go live in " (channel) ", and is asked first."
                    (answer(&format!("Go live? {}", replies.asks_first(*members, *is_shared))))
                },
            },
        }
    }
}

/// What somebody reads who has linked no account.
fn not_linked(replies: &Replies<'_>) -> Option<String> {
    let request = crate::command::Command::from_button("start 68423085").ok()?;
    let crate::command::Command::Livestream(request) = request else {
        return None;
    };
    debug_assert_eq!(request.action, Action::Start);
    let message: Message = replies.not_linked(&request);
    message.content()["text"].as_str().map(str::to_owned)
}

/// A message of Slack's in plain text: people and channels by their names, links by their words.
fn plain(mrkdwn: &str, names: &Names) -> String {
    let mut plain = String::new();
    let mut rest = mrkdwn;
    while let Some((before, tail)) = rest.split_once('<') {
        plain += before;
        let Some((inner, after)) = tail.split_once('>') else {
            rest = tail;
            break;
        };
        let (target, label) = inner.split_once('|').unwrap_or((inner, inner));
        if let Some(user) = target.strip_prefix('@') {
            plain.push('@');
            plain += &text(names, IdKind::Person, user);
        } else if let Some(channel) = target.strip_prefix('#') {
            plain += &text(names, IdKind::Channel, channel);
        } else {
            plain += label;
        }
        rest = after;
    }
    plain += rest;
    plain.replace(['*', '`'], "")
}

/// The question about one person, whose fields belong to the form of the rules.
pub(super) fn may_panel(
    may: Option<&May>,
    form: &RulesForm,
    problems: &[Problem],
    preview: &str,
) -> Markup {
    let field = |id: &'static str, label: &str, value: &str, list: &str, placeholder: &str| {
        let problem = describe(problems, id);
        html! {
            div.field {
                label for=(id) { (label) }
                input id=(id) form="rules" name=(id) value=(value) list=(list) placeholder=(placeholder) spellcheck="false"
                    autocapitalize="none" autocomplete="off" aria-invalid=[problem.as_ref().map(|_| "true")] aria-describedby=[problem];
                (problem_at(problems, id))
            }
        }
    };
    html! {
        section.panel.pad.section #may aria-labelledby="may-title" {
            h3 #may-title { "May …" }
            (field("may_person", "Person", &form.may_person, "known-people", "Name or Slack ID"))
            (field("may_channel", "Channel", &form.may_channel, "known-channels", "#channel or Slack ID"))
            button.button type="submit" form="rules" formaction=(preview) name="ask" value="may" { "Tell me" }
            @if let Some(may) = may {
                p.verdict role="status" {
                    (tick(may.tone, "")) span { b { (may.verdict) } " " (may.more) }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_quoted_with_names() {
        let names = Names::fixed(&[("U0ADA", "Ada")], &[("C0TOWNHALL", "#town-hall")]);
        for (mrkdwn, expected) in [
            (
                "The rules allow it in <#C0TOWNHALL>, <#C0NEW>. <@U0ADA> last edited *the* rules.",
                "The rules allow it in #town-hall, C0NEW. @Ada last edited the rules.",
            ),
            (
                "on <https://bot.example/admin|the admin page>.",
                "on the admin page.",
            ),
            ("`/livestream` <", "/livestream "),
        ] {
            assert_eq!(plain(mrkdwn, &names), expected);
        }
    }
}
