//! What an admin changed, in words for the audit: with the names of channels as of then. People are
//! counted and not named, so that they can be forgotten; the entry refers to them by their keys.

use crate::db::destinations::{Fields, UsedBy};
use crate::db::rules::{ChannelPolicy, Rules, Who};
use crate::workspace::names::Names;

/// How many channels of a list are named.
const NAMED_MAX: usize = 10;

/// What was changed of the rules: `where: everywhere → only #town-hall; asked first: never → over 200
/// members`.
pub fn of_rules(old: &Rules, new: &Rules, names: &Names) -> String {
    let place = |rules: &Rules| match rules.channel_policy {
        ChannelPolicy::Anywhere => "everywhere".to_owned(),
        ChannelPolicy::Only => format!("only {}", channels(&rules.channels, names)),
        ChannelPolicy::Except => format!("everywhere but {}", channels(&rules.channels, names)),
        ChannelPolicy::Unknown => "not readable".to_owned(),
    };
    let yes_no = |is_on: bool| if is_on { "yes" } else { "no" }.to_owned();
    let mut changes = Vec::new();
    let mut note = |what: &str, old: String, new: String| {
        if old != new {
            changes.push(format!("{what}: {old} → {new}"));
        }
    };
    note("who", who(old, names), who(new, names));
    note(
        "guests",
        yes_no(old.guests_allowed),
        yes_no(new.guests_allowed),
    );
    note("where", place(old), place(new));
    note("asked first", asked(old), asked(new));
    if old.who == Who::Named && new.who == Who::Named {
        changes.extend(of_people(&old.people, &new.people).map(|change| format!("who: {change}")));
    }
    if changes.is_empty() {
        // Of a list that is not in use.
        changes.push("a list that is not in use".to_owned());
    }
    changes.join("; ")
}

fn who(rules: &Rules, names: &Names) -> String {
    match (rules.who, &rules.group_id) {
        (Who::Linked, _) => "everybody linked".to_owned(),
        (Who::Named, _) => "only listed people".to_owned(),
        (Who::Group, Some(group)) => format!("only {}", names.group(group).unwrap_or(group)),
        (Who::Group, None) => "only a user group that is not set".to_owned(),
        (Who::Unknown, _) => "not readable".to_owned(),
    }
}

fn asked(rules: &Rules) -> String {
    let over = rules
        .confirm_over
        .map(|over| format!("over {over} members"));
    let shared = rules
        .confirm_shared
        .then(|| "in shared channels".to_owned());
    let asked: Vec<_> = over.into_iter().chain(shared).collect();
    if asked.is_empty() {
        "never".to_owned()
    } else {
        asked.join(" and ")
    }
}

/// What was changed of a list of people, if anything was: `2 added, 1 removed, now 5`.
pub fn of_people(old: &[String], new: &[String]) -> Option<String> {
    let count =
        |these: &[String], those: &[String]| these.iter().filter(|id| !those.contains(id)).count();
    let (added, removed) = (count(new, old), count(old, new));
    let parts = [(added, "added"), (removed, "removed")];
    let parts = parts.into_iter().filter(|(count, _)| *count > 0);
    let parts: Vec<_> = parts
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    (!parts.is_empty()).then(|| format!("{}, now {}", parts.join(", "), new.len()))
}

/// Who may use a new destination, and where it is the default.
pub fn of_new(new: &Fields, names: &Names) -> String {
    let who = format!("who may use it: {}", used_by(new, names));
    if new.default_in.is_empty() {
        return who;
    }
    format!("{who}, default in: {}", channels(&new.default_in, names))
}

fn used_by(fields: &Fields, names: &Names) -> String {
    match fields.used_by {
        UsedBy::Everybody => "everybody".to_owned(),
        UsedBy::Channels => format!("from {}", channels(&fields.channels, names)),
        UsedBy::People => "only listed people".to_owned(),
        UsedBy::Group => {
            let group = fields.group_id.as_deref().unwrap_or("no user group");
            format!("only {}", names.group(group).unwrap_or(group))
        }
        UsedBy::Unknown => "not readable".to_owned(),
    }
}

/// What was changed of who may use a destination, and where it is the default.
pub fn of_use(old: &Fields, new: &Fields, names: &Names) -> Vec<String> {
    let mut changes = Vec::new();
    let (before, after) = (used_by(old, names), used_by(new, names));
    if before != after {
        changes.push(format!("who may use it: {before} → {after}"));
    }
    if old.used_by == UsedBy::People && new.used_by == UsedBy::People {
        let people = of_people(&old.people, &new.people);
        changes.extend(people.map(|change| format!("who may use it: {change}")));
    }
    if old.default_in != new.default_in {
        let [before, after] = [old, new].map(|fields| channels(&fields.default_in, names));
        changes.push(format!("default in: {before} → {after}"));
    }
    changes
}

/// The first channels of a list, by name.
fn channels(ids: &[String], names: &Names) -> String {
    let mut listed: Vec<_> = ids
        .iter()
        .take(NAMED_MAX)
        .map(|id| names.channel_text(id))
        .collect();
    match ids.len() {
        0 => return "no channel".to_owned(),
        count if count > NAMED_MAX => listed.push(format!("{} more", count - NAMED_MAX)),
        _ => {}
    }
    listed.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(ids: &[&str]) -> Vec<String> {
        ids.iter().map(|id| (*id).to_owned()).collect()
    }

    #[test]
    fn a_change_of_the_rules_is_told_from_what_to_what() {
        let names = Names::fixed(
            &[("U0DANA", "Dana")],
            &[("C0TOWNHALL", "#town-hall"), ("C0ALL", "#all-acme")],
        );
        let old = Rules {
            confirm_over: Some(200),
            ..Rules::default()
        };
        let new = Rules {
            who: Who::Named,
            people: ids(&["U0DANA", "U0ELI"]),
            channel_policy: ChannelPolicy::Only,
            channels: ids(&["C0TOWNHALL", "C0ALL", "C0NEW"]),
            ..Rules::default()
        };
        assert_eq!(
            of_rules(&old, &new, &names),
            "who: everybody linked → only listed people; where: everywhere → only #town-hall, #all-acme, C0NEW; \
             asked first: over 200 members → never"
        );
        let fewer = Rules {
            people: ids(&["U0DANA", "U0FAY", "U0GUS"]),
            guests_allowed: true,
            ..new.clone()
        };
        let told = of_rules(&new, &fewer, &names);
        assert_eq!(told, "guests: no → yes; who: 2 added, 1 removed, now 3");
        assert!(!told.contains("Dana"), "people are not named");
        let many: Vec<_> = (0..13).map(|number| format!("C{number}")).collect();
        let many = Rules {
            channels: many,
            ..new.clone()
        };
        assert!(of_rules(&new, &many, &names).ends_with("C9, 3 more"));
    }
}
