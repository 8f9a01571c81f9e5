//! The pages of destinations.

use chrono::Months;
use maud::{Markup, html};

use crate::app::App;
use crate::db::destinations::{self, Carried, Destination, UsedBy};
use crate::db::linked_users;
use crate::destination::service::{self, SERVICES};
use crate::destination::{NAME_MAX, Resolution};
use crate::ids::{Asker, DestinationId, SlackUserId};
use crate::slack::web_api::UserGroup;
use crate::stream::state::State;
use crate::web::admin::destinations_form::DestinationForm;
use crate::web::admin::layout::{Problem, Shell, complaints, csrf_field, describe, problem_at};
use crate::web::admin::listed::{list, named, text};
use crate::web::admin::picker::{
    CHANNELS_HINT, PEOPLE_HINT, Picker, Suggestions, checkbox, choice, group_field,
};
use crate::web::admin::slack_ids::IdKind;
use crate::web::parts::{Icon, Tone, badge, dotted, icon, note, typed};
use crate::web::paths::DESTINATIONS;
use crate::workspace::directory;
use crate::workspace::names::Names;

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
    /// Somebody else has deleted it since the form was made, which is now that of a new one.
    Deleted,
    /// A livestream goes there.
    NotDeleted,
}

/// What the pages show besides a form.
pub(in crate::web) struct View<'a> {
    pub(in crate::web) shell: &'a Shell,
    /// Every destination of the workspace, by name.
    pub(in crate::web) all: Vec<Destination>,
    pub(in crate::web) names: Names,
    pub(in crate::web) suggestions: Suggestions,
    /// The user groups that can be chosen, if Slack tells them.
    pub(in crate::web) groups: Option<Vec<UserGroup>>,
    /// The Zoom accounts that may read the key of the one that is shown, by their addresses, beside
    /// those that are meant to.
    pub(in crate::web) read_by: Vec<String>,
}

impl<'a> View<'a> {
    /// The list.
    pub(super) async fn of_list(app: &App, shell: &'a Shell) -> sqlx::Result<Self> {
        let asker = &shell.admin.asker;
        let all = destinations::list(&app.db, &asker.team, None).await?;
        let people = all
            .iter()
            .map(|destination| destination.key_set_by.as_str());
        Ok(Self {
            names: Names::of(app, asker, people, []).await?,
            shell,
            suggestions: Suggestions::default(),
            groups: None,
            read_by: Vec::new(),
            all,
        })
    }

    /// The page of a destination, or of a new one, with what a form says if one was sent.
    pub(super) async fn of_one(
        app: &App,
        shell: &'a Shell,
        id: Option<DestinationId>,
        form: Option<&DestinationForm>,
    ) -> sqlx::Result<Self> {
        let asker = &shell.admin.asker;
        let all = destinations::list(&app.db, &asker.team, None).await?;
        // Those of the form first: not all may be asked for.
        let (mut people, mut channels) = (Vec::new(), Vec::new());
        if let Some(form) = form {
            people.extend(form.people.iter().cloned());
            channels.extend(form.channels.iter().chain(&form.default_in).cloned());
        }
        let is_current = |destination: &&Destination| Some(destination.destination_id) == id;
        let others = all.iter().filter(|destination| !is_current(destination));
        for destination in all.iter().filter(is_current).chain(others) {
            people.push(destination.key_set_by.to_string());
            people.push(destination.changed_by.to_string());
            let fields = &destination.fields;
            if is_current(&destination) {
                people.extend(fields.people.iter().cloned());
            }
            channels.extend(fields.channels.iter().chain(&fields.default_in).cloned());
        }
        let read_by = match id {
            Some(id) => read_by(app, asker, id).await?,
            None => Vec::new(),
        };
        let (names, groups) = tokio::try_join!(
            Names::of(
                app,
                asker,
                people.iter().map(String::as_str),
                channels.iter().map(String::as_str),
            ),
            directory::user_groups(app, asker),
        )?;
        Ok(Self {
            suggestions: Suggestions::load(app, asker, &names, &people, &channels).await?,
            names: names.with_groups(groups.as_deref().unwrap_or_default()),
            shell,
            groups,
            read_by,
            all,
        })
    }

    pub(super) fn find(&self, id: DestinationId) -> Option<&Destination> {
        let mut all = self.all.iter();
        all.find(|destination| destination.destination_id == id)
    }

