//! The rules of a workspace, and who may open these pages where Slack does not say.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum_extra::extract::{CookieJar, Form};
use serde::Deserialize;

use crate::admin::check::{self, GroupState, PersonState};
use crate::admin::{self, Admin, AdminError};
use crate::app::App;
use crate::db::rules::{self, ChannelPolicy, Rules, Who};
use crate::db::{linked_users, named_admins, user_groups};
use crate::livestream::forecast::{self, Forecast, Prospect};
use crate::web::admin::layout::{Problem, redirect, render};
use crate::web::admin::listed::{list, named, text};
use crate::web::admin::picker::{judge_people, pick};
use crate::web::admin::rules_form::RulesForm;
use crate::web::admin::rules_view::{Notice, View};
use crate::web::admin::session::{PageResult, authorize_action, authorize_form, authorize_view};
use crate::web::admin::slack_ids::IdKind;
use crate::web::pages::page;
use crate::workspace::names::Names;

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
    let form = RulesForm::of(&rules);
    let view = View::load(&app, &shell, rules, &form).await?;
    let notice = if is_saved || is_unchanged {
        let warnings = warnings(&app, &shell.admin, &view.rules, &view.names).await?;
        Some(if is_saved {
            Notice::Saved { warnings }
        } else {
            Notice::Unchanged { warnings }
        })
    } else {
        query.named.map(|_| Notice::NamesSaved)
    };
    Ok(render(view.page(&form, &[], notice.as_ref())))
}

/// Shows what a form would allow, with what is to be added to its lists. Saves nothing.
pub(super) async fn preview(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    Form(mut form): Form<RulesForm>,
) -> PageResult {
    let shell = authorize_form(&app, &jar, &form.csrf).await?;
    let asker = &shell.admin.asker;
    let mut problems = form.resolve(&app, asker).await?;
    let (_, wrong) = form.rules();
    problems.extend(wrong);
    let saved = rules::find(&app.db, &asker.team).await?;
    let mut view = View::load(&app, &shell, saved, &form).await?;
    if form.ask.is_some() {
        match view.ask(&app, &form).await? {
            Ok(may) => view.may = Some(may),
            Err(unclear) => problems.extend(unclear),
        }
    }
    let status = if problems.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    Ok(page(status, view.page(&form, &problems, None)))
}

pub(super) async fn save_rules(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    Form(mut form): Form<RulesForm>,
) -> PageResult {
    let shell = authorize_action(&app, &jar, &form.csrf).await?;
    let asker = &shell.admin.asker;
    let mut problems = form.resolve(&app, asker).await?;
    let (new, wrong) = form.rules();
    problems.extend(wrong);
    let saved = rules::find(&app.db, &asker.team).await?;
    let is_stale = saved.version != form.version;
    if problems.is_empty() && saved.are_same(&new) {
        let version = saved.version;
        return Ok(redirect(&format!("/admin/rules?unchanged={version}")));
    }
    let view = View::load(&app, &shell, saved, &form).await?;
    if !problems.is_empty() {
        return Ok(view.refused(&form, &problems, None));
    }
    if is_stale {
        return Ok(view.changed(form));
    }
    let listed = match Listed::ask(&app, &shell.admin, &new, &view.names).await? {
        Ok(listed) => listed,
        Err(problem) => return Ok(view.refused(&form, &[problem], None)),
    };
    let lock_out = lock_out(&app, &shell.admin, &view, &new, &listed).await?;
    if let Some(lock_out) = lock_out.filter(|lock_out| form.lock_out != lock_out.of) {
        let LockOut { verdict, why, of } = lock_out;
        return Ok(view.refused(&form, &[], Some(&Notice::LocksOut { verdict, why, of })));
    }
    match admin::set_rules(&app, &shell.admin, &view.rules, new, &view.names).await {
        Ok(()) => {
            let version = form.version + 1;
            Ok(redirect(&format!("/admin/rules?saved={version}")))
        }
        // Somebody else was faster, or this form once more.
        Err(AdminError::StaleForm) => {
            let rules = rules::find(&app.db, &asker.team).await?;
            if rules.are_same(&form.rules().0) {
                let version = rules.version;
                return Ok(redirect(&format!("/admin/rules?unchanged={version}")));
            }
            Ok(View::load(&app, &shell, rules, &form).await?.changed(form))
        }
        Err(error) => Err(error),
    }
}

/// What Slack says of those whom rules list.
enum Listed {
    /// Everybody, or nobody in particular.
    Nobody,
    People(Vec<PersonState>),
    Group(GroupState),
}

impl Listed {
    async fn ask(
        app: &App,
        admin: &Admin,
        new: &Rules,
        names: &Names,
    ) -> sqlx::Result<Result<Self, Problem>> {
        Ok(match (new.who, &new.group_id) {
            (Who::Named, _) => judge_people(app, &admin.asker, &new.people, names)
                .await?
                .map(Self::People)
                .map_err(|text| Problem {
                    field: "people",
                    text,
                }),
            (Who::Group, Some(group)) => match check::user_group(app, &admin.asker, group).await? {
                GroupState::NotFound => Err(Problem {
                    field: "group",
                    text: format!("Slack knows no user group {group} in this workspace."),
                }),
                state => Ok(Self::Group(state)),
            },
            _ => Ok(Self::Nobody),
        })
    }
}

