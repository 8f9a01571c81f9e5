//! The Zoom account that a workspace shares.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum_extra::extract::{CookieJar, Form};
use chrono::{DateTime, Utc};
use maud::{Markup, html};
use serde::Deserialize;

use crate::account::{offer, unlink};
use crate::admin::{self, AdminError};
use crate::app::App;
use crate::db::grants::UNOPENED;
use crate::db::shared_accounts::{self, SharedAccount};
use crate::db::streams::{self, Stream};
use crate::reply::stream::name;
use crate::web::admin::layout::{Problem, Shell, complaints, csrf_field, redirect, render};
use crate::web::admin::listed::{named, text};
use crate::web::admin::picker::{Picker, Suggestions, judge_people, pick};
use crate::web::admin::session::{
    CsrfForm, PageResult, authorize_action, authorize_form, authorize_view,
};
use crate::web::admin::slack_ids::IdKind;
use crate::web::admin::streams::told;
use crate::web::pages::page;
use crate::web::parts::{Tone, badge, note, state_words, tick};
use crate::workspace::names::Names;

/// The path of the page.
const SHARED: &str = "/admin/shared";
/// Where the list is sent to add to it.
const PREVIEW: &str = "/admin/shared/preview";
/// How many of the streams that are over are looked through for the last one of the account.
const RECENT_MAX: i64 = 50;

/// A form about the account that is shared: `linked_at`, in microseconds, names which.
#[derive(Deserialize)]
pub(super) struct SharedForm {
    csrf: String,
    #[serde(default)]
    linked_at: i64,
    #[serde(default)]
    people: Vec<String>,
    #[serde(default)]
    add_people: String,
    /// The list that the page had shown.
    #[serde(default)]
    before: String,
}

/// What was done last, as its redirect says.
#[derive(Deserialize)]
pub(super) struct SharedQuery {
    saved: Option<String>,
}

impl SharedForm {
    fn linked_at(&self) -> Result<DateTime<Utc>, AdminError> {
        DateTime::from_timestamp_micros(self.linked_at).ok_or(AdminError::StaleForm)
    }
}

/// What the page says of what was done.
pub(in crate::web) enum Notice {
    Saved,
    Ended,
    /// Somebody else has changed the list since the form was made.
    Changed,
}

/// The list as a form shows it.
#[derive(Default)]
pub(in crate::web) struct Typed {
    pub(in crate::web) people: Vec<String>,
    /// What was typed and not added.
    pub(in crate::web) add: String,
    pub(in crate::web) has_focus: bool,
}

/// What the page shows.
pub(in crate::web) struct View<'a> {
    pub(in crate::web) shell: &'a Shell,
    /// Accounts can be shared here.
    pub(in crate::web) is_on: bool,
    pub(in crate::web) shared: Option<SharedAccount>,
    pub(in crate::web) names: Names,
    pub(in crate::web) suggestions: Suggestions,
    /// The last stream of the account that is over.
    pub(in crate::web) last: Option<Stream>,
    pub(in crate::web) typed: Typed,
}

impl<'a> View<'a> {
    /// `typed` is what a form shows; without it the list that is saved.
    async fn load(app: &App, shell: &'a Shell, typed: Option<Typed>) -> sqlx::Result<Self> {
        let asker = &shell.admin.asker;
        let shared = shared_accounts::find(&app.db, &asker.team).await?;
        let saved = shared.as_ref().map(|shared| shared.people.clone());
        let typed = typed.unwrap_or_else(|| Typed {
            people: saved.clone().unwrap_or_default(),
            ..Typed::default()
        });
        let mut people = saved.unwrap_or_default();
        people.extend(typed.people.iter().cloned());
        people.extend(shared.as_ref().map(|shared| shared.linked_by.to_string()));
        let last = match &shared {
            Some(shared) => {
                let recent = streams::of_team(&app.db, &asker.team, false, RECENT_MAX).await?;
                let mut recent = recent.into_iter();
                recent.find(|stream| stream.zoom_user == shared.zoom_user_id)
            }
            None => None,
        };
        people.extend(last.as_ref().map(|last| last.starter.user.to_string()));
        let ids = people.iter().map(String::as_str);
        let names = Names::of(app, asker, ids, []).await?;
        Ok(Self {
            shell,
            is_on: app.shared_accounts,
            shared,
            suggestions: Suggestions::load(app, asker, &names, &people, &[]).await?,
            names,
            last,
            typed,
        })
    }

    fn person(&self, id: &str) -> String {
        text(&self.names, IdKind::Person, id)
    }

