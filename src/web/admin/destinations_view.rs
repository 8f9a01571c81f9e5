//! The pages of destinations.

use std::collections::HashMap;

use chrono::{DateTime, Months, Utc};
use maud::{Markup, html};

use crate::app::App;
use crate::db::destinations::{self, Carried, Destination, UsedBy};
use crate::db::linked_users;
use crate::destination::service::{self, SERVICES};
use crate::destination::{NAME_MAX, Resolution};
use crate::ids::{DestinationId, SlackUserId};
use crate::web::admin::destinations_form::DestinationForm;
use crate::web::admin::layout::{
    Problem, Shell, complaints, csrf_field, describe, note, problem_at, radio, time,
};
use crate::web::admin::rules_summary::list;
use crate::web::paths::DESTINATIONS;

/// After how long a key is called old.
const OLD_AFTER: Months = Months::new(12);

/// What the page of a destination says of what was done.
#[cfg_attr(test, derive(Debug))]
pub(in crate::web) enum Notice {
    Saved {
        warnings: Vec<String>,
    },
    Unchanged,
    /// Somebody else has changed it since the form was made.
    Changed,
    /// A livestream goes there.
    NotDeleted,
}

/// What the pages show besides a form.
pub(in crate::web) struct View<'a> {
    pub(in crate::web) shell: &'a Shell,
    /// Every destination of the workspace, by name.
    pub(in crate::web) all: Vec<Destination>,
    /// The names of people, by id.
    pub(in crate::web) names: HashMap<String, String>,
    /// The time: keys grow old.
    pub(in crate::web) now: DateTime<Utc>,
}

impl<'a> View<'a> {
    pub(super) async fn load(app: &App, shell: &'a Shell) -> sqlx::Result<Self> {
        let team = &shell.admin.asker.team;
        let all = destinations::list(&app.db, team, None).await?;
        let people = all.iter().flat_map(|destination| {
            let by = [&destination.key_set_by, &destination.changed_by];
            let by = by.into_iter().map(ToString::to_string);
            by.chain(destination.fields.people.iter().cloned())
        });
        let people: Vec<_> = people.collect();
        Ok(Self {
            shell,
            names: linked_users::names(&app.db, team, &people).await?,
            all,
            now: Utc::now(),
        })
    }

    pub(super) fn find(&self, id: DestinationId) -> Option<&Destination> {
        let mut all = self.all.iter();
        all.find(|destination| destination.destination_id == id)
    }

    fn person(&self, person: &SlackUserId) -> Markup {
        html! {
            @match self.names.get(person.as_str()) {
                Some(name) => (name),
                None => code { (person) },
            }
        }
    }

    /// The list, where nobody chooses one. `is_deleted` says that one was deleted last.
    pub(in crate::web) fn list_page(&self, is_deleted: bool) -> Markup {
        let content = html! {
            @if is_deleted {
                p.good role="status" { strong { "Deleted." } " Its key is destroyed." }
            }
            p { "Where livestreams can go. Keys stay here: they are never typed in Slack, and nobody can read one again." }
            @if self.all.is_empty() {
                p { "There is none yet. With one that is called " code { "townhall" } ", people add "
                    code.typed { "to=townhall" } " to a start, and need to know neither its server nor its key." }
            } @else {
                (self.choice(None))
            }
            p { a.button href={ (DESTINATIONS) "/new" } { "New destination" } }
        };
        self.layout("Destinations", &content)
    }

    fn badges(&self, destination: &Destination) -> Markup {
        html! {
            @if let Some(carried) = &destination.carries { span.badge.live { (stream(carried)) } }
            @if self.is_old(destination) { " " span.badge.warn { "Old key" } }
            @if destination.fields.is_test { " " span.badge.info { "Rehearsals" } }
        }
    }

    fn is_old(&self, destination: &Destination) -> bool {
        let since = self.now.checked_sub_months(OLD_AFTER);
        since.is_some_and(|since| destination.key_set_at < since)
    }

    fn choice(&self, current: Option<DestinationId>) -> Markup {
        html! {
            ul.choice {
                @for destination in &self.all {
                    @let is_current = current == Some(destination.destination_id);
                    li { a href=(path(destination.destination_id)) aria-current=[is_current.then_some("page")] {
                        span.head { strong { (destination.fields.name) } " " (self.badges(destination)) }
                        span.small { (service::name(&destination.fields.service)) " · key set " (time(Some(destination.key_set_at)))
                            " by " (self.person(&destination.key_set_by)) }
                    } }
                }
            }
        }
    }

