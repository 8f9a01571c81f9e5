//! The page of a workspace's rules.

use axum::http::StatusCode;
use axum::response::Response;
use chrono::{DateTime, Utc};
use maud::{Markup, html};

use crate::admin::{self, AdminError};
use crate::app::App;
use crate::db;
use crate::db::audit::{self, AuditKind, Filter, Position};
use crate::db::rules::{ChannelPolicy, Rules, Who};
use crate::db::{destinations, named_admins};
use crate::livestream::forecast::{self, Forecast};
use crate::slack::web_api::UserGroup;
use crate::web::admin::layout::{Problem, Shell, complaints, csrf_field, describe, problem_at};
use crate::web::admin::listed::{named, text};
use crate::web::admin::picker::{
    CHANNELS_HINT, PEOPLE_HINT, Picker, Suggestions, checkbox, choice, group_field,
};
use crate::web::admin::rules_form::RulesForm;
use crate::web::admin::rules_preview::{May, forecast_panel, may_panel};
use crate::web::admin::rules_summary::sentences;
use crate::web::admin::slack_ids::IdKind;
use crate::web::pages::page;
use crate::web::parts::{Tone, note};
use crate::web::paths::INSTALL;
use crate::workspace::directory;
use crate::workspace::names::Names;

/// The path of the page.
const RULES: &str = "/admin/rules";
/// Where the form is sent to see what it would allow.
const PREVIEW: &str = "/admin/rules/preview";
/// What the page says of what was done.
pub(in crate::web) enum Notice {
    Saved {
        warnings: Vec<String>,
    },
    Unchanged {
        warnings: Vec<String>,
    },
    /// Somebody else has changed the rules since the form was made.
    Changed,
    /// People lose what they can do with these rules.
    LocksOut {
        verdict: String,
        why: String,
        of: String,
    },
    NamesSaved,
    /// Somebody else has changed the names of admins since the form was made.
    NamesChanged,
}

/// What the page shows besides the form.
pub(in crate::web) struct View<'a> {
    pub(in crate::web) shell: &'a Shell,
    /// The rules that are saved.
    pub(in crate::web) rules: Rules,
    /// When they were saved, if the audit still knows.
    pub(in crate::web) changed_at: Option<DateTime<Utc>>,
    pub(in crate::web) names: Names,
    /// Who could go live with what the form says.
    pub(in crate::web) forecast: Forecast,
    /// What the form says, as far as it could be read.
    pub(in crate::web) shown: Rules,
    /// What was asked about one person.
    pub(in crate::web) may: Option<May>,
    pub(in crate::web) suggestions: Suggestions,
    /// The user groups that can be chosen, if Slack tells them.
    pub(in crate::web) groups: Option<Vec<UserGroup>>,
    /// The admins, where Slack does not say who is one.
    pub(in crate::web) admins: Option<Vec<String>>,
    /// Those who were listed in their place and not saved, and what was typed besides.
    pub(in crate::web) typed_admins: Option<(Vec<String>, String)>,
    /// The scopes that only rules need, and that the app was installed without.
    pub(in crate::web) missing: Vec<&'static str>,
}

