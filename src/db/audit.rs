//! Everything that happened. Rows are only ever added; the database sees to that. What
//! becomes of commands is written by [`super::commands::finish`].

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::postgres::types::PgInterval;
use sqlx::{PgExecutor, QueryBuilder};

use crate::command::meeting::MeetingId;
use crate::ids::{Asker, ChannelId, SlackUserId, TeamId, Tenant, ZoomUserId};

/// What kind of thing happened. Of a finished command it is the action or `Refused`.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    sqlx::Type,
    strum::EnumString,
    strum::IntoStaticStr,
    strum::VariantArray,
)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum AuditKind {
    /// A start was carried out, or failed.
    Start,
    /// A stop was carried out, or failed.
    Stop,
    /// A command, a sign-in or an action was refused.
    Refused,
    /// A user linked a Zoom account.
    Linked,
    /// A user's link ended.
    Unlinked,
    /// A Zoom user removed the app at Zoom.
    Deauthorized,
    /// A user cancelled the linking of an account.
    LinkCancelled,
    /// Somebody else than the user it was made for opened a one-time link.
    LinkWrongUser,
    /// An admin tested a user's link.
    LinkTested,
    /// An admin changed the rules.
    RulesChanged,
    /// An admin named others as admins.
    AdminsNamed,
    /// An admin signed in.
    AdminSignedIn,
    /// An admin linked a Zoom account for the workspace.
    SharedAccountLinked,
    /// The sharing of a Zoom account ended.
    SharedAccountUnlinked,
    /// An admin changed who may use the shared account.
    SharedAccountUsersChanged,
    /// The app was installed.
    Installed,
    /// The app was uninstalled.
    Uninstalled,
    /// The tokens were sealed with another key.
    KeysRotated,
}

impl AuditKind {
    /// Every kind.
    pub const ALL: &'static [Self] = <Self as strum::VariantArray>::VARIANTS;

    /// As the database, the export and the filter of the activity name it.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// One thing that happened.
#[derive(Debug)]
pub struct Event<'a> {
    /// What kind of thing.
    pub kind: AuditKind,
    pub enterprise: Option<&'a str>,
    pub team: Option<&'a str>,
    pub user: Option<&'a SlackUserId>,
    /// The admin who did it to them.
    pub actor: Option<&'a SlackUserId>,
    pub zoom_user: Option<&'a ZoomUserId>,
    pub channel: Option<&'a ChannelId>,
    pub meeting: Option<MeetingId>,
    pub outcome: Option<&'a str>,
    pub detail: Option<&'a str>,
    pub has_failed: bool,
}

impl<'a> Event<'a> {
    /// Something of this kind, and nothing more about it.
    pub fn new(kind: AuditKind) -> Self {
        Self {
            kind,
            enterprise: None,
            team: None,
            user: None,
            actor: None,
            zoom_user: None,
            channel: None,
            meeting: None,
            outcome: None,
            detail: None,
            has_failed: false,
        }
    }

    /// Something that a user did, or that was done to them.
    pub fn of(asker: &'a Asker, kind: AuditKind) -> Self {
        Self {
            enterprise: asker.enterprise(),
            team: Some(asker.team.as_str()),
            user: Some(&asker.user),
            ..Self::new(kind)
        }
    }

    /// Something that happened to a tenant, by nobody we can name.
    pub fn at(tenant: &'a Tenant, kind: AuditKind) -> Self {
        let (enterprise, team) = tenant.ids();
        Self {
            enterprise,
            team,
            ..Self::new(kind)
        }
    }

    #[must_use]
    pub fn zoom(mut self, zoom_user: &'a ZoomUserId) -> Self {
        self.zoom_user = Some(zoom_user);
        self
    }

    #[must_use]
    pub fn detail(mut self, detail: &'a str) -> Self {
        self.detail = Some(detail);
        self
    }

    /// An admin did it.
    #[must_use]
    pub fn by(mut self, actor: Option<&'a SlackUserId>) -> Self {
        self.actor = actor;
        self
    }
}

