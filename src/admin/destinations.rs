//! What admins do with the destinations of their workspace.

use secrecy::{ExposeSecret, SecretString};
use sqlx::PgConnection;

use crate::admin::Admin;
use crate::admin::changes::{of_new, of_use};
use crate::app::App;
use crate::crypto::vault::Context;
use crate::db::audit::{self, AuditKind, Event};
use crate::db::destinations::{self, Destination, Fields, Stored, UsedBy};
use crate::destination::{DestinationName, address};
use crate::ids::DestinationId;
use crate::workspace::names::Names;

/// What became of a destination that an admin wanted to save.
#[derive(Debug, PartialEq, Eq)]
pub enum Saved {
    Done(DestinationId),
    /// It stands like this already.
    Unchanged(DestinationId),
    /// Another one has its name.
    NameTaken,
    /// Another one is called almost the same.
    NameAlike(DestinationName),
    /// The key that is set is for another server.
    KeyNeeded,
    /// Another one has its server and its key.
    SameKey(DestinationName),
    /// Another one is the default in this channel.
    DefaultTaken {
        channel: String,
        by: DestinationName,
    },
    /// Somebody has changed or deleted it since.
    Stale,
}

/// The destinations of a workspace, which nobody else changes until the transaction ends.
struct Others {
    all: Vec<Destination>,
    /// Their servers and keys. A key that does not open is left out.
    keys: Vec<(DestinationId, String, SecretString)>,
}

impl Others {
    async fn lock(db: &mut PgConnection, app: &App, admin: &Admin) -> sqlx::Result<Self> {
        let team = &admin.asker.team;
        destinations::lock(&mut *db, team).await?;
        let all = destinations::list(&mut *db, team, None).await?;
        let sealed = destinations::keys(db, team).await?.into_iter();
        let keys = sealed.filter_map(|(id, _, target)| {
            let key = app.vault.open(Context::StreamKey(id.0), &target.stream_key);
            Some((id, target.server_url, key.ok()?))
        });
        Ok(Self {
            all,
            keys: keys.collect(),
        })
    }

    fn find(&self, id: DestinationId) -> Option<&Destination> {
        self.all.iter().find(|known| known.destination_id == id)
    }

    fn key_of(&self, id: DestinationId) -> Option<&SecretString> {
        let mut keys = self.keys.iter();
        keys.find(|(of, ..)| *of == id).map(|(.., key)| key)
    }

    fn has_key(&self, id: DestinationId, key: &SecretString) -> bool {
        let known = self.key_of(id);
        known.is_some_and(|known| known.expose_secret() == key.expose_secret())
    }

    /// What keeps a destination from being saved like this beside the others.
    fn conflict(
        &self,
        own: Option<DestinationId>,
        fields: &Fields,
        key: Option<&SecretString>,
    ) -> Option<Saved> {
        let others = || {
            let all = self.all.iter();
            all.filter(|other| Some(other.destination_id) != own)
        };
        if others().any(|other| other.fields.name == fields.name) {
            return Some(Saved::NameTaken);
        }
        let old = own.and_then(|own| self.find(own));
        let is_renamed = old.is_none_or(|old| old.fields.name != fields.name);
        let is_alike = |other: &&Destination| other.fields.name.letters() == fields.name.letters();
        if let Some(other) = others().find(is_alike).filter(|_| is_renamed) {
            return Some(Saved::NameAlike(other.fields.name.clone()));
        }
        let has_same_key = |other: &&Destination| {
            address::are_same(&other.fields.server_url, &fields.server_url)
                && key.is_some_and(|key| self.has_key(other.destination_id, key))
        };
        if let Some(other) = others().find(has_same_key) {
            return Some(Saved::SameKey(other.fields.name.clone()));
        }
        fields.default_in.iter().find_map(|channel| {
            let by = others().find(|other| other.fields.default_in.contains(channel))?;
            Some(Saved::DefaultTaken {
                channel: channel.clone(),
                by: by.fields.name.clone(),
            })
        })
    }
}

/// Adds a destination with its key. The same one sent twice is added once.
pub async fn add(
    app: &App,
    admin: &Admin,
    fields: &Fields,
    key: &SecretString,
    names: &Names,
) -> sqlx::Result<Saved> {
    let mut transaction = app.db.begin().await?;
    let others = Others::lock(&mut transaction, app, admin).await?;
    let same = others.all.iter().find(|known| known.fields == *fields);
    if let Some(same) = same.filter(|same| others.has_key(same.destination_id, key)) {
        return Ok(Saved::Unchanged(same.destination_id));
    }
    if let Some(conflict) = others.conflict(None, fields, Some(key)) {
        return Ok(conflict);
    }
    let id = match destinations::insert(&mut transaction, &admin.asker, fields).await? {
        Stored::Done(id) => id,
        Stored::NameTaken => return Ok(Saved::NameTaken),
        Stored::Stale => return Ok(Saved::Stale),
    };
    let sealed = app.vault.seal(Context::StreamKey(id.0), key);
    destinations::set_key(&mut transaction, id, &admin.asker.user, &sealed).await?;
    let detail = format!("{}: {}", fields.name, of_new(fields, names));
    let event = Event::of(&admin.asker, AuditKind::DestinationAdded)
        .people(people(fields))
        .detail(&detail);
    audit::write(&mut *transaction, &event).await?;
    transaction.commit().await?;
    Ok(Saved::Done(id))
}

