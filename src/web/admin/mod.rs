//! The admin's pages; what they do is in [`crate::admin`].

mod export;
mod pages;

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Router};
use axum_extra::extract::CookieJar;
use serde::Deserialize;

use crate::account::{link, unlink};
use crate::admin::{self, Admin, AdminError};
use crate::app::App;
use crate::command::meeting::MeetingId;
use crate::crypto::browser::Browser;
use crate::crypto::browser::CallbackError;
use crate::db::audit::{self, Filter};
use crate::db::roster::{self, Sort};
use crate::db::rules::{self, ChannelPolicy, Rules, Who};
use crate::db::{admin as sessions, shared};
use crate::ids::SlackUserId;
use crate::web::cookies::{Callback, browser, cookie, removal};
use crate::web::pages::{headers, page};
use crate::web::paths::ADMIN;

/// Of a browser on its way to sign in, and of one that is signed in.
pub(super) const VISIT: &str = "__Host-sign-in";
const SESSION: &str = "__Host-admin";
/// How many entries a page of the activity shows.
const ENTRIES: i64 = 50;

type PageResult = Result<Response, AdminError>;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route(ADMIN, get(overview))
        .route("/admin/sign-in", get(sign_in))
        .route("/admin/sign-out", post(sign_out))
        .route("/admin/people", get(people))
        .route("/admin/people/{user}", get(person))
        .route("/admin/people/{user}/test", post(test))
        .route(
            "/admin/people/{user}/disconnect",
            get(ask_disconnect).post(disconnect),
        )
        .route("/admin/activity", get(activity))
        .route("/admin/activity.csv", get(csv))
        .route("/admin/activity.json", get(json))
        .route("/admin/rules", get(show_rules).post(set_rules))
        .route("/admin/admins", post(name_admins))
        .route("/admin/shared", get(show_shared).post(share))
        .route("/admin/shared/link", post(link_shared))
        .route("/admin/shared/unlink", post(unshare))
}

impl IntoResponse for AdminError {
    fn into_response(self) -> Response {
        let status = match &self {
            Self::NoSession | Self::Declined => StatusCode::UNAUTHORIZED,
            Self::StaleForm => StatusCode::CONFLICT,
            Self::NotAdmin => StatusCode::FORBIDDEN,
            Self::CannotTell => StatusCode::BAD_GATEWAY,
            Self::NotSetUp | Self::Nobody => StatusCode::NOT_FOUND,
            Self::Database(error) => {
                tracing::error!(%error, "an admin's page failed");
                StatusCode::SERVICE_UNAVAILABLE
            }
        };
        page(status, pages::closed(&self))
    }
}

/// Lets an admin look.
async fn authorize_view(app: &App, jar: &CookieJar) -> Result<(Admin, Browser), AdminError> {
    let browser = browser(jar, SESSION).ok_or(AdminError::NoSession)?;
    Ok((admin::admit(app, &browser, false).await?, browser))
}

/// Lets an admin do something with a form that was made for them.
async fn authorize_action(app: &App, jar: &CookieJar, csrf: &str) -> Result<Admin, AdminError> {
    let browser = browser(jar, SESSION).ok_or(AdminError::NoSession)?;
    if !browser.is_csrf(csrf) {
        return Err(AdminError::StaleForm);
    }
    admin::admit(app, &browser, true).await
}

fn render(markup: maud::Markup) -> Response {
    page(StatusCode::OK, markup)
}

fn to(path: &str) -> Response {
    (headers(), Redirect::to(path)).into_response()
}

/// What every form carries.
#[derive(Deserialize)]
struct CsrfForm {
    #[serde(default)]
    csrf: String,
}

async fn overview(State(app): State<Arc<App>>, jar: CookieJar) -> PageResult {
    let (admin, browser) = authorize_view(&app, &jar).await?;
    let team = &admin.asker.team;
    let trouble = roster::Query {
        is_trouble: true,
        ..roster::Query::default()
    };
    let people = roster::count(&app.db, team, &roster::Query::default()).await?;
    let troubled = roster::count(&app.db, team, &trouble).await?;
    let warnings = roster::page(&app.db, team, &trouble).await?;
    let last = audit::entries(&app.db, team, &Filter::default(), i64::MAX, 10).await?;
    Ok(render(pages::overview(
        &admin,
        &browser.csrf(),
        people,
        troubled,
        &warnings,
        &last,
    )))
}

