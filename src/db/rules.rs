//! What a workspace's admins allow.

use serde::{Deserialize, Deserializer};
use sqlx::PgExecutor;
use sqlx::types::Json;

use crate::ids::{Asker, SlackUserId, TeamId};

/// Who may run commands.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, strum::EnumString, strum::IntoStaticStr,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Who {
    /// Everybody linked.
    #[default]
    Linked,
    Named,
    Group,
    /// Another version stored what cannot be read here; nobody may.
    #[serde(other)]
    Unknown,
}

/// Where they may.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, strum::EnumString, strum::IntoStaticStr,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum ChannelPolicy {
    #[default]
    Anywhere,
    Only,
    Except,
    /// Another version stored what cannot be read here; nobody may.
    #[serde(other)]
    Unknown,
}

/// A workspace's rules; the default is that of a workspace that has none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Rules {
    pub who: Who,
    pub people: Vec<String>,
    pub group_id: Option<String>,
    pub channel_policy: ChannelPolicy,
    pub channels: Vec<String>,
    /// Ask before going live where more than so many people read.
    pub confirm_over: Option<i32>,
    pub confirm_shared: bool,
    pub guests_allowed: bool,
    /// Who changed them last; none if nobody has, or they were erased.
    #[serde(deserialize_with = "deserialize_changed_by")]
    pub changed_by: Option<SlackUserId>,
    pub version: i64,
}

impl Rules {
    /// Whether both allow the same, whoever set them.
    pub fn are_same(&self, other: &Self) -> bool {
        let without_history = |rules: &Self| Self {
            changed_by: None,
            version: 0,
            ..rules.clone()
        };
        without_history(self) == without_history(other)
    }
}

impl Who {
    /// As it is stored.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl ChannelPolicy {
    /// As it is stored.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

fn deserialize_changed_by<'de, D: Deserializer<'de>>(
    by: D,
) -> Result<Option<SlackUserId>, D::Error> {
    let by = Option::<SlackUserId>::deserialize(by)?;
    Ok(by.filter(|by| !by.is_erased()))
}

/// The rules of a workspace; the default ones if it has none.
pub async fn find(db: impl PgExecutor<'_>, team: &TeamId) -> sqlx::Result<Rules> {
    let rules = sqlx::query_scalar!(
        r#"select to_jsonb(rules) as "rules!: Json<Rules>" from rules where team_id = $1"#,
        team.as_str(),
    );
    let rules = rules.fetch_optional(db).await?;
    Ok(rules.map(|Json(rules)| rules).unwrap_or_default())
}

/// Stores the rules of an admin's workspace in place of the version they were made from. False if it is not there any more.
pub async fn store(db: impl PgExecutor<'_>, admin: &Asker, rules: &Rules) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "insert into rules (team_id, who, people, group_id, channel_policy, channels, confirm_over, confirm_shared,
            guests_allowed, changed_by, enterprise_id)
        select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $12
        where $11::bigint = 0 or exists (select from rules where team_id = $1)
        on conflict (team_id) do update set who = $2, people = $3, group_id = $4, channel_policy = $5, channels = $6,
            confirm_over = $7, confirm_shared = $8, guests_allowed = $9, changed_by = $10, enterprise_id = $12,
            version = rules.version + 1
        where rules.version = $11",
        admin.team.as_str(),
        rules.who.as_str(),
        &rules.people,
        rules.group_id,
        rules.channel_policy.as_str(),
        &rules.channels,
        rules.confirm_over,
        rules.confirm_shared,
        rules.guests_allowed,
        rules.changed_by.as_ref().map(SlackUserId::as_str),
        rules.version,
        admin.enterprise(),
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}