    /// The page of a destination, or of a new one. `form` is what it shows.
    pub(in crate::web) fn form_page(
        &self,
        current: Option<&Destination>,
        form: &DestinationForm,
        problems: &[Problem],
        notice: Option<&Notice>,
    ) -> Markup {
        let (title, action) = current.map_or_else(
            || ("New destination".to_owned(), DESTINATIONS.to_owned()),
            |current| {
                (
                    current.fields.name.to_string(),
                    path(current.destination_id),
                )
            },
        );
        let content = html! {
            @if let (Some(notice), Some(current)) = (notice, current) { (self.notice(notice, current)) }
            (complaints(problems))
            @if let Some(current) = current { (self.facts(current, problems)) }
            form.sheet method="post" action=(action) autocomplete="off" {
                (csrf_field(&self.shell.csrf))
                input type="hidden" name="version" value=(form.version);
                (self.fields(current, &FormView { form, problems }))
                div.actions {
                    button.primary type="submit" { "Save " @if let Some(current) = current { (current.fields.name) } @else { "the destination" } }
                    a.quiet href=(DESTINATIONS) { "Cancel" }
                }
            }
            @if let Some(current) = current { (deletion(current)) }
        };
        let content = html! {
            p.back { a href=(DESTINATIONS) { "All destinations" } }
            div.split {
                nav.beside aria-label="Destinations" {
                    (self.choice(current.map(|current| current.destination_id)))
                    @if current.is_some() { p { a href={ (DESTINATIONS) "/new" } { "New destination" } } }
                }
                div { (content) }
            }
        };
        self.layout(&title, &content)
    }

    fn facts(&self, current: &Destination, problems: &[Problem]) -> Markup {
        let fields = &current.fields;
        html! {
            p { "Typed as " code.typed { "to=" (fields.name) } ". Last changed by " (self.person(&current.changed_by)) "."
                @if let Some(carried) = &current.carries { " It carries " (stream(carried)) " since " (time(Some(carried.began_at))) "." } }
            @if let Some(hint) = service::find(&fields.service).and_then(|service| service.hint) {
                p.note { strong { (service::name(&fields.service)) ": " } (hint) }
            }
            @if self.is_old(current) {
                p.note { "Its key is older than 12 months. Whoever had it can still stream with it: make a new one at the service, \
                    and replace it here." }
            }
            @if fields.used_by == UsedBy::Unknown && problems.is_empty() {
                p.note { "Another version of this service saved who may use it, and this version cannot read that, so nobody may. \
                    Choose again, and save." }
            }
        }
    }

    fn notice(&self, notice: &Notice, current: &Destination) -> Markup {
        match notice {
            Notice::Saved { warnings } => html! {
                div.good role="status" {
                    p { strong { "Saved." } }
                    (self.summary(current))
                    @if current.carries.is_some() { p { "From the next show on; the one that runs keeps what it was started with." } }
                }
                @for warning in warnings { p.note { (warning) } }
            },
            Notice::Unchanged => html! {
                div.good role="status" { p { strong { "It stands like this already:" } } (self.summary(current)) }
            },
            Notice::Changed => note(&html! {
                p { strong { "Nothing was saved: " (self.person(&current.changed_by)) " has changed " (current.fields.name)
                    " since you opened this page." } }
                p { "It says now:" }
                (self.summary(current))
                p { "The form below still has what you entered, but for a key. Saving it replaces that. "
                    a href=(path(current.destination_id)) { "Show it as it stands" } }
            }),
            Notice::NotDeleted => note(&html! {
                p { strong { "Nothing was deleted: " (current.fields.name) " carries "
                    @if let Some(carried) = &current.carries { (stream(carried)) } @else { "a livestream" } "." } }
                p { "Delete it when that is over." }
            }),
        }
    }

    /// What stands now, but for the key.
    fn summary(&self, current: &Destination) -> Markup {
        let fields = &current.fields;
        let ids = |ids: &[String]| {
            let ids = ids.iter();
            list(
                ids.map(|id| self.names.get(id).unwrap_or(id).as_str()),
                "and",
            )
        };
        html! {
            ul {
                li { strong { (fields.name) } " goes to " code { (fields.server_url) } " (" (service::name(&fields.service)) ")\
                    , with the key set " (time(Some(current.key_set_at))) " by " (self.person(&current.key_set_by)) }
                li { "Viewers watch at " a href=(fields.page_url) rel="noreferrer" { (fields.page_url) } }
                li {
                    @match fields.used_by {
                        UsedBy::Everybody => "Everybody who may go live can use it",
                        UsedBy::Channels => { "Whoever may go live can use it from " (ids(&fields.channels)) }
                        UsedBy::People => { "Only " (ids(&fields.people)) " can use it" },
                        UsedBy::Group => { "Only the members of " (fields.group_id.as_deref().unwrap_or("no user group")) " can use it" },
                        UsedBy::Unknown => "Nobody can use it",
                    }
                    @match fields.zoom_users.len() {
                        0 => "",
                        1 => ", with one Zoom account",
                        count => { ", with " (count) " Zoom accounts" },
                    }
                }
                @if !fields.default_in.is_empty() { li { "It is the default in " (ids(&fields.default_in)) } }
                @if let Some(resolution) = fields.resolution { li { "In " (resolution.as_str()) } }
                @if fields.is_test { li { "Only for rehearsals" } }
            }
        }
    }

