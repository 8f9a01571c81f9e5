//! The form of a destination: what it may hold, and what is wrong with it.

use std::collections::HashMap;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::app::App;
use crate::db::destinations::{Destination, Fields, UsedBy};
use crate::db::linked_users::Account;
use crate::destination::address::{self, ADDRESS_MAX, KEY_MAX, KeyError, PageError, ServerError};
use crate::destination::service::{self, Service};
use crate::destination::{DestinationName, NAME_MAX, Resolution};
use crate::ids::Asker;
use crate::web::admin::layout::Problem;
use crate::web::admin::listed::{list, named};
use crate::web::admin::picker::{ids, pick};
use crate::web::admin::slack_ids::{self, IdKind};
use crate::workspace::names::Names;

/// The shortest key that is looked for in other fields, in characters; shorter ones may be words.
const RECOGNIZED_KEY_MIN: usize = 8;

#[derive(Deserialize)]
pub(in crate::web) struct DestinationForm {
    #[serde(default)]
    pub(super) csrf: String,
    /// The version that the form was made from.
    #[serde(default)]
    pub(super) version: i64,
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) service: String,
    #[serde(default)]
    pub(super) server: String,
    /// `keep` or `replace`; a new destination has nothing to keep.
    #[serde(default)]
    pub(super) key: String,
    /// Never shown again.
    #[serde(default)]
    new_key: SecretString,
    #[serde(default)]
    pub(super) page: String,
    #[serde(default)]
    pub(super) resolution: String,
    #[serde(default)]
    pub(super) who: String,
    #[serde(default)]
    pub(super) channels: Vec<String>,
    #[serde(default)]
    pub(super) add_channels: String,
    #[serde(default)]
    pub(super) people: Vec<String>,
    #[serde(default)]
    pub(super) add_people: String,
    #[serde(default)]
    pub(super) group: String,
    /// E-mail addresses of Zoom accounts.
    #[serde(default)]
    pub(super) accounts: String,
    #[serde(default)]
    pub(super) default_in: Vec<String>,
    #[serde(default)]
    pub(super) add_default_in: String,
    pub(super) is_test: Option<String>,
    /// The list that was added to.
    #[serde(skip)]
    pub(super) focus: Option<&'static str>,
}

/// What a form without problems asks for.
pub(in crate::web) struct Wanted {
    pub(super) fields: Fields,
    /// Not where the key that is set is kept.
    pub(super) key: Option<SecretString>,
}

impl DestinationForm {
    /// The form of a new destination.
    pub(in crate::web) fn empty() -> Self {
        Self {
            csrf: String::new(),
            version: 0,
            name: String::new(),
            service: String::new(),
            server: String::new(),
            key: "replace".to_owned(),
            new_key: SecretString::default(),
            page: String::new(),
            resolution: String::new(),
            who: UsedBy::default().as_str().to_owned(),
            channels: Vec::new(),
            add_channels: String::new(),
            people: Vec::new(),
            add_people: String::new(),
            group: String::new(),
            accounts: String::new(),
            default_in: Vec::new(),
            add_default_in: String::new(),
            is_test: None,
            focus: None,
        }
    }

    /// The form as it shows a destination. A Zoom account that is not linked any more is shown by
    /// its id.
    pub(in crate::web) fn of(destination: &Destination, accounts: &[Account]) -> Self {
        let fields = &destination.fields;
        let emails: HashMap<&str, &str> = accounts
            .iter()
            .map(|account| (account.zoom_user_id.as_str(), account.email.as_str()))
            .collect();
        let accounts = fields.zoom_users.iter().map(String::as_str);
        let accounts = accounts.map(|id| emails.get(id).copied().unwrap_or(id));
        Self {
            version: destination.version,
            name: fields.name.to_string(),
            service: fields.service.clone(),
            server: fields.server_url.clone(),
            key: "keep".to_owned(),
            page: fields.page_url.clone(),
            resolution: fields
                .resolution
                .map_or_else(String::new, |resolution| resolution.as_str().to_owned()),
            who: match fields.used_by {
                UsedBy::Unknown => String::new(),
                used_by => used_by.as_str().to_owned(),
            },
            channels: fields.channels.clone(),
            people: fields.people.clone(),
            group: fields.group_id.clone().unwrap_or_default(),
            accounts: accounts.collect::<Vec<_>>().join(" "),
            default_in: fields.default_in.clone(),
            is_test: fields.is_test.then(|| "on".to_owned()),
            ..Self::empty()
        }
    }

    /// The same as the form of a new destination.
    #[must_use]
    pub(in crate::web) fn anew(self) -> Self {
        let empty = Self::empty();
        Self {
            version: empty.version,
            key: empty.key,
            ..self
        }
    }

