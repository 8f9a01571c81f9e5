//! Where livestreams can go, as the admins of a workspace keep it.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor};

use super::violates;
use crate::command::meeting::MeetingId;
use crate::destination::{DestinationName, Resolution};
use crate::ids::{Asker, ChannelId, DestinationId, SlackUserId, TeamId, ZoomUserId};

/// Who may use a destination, of those who may start livestreams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, strum::EnumString, strum::IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum UsedBy {
    #[default]
    Everybody,
    /// Whoever is in one of its channels.
    Channels,
    People,
    /// The members of a user group.
    Group,
    /// Another version stored what cannot be read here; nobody may.
    #[strum(disabled)]
    Unknown,
}

impl UsedBy {
    /// As it is stored.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// What an admin decides about a destination, but for its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fields {
    pub name: DestinationName,
    /// The key of a [service](crate::destination::service::Service).
    pub service: String,
    pub server_url: String,
    pub page_url: String,
    pub resolution: Option<Resolution>,
    /// Only rehearsals go there.
    pub is_test: bool,
    pub used_by: UsedBy,
    pub channels: Vec<String>,
    pub people: Vec<String>,
    pub group_id: Option<String>,
    /// With which Zoom accounts alone it may be used; with all where it is empty.
    pub zoom_users: Vec<String>,
    /// The channels whose livestreams go there where nothing else is typed.
    pub default_in: Vec<String>,
}

/// A destination, without its key.
#[derive(Debug, Clone)]
pub struct Destination {
    pub destination_id: DestinationId,
    pub fields: Fields,
    pub key_set_at: DateTime<Utc>,
    pub key_set_by: SlackUserId,
    pub changed_by: SlackUserId,
    /// Counts the changes.
    pub version: i64,
    /// What goes there now.
    pub carries: Option<Carried>,
    /// How many livestreams were sent there since its key was set, and taken by Zoom, as far as they are kept.
    pub used: i64,
}

/// A stream that a destination carries.
#[derive(Debug, Clone)]
pub struct Carried {
    pub meeting: MeetingId,
    pub topic: Option<String>,
    pub channel: ChannelId,
    /// Everybody of the workspace may read there.
    pub is_public: bool,
    pub began_at: DateTime<Utc>,
}

impl Destination {
    /// Whether the livestreams of a channel go there where nothing else is typed.
    pub fn is_default_in(&self, channel: &ChannelId) -> bool {
        let mut channels = self.fields.default_in.iter();
        channels.any(|listed| listed == channel.as_str())
    }
}

/// The Zoom accounts with which the key of a destination may have been set in a meeting since it was
/// chosen, as far as that is kept: not one of whoever set it, nor one that an admin has allowed by name.
/// None of those that the workspace shares either.
pub async fn read_by(
    db: impl PgExecutor<'_>,
    team: &TeamId,
    id: DestinationId,
) -> sqlx::Result<Vec<ZoomUserId>> {
    sqlx::query_scalar!(
        r#"
        select distinct zoom_user_id as "zoom_user: ZoomUserId"
        from destination join stream using (destination_id)
        where destination_id = $2 and destination.team_id = $1 and began_at > key_set_at
            and stream.destination is not null
            and not zoom_user_id = any (zoom_users)
            -- Of one that was plainly not set nothing was read.
            and not exists (
                select from command
                where command.command_id = stream.command_id and destination_step is null and finished_at is not null
            )
            and not exists (
                select from zoom_link
                where zoom_link.zoom_user_id = stream.zoom_user_id and zoom_link.team_id = $1
                    and zoom_link.user_id = key_set_by
            )
            and not exists (
                select from shared_account
                where shared_account.team_id = $1 and shared_account.zoom_user_id = stream.zoom_user_id
            )
        order by zoom_user_id
        "#,
        team.as_str(),
        id.0,
    )
    .fetch_all(db)
    .await
}

