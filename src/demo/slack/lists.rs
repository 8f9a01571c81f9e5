//! How Slack lists what there is much of: <https://docs.slack.dev/apis/web-api/pagination>.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::super::params::Fields;
use super::state::Bot;

/// The largest limit that the methods take.
const LIMIT_MAX: usize = 999;
/// What they take for it, if none is asked for.
const LIMIT_DEFAULT: usize = 100;

/// What a list is asked for.
pub(super) struct Listing<'a> {
    /// The workspace.
    pub(super) team: &'a str,
    limit: usize,
    cursor: &'a str,
    /// What a cursor names.
    kind: &'static str,
}

impl<'a> Listing<'a> {
    pub(super) fn read(
        form: &'a Fields,
        bot: &Bot,
        kind: &'static str,
    ) -> Result<Self, &'static str> {
        let team = match form.get("team_id") {
            // The token of an organisation does not say which of its workspaces is meant.
            "" if bot.place.is_enterprise_install => return Err("missing_argument"),
            "" => bot.place.team,
            team => team,
        };
        let limit = match form.get("limit") {
            "" => LIMIT_DEFAULT,
            limit => limit.parse().map_err(|_| "invalid_limit")?,
        };
        if !(1..=LIMIT_MAX).contains(&limit) {
            return Err("invalid_limit");
        }
        Ok(Self {
            team,
            limit,
            cursor: form.get("cursor"),
            kind,
        })
    }

    /// The page of these ids that was asked for, of this many at most, and where the next one begins.
    pub(super) fn page<'i>(
        &self,
        ids: &'i [&'i str],
        most: Option<usize>,
    ) -> Result<(&'i [&'i str], Value), &'static str> {
        let start = match self.cursor {
            "" => 0,
            cursor => self.position(ids, cursor).ok_or("invalid_cursor")?,
        };
        let limit = most.map_or(self.limit, |most| most.min(self.limit));
        let end = ids.len().min(start + limit);
        let next = ids.get(end).map(|id| format!("{}:{id}", self.kind));
        let next = next.map_or_else(String::new, |next| STANDARD.encode(next));
        Ok((&ids[start..end], json!({ "next_cursor": next })))
    }

    fn position(&self, ids: &[&str], cursor: &str) -> Option<usize> {
        let cursor = STANDARD.decode(cursor).ok()?;
        let (kind, id) = std::str::from_utf8(&cursor).ok()?.split_once(':')?;
        let position = ids.iter().position(|known| *known == id);
        position.filter(|_| kind == self.kind)
    }
}
