//! Everything that happened. Rows are only ever added; the database sees to that. What
//! becomes of commands is written by [`super::commands::finish`].

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::postgres::PgRow;
use sqlx::{Encode, FromRow, PgConnection, PgExecutor, PgPool, Postgres, QueryBuilder, Row, Type};

use crate::command::meeting::MeetingId;
use crate::command::outcome::{CommandResult, Outcome};
use crate::command::request::LivestreamRequest;
use crate::db::{
    DELETED_AT_ONCE, STATEMENTS_PER_SWEEP, in_batches, interval, people, zoom_accounts,
};
use crate::ids::{Asker, ChannelId, SlackUserId, TeamId, Tenant, ZoomUserId};

/// How long an entry is kept at least. The database refuses to delete entries younger than 30
/// days; an hour more leaves room for clocks.
const KEPT_AT_LEAST: Duration = Duration::from_hours(30 * 24 + 1);

/// What kind of thing happened. Of a finished command it is the action or `Refused`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, strum::EnumString, strum::IntoStaticStr, strum::VariantArray,
)]
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
    /// An admin asked somebody to link their account, or Slack did not take that message.
    LinkAsked,
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
    /// An admin added a destination.
    DestinationAdded,
    /// An admin changed a destination, or replaced its key.
    DestinationChanged,
    /// An admin deleted a destination.
    DestinationDeleted,
    /// Somebody noted that a livestream is over.
    MarkedEnded,
    /// Zoom never confirmed that an unused permission is withdrawn.
    WithdrawalUnconfirmed,
}

impl AuditKind {
    /// Every kind.
    pub const ALL: &'static [Self] = <Self as strum::VariantArray>::VARIANTS;

    /// As the database, the export and the filter of the activity name it.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// How a message ended that Slack did not take.
pub const NOT_DELIVERED: &str = "not_delivered";

/// One thing that happened.
#[derive(Debug)]
pub struct Event<'a> {
    /// What kind of thing.
    pub kind: AuditKind,
    /// Where: an organisation, a workspace, or both.
    pub enterprise: Option<&'a str>,
    /// See `enterprise`.
    pub team: Option<&'a str>,
    /// Whom it is about.
    pub user: Option<&'a SlackUserId>,
    /// Who did it, if not the same person.
    pub actor: Option<&'a Asker>,
    /// Whom a list names that was changed.
    pub people: &'a [String],
    /// With which Zoom account.
    pub zoom_user: Option<&'a ZoomUserId>,
    /// In which channel.
    pub channel: Option<&'a ChannelId>,
    /// Of which meeting.
    pub meeting: Option<MeetingId>,
    /// How it ended.
    pub outcome: Option<&'a str>,
    /// More of it, in words; no secret, and no user id.
    pub detail: Option<&'a str>,
    /// Whether the user did not get what they wanted.
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
            people: &[],
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

    /// Something that happened to a tenant as a whole.
    pub fn at(tenant: &'a Tenant, kind: AuditKind) -> Self {
        let (enterprise, team) = tenant.ids();
        Self {
            enterprise,
            team,
            ..Self::new(kind)
        }
    }

    /// With this Zoom account.
    #[must_use]
    pub fn zoom(mut self, zoom_user: &'a ZoomUserId) -> Self {
        self.zoom_user = Some(zoom_user);
        self
    }

    /// More of it, in words.
    #[must_use]
    pub fn detail(mut self, detail: &'a str) -> Self {
        self.detail = Some(detail);
        self
    }

    /// Somebody else did it than the user it is about.
    #[must_use]
    pub fn by(mut self, actor: Option<&'a Asker>) -> Self {
        self.actor = actor;
        self
    }

    /// A list was changed that now names these people.
    #[must_use]
    pub fn people(mut self, people: &'a [String]) -> Self {
        self.people = people;
        self
    }
}

