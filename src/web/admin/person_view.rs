//! One person: whether livestreams of theirs will work, and what mends what fails.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use maud::{Markup, html};
use tokio::time::timeout;

use crate::admin::AdminError;
use crate::admin::person::{self, CanAsk, TestResult};
use crate::app::App;
use crate::command::outcome::{Fact, Unknown};
use crate::db::account_uses::Uses;
use crate::db::audit::{self, AuditKind, Filter, Position};
use crate::db::grants::UNOPENED;
use crate::db::linked_users::{FormerLink, Health, LinkedUser};
use crate::db::rules::{ChannelPolicy, Rules};
use crate::db::{authorization, people, zoom_events};
use crate::ids::{Asker, SlackUserId};
use crate::livestream::policy::{self, Decision};
use crate::reply::Replies;
use crate::web::admin::activity_lines::{Line, Lines, of_person};
use crate::web::admin::activity_words::rule;
use crate::web::admin::layout::{Shell, csrf_field};
use crate::web::admin::listed::list;
use crate::web::parts::{Icon, Tone, avatar, badge, chevron, icon, note, tick, typed};
use crate::workspace::names::Names;
use crate::zoom::scopes::{lacking, lacks_livestream_scope};

pub(super) const PEOPLE: &str = "/admin/people";

/// How many entries of somebody are shown.
const LATELY: i64 = 10;
/// How long Slack may take to say what a rule depends on.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long a page says on top that somebody has just been asked.
const JUST: TimeDelta = TimeDelta::minutes(1);

/// Whether something that a livestream takes is there.
struct Check {
    tone: Tone,
    what: Markup,
    more: Markup,
    action: Markup,
}

impl Check {
    fn new(tone: Tone, what: impl Into<Markup>, more: Markup) -> Self {
        Self {
            tone,
            what: what.into(),
            more,
            action: html! {},
        }
    }

    fn markup(&self) -> Markup {
        let word = match self.tone {
            Tone::Good => "Yes:",
            Tone::Bad => "No:",
            Tone::Warn => "Take care:",
            Tone::Live | Tone::Calm | Tone::Info => "Can’t tell:",
        };
        html! {
            li {
                (tick(self.tone, word))
                div.grow {
                    @if self.tone == Tone::Bad { b { (self.what) } } @else { (self.what) }
                    @if !self.more.0.is_empty() { p { (self.more) } }
                }
                (self.action)
            }
        }
    }
}

/// Somebody who is linked, with all that is known of whether it works.
pub(in crate::web) struct Seen<'a> {
    pub(in crate::web) shell: &'a Shell,
    /// Zoom's reports are set up.
    pub(in crate::web) hears_zoom: bool,
    pub(in crate::web) row: LinkedUser,
    pub(in crate::web) name: String,
    pub(in crate::web) is_live: bool,
    pub(in crate::web) tested: Option<(TestResult, DateTime<Utc>)>,
    /// When Zoom last took what they asked for.
    pub(in crate::web) accepted_at: Option<DateTime<Utc>>,
    pub(in crate::web) reported_at: Option<DateTime<Utc>>,
    /// From where they linked.
    pub(in crate::web) device: Option<String>,
    pub(in crate::web) rules: (Rules, Option<Decision>, Names),
    pub(in crate::web) ask: Ask,
    pub(in crate::web) lately: Vec<Line>,
}

/// Whether the bot can ask them to link their account.
pub(in crate::web) struct Ask {
    pub(in crate::web) can: CanAsk,
    /// Why Slack did not take the last message.
    pub(in crate::web) refusal: Option<String>,
    /// Who asked last.
    pub(in crate::web) by: String,
    pub(in crate::web) slash: String,
}

impl Ask {
    async fn find(app: &App, shell: &Shell, user: &SlackUserId) -> sqlx::Result<Self> {
        let mut db = app.db.acquire().await?;
        let (can, refusal) = person::can_ask(&mut db, &shell.admin, user).await?;
        let by = match &can {
            CanAsk::Asked { by: Some(by), .. } if *by == shell.admin.asker.user.as_str() => {
                "You".to_owned()
            }
            CanAsk::Asked { by: Some(by), .. } => {
                name(app, shell, &SlackUserId::new(by.as_str())).await?
            }
            _ => "An admin".to_owned(),
        };
        Ok(Self {
            can,
            refusal,
            by,
            slash: Replies::of(app).slash().to_owned(),
        })
    }

