//! Picking people and channels by their names: ticked boxes, and a field that adds to them.

use std::collections::HashSet;

use maud::{Markup, html};

use crate::admin::check::{PersonState, people as states_of};
use crate::app::App;
use crate::command::outcome::Unknown;
use crate::db::linked_users::{self, Query};
use crate::ids::Asker;
use crate::web::admin::layout::{Problem, describe, problem_at};
use crate::web::admin::slack_ids::{self, IdKind, Item, WORD_MAX};
use crate::workspace::directory::{Directory, Entry, Extent, Found};
use crate::workspace::names::Names;

/// How many names are looked up at once.
const NAMES_MAX: usize = 20;
/// How many people are suggested.
const SUGGESTED_MAX: usize = 100;

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
    let (mut ids, mut names, mut others) = (Vec::new(), Vec::new(), Vec::new());
    let texts = ticked.iter().map(String::as_str).chain([typed]);
    for item in texts.flat_map(|text| slack_ids::items(text, kind)) {
        match item {
            Item::Id(id) => ids.push(id),
            Item::Name(name) => names.push(name),
            Item::Other(found, id) => others.push((found, id)),
        }
    }
    let of_kind = |(found, id): &(IdKind, String)| format!("{id} is the ID of {}", found.name());
    let mut problems: Vec<_> = slack_ids::told(others.iter().map(of_kind).collect(), kind)
        .into_iter()
        .collect();
    let mut left: Vec<_> = others.into_iter().map(|(_, id)| id).collect();
    if names.len() > NAMES_MAX {
        let text = format!("Enter {NAMES_MAX} names at most at once; IDs can be more.");
        problems.push(text);
        left.append(&mut names);
    }
    if !names.is_empty() {
        let directory = match kind {
            IdKind::Person => Directory::people(app, asker, &names).await?,
            IdKind::Channel | IdKind::UserGroup => Directory::channels(app, asker).await?,
        };
        for name in names {
            match directory.find(&name) {
                Found::One(entry) => {
                    entry.remember(app, asker);
                    ids.push(entry.id.clone());
                }
                found => {
                    problems.push(not_found(&name, kind, &found, directory.extent, &ids));
                    left.push(name);
                }
            }
        }
    }
    let mut seen = HashSet::new();
    ids.retain(|id| seen.insert(id.clone()));
    Ok(Picked {
        ids,
        left: left.join(", "),
        problem: (!problems.is_empty()).then(|| problems.join(" ")),
    })
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
    let help = kind.help();
    if let Found::Several(entries) = found {
        let entries: Vec<_> = entries.iter().take(5).map(|entry| told_apart(entry)).collect();
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
        (Extent::Whole, _) => format!("{} {help}", nothing(&name, is_channel)),
        (Extent::Part, _) => format!(
            "Slack lists more than this page reads, so it can’t tell what {name} means. Enter the ID. {help}"
        ),
        (Extent::Nothing(Unknown::NoAnswer), _) => format!(
            "Slack does not answer just now, so {name} was not looked up. Try again in a minute, or enter the ID. {help}"
        ),
        (Extent::Nothing(Unknown::CannotAsk), _) => format!(
            "Slack does not let this app look up names here, so it can’t tell what {name} means. Enter the ID. {help}"
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

/// The problem with people whom Slack does not know, or who are gone.
pub(super) async fn judge_people(
    app: &App,
    asker: &Asker,
    people: &[String],
    names: &Names,
) -> sqlx::Result<Result<Vec<PersonState>, String>> {
    let states = states_of(app, asker, people).await?;
    let those = |state| slack_ids::those_in(people, &states, state, names);
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
pub(super) struct Suggestions {
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
        let named = people.iter();
        let named = named.filter_map(|id| Some((id.clone(), names.person(id)?.to_owned())));
        let channels = channels.iter().filter(|id| !names.is_private(id));
        let channels = channels.filter_map(|id| Some((id.clone(), names.channel(id)?.to_owned())));
        Ok(Self {
            people: sorted(linked.chain(named).take(SUGGESTED_MAX)),
            channels: sorted(channels),
        })
    }

    /// What the fields of a page refer to.
    pub(super) fn lists(&self) -> Markup {
        html! {
            (list("known-people", &self.people))
            (list("known-channels", &self.channels))
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
fn list(id: &str, named: &[(String, String)]) -> Markup {
    let is_shared = |name: &str| {
        let same = named.iter().filter(|(_, other)| other.eq_ignore_ascii_case(name));
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
            IdKind::Channel | IdKind::UserGroup => ("channels", "known-channels", "#channel or Slack ID"),
        };
        let is_new = |id: &&String| !self.saved.contains(id);
        let listed: Vec<_> = self.saved.iter().chain(self.ticked.iter().filter(is_new)).collect();
        let problem = describe(problems, field);
        let hint = format!("{field}-hint");
        let described = problem.as_ref().map_or_else(|| hint.clone(), |problem| format!("{problem} {hint}"));
        html! {
            @if !listed.is_empty() {
                div.picked role="group" aria-label={ "Listed " (what) "; untick to remove" } {
                    @for id in listed {
                        label {
                            input type="checkbox" name=(boxes) value=(id) checked[self.ticked.contains(id)];
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
            p.hint id=(hint) { (self.hint) }
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

/// The same in plain text.
pub(super) fn text(names: &Names, kind: IdKind, id: &str) -> String {
    let name = match kind {
        IdKind::Person => names.person(id),
        IdKind::Channel => return names.channel_text(id),
        IdKind::UserGroup => names.group(id),
    };
    name.unwrap_or(id).to_owned()
}
