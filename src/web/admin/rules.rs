//! The rules of a workspace, and who may open these pages where Slack does not say.

use std::sync::Arc;

use axum::Form;
use axum::extract::State;
use axum::http::StatusCode;
use axum_extra::extract::CookieJar;
use maud::{Markup, html};
use serde::Deserialize;

use crate::admin::{self, Admin};
use crate::app::App;
use crate::db::named_admins;
use crate::db::rules::{self, ChannelPolicy, Rules, Who};
use crate::web::admin::layout::{complaints, csrf_field, layout, radio, redirect, render};
use crate::web::admin::session::{PageResult, authorize_action, authorize_view};
use crate::web::admin::slack_ids::{self, IdKind, PeopleForm};
use crate::web::pages::page;
use crate::web::paths::INSTALL;

pub(super) async fn rules(State(app): State<Arc<App>>, jar: CookieJar) -> PageResult {
    let (admin, browser) = authorize_view(&app, &jar).await?;
    let rules = rules::find(&app.db, &admin.asker.team).await?;
    let named = if admin::names_admins(&app, &admin).await? {
        Some(named_admins::list(&app.db, &admin.asker.team).await?)
    } else {
        None
    };
    let missing = admin::missing_scopes(&app, &admin).await?;
    Ok(render(rules_page(
        &admin,
        &browser.csrf(),
        &rules,
        named.as_deref(),
        &missing,
        &[],
    )))
}

const WHO_MISSING: &str = "Choose who may run it.";
const PLACE_MISSING: &str = "Choose where it may be run.";
const GROUP_MISSING: &str = "Enter the user group's ID.";
const NO_NUMBER: &str = "Enter a whole number of members, for example 500.";

#[derive(Deserialize)]
pub(super) struct RulesForm {
    csrf: String,
    version: i64,
    #[serde(default)]
    who: String,
    #[serde(default)]
    people: String,
    #[serde(default)]
    group: String,
    #[serde(default)]
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
        let people = slack_ids::read(&self.people, IdKind::Person, &mut problems);
        let channels = slack_ids::read(&self.channels, IdKind::Channel, &mut problems);
        let group = slack_ids::read(&self.group, IdKind::UserGroup, &mut problems);
        let over = self.confirm_over.trim();
        let confirm_over: Option<i32> = over.parse().ok().filter(|over| *over >= 0);
        if !over.is_empty() && confirm_over.is_none() {
            problems.push(NO_NUMBER);
        }
        let rules = Rules {
            who: match self.who.as_str() {
                "named" => Who::Named,
                "group" => Who::Group,
                "linked" => Who::Linked,
                _ => Who::Unknown,
            },
            group_id: group.first().cloned(),
            people,
            channel_policy: match self.place.as_str() {
                "only" => ChannelPolicy::Only,
                "except" => ChannelPolicy::Except,
                "anywhere" => ChannelPolicy::Anywhere,
                _ => ChannelPolicy::Unknown,
            },
            channels,
            confirm_over,
            confirm_shared: self.confirm_shared.is_some(),
            guests_allowed: self.guests_allowed.is_some(),
            changed_by: None,
            version: self.version,
        };
        if rules.who == Who::Unknown {
            problems.push(WHO_MISSING);
        }
        if rules.channel_policy == ChannelPolicy::Unknown {
            problems.push(PLACE_MISSING);
        }
        if rules.who == Who::Group && self.group.trim().is_empty() {
            problems.push(GROUP_MISSING);
        }
        (rules, problems)
    }
}

pub(super) async fn save_rules(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    Form(form): Form<RulesForm>,
) -> PageResult {
    let admin = authorize_action(&app, &jar, &form.csrf).await?;
    let (rules, problems) = form.rules();
    if !problems.is_empty() {
        let markup = rules_page(&admin, &form.csrf, &rules, None, &[], &problems);
        return Ok(page(StatusCode::UNPROCESSABLE_ENTITY, markup));
    }
    admin::set_rules(&app, &admin, rules).await?;
    Ok(redirect("/admin/rules"))
}