    /// How they link, perhaps again, and how they hear of it.
    fn cure(&self, shell: &Shell, name: &str, is_again: bool) -> Markup {
        html! {
            (name) @if is_again { " links again with " } @else { " links one with " }
             (typed(&format!("{} connect", self.slash))) " in Slack."
            @if let Some(why) = &self.refusal {
                " Slack did not deliver the last message to " (name) " (" code { (why) } "): tell " (name) " yourself."
            }
            @match &self.can {
                CanAsk::Yes => "",
                CanAsk::Asked { at, .. } => { " " (self.by) " asked " (name) " " (shell.clock.time(*at)) "; once a day is enough." },
                CanAsk::NoToken => { " The bot has no token here, so it can’t write to " (name) ": tell " (name) " yourself." },
                CanAsk::MayNotWrite => {
                    " The app was installed without " code { "chat:write" } ", so the bot can’t write to " (name) ": tell " (name) " yourself."
                },
            }
        }
    }

    fn button(&self, shell: &Shell, user: &SlackUserId, label: &str) -> Markup {
        html! {
            @if self.can == CanAsk::Yes {
                form method="post" action={ (of_person(user.as_str())) "/ask" } {
                    (csrf_field(&shell.csrf))
                    button.button type="submit" { (label) }
                }
            }
        }
    }

    /// Says on top that somebody has just been asked.
    fn note(&self, shell: &Shell, name: &str) -> Markup {
        html! {
            @if let CanAsk::Asked { at, .. } = &self.can && shell.clock.now - *at < JUST {
                (note(Tone::Good, &format!("{name} is asked."), &html! { "The bot sends a direct message, with a button that links." }))
            }
        }
    }
}

impl<'a> Seen<'a> {
    pub(super) async fn find(
        app: &App,
        shell: &'a Shell,
        row: LinkedUser,
        is_live: bool,
    ) -> Result<Self, AdminError> {
        let team = &shell.admin.asker.team;
        let user = &row.user_id;
        let tested = person::last_test(app, &shell.admin, &row).await?;
        let accepted_at = audit::last_accepted(&app.db, team, user, &row.zoom_user_id).await?;
        let reported_at = zoom_events::last_report(&app.db, &row.zoom_user_id).await?;
        Ok(Self {
            device: device(app, shell, user).await?,
            rules: rules(app, shell, user).await?,
            ask: Ask::find(app, shell, user).await?,
            lately: lately(app, shell, user).await?,
            name: name(app, shell, user).await?,
            hears_zoom: app.zoom_webhook_secret.is_some(),
            shell,
            row,
            is_live,
            tested,
            accepted_at,
            reported_at,
        })
    }