    /// Whether a key was typed that is not kept: it must be typed again.
    pub(super) fn has_lost_key(&self) -> bool {
        !self.new_key.expose_secret().is_empty()
    }

    /// What was typed as the Zoom accounts.
    pub(super) fn account_words(&self) -> Vec<String> {
        let words = self
            .accounts
            .split(|c: char| c.is_whitespace() || ",;<>|".contains(c));
        let words = words.map(|word| word.strip_prefix("mailto:").unwrap_or(word));
        let words = words.filter(|word| !word.is_empty() && !word.contains('\0'));
        words.map(str::to_owned).collect()
    }

    /// Looks up the names in the lists that are in use, and says which are not found. A list that is not
    /// chosen is kept as it is.
    pub(super) async fn resolve(&mut self, app: &App, asker: &Asker) -> sqlx::Result<Vec<Problem>> {
        let is_chosen = |used_by: UsedBy| self.who == used_by.as_str();
        let lists = [
            (
                "channels",
                IdKind::Channel,
                is_chosen(UsedBy::Channels),
                &mut self.channels,
                &mut self.add_channels,
            ),
            (
                "people",
                IdKind::Person,
                is_chosen(UsedBy::People),
                &mut self.people,
                &mut self.add_people,
            ),
            (
                "default_in",
                IdKind::Channel,
                true,
                &mut self.default_in,
                &mut self.add_default_in,
            ),
        ];
        let key = self.new_key.expose_secret();
        let mut problems = Vec::new();
        for (field, kind, is_in_use, list, add) in lists {
            let may_be_key = key.chars().count() >= RECOGNIZED_KEY_MIN && add.contains(key);
            if !is_in_use || may_be_key {
                *list = ids(list, kind);
                continue;
            }
            if !add.trim().is_empty() {
                self.focus = self.focus.or(Some(field));
            }
            let picked = pick(app, asker, kind, list, add).await?;
            (*list, *add) = (picked.ids, picked.left);
            if let Some(text) = picked.problem {
                self.focus = Some(field);
                problems.push(Problem { field, text });
            }
        }
        Ok(problems)
    }

    /// Takes a key that was typed out of all other fields, before the form is shown again.
    pub(super) fn hide_key(&mut self, problems: &mut Vec<Problem>) {
        let key = self.new_key.clone();
        self.take_out_key(key.expose_secret().trim(), problems);
    }

    /// What the form asks for, or what is wrong with it besides these problems. `current` is the
    /// destination that it changes, `accounts` are those of its Zoom accounts that are known. What may
    /// be a key in another field is taken out of the form.
    pub(in crate::web) fn read(
        &mut self,
        current: Option<&Destination>,
        accounts: &[Account],
        names: &Names,
        mut problems: Vec<Problem>,
    ) -> Result<Wanted, Vec<Problem>> {
        let name = self.read_name(&mut problems);
        let service = service::find(&self.service);
        if service.is_none() {
            problems.push(problem("service", "Choose a service."));
        }
        let server = self.read_server(service, &mut problems);
        let key = self.read_key(current, &mut problems);
        let page = self.read_page(&mut problems);
        let resolution = match self.resolution.as_str() {
            "" => None,
            typed => {
                let known: Option<Resolution> = typed.parse().ok();
                if known.is_none() {
                    problems.push(problem("resolution", "Choose a resolution."));
                }
                known
            }
        };
        let used_by = self.who.parse().unwrap_or(UsedBy::Unknown);
        let (channels, people) = (self.channels.clone(), self.people.clone());
        let mut missing = |field, is_missing: bool, text| {
            if is_missing
                && !problems
                    .iter()
                    .any(|problem: &Problem| problem.field == field)
            {
                problems.push(problem(field, text));
            }
        };
        missing(
            "channels",
            used_by == UsedBy::Channels && channels.is_empty(),
            "List a channel, or choose another line.",
        );
        missing(
            "people",
            used_by == UsedBy::People && people.is_empty(),
            "List somebody, or choose another line.",
        );
        let group_id = self.read_group(used_by, &mut problems);
        if used_by == UsedBy::Unknown {
            problems.push(problem("who", "Choose who may use it."));
        }
        let zoom_users = self.read_accounts(current, accounts, &mut problems);
        let default_in = self.read_default_in(used_by, &channels, names, &mut problems);
        if let Some(key) = &key {
            self.take_out_key(key.expose_secret(), &mut problems);
        }
        match (name, server, page) {
            (Some(name), Some(server_url), Some(page_url)) if problems.is_empty() => Ok(Wanted {
                fields: Fields {
                    name,
                    service: self.service.clone(),
                    server_url,
                    page_url,
                    resolution,
                    is_test: self.is_test.is_some(),
                    used_by,
                    channels,
                    people,
                    group_id,
                    zoom_users,
                    default_in,
                },
                key,
            }),
            _ => Err(problems),
        }
    }