    fn person(&self, person: &SlackUserId) -> String {
        text(&self.names, IdKind::Person, person.as_str())
    }

    /// The list, where nobody chooses one. `is_deleted` says that one was deleted last.
    pub(in crate::web) fn list_page(&self, is_deleted: bool) -> Markup {
        let content = html! {
            div.head { (intro("Destinations", &about())) (new_button()) }
            @if is_deleted { (note(Tone::Good, "Deleted.", &html! { "Its key is destroyed." })) }
            @if self.all.is_empty() {
                div.panel.empty {
                    p { b { "There is none yet." } }
                    p { "With one that is called " code { "townhall" } ", people add " (typed("to=townhall"))
                        " to a start, and need to know neither its server nor its key." }
                }
            } @else {
                (self.choice(None, ""))
            }
        };
        self.shell.document(DESTINATIONS, "Destinations", &content)
    }

    fn badges(&self, destination: &Destination) -> Markup {
        html! {
            span.actions {
                @if let Some(carried) = &destination.carries { (badge(self.tone(carried), &stream(carried))) }
                @if self.is_old(destination) { (badge(Tone::Warn, "Old key")) }
                @if destination.fields.is_test { (badge(Tone::Info, "Rehearsals")) }
            }
        }
    }

    /// Red is what Zoom reported to be on air.
    fn tone(&self, carried: &Carried) -> Tone {
        let mut live = self.shell.live.iter();
        let is_on_air = live.any(|stream| {
            stream.meeting == carried.meeting && matches!(stream.state(), State::Live { .. })
        });
        if is_on_air { Tone::Live } else { Tone::Warn }
    }

    fn is_old(&self, destination: &Destination) -> bool {
        let since = self.shell.clock.now.checked_sub_months(OLD_AFTER);
        since.is_some_and(|since| destination.key_set_at < since)
    }