async fn sign_in(State(app): State<Arc<App>>, jar: CookieJar) -> PageResult {
    let (token, url) = admin::begin(&app).await?;
    let jar = jar.add(cookie(VISIT, &token));
    Ok((headers(), jar, Redirect::to(&url)).into_response())
}

/// The way back from Slack, which those who link an account come as well.
pub(super) async fn back(
    app: &App,
    jar: CookieJar,
    browser: &Browser,
    callback: &Callback,
) -> Response {
    let code: Result<_, CallbackError> = callback.code();
    match admin::back(app, browser, code).await {
        Ok(token) => {
            // Whatever session there was is not this one.
            let jar = jar.remove(removal(VISIT)).add(cookie(SESSION, &token));
            (headers(), jar, Redirect::to(ADMIN)).into_response()
        }
        Err(closed) => closed.into_response(),
    }
}

async fn sign_out(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    Form(form): Form<CsrfForm>,
) -> PageResult {
    let browser = browser(&jar, SESSION).ok_or(AdminError::NoSession)?;
    if !browser.is_csrf(&form.csrf) {
        return Err(AdminError::StaleForm);
    }
    admin::sign_out(&app, &browser).await?;
    let jar = jar.remove(removal(SESSION));
    Ok((headers(), jar, Redirect::to("/")).into_response())
}

#[derive(Deserialize)]
struct PeopleQuery {
    #[serde(default)]
    q: String,
    #[serde(default)]
    sort: String,
    #[serde(default)]
    only: String,
    #[serde(default)]
    page: i64,
}

async fn people(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    Query(query): Query<PeopleQuery>,
) -> PageResult {
    let (admin, browser) = authorize_view(&app, &jar).await?;
    let wanted = roster::Query {
        search: query.q,
        is_trouble: query.only == "trouble",
        sort: match query.sort.as_str() {
            "linked" => Sort::Linked,
            "used" => Sort::Used,
            _ => Sort::Name,
        },
        page: query.page.clamp(0, 1_000_000),
    };
    let count = roster::count(&app.db, &admin.asker.team, &wanted).await?;
    let rows = roster::page(&app.db, &admin.asker.team, &wanted).await?;
    Ok(render(pages::people(
        &admin,
        &browser.csrf(),
        &wanted,
        count,
        &rows,
    )))
}

async fn person(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    Path(user): Path<SlackUserId>,
) -> PageResult {
    let (admin, browser) = authorize_view(&app, &jar).await?;
    let row = admin::person(&app, &admin, &user).await?;
    let filter = Filter {
        user: Some(user.as_str().to_owned()),
        ..Filter::default()
    };
    let last = audit::entries(&app.db, &admin.asker.team, &filter, i64::MAX, 10).await?;
    Ok(render(pages::person(
        &admin,
        &browser.csrf(),
        &row,
        &last,
        None,
    )))
}

async fn test(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    Path(user): Path<SlackUserId>,
    Form(form): Form<CsrfForm>,
) -> PageResult {
    let admin = authorize_action(&app, &jar, &form.csrf).await?;
    let tested = admin::test(&app, &admin, &user).await?;
    let row = admin::person(&app, &admin, &user).await?;
    Ok(render(pages::person(
        &admin,
        &form.csrf,
        &row,
        &[],
        Some(&tested),
    )))
}

async fn ask_disconnect(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    Path(user): Path<SlackUserId>,
) -> PageResult {
    let (admin, browser) = authorize_view(&app, &jar).await?;
    let row = admin::person(&app, &admin, &user).await?;
    Ok(render(pages::ask_disconnect(&admin, &browser.csrf(), &row)))
}

#[derive(Deserialize)]
struct Disconnect {
    csrf: String,
    linked_at: i64,
}

async fn disconnect(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    Path(user): Path<SlackUserId>,
    Form(form): Form<Disconnect>,
) -> PageResult {
    let admin = authorize_action(&app, &jar, &form.csrf).await?;
    let row = admin::person(&app, &admin, &user).await?;
    let unlinked = admin::disconnect(&app, &admin, &user, form.linked_at).await?;
    Ok(render(pages::disconnected(
        &admin, &form.csrf, &row, &unlinked,
    )))
}