/// Adds an entry.
pub async fn write(db: impl PgExecutor<'_>, event: &Event<'_>) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into audit (kind, enterprise_id, team_id, person_id, actor_id, people, account_id, channel_id,
            meeting_id, outcome, detail, has_failed)
        values ($1, $2, $3, person_key($2, coalesce($3, $2), $4), person_key($5, $6, $7),
            -- In one order for all, so that no two transactions wait for each other.
            array(
                select person_key($2, coalesce($3, $2), listed)
                from (select distinct listed from unnest($8::text[]) as listed order by listed) as people
            ),
            -- Locked, so that the account is not deleted until this is committed.
            (select account_id from zoom_account where zoom_user_id = $9 for key share), $10, $11, $12, $13, $14)",
        event.kind.as_str(),
        event.enterprise,
        event.team,
        event.user.map(SlackUserId::as_str),
        event.actor.and_then(Asker::enterprise),
        event.actor.map(|actor| actor.team.as_str()),
        event.actor.map(|actor| actor.user.as_str()),
        event.people,
        event.zoom_user.map(ZoomUserId::as_str),
        // That one has a person's ID, and people are forgotten.
        event
            .channel
            .filter(|channel| !channel.is_with_app())
            .map(ChannelId::as_str),
        event.meeting.map(MeetingId::get),
        event.outcome,
        event.detail,
        event.has_failed,
    )
    .execute(db)
    .await
    .map(drop)
}

/// Deletes entries that are older than this, and whom only they referred to; the database keeps
/// 30 days at least. Returns how many entries it was.
pub async fn delete_expired(db: &PgPool, keep: Duration) -> sqlx::Result<u64> {
    let keep = keep.max(KEPT_AT_LEAST);
    in_batches(STATEMENTS_PER_SWEEP, async || {
        let mut transaction = db.begin().await?;
        let gone = sqlx::query!(
            r#"
            with gone as (
                delete from audit where audit_id = any(array(
                    select audit_id from audit where happened_at < now() - $1::interval
                    order by happened_at limit $2 for update skip locked
                ))
                returning account_id, person_id, actor_id, people
            )
            select count(*) as "count!",
                array(select account_id from gone where account_id is not null) as "accounts!",
                array(
                    select person_id from gone where person_id is not null
                    union select actor_id from gone where actor_id is not null
                    union select unnest(people) from gone
                ) as "people!"
            from gone
            "#,
            interval(keep),
            DELETED_AT_ONCE,
        );
        let gone = gone.fetch_one(&mut *transaction).await?;
        people::delete_unused(&mut transaction, &gone.people).await?;
        zoom_accounts::delete_unused(&mut transaction, &gone.accounts).await?;
        transaction.commit().await?;
        Ok(gone.count.unsigned_abs())
    })
    .await
}

/// A Slack user as an entry refers to them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Person {
    /// Somebody we know.
    Known {
        /// Their Slack id.
        id: String,
        /// Their name in Slack, while they are linked.
        name: Option<String>,
    },
    /// Somebody whose id was erased.
    Erased,
}

impl Person {
    /// Their Slack id, in words if it was erased.
    pub fn id(&self) -> &str {
        match self {
            Self::Known { id, .. } => id,
            Self::Erased => "someone who was erased",
        }
    }

    fn of(person_id: Option<i64>, user_id: Option<String>, name: Option<String>) -> Option<Self> {
        person_id.map(|_| match user_id {
            Some(id) => Self::Known { id, name },
            None => Self::Erased,
        })
    }
}

/// Something that happened, as admins read it.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its number; later entries have greater ones.
    pub audit_id: i64,
    /// When it happened.
    pub happened_at: DateTime<Utc>,
    /// What kind of thing happened: the name of an [`AuditKind`], or of one that only another
    /// version knows.
    pub kind: String,
    /// Whom it is about.
    pub person: Option<Person>,
    /// Who did it, if not the same person.
    pub actor: Option<Person>,
    /// The actor's workspace, if it is another.
    pub actor_team_id: Option<String>,
    /// Whom a list names that was changed.
    pub people: Vec<Person>,
    /// The Zoom account.
    pub email: Option<String>,
    /// The channel.
    pub channel_id: Option<String>,
    /// The meeting.
    pub meeting_id: Option<i64>,
    /// The command, as the channel's reference names it.
    pub command_id: Option<i64>,
    /// How it ended.
    pub outcome: Option<String>,
    /// Zoom's error code.
    pub zoom_code: Option<i64>,
    /// Seconds from the command to its outcome.
    pub duration: Option<f64>,
    /// More of it, in words.
    pub detail: Option<String>,
    /// Whether somebody did not get what they wanted.
    pub has_failed: bool,
    /// Its command, as long as that is kept.
    pub command: Option<EntryCommand>,
    /// The Slack ids of those whom the change of rules before this one listed, if it is one.
    pub people_before: Vec<String>,
}

