//! What a change of rules changed, by what the audit noted of it and of the one before.

/// What a note of rules says of one thing, and how that is called.
const PARTS: [(&str, &str); 5] = [
    ("who", "who"),
    ("channels", "where"),
    ("confirm over", "asks over"),
    ("confirm in shared channels", "asks in shared channels"),
    ("guests", "guests"),
];

/// How the note of a workspace without rules would read.
const DEFAULTS: [&str; 5] = ["linked", "anywhere", "never", "no", "no"];

/// What a change of rules noted: its text, and the names of those whom it lists.
pub(super) type Note<'a> = (&'a str, &'a [String]);

/// The ids of the channels that a note names.
pub(super) fn channels(note: &str) -> impl Iterator<Item = &str> {
    let words = part(note, "channels").unwrap_or_default().split(' ');
    words.skip(1).filter(|word| !word.is_empty())
}

/// `where: everywhere → only #town-hall`: what differs from the note before; without one, what differs
/// from no rules at all, as it is set now. `name` is what a channel is called.
pub(super) fn changes(
    before: Option<Note<'_>>,
    now: Note<'_>,
    name: impl Fn(&str) -> String,
) -> String {
    let mut changes = Vec::new();
    for ((key, label), default) in PARTS.into_iter().zip(DEFAULTS) {
        let Some(set) = part(now.0, key) else {
            // Another version noted it.
            return now.0.to_owned();
        };
        let was = before.map(|(note, _)| part(note, key).unwrap_or(default));
        match was {
            Some(was) if was != set => changes.push(format!(
                "{label}: {} → {}",
                words(key, was, &name),
                words(key, set, &name)
            )),
            None if set != default => {
                changes.push(format!("{label}: {}", words(key, set, &name)));
            }
            _ => {}
        }
    }
    let people_before = before.map(|(_, people)| people).unwrap_or_default();
    let differing = |some: &[String], others: &[String], sign: &str| {
        let differing = some.iter().filter(|name| !others.contains(name));
        let differing: Vec<_> = differing.map(|name| format!("{sign}{name}")).collect();
        differing.join(", ")
    };
    let added = differing(now.1, people_before, "+ ");
    let removed = differing(people_before, now.1, "\u{2212} ");
    let people: Vec<_> = [added, removed]
        .into_iter()
        .filter(|some| !some.is_empty())
        .collect();
    if !people.is_empty() {
        changes.push(format!("people: {}", people.join(", ")));
    }
    if changes.is_empty() {
        "nothing that is noted here".to_owned()
    } else {
        changes.join("; ")
    }
}

fn part<'a>(note: &'a str, key: &str) -> Option<&'a str> {
    note.split("; ")
        .find_map(|part| part.strip_prefix(key)?.strip_prefix(": "))
}

fn words(key: &str, set: &str, name: &impl Fn(&str) -> String) -> String {
    let (first, rest) = set.split_once(' ').unwrap_or((set, ""));
    let named = || {
        let names: Vec<_> = rest.split(' ').map(name).collect();
        names.join(", ")
    };
    match (key, first) {
        ("who", "linked") => "everybody linked".to_owned(),
        ("who", "named") => "people by name".to_owned(),
        ("who", "group") => format!("user group {rest}").trim_end().to_owned(),
        ("channels", "anywhere") => "everywhere".to_owned(),
        ("channels", "only") if rest.is_empty() => "nowhere".to_owned(),
        ("channels", "only") => format!("only {}", named()),
        ("channels", "except") if rest.is_empty() => "everywhere".to_owned(),
        ("channels", "except") => format!("everywhere but {}", named()),
        ("guests", "yes") => "may".to_owned(),
        ("guests", "no") => "may not".to_owned(),
        _ => set.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = "who: linked; channels: anywhere; confirm over: never; confirm in shared channels: no; guests: no";
    const NOW: &str = "who: named; channels: only C1 C2; confirm over: 500 members; confirm in shared channels: no; guests: no";

    fn name(id: &str) -> String {
        match id {
            "C1" => "#town-hall".to_owned(),
            id => id.to_owned(),
        }
    }

    #[test]
    fn a_change_is_told_by_what_differs() {
        let people = |names: &[&str]| {
            names
                .iter()
                .map(|name| (*name).to_owned())
                .collect::<Vec<_>>()
        };
        let (dana, fay) = (people(&["Dana"]), people(&["Fay"]));
        assert_eq!(
            changes(Some((BEFORE, &[])), (NOW, &dana), name),
            "who: everybody linked → people by name; where: everywhere → only #town-hall, C2; \
             asks over: never → 500 members; people: + Dana"
        );
        assert_eq!(
            changes(Some((NOW, &dana)), (NOW, &fay), name),
            "people: + Fay, \u{2212} Dana"
        );
        assert_eq!(
            changes(None, (NOW, &[]), name),
            "who: people by name; where: only #town-hall, C2; asks over: 500 members"
        );
        assert_eq!(
            changes(None, (BEFORE, &[]), name),
            "nothing that is noted here"
        );
        assert_eq!(changes(Some((NOW, &[])), ("odd", &[]), name), "odd");
        assert_eq!(channels(NOW).collect::<Vec<_>>(), ["C1", "C2"]);
        assert_eq!(channels(BEFORE).count(), 0);
    }
}