/// Rules that take from people what they can do, or let nobody do anything.
struct LockOut {
    verdict: String,
    why: String,
    /// Names what was seen, so that nothing else is confirmed.
    of: String,
}

/// Whom rules would lock out, if anybody.
async fn lock_out(
    app: &App,
    admin: &Admin,
    view: &View<'_>,
    new: &Rules,
    listed: &Listed,
) -> Result<Option<LockOut>, AdminError> {
    let everybody = |why: &str, of: &str| {
        Ok(Some(LockOut {
            verdict: "Nothing was saved yet: this locks out everybody.".to_owned(),
            why: format!("{why} Until that changes, nobody can start a livestream."),
            of: of.to_owned(),
        }))
    };
    if new.channel_policy == ChannelPolicy::Only && new.channels.is_empty() {
        return everybody("No channel is listed.", "channels");
    }
    match listed {
        Listed::People(states) if states.is_empty() => {
            return everybody("Nobody is listed.", "people");
        }
        Listed::People(states)
            if !new.guests_allowed && states.iter().all(|state| *state == PersonState::Guest) =>
        {
            let why = "Everybody on the list is a guest or of another organisation, and these rules refuse them.";
            return everybody(why, &new.people.join(" "));
        }
        Listed::Group(state) => {
            let why = match state {
                GroupState::Empty => Some("Slack says that nobody is in this user group."),
                GroupState::NotKnown => {
                    Some("Slack does not tell this app who is in this user group.")
                }
                GroupState::NotFound | GroupState::HasMembers => None,
            };
            if let Some(why) = why {
                return everybody(why, new.group_id.as_deref().unwrap_or_default());
            }
        }
        Listed::People(_) | Listed::Nobody => {}
    }
    let before = forecast::look(app, &admin.asker, &view.rules, new).await?;
    Ok(losers(admin, view, &before))
}

/// Those who could go live before, and could not any more.
fn losers(admin: &Admin, view: &View<'_>, before: &Forecast) -> Option<LockOut> {
    let could = |prospect: &&Prospect| {
        before
            .people
            .iter()
            .any(|had| had.user == prospect.user && had.can())
    };
    let after = view.forecast.people.iter();
    let lost: Vec<&str> = after
        .filter(|prospect| !prospect.can() && could(prospect))
        .map(|prospect| prospect.user.as_str())
        .collect();
    let me = admin.asker.user.as_str();
    let names = lost.iter().map(|id| {
        if *id == me {
            "you yourself".to_owned()
        } else {
            text(&view.names, IdKind::Person, id)
        }
    });
    let names: Vec<_> = names.collect();
    let who = list(names.iter().map(String::as_str), "and");
    let is_me_alone = lost == [me];
    (!lost.is_empty()).then(|| LockOut {
        verdict: if is_me_alone {
            "Nothing was saved yet: this locks out you yourself.".to_owned()
        } else {
            format!("Nothing was saved yet: this locks out {who}.")
        },
        why: if before.more > 0 {
            "They can start livestreams now, and could not any more. So perhaps could others who are not shown here.".to_owned()
        } else if is_me_alone {
            "You can start livestreams now, and could not any more.".to_owned()
        } else {
            "They can start livestreams now, and could not any more.".to_owned()
        },
        of: lost.join(" "),
    })
}

/// What an admin who saved these rules may not have meant.
async fn warnings(
    app: &App,
    admin: &Admin,
    rules: &Rules,
    names: &Names,
) -> Result<Vec<String>, AdminError> {
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
            let unlinked: Vec<_> = people.filter(|id| !linked.contains(id)).cloned().collect();
            if !unlinked.is_empty() {
                let unlinked = named(names, IdKind::Person, &unlinked);
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
            let hidden = named(names, IdKind::Channel, &hidden);
            warnings.push(format!(
                "Slack does not show this app {hidden}: check the ID. For a private channel without this app that is \
                 as it should be, and the rule holds there."
            ));
        }
    }
    Ok(warnings)
}

/// A form with a list of admins. `before` is the list that the page had shown.
#[derive(Deserialize)]
pub(super) struct AdminsForm {
    csrf: String,
    #[serde(default)]
    people: Vec<String>,
    #[serde(default)]
    add_people: String,
    #[serde(default)]
    before: String,
}

pub(super) async fn save_admins(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    Form(form): Form<AdminsForm>,
) -> PageResult {
    let shell = authorize_action(&app, &jar, &form.csrf).await?;
    let asker = &shell.admin.asker;
    let current = if admin::names_admins(&app, &shell.admin).await? {
        named_admins::list(&app.db, &asker.team).await?
    } else {
        return Err(AdminError::NotSetUp);
    };
    let picked = pick(&app, asker, IdKind::Person, &form.people, &form.add_people).await?;
    let (mut people, mut problem) = (picked.ids, picked.problem);
    people.sort();
    if problem.is_none()
        && !people.iter().any(|id| id == asker.user.as_str())
        && !named_admins::is_installer(&app.db, asker).await?
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
    let rules = rules::find(&app.db, &asker.team).await?;
    let shown = RulesForm::of(&rules);
    let mut view = View::load(&app, &shell, rules, &shown).await?;
    view.typed_admins = Some((people, picked.left));
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
