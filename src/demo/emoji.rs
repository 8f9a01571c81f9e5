//! The emoji that the service uses, by the names that Slack gives them.

const EMOJI: [(&str, &str); 15] = [
    ("red_circle", "🔴"),
    ("large_yellow_circle", "🟡"),
    ("white_circle", "⚪\u{fe0f}"),
    ("black_square_for_stop", "⏹️"),
    ("white_check_mark", "✅"),
    ("x", "❌"),
    ("warning", "⚠️"),
    ("lock", "🔒"),
    ("hourglass_flowing_sand", "⏳"),
    ("no_entry", "⛔"),
    ("question", "❓"),
    ("information_source", "ℹ️"),
    ("link", "🔗"),
    ("wave", "👋"),
    ("bulb", "💡"),
];

/// The text with emoji in the place of their names.
pub(super) fn draw(text: &str) -> String {
    EMOJI.iter().fold(text.to_owned(), |text, (name, emoji)| {
        text.replace(&format!(":{name}:"), emoji)
    })
}