/// The command of an entry.
#[derive(Debug, Clone)]
pub struct EntryCommand {
    /// What was asked for, if it can be read here.
    pub request: Option<LivestreamRequest>,
    pub result: Option<CommandResult>,
    /// How often Zoom was asked.
    pub attempts: i16,
    /// Everybody of the workspace may read in its channel.
    pub is_public: bool,
}

impl EntryCommand {
    fn of(row: &PgRow, meeting: Option<i64>) -> sqlx::Result<Option<Self>> {
        let (Some(attempts), Some(is_public)) =
            (row.try_get("attempts")?, row.try_get("is_public")?)
        else {
            return Ok(None);
        };
        let action: Option<String> = row.try_get("action")?;
        let settings: Option<serde_json::Value> = row.try_get("settings")?;
        let is_confirmed: Option<bool> = row.try_get("is_confirmed")?;
        let request = || {
            Some(LivestreamRequest {
                action: action?.parse().ok()?,
                meeting: MeetingId::from_number(meeting?)?,
                settings: serde_json::from_value(settings?).ok()?,
                is_confirmed: is_confirmed?,
            })
        };
        let result: Option<serde_json::Value> = row.try_get("result")?;
        Ok(Some(Self {
            request: request(),
            result: result.map(CommandResult::read),
            attempts,
            is_public,
        }))
    }
}

impl FromRow<'_, PgRow> for Entry {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let people: Vec<Option<String>> = row.try_get("people")?;
        let people_before: Vec<Option<String>> = row.try_get("people_before")?;
        let meeting_id = row.try_get("meeting_id")?;
        Ok(Self {
            audit_id: row.try_get("audit_id")?,
            happened_at: row.try_get("happened_at")?,
            kind: row.try_get("kind")?,
            person: Person::of(
                row.try_get("person_id")?,
                row.try_get("user_id")?,
                row.try_get("slack_name")?,
            ),
            actor: Person::of(
                row.try_get("actor_id")?,
                row.try_get("actor_user_id")?,
                row.try_get("actor_name")?,
            ),
            actor_team_id: row.try_get("actor_team_id")?,
            people: people
                .into_iter()
                .map(|id| id.map_or(Person::Erased, |id| Person::Known { id, name: None }))
                .collect(),
            email: row.try_get("email")?,
            channel_id: row.try_get("channel_id")?,
            meeting_id,
            command_id: row.try_get("command_id")?,
            outcome: row.try_get("outcome")?,
            zoom_code: row.try_get("zoom_code")?,
            duration: row.try_get("duration")?,
            detail: row.try_get("detail")?,
            has_failed: row.try_get("has_failed")?,
            command: EntryCommand::of(row, meeting_id)?,
            people_before: people_before.into_iter().flatten().collect(),
        })
    }
}

/// That an admin asked somebody to link their account.
#[derive(Debug)]
pub struct LastAsk {
    /// When somebody was asked last.
    pub at: DateTime<Utc>,
    /// The Slack id of the admin who did, unless it was erased.
    pub by: Option<String>,
    /// Why Slack did not take the message, if it did not.
    pub refusal: Option<String>,
}

/// When somebody was last asked to link their account, if they ever were.
pub async fn last_ask(
    db: impl PgExecutor<'_>,
    team: &TeamId,
    user: &SlackUserId,
) -> sqlx::Result<Option<LastAsk>> {
    sqlx::query_as!(
        LastAsk,
        r#"
        select happened_at as at, actor.user_id as "by?", case when has_failed then coalesce(detail, '') end as refusal
        from audit left join person as actor on actor.person_id = audit.actor_id
        where audit.team_id = $1 and kind = $3
            and audit.person_id = (select person_id from person where team_id = $1 and user_id = $2)
        order by audit_id desc limit 1
        "#,
        team.as_str(),
        user.as_str(),
        AuditKind::LinkAsked.as_str(),
    )
    .fetch_optional(db)
    .await
}

