//! Where livestreams can go: adding, changing and deleting it.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum_extra::extract::{CookieJar, Form};
use serde::Deserialize;

use crate::admin::check::{self, GroupState};
use crate::admin::destinations::{self as admin_destinations, Saved};
use crate::admin::{Admin, AdminError};
use crate::app::App;
use crate::db::destinations::{Fields, UsedBy};
use crate::db::linked_users::{self, Account};
use crate::ids::DestinationId;
use crate::web::admin::destinations_form::DestinationForm;
use crate::web::admin::destinations_view::{Notice, View, path};
use crate::web::admin::layout::{Problem, Shell, redirect, render};
use crate::web::admin::listed::{named, text};
use crate::web::admin::picker::judge_people;
use crate::web::admin::session::{
    CsrfForm, PageResult, authorize_action, authorize_form, authorize_view,
};
use crate::web::admin::slack_ids::IdKind;
use crate::web::pages::page;
use crate::web::paths::DESTINATIONS;
use crate::workspace::names::Names;

/// What was done last, as its redirect says.
#[derive(Deserialize)]
pub(super) struct DestinationsQuery {
    /// The number of the one that was deleted.
    deleted: Option<i64>,
    /// The version that was saved.
    saved: Option<i64>,
    /// The version that a form asked for again.
    unchanged: Option<i64>,
}

pub(super) async fn destinations(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    Query(query): Query<DestinationsQuery>,
) -> PageResult {
    let shell = authorize_view(&app, &jar).await?;
    let view = View::of_list(&app, &shell).await?;
    let deleted = query.deleted.map(DestinationId);
    let is_deleted = deleted.is_some_and(|deleted| view.find(deleted).is_none());
    Ok(render(view.list_page(is_deleted)))
}

pub(super) async fn new(State(app): State<Arc<App>>, jar: CookieJar) -> PageResult {
    let shell = authorize_view(&app, &jar).await?;
    let view = View::of_one(&app, &shell, None, None).await?;
    let form = DestinationForm::empty();
    Ok(render(view.form_page(None, &form, &[], None)))
}

pub(super) async fn destination(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    Path(id): Path<i64>,
    Query(query): Query<DestinationsQuery>,
) -> PageResult {
    let shell = authorize_view(&app, &jar).await?;
    let id = DestinationId(id);
    let view = View::of_one(&app, &shell, Some(id), None).await?;
    let current = view.find(id).ok_or(AdminError::NoDestination)?;
    let notice = if query.saved == Some(current.version) {
        let warnings = warnings(&app, &shell.admin, &current.fields, &view.names).await?;
        Some(Notice::Saved { warnings })
    } else {
        (query.unchanged == Some(current.version)).then_some(Notice::Unchanged)
    };
    let team = &shell.admin.asker.team;
    let accounts = linked_users::accounts(&app.db, team, &current.fields.zoom_users).await?;
    let form = DestinationForm::of(current, &accounts);
    let markup = view.form_page(Some(current), &form, &[], notice.as_ref());
    Ok(render(markup))
}

/// Shows a form with what is to be added to its lists. Saves nothing.
pub(super) async fn preview(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    id: Option<Path<i64>>,
    Form(mut form): Form<DestinationForm>,
) -> PageResult {
    let (app, id) = (&*app, id.map(|Path(id)| DestinationId(id)));
    let csrf = std::mem::take(&mut form.csrf);
    let shell = &authorize_form(app, &jar, &csrf).await?;
    let mut problems = form.resolve(app, &shell.admin.asker).await?;
    form.hide_key(&mut problems);
    let view = View::of_one(app, shell, id, Some(&form)).await?;
    let current = id.and_then(|id| view.find(id));
    if id.is_some() && current.is_none() {
        return Ok(deleted(&view, form, &problems));
    }
    let status = if problems.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let markup = view.form_page(current, &form, &problems, None);
    Ok(page(status, markup))
}

