//! People and channels by the names that an admin typed, as Slack lists them now. Nothing of it is
//! kept.

use std::time::{Duration, Instant};

use tokio::time::timeout;

use crate::app::App;
use crate::command::outcome::Unknown;
use crate::db::linked_users;
use crate::ids::Asker;
use crate::slack::names::Name;
use crate::slack::web_api::{Channel, Error, User, UserGroup};
use crate::workspace::bot::{self, Bot, Page};
use crate::workspace::people;

/// How many pages of a list are read.
const PAGES_MAX: usize = 10;
/// How long all of them may take.
const PATIENCE: Duration = Duration::from_secs(3);
/// In how many letters what was typed may differ from what is suggested.
const WRONG_MAX: usize = 2;

/// Somebody, or a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub id: String,
    /// As pages show it: a channel's has its `#`.
    pub name: String,
    /// The handle of a person, with its `@`.
    pub handle: Option<String>,
    /// All that it is found by, in lower case and without `@` or `#`.
    aliases: Vec<String>,
    /// That of them which nobody else has.
    unique: Option<String>,
}

/// How much of a list was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All of it.
    Whole,
    /// Its first pages: it is longer than is read, or Slack stopped answering.
    Part,
    /// None of it.
    Nothing(Unknown),
}

/// The people or channels that a name may mean.
#[derive(Debug)]
pub struct Directory {
    entries: Vec<Entry>,
    pub extent: Extent,
}