    /// Those that there are. `class` is that of a list beside a page.
    fn choice(&self, current: Option<DestinationId>, class: &str) -> Markup {
        html! {
            nav class={ "panel choose " (class) } aria-label="Destinations" {
                ul {
                    @for destination in &self.all {
                        @let is_current = current == Some(destination.destination_id);
                        li { a href=(path(destination.destination_id)) aria-current=[is_current.then_some("page")] {
                            span.head { b { (destination.fields.name) } (self.badges(destination)) }
                            small.muted { (dotted(&[
                                html! { (service::name(&destination.fields.service)) },
                                html! { "key set " (self.shell.clock.time(destination.key_set_at)) " by " (self.person(&destination.key_set_by)) },
                            ])) }
                        } }
                    }
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
        let preview = format!("{action}/preview");
        let view = FormView {
            form,
            problems,
            names: &self.names,
            preview: &preview,
        };
        let content = html! {
            div.head {
                (intro(&title, &current.map_or_else(about, |current| self.what_it_is(current))))
                @if current.is_some() { (new_button()) }
            }
            div class=(if self.all.is_empty() { "section" } else { "split narrow-left" }) {
                @if !self.all.is_empty() { (self.choice(current.map(|current| current.destination_id), "beside")) }
                div.section {
                    @match (notice, current) {
                        (Some(Notice::Deleted), _) => (deleted()),
                        (Some(notice), Some(current)) => (self.notice(notice, current)),
                        _ => {},
                    }
                    (complaints(problems))
                    @if let Some(current) = current { (self.facts(current, problems)) }
                    form.form.panel.pad method="post" action=(action) autocomplete="off" {
                        // Enter saves: the first button of a form is the one that it presses.
                        button.hidden type="submit" tabindex="-1" aria-hidden="true" { "Save" }
                        (csrf_field(&self.shell.csrf))
                        input type="hidden" name="version" value=(form.version);
                        (self.fields(current, &view))
                        div.actions {
                            button.button.primary type="submit" { "Save " @if let Some(current) = current { (current.fields.name) } @else { "the destination" } }
                            a.button.bare href=(DESTINATIONS) { "Cancel" }
                        }
                    }
                    @if let Some(current) = current { (deletion(current)) }
                }
            }
            (self.suggestions.lists())
        };
        self.shell.document(DESTINATIONS, &title, &content)
    }

    /// How it is used, who changed it, and what it carries.
    fn what_it_is(&self, current: &Destination) -> Markup {
        html! {
            "Typed as " (typed(&format!("to={}", current.fields.name))) ". Last changed by " (self.person(&current.changed_by)) "."
            @if let Some(carried) = &current.carries {
                " It carries " (stream(carried)) " since " (self.shell.clock.time(carried.began_at)) "." }
        }
    }

    fn facts(&self, current: &Destination, problems: &[Problem]) -> Markup {
        let fields = &current.fields;
        html! {
            @if let Some(hint) = service::find(&fields.service).and_then(|service| service.hint) {
                (note(Tone::Info, &format!("{}:", service::name(&fields.service)), &html! { (hint) }))
            }
            @if self.is_old(current) {
                (note(Tone::Warn, "Its key is older than 12 months.", &html! { "Whoever had it can still stream with it: make a new one at the \
                    service, and replace it here." }))
            }
            @if fields.used_by == UsedBy::Unknown && problems.is_empty() {
                (note(Tone::Warn, "Nobody may use it.", &html! { "Another version of this service saved who may, and this version cannot read that. \
                    Choose again, and save." }))
            }
        }
    }

    fn notice(&self, notice: &Notice, current: &Destination) -> Markup {
        match notice {
            Notice::Saved { warnings } => html! {
                (note(Tone::Good, "Saved.", &html! {
                    (self.summary(current))
                    @if current.carries.is_some() { p { "From the next show on; the one that runs keeps what it was started with." } }
                }))
                @for warning in warnings { (note(Tone::Warn, "", &html! { (warning) })) }
            },
            Notice::Unchanged => note(
                Tone::Good,
                "It stands like this already:",
                &self.summary(current),
            ),
            Notice::Changed => {
                let verdict = format!(
                    "Nothing was saved: {} has changed {} since you opened this page.",
                    self.person(&current.changed_by),
                    current.fields.name
                );
                note(
                    Tone::Bad,
                    &verdict,
                    &html! {
                        p { "It says now:" }
                        (self.summary(current))
                        p { "The form below still has what you entered, but for a key. Saving it replaces that. "
                            a href=(path(current.destination_id)) { "Show it as it stands" } }
                    },
                )
            }
            Notice::Deleted => deleted(),
            Notice::NotDeleted => {
                let carried = current
                    .carries
                    .as_ref()
                    .map_or_else(|| "a livestream".to_owned(), stream);
                let verdict = format!(
                    "Nothing was deleted: {} carries {carried}.",
                    current.fields.name
                );
                note(
                    Tone::Bad,
                    &verdict,
                    &html! { "Delete it when that is over." },
                )
            }
        }
    }

    /// What stands now, but for the key.
    fn summary(&self, current: &Destination) -> Markup {
        let fields = &current.fields;
        let list = |kind, ids: &[String]| named(&self.names, kind, ids);
        html! {
            ul.points {
                li { b { (fields.name) } " goes to " code { (fields.server_url) } " (" (service::name(&fields.service)) ")\
                    , with the key set " (self.shell.clock.time(current.key_set_at)) " by " (self.person(&current.key_set_by)) }
                li { "Viewers watch at " a href=(fields.page_url) rel="noreferrer" { (fields.page_url) } }
                li {
                    @match fields.used_by {
                        UsedBy::Everybody => "Everybody who may go live can use it",
                        UsedBy::Channels => { "Whoever may go live can use it from " (list(IdKind::Channel, &fields.channels)) }
                        UsedBy::People => { "Only " (list(IdKind::Person, &fields.people)) " can use it" },
                        UsedBy::Group => {
                            "Only the members of "
                            (fields.group_id.as_deref().map_or_else(|| "no user group".to_owned(), |group| text(&self.names, IdKind::UserGroup, group)))
                            " can use it"
                        },
                        UsedBy::Unknown => "Nobody can use it",
                    }
                    @match fields.zoom_users.len() {
                        0 => "",
                        1 => ", with one Zoom account",
                        count => { ", with " (count) " Zoom accounts" },
                    }
                }
                @if !fields.default_in.is_empty() { li { "It is the default in " (list(IdKind::Channel, &fields.default_in)) } }
                @if let Some(resolution) = fields.resolution { li { "In " (resolution.as_str()) } }
                @if fields.is_test { li { "Only for rehearsals" } }
            }
        }
    }

    fn fields(&self, current: Option<&Destination>, view: &FormView<'_>) -> Markup {
        let form = view.form;
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
            (self.key(current, view))
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
            (self.users(current, view))
            div.field {
                (note(Tone::Info, "", &html! { "Once used, the key stands in that meeting at Zoom: its host, and apps of theirs that may read livestream \
                    settings, can read it there. " a href="#accounts" { "Limit it to some Zoom accounts" } }))
                label for="accounts" { "Only with these Zoom accounts" }
                textarea #accounts name="accounts" rows="2" spellcheck="false"
                    aria-invalid=[view.invalid("accounts")] aria-describedby=(view.described("accounts")) { (form.accounts) }
                (view.below("accounts", &html! { "E-mail addresses of accounts that are linked here, or that the workspace shares. Empty: with all." }))
            }
            fieldset {
                legend { "Default in these channels" }
                p.hint { "Livestreams that are started there without " (typed("to=")) " go here." }
                @let saved = current.map_or(&[][..], |current| &current.fields.default_in);
                (view.list("default_in", "add_default_in", IdKind::Channel, saved))
            }
            (checkbox("is_test", form.is_test.is_some(), "Only for rehearsals", &html! {}))
        }
    }

    /// The key, which is never shown.
    fn key(&self, current: Option<&Destination>, view: &FormView<'_>) -> Markup {
        let form = view.form;
        let new_key = html! {
            @let label = if current.is_some() { "New key" } else { "Key" };
            @let hint = html! {
                @if form.has_lost_key() { b { "Enter it again: a key is never shown, not even here. " } }
                "Sealed when it is saved; nobody can read it again."
                @if current.is_some() { " From the next show on; the one that runs keeps the old key." }
            };
            label.label for="new_key" { (label) }
            input #new_key name="new_key" type="password" autocomplete="new-password" spellcheck="false"
                aria-invalid=[view.invalid("new_key")] aria-describedby=(view.described("new_key"));
            (view.below("new_key", &hint))
        };
        html! {
            @match current {
                None => div.field { (new_key) },
                Some(current) => fieldset #key aria-describedby=[describe(view.problems, "key")] {
                    legend { "Key" }
                    (problem_at(view.problems, "key"))
                    div.choice {
                        input #key-keep type="radio" name="key" value="keep" checked[form.key == "keep"];
                        label for="key-keep" { "Keep the key that is set" }
                        p.hint { "Set " (self.shell.clock.time(current.key_set_at)) " by " (self.person(&current.key_set_by)) "; used for "
                            (current.used) " " (if current.fields.is_test { "rehearsal" } else { "show" }) @if current.used != 1 { "s" }
                            " since. It can’t be shown." }
                        @if !self.read_by.is_empty() {
                            p.hint { "Since then it was sent to Zoom with " (list(self.read_by.iter().map(String::as_str), "and"))
                                ": whoever has " @if self.read_by.len() == 1 { "that account" } @else { "one of those accounts" }
                                " can read it there. If they are not to stream with it any more, make a new one at the service, and replace \
                                 it here." }
                        }
                    }
                    (choice("key", "replace", form.key == "replace", "Replace it", &new_key))
                },
            }
        }
    }

    fn users(&self, current: Option<&Destination>, view: &FormView<'_>) -> Markup {
        let form = view.form;
        let saved = |used_by: UsedBy| current.filter(|current| current.fields.used_by == used_by);
        let channels = saved(UsedBy::Channels).map_or(&[][..], |current| &current.fields.channels);
        let people = saved(UsedBy::People).map_or(&[][..], |current| &current.fields.people);
        let who = |value: UsedBy, label: &str, more: &Markup| {
            let value = value.as_str();
            choice("who", value, form.who == value, label, more)
        };
        html! {
            fieldset #who aria-describedby=[describe(view.problems, "who")] {
                legend { "Who may use it" }
                (problem_at(view.problems, "who"))
                (who(UsedBy::Everybody, "Everybody who may go live", &html! {}))
                (who(UsedBy::Channels, "Only from these channels", &view.list("channels", "add_channels", IdKind::Channel, channels)))
                (who(UsedBy::People, "Only these people", &view.list("people", "add_people", IdKind::Person, people)))
                (who(UsedBy::Group, "Only the members of a user group", &group_field(self.groups.as_deref(), &form.group, view.problems)))
            }
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
            div.panel.pad.section {
                @if let Some(carried) = &current.carries {
                    p { (name) " carries " (stream(carried)) " since " (self.shell.clock.time(carried.began_at)) ". It can be deleted when that is over." }
                    p { a href=(path(current.destination_id)) { "Back to " (name) } }
                } @else {
                    p { "Its key is destroyed at once, and " (typed(&format!("to={name}"))) " goes nowhere any more. \
                        The meetings that it was used for keep it at Zoom: make a new one where it came from, \
                        if nobody is to stream with this one." }
                    @if !current.fields.default_in.is_empty() {
                        p { "Livestreams of " (named(&self.names, IdKind::Channel, &current.fields.default_in))
                            " then go where it is set in Zoom." }
                    }
                    form.actions method="post" action={ (path(current.destination_id)) "/delete" } {
                        (csrf_field(&self.shell.csrf))
                        button.button.stop type="submit" { "Delete " (name) }
                        a.button.bare href=(path(current.destination_id)) { "Cancel" }
                    }
                }
            }
        };
        self.shell.page(
            DESTINATIONS,
            &format!("Delete {name}?"),
            &html! {},
            &content,
        )
    }
}