/// The destinations of a workspace, by name; only one of them, if it is named.
pub async fn list(
    db: impl PgExecutor<'_>,
    team: &TeamId,
    name: Option<&DestinationName>,
) -> sqlx::Result<Vec<Destination>> {
    let rows = sqlx::query!(
        r#"
        select destination_id as "destination_id: DestinationId", name as "name: DestinationName", service, server_url,
            destination.page_url, resolution, is_test, who, channels, people, group_id, zoom_users, default_in,
            key_set_at, key_set_by as "key_set_by: SlackUserId", changed_by as "changed_by: SlackUserId",
            destination.version, carried.meeting_id as "meeting?: MeetingId", carried.topic as "topic?",
            carried.channel_id as "channel?: ChannelId", carried.is_public as "is_public?",
            carried.began_at as "began_at?",
            (
                select count(*) from stream
                where stream.destination_id = destination.destination_id and stream.began_at > key_set_at
                    -- Elsewhere it is a guess where the stream went.
                    and stream.destination is not null
                    and exists (
                        select from stream_fact
                        where stream_fact.stream_id = stream.stream_id and kind in ('start_taken', 'on_air')
                    )
            ) as "used!"
        from destination left join lateral (
            select meeting_id, topic, channel_id, is_public, began_at from stream
            where stream.destination_id = destination.destination_id and closed_at is null
            order by holds_destination desc, stream_id desc limit 1
        ) as carried on true
        where destination.team_id = $1 and name = coalesce($2, name)
        order by name
        "#,
        team.as_str(),
        name.map(DestinationName::as_str),
    );
    let rows = rows.fetch_all(db).await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let began = row.meeting.zip(row.channel).zip(row.began_at);
            Destination {
                destination_id: row.destination_id,
                fields: Fields {
                    name: row.name,
                    service: row.service,
                    server_url: row.server_url,
                    page_url: row.page_url,
                    resolution: row.resolution.and_then(|stored| stored.parse().ok()),
                    is_test: row.is_test,
                    used_by: row.who.parse().unwrap_or(UsedBy::Unknown),
                    channels: row.channels,
                    people: row.people,
                    group_id: row.group_id,
                    zoom_users: row.zoom_users,
                    default_in: row.default_in,
                },
                key_set_at: row.key_set_at,
                key_set_by: row.key_set_by,
                changed_by: row.changed_by,
                version: row.version,
                carries: began.map(|((meeting, channel), began_at)| Carried {
                    meeting,
                    topic: row.topic,
                    channel,
                    is_public: row.is_public.unwrap_or_default(),
                    began_at,
                }),
                used: row.used,
            }
        })
        .collect())
}

/// Whether a workspace has destinations.
pub async fn has_some(db: impl PgExecutor<'_>, team: &TeamId) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (select from destination where team_id = $1) as "has!""#,
        team.as_str(),
    )
    .fetch_one(db)
    .await
}

/// Whether the livestreams of a channel go to a destination where nothing else is typed.
pub async fn has_default(
    db: impl PgExecutor<'_>,
    team: &TeamId,
    channel: &ChannelId,
) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (select from destination where team_id = $1 and $2 = any (default_in)) as "has!""#,
        team.as_str(),
        channel.as_str(),
    )
    .fetch_one(db)
    .await
}

/// Where the livestreams of a channel go, unless another place is named: what a start that is recorded
/// gets by `record_command.sql`.
pub async fn default_in(
    db: impl PgExecutor<'_>,
    team: &TeamId,
    channel: &ChannelId,
) -> sqlx::Result<Option<DestinationName>> {
    sqlx::query_scalar!(
        r#"select name as "name: DestinationName" from destination
        where team_id = $1 and $2 = any (default_in) order by name limit 1"#,
        team.as_str(),
        channel.as_str(),
    )
    .fetch_optional(db)
    .await
}

/// The destination of a workspace that has this name.
pub async fn find(
    db: impl PgExecutor<'_>,
    team: &TeamId,
    name: &DestinationName,
) -> sqlx::Result<Option<Destination>> {
    Ok(list(db, team, Some(name)).await?.pop())
}

/// What a destination is called, if only rehearsals go there.
pub async fn name_of_test(
    db: impl PgExecutor<'_>,
    id: DestinationId,
) -> sqlx::Result<Option<DestinationName>> {
    sqlx::query_scalar!(
        r#"select name as "name: DestinationName" from destination where destination_id = $1 and is_test"#,
        id.0,
    )
    .fetch_optional(db)
    .await
}

/// What Zoom is told of a destination.
#[derive(Debug)]
pub struct Target {
    pub server_url: String,
    /// Sealed.
    pub stream_key: Vec<u8>,
    pub page_url: String,
    pub resolution: Option<String>,
}

/// What Zoom is told of a destination, unless it has been deleted.
pub async fn target(db: impl PgExecutor<'_>, id: DestinationId) -> sqlx::Result<Option<Target>> {
    sqlx::query_as!(
        Target,
        "select server_url, stream_key, page_url, resolution from destination where destination_id = $1",
        id.0,
    )
    .fetch_optional(db)
    .await
}

/// The sealed keys of a workspace's destinations, with the servers they belong to.
pub async fn keys(
    db: impl PgExecutor<'_>,
    team: &TeamId,
) -> sqlx::Result<Vec<(DestinationId, DestinationName, Target)>> {
    let rows = sqlx::query!(
        r#"
        select destination_id as "destination_id: DestinationId", name as "name: DestinationName", server_url,
            stream_key, page_url, resolution
        from destination where team_id = $1
        "#,
        team.as_str(),
    );
    let rows = rows.fetch_all(db).await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let target = Target {
                server_url: row.server_url,
                stream_key: row.stream_key,
                page_url: row.page_url,
                resolution: row.resolution,
            };
            (row.destination_id, row.name, target)
        })
        .collect())
}

/// Keeps others from changing a workspace's destinations until the transaction ends.
pub async fn lock(db: impl PgExecutor<'_>, team: &TeamId) -> sqlx::Result<()> {
    sqlx::query!(
        r#"select pg_advisory_xact_lock(hashtextextended('destinations of ' || $1, 0))::text as "locked""#,
        team.as_str(),
    )
    .fetch_one(db)
    .await
    .map(drop)
}

/// What became of an attempt to store a destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    Done(DestinationId),
    /// Another one of the workspace has its name.
    NameTaken,
    /// Somebody has changed or deleted it since.
    Stale,
}