impl<'a> View<'a> {
    pub(super) async fn load(
        app: &App,
        shell: &'a Shell,
        rules: Rules,
        form: &RulesForm,
    ) -> Result<Self, AdminError> {
        let admin = &shell.admin;
        let (asker, team) = (&admin.asker, &admin.asker.team);
        let admins = if admin::names_admins(app, admin).await? {
            Some(named_admins::list(&app.db, team).await?)
        } else {
            None
        };
        let (mut shown, _) = form.rules();
        // Whoever is refused is told who set the rules.
        shown.changed_by = if shown.are_same(&rules) {
            rules.changed_by.clone()
        } else {
            Some(asker.user.clone())
        };
        let (forecast, groups) = tokio::try_join!(
            forecast::look(app, asker, &shown, &rules),
            directory::user_groups(app, asker),
        )?;
        let changed_by = rules.changed_by.as_ref().map(ToString::to_string);
        let mut people: Vec<_> = changed_by.into_iter().collect();
        people.extend(rules.people.iter().cloned());
        people.extend(form.people.iter().cloned());
        let judged = forecast.people.iter();
        people.extend(judged.map(|prospect| prospect.user.to_string()));
        people.extend(admins.iter().flatten().cloned());
        let mut channels = rules.channels.clone();
        channels.extend(form.channels.iter().chain(&form.except).cloned());
        let live = shell.live.iter().filter(|stream| stream.is_public);
        channels.extend(live.map(|stream| stream.channel.to_string()));
        for destination in destinations::list(&app.db, team, None).await? {
            let fields = destination.fields;
            channels.extend(fields.channels.into_iter().chain(fields.default_in));
        }
        let names = Names::of(
            app,
            asker,
            people.iter().map(String::as_str),
            channels.iter().map(String::as_str),
        );
        let names = names.await?;
        let last = Filter {
            kind: Some(AuditKind::RulesChanged),
            ..Filter::default()
        };
        let mut reading = db::patient(&app.db).await?;
        let last = audit::entries(&mut reading, team, &last, Position::Newest, 1).await?;
        reading.commit().await?;
        Ok(Self {
            shell,
            suggestions: Suggestions::load(app, asker, &names, &people, &channels).await?,
            names: names.with_groups(groups.as_deref().unwrap_or_default()),
            changed_at: last.first().map(|last| last.happened_at),
            missing: admin::missing_scopes(app, admin).await?,
            rules,
            forecast,
            shown,
            may: None,
            groups,
            admins,
            typed_admins: None,
        })
    }