/// When Zoom last took what somebody asked for with this account, if it ever did.
pub async fn last_accepted(
    db: impl PgExecutor<'_>,
    team: &TeamId,
    user: &SlackUserId,
    zoom_user: &ZoomUserId,
) -> sqlx::Result<Option<DateTime<Utc>>> {
    sqlx::query_scalar!(
        "select happened_at from audit
        where team_id = $1 and outcome = $4
            and person_id = (select person_id from person where team_id = $1 and user_id = $2)
            and account_id = (select account_id from zoom_account where zoom_user_id = $3)
        order by audit_id desc limit 1",
        team.as_str(),
        user.as_str(),
        zoom_user.as_str(),
        Outcome::Accepted.name(),
    )
    .fetch_optional(db)
    .await
}

/// What admins look for together.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, strum::EnumString, strum::IntoStaticStr, strum::VariantArray,
)]
#[strum(serialize_all = "snake_case")]
pub enum Group {
    /// What was asked of livestreams, and what became of it.
    Shows,
    /// Links and sharing of Zoom accounts.
    Links,
    /// What the app is set to, and where it is installed.
    Settings,
    /// Who came to the admins' pages, and who may.
    Admin,
}

/// How a refused sign-in, or one that ended, stands in the audit; all other refusals are of commands.
pub const NOT_ADMIN: &str = "not_admin";

impl AuditKind {
    /// With which others admins look for it.
    pub fn group(self) -> Group {
        match self {
            // Of those, refused sign-ins are the admins'.
            Self::Refused | Self::Start | Self::Stop | Self::MarkedEnded => Group::Shows,
            Self::Linked
            | Self::Unlinked
            | Self::Deauthorized
            | Self::LinkCancelled
            | Self::LinkWrongUser
            | Self::LinkTested
            | Self::LinkAsked
            | Self::SharedAccountLinked
            | Self::SharedAccountUnlinked
            | Self::WithdrawalUnconfirmed => Group::Links,
            Self::RulesChanged
            | Self::SharedAccountUsersChanged
            | Self::Installed
            | Self::Uninstalled
            | Self::KeysRotated
            | Self::DestinationAdded
            | Self::DestinationChanged
            | Self::DestinationDeleted => Group::Settings,
            Self::AdminsNamed | Self::AdminSignedIn => Group::Admin,
        }
    }
}

impl Group {
    /// As addresses name it.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The kinds of its entries, as the database names them.
    fn kinds(self) -> Vec<&'static str> {
        let kinds = AuditKind::ALL.iter().filter(|kind| match kind {
            AuditKind::Refused => matches!(self, Self::Shows | Self::Admin),
            kind => kind.group() == self,
        });
        kinds.map(|kind| kind.as_str()).collect()
    }
}

/// Which entries are wanted: those that are all of this.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Of this kind.
    pub kind: Option<AuditKind>,
    /// Of the kinds of this group.
    pub group: Option<Group>,
    /// Those that name one of these people: keys of [`people`].
    pub people: Option<Vec<i64>>,
    /// Of one of these meetings.
    pub meetings: Option<Vec<i64>>,
    /// Of this channel.
    pub channel: Option<String>,
    /// With one of these outcomes.
    pub outcomes: Option<Vec<String>>,
    /// Those that failed.
    pub failed_only: bool,
    /// From this time on.
    pub from: Option<DateTime<Utc>>,
    /// Before this time.
    pub until: Option<DateTime<Utc>>,
}

/// Which part of the entries is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Position {
    /// The newest.
    Newest,
    /// Those before this one.
    Before(i64),
    /// Those after this one.
    After(i64),
}

/// A longer time than any transaction takes that writes an entry. An entry has the time at which its
/// transaction began, and its number later.
const WRITTEN_WITHIN: Duration = Duration::from_mins(10);

/// The entries of a span of time by their numbers, so that no index on both is needed.
async fn numbers(db: &mut PgConnection, filter: &Filter) -> sqlx::Result<(i64, i64)> {
    if filter.from.is_none() && filter.until.is_none() {
        return Ok((i64::MIN, i64::MAX));
    }
    let row = sqlx::query!(
        "select (
            select audit_id from audit where happened_at < $1::timestamptz - $3::interval order by happened_at desc limit 1
        ) as after, (
            select audit_id from audit where happened_at >= $2::timestamptz + $3::interval order by happened_at limit 1
        ) as before",
        filter.from,
        filter.until,
        interval(WRITTEN_WITHIN),
    );
    let row = row.fetch_one(db).await?;
    Ok((
        row.after.unwrap_or(i64::MIN),
        row.before.unwrap_or(i64::MAX),
    ))
}