    fn read_name(&self, problems: &mut Vec<Problem>) -> Option<DestinationName> {
        let name: Option<DestinationName> = self.name.trim().parse().ok();
        let text = match &name {
            Some(name) if name.is_as_set_in_zoom() => {
                "This name is taken: to=zoom stands for what is set in Zoom already.".to_owned()
            }
            Some(_) => return name,
            None => format!(
                "Enter 1 to {NAME_MAX} letters from a to z, digits and hyphens, the first of them no hyphen: for \
                 example townhall."
            ),
        };
        problems.push(Problem {
            field: "name",
            text,
        });
        None
    }

    /// Reads the address of the server: the one that the service publishes, if none is typed.
    fn read_server(
        &mut self,
        service: Option<&Service>,
        problems: &mut Vec<Problem>,
    ) -> Option<String> {
        let published = service.and_then(|service| service.server);
        let text = match address::server(&self.server) {
            Ok(server) => match service.filter(|service| !address::is_of(&server, service)) {
                None => return Some(server),
                Some(service) if published.is_some() => format!(
                    "This is no server of {0}. Leave it empty for the one that {0} publishes, or choose “Another server”.",
                    service.name
                ),
                Some(service) => format!(
                    "This is no server of {}. Check it, or choose “Another server”.",
                    service.name
                ),
            },
            Err(ServerError::Missing) => match (published, service) {
                (Some(published), _) => return Some(published.to_owned()),
                (None, Some(_)) => {
                    "Enter the server’s address: it begins with rtmp:// or rtmps://.".to_owned()
                }
                // What is chosen first says whether one is needed.
                (None, None) => return None,
            },
            Err(ServerError::HoldsKey(bare)) => {
                self.server = bare;
                "A key seemed to stand at its end, so we took that out. Put it into Key instead."
                    .to_owned()
            }
            Err(error) => {
                self.server = address::without_secrets(&self.server);
                refused_server(&error)
            }
        };
        problems.push(Problem {
            field: "server",
            text,
        });
        None
    }

    fn read_key(
        &self,
        current: Option<&Destination>,
        problems: &mut Vec<Problem>,
    ) -> Option<SecretString> {
        if current.is_some() {
            match self.key.as_str() {
                "keep" => return None,
                "replace" => {}
                _ => {
                    let text = "Choose whether to keep the key that is set.";
                    problems.push(problem("key", text));
                    return None;
                }
            }
        }
        let text = match address::key(self.new_key.expose_secret()) {
            Ok(key) => return Some(key.into()),
            Err(KeyError::Missing) => "Enter the key.".to_owned(),
            Err(KeyError::TooLong) => format!("A key has {KEY_MAX} characters at most."),
            Err(KeyError::Characters) => {
                "A key has no spaces, and no letters beyond ASCII. Copy it once more.".to_owned()
            }
            Err(KeyError::IsAddress) => {
                "This is an address. Enter the key alone, and the address as Server.".to_owned()
            }
        };
        problems.push(Problem {
            field: "new_key",
            text,
        });
        None
    }

    fn read_page(&mut self, problems: &mut Vec<Problem>) -> Option<String> {
        let text = match address::page(&self.page) {
            Ok(page) => return Some(page),
            Err(PageError::Missing) => {
                "Enter the page where viewers watch: Zoom requires it.".to_owned()
            }
            Err(PageError::TooLong) => format!("An address has {ADDRESS_MAX} characters at most."),
            Err(PageError::NotAnAddress) => {
                "Enter an address that everybody can open: it begins with https://.".to_owned()
            }
        };
        // Whatever it is, it is no page.
        if !self
            .page
            .trim_start()
            .to_ascii_lowercase()
            .starts_with("http")
        {
            self.page.clear();
        }
        problems.push(Problem {
            field: "page",
            text,
        });
        None
    }