pub(super) async fn save_admins(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    Form(form): Form<PeopleForm>,
) -> PageResult {
    let admin = authorize_action(&app, &jar, &form.csrf).await?;
    let mut problems = Vec::new();
    let people = slack_ids::read(&form.people, IdKind::Person, &mut problems);
    if !problems.is_empty() {
        let rules = rules::find(&app.db, &admin.asker.team).await?;
        let markup = rules_page(&admin, &form.csrf, &rules, Some(&people), &[], &problems);
        return Ok(page(StatusCode::UNPROCESSABLE_ENTITY, markup));
    }
    admin::name_admins(&app, &admin, &people).await?;
    Ok(redirect("/admin/rules"))
}

/// `named` are the admins, where Slack does not say who is one; `missing` the scopes that only rules
/// need, and that the app was installed without.
fn rules_page(
    admin: &Admin,
    csrf: &str,
    rules: &Rules,
    named: Option<&[String]>,
    missing: &[&str],
    problems: &[&str],
) -> Markup {
    let content = html! {
        (complaints(problems))
        @if problems.is_empty() && (rules.who == Who::Unknown || rules.channel_policy == ChannelPolicy::Unknown) {
            p { "Another version of this service saved rules that this version cannot read, so nobody can run it. \
                Choose again, and save." }
        }
        p { "Rules apply to commands and buttons as soon as you save them. Anyone who is refused is told why." }
        @if !missing.is_empty() {
            div.note {
                p { "The app was installed without permissions that some rules need:" }
                ul {
                    @for scope in missing {
                        li { code { (scope) } ": " (without(scope)) }
                    }
                }
                p { a href=(INSTALL) { "Add to Slack" } " grants them, if you leave the list as it is." }
            }
        }
        form.sheet method="post" action="/admin/rules" {
            (csrf_field(csrf))
            input type="hidden" name="version" value=(rules.version);
            fieldset {
                legend { "Who may run it" }
                (radio("who", "linked", "everybody who is linked", rules.who == Who::Linked))
                (radio("who", "named", "only these people", rules.who == Who::Named))
                label { "Ids of people, like U0123ABCD" textarea name="people" rows="2" { (rules.people.join(" ")) } }
                (radio("who", "group", "only members of a user group", rules.who == Who::Group))
                label { "Id of the user group, like S0123ABCD" input name="group" value=(rules.group_id.as_deref().unwrap_or_default()); }
                label.check { input type="checkbox" name="guests_allowed" checked[rules.guests_allowed];
                    " guests and people from other organisations too" }
            }
            fieldset {
                legend { "Where" }
                (radio("place", "anywhere", "in all channels", rules.channel_policy == ChannelPolicy::Anywhere))
                (radio("place", "only", "only in these channels", rules.channel_policy == ChannelPolicy::Only))
                (radio("place", "except", "in all but these channels", rules.channel_policy == ChannelPolicy::Except))
                label { "Ids of channels, like C0123ABCD" textarea name="channels" rows="2" { (rules.channels.join(" ")) } }
            }
            fieldset {
                legend { "Ask before going live" }
                label { "in channels with more members than" input name="confirm_over" inputmode="numeric" value=[rules.confirm_over]; }
                label.check { input type="checkbox" name="confirm_shared" checked[rules.confirm_shared];
                    " in channels shared with other organisations" }
                p.small { "People are also asked where Slack does not say who reads in a channel, such as a private channel without this app." }
            }
            button.primary type="submit" { "Save the rules" }
            @if let Some(by) = &rules.changed_by {
                p.small { "Last changed by " code { (by) } "." }
            }
        }
        @if let Some(named) = named {
            h2 { "Who may open these pages" }
            p { "Slack does not tell this app who is an admin here. The person who installed it can open these pages, and these people:" }
            form.sheet method="post" action="/admin/admins" {
                (csrf_field(csrf))
                label { "Ids of people, like U0123ABCD" textarea name="people" rows="2" { (named.join(" ")) } }
                button type="submit" { "Save the names" }
            }
        }
    };
    layout(admin, csrf, "/admin/rules", "Rules", &content)
}

/// What happens without a scope.
fn without(scope: &str) -> &'static str {
    match scope {
        "usergroups:read" => "nobody can start or stop where only the members of a user group may.",
        "channels:read" => "in public channels people are always asked before they go live.",
        _ => "in private channels people are always asked before they go live.",
    }
}