    pub(in crate::web) fn markup(&self) -> Markup {
        let (row, name) = (&self.row, &self.name);
        let path = of_person(row.user_id.as_str());
        let mut checks = self.checks();
        checks.sort_by_key(|check| match check.tone {
            Tone::Bad => 0,
            Tone::Warn => 1,
            Tone::Live | Tone::Calm | Tone::Info => 2,
            Tone::Good => 3,
        });
        let actions = html! {
            div.actions {
                form method="post" action={ (path) "/test" } {
                    (csrf_field(&self.shell.csrf))
                    button.button.primary type="submit" { "Test at Zoom" }
                }
                a.button.stop href={ (path) "/disconnect" } { "Disconnect …" }
            }
        };
        let content = html! {
            div.intro {
                (head(name, self.verdict(&checks), &actions))
                p.muted { "Acts as " b { (row.email) } "." }
            }
            (self.ask.note(self.shell, name))
            div.split {
                section.section aria-labelledby="checks" {
                    div.head {
                        h2 #checks { "Will it work?" }
                        small.muted role="status" {
                            @match &self.tested {
                                Some((_, at)) => { "Tested " (self.shell.clock.ago(*at)) },
                                None => { @match row.checked_at { Some(at) => { "Tested " (self.shell.clock.time(at)) }, None => "Not tested yet" } }
                            }
                        }
                    }
                    ul.rows.panel { @for check in &checks { (check.markup()) } }
                }
                div.section {
                    section.section aria-labelledby="link" { h2 #link { "Link" } (self.link()) }
                    (lately_markup(self.shell, row.user_id.as_str(), name, &self.lately))
                }
            }
        };
        self.shell.document(PEOPLE, name, &content)
    }

    /// The answer, in one to four words.
    fn verdict(&self, checks: &[Check]) -> (Tone, &'static str) {
        if checks.iter().any(|check| check.tone == Tone::Bad) {
            (Tone::Bad, "Can’t go live")
        } else if self.is_live {
            (Tone::Live, "Live now")
        } else if self.row.health == Health::Idle {
            (Tone::Warn, "May end soon")
        } else if self.worked_at().is_none() {
            (Tone::Warn, "Not tried yet")
        } else {
            (Tone::Good, "Ready")
        }
    }

    /// When something last showed that the link works.
    fn worked_at(&self) -> Option<DateTime<Utc>> {
        let seen = [self.accepted_at, self.row.checked_at, self.row.refreshed_at];
        // What an earlier link did says nothing of this one.
        let seen = seen.into_iter().flatten().max();
        seen.filter(|at| *at >= self.row.linked_at)
    }

    fn checks(&self) -> Vec<Check> {
        let mut checks: Vec<_> = self.link_check().into_iter().collect();
        checks.extend(self.test_check());
        checks.extend(self.account_checks());
        checks.extend(self.scope_checks());
        checks.push(self.rules_check());
        checks.push(self.reports_check());
        checks
    }

    /// Nothing, if the last test says otherwise.
    fn link_check(&self) -> Option<Check> {
        let name = &self.name;
        let is_rejected = matches!(self.tested, Some((TestResult::Dead, _)));
        let again = |what: &str, why: &str| Check {
            action: self.ask.button(
                self.shell,
                &self.row.user_id,
                &format!("Ask {name} to link again"),
            ),
            ..Check::new(
                Tone::Bad,
                text(what),
                html! { (why) " " (self.ask.cure(self.shell, name, true)) },
            )
        };
        Some(match (self.row.health, self.worked_at()) {
            (Health::Dead, _) => again("The link is broken", "Zoom no longer accepts it."),
            (Health::ScopeMissing, _) => again(
                "The link may not run livestreams",
                "It was made without that permission.",
            ),
            (Health::Refused, _) if self.row.refusal.as_deref() == Some(UNOPENED) => again(
                "The link can’t be opened",
                "The key that it was stored with is missing. Whoever runs this bot may have it; linking again works in any case.",
            ),
            (Health::Refused, _) => Check::new(
                Tone::Bad,
                text("Zoom refuses to renew the link"),
                html! {
                    @if let Some(said) = &self.row.refusal { "Zoom said: " q { (said) } " " }
                    "Whoever runs this bot can fix that, or a Zoom administrator; then test it here."
                },
            ),
            (Health::Idle, _) => Check::new(
                Tone::Warn,
                text("The link may end soon"),
                html! { "Zoom ends links that nobody used for about 90 days, and this one was not for 75. Test it at Zoom: that keeps it." },
            ),
            (_, Some(_)) if is_rejected => return None,
            (_, Some(at)) => Check::new(
                Tone::Good,
                text("The link works"),
                html! { "It worked " (self.shell.clock.ago(at)) },
            ),
            (_, None) => Check::new(
                Tone::Calm,
                text("Whether the link works"),
                html! { "Not tried yet. Test it at Zoom." },
            ),
        })
    }

    /// What the last test showed, where nothing else tells it.
    fn test_check(&self) -> Option<Check> {
        let (tested, at) = self.tested.as_ref()?;
        let at = self.shell.clock.ago(*at);
        let (tone, what, more) = match tested {
            TestResult::Works | TestResult::Trouble => return None,
            TestResult::Dead if self.row.health == Health::Dead => return None,
            TestResult::Dead => (
                Tone::Bad,
                "Zoom rejected the link in the test",
                html! { (at) },
            ),
            TestResult::Refused(said) => (
                Tone::Bad,
                "Zoom refused the test",
                html! { "Zoom said: " q { (said) } " " (at) },
            ),
            TestResult::NoAnswer => (
                Tone::Warn,
                "Zoom did not answer the test",
                html! { "So nothing was checked, " (at) ". Test it again in a minute." },
            ),
            TestResult::Misconfigured if self.row.health == Health::Refused => return None,
            TestResult::Misconfigured => (
                Tone::Bad,
                "The bot’s own access to Zoom is broken",
                html! { "Whoever runs the bot can fix that, or a Zoom administrator. " (at) },
            ),
        };
        Some(Check::new(tone, text(what), more))
    }

    /// Plan and settings, as the last test read them.
    fn account_checks(&self) -> Option<Check> {
        let name = &self.name;
        let switch = |what: &str| {
            html! {
                "Zoom → Settings → In Meeting (Advanced) → " (what) ". " (name) " switches it on. Locked? Then a Zoom administrator \
                does. Then test it here."
            }
        };
        let (what, more) = match self.row.health {
            Health::BasicPlan => (
                "Zoom’s Basic plan has no livestreams",
                html! { "A Zoom administrator gives " (name) " a Pro plan or better. Then test it here." },
            ),
            Health::StreamingOff => (
                "Livestreaming is off",
                switch("Allow livestreaming of meetings"),
            ),
            Health::CustomStreamingOff => (
                "Custom streaming is off",
                switch("Allow livestreaming of meetings → Custom Live Streaming Service"),
            ),
            // Nothing else counts then.
            Health::Dead | Health::Refused | Health::ScopeMissing => return None,
            Health::Healthy | Health::Idle => {
                return Some(match self.row.checked_at {
                    None => Check::new(
                        Tone::Calm,
                        text("Whether plan and settings at Zoom allow livestreams"),
                        html! { "Not tested yet." },
                    ),
                    Some(_) if self.lacks(SETTINGS) => {
                        Check::new(Tone::Good, text("Zoom’s plan allows livestreams"), html! {})
                    }
                    Some(_) => Check::new(
                        Tone::Good,
                        text("Plan and settings at Zoom allow livestreams"),
                        html! { "As far as Zoom said in the test." },
                    ),
                });
            }
        };
        Some(Check::new(Tone::Bad, text(what), more))
    }

    fn lacks(&self, scope: &str) -> bool {
        lacking(&self.row.scope).contains(&scope)
    }

    /// What cannot be told or done because the link is older than a permission.
    fn scope_checks(&self) -> Vec<Check> {
        if lacks_livestream_scope(&self.row.scope) || self.row.health == Health::Dead {
            return Vec::new();
        }
        let (name, slash) = (&self.name, &self.ask.slash);
        let older_than = |scopes: &[&str]| {
            html! {
                "The link is older than "
                @for (index, scope) in scopes.iter().enumerate() { @if index > 0 { ", " } code { (scope) } }
                ". " (name) " links again with " (typed(&format!("{slash} connect"))) "."
            }
        };
        let mut checks = Vec::new();
        if self.lacks(DESTINATION) {
            let what = text("Livestreams can’t be sent to a destination");
            checks.push(Check::new(Tone::Warn, what, older_than(&[DESTINATION])));
        }
        let missing = lacking(&self.row.scope).into_iter();
        let unknown = missing.filter_map(|scope| Some((scope, not_known_without(scope)?)));
        let (scopes, unknown): (Vec<_>, Vec<_>) = unknown.unzip();
        if !unknown.is_empty() {
            let what = text(&upper(&list(unknown.into_iter(), "and")));
            checks.push(Check::new(Tone::Calm, what, older_than(&scopes)));
        }
        checks
    }

    fn rules_check(&self) -> Check {
        let (rules, decision, names) = &self.rules;
        let to_rules = html! { a href="/admin/rules" { "Rules" } };
        match decision {
            Some(Decision::Refused(refusal)) => Check::new(
                Tone::Bad,
                text("The rules refuse starts"),
                html! { (rule(refusal.rule)) ". " (to_rules) },
            ),
            Some(Decision::Allowed | Decision::Confirm { .. }) => {
                let called = |id: &String| names.channel(id).unwrap_or(id).to_owned();
                let channels: Vec<_> = rules.channels.iter().map(called).collect();
                let channels = list(channels.iter().map(String::as_str), "and");
                match rules.channel_policy {
                    ChannelPolicy::Only if channels.is_empty() => Check::new(
                        Tone::Bad,
                        text("The rules allow starts in no channel"),
                        to_rules,
                    ),
                    ChannelPolicy::Only => Check::new(
                        Tone::Good,
                        html! { "The rules allow starts in " (channels) },
                        to_rules,
                    ),
                    ChannelPolicy::Except if !channels.is_empty() => Check::new(
                        Tone::Good,
                        html! { "The rules allow starts in all channels but " (channels) },
                        to_rules,
                    ),
                    _ => Check::new(Tone::Good, text("The rules allow starts"), to_rules),
                }
            }
            Some(Decision::NotKnown { fact, why }) => {
                let fact = match fact {
                    Fact::Membership => "who is a member here",
                    Fact::UserGroup => "who is in the user group of the rules",
                };
                let because = match why {
                    Unknown::NoAnswer => html! { "Slack does not say " (fact) " just now." },
                    Unknown::CannotAsk => {
                        html! { "The bot may not ask Slack " (fact) ". Install the app again." }
                    }
                };
                Check::new(
                    Tone::Calm,
                    text("Whether the rules allow starts"),
                    html! { (because) " " (to_rules) },
                )
            }
            None => Check::new(
                Tone::Calm,
                text("Whether the rules allow starts"),
                html! { "Slack does not answer just now. " (to_rules) },
            ),
        }
    }

    fn reports_check(&self) -> Check {
        let hears = self.hears_zoom;
        match self.reported_at {
            Some(at) if hears => Check::new(
                Tone::Good,
                text("Zoom’s reports reach the bot"),
                html! { "The last one " (self.shell.clock.ago(at)) },
            ),
            _ if hears => Check::new(
                Tone::Calm,
                text("Whether Zoom reports the livestreams of this account"),
                html! { "It has reported none yet." },
            ),
            _ => Check::new(
                Tone::Calm,
                text("Whether livestreams are really live"),
                html! { "This bot does not get Zoom’s reports. Whoever runs it can set that up." },
            ),
        }
    }

    fn link(&self) -> Markup {
        let (row, clock) = (&self.row, &self.shell.clock);
        html! {
            dl.pairs.panel.pad {
                dt { "Slack" } dd { (self.name) " in " (self.shell.admin.team_name) " " code { (row.user_id) } }
                dt { "Zoom" } dd { (row.email) }
                dt { "Linked" } dd { (clock.time(row.linked_at)) @if let Some(device) = &self.device { ", " (device) } }
                dt { "Last used" } dd { (clock.maybe(row.used_at, "never")) }
                dt { "Renewed" } dd { (clock.maybe(row.refreshed_at, "not yet")) "; Zoom ends idle links after about 90 days" }
                dt { "May at Zoom" } dd {
                    @if row.health == Health::Dead { "Nothing any more" } @else { (may(&row.scope)) }
                    details {
                        summary.crumb { (chevron()) "Scopes" }
                        @for scope in row.scope.split_whitespace() { code { (scope) } " " }
                    }
                }
            }
        }
    }
}

/// The scope that settings are read with.
const SETTINGS: &str = "user:read:settings";

/// The scope that destinations are set with.
const DESTINATION: &str = "meeting:update:livestream";

/// What cannot be told without a scope.
fn not_known_without(scope: &str) -> Option<&'static str> {
    Some(match scope {
        "meeting:read:livestream" => "whether livestreams are really live",
        "meeting:read:meeting" => "whether a meeting is running",
        "meeting:read:list_meetings" => "which meetings there are to choose from",
        SETTINGS => "whether livestreaming is on in the settings at Zoom",
        _ => return None,
    })
}