    /// Judges the person and the channel that a form asks about, by what it says.
    pub(super) async fn ask(
        &mut self,
        app: &App,
        form: &RulesForm,
    ) -> sqlx::Result<Result<May, Vec<Problem>>> {
        May::find(app, &self.shell.admin.asker, form, &self.shown).await
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
            |by| text(&self.names, IdKind::Person, by.as_str()),
        )
    }

    fn summary(&self) -> Markup {
        html! { ul.points { @for sentence in sentences(&self.rules, &self.names) { li { (sentence) } } } }
    }

    fn notice(&self, notice: &Notice) -> Markup {
        let warned = |warnings: &[String]| html! { @for warning in warnings { (note(Tone::Warn, "", &html! { (warning) })) } };
        match notice {
            Notice::Saved { warnings } => html! {
                (note(Tone::Good, "Rules saved. Now:", &self.summary())) (warned(warnings))
            },
            Notice::Unchanged { warnings } => html! {
                (note(Tone::Good, "The rules stand like this already:", &self.summary())) (warned(warnings))
            },
            Notice::Changed => {
                let verdict = format!(
                    "Nothing was saved: {} has changed the rules since you opened this page.",
                    self.who_changed()
                );
                note(
                    Tone::Bad,
                    &verdict,
                    &html! {
                        p { "They say now:" }
                        (self.summary())
                        p { "The form below still has what you entered. Saving it replaces them. "
                            a href=(RULES) { "Show the rules as they stand" } }
                    },
                )
            }
            Notice::LocksOut { verdict, why, of } => note(
                Tone::Bad,
                verdict,
                &html! {
                    p { (why) }
                    div.actions {
                        button.button.stop type="submit" form="rules" name="lock_out" value=(of) { "Save all the same" }
                        a href=(RULES) { "Show the rules as they stand" }
                    }
                },
            ),
            Notice::NamesSaved => note(
                Tone::Good,
                "Saved.",
                &html! { "The list below says who may open these pages." },
            ),
            Notice::NamesChanged => note(
                Tone::Bad,
                "Nothing was saved: somebody has changed the names since you opened this page.",
                &html! { p { "Named now: " (self.named_now()) ". The form below still has what you entered. Saving it replaces them." } },
            ),
        }
    }

    fn named_now(&self) -> String {
        let named_now = named(
            &self.names,
            IdKind::Person,
            self.admins.as_deref().unwrap_or_default(),
        );
        if named_now.is_empty() {
            "nobody".to_owned()
        } else {
            named_now
        }
    }

    pub(in crate::web) fn page(
        &self,
        form: &RulesForm,
        problems: &[Problem],
        notice: Option<&Notice>,
    ) -> Markup {
        let is_unreadable =
            self.rules.who == Who::Unknown || self.rules.channel_policy == ChannelPolicy::Unknown;
        let is_saved = problems.is_empty() && self.shown.are_same(&self.rules);
        let badge = if is_saved {
            "As saved"
        } else {
            "Not saved yet"
        };
        let lead = html! { "They hold for commands and buttons from the moment you save. Whoever is refused is told which rule it was, and \
        whom to ask." };
        let content = html! {
            // Enter, in any field, is no reason to save.
            button.hidden type="submit" form="rules" formaction=(PREVIEW) tabindex="-1" aria-hidden="true" { "Preview" }
            (complaints(problems))
            @if let Some(notice) = notice { (self.notice(notice)) }
            @if problems.is_empty() && is_unreadable {
                (note(Tone::Warn, "Nobody can go live.", &html! { "Another version of this service saved rules that this version \
                    cannot read. Choose again, and save." }))
            }
            (self.missing_scopes())
            div.split.wide-left {
                form.form #rules method="post" action=(RULES) {
                    (csrf_field(&self.shell.csrf))
                    input type="hidden" name="version" value=(form.version);
                    (self.who(form, problems))
                    (self.places(form, problems))
                    (asked_first(form, problems))
                    (stopping())
                    div.actions {
                        button.button.primary type="submit" { "Save rules" }
                        button.button type="submit" formaction={ (PREVIEW) "#preview" } { "Preview" }
                        (self.last_changed())
                    }
                }
                aside.section.stick #preview aria-labelledby="preview-title" {
                    div.head { h2 #preview-title { "Who can go live now, and where?" } span.badge.info.plain { (badge) } }
                    (forecast_panel(&self.forecast, &self.shown, &self.names))
                    (may_panel(self.may.as_ref(), form, problems, &format!("{PREVIEW}#may")))
                }
            }
            (self.suggestions.lists())
            (self.admins(problems))
        };
        self.shell.page(RULES, "Rules", &lead, &content)
    }

    fn missing_scopes(&self) -> Markup {
        html! {
            @if !self.missing.is_empty() {
                (note(Tone::Warn, "The app was installed without permissions that some rules need:", &html! {
                    ul.points {
                        @for scope in &self.missing { li { code { (scope) } ": " (without(scope)) } }
                    }
                    p { a href=(INSTALL) { "Add to Slack" } " grants them, if you leave the list as it is." }
                }))
            }
        }
    }

    fn last_changed(&self) -> Markup {
        html! {
            @if self.rules.changed_by.is_some() {
                small.muted { "Last changed"
                    @if let Some(at) = self.changed_at { " " (self.shell.clock.time(at)) }
                    " by " (self.who_changed()) }
            }
        }
    }

    fn who(&self, form: &RulesForm, problems: &[Problem]) -> Markup {
        let named = form.who == Who::Named.as_str();
        let saved = if named || self.rules.who == Who::Named {
            &self.rules.people[..]
        } else {
            &[]
        };
        let picker = Picker {
            field: "people",
            add: "add_people",
            kind: IdKind::Person,
            saved,
            ticked: &form.people,
            typed: &form.add_people,
            preview: Some(PREVIEW),
            hint: PEOPLE_HINT,
            has_focus: form.focus == Some("people"),
        };
        html! {
            fieldset #who aria-describedby=[describe(problems, "who")] {
                legend { "Who may go live" }
                (problem_at(problems, "who"))
                (choice("who", "linked", form.who == "linked", "Everybody who has linked a Zoom account", &html! {}))
                (choice("who", "named", named, "Only these people", &picker.show(&self.names, problems)))
                (choice("who", "group", form.who == "group", "Only members of a user group", &group_field(self.groups.as_deref(), &form.group, problems)))
                (checkbox("guests_allowed", form.guests_allowed.is_some(), "Guests and people from other organisations, too", &html! {}))
            }
        }
    }

    fn places(&self, form: &RulesForm, problems: &[Problem]) -> Markup {
        let picker = |field, add, policy: ChannelPolicy, ticked, typed| {
            let saved = if self.rules.channel_policy == policy {
                &self.rules.channels[..]
            } else {
                &[]
            };
            let picker = Picker {
                field,
                add,
                kind: IdKind::Channel,
                saved,
                ticked,
                typed,
                preview: Some(PREVIEW),
                hint: CHANNELS_HINT,
                has_focus: form.focus == Some(field),
            };
            picker.show(&self.names, problems)
        };
        let only = picker(
            "channels",
            "add_channels",
            ChannelPolicy::Only,
            &form.channels,
            &form.add_channels,
        );
        let except = picker(
            "except",
            "add_except",
            ChannelPolicy::Except,
            &form.except,
            &form.add_except,
        );
        html! {
            fieldset #place aria-describedby=[describe(problems, "place")] {
                legend { "Where" }
                (problem_at(problems, "place"))
                (choice("place", "anywhere", form.place == "anywhere", "In every channel", &html! {}))
                (choice("place", "only", form.place == "only", "Only in these channels", &only))
                (choice("place", "except", form.place == "except", "In all but these channels", &except))
            }
        }
    }

    /// Who may open these pages, where Slack does not say.
    fn admins(&self, problems: &[Problem]) -> Markup {
        let Some(listed) = &self.admins else {
            return html! {};
        };
        let (ticked, typed) = match &self.typed_admins {
            Some((ticked, typed)) => (ticked, typed.as_str()),
            None => (listed, ""),
        };
        let picker = Picker {
            field: "admins",
            add: "add_people",
            kind: IdKind::Person,
            saved: listed,
            ticked,
            typed,
            preview: None,
            hint: PEOPLE_HINT,
            has_focus: self.typed_admins.is_some(),
        };
        html! {
            section.section aria-labelledby="admins-title" {
                h2 #admins-title { "Who may open these pages" }
                p.muted { "Slack does not tell this app who is an admin here. The person who installed it can open these pages, and these people:" }
                form.form.panel.pad method="post" action="/admin/admins" {
                    (csrf_field(&self.shell.csrf))
                    input type="hidden" name="before" value=(listed.join(" "));
                    div.section { (picker.show_as("people", &self.names, problems)) }
                    div.actions { button.button type="submit" { "Save the names" } }
                }
            }
        }
    }
}