/// Saves a destination: a new one, if it has no number yet.
pub(super) async fn save(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    id: Option<Path<i64>>,
    Form(mut form): Form<DestinationForm>,
) -> PageResult {
    let (app, id) = (&*app, id.map(|Path(id)| DestinationId(id)));
    let csrf = std::mem::take(&mut form.csrf);
    let shell = &authorize_action(app, &jar, &csrf).await?;
    let admin = &shell.admin;
    let mut problems = form.resolve(app, &admin.asker).await?;
    let view = View::of_one(app, shell, id, Some(&form)).await?;
    let current = id.and_then(|id| view.find(id));
    if id.is_some() && current.is_none() {
        form.hide_key(&mut problems);
        return Ok(deleted(&view, form, &problems));
    }
    let accounts = known_accounts(app, admin, &form).await?;
    let refused = |form: &DestinationForm, problems: &[Problem]| {
        let markup = view.form_page(current, form, problems, None);
        Ok(page(StatusCode::UNPROCESSABLE_ENTITY, markup))
    };
    let wanted = match form.read(current, &accounts, &view.names, problems) {
        Ok(wanted) => wanted,
        Err(problems) => return refused(&form, &problems),
    };
    let (fields, key) = (&wanted.fields, wanted.key.as_ref());
    if let Some(problem) = judge(app, admin, fields, &view.names).await? {
        return refused(&form, &[problem]);
    }
    let saved = match (id, key) {
        (Some(id), key) => {
            admin_destinations::change(app, admin, id, form.version, fields, key, &view.names)
                .await?
        }
        (None, Some(key)) => admin_destinations::add(app, admin, fields, key, &view.names).await?,
        // Never: a form without problems has the key of a new destination.
        (None, None) => return Err(AdminError::StaleForm),
    };
    let has_new_key = key.is_some();
    match saved {
        Saved::Done(id) => {
            let version = current.map_or(1, |_| form.version + 1);
            Ok(redirect(&format!("{}?saved={version}", path(id))))
        }
        Saved::Unchanged(id) => unchanged(app, shell, id).await,
        Saved::Stale => changed(app, shell, id, form).await,
        Saved::NameTaken => refused(&form, &[name_taken()]),
        Saved::NameAlike(other) => {
            let text = format!(
                "People would mix it up with {other}: choose a name that differs in more than hyphens."
            );
            let field = "name";
            refused(&form, &[Problem { field, text }])
        }
        Saved::KeyNeeded => {
            let field = "new_key";
            let text = "Choose “Replace it”, and enter the key of the new server: the one that is set is not sent to \
                        another server."
                .to_owned();
            refused(&form, &[Problem { field, text }])
        }
        Saved::SameKey(other) => {
            let field = if has_new_key { "new_key" } else { "server" };
            let text = format!(
                "{other} has this server and key already. Two livestreams on one key cut each other off."
            );
            refused(&form, &[Problem { field, text }])
        }
        Saved::DefaultTaken { channel, by } => {
            let channel = text(&view.names, IdKind::Channel, &channel);
            let text =
                format!("{by} is the default in {channel} already: take it out there first.");
            let field = "default_in";
            refused(&form, &[Problem { field, text }])
        }
    }
}

/// Shows a destination that stands as a form wanted it.
async fn unchanged(app: &App, shell: &Shell, id: DestinationId) -> PageResult {
    let view = View::of_list(app, shell).await?;
    let current = view.find(id).ok_or(AdminError::NoDestination)?;
    let url = format!("{}?unchanged={}", path(id), current.version);
    Ok(redirect(&url))
}

/// A destination was changed since the form was made. It keeps what was typed, and saves it in place
/// of what is shown above it if it is sent again.
async fn changed(
    app: &App,
    shell: &Shell,
    id: Option<DestinationId>,
    mut form: DestinationForm,
) -> PageResult {
    let view = View::of_one(app, shell, id, Some(&form)).await?;
    let Some(current) = id.and_then(|id| view.find(id)) else {
        return Ok(deleted(&view, form, &[]));
    };
    form.version = current.version;
    let markup = view.form_page(Some(current), &form, &[], Some(&Notice::Changed));
    Ok(page(StatusCode::CONFLICT, markup))
}