    fn fields(&self, current: Option<&Destination>, view: &FormView<'_>) -> Markup {
        let form = view.form;
        let who = |value: UsedBy, label: &str, more: &Markup| {
            let value = value.as_str();
            html! { div.option { (radio("who", value, label, form.who == value)) div.more { (more) } } }
        };
        let new_key = html! {
            @let label = if current.is_some() { "New key" } else { "Key" };
            @let hint = html! {
                @if form.has_lost_key() { strong { "Enter it again: a key is never shown, not even here. " } }
                "Sealed when it is saved; nobody can read it again."
                @if current.is_some() { " From the next show on; the one that runs keeps the old key." }
            };
            label for="new_key" { (label) }
            input #new_key name="new_key" type="password" autocomplete="new-password" spellcheck="false"
                aria-invalid=[view.invalid("new_key")] aria-describedby=(view.described("new_key"));
            (view.below("new_key", &hint))
        };
        html! {
            (view.text("name", "Name", &form.name, "text", &html! {
                "Letters from a to z, digits and hyphens, " (NAME_MAX) " at most." }))
            div.field {
                label for="service" { "Service" }
                select #service name="service" aria-invalid=[view.invalid("service")] aria-describedby=[describe(view.problems, "service")] {
                    @if service::find(&form.service).is_none() { option value="" selected { "Choose a service" } }
                    @for service in &SERVICES {
                        option value=(service.key) selected[service.key == form.service] { (service.name) }
                    }
                }
                (problem_at(view.problems, "service"))
            }
            (view.text("server", "Server", &form.server, "url", &html! {
                "Leave it empty for the one that the service publishes. Amazon IVS and other servers have their own: it begins with "
                code { "rtmps://" } " or " code { "rtmp://" } "." }))
            @match current {
                None => div.field { (new_key) },
                Some(current) => fieldset #key aria-describedby=[describe(view.problems, "key")] {
                    legend { "Key" }
                    (problem_at(view.problems, "key"))
                    (radio("key", "keep", "Keep the key that is set", form.key == "keep"))
                    p.small.kept { "Set " (time(Some(current.key_set_at))) " by " (self.person(&current.key_set_by)) "; used for "
                        (current.used) @if current.used == 1 { " show" } @else { " shows" } " since. It can’t be shown." }
                    div.option {
                        (radio("key", "replace", "Replace it", form.key == "replace"))
                        div.more { (new_key) }
                    }
                },
            }
            (view.text("page", "Watch page", &form.page, "url", &html! {
                "Where viewers watch, behind " em { "Watch" } " in the channel. Zoom requires it." }))
            div.field {
                label for="resolution" { "Resolution" }
                select #resolution name="resolution" aria-invalid=[view.invalid("resolution")] aria-describedby=(view.described("resolution")) {
                    option value="" selected[form.resolution.is_empty()] { "Zoom’s choice" }
                    @for resolution in [Resolution::P720, Resolution::P1080].map(Resolution::as_str) {
                        option value=(resolution) selected[form.resolution == resolution] { (resolution) }
                    }
                }
                (view.below("resolution", &html! { "1080p works for Zoom users for whom it is enabled at Zoom; for them Zoom requires a choice." }))
            }
            fieldset #who aria-describedby=[describe(view.problems, "who")] {
                legend { "Who may use it" }
                (problem_at(view.problems, "who"))
                (radio("who", UsedBy::Everybody.as_str(), "everybody who may go live", form.who == UsedBy::Everybody.as_str()))
                (who(UsedBy::Channels, "only from these channels", &view.list("channels", "Ids of channels, like C0123ABCD", &form.channels)))
                (who(UsedBy::People, "only these people", &view.list("people", "Ids of people, like U0123ABCD", &form.people)))
                (who(UsedBy::Group, "only the members of a user group", &html! {
                    label for="group" { "Id of the user group, like S0123ABCD" }
                    input #group name="group" value=(form.group) spellcheck="false"
                        aria-invalid=[view.invalid("group")] aria-describedby=[describe(view.problems, "group")];
                    (problem_at(view.problems, "group"))
                }))
            }
            div.field {
                p.note { "Once used, the key stands in that meeting at Zoom: its host, and apps of theirs that may read livestream settings, \
                    can read it there. " a href="#accounts" { "Limit it to some Zoom accounts" } }
                label for="accounts" { "Only with these Zoom accounts" }
                textarea #accounts name="accounts" rows="2" spellcheck="false"
                    aria-invalid=[view.invalid("accounts")] aria-describedby=(view.described("accounts")) { (form.accounts) }
                (view.below("accounts", &html! { "E-mail addresses of accounts that are linked here, or that the workspace shares. Empty: with all." }))
            }
            div.field {
                label for="default_in" { "Default in these channels" }
                textarea #default_in name="default_in" rows="2" spellcheck="false"
                    aria-invalid=[view.invalid("default_in")] aria-describedby=(view.described("default_in")) { (form.default_in) }
                (view.below("default_in", &html! { "Ids of channels, like C0123ABCD. Livestreams that are started there without "
                    code { "to=" } " go here." }))
            }
            label.check { input #is_test type="checkbox" name="is_test" checked[form.is_test.is_some()]; " Only for rehearsals" }
        }
    }

    pub(in crate::web) fn delete_page(
        &self,
        current: &Destination,
        notice: Option<&Notice>,
    ) -> Markup {
        let name = &current.fields.name;
        let content = html! {
            @if let Some(notice) = notice { (self.notice(notice, current)) }
            @if let Some(carried) = &current.carries {
                p { (name) " carries " (stream(carried)) " since " (time(Some(carried.began_at))) ". It can be deleted when that is over." }
                p { a href=(path(current.destination_id)) { "Back to " (name) } }
            } @else {
                p { "Its key is destroyed at once, and " code.typed { "to=" (name) } " goes nowhere any more. \
                    The meetings that it was used for keep it at Zoom: make a new one where it came from, \
                    if nobody is to stream with this one." }
                @if !current.fields.default_in.is_empty() {
                    p { "Livestreams of " (list(current.fields.default_in.iter().map(String::as_str), "and"))
                        " then go where it is set in Zoom." }
                }
                form method="post" action={ (path(current.destination_id)) "/delete" } {
                    (csrf_field(&self.shell.csrf))
                    button.primary type="submit" { "Delete " (name) }
                    a.quiet href=(path(current.destination_id)) { "Cancel" }
                }
            }
        };
        self.layout(&format!("Delete {name}?"), &content)
    }

    fn layout(&self, title: &str, content: &Markup) -> Markup {
        self.shell.page(DESTINATIONS, title, &html! {}, content)
    }
}

