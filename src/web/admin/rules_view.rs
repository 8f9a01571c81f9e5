//! The page of a workspace's rules.

use std::collections::HashMap;

use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};

use crate::admin::{self, AdminError};
use crate::app::App;
use crate::db::rules::{ChannelPolicy, Rules, Who};
use crate::db::{linked_users, named_admins};
use crate::web::admin::layout::{
    Problem, Shell, complaints, csrf_field, describe, note, problem_at, radio,
};
use crate::web::admin::rules_form::RulesForm;
use crate::web::admin::rules_summary::{list, sentences};
use crate::web::pages::page;
use crate::web::paths::INSTALL;

/// What the page says of what was done.
pub(super) enum Notice {
    Saved {
        warnings: Vec<String>,
    },
    Unchanged {
        warnings: Vec<String>,
    },
    /// Somebody else has changed the rules since the form was made.
    Changed,
    /// With these people, or this user group, nobody could start a livestream.
    LocksOut {
        why: &'static str,
        of: String,
    },
    NamesSaved,
    /// Somebody else has changed the names of admins since the form was made.
    NamesChanged,
}

/// What the page shows besides the form.
pub(super) struct View<'a> {
    pub(super) shell: &'a Shell,
    pub(super) rules: Rules,
    /// The names of people, by id.
    pub(super) names: HashMap<String, String>,
    /// The admins, where Slack does not say who is one.
    pub(super) named: Option<Vec<String>>,
    /// What was typed for them, if it was not saved.
    pub(super) typed_admins: Option<String>,
    /// The scopes that only rules need, and that the app was installed without.
    pub(super) missing: Vec<&'static str>,
}

impl<'a> View<'a> {
    pub(super) async fn load(
        app: &App,
        shell: &'a Shell,
        rules: Rules,
    ) -> Result<Self, AdminError> {
        let admin = &shell.admin;
        let team = &admin.asker.team;
        let named = if admin::names_admins(app, admin).await? {
            Some(named_admins::list(&app.db, team).await?)
        } else {
            None
        };
        let mut ids = rules.people.clone();
        ids.extend(named.iter().flatten().cloned());
        ids.extend(rules.changed_by.as_ref().map(ToString::to_string));
        Ok(Self {
            shell,
            names: linked_users::names(&app.db, team, &ids).await?,
            missing: admin::missing_scopes(app, admin).await?,
            rules,
            named,
            typed_admins: None,
        })
    }

    /// Nothing was saved, and the form keeps what was typed.
    pub(super) fn refused(
        &self,
        form: &RulesForm,
        problems: &[Problem],
        notice: Option<&Notice>,
    ) -> Response {
        let markup = self.page(form, problems, notice);
        page(StatusCode::UNPROCESSABLE_ENTITY, markup)
    }

    /// The rules were changed since the form was made. It keeps what was typed, and saves it in
    /// place of what is shown above it if it is sent again.
    pub(super) fn changed(&self, form: RulesForm) -> Response {
        let form = RulesForm {
            version: self.rules.version,
            ..form
        };
        let markup = self.page(&form, &[], Some(&Notice::Changed));
        page(StatusCode::CONFLICT, markup)
    }

    fn who_changed(&self) -> String {
        self.rules.changed_by.as_ref().map_or_else(
            || "Somebody".to_owned(),
            |by| {
                self.names
                    .get(by.as_str())
                    .cloned()
                    .unwrap_or_else(|| by.to_string())
            },
        )
    }

    fn summary(&self) -> Markup {
        html! { ul { @for sentence in sentences(&self.rules, &self.names) { li { (sentence) } } } }
    }

    fn notice(&self, notice: &Notice) -> Markup {
        match notice {
            Notice::Saved { warnings } => html! {
                div.good role="status" { p { strong { "Saved. Now:" } } (self.summary()) }
                @for warning in warnings { p.note { (warning) } }
            },
            Notice::Unchanged { warnings } => html! {
                div.good role="status" { p { strong { "The rules stand like this already:" } } (self.summary()) }
                @for warning in warnings { p.note { (warning) } }
            },
            Notice::Changed => note(&html! {
                p { strong { "Nothing was saved: " (self.who_changed()) " has changed the rules since you opened this page." } }
                p { "They say now:" }
                (self.summary())
                p { "The form below still has what you entered. Saving it replaces them. "
                    a href="/admin/rules" { "Show the rules as they stand" } }
            }),
            Notice::LocksOut { why, of } => note(&html! {
                p { strong { "Nothing was saved yet: this locks out everybody." } }
                p { (why) " Until that changes, nobody can start a livestream." }
                button type="submit" form="rules" name="lock_out" value=(of) { "Save all the same" }
            }),
            Notice::NamesSaved => html! {
                p.good role="status" { strong { "Saved." } " The list below says who may open these pages." }
            },
            Notice::NamesChanged => note(&html! {
                p { strong { "Nothing was saved: somebody has changed the names since you opened this page." } }
                p { "Named now: " (self.named_now()) ". The form below still has what you entered. Saving it replaces them." }
            }),
        }
    }

    fn named_now(&self) -> String {
        let named = self.named.iter().flatten();
        let named = list(
            named.map(|id| self.names.get(id).unwrap_or(id).as_str()),
            "and",
        );
        if named.is_empty() {
            "nobody".to_owned()
        } else {
            named
        }
    }