/// The Zoom accounts that may read the key of a destination at Zoom, by their addresses; by their ids, if
/// nobody here has linked them any more.
async fn read_by(app: &App, asker: &Asker, id: DestinationId) -> sqlx::Result<Vec<String>> {
    let ids = destinations::read_by(&app.db, &asker.team, id).await?;
    let ids: Vec<_> = ids.iter().map(ToString::to_string).collect();
    let accounts = linked_users::accounts(&app.db, &asker.team, &ids).await?;
    let name_of = |id: &String| {
        let mut accounts = accounts.iter();
        let account = accounts.find(|account| account.zoom_user_id.as_str() == id);
        account.map_or_else(|| id.clone(), |account| account.email.clone())
    };
    Ok(ids.iter().map(name_of).collect())
}

fn intro(title: &str, lead: &Markup) -> Markup {
    html! {
        div.intro {
            @if title != "Destinations" { a.crumb href=(DESTINATIONS) { (icon(Icon::Back)) " All destinations" } }
            h1 { (title) }
            p.lead { (lead) }
        }
    }
}

fn about() -> Markup {
    html! { "Where livestreams can go. Keys stay here: they are never typed in Slack, and nobody can read one again." }
}

fn deleted() -> Markup {
    note(
        Tone::Bad,
        "Nothing was saved: there is no such destination any more.",
        &html! { "The form below still has what you entered, but for a key. Enter that, and save it to add the destination anew." },
    )
}