/// What a name means.
#[derive(Debug, PartialEq, Eq)]
pub enum Found<'a> {
    One(&'a Entry),
    Several(Vec<&'a Entry>),
    /// Nothing, and what was perhaps meant.
    None(Option<&'a Entry>),
}

impl Entry {
    /// Remembers its name for the pages that will show it.
    pub fn remember(&self, app: &App, asker: &Asker) {
        let name = Name::Known(self.name.clone());
        app.names.store(&asker.team, &self.id, Some(name));
    }
}

impl Directory {
    /// The people of a workspace: all whom Slack lists, and those who are linked under one of these
    /// names.
    pub async fn people(app: &App, asker: &Asker, typed: &[String]) -> sqlx::Result<Self> {
        let names: Vec<String> = typed.iter().map(|name| key(name)).collect();
        let linked = linked_users::called(&app.db, &asker.team, &names).await?;
        let mut directory = read(app, asker, PeoplePages).await?;
        for (id, name) in linked {
            let is_listed = directory.entries.iter().any(|entry| entry.id == id);
            if !is_listed {
                directory.entries.push(Entry {
                    id,
                    aliases: vec![key(&name)],
                    name,
                    handle: None,
                    unique: None,
                });
            }
        }
        Ok(directory)
    }

    /// The public channels of a workspace that are not archived.
    pub async fn channels(app: &App, asker: &Asker) -> sqlx::Result<Self> {
        read(app, asker, ChannelPages).await
    }

    /// Whom or which channel a name means. Where not all were read, one is found only by a name that
    /// no other can have.
    pub fn find(&self, typed: &str) -> Found<'_> {
        let typed = key(typed);
        let matching = |entry: &&Entry| entry.aliases.contains(&typed);
        let found: Vec<&Entry> = self.entries.iter().filter(matching).collect();
        match found.as_slice() {
            [] => Found::None(self.nearest(&typed)),
            [one] if self.extent != Extent::Part || one.unique.as_ref() == Some(&typed) => {
                Found::One(one)
            }
            [_] => Found::None(None),
            _ => Found::Several(found),
        }
    }

    fn nearest(&self, typed: &str) -> Option<&Entry> {
        let distances = self.entries.iter().filter_map(|entry| {
            let aliases = entry.aliases.iter();
            let distances = aliases.map(|alias| strsim::osa_distance(typed, alias));
            let distance = distances.min().filter(|distance| *distance <= WRONG_MAX)?;
            // Of two letters anything is near.
            (distance < typed.chars().count()).then_some((distance, entry))
        });
        let nearest = distances.min_by_key(|(distance, _)| *distance);
        nearest.map(|(_, entry)| entry)
    }
}

/// How long a page waits for the user groups that can be chosen.
const GROUPS_PATIENCE: Duration = Duration::from_millis(1500);

/// The user groups of a workspace, by their handles; `None` if Slack does not tell them soon.
pub async fn user_groups(app: &App, asker: &Asker) -> sqlx::Result<Option<Vec<UserGroup>>> {
    let Some(bot) = bot::find(app, asker).await? else {
        return Ok(None);
    };
    let answer = timeout(GROUPS_PATIENCE, bot.groups(&asker.team)).await;
    let Ok(Ok(mut groups)) = answer else {
        return Ok(None);
    };
    groups.sort_by(|a, b| a.handle.cmp(&b.handle));
    Ok(Some(groups))
}

/// A name as it is compared.
fn key(name: &str) -> String {
    let name = name.trim();
    let bare = name.strip_prefix(['@', '#']).unwrap_or(name);
    bare.trim().to_lowercase()
}

impl From<User> for Entry {
    fn from(user: User) -> Self {
        let mut aliases: Vec<String> = user.names().map(key).collect();
        aliases.dedup();
        Self {
            name: user.display_name().unwrap_or(user.id.as_str()).to_owned(),
            unique: user.handle().map(key),
            handle: user.handle().map(|handle| format!("@{handle}")),
            id: user.id.to_string(),
            aliases,
        }
    }
}

impl From<Channel> for Entry {
    fn from(channel: Channel) -> Self {
        let name = channel.name.unwrap_or_default();
        Self {
            id: channel.id.to_string(),
            aliases: vec![key(&name)],
            unique: Some(key(&name)),
            handle: None,
            name: format!("#{name}"),
        }
    }
}

/// One of Slack's lists.
trait Pages {
    type Item: Into<Entry>;

    async fn page(
        &self,
        bot: &Bot<'_>,
        asker: &Asker,
        cursor: &str,
    ) -> Result<Page<Self::Item>, Error>;

    fn is_wanted(item: &Self::Item) -> bool;
}

struct PeoplePages;

impl Pages for PeoplePages {
    type Item = User;

    async fn page(&self, bot: &Bot<'_>, asker: &Asker, cursor: &str) -> Result<Page<User>, Error> {
        bot.users(&asker.team, cursor).await
    }

    fn is_wanted(user: &User) -> bool {
        !user.deleted && !user.is_bot
    }
}

struct ChannelPages;

impl Pages for ChannelPages {
    type Item = Channel;

    async fn page(
        &self,
        bot: &Bot<'_>,
        asker: &Asker,
        cursor: &str,
    ) -> Result<Page<Channel>, Error> {
        bot.public_channels(&asker.team, cursor).await
    }

    fn is_wanted(channel: &Channel) -> bool {
        channel.is_public() && channel.name.is_some()
    }
}

/// Reads a list as far as pages and time allow.
async fn read<P: Pages>(app: &App, asker: &Asker, pages: P) -> sqlx::Result<Directory> {
    let mut entries = Vec::new();
    let nothing = |why| Directory {
        entries: Vec::new(),
        extent: Extent::Nothing(why),
    };
    let Some(bot) = bot::find(app, asker).await? else {
        return Ok(nothing(Unknown::CannotAsk));
    };
    let until = Instant::now() + PATIENCE;
    let mut cursor = String::new();
    for number in 0..PAGES_MAX {
        let left = until.saturating_duration_since(Instant::now());
        let page = match timeout(left, pages.page(&bot, asker, &cursor)).await {
            Ok(Ok(page)) => page,
            Ok(Err(error)) if number == 0 => return Ok(nothing(people::unknown(&error))),
            Err(_) if number == 0 => return Ok(nothing(Unknown::NoAnswer)),
            Ok(Err(_)) | Err(_) => break,
        };
        let wanted = page.items.into_iter().filter(P::is_wanted);
        entries.extend(wanted.map(Into::into));
        match page.next {
            Some(next) => cursor = next,
            None => {
                return Ok(Directory {
                    entries,
                    extent: Extent::Whole,
                });
            }
        }
    }
    Ok(Directory {
        entries,
        extent: Extent::Part,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn person(id: &str, handle: &str, display: &str, real: &str) -> Entry {
        let user: User = serde_json::from_value(json!({
            "id": id, "name": handle,
            "profile": { "display_name": display, "real_name": real },
        }))
        .expect("a user");
        user.into()
    }

    fn channel(id: &str, name: &str) -> Entry {
        let channel: Channel =
            serde_json::from_value(json!({ "id": id, "name": name })).expect("a channel");
        channel.into()
    }

    fn ids<'a>(found: &Found<'a>) -> Vec<&'a str> {
        match found {
            Found::One(entry) => vec![&entry.id],
            Found::Several(entries) => entries.iter().map(|entry| entry.id.as_str()).collect(),
            Found::None(_) => Vec::new(),
        }
    }

    #[test]
    fn people_are_found_by_each_of_their_names_in_any_case() {
        let mut directory = Directory {
            entries: vec![
                person("U1", "dana.li", "Dana", "Dana Li"),
                person("U2", "dana.o", "", "Dana"),
                person("U3", "zoe", "Zoë", "Zoë Ó Broin"),
            ],
            extent: Extent::Whole,
        };
        for (typed, expected) in [
            ("dana li", &["U1"][..]),
            (" @Dana.Li ", &["U1"]),
            ("DANA", &["U1", "U2"]),
            ("@dana.o", &["U2"]),
            ("ZOË", &["U3"]),
            ("Dan", &[]),
            ("", &[]),
        ] {
            assert_eq!(ids(&directory.find(typed)), expected, "{typed}");
        }
        assert_eq!(directory.entries[1].name, "Dana");
        // Another page may have another Zoë, but no other @zoe.
        directory.extent = Extent::Part;
        assert_eq!(directory.find("Zoë"), Found::None(None));
        assert_eq!(ids(&directory.find("@zoe")), ["U3"]);
    }

    #[test]
    fn the_nearest_channel_is_suggested() {
        let directory = Directory {
            entries: vec![
                channel("C1", "town-hall"),
                channel("C2", "all-acme"),
                channel("C3", "hr"),
            ],
            extent: Extent::Whole,
        };
        assert_eq!(ids(&directory.find("#Town-Hall")), ["C1"]);
        let nearest = |typed: &str| match directory.find(typed) {
            Found::None(nearest) => nearest.map(|entry| entry.name.as_str()),
            found => panic!("{found:?}"),
        };
        assert_eq!(nearest("#townhal"), Some("#town-hall"));
        assert_eq!(nearest("al-acme"), Some("#all-acme"));
        assert_eq!(nearest("qa"), None);
        assert_eq!(nearest("press"), None);
    }
}
