//! Rules in sentences: who can do what, and where.

use crate::db::rules::{ChannelPolicy, Rules, Who};
use crate::web::admin::listed::{named, text};
use crate::web::admin::slack_ids::IdKind;
use crate::workspace::names::Names;

/// What the rules allow.
pub(super) fn sentences(rules: &Rules, names: &Names) -> Vec<String> {
    let who = match (rules.who, &rules.group_id) {
        (Who::Unknown, _) => return vec!["Nobody can start livestreams.".to_owned()],
        _ if rules.channel_policy == ChannelPolicy::Unknown => {
            return vec!["Nobody can start livestreams.".to_owned()];
        }
        (Who::Linked, _) => "Everybody who has linked a Zoom account can".to_owned(),
        (Who::Named, _) if rules.people.is_empty() => "Nobody can".to_owned(),
        (Who::Named, _) => {
            let people = named(names, IdKind::Person, &rules.people);
            format!("Only {people} can")
        }
        (Who::Group, Some(group)) => {
            let group = text(names, IdKind::UserGroup, group);
            format!("Only members of the user group {group} can")
        }
        (Who::Group, None) => "Nobody can".to_owned(),
    };
    let channels = || named(names, IdKind::Channel, &rules.channels);
    let place = match rules.channel_policy {
        ChannelPolicy::Only if rules.channels.is_empty() => "in no channel".to_owned(),
        ChannelPolicy::Only => format!("only in {}", channels()),
        ChannelPolicy::Except if !rules.channels.is_empty() => {
            format!("in all channels but {}", channels())
        }
        _ => "in all channels".to_owned(),
    };
    let guests = if rules.guests_allowed {
        "Guests and people from other organisations can, too."
    } else {
        "Guests and people from other organisations can't."
    };
    let asked = match (rules.confirm_over, rules.confirm_shared) {
        (None, false) => "Nobody is asked to confirm a start.".to_owned(),
        (over, is_shared) => {
            let over = over.map(|over| format!("in channels with more than {over} members"));
            let shared =
                is_shared.then(|| "in channels shared with other organisations".to_owned());
            let places: Vec<_> = over.into_iter().chain(shared).collect();
            format!(
                "They are asked to confirm a start {}.",
                places.join(" and ")
            )
        }
    };
    vec![
        format!("{who} start and stop livestreams, {place}."),
        guests.to_owned(),
        asked,
        "Whoever started a livestream can stop it, whatever the rules say since.".to_owned(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(rules: &Rules) -> String {
        let names = Names::fixed(&[("U0DANA", "Dana")], &[("C1", "#town-hall")]);
        sentences(rules, &names).swap_remove(0)
    }

    #[test]
    fn rules_are_told_in_sentences() {
        let people = |count: usize| (0..count).map(|n| format!("U{n}")).collect();
        for (rules, says) in [
            (
                Rules::default(),
                "Everybody who has linked a Zoom account can start and stop livestreams, in all channels.",
            ),
            (
                Rules {
                    who: Who::Named,
                    people: vec!["U0DANA".to_owned(), "U0FAY".to_owned()],
                    channel_policy: ChannelPolicy::Only,
                    channels: vec!["C1".to_owned()],
                    ..Rules::default()
                },
                "Only Dana and U0FAY can start and stop livestreams, only in #town-hall.",
            ),
            (
                Rules {
                    who: Who::Named,
                    people: people(13),
                    channel_policy: ChannelPolicy::Except,
                    channels: vec!["C1".to_owned(), "C2".to_owned()],
                    ..Rules::default()
                },
                "Only U0, U1, U2, U3, U4, U5, U6, U7, U8, U9 and 3 more can start and stop livestreams, \
                 in all channels but #town-hall and C2.",
            ),
            (
                Rules {
                    who: Who::Unknown,
                    ..Rules::default()
                },
                "Nobody can start livestreams.",
            ),
        ] {
            assert_eq!(first(&rules), says);
        }
    }
}