    pub(in crate::web) fn page(&self, problems: &[Problem], notice: Option<&Notice>) -> Markup {
        let lead = html! { "One Zoom account for people who have none of their own. Channel and activity always name the real person." };
        let content = html! {
            (complaints(problems))
            @if let Some(notice) = notice { (self.notice(notice)) }
            @match &self.shared {
                None if self.is_on => (self.invitation()),
                None => {
                    div.panel.pad.section {
                        p { b { "Sharing is switched off here." } }
                        p.muted { "Whoever runs this bot can switch it on, with " code { "SHARED_ACCOUNTS=on" } "." }
                    }
                    (marketplace())
                }
                Some(shared) => {
                    div.split {
                        (self.state(shared))
                        @if self.is_on { (self.list(shared, problems)) }
                    }
                    (ending(shared))
                    (self.suggestions.lists())
                }
            }
        };
        self.shell.page(SHARED, "Shared account", &lead, &content)
    }

    fn notice(&self, notice: &Notice) -> Markup {
        let shared = self.shared.as_ref();
        let people = shared.map_or(&[][..], |shared| &shared.people);
        let people = named(&self.names, IdKind::Person, people);
        match notice {
            Notice::Saved => note(
                Tone::Good,
                "Saved.",
                &html! {
                    @if people.is_empty() { "Now nobody can use the shared account." }
                    @else { "Now " (people) " can use the shared account, unless they have linked one of their own." }
                },
            ),
            Notice::Ended => note(
                Tone::Good,
                "The sharing has ended.",
                &html! {
                    "If nobody else uses the account, its permission at Zoom is withdrawn."
                },
            ),
            Notice::Changed => {
                let listed = if people.is_empty() { "nobody" } else { &people };
                note(
                    Tone::Bad,
                    "Nothing was saved: somebody has changed the list since you opened this page.",
                    &html! { p { "Listed now: " (listed) ". The form below still has what you entered. Saving it replaces the list. "
                    a href=(SHARED) { "Show the list as it stands" } } },
                )
            }
        }
    }

    /// Nothing is shared yet.
    fn invitation(&self) -> Markup {
        html! {
            div.panel.pad.section {
                p { b { "No account is shared yet." } " Link one, then list who acts as it. Whoever has linked an account of their \
                    own goes on acting as that." }
                form.actions method="post" action="/admin/shared/link" {
                    (csrf_field(&self.shell.csrf))
                    button.button.primary type="submit" { "Link a Zoom account for the workspace" }
                }
            }
            (marketplace())
        }
    }