    /// Takes the key out of all other fields, which everybody may read.
    fn take_out_key(&mut self, key: &str, problems: &mut Vec<Problem>) {
        if key.chars().count() < RECOGNIZED_KEY_MIN {
            return;
        }
        let is_chosen = |used_by: UsedBy| self.who == used_by.as_str();
        let fields = [
            (
                "channels",
                is_chosen(UsedBy::Channels),
                &mut self.add_channels,
            ),
            ("people", is_chosen(UsedBy::People), &mut self.add_people),
            ("group", is_chosen(UsedBy::Group), &mut self.group),
            ("name", true, &mut self.name),
            ("server", true, &mut self.server),
            ("page", true, &mut self.page),
            ("accounts", true, &mut self.accounts),
            ("default_in", true, &mut self.add_default_in),
        ];
        for (field, is_seen, typed) in fields {
            if typed.contains(key) {
                *typed = typed.replace(key, "");
                problems.retain(|problem| problem.field != field);
                let text =
                    "The key stood in here too, so we took that out: everybody may read this.";
                if is_seen {
                    problems.push(problem(field, text));
                }
            }
        }
    }

    fn read_group(&self, used_by: UsedBy, problems: &mut Vec<Problem>) -> Option<String> {
        let (groups, problem) = slack_ids::read(&self.group, IdKind::UserGroup);
        // Of several none is the one.
        let groups = if groups.len() == 1 {
            groups
        } else {
            Vec::new()
        };
        let missing = "Choose one user group.";
        if used_by == UsedBy::Group {
            refuse_list("group", missing, &groups, problem, problems);
        }
        groups.into_iter().next()
    }

    fn read_accounts(
        &self,
        current: Option<&Destination>,
        accounts: &[Account],
        problems: &mut Vec<Problem>,
    ) -> Vec<String> {
        let (mut ids, mut unknown) = (Vec::new(), Vec::new());
        let stored = current.map_or(&[][..], |current| &current.fields.zoom_users);
        for word in self.account_words() {
            let of_word = accounts.iter().filter(|account| {
                account.email.eq_ignore_ascii_case(&word) || account.zoom_user_id.as_str() == word
            });
            let mut found: Vec<_> = of_word
                .map(|account| account.zoom_user_id.to_string())
                .collect();
            // One that was linked when it was listed.
            if found.is_empty() && stored.contains(&word) {
                found.push(word.clone());
            }
            if found.is_empty() {
                unknown.push(word);
            }
            for id in found {
                if !ids.contains(&id) {
                    ids.push(id);
                }
            }
        }
        if !unknown.is_empty() {
            let unknown = list(unknown.iter().map(String::as_str), "or");
            let text = format!(
                "Nobody here has linked a Zoom account {unknown}, and the workspace shares none of that name."
            );
            problems.push(Problem {
                field: "accounts",
                text,
            });
        }
        ids
    }

    fn read_default_in(
        &self,
        used_by: UsedBy,
        channels: &[String],
        names: &Names,
        problems: &mut Vec<Problem>,
    ) -> Vec<String> {
        let default_in = self.default_in.clone();
        let not_allowed = default_in.iter().filter(|id| !channels.contains(id));
        let not_allowed: Vec<_> = not_allowed.cloned().collect();
        let text = if default_in.is_empty() {
            None
        } else if self.is_test.is_some() {
            Some(
                "A destination that is only for rehearsals can be no channel’s default.".to_owned(),
            )
        } else if used_by == UsedBy::Channels && !not_allowed.is_empty() {
            let not_allowed = named(names, IdKind::Channel, &not_allowed);
            Some(format!(
                "It may not be used from {not_allowed}: add that above, or take it out here."
            ))
        } else {
            None
        };
        problems.extend(text.map(|text| Problem {
            field: "default_in",
            text,
        }));
        default_in
    }
}

fn problem(field: &'static str, text: &str) -> Problem {
    Problem {
        field,
        text: text.to_owned(),
    }
}

/// Notes what is wrong with a list of ids, if it is malformed or empty.
fn refuse_list(
    field: &'static str,
    missing: &str,
    ids: &[String],
    malformed: Option<String>,
    problems: &mut Vec<Problem>,
) {
    let text = malformed.or_else(|| ids.is_empty().then(|| missing.to_owned()));
    problems.extend(text.map(|text| Problem { field, text }));
}

fn refused_server(error: &ServerError) -> String {
    match error {
        ServerError::TooLong => format!("An address has {ADDRESS_MAX} characters at most."),
        ServerError::Characters => {
            "An address has no spaces, and no letters beyond ASCII. Copy it once more.".to_owned()
        }
        ServerError::Credentials => {
            "A user’s name or a password stood in it, so we took that out. Enter the address alone."
                .to_owned()
        }
        ServerError::NotPublic => {
            "Zoom can’t reach this server: enter the name of a public one.".to_owned()
        }
        ServerError::Scheme
        | ServerError::NotAnAddress
        | ServerError::Missing
        | ServerError::HoldsKey(_) => {
            "Enter the server’s address: it begins with rtmp:// or rtmps://.".to_owned()
        }
    }
}
