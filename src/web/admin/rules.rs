//! The rules of a workspace, and who may open these pages where Slack does not say.

use std::sync::Arc;

use axum::Form;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum_extra::extract::CookieJar;
use serde::Deserialize;

use crate::admin::check::{self, GroupState, PersonState};
use crate::admin::{self, Admin, AdminError};
use crate::app::App;
use crate::db::rules::{self, ChannelPolicy, Rules, Who};
use crate::db::{linked_users, named_admins, user_groups};
use crate::web::admin::layout::{Problem, redirect, render};
use crate::web::admin::rules_form::RulesForm;
use crate::web::admin::rules_summary::list;
use crate::web::admin::rules_view::{Notice, View};
use crate::web::admin::session::{PageResult, authorize_action, authorize_view};
use crate::web::admin::slack_ids::{self, IdKind, PeopleForm};
use crate::web::pages::page;

/// What was done last, as its redirect says.
#[derive(Deserialize)]
pub(super) struct RulesQuery {
    /// The version that was saved.
    saved: Option<String>,
    /// The version that a form asked for again.
    unchanged: Option<String>,
    /// The names of admins were saved.
    named: Option<String>,
}

pub(super) async fn rules(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    Query(query): Query<RulesQuery>,
) -> PageResult {
    let shell = authorize_view(&app, &jar).await?;
    let rules = rules::find(&app.db, &shell.admin.asker.team).await?;
    let is_this = |version: Option<String>| version == Some(rules.version.to_string());
    let (is_saved, is_unchanged) = (is_this(query.saved), is_this(query.unchanged));
    let notice = if is_saved || is_unchanged {
        let warnings = warnings(&app, &shell.admin, &rules).await?;
        Some(if is_saved {
            Notice::Saved { warnings }
        } else {
            Notice::Unchanged { warnings }
        })
    } else {
        query.named.map(|_| Notice::NamesSaved)
    };
    let form = RulesForm::of(&rules);
    let view = View::load(&app, &shell, rules).await?;
    Ok(render(view.page(&form, &[], notice.as_ref())))
}

pub(super) async fn save_rules(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    Form(form): Form<RulesForm>,
) -> PageResult {
    let shell = authorize_action(&app, &jar, &form.csrf).await?;
    let (new, problems) = form.rules();
    let view = View::load(
        &app,
        &shell,
        rules::find(&app.db, &shell.admin.asker.team).await?,
    )
    .await?;
    if !problems.is_empty() {
        return Ok(view.refused(&form, &problems, None));
    }
    if view.rules.are_same(&new) {
        let version = view.rules.version;
        return Ok(redirect(&format!("/admin/rules?unchanged={version}")));
    }
    if view.rules.version != form.version {
        return Ok(view.changed(form));
    }
    let (problems, lock_out) = judge(&app, &shell.admin, &new).await?;
    if !problems.is_empty() {
        return Ok(view.refused(&form, &problems, None));
    }
    if let Some(lock_out) = lock_out.filter(|lock_out| form.lock_out != lock_out.of) {
        let LockOut { why, of } = lock_out;
        return Ok(view.refused(&form, &[], Some(&Notice::LocksOut { why, of })));
    }
    match admin::set_rules(&app, &shell.admin, new).await {
        Ok(()) => {
            let version = form.version + 1;
            Ok(redirect(&format!("/admin/rules?saved={version}")))
        }
        // Somebody else was faster, or this form once more.
        Err(AdminError::StaleForm) => {
            let rules = rules::find(&app.db, &shell.admin.asker.team).await?;
            if rules.are_same(&form.rules().0) {
                return Ok(redirect(&format!(
                    "/admin/rules?unchanged={}",
                    rules.version
                )));
            }
            Ok(View::load(&app, &shell, rules).await?.changed(form))
        }
        Err(error) => Err(error),
    }
}

/// A rule with which nobody could start a livestream: why, and the people or the user group that it
/// names.
struct LockOut {
    why: &'static str,
    of: String,
}