/// What somebody may do with these scopes.
fn may(granted: &str) -> String {
    let lacking = lacking(granted);
    let may: Vec<_> = [
        (
            "meeting:update:livestream_status",
            "start and stop livestreams",
        ),
        (DESTINATION, "send them to a destination"),
        ("meeting:read:meeting", "read meetings"),
        ("meeting:read:list_meetings", "list them"),
        ("meeting:read:livestream", "hear of livestreams"),
        ("user:read:user", "read the profile"),
        (SETTINGS, "read the settings"),
    ]
    .into_iter()
    .filter(|(scope, _)| !lacking.contains(scope))
    .map(|(_, may)| may)
    .collect();
    if may.is_empty() {
        "Nothing that is used here".to_owned()
    } else {
        upper(&list(may.into_iter(), "and"))
    }
}

fn upper(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}

fn text(text: &str) -> Markup {
    html! { (text) }
}

/// Who it is about, the answer, and what can be done.
fn head(name: &str, (tone, words): (Tone, &str), actions: &Markup) -> Markup {
    html! {
        a.crumb href=(PEOPLE) { (icon(Icon::Back)) "People" }
        div.head {
            div.who { (avatar(name)) h1 { (name) } (badge(tone, words)) }
            (actions)
        }
    }
}

/// What somebody is called; their ID, where Slack does not say.
pub(super) async fn name(app: &App, shell: &Shell, user: &SlackUserId) -> sqlx::Result<String> {
    let none: [&str; 0] = [];
    let names = Names::of(app, &shell.admin.asker, [user.as_str()], none).await?;
    Ok(names
        .person(user.as_str())
        .unwrap_or(user.as_str())
        .to_owned())
}