/// Which entries of the activity are wanted.
#[derive(Deserialize)]
pub(super) struct ActivityQuery {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    user: String,
    #[serde(default)]
    meeting: String,
    #[serde(default)]
    only: String,
    before: Option<i64>,
}

impl ActivityQuery {
    fn filter(&self) -> Filter {
        let text = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let meeting: Option<MeetingId> = self.meeting.parse().ok();
        Filter {
            kind: text(&self.kind),
            user: text(&self.user),
            // What is no meeting was in no entry.
            meeting: meeting
                .map(MeetingId::get)
                .or_else(|| text(&self.meeting).map(|_| -1)),
            failed_only: self.only == "failed",
        }
    }
}

async fn activity(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    Query(query): Query<ActivityQuery>,
) -> PageResult {
    let (admin, browser) = authorize_view(&app, &jar).await?;
    let before = query.before.unwrap_or(i64::MAX);
    let filter = query.filter();
    let entries = audit::entries(&app.db, &admin.asker.team, &filter, before, ENTRIES).await?;
    let has_more = entries.len() == usize::try_from(ENTRIES).unwrap_or_default();
    Ok(render(pages::activity(
        &admin,
        &browser.csrf(),
        &filter,
        query.meeting.trim(),
        &entries,
        has_more,
    )))
}

async fn csv(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    Query(query): Query<ActivityQuery>,
) -> PageResult {
    let (admin, _) = authorize_view(&app, &jar).await?;
    let body = export::csv(app, admin.asker.team, query.filter());
    Ok(download("text/csv; charset=utf-8", "activity.csv", body))
}

async fn json(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    Query(query): Query<ActivityQuery>,
) -> PageResult {
    let (admin, _) = authorize_view(&app, &jar).await?;
    let body = export::json(app, admin.asker.team, query.filter());
    Ok(download("application/json", "activity.json", body))
}