/// What Slack's answers make of these rules: what is wrong with them, and whom they lock out.
async fn judge(
    app: &App,
    admin: &Admin,
    new: &Rules,
) -> Result<(Vec<Problem>, Option<LockOut>), AdminError> {
    let problem = |field, text| Ok((vec![Problem { field, text }], None));
    match (new.who, &new.group_id) {
        (Who::Named, _) => {
            let states = check::people(app, &admin.asker, &new.people).await?;
            if let Some(text) = slack_ids::unknown(&new.people, &states) {
                return problem("people", text);
            }
            let deactivated = slack_ids::those_in(&new.people, &states, PersonState::Deactivated);
            if let Some(deactivated) = deactivated {
                let text = format!("Deactivated in Slack: {deactivated}. Take them off the list.");
                return problem("people", text);
            }
            let are_guests = states.iter().all(|state| *state == PersonState::Guest);
            let lock_out = (are_guests && !new.guests_allowed).then(|| LockOut {
                why: "Everybody on the list is a guest or of another organisation, and these rules refuse them.",
                of: new.people.join(" "),
            });
            Ok((Vec::new(), lock_out))
        }
        (Who::Group, Some(group)) => {
            let why = match check::user_group(app, &admin.asker, group).await? {
                GroupState::NotFound => {
                    let text = format!("Slack knows no user group {group} in this workspace.");
                    return problem("group", text);
                }
                GroupState::Empty => Some("Slack says that nobody is in this user group."),
                GroupState::NotKnown => {
                    Some("Slack does not tell this app who is in this user group.")
                }
                GroupState::HasMembers => None,
            };
            let of = group.clone();
            Ok((Vec::new(), why.map(|why| LockOut { why, of })))
        }
        _ => Ok((Vec::new(), None)),
    }
}

/// What an admin who saved these rules may not have meant.
async fn warnings(app: &App, admin: &Admin, rules: &Rules) -> Result<Vec<String>, AdminError> {
    let mut warnings = Vec::new();
    let (team, me) = (&admin.asker.team, admin.asker.user.as_str());
    match (rules.who, &rules.group_id) {
        (Who::Named, _) => {
            if !rules.people.iter().any(|id| id == me) {
                warnings.push(
                    "You are not on the list, so you can't start livestreams yourself.".to_owned(),
                );
            }
            let linked = linked_users::linked_among(&app.db, &admin.asker, &rules.people).await?;
            let people = rules.people.iter();
            let unlinked = people.filter(|id| !linked.contains(id));
            let unlinked = list(unlinked.map(String::as_str), "and");
            if !unlinked.is_empty() {
                warnings.push(format!(
                    "Not linked to a Zoom account of their own yet: {unlinked}."
                ));
            }
        }
        (Who::Group, Some(group)) => {
            let known = user_groups::find(&app.db, team, group).await?;
            if known.is_some_and(|known| !known.people.iter().any(|id| id == me)) {
                warnings.push(
                    "You are not in the user group, so you can't start livestreams yourself."
                        .to_owned(),
                );
            }
        }
        _ => {}
    }
    if matches!(
        rules.channel_policy,
        ChannelPolicy::Only | ChannelPolicy::Except
    ) {
        let hidden = check::hidden_channels(app, &admin.asker, &rules.channels).await?;
        if !hidden.is_empty() {
            let hidden = list(hidden.iter().map(String::as_str), "and");
            warnings.push(format!(
                "Slack does not show this app {hidden}: check the ID. For a private channel without this app that is \
                 as it should be, and the rule holds there."
            ));
        }
    }
    Ok(warnings)
}

pub(super) async fn save_admins(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    Form(form): Form<PeopleForm>,
) -> PageResult {
    let shell = authorize_action(&app, &jar, &form.csrf).await?;
    let rules = rules::find(&app.db, &shell.admin.asker.team).await?;
    let shown = RulesForm::of(&rules);
    let mut view = View::load(&app, &shell, rules).await?;
    let current = view.named.take().ok_or(AdminError::NotSetUp)?;
    let (mut people, problem) = slack_ids::read(&form.people, IdKind::Person);
    people.sort();
    let mut problem = problem;
    if problem.is_none()
        && !people
            .iter()
            .any(|id| id == shell.admin.asker.user.as_str())
        && !named_admins::is_installer(&app.db, &shell.admin.asker).await?
    {
        let text = "You are not on the list: you could not open these pages any more. Another admin can remove you.";
        problem = Some(text.to_owned());
    }
    let is_stale = people != current && form.before != current.join(" ");
    if problem.is_none() && !is_stale {
        if people != current {
            admin::name_admins(&app, &shell.admin, &people).await?;
        }
        return Ok(redirect("/admin/rules?named=saved"));
    }
    view.typed_admins = Some(form.people);
    view.named = Some(current);
    let problem = problem.map(|text| Problem {
        field: "admins",
        text,
    });
    let problems: Vec<_> = problem.into_iter().collect();
    let (status, notice) = if problems.is_empty() {
        (StatusCode::CONFLICT, Some(Notice::NamesChanged))
    } else {
        (StatusCode::UNPROCESSABLE_ENTITY, None)
    };
    Ok(page(status, view.page(&shown, &problems, notice.as_ref())))
}
