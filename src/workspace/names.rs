//! What people and channels are called, for pages that would show ids otherwise.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::timeout;

use crate::app::App;
use crate::db::linked_users;
use crate::ids::{Asker, ChannelId, SlackUserId};
use crate::slack::names::Name;
use crate::slack::web_api::UserGroup;
use crate::workspace::bot::{self, Bot};

/// How many names Slack is asked for at once; its limits are some dozens a minute.
const ASKED_MAX: usize = 20;
/// How long a page waits for all of them together.
const PATIENCE: Duration = Duration::from_millis(1500);

/// The names of some people, channels and user groups of a workspace, by their ids, as far as they are known.
#[derive(Debug, Default, Clone)]
pub struct Names {
    people: HashMap<String, String>,
    channels: HashMap<String, Name>,
    groups: HashMap<String, String>,
}

/// Whose name is asked for.
enum Of<'a> {
    Person(&'a str),
    Channel(&'a str),
}

impl Names {
    /// The names of these people and channels: of people who are linked as it is stored, of the others
    /// as Slack says now or said lately. Whatever Slack does not tell soon is missing, and the last of
    /// very many.
    pub async fn of<'a>(
        app: &App,
        asker: &Asker,
        people: impl IntoIterator<Item = &'a str>,
        channels: impl IntoIterator<Item = &'a str>,
    ) -> sqlx::Result<Self> {
        // In place of a person who was erased there is nobody's ID.
        let people = people.into_iter().filter(|id| !id.is_empty());
        let people: Vec<&str> = people.collect();
        let ids: Vec<String> = people.iter().map(|id| (*id).to_owned()).collect();
        let stored = linked_users::names(&app.db, &asker.team, &ids).await?;
        let unnamed = people.into_iter().filter(|id| !stored.contains_key(*id));
        let of_people = unnamed.map(Of::Person);
        let wanted = of_people.chain(channels.into_iter().map(Of::Channel));
        let mut names = Self {
            people: stored.clone(),
            ..Self::default()
        };
        let (mut unknown, mut seen) = (Vec::new(), HashSet::new());
        for wanted in wanted {
            if !seen.insert(wanted.id().to_owned()) {
                continue;
            }
            match app.names.find(&asker.team, wanted.id()) {
                Some(Some(name)) => names.insert(&wanted, name),
                Some(None) => {}
                None => unknown.push(wanted),
            }
        }
        unknown.truncate(ASKED_MAX);
        if unknown.is_empty() {
            return Ok(names);
        }
        let Some(bot) = bot::find(app, asker).await? else {
            return Ok(names);
        };
        let answers = unknown.iter().map(|of| timeout(PATIENCE, of.ask(&bot)));
        let answers = join_all(answers).await;
        for (of, answer) in unknown.iter().zip(answers) {
            let name = answer.ok().flatten();
            app.names.store(&asker.team, of.id(), name.clone());
            if let Some(name) = name {
                names.insert(of, name);
            }
        }
        Ok(names)
    }

    /// The same without asking anybody, for tests and the catalogue.
    #[cfg(test)]
    pub fn fixed(people: &[(&str, &str)], channels: &[(&str, &str)]) -> Self {
        let owned = |(id, name): &(&str, &str)| ((*id).to_owned(), (*name).to_owned());
        let channels = channels.iter().map(owned);
        Self {
            people: people.iter().map(owned).collect(),
            channels: channels.map(|(id, name)| (id, Name::Known(name))).collect(),
            groups: HashMap::new(),
        }
    }

    /// The same with the handles of these user groups.
    #[must_use]
    pub fn with_groups(mut self, groups: &[UserGroup]) -> Self {
        let groups = groups.iter();
        self.groups = groups
            .map(|group| (group.id.clone(), format!("@{}", group.handle)))
            .collect();
        self
    }

    /// The name of a person.
    pub fn person(&self, id: &str) -> Option<&str> {
        self.people.get(id).map(String::as_str)
    }

    /// The name of a channel with its `#`, or that it is a private one: those are named to their
    /// members alone, and who is one is not looked up.
    pub fn channel(&self, id: &str) -> Option<&str> {
        match self.channels.get(id)? {
            Name::Known(name) => Some(name),
            Name::Private => Some("a private channel"),
        }
    }

    /// The handle of a user group with its `@`.
    pub fn group(&self, id: &str) -> Option<&str> {
        self.groups.get(id).map(String::as_str)
    }

    /// A channel in plain text, told from every other: by its name, or by its id.
    pub fn channel_text(&self, id: &str) -> String {
        match self.channels.get(id) {
            Some(Name::Known(name)) => name.clone(),
            Some(Name::Private) => format!("a private channel ({id})"),
            None => id.to_owned(),
        }
    }

    /// Whether a channel is known to be private, so that its name does not tell it from others.
    pub fn is_private(&self, id: &str) -> bool {
        self.channels.get(id) == Some(&Name::Private)
    }

    fn insert(&mut self, of: &Of<'_>, name: Name) {
        match (of, name) {
            (Of::Person(id), Name::Known(name)) => {
                self.people.insert((*id).to_owned(), name);
            }
            (Of::Person(_), Name::Private) => {}
            (Of::Channel(id), name) => {
                self.channels.insert((*id).to_owned(), name);
            }
        }
    }
}

impl Of<'_> {
    fn id(&self) -> &str {
        match self {
            Self::Person(id) | Self::Channel(id) => id,
        }
    }

    async fn ask(&self, bot: &Bot<'_>) -> Option<Name> {
        match self {
            Self::Person(id) => {
                let user = bot.user(&SlackUserId::new(*id)).await.ok()?;
                user.display_name().map(|name| Name::Known(name.to_owned()))
            }
            Self::Channel(id) => {
                let id = ChannelId::new(*id);
                if id.is_direct() {
                    return None;
                }
                let channel = bot.channel(&id).await.ok()?;
                if !channel.is_public() {
                    return Some(Name::Private);
                }
                channel.name.map(|name| Name::Known(format!("#{name}")))
            }
        }
    }
}