/// The fields of a form, with what is wrong with them.
struct FormView<'a> {
    form: &'a DestinationForm,
    problems: &'a [Problem],
}

impl FormView<'_> {
    fn invalid(&self, field: &'static str) -> Option<&'static str> {
        describe(self.problems, field).map(|_| "true")
    }

    /// The ids of what describes a field with a hint.
    fn described(&self, field: &'static str) -> String {
        let problem = describe(self.problems, field);
        problem.map_or_else(
            || format!("{field}-hint"),
            |problem| format!("{problem} {field}-hint"),
        )
    }

    /// What stands below a field.
    fn below(&self, field: &'static str, hint: &Markup) -> Markup {
        html! {
            (problem_at(self.problems, field))
            p.small id={ (field) "-hint" } { (hint) }
        }
    }

    fn text(
        &self,
        field: &'static str,
        label: &str,
        value: &str,
        mode: &str,
        hint: &Markup,
    ) -> Markup {
        html! {
            div.field {
                label for=(field) { (label) }
                input id=(field) name=(field) value=(value) inputmode=(mode) spellcheck="false" autocapitalize="none"
                    aria-invalid=[self.invalid(field)] aria-describedby=(self.described(field));
                (self.below(field, hint))
            }
        }
    }

    fn list(&self, field: &'static str, label: &str, value: &str) -> Markup {
        html! {
            label for=(field) { (label) }
            textarea id=(field) name=(field) rows="2" spellcheck="false"
                aria-invalid=[self.invalid(field)] aria-describedby=[describe(self.problems, field)] { (value) }
            (problem_at(self.problems, field))
        }
    }
}

/// The page of a destination.
pub(super) fn path(id: DestinationId) -> String {
    format!("{DESTINATIONS}/{id}")
}

fn deletion(current: &Destination) -> Markup {
    html! {
        div.aside {
            p { strong { "Delete " (current.fields.name) } br;
                span.small {
                    @if let Some(carried) = &current.carries { "Not while it carries " (stream(carried)) ". " }
                    "Its key is destroyed at once." } }
            @if current.carries.is_none() {
                a.quiet href={ (path(current.destination_id)) "/delete" } { "Delete …" }
            }
        }
    }
}

/// What a destination carries, as everybody may know it.
fn stream(carried: &Carried) -> String {
    match &carried.topic {
        _ if !carried.is_public => "a stream".to_owned(),
        Some(topic) => topic.clone(),
        None => format!("meeting {}", carried.meeting.grouped()),
    }
}