fn new_button() -> Markup {
    html! { a.button href={ (DESTINATIONS) "/new" } { (icon(Icon::Plus)) " New destination" } }
}

/// The fields of a form, with what is wrong with them.
struct FormView<'a> {
    form: &'a DestinationForm,
    problems: &'a [Problem],
    names: &'a Names,
    /// Where the form is sent to add to its lists.
    preview: &'a str,
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
            p.hint id={ (field) "-hint" } { (hint) }
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

    fn list(
        &self,
        field: &'static str,
        add: &'static str,
        kind: IdKind,
        saved: &[String],
    ) -> Markup {
        let form = self.form;
        let (ticked, typed) = match field {
            "people" => (&form.people, &form.add_people),
            "channels" => (&form.channels, &form.add_channels),
            _ => (&form.default_in, &form.add_default_in),
        };
        let hint = match kind {
            IdKind::Person => PEOPLE_HINT,
            IdKind::Channel | IdKind::UserGroup => CHANNELS_HINT,
        };
        let picker = Picker {
            field,
            add,
            kind,
            saved,
            ticked,
            typed,
            preview: Some(self.preview),
            hint,
            has_focus: form.focus == Some(field),
        };
        picker.show(self.names, self.problems)
    }
}

/// The page of a destination.
pub(super) fn path(id: DestinationId) -> String {
    format!("{DESTINATIONS}/{id}")
}

fn deletion(current: &Destination) -> Markup {
    html! {
        div.head.panel.pad {
            p { b { "Delete " (current.fields.name) } br;
                small.muted {
                    @if let Some(carried) = &current.carries { "Not while it carries " (stream(carried)) ". " }
                    "Its key is destroyed at once." } }
            @if current.carries.is_none() {
                a.button.stop href={ (path(current.destination_id)) "/delete" } { "Delete …" }
            } @else {
                button.button.stop type="button" disabled { "Delete …" }
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