/// Of one workspace, so many entries next to a position; the newest first.
pub async fn entries(
    db: &mut PgConnection,
    team: &TeamId,
    filter: &Filter,
    position: Position,
    count: i64,
) -> sqlx::Result<Vec<Entry>> {
    let numbers = numbers(&mut *db, filter).await?;
    let mut query = QueryBuilder::new(
        "select audit_id, happened_at, kind, audit.person_id, person.user_id, zoom_link.slack_name, actor_id,
            actor.user_id as actor_user_id, acting.slack_name as actor_name, nullif(actor.team_id, audit.team_id) as actor_team_id, array(
                select listed.user_id from unnest(people) with ordinality as key (person_id, number)
                    join person as listed using (person_id)
                order by number
            ) as people,
            email, audit.channel_id, audit.meeting_id, audit.command_id, audit.outcome, zoom_code,
            extract(epoch from duration)::float8 as duration, detail, has_failed,
            command.action, command.settings, command.is_confirmed, command.attempts, command.is_public,
            command.outcome as result, case when kind = '",
    );
    query
        .push(AuditKind::RulesChanged.as_str())
        .push("' then array(
                select listed.user_id from unnest((
                    select earlier.people from audit as earlier
                    where earlier.team_id = audit.team_id and earlier.kind = audit.kind and earlier.audit_id < audit.audit_id
                    order by earlier.audit_id desc limit 1
                )) as key (person_id) join person as listed using (person_id)
            ) else '{}' end as people_before
        from audit
        left join zoom_account using (account_id)
        left join person on person.person_id = audit.person_id
        left join person as actor on actor.person_id = audit.actor_id
        left join zoom_link on zoom_link.team_id = person.team_id and zoom_link.user_id = person.user_id
        left join zoom_link as acting on acting.team_id = actor.team_id and acting.user_id = actor.user_id
        left join command on command.command_id = audit.command_id
        where audit_id in (");
    let wanted = Wanted {
        team,
        filter,
        position,
        numbers,
        count,
    };
    wanted.push(&mut query);
    query.push(") order by audit_id desc");
    query.build_query_as().persistent(false).fetch_all(db).await
}

/// How many entries there are from a position on; no more than `most` are counted.
pub async fn count(
    db: &mut PgConnection,
    team: &TeamId,
    filter: &Filter,
    position: Position,
    most: i64,
) -> sqlx::Result<i64> {
    let wanted = Wanted {
        team,
        filter,
        position,
        numbers: numbers(&mut *db, filter).await?,
        count: most,
    };
    let mut query = QueryBuilder::new("select count(*) from (");
    wanted.push(&mut query);
    query.push(") as counted");
    let counted = query.build_query_scalar().persistent(false);
    counted.fetch_one(db).await
}

/// When an entry of a workspace was written.
pub async fn time_of(
    db: impl PgExecutor<'_>,
    team: &TeamId,
    id: i64,
) -> sqlx::Result<Option<DateTime<Utc>>> {
    sqlx::query_scalar!(
        "select happened_at from audit where audit_id = $1 and team_id = $2",
        id,
        team.as_str(),
    )
    .fetch_optional(db)
    .await
}

/// By what a part of a statement finds its entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Narrowed {
    Nothing,
    Person,
    Meeting,
    Kind,
}

/// So many entries of a workspace, by their numbers. The statement names only the filters that are
/// set, so that each has its index. Of each person, meeting or kind the entries next to the position
/// are taken from an index, and so many of them all; those that name somebody otherwise are few.
struct Wanted<'a> {
    team: &'a TeamId,
    filter: &'a Filter,
    position: Position,
    /// Those between these two numbers.
    numbers: (i64, i64),
    count: i64,
}