fn asked_first(form: &RulesForm, problems: &[Problem]) -> Markup {
    let problem = describe(problems, "confirm_over");
    let many = html! {
        div.short {
            label for="confirm_over" { "More than" }
            input #confirm_over name="confirm_over" inputmode="numeric" value=(form.confirm_over)
                aria-invalid=[problem.as_ref().map(|_| "true")] aria-describedby=[problem.as_ref()];
            span.muted { "members" }
        }
        (problem_at(problems, "confirm_over"))
    };
    html! {
        fieldset {
            legend { "Ask “Go live?” first" }
            (checkbox("confirm_many", form.confirm_many.is_some(), "In channels with many members", &many))
            (checkbox("confirm_shared", form.confirm_shared.is_some(), "In channels shared with other organisations", &html! {}))
            p.hint { "Where either is chosen and Slack does not tell us who reads, such as in a private channel without this app, we ask as well." }
        }
    }
}

/// No rule: it always holds.
fn stopping() -> Markup {
    html! {
        section.section aria-labelledby="stopping" {
            h2 #stopping { "Who may stop a show" }
            p.hint { "Whoever started a show may always stop it. Everybody else may stop one where these rules let them go live. What runs with \
                the shared account, admins may always stop." }
        }
    }
}

/// What happens without a scope.
pub(super) fn without(scope: &str) -> &'static str {
    match scope {
        "chat:write.public" => {
            "a livestream is shown by one message in those public channels alone that the bot was invited to."
        }
        "usergroups:read" => "nobody can start or stop where only the members of a user group may.",
        "channels:read" => {
            "channels are shown and entered by their IDs, and in public channels people are always asked before they go live."
        }
        _ => "in private channels people are always asked before they go live.",
    }
}
