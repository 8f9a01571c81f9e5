//! Whom an admin looks for: a name or a part of one, an e-mail address, a Slack id or a mention.

use crate::app::App;
use crate::db::people::{self, FOUND_MAX, Found};
use crate::ids::{Asker, printable};
use crate::web::admin::slack_ids;
use crate::workspace::directory::{Directory, Found as Called};

/// What is looked for, without what Slack puts around a mention: `@dana`, `<@U0DANA|dana>`.
pub(super) fn search_text(text: &str) -> String {
    let text = printable(text);
    let text = text.trim();
    let mention = text
        .strip_prefix("<@")
        .and_then(|rest| rest.strip_suffix('>'))
        .map(|inner| inner.split('|').next().unwrap_or_default());
    mention
        .unwrap_or_else(|| text.trim_start_matches('@'))
        .trim()
        .to_owned()
}

/// The people whom a text may mean: the one whose id it is, all whom it matches, or else those whom
/// Slack calls so.
pub(super) async fn find_people(app: &App, admin: &Asker, text: &str) -> sqlx::Result<Matches> {
    let team = &admin.team;
    if let Some(id) = slack_ids::id(text)
        && let Some(found) = people::find(&app.db, team, &id).await?
    {
        return Ok(Matches {
            people: vec![found],
            has_more: false,
        });
    }
    let mut people = people::search(&app.db, team, text).await?;
    let has_more = people.len() > FOUND_MAX;
    people.truncate(FOUND_MAX);
    if people.is_empty() {
        let directory = Directory::people(app, admin, &[text.to_owned()]).await?;
        let called = match directory.find(text) {
            Called::One(one) => vec![one],
            Called::Several(several) => several,
            Called::None(_) => Vec::new(),
        };
        for entry in called.into_iter().take(FOUND_MAX) {
            let found = people::find(&app.db, team, &entry.id).await?;
            people.extend(found.map(|found| Found {
                name: Some(entry.name.clone()),
                ..found
            }));
        }
    }
    Ok(Matches { people, has_more })
}

/// The people whom a text may mean.
#[derive(Debug, Default)]
pub(super) struct Matches {
    pub(super) people: Vec<Found>,
    /// There are more of them.
    pub(super) has_more: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mentions_and_signs_are_taken_off() {
        for (text, wanted) in [
            (" Dana Li ", "Dana Li"),
            ("@dana", "dana"),
            ("<@U0DANA>", "U0DANA"),
            ("<@U0DANA|dana.li>", "U0DANA"),
            ("dana@acme.example", "dana@acme.example"),
            ("@", ""),
            ("\u{0} ", ""),
        ] {
            assert_eq!(search_text(text), wanted, "{text:?}");
        }
    }
}
