//! People, channels and user groups as sentences list them.

use crate::db::audit::Person;
use crate::web::admin::slack_ids::IdKind;
use crate::workspace::names::Names;

/// How many of a list are named.
const NAMED_MAX: usize = 10;

/// What pages call somebody, a channel or a user group: by name; by id, if the name is not known.
pub(super) fn text(names: &Names, kind: IdKind, id: &str) -> String {
    let name = match kind {
        IdKind::Person if id.is_empty() => return Person::Erased.id().to_owned(),
        IdKind::Person => names.person(id),
        IdKind::Channel => return names.channel_text(id),
        IdKind::UserGroup => names.group(id),
    };
    name.unwrap_or(id).to_owned()
}

/// People or channels by their names: `a, b and c`.
pub(super) fn named(names: &Names, kind: IdKind, ids: &[String]) -> String {
    let listed: Vec<_> = ids.iter().map(|id| text(names, kind, id)).collect();
    list(listed.iter().map(String::as_str), "and")
}

/// `a, b and c`, or `a, b and 8 more`.
pub(super) fn list<'a>(items: impl Iterator<Item = &'a str>, and: &str) -> String {
    let mut items: Vec<String> = items.map(str::to_owned).collect();
    if items.len() > NAMED_MAX {
        let more = items.len() - NAMED_MAX;
        items.truncate(NAMED_MAX);
        items.push(format!("{more} more"));
    }
    match items.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} {and} {last}", rest.join(", ")),
        _ => items.concat(),
    }
}