fn download(content_type: &'static str, name: &str, body: axum::body::Body) -> Response {
    let disposition = format!("attachment; filename=\"{name}\"");
    let own = [
        (header::CONTENT_TYPE, content_type.to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    (headers(), own, body).into_response()
}

async fn show_rules(State(app): State<Arc<App>>, jar: CookieJar) -> PageResult {
    let (admin, browser) = authorize_view(&app, &jar).await?;
    let rules = rules::find(&app.db, &admin.asker.team).await?;
    let named = if admin::names_admins(&app, &admin).await? {
        Some(sessions::named(&app.db, &admin.asker.team).await?)
    } else {
        None
    };
    Ok(render(pages::rules(
        &admin,
        &browser.csrf(),
        &rules,
        named.as_deref(),
        &[],
    )))
}

#[derive(Deserialize)]
struct RulesForm {
    csrf: String,
    version: i64,
    who: String,
    #[serde(default)]
    people: String,
    #[serde(default)]
    group: String,
    place: String,
    #[serde(default)]
    channels: String,
    #[serde(default)]
    confirm_over: String,
    confirm_shared: Option<String>,
    guests_allowed: Option<String>,
}

impl RulesForm {
    /// The rules, and what is wrong with them.
    fn rules(&self) -> (Rules, Vec<&'static str>) {
        let mut problems = Vec::new();
        let people = ids(&self.people, &['U', 'W'], &mut problems, pages::NO_PEOPLE);
        let channels = ids(
            &self.channels,
            &['C', 'G'],
            &mut problems,
            pages::NO_CHANNELS,
        );
        let group = ids(&self.group, &['S'], &mut problems, pages::NO_GROUP);
        let over = self.confirm_over.trim();
        let confirm_over: Option<i32> = over.parse().ok().filter(|over| *over >= 0);
        if !over.is_empty() && confirm_over.is_none() {
            problems.push(pages::NO_NUMBER);
        }
        let rules = Rules {
            who: match self.who.as_str() {
                "named" => Who::Named,
                "group" => Who::Group,
                _ => Who::Linked,
            },
            group_id: group.first().cloned(),
            people,
            place: match self.place.as_str() {
                "only" => ChannelPolicy::Only,
                "except" => ChannelPolicy::Except,
                _ => ChannelPolicy::Anywhere,
            },
            channels,
            confirm_over,
            confirm_shared: self.confirm_shared.is_some(),
            guests_allowed: self.guests_allowed.is_some(),
            changed_by: None,
            version: self.version,
        };
        if rules.who == Who::Group && rules.group_id.is_none() {
            problems.push(pages::GROUP_MISSING);
        }
        (rules, problems)
    }
}

/// Ids as people paste them: apart by spaces, commas or lines, mentions included.
fn ids(
    text: &str,
    starts: &[char],
    problems: &mut Vec<&'static str>,
    problem: &'static str,
) -> Vec<String> {
    let is_id = |id: &&str| {
        id.len() > 1
            && id.starts_with(starts)
            && id
                .chars()
                .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
    };
    let words = text
        .split(|c: char| c.is_whitespace() || ",;<>@#".contains(c))
        .filter(|word| !word.is_empty());
    let (good, bad): (Vec<_>, Vec<_>) = words.partition(is_id);
    if !bad.is_empty() {
        problems.push(problem);
    }
    good.into_iter().map(str::to_owned).collect()
}

async fn set_rules(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    Form(form): Form<RulesForm>,
) -> PageResult {
    let admin = authorize_action(&app, &jar, &form.csrf).await?;
    let (rules, problems) = form.rules();
    if !problems.is_empty() {
        let markup = pages::rules(&admin, &form.csrf, &rules, None, &problems);
        return Ok(page(StatusCode::UNPROCESSABLE_ENTITY, markup));
    }
    admin::set_rules(&app, &admin, rules).await?;
    Ok(to("/admin/rules"))
}

#[derive(Deserialize)]
struct PeopleForm {
    csrf: String,
    #[serde(default)]
    people: String,
}

async fn name_admins(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    Form(form): Form<PeopleForm>,
) -> PageResult {
    let admin = authorize_action(&app, &jar, &form.csrf).await?;
    let mut problems = Vec::new();
    let people = ids(&form.people, &['U', 'W'], &mut problems, pages::NO_PEOPLE);
    if !problems.is_empty() {
        let rules = rules::find(&app.db, &admin.asker.team).await?;
        let markup = pages::rules(&admin, &form.csrf, &rules, Some(&people), &problems);
        return Ok(page(StatusCode::UNPROCESSABLE_ENTITY, markup));
    }
    admin::name_admins(&app, &admin, &people).await?;
    Ok(to("/admin/rules"))
}

async fn show_shared(State(app): State<Arc<App>>, jar: CookieJar) -> PageResult {
    let (admin, browser) = authorize_view(&app, &jar).await?;
    let shared = shared::find(&app.db, &admin.asker.team).await?;
    let csrf = browser.csrf();
    Ok(render(pages::shared(
        &admin,
        &csrf,
        app.shared_accounts,
        shared.as_ref(),
        &[],
    )))
}

async fn share(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    Form(form): Form<PeopleForm>,
) -> PageResult {
    let admin = authorize_action(&app, &jar, &form.csrf).await?;
    if !app.shared_accounts {
        return Err(AdminError::NotSetUp);
    }
    let mut problems = Vec::new();
    let people = ids(&form.people, &['U', 'W'], &mut problems, pages::NO_PEOPLE);
    if !problems.is_empty() {
        let shared = shared::find(&app.db, &admin.asker.team).await?;
        let markup = pages::shared(&admin, &form.csrf, true, shared.as_ref(), &problems);
        return Ok(page(StatusCode::UNPROCESSABLE_ENTITY, markup));
    }
    admin::share_with(&app, &admin, &people).await?;
    Ok(to("/admin/shared"))
}

async fn link_shared(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    Form(form): Form<CsrfForm>,
) -> PageResult {
    let admin = authorize_action(&app, &jar, &form.csrf).await?;
    if !app.shared_accounts {
        return Err(AdminError::NotSetUp);
    }
    let url = link::offer_shared(&app, &admin.asker).await?;
    let url = url.ok_or(AdminError::NotSetUp)?;
    Ok(render(pages::link_shared(&admin, &form.csrf, &url)))
}

async fn unshare(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    Form(form): Form<CsrfForm>,
) -> PageResult {
    let admin = authorize_action(&app, &jar, &form.csrf).await?;
    unlink::end_sharing_by(&app, &admin.asker).await?;
    Ok(to("/admin/shared"))
}
