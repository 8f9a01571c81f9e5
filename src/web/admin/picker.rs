//! Picking people and channels by their names: ticked boxes, and a field that adds to them.

use maud::{Markup, html};

use crate::admin::check::{PersonState, people as states_of};
use crate::app::App;
use crate::command::outcome::Unknown;
use crate::db::linked_users::{self, Query};
use crate::ids::Asker;
use crate::slack::web_api::UserGroup;
use crate::web::admin::layout::{Problem, describe, problem_at};
use crate::web::admin::listed::list;
use crate::web::admin::slack_ids::{self, IdKind, Item, WORD_MAX};
use crate::workspace::directory::{Directory, Entry, Extent, Found};
use crate::workspace::names::Names;

/// Of how many names it is said that they are not found.
const TOLD_MAX: usize = 5;
/// How many people are suggested.
const SUGGESTED_MAX: usize = 100;

/// How people learn an id.
pub(super) const PEOPLE_HINT: &str = "Several are separated by commas. An ID works for everybody: in Slack, profile → ⋮ → Copy member ID.";
/// Which channels are found by their names.
pub(super) const CHANNELS_HINT: &str =
    "A private channel is added by its ID, which stands at the end of its About page in Slack.";

/// What was made of a list and of what was typed beside it.
#[derive(Debug, Default)]
pub(super) struct Picked {
    pub(super) ids: Vec<String>,
    /// What was typed and is not in the list.
    pub(super) left: String,
    pub(super) problem: Option<String>,
}

/// Reads a list and what is to be added to it, and looks up the names in it.
pub(super) async fn pick(
    app: &App,
    asker: &Asker,
    kind: IdKind,
    ticked: &[String],
    typed: &str,
) -> sqlx::Result<Picked> {
    let texts = ticked.iter().map(String::as_str).chain([typed]);
    let items: Vec<_> = texts
        .flat_map(|text| slack_ids::items(text, kind))
        .collect();
    let names = items.iter().filter_map(|item| match item {
        Item::Name(name) => Some(name.clone()),
        Item::Id(_) | Item::Other(..) => None,
    });
    let names: Vec<_> = names.collect();
    let directory = match kind {
        _ if names.is_empty() => None,
        IdKind::Person => Some(Directory::people(app, asker, &names).await?),
        IdKind::Channel | IdKind::UserGroup => Some(Directory::channels(app, asker).await?),
    };
    let mut picked = Picked::default();
    let (mut left, mut problems, mut needs_help) = (Vec::new(), Vec::new(), false);
    for item in items {
        match (item, &directory) {
            (Item::Id(id), _) => picked.add(id),
            (Item::Other(found, id), _) => {
                problems.push(format!("{id} is the ID of {}.", found.name()));
                needs_help = true;
                left.push(id);
            }
            (Item::Name(name), Some(directory)) => match directory.find(&name) {
                Found::One(entry) => {
                    entry.remember(app, asker);
                    picked.add(entry.id.clone());
                }
                found => {
                    needs_help |= !matches!(found, Found::Several(_) | Found::None(Some(_)));
                    let extent = directory.extent;
                    problems.push(not_found(&name, kind, &found, extent, &picked.ids));
                    left.push(name);
                }
            },
            (Item::Name(name), None) => left.push(name),
        }
    }
    let more = problems.len().saturating_sub(TOLD_MAX);
    problems.truncate(TOLD_MAX);
    if more > 0 {
        problems.push(format!("And {more} more."));
    }
    if needs_help {
        problems.push(kind.help().to_owned());
    }
    picked.left = left.join(", ");
    picked.problem = (!problems.is_empty()).then(|| problems.join(" "));
    Ok(picked)
}

impl Picked {
    fn add(&mut self, id: String) {
        if !self.ids.contains(&id) {
            self.ids.push(id);
        }
    }
}

/// The ids of a list, each once.
pub(super) fn ids(list: &[String], kind: IdKind) -> Vec<String> {
    let mut ids = Vec::new();
    for item in list.iter().flat_map(|text| slack_ids::items(text, kind)) {
        match item {
            Item::Id(id) if !ids.contains(&id) => ids.push(id),
            _ => {}
        }
    }
    ids
}

/// Why a name means nobody, or no channel, and how it goes on.
fn not_found(
    typed: &str,
    kind: IdKind,
    found: &Found<'_>,
    extent: Extent,
    listed: &[String],
) -> String {
    let typed: String = typed.chars().take(WORD_MAX).collect();
    let is_channel = kind == IdKind::Channel;
    let name = if is_channel {
        format!("#{}", typed.trim_start_matches('#'))
    } else {
        format!("“{typed}”")
    };
    if let Found::Several(entries) = found {
        let entries: Vec<_> = entries
            .iter()
            .take(5)
            .map(|entry| told_apart(entry))
            .collect();
        let entries = entries.join(", ");
        return format!("{name} may be {entries}. Enter the ID of the one you mean.");
    }
    match (extent, found) {
        (Extent::Whole, Found::None(Some(nearest))) => {
            let again = if listed.contains(&nearest.id) {
                format!(" {} is listed already.", nearest.name)
            } else {
                String::new()
            };
            let nothing = nothing(&name, is_channel);
            format!("{nothing} Did you mean {}?{again}", nearest.name)
        }
        (Extent::Whole, _) => nothing(&name, is_channel),
        (Extent::Part, _) => format!(
            "Slack lists more than this page reads, so it can’t tell what {name} means. Enter the ID."
        ),
        (Extent::Nothing(Unknown::NoAnswer), _) => format!(
            "Slack does not answer just now, so {name} was not looked up. Try again in a minute, or enter the ID."
        ),
        (Extent::Nothing(Unknown::CannotAsk), _) => format!(
            "Slack does not let this app look up names here, so it can’t tell what {name} means. Enter the ID."
        ),
    }
}