/// Adds a destination of an admin's workspace, without a key: in the same transaction, [`set_key`].
pub async fn insert(db: &mut PgConnection, admin: &Asker, fields: &Fields) -> sqlx::Result<Stored> {
    let id = sqlx::query_scalar!(
        r#"
        insert into destination
            (enterprise_id, team_id, name, service, server_url, stream_key, key_set_by, page_url, resolution, is_test,
            who, channels, people, group_id, zoom_users, default_in, changed_by)
        values ($1, $2, $3, $4, $5, '', $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $6)
        on conflict (team_id, name) do nothing
        returning destination_id as "id: DestinationId"
        "#,
        admin.enterprise(),
        admin.team.as_str(),
        fields.name.as_str(),
        fields.service,
        fields.server_url,
        admin.user.as_str(),
        fields.page_url,
        fields.resolution.map(Resolution::as_str),
        fields.is_test,
        fields.used_by.as_str(),
        &fields.channels,
        &fields.people,
        fields.group_id,
        &fields.zoom_users,
        &fields.default_in,
    );
    Ok(id
        .fetch_optional(db)
        .await?
        .map_or(Stored::NameTaken, Stored::Done))
}

/// Changes a destination of an admin's workspace in place of the version that the change was made
/// from; its key stays.
pub async fn update(
    db: &mut PgConnection,
    admin: &Asker,
    id: DestinationId,
    version: i64,
    fields: &Fields,
) -> sqlx::Result<Stored> {
    let changed = sqlx::query!(
        "update destination set name = $4, service = $5, server_url = $6, page_url = $7, resolution = $8, is_test = $9,
            who = $10, channels = $11, people = $12, group_id = $13, zoom_users = $14, default_in = $15,
            changed_by = $16, version = version + 1
        where destination_id = $1 and team_id = $2 and version = $3",
        id.0,
        admin.team.as_str(),
        version,
        fields.name.as_str(),
        fields.service,
        fields.server_url,
        fields.page_url,
        fields.resolution.map(Resolution::as_str),
        fields.is_test,
        fields.used_by.as_str(),
        &fields.channels,
        &fields.people,
        fields.group_id,
        &fields.zoom_users,
        &fields.default_in,
        admin.user.as_str(),
    );
    match changed.execute(db).await {
        Ok(done) if done.rows_affected() == 1 => Ok(Stored::Done(id)),
        Ok(_) => Ok(Stored::Stale),
        Err(error) if violates(&error, "destination_name_key") => Ok(Stored::NameTaken),
        Err(error) => Err(error),
    }
}

/// Sets the key of a destination, sealed, from the next start on.
pub async fn set_key(
    db: &mut PgConnection,
    id: DestinationId,
    by: &SlackUserId,
    sealed: &[u8],
) -> sqlx::Result<()> {
    sqlx::query!(
        "update destination set stream_key = $2, key_set_at = now(), key_set_by = $3 where destination_id = $1",
        id.0,
        sealed,
        by.as_str(),
    )
    .execute(db)
    .await
    .map(drop)
}

/// Deletes a destination of a workspace with its key, unless a stream goes there; in a transaction.
/// Returns its name.
pub async fn delete(
    db: &mut PgConnection,
    team: &TeamId,
    id: DestinationId,
) -> sqlx::Result<Option<DestinationName>> {
    // A stream that begins at this moment is waited for, and then seen.
    sqlx::query!(
        "select destination_id from destination where destination_id = $1 for update",
        id.0
    )
    .fetch_optional(&mut *db)
    .await?;
    sqlx::query_scalar!(
        r#"
        delete from destination where destination_id = $1 and team_id = $2 and not exists (
            select from stream where stream.destination_id = $1 and closed_at is null
        )
        returning name as "name: DestinationName"
        "#,
        id.0,
        team.as_str(),
    )
    .fetch_optional(db)
    .await
}

/// A key that was sealed with another key than the first.
#[derive(Debug)]
pub struct SealedKey {
    pub destination_id: DestinationId,
    pub stream_key: Vec<u8>,
}

/// The next destinations after this one whose keys were sealed with another key than that whose
/// values have this prefix.
pub async fn sealed_with_other_key(
    db: impl PgExecutor<'_>,
    prefix: &[u8],
    after: DestinationId,
) -> sqlx::Result<Vec<SealedKey>> {
    sqlx::query_as!(
        SealedKey,
        r#"
        select destination_id as "destination_id: DestinationId", stream_key from destination
        where substr(stream_key, 1, length($1::bytea)) <> $1 and destination_id > $2
        order by destination_id limit 500
        "#,
        prefix,
        after.0,
    )
    .fetch_all(db)
    .await
}

/// Stores the same key, sealed again, unless it was replaced meanwhile.
pub async fn reseal(db: impl PgExecutor<'_>, old: &SealedKey, sealed: &[u8]) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update destination set stream_key = $3 where destination_id = $1 and stream_key = $2",
        old.destination_id.0,
        old.stream_key,
        sealed,
    );
    Ok(done.execute(db).await?.rows_affected() == 1)
}