impl Wanted<'_> {
    fn push(&self, query: &mut QueryBuilder<Postgres>) {
        let Filter {
            people,
            meetings,
            group,
            ..
        } = self.filter;
        query.push("select audit_id from (");
        if let Some(people) = people {
            query
                .push("select nearest.audit_id from unnest(")
                .push_bind(people)
                .push("::bigint[]) as wanted (key), lateral (select audit_id from audit where audit.person_id = wanted.key");
            self.narrow(query, Narrowed::Person);
            self.limit(query);
            query.push(") as nearest");
            for names in [
                " union select audit_id from audit where actor_id = any(",
                " union select audit_id from audit where people <> '{}' and people && (",
            ] {
                query.push(names).push_bind(people).push("::bigint[])");
                self.narrow(query, Narrowed::Person);
            }
        } else if let Some(meetings) = meetings {
            self.push_each(query, "meeting_id", meetings, Narrowed::Meeting);
        } else if let Some(group) = group
            // The few that failed have an index of their own.
            && !self.filter.failed_only
        {
            self.push_each(query, "kind", &group.kinds(), Narrowed::Kind);
        } else {
            query.push("select audit_id from audit where true");
            self.narrow(query, Narrowed::Nothing);
        }
        query.push(") as wanted");
        self.limit(query);
    }

    /// So many entries of each of these keys: a part of the statement for each, since some keys are of
    /// most entries and others of none.
    fn push_each<T>(
        &self,
        query: &mut QueryBuilder<Postgres>,
        column: &str,
        keys: &[T],
        narrowed: Narrowed,
    ) where
        T: Copy + for<'q> Encode<'q, Postgres> + Type<Postgres> + Send + 'static,
    {
        if keys.is_empty() {
            query.push("select audit_id from audit where false");
        }
        for (index, key) in keys.iter().enumerate() {
            let all = if index == 0 { "" } else { " union all " };
            query
                .push(all)
                .push("(select audit_id from audit where ")
                .push(column)
                .push(" = ")
                .push_bind(*key);
            self.narrow(query, narrowed);
            self.limit(query);
            query.push(")");
        }
    }

    fn limit(&self, query: &mut QueryBuilder<Postgres>) {
        let order = match self.position {
            Position::Newest | Position::Before(_) => " order by audit_id desc limit ",
            Position::After(_) => " order by audit_id limit ",
        };
        query.push(order).push_bind(self.count);
    }

    /// Pushes all filters but the one by which a part of the statement is narrowed.
    fn narrow(&self, query: &mut QueryBuilder<Postgres>, narrowed: Narrowed) {
        let filter = self.filter;
        query.push(" and team_id = ").push_bind(self.team.as_str());
        let (mut after, mut before) = self.numbers;
        match self.position {
            Position::Newest => {}
            Position::Before(id) => before = before.min(id),
            Position::After(id) => after = after.max(id),
        }
        for (compares, number, is_bound) in [
            (" and audit_id > ", after, after > i64::MIN),
            (" and audit_id < ", before, before < i64::MAX),
        ] {
            if is_bound {
                query.push(compares).push_bind(number);
            }
        }
        for (compares, time) in [
            (" and happened_at >= ", filter.from),
            (" and happened_at < ", filter.until),
        ] {
            if let Some(time) = time {
                query.push(compares).push_bind(time);
            }
        }
        if let Some(kind) = filter.kind {
            query.push(" and kind = ").push_bind(kind.as_str());
        }
        if let Some(group) = filter.group {
            if narrowed != Narrowed::Kind {
                query
                    .push(" and kind = any(")
                    .push_bind(group.kinds())
                    .push(")");
            }
            let of_admins = match group {
                Group::Shows => " is distinct from ",
                Group::Admin => " is not distinct from ",
                Group::Links | Group::Settings => "",
            };
            if !of_admins.is_empty() {
                query
                    .push(" and (kind <> ")
                    .push_bind(AuditKind::Refused.as_str())
                    .push(" or outcome")
                    .push(of_admins)
                    .push_bind(NOT_ADMIN)
                    .push(")");
            }
        }
        if let Some(meetings) = &filter.meetings
            && narrowed != Narrowed::Meeting
        {
            query
                .push(" and meeting_id = any(")
                .push_bind(meetings)
                .push(")");
        }
        if let Some(channel) = &filter.channel {
            query.push(" and channel_id = ").push_bind(channel);
        }
        if let Some(outcomes) = &filter.outcomes {
            query
                .push(" and outcome = any(")
                .push_bind(outcomes)
                .push(")");
        }
        if filter.failed_only {
            query.push(" and has_failed");
        }
    }
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