fn nothing(name: &str, is_channel: bool) -> String {
    if is_channel {
        format!("No channel {name} that this app can see.")
    } else {
        format!("Nobody called {name} in this workspace.")
    }
}

/// Somebody among others of the same name.
fn told_apart(entry: &Entry) -> String {
    match &entry.handle {
        Some(handle) => format!("{} ({handle}, {})", entry.name, entry.id),
        None => format!("{} ({})", entry.name, entry.id),
    }
}

/// Those of these people who are in this state, as a sentence names them; `None` if nobody is.
fn those_in(
    people: &[String],
    states: &[PersonState],
    state: PersonState,
    names: &Names,
) -> Option<String> {
    let with_states = people.iter().zip(states);
    let those = with_states.filter(|(_, is)| **is == state);
    let those = list(those.map(|(id, _)| names.person(id).unwrap_or(id)), "and");
    (!those.is_empty()).then_some(those)
}

/// The problem with people whom Slack does not know, or who are gone.
pub(super) async fn judge_people(
    app: &App,
    asker: &Asker,
    people: &[String],
    names: &Names,
) -> sqlx::Result<Result<Vec<PersonState>, String>> {
    let states = states_of(app, asker, people).await?;
    let those = |state| those_in(people, &states, state, names);
    let text = if let Some(unknown) = those(PersonState::NotFound) {
        format!("Slack knows nobody with the ID {unknown} in this workspace.")
    } else if let Some(gone) = those(PersonState::Deactivated) {
        format!("Deactivated in Slack: {gone}. Take them off the list.")
    } else {
        return Ok(Ok(states));
    };
    Ok(Err(text))
}

/// The people and channels that fields suggest: their ids and names.
#[derive(Debug, Default)]
pub(in crate::web) struct Suggestions {
    pub(super) people: Vec<(String, String)>,
    pub(super) channels: Vec<(String, String)>,
}

impl Suggestions {
    /// The first people who are linked, by name, and those people and channels that are named.
    pub(super) async fn load(
        app: &App,
        asker: &Asker,
        names: &Names,
        people: &[String],
        channels: &[String],
    ) -> sqlx::Result<Self> {
        let linked = linked_users::page(&app.db, &asker.team, &Query::default()).await?;
        let linked = linked.into_iter();
        let linked = linked.filter_map(|row| Some((row.user_id.to_string(), row.slack_name?)));
        let known = people.iter();
        let known = known.filter_map(|id| Some((id.clone(), names.person(id)?.to_owned())));
        let channels = channels.iter().filter(|id| !names.is_private(id));
        let channels = channels.filter_map(|id| Some((id.clone(), names.channel(id)?.to_owned())));
        Ok(Self {
            people: sorted(linked.chain(known).take(SUGGESTED_MAX)),
            channels: sorted(channels),
        })
    }

    /// What the fields of a page refer to.
    pub(super) fn lists(&self) -> Markup {
        html! {
            (datalist("known-people", &self.people))
            (datalist("known-channels", &self.channels))
        }
    }
}

/// Each once, by name.
fn sorted(named: impl Iterator<Item = (String, String)>) -> Vec<(String, String)> {
    let mut named: Vec<_> = named.collect();
    named.sort_by_key(|(id, name)| (name.to_lowercase(), id.clone()));
    named.dedup();
    named
}

/// A name that several have is suggested by its ids.
fn datalist(id: &str, named: &[(String, String)]) -> Markup {
    let is_shared = |name: &str| {
        let same = named
            .iter()
            .filter(|(_, other)| other.eq_ignore_ascii_case(name));
        same.count() > 1
    };
    html! {
        datalist id=(id) {
            @for (id, name) in named {
                @if is_shared(name) { option value=(id) label={ (name) " " (id) } {} }
                @else { option value=(name) {} }
            }
        }
    }
}

/// A list with its boxes, and the field that adds to it.
pub(super) struct Picker<'a> {
    /// The name of the boxes, and the id of the field.
    pub(super) field: &'static str,
    /// The name of the field.
    pub(super) add: &'static str,
    pub(super) kind: IdKind,
    /// What is listed in what is saved: an unticked box stays.
    pub(super) saved: &'a [String],
    pub(super) ticked: &'a [String],
    /// What was typed and not added.
    pub(super) typed: &'a str,
    /// Where *Add* sends the form: it comes back with what was added, and nothing is saved. Without
    /// it, what is typed is added when the form is saved.
    pub(super) preview: Option<&'a str>,
    pub(super) hint: &'a str,
    /// The field that was worked on last.
    pub(super) has_focus: bool,
}