/// Changes the version of a destination that the admin saw, and replaces its key with this one, if
/// there is one.
pub async fn change(
    app: &App,
    admin: &Admin,
    id: DestinationId,
    version: i64,
    fields: &Fields,
    key: Option<&SecretString>,
    names: &Names,
) -> sqlx::Result<Saved> {
    let mut transaction = app.db.begin().await?;
    let others = Others::lock(&mut transaction, app, admin).await?;
    let Some(old) = others.find(id) else {
        return Ok(Saved::Stale);
    };
    let is_key_given = key.is_some();
    let new_key = key.filter(|key| !others.has_key(id, key));
    if old.fields == *fields && new_key.is_none() {
        return Ok(Saved::Unchanged(id));
    }
    if old.version != version {
        return Ok(Saved::Stale);
    }
    let key = new_key.or_else(|| others.key_of(id));
    if let Some(conflict) = others.conflict(Some(id), fields, key) {
        return Ok(conflict);
    }
    // What nobody can read must not be sent to whichever server somebody enters.
    if !is_key_given && !address::have_one_host(&old.fields.server_url, &fields.server_url) {
        return Ok(Saved::KeyNeeded);
    }
    let asker = &admin.asker;
    match destinations::update(&mut transaction, asker, id, version, fields).await? {
        Stored::Done(_) => {}
        Stored::NameTaken => return Ok(Saved::NameTaken),
        Stored::Stale => return Ok(Saved::Stale),
    }
    if let Some(key) = new_key {
        let sealed = app.vault.seal(Context::StreamKey(id.0), key);
        destinations::set_key(&mut transaction, id, &asker.user, &sealed).await?;
    }
    let detail = changes(&old.fields, fields, new_key.is_some(), names);
    let listed = if is_for_same(&old.fields, fields) {
        &[]
    } else {
        people(fields)
    };
    let event = Event::of(asker, AuditKind::DestinationChanged)
        .people(listed)
        .detail(&detail);
    audit::write(&mut *transaction, &event).await?;
    transaction.commit().await?;
    Ok(Saved::Done(id))
}

/// Deletes a destination with its key. False if it is gone, or a livestream goes there.
pub async fn delete(app: &App, admin: &Admin, id: DestinationId) -> sqlx::Result<bool> {
    let mut transaction = app.db.begin().await?;
    let deleted = destinations::delete(&mut transaction, &admin.asker.team, id).await?;
    if let Some(name) = &deleted {
        let event = Event::of(&admin.asker, AuditKind::DestinationDeleted).detail(name.as_str());
        audit::write(&mut *transaction, &event).await?;
    }
    transaction.commit().await?;
    Ok(deleted.is_some())
}

/// Whom a destination names as those who may use it.
fn people(fields: &Fields) -> &[String] {
    match fields.used_by {
        UsedBy::People => &fields.people,
        _ => &[],
    }
}

/// Whether the same people may use it.
fn is_for_same(old: &Fields, new: &Fields) -> bool {
    old.used_by == new.used_by
        && old.channels == new.channels
        && old.people == new.people
        && old.group_id == new.group_id
}

/// What was changed of a destination, in words: `townhall: watch page, default in: no channel → #town-hall`.
fn changes(old: &Fields, new: &Fields, has_new_key: bool, names: &Names) -> String {
    let renamed = format!("renamed from {}", old.name);
    let changes = [
        (old.name != new.name, &*renamed),
        (old.service != new.service, "service"),
        (old.server_url != new.server_url, "server"),
        (has_new_key, "key replaced"),
        (old.page_url != new.page_url, "watch page"),
        (old.resolution != new.resolution, "resolution"),
        (old.zoom_users != new.zoom_users, "Zoom accounts"),
        (old.is_test != new.is_test, "only for rehearsals"),
    ];
    let changes = changes.into_iter().filter(|(is_changed, _)| *is_changed);
    let mut changes: Vec<_> = changes.map(|(_, what)| what.to_owned()).collect();
    changes.extend(of_use(old, new, names));
    if changes.is_empty() {
        changes.push("a list that is not in use".to_owned());
    }
    format!("{}: {}", new.name, changes.join(", "))
}