/// A destination was deleted since the form was made. It keeps what was typed, as that of a new one.
fn deleted(view: &View<'_>, form: DestinationForm, problems: &[Problem]) -> Response {
    let form = form.anew();
    let markup = view.form_page(None, &form, problems, Some(&Notice::Deleted));
    page(StatusCode::CONFLICT, markup)
}

fn name_taken() -> Problem {
    Problem {
        field: "name",
        text: "Another destination has this name already.".to_owned(),
    }
}

/// Those of the form's Zoom accounts that are known here.
async fn known_accounts(
    app: &App,
    admin: &Admin,
    form: &DestinationForm,
) -> sqlx::Result<Vec<Account>> {
    linked_users::accounts(&app.db, &admin.asker.team, &form.account_words()).await
}

/// What Slack's answers make of those who may use a destination: what is wrong with them.
async fn judge(
    app: &App,
    admin: &Admin,
    fields: &Fields,
    names: &Names,
) -> sqlx::Result<Option<Problem>> {
    let problem = |field, text| Ok(Some(Problem { field, text }));
    match (fields.used_by, &fields.group_id) {
        (UsedBy::People, _) => {
            match judge_people(app, &admin.asker, &fields.people, names).await? {
                Ok(_) => Ok(None),
                Err(text) => problem("people", text),
            }
        }
        (UsedBy::Group, Some(group)) => match check::user_group(app, &admin.asker, group).await? {
            GroupState::NotFound => {
                let text = format!("Slack knows no user group {group} in this workspace.");
                problem("group", text)
            }
            GroupState::Empty | GroupState::NotKnown | GroupState::HasMembers => Ok(None),
        },
        _ => Ok(None),
    }
}

/// What an admin who saved a destination may not have meant.
async fn warnings(
    app: &App,
    admin: &Admin,
    fields: &Fields,
    names: &Names,
) -> sqlx::Result<Vec<String>> {
    let mut warnings = Vec::new();
    if let (UsedBy::Group, Some(group)) = (fields.used_by, &fields.group_id) {
        let why = match check::user_group(app, &admin.asker, group).await? {
            GroupState::Empty => Some("Slack says that nobody is in this user group"),
            GroupState::NotKnown | GroupState::NotFound => {
                Some("Slack does not tell this app who is in this user group")
            }
            GroupState::HasMembers => None,
        };
        warnings.extend(why.map(|why| format!("{why}: until that changes, nobody can use it.")));
    }
    let mut channels = fields.default_in.clone();
    if fields.used_by == UsedBy::Channels {
        channels.extend_from_slice(&fields.channels);
    }
    channels.sort_unstable();
    channels.dedup();
    let hidden = check::hidden_channels(app, &admin.asker, &channels).await?;
    if !hidden.is_empty() {
        let hidden = named(names, IdKind::Channel, &hidden);
        warnings.push(format!(
            "Slack does not show this app {hidden}: check the ID. For a private channel without this app that is as it \
             should be."
        ));
    }
    Ok(warnings)
}

pub(super) async fn confirm_delete(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    Path(id): Path<i64>,
) -> PageResult {
    let shell = authorize_view(&app, &jar).await?;
    let id = DestinationId(id);
    let view = View::of_one(&app, &shell, Some(id), None).await?;
    let current = view.find(id).ok_or(AdminError::NoDestination)?;
    Ok(render(view.delete_page(current, None)))
}

pub(super) async fn delete(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    Path(id): Path<i64>,
    Form(form): Form<CsrfForm>,
) -> PageResult {
    let shell = authorize_action(&app, &jar, &form.csrf).await?;
    let id = DestinationId(id);
    if !admin_destinations::delete(&app, &shell.admin, id).await? {
        let view = View::of_one(&app, &shell, Some(id), None).await?;
        if let Some(current) = view.find(id) {
            let markup = view.delete_page(current, Some(&Notice::NotDeleted));
            return Ok(page(StatusCode::CONFLICT, markup));
        }
        // The form was sent before.
    }
    Ok(redirect(&format!("{DESTINATIONS}?deleted={}", id.0)))
}