    /// The names of people in a list, as far as they are known.
    fn known(&self, ids: &[String]) -> Markup {
        let known = ids
            .iter()
            .filter_map(|id| Some(format!("{} is {id}", self.names.get(id)?)));
        let known: Vec<_> = known.collect();
        html! { @if !known.is_empty() { p.small { (list(known.iter().map(String::as_str), "and")) "." } } }
    }

    pub(super) fn page(
        &self,
        form: &RulesForm,
        problems: &[Problem],
        notice: Option<&Notice>,
    ) -> Markup {
        let is_unreadable =
            self.rules.who == Who::Unknown || self.rules.channel_policy == ChannelPolicy::Unknown;
        let who = |value: &str, label: &str| radio("who", value, label, form.who == value);
        let place = |value: &str, label: &str| radio("place", value, label, form.place == value);
        let at = |field: &'static str| problem_at(problems, field);
        let describe = |field: &'static str| describe(problems, field);
        let is_wrong = |field: &'static str| describe(field).map(|_| "true");
        let content = html! {
            (complaints(problems))
            @if let Some(notice) = notice { (self.notice(notice)) }
            @if problems.is_empty() && is_unreadable {
                p { "Another version of this service saved rules that this version cannot read, so nobody can run it. \
                    Choose again, and save." }
            }
            p { "Rules apply to commands and buttons as soon as you save them. Anyone who is refused is told why. \
                Whoever started a livestream can stop it, whatever the rules say since." }
            @if !self.missing.is_empty() {
                div.note {
                    p { "The app was installed without permissions that some rules need:" }
                    ul {
                        @for scope in &self.missing {
                            li { code { (scope) } ": " (without(scope)) }
                        }
                    }
                    p { a href=(INSTALL) { "Add to Slack" } " grants them, if you leave the list as it is." }
                }
            }
            form.sheet #rules method="post" action="/admin/rules" {
                (csrf_field(&self.shell.csrf))
                input type="hidden" name="version" value=(form.version);
                fieldset #who aria-describedby=[describe("who")] {
                    legend { "Who may run it" }
                    (at("who"))
                    (who("linked", "everybody who is linked"))
                    (who("named", "only these people"))
                    label { "Ids of people, like U0123ABCD"
                        textarea #people name="people" rows="2" aria-invalid=[is_wrong("people")] aria-describedby=[describe("people")] { (form.people) } }
                    (at("people"))
                    (self.known(&self.rules.people))
                    (who("group", "only members of a user group"))
                    label { "Id of the user group, like S0123ABCD"
                        input #group name="group" value=(form.group) aria-invalid=[is_wrong("group")] aria-describedby=[describe("group")]; }
                    (at("group"))
                    label.check { input type="checkbox" name="guests_allowed" checked[form.guests_allowed.is_some()];
                        " guests and people from other organisations too" }
                }
                fieldset #place aria-describedby=[describe("place")] {
                    legend { "Where" }
                    (at("place"))
                    (place("anywhere", "in all channels"))
                    (place("only", "only in these channels"))
                    (place("except", "in all but these channels"))
                    label { "Ids of channels, like C0123ABCD"
                        textarea #channels name="channels" rows="2" aria-invalid=[is_wrong("channels")] aria-describedby=[describe("channels")] { (form.channels) } }
                    (at("channels"))
                }
                fieldset {
                    legend { "Ask before going live" }
                    label { "in channels with more members than"
                        input #confirm_over name="confirm_over" inputmode="numeric" value=(form.confirm_over)
                            aria-invalid=[is_wrong("confirm_over")] aria-describedby=[describe("confirm_over")]; }
                    (at("confirm_over"))
                    label.check { input type="checkbox" name="confirm_shared" checked[form.confirm_shared.is_some()];
                        " in channels shared with other organisations" }
                    p.small { "People are also asked where Slack does not say who reads in a channel, such as a private channel without this app." }
                }
                button.primary type="submit" { "Save the rules" }
                @if let Some(by) = &self.rules.changed_by {
                    p.small { "Last changed by " @if let Some(name) = self.names.get(by.as_str()) { (name) " " } code { (by) } "." }
                }
            }
            @if let Some(named) = &self.named {
                h2 { "Who may open these pages" }
                p { "Slack does not tell this app who is an admin here. The person who installed it can open these pages, and these people:" }
                form.sheet method="post" action="/admin/admins" {
                    (csrf_field(&self.shell.csrf))
                    input type="hidden" name="before" value=(named.join(" "));
                    label { "Ids of people, like U0123ABCD"
                        textarea #admins name="people" rows="2" aria-invalid=[is_wrong("admins")] aria-describedby=[describe("admins")] {
                            (self.typed_admins.clone().unwrap_or_else(|| named.join(" "))) } }
                    (at("admins"))
                    (self.known(named))
                    button type="submit" { "Save the names" }
                }
            }
        };
        self.shell
            .page("/admin/rules", "Rules", &html! {}, &content)
    }
}

/// What happens without a scope.
pub(super) fn without(scope: &str) -> &'static str {
    match scope {
        "chat:write.public" => {
            "a livestream is shown by one message in those public channels alone that the bot was invited to."
        }
        "usergroups:read" => "nobody can start or stop where only the members of a user group may.",
        "channels:read" => "in public channels people are always asked before they go live.",
        _ => "in private channels people are always asked before they go live.",
    }
}