    /// Whether a livestream would start with the account.
    fn state(&self, shared: &SharedAccount) -> Markup {
        let (tone, verdict) = if shared.is_dead {
            (Tone::Bad, "Link broken")
        } else if shared.refusal.as_deref() == Some(UNOPENED) {
            (Tone::Bad, "Link not renewed")
        } else if shared.refusal.is_some() {
            (Tone::Bad, "Refused by Zoom")
        } else if self.is_on {
            (Tone::Good, "Ready")
        } else {
            (Tone::Calm, "Switched off")
        };
        html! {
            section.section aria-labelledby="account" {
                div.head { h2 #account { (shared.email) } (badge(tone, verdict)) }
                @if !self.is_on {
                    (note(Tone::Warn, "Nobody acts as it:", &html! { "sharing is switched off here. Whoever runs this bot can switch it on, \
                        with " code { "SHARED_ACCOUNTS=on" } "." }))
                }
                ul.rows.panel {
                    (self.permission(shared))
                    (self.live(shared))
                }
                (marketplace())
            }
        }
    }

    fn permission(&self, shared: &SharedAccount) -> Markup {
        let (tone, word, says) = match &shared.refusal {
            _ if shared.is_dead => (Tone::Bad, "No:", "Zoom no longer accepts the link"),
            Some(said) if said == UNOPENED => (
                Tone::Bad,
                "No:",
                "The bot can no longer open what it stored of the link. Whoever runs it may be able to fix that; linking \
                 it again does in any case",
            ),
            Some(_) => (Tone::Bad, "No:", "Zoom refuses to renew the permission"),
            None => (
                Tone::Good,
                "Yes:",
                "Zoom accepts the link, as far as is known",
            ),
        };
        html! {
            li {
                (tick(tone, word))
                div.grow {
                    (says)
                    @if let Some(said) = shared.refusal.as_ref().filter(|said| !shared.is_dead && *said != UNOPENED) { p { "Zoom said: " q { (said) } } }
                    p { "Linked " (self.shell.clock.time(shared.linked_at)) " by " (self.person(shared.linked_by.as_str())) }
                }
                @if (shared.is_dead || shared.refusal.as_deref() == Some(UNOPENED)) && self.is_on {
                    form method="post" action="/admin/shared/link" {
                        (csrf_field(&self.shell.csrf))
                        button.button.primary type="submit" { "Link it again" }
                    }
                }
            }
        }
    }

    fn live(&self, shared: &SharedAccount) -> Markup {
        let live = self.shell.live.iter();
        let live: Vec<_> = live
            .filter(|stream| stream.zoom_user == shared.zoom_user_id)
            .collect();
        html! {
            @for stream in &live {
                @let told = told(stream);
                @let (tone, words) = state_words(&told);
                li {
                    (tick(Tone::Calm, "Under way:"))
                    div.grow { (name(&told)) p { "Started by " (self.starter(stream)) ". "
                        @if shared.is_dead { "It cannot be stopped from Slack until the account is linked again." }
                        @else { "Who is listed, and every admin, may stop it." } } }
                    (badge(tone, words))
                }
            }
            @if live.is_empty() {
                li {
                    (tick(Tone::Good, "Free:"))
                    div.grow {
                        "Nothing is known to be live on it"
                        @if let Some(last) = &self.last {
                            @let began = last.facts.iter().map(|fact| fact.at).min();
                            p { "Last: " (name(&told(last))) @if let Some(began) = began { ", " (self.shell.clock.time(began)) }
                                ", asked by " (self.starter(last)) }
                        } @else { p { "Nothing went live on it yet, as far as is kept" } }
                    }
                }
            }
        }
    }

    fn starter(&self, stream: &Stream) -> String {
        self.person(stream.starter.user.as_str())
    }

    fn list(&self, shared: &SharedAccount, problems: &[Problem]) -> Markup {
        let picker = Picker {
            field: "people",
            add: "add_people",
            kind: IdKind::Person,
            saved: &shared.people,
            ticked: &self.typed.people,
            typed: &self.typed.add,
            preview: Some(PREVIEW),
            hint: "Whoever has linked an account of their own acts as that instead.",
            has_focus: self.typed.has_focus,
        };
        let is_changed = self.typed.people != shared.people;
        html! {
            section.section aria-labelledby="people-title" {
                div.head {
                    h2 #people-title { "Who acts as it" }
                    @if is_changed { span.badge.info.plain { "Not saved yet" } }
                }
                form.form method="post" action=(SHARED) {
                    (csrf_field(&self.shell.csrf)) (linked_at(shared))
                    input type="hidden" name="before" value=(shared.people.join(" "));
                    div.panel.pad.section {
                        @if shared.people.is_empty() && self.typed.people.is_empty() {
                            p { b { "Nobody is listed, so nobody acts as it." } }
                        }
                        (picker.show(&self.names, problems))
                    }
                    div.actions {
                        button.button.primary[!shared.is_dead] type="submit" { "Save list" }
                        button.button type="submit" form="link-another" { "Link another account instead" }
                    }
                }
                form #link-another method="post" action="/admin/shared/link" { (csrf_field(&self.shell.csrf)) }
            }
        }
    }

    /// Asks before the sharing ends.
    pub(in crate::web) fn end_page(&self, shared: &SharedAccount) -> Markup {
        let live = self.shell.live.iter();
        let live = live
            .filter(|stream| stream.zoom_user == shared.zoom_user_id)
            .count();
        let content = html! {
            @if live > 0 {
                (note(Tone::Warn, "A show goes on with it.", &html! { "It goes on. Nobody can stop it from Slack then who has no right to its \
                    meeting: it is ended in Zoom." }))
            }
            div.panel.pad.section {
                p { "Nobody acts as Zoom account " b { (shared.email) } " any more"
                    @if !shared.people.is_empty() { ": until now " (named(&self.names, IdKind::Person, &shared.people))
                        @if shared.people.len() == 1 { " could" } @else { " could" } }
                    ". If nobody else uses it, its permission at Zoom is withdrawn, and its tokens are deleted. It can be linked again." }
                form.actions method="post" action="/admin/shared/unlink" {
                    (csrf_field(&self.shell.csrf)) (linked_at(shared))
                    button.button.stop type="submit" { "End the sharing" }
                    a.button.bare href=(SHARED) { "Cancel" }
                }
            }
        };
        self.shell
            .page(SHARED, "End the sharing?", &html! {}, &content)
    }
}

pub(super) async fn shared_account(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    Query(query): Query<SharedQuery>,
) -> PageResult {
    let shell = authorize_view(&app, &jar).await?;
    let view = View::load(&app, &shell, None).await?;
    let notice = query.saved.map(|_| match &view.shared {
        Some(_) => Notice::Saved,
        None => Notice::Ended,
    });
    Ok(render(view.page(&[], notice.as_ref())))
}

/// Shows the list with what is to be added. Saves nothing.
pub(super) async fn preview(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    Form(form): Form<SharedForm>,
) -> PageResult {
    let shell = authorize_form(&app, &jar, &form.csrf).await?;
    let asker = &shell.admin.asker;
    let picked = pick(&app, asker, IdKind::Person, &form.people, &form.add_people).await?;
    let typed = Typed {
        people: picked.ids,
        add: picked.left,
        has_focus: true,
    };
    let view = View::load(&app, &shell, Some(typed)).await?;
    if view.shared.is_none() {
        return Err(AdminError::StaleForm);
    }
    let problems: Vec<_> = picked.problem.into_iter().map(of_people).collect();
    let status = if problems.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    Ok(page(status, view.page(&problems, None)))
}

fn of_people(text: String) -> Problem {
    Problem {
        field: "people",
        text,
    }
}

pub(super) async fn save_people(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    Form(form): Form<SharedForm>,
) -> PageResult {
    let shell = authorize_action(&app, &jar, &form.csrf).await?;
    if !app.shared_accounts {
        return Err(AdminError::NotSetUp);
    }
    let asker = &shell.admin.asker;
    let picked = pick(&app, asker, IdKind::Person, &form.people, &form.add_people).await?;
    let (people, mut problem) = (picked.ids, picked.problem);
    let typed = Typed {
        people: people.clone(),
        has_focus: problem.is_some(),
        add: picked.left,
    };
    let view = View::load(&app, &shell, Some(typed)).await?;
    let shared = view.shared.as_ref();
    let shared = shared.filter(|shared| shared.linked_at.timestamp_micros() == form.linked_at);
    let shared = shared.ok_or(AdminError::StaleForm)?;
    if problem.is_none() {
        problem = judge_people(&app, asker, &people, &view.names).await?.err();
    }
    if let Some(text) = problem {
        let markup = view.page(&[of_people(text)], None);
        return Ok(page(StatusCode::UNPROCESSABLE_ENTITY, markup));
    }
    if people == shared.people {
        return Ok(redirect("/admin/shared?saved=list"));
    }
    if form.before != shared.people.join(" ") {
        let markup = view.page(&[], Some(&Notice::Changed));
        return Ok(page(StatusCode::CONFLICT, markup));
    }
    let before = &shared.people;
    admin::share_with(&app, &shell.admin, form.linked_at()?, before, &people).await?;
    Ok(redirect("/admin/shared?saved=list"))
}

pub(super) async fn link(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    Form(form): Form<CsrfForm>,
) -> PageResult {
    let shell = authorize_action(&app, &jar, &form.csrf).await?;
    if !app.shared_accounts {
        return Err(AdminError::NotSetUp);
    }
    let url = offer::offer_shared(&app, &shell.admin.asker).await?;
    let url = url.ok_or(AdminError::NotSetUp)?;
    Ok(render(link_page(&shell, &url)))
}

pub(super) async fn confirm_end(State(app): State<Arc<App>>, jar: CookieJar) -> PageResult {
    let shell = authorize_view(&app, &jar).await?;
    let view = View::load(&app, &shell, None).await?;
    Ok(match &view.shared {
        Some(shared) => render(view.end_page(shared)),
        None => redirect(SHARED),
    })
}

pub(super) async fn unlink(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    Form(form): Form<SharedForm>,
) -> PageResult {
    let shell = authorize_action(&app, &jar, &form.csrf).await?;
    let is_ended = unlink::end_sharing_by(&app, &shell.admin.asker, form.linked_at()?).await?;
    let team = &shell.admin.asker.team;
    // The form was sent before: nothing is shared, as it wants.
    if !is_ended && shared_accounts::zoom_user(&app.db, team).await?.is_some() {
        return Err(AdminError::StaleForm);
    }
    Ok(redirect("/admin/shared?saved=ended"))
}

/// Leads to the page that asks.
fn ending(shared: &SharedAccount) -> Markup {
    html! {
        div.head.panel.pad {
            p { b { "End the sharing" } br;
                small.muted { "Nobody acts as " (shared.email) " any more. If nobody else uses it, its permission at Zoom is withdrawn, and its \
                    tokens are deleted." } }
            a.button.stop href="/admin/shared/end" { "End …" }
        }
    }
}

fn linked_at(shared: &SharedAccount) -> Markup {
    html! { input type="hidden" name="linked_at" value=(shared.linked_at.timestamp_micros()); }
}

fn marketplace() -> Markup {
    note(
        Tone::Warn,
        "",
        &html! {
            "For apps that a company runs for itself: Slack's marketplace forbids listed apps to let people share accounts of other services."
        },
    )
}

/// A link and no redirect: browsers let a form lead to no other site, not even by the way.
fn link_page(shell: &Shell, url: &str) -> Markup {
    let content = html! {
        div.panel.pad.section {
            p { "You sign in with Slack once more, then with the Zoom account that is to be shared, and confirm. \
                The link is yours alone and works for 10 minutes." }
            div.actions {
                a.button href=(url) { "Go on to Slack" }
                a.button.bare href=(SHARED) { "Cancel" }
            }
        }
    };
    shell.page(
        SHARED,
        "Link a Zoom account for the workspace",
        &html! {},
        &content,
    )
}