/// From where somebody linked last.
async fn device(app: &App, shell: &Shell, user: &SlackUserId) -> sqlx::Result<Option<String>> {
    let last = entries(app, shell, user, Some(AuditKind::Linked), 1).await?;
    Ok(last.into_iter().next().and_then(|entry| entry.detail))
}

async fn entries(
    app: &App,
    shell: &Shell,
    user: &SlackUserId,
    kind: Option<AuditKind>,
    count: i64,
) -> sqlx::Result<Vec<audit::Entry>> {
    let team = &shell.admin.asker.team;
    let mut db = app.db.acquire().await?;
    let found = people::find(&mut *db, team, user.as_str()).await?;
    let filter = Filter {
        kind,
        people: Some(found.into_iter().map(|found| found.person_id).collect()),
        ..Filter::default()
    };
    audit::entries(&mut db, team, &filter, Position::Newest, count).await
}

async fn lately(app: &App, shell: &Shell, user: &SlackUserId) -> sqlx::Result<Vec<Line>> {
    let last = entries(app, shell, user, None, LATELY).await?;
    let lines = Lines::load(app, shell, &last, &[]).await?;
    Ok(last.iter().map(|entry| lines.entry(entry)).collect())
}

fn lately_markup(shell: &Shell, id: &str, name: &str, lately: &[Line]) -> Markup {
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("who", id)
        .finish();
    html! {
        @if !lately.is_empty() {
            section.section.under aria-labelledby="lately" {
                div.head {
                    h2 #lately { "Lately" }
                    a.crumb href={ "/admin/activity?" (query) } { "All of " (name) "’s activity" }
                }
                ul.rows.panel { @for line in lately { li { (line.row(shell)) } } }
            }
        }
    }
}