impl Picker<'_> {
    pub(super) fn show(&self, names: &Names, problems: &[Problem]) -> Markup {
        self.show_as(self.field, names, problems)
    }

    /// The same with boxes of another name than the field's id.
    pub(super) fn show_as(&self, boxes: &str, names: &Names, problems: &[Problem]) -> Markup {
        let Self { field, add, .. } = *self;
        let (what, list, placeholder) = match self.kind {
            IdKind::Person => ("people", "known-people", "Name or Slack ID"),
            IdKind::Channel | IdKind::UserGroup => {
                ("channels", "known-channels", "#channel or Slack ID")
            }
        };
        let is_new = |id: &&String| !self.saved.contains(id);
        let listed: Vec<_> = self
            .saved
            .iter()
            .chain(self.ticked.iter().filter(is_new))
            .collect();
        let problem = describe(problems, field);
        let hint = format!("{field}-hint");
        let described = problem
            .as_ref()
            .map_or_else(|| hint.clone(), |problem| format!("{problem} {hint}"));
        html! {
            @if !listed.is_empty() {
                div.picked role="group" aria-label={ "Listed " (what) "; untick to remove" } {
                    @for id in &listed {
                        label {
                            input type="checkbox" name=(boxes) value=(id) checked[self.ticked.contains(*id)];
                            span { (named(names, self.kind, id)) }
                        }
                    }
                }
            }
            label.label for=(field) { "Add " (what) }
            div.add {
                input id=(field) name=(add) value=(self.typed) list=(list) placeholder=(placeholder) spellcheck="false"
                    autocapitalize="none" autocomplete="off" autofocus[self.has_focus]
                    aria-invalid=[problem.as_ref().map(|_| "true")] aria-describedby=(described);
                @if let Some(preview) = self.preview {
                    button.button type="submit" formaction=(preview) { "Add" span.hidden { " " (what) } }
                }
            }
            (problem_at(problems, field))
            p.hint id=(hint) { @if !listed.is_empty() { "Untick to remove. " } (self.hint) }
        }
    }
}

/// A card with a choice, and the fields that only it needs.
pub(super) fn choice(
    name: &str,
    value: &str,
    is_checked: bool,
    label: &str,
    more: &Markup,
) -> Markup {
    let id = format!("{name}-{value}");
    html! {
        div.choice {
            input id=(id) type="radio" name=(name) value=(value) checked[is_checked];
            label for=(id) { (label) }
            @if !more.0.is_empty() { div.more { (more) } }
        }
    }
}

/// A card that is chosen or not.
pub(super) fn checkbox(name: &str, is_checked: bool, label: &str, more: &Markup) -> Markup {
    html! {
        div.choice {
            input id=(name) type="checkbox" name=(name) checked[is_checked];
            label for=(name) { (label) }
            @if !more.0.is_empty() { div.more { (more) } }
        }
    }
}

/// The choice of one user group.
pub(super) fn group_field(
    groups: Option<&[UserGroup]>,
    chosen: &str,
    problems: &[Problem],
) -> Markup {
    let problem = describe(problems, "group");
    let is_wrong = problem.as_ref().map(|_| "true");
    html! {
        label.label for="group" { "User group" }
        @match groups {
            Some(groups) => {
                select #group name="group" aria-invalid=[is_wrong] aria-describedby=[problem] {
                    @if chosen.is_empty() { option value="" selected { "Choose one" } }
                    @else if !groups.iter().any(|group| group.id == chosen) {
                        option value=(chosen) selected { (chosen) }
                    }
                    @for group in groups {
                        option value=(group.id) selected[group.id == chosen] {
                            "@" (group.handle) @if let Some(count) = group.user_count {
                                " · " (count) @if count == 1 { " person" } @else { " people" } }
                        }
                    }
                }
                (problem_at(problems, "group"))
            }
            None => {
                input #group name="group" value=(chosen) placeholder="S0123ABCD" spellcheck="false"
                    aria-invalid=[is_wrong] aria-describedby=[problem];
                (problem_at(problems, "group"))
                p.hint { "Slack does not tell this app which user groups there are. Enter the ID of one: in Slack, ⋯ → Copy group ID in the list of \
                    user groups." }
            }
        }
    }
}

/// What pages call somebody or a channel: by name; by id, if the name is not known or tells it from
/// no other.
pub(super) fn named(names: &Names, kind: IdKind, id: &str) -> Markup {
    let name = match kind {
        IdKind::Person => names.person(id),
        IdKind::Channel => names.channel(id),
        IdKind::UserGroup => names.group(id),
    };
    html! {
        @match name {
            None => code { (id) },
            Some(name) => {
                (name) @if kind == IdKind::Channel && names.is_private(id) { " " code { (id) } }
            }
        }
    }
}
