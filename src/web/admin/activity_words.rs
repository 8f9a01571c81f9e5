//! What the audit notes by stable names, in the words of people.

use crate::command::outcome::{DestinationRule, Rule};
use crate::db::audit::{NOT_ADMIN, NOT_DELIVERED};
use crate::web::parts::Tone;

/// What became of something, by the name of the outcome as it is stored.
const OUTCOMES: &[(&str, Tone, &str)] = &[
    ("accepted", Tone::Good, "Accepted"),
    ("not_a_meeting_number", Tone::Bad, "No such meeting"),
    ("not_set_up", Tone::Bad, "Livestreaming not set up"),
    ("not_started", Tone::Bad, "Meeting not started"),
    ("wrong_account", Tone::Bad, "Meeting of another account"),
    ("may_not_host", Tone::Bad, "May not host meetings"),
    ("end_to_end_encrypted", Tone::Bad, "End-to-end encrypted"),
    ("scope_missing", Tone::Bad, "Permission missing"),
    ("unauthorized", Tone::Bad, "Zoom refused the link"),
    ("no_such_user", Tone::Bad, "No such Zoom user"),
    ("no_such_meeting", Tone::Bad, "No such meeting"),
    ("still_starting", Tone::Warn, "Still starting"),
    ("rate_limited", Tone::Bad, "Too many at once"),
    ("daily_limit", Tone::Bad, "Zoom's daily limit"),
    ("no_answer", Tone::Warn, "No answer"),
    ("server_error", Tone::Warn, "Zoom had an error"),
    ("not_understood", Tone::Warn, "Odd answer"),
    ("unreachable", Tone::Bad, "Zoom not reached"),
    ("not_renewed", Tone::Bad, "Link not renewed"),
    ("disabled_by_admin", Tone::Bad, "Disabled at Zoom"),
    ("interrupted", Tone::Warn, "Interrupted"),
    ("already_live", Tone::Info, "Live already"),
    ("no_such_destination", Tone::Bad, "No such destination"),
    ("destination_refused", Tone::Bad, "Not allowed"),
    ("no_test_destination", Tone::Bad, "No test destination"),
    ("last_sent_to_test", Tone::Info, "Asked where to"),
    ("last_sent_not_known", Tone::Info, "Asked where to"),
    ("destination_in_use", Tone::Bad, "Destination in use"),
    ("destination_not_set", Tone::Bad, "Destination not set"),
    ("destination_broken", Tone::Bad, "Destination broken"),
    ("too_late", Tone::Bad, "Too late"),
    ("link_dead", Tone::Bad, "Link broken"),
    ("link_ended", Tone::Bad, "Link ended"),
    ("unsupported", Tone::Warn, "Not understood"),
    ("unknown", Tone::Calm, "Not known"),
    ("misconfigured", Tone::Bad, "Bot not set up right"),
    ("not_allowed", Tone::Bad, "Not allowed"),
    ("not_known", Tone::Bad, "Slack did not say"),
    ("needs_confirmation", Tone::Info, "Asked first"),
    ("other", Tone::Bad, "Refused by Zoom"),
    ("under_way", Tone::Bad, "Under way already"),
    ("not_linked", Tone::Bad, "Not linked"),
    (NOT_ADMIN, Tone::Bad, "No admin"),
    (NOT_DELIVERED, Tone::Bad, "Not delivered"),
    // Of a test of a link.
    ("works", Tone::Good, "Works"),
    ("trouble", Tone::Bad, "Needs a change"),
    ("dead", Tone::Bad, "Link broken"),
    ("refused", Tone::Bad, "Refused by Zoom"),
];

/// The words for an outcome; its stored name if only another version has words for it.
pub(super) fn outcome(name: &str, has_failed: bool) -> (Tone, String) {
    let known = OUTCOMES.iter().find(|(known, _, _)| *known == name);
    match known {
        Some((_, tone, words)) => (*tone, (*words).to_owned()),
        None if has_failed => (Tone::Bad, spaced(name)),
        None => (Tone::Calm, spaced(name)),
    }
}

/// Every word for an outcome, with its first name, in the order of the alphabet.
pub(super) fn results() -> Vec<(&'static str, &'static str)> {
    let mut results: Vec<(&str, &str)> = Vec::new();
    for (name, _, words) in OUTCOMES {
        if !results.iter().any(|(_, known)| known == words) {
            results.push((name, words));
        }
    }
    results.sort_by_key(|(_, words)| *words);
    results
}

/// The outcomes that have the same words as this one; `None` if there is no such outcome.
pub(super) fn outcomes_like(name: &str) -> Option<Vec<String>> {
    let (_, _, words) = OUTCOMES.iter().find(|(known, _, _)| *known == name)?;
    let same = OUTCOMES.iter().filter(|(_, _, known)| known == words);
    Some(same.map(|(name, _, _)| (*name).to_owned()).collect())
}

/// The stored name of something that only another version has words for.
pub(super) fn spaced(name: &str) -> String {
    let words = name.replace('_', " ");
    let mut letters = words.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}

/// What a rule says.
pub(super) fn rule(rule: Rule) -> &'static str {
    match rule {
        Rule::Members => "Guests and people from other organisations may not",
        Rule::Named => "Only people whom an admin named may",
        Rule::Group => "Only the members of a user group may",
        Rule::Channel => "Not in this channel",
        Rule::Unknown => "The rules could not be read, so nobody may",
    }
}

/// What the settings of a destination say.
pub(super) fn destination_rule(rule: DestinationRule) -> &'static str {
    match rule {
        DestinationRule::People => "Only people whom an admin named may use the destination",
        DestinationRule::Group => "Only the members of a user group may use the destination",
        DestinationRule::Channel => "The destination is not for this channel",
        DestinationRule::ZoomAccount => "The destination is not for this Zoom account",
        DestinationRule::Test => "The destination is only for rehearsals",
        DestinationRule::NotTest => "The destination is not for rehearsals",
        DestinationRule::Unknown => "The destination's settings could not be read",
    }
}

#[cfg(test)]
mod tests {
    use strum::VariantNames;

    use super::*;
    use crate::command::outcome::Outcome;

    #[test]
    fn every_outcome_has_words() {
        for name in Outcome::VARIANTS {
            let has_words = OUTCOMES.iter().any(|(known, _, _)| known == name);
            assert!(has_words, "{name}");
        }
        assert_eq!(
            outcome("teleported_away", true),
            (Tone::Bad, "Teleported away".to_owned())
        );
    }

    #[test]
    fn outcomes_of_the_same_words_are_found_together() {
        let same = outcomes_like("no_such_meeting").expect("outcomes");
        assert_eq!(same, ["not_a_meeting_number", "no_such_meeting"]);
        assert_eq!(outcomes_like("dancing"), None);
        let results = results();
        let mut words: Vec<_> = results.iter().map(|(_, words)| words).collect();
        words.dedup();
        assert_eq!(words.len(), results.len());
    }
}