/// The rules, what they say of somebody wherever they are, and the names of their channels. No
/// decision if Slack does not answer in time.
async fn rules(
    app: &App,
    shell: &Shell,
    user: &SlackUserId,
) -> sqlx::Result<(Rules, Option<Decision>, Names)> {
    let asker = Asker {
        user: user.clone(),
        ..shell.admin.asker.clone()
    };
    let authorization = authorization::find(&app.db, &asker).await?.authorization;
    let deciding = policy::would_start(app, &asker, None, &authorization);
    let decision = match timeout(PATIENCE, deciding).await {
        Ok(decision) => Some(decision?),
        Err(_) => None,
    };
    let rules = authorization.rules;
    let none: [&str; 0] = [];
    let channels = rules.channels.iter().map(String::as_str);
    let names = Names::of(app, &shell.admin.asker, none, channels).await?;
    Ok((rules, decision, names))
}

/// Somebody who is not linked, or not any more.
pub(in crate::web) struct NotLinked<'a> {
    pub(in crate::web) shell: &'a Shell,
    pub(in crate::web) user: &'a SlackUserId,
    pub(in crate::web) name: String,
    pub(in crate::web) former: Option<(FormerLink, Option<Uses>)>,
    /// They act with the account that the workspace shares.
    pub(in crate::web) is_sharing: bool,
    pub(in crate::web) ask: Ask,
    pub(in crate::web) lately: Vec<Line>,
}

impl<'a> NotLinked<'a> {
    /// Somebody whom anything here names.
    pub(super) async fn find(
        app: &App,
        shell: &'a Shell,
        user: &'a SlackUserId,
    ) -> Result<Self, AdminError> {
        let admin = &shell.admin.asker;
        let former = match person::former_link(app, &shell.admin, user).await {
            Ok(former) => Some(former),
            Err(AdminError::Nobody) => None,
            Err(error) => return Err(error),
        };
        let found = people::find(&app.db, &admin.team, user.as_str()).await?;
        if former.is_none() && found.is_none() {
            return Err(AdminError::Nobody);
        }
        let asker = Asker {
            user: user.clone(),
            ..admin.clone()
        };
        let known = authorization::find(&app.db, &asker).await?;
        let none: [&str; 0] = [];
        let names = Names::of(app, admin, [user.as_str()], none).await?;
        Ok(Self {
            name: names
                .person(user.as_str())
                .unwrap_or(user.as_str())
                .to_owned(),
            is_sharing: known.is_shared_dead.is_some() && app.shared_accounts,
            ask: Ask::find(app, shell, user).await?,
            lately: lately(app, shell, user).await?,
            shell,
            user,
            former,
        })
    }