pub async fn write(db: impl PgExecutor<'_>, event: &Event<'_>) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into audit (kind, enterprise_id, team_id, user_id, actor_id, account_id, channel_id, meeting_id,
            outcome, detail, has_failed)
        values ($1, $2, $3, $4, $5, (select account_id from zoom_account where zoom_user_id = $6), $7, $8, $9, $10, $11)",
        event.kind.as_str(),
        event.enterprise,
        event.team,
        event.user.map(SlackUserId::as_str),
        event.actor.map(SlackUserId::as_str),
        event.zoom_user.map(ZoomUserId::as_str),
        event.channel.map(ChannelId::as_str),
        event.meeting.map(MeetingId::get),
        event.outcome,
        event.detail,
        event.has_failed,
    )
    .execute(db)
    .await
    .map(drop)
}

/// Removes what is older than this, a thousand rows at a time; the database keeps 30 days
/// at least. Returns how many rows it was.
pub async fn delete_expired(db: impl PgExecutor<'_>, keep: TimeDelta) -> sqlx::Result<u64> {
    let keep = PgInterval::try_from(keep).map_err(sqlx::Error::Encode)?;
    let done = sqlx::query!(
        "delete from audit where audit_id in (
            select audit_id from audit where happened_at < now() - greatest($1, interval '30 days 1 hour')
            order by happened_at limit 1000
        )",
        keep,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}

/// Something that happened, as admins read it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Entry {
    pub audit_id: i64,
    pub happened_at: DateTime<Utc>,
    pub kind: AuditKind,
    pub user_id: Option<String>,
    pub slack_name: Option<String>,
    pub actor_id: Option<String>,
    pub email: Option<String>,
    pub channel_id: Option<String>,
    pub meeting_id: Option<i64>,
    pub command_id: Option<i64>,
    pub outcome: Option<String>,
    pub zoom_code: Option<i64>,
    /// Seconds from the command to its outcome.
    pub duration: Option<f64>,
    pub detail: Option<String>,
}

/// Which entries are wanted.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub kind: Option<AuditKind>,
    pub user: Option<String>,
    pub meeting: Option<i64>,
    pub failed_only: bool,
}

/// Of one workspace, the newest first, from before `before`. The statement names only the
/// filters that are set, so that each has its index.
pub async fn entries(
    db: impl PgExecutor<'_>,
    team: &TeamId,
    filter: &Filter,
    before: i64,
    count: i64,
) -> sqlx::Result<Vec<Entry>> {
    let mut query = QueryBuilder::new(
        "select audit_id, happened_at, kind, audit.user_id, slack_name, actor_id, email, channel_id, meeting_id,
            command_id, outcome, zoom_code, extract(epoch from duration)::float8 as duration, detail
        from audit
        left join zoom_account using (account_id)
        left join zoom_link on zoom_link.team_id = audit.team_id and zoom_link.user_id = audit.user_id
        where audit.team_id = ",
    );
    query.push_bind(team.as_str());
    query.push(" and audit_id < ").push_bind(before);
    if let Some(kind) = filter.kind {
        query.push(" and kind = ").push_bind(kind.as_str());
    }
    if let Some(user) = &filter.user {
        query.push(" and audit.user_id = ").push_bind(user);
    }
    if let Some(meeting) = filter.meeting {
        query.push(" and meeting_id = ").push_bind(meeting);
    }
    if filter.failed_only {
        query.push(" and has_failed");
    }
    query
        .push(" order by audit_id desc limit ")
        .push_bind(count);
    query.build_query_as().persistent(false).fetch_all(db).await
}

/// Notes in every workspace's audit that its tokens were sealed with another key.
pub async fn keys_rotated(db: impl PgExecutor<'_>, detail: &str) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into audit (kind, enterprise_id, team_id, detail)
        select distinct on (team_id) $1, enterprise_id, team_id, $2 from zoom_link",
        AuditKind::KeysRotated.as_str(),
        detail,
    )
    .execute(db)
    .await
    .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::request::Action;

    /// [`super::super::commands::finish`] takes the one for the other.
    #[test]
    fn a_commands_action_is_the_kind_of_its_entry() {
        assert_eq!(AuditKind::Start.as_str(), Action::Start.as_str());
        assert_eq!(AuditKind::Stop.as_str(), Action::Stop.as_str());
    }
}