    pub(in crate::web) fn markup(&self) -> Markup {
        let name = &self.name;
        let verdict = if self.is_sharing {
            (Tone::Info, "Uses the shared account")
        } else {
            (Tone::Calm, "Not linked")
        };
        let label = match self.former {
            Some(_) => format!("Ask {name} to link again"),
            None => format!("Ask {name} to link"),
        };
        let content = html! {
            div.intro { (head(name, verdict, &html! {})) }
            (self.ask.note(self.shell, name))
            div.split {
                section.section aria-labelledby="link" {
                    h2 #link { "Link" }
                    ul.rows.panel {
                        li {
                            (tick(if self.is_sharing { Tone::Calm } else { Tone::Bad }, "No:"))
                            div.grow {
                                b { (name) " has no Zoom account linked" @if self.former.is_some() { " any more" } }
                                p { (self.ask.cure(self.shell, name, self.former.is_some())) }
                            }
                            (self.ask.button(self.shell, self.user, &label))
                        }
                    }
                    dl.pairs.panel.pad {
                        dt { "Slack" } dd { (name) " " code { (self.user) } }
                        @if let Some((former, used_by)) = &self.former {
                            dt { "Was linked to" } dd { (former.email.as_deref().unwrap_or("an account that was erased")) }
                            dt { "Ended" } dd { (self.shell.clock.time(former.ended_at)) }
                            dt { "At Zoom" } dd { (at_zoom(former, *used_by)) }
                        }
                        @if self.is_sharing {
                            dt { "Acts with" } dd { "the account that " a href="/admin/shared" { "the workspace shares" } }
                        }
                    }
                }
                (lately_markup(self.shell, self.user.as_str(), name, &self.lately))
            }
        };
        self.shell.document(PEOPLE, name, &content)
    }
}

/// What became of the permission behind a link that ended.
fn at_zoom(former: &FormerLink, used_by: Option<Uses>) -> &'static str {
    if former.is_pending {
        "Zoom has not confirmed yet that the permission is withdrawn; the bot keeps trying. \
         Its user can remove the app under Added Apps at marketplace.zoom.us."
    } else if used_by.is_some_and(|found| found.is_shared_with_them) {
        "The workspace still shares this Zoom account, with this person too: its permission \
         stays, and their commands still act as it. You can change that under Shared account."
    } else if used_by.is_some_and(|found| found.by_workspace) {
        "The workspace still shares this Zoom account, so its permission stays."
    } else if used_by.is_some_and(|found| found.by_others) {
        "Other people still use this Zoom account, so its permission stays."
    } else {
        "The permission is withdrawn, or Zoom had ended it before."
    }
}

/// Asks before somebody is disconnected.
pub(super) fn disconnect(shell: &Shell, row: &LinkedUser, name: &str, is_live: bool) -> Markup {
    let path = of_person(row.user_id.as_str());
    let content = html! {
        div.intro {
            a.crumb href=(path) { (icon(Icon::Back)) (name) }
            h1 { "Disconnect " (name) "?" }
        }
        @if is_live {
            (note(Tone::Warn, "A livestream of theirs is on air.", &html! {
                "It goes on without the link, and may then only be ended in Zoom."
            }))
        }
        div.panel.pad.section {
            p { b { (name) } " will no longer act as Zoom account " b { (row.email) } "." }
            p { "If nobody else uses it, the permission at Zoom is withdrawn and its tokens are deleted. " (name)
                " is told, and can link it again." }
            form.actions method="post" action={ (path) "/disconnect" } {
                (csrf_field(&shell.csrf))
                input type="hidden" name="linked_at" value=(row.linked_at.timestamp_micros());
                button.button.stop type="submit" { "Disconnect " (name) }
                a.button.bare href=(path) { "Cancel" }
            }
        }
    };
    shell.document(PEOPLE, &format!("Disconnect {name}?"), &content)
}
