//! Our own tables' versions. The queue brings its own tables, in its own schema.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use sqlx::error::DatabaseError;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{FromRow, PgPool};

use super::pool::migration_pool;

/// How the name of a migration begins after which older versions of the program cannot run. All
/// others only add.
const BREAKING: &str = "breaking ";

/// How soon a table that another session keeps locked is tried to be changed again, and for how long.
const LOCK_PAUSE: Duration = Duration::from_secs(1);
const LOCKED_FOR: Duration = Duration::from_mins(1);

/// SQLSTATE of a privilege that is missing.
pub const DENIED: &str = "42501";
/// SQLSTATE of a missing schema: the role may use none of those that its `search_path` names.
const NO_SCHEMA: &str = "3F000";
/// SQLSTATE of a lock that was waited for too long.
pub(super) const LOCKED: &str = "55P03";

/// Why the database cannot be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    #[error(
        "the database was made by a development version of this program and cannot be brought up to date \
         ({0}); start with an empty one (private: move the folder .data away, DATABASE_URL: create a new database)"
    )]
    Development(MigrateError),
    #[error(
        "the database was changed by a newer version of this program (migration {version}) in a way that this \
         version cannot work with; run that version or a later one, or restore a backup from before"
    )]
    Newer { version: i64 },
    #[error(
        "another session keeps a table locked that has to change, or another replica is still at it \
         ({0}); end that session, or wait, and start again"
    )]
    Locked(MigrateError),
    #[error(
        "the database has the tables of another program, which counts its migrations in _sqlx_migrations too; \
         create a database for this one"
    )]
    Foreign,
    #[error(
        "no schema of the search_path ({0}) exists; correct it in DATABASE_URL, or for the role with \
         `alter role … set search_path = public`"
    )]
    NoSchema(String),
    /// The role may not make tables in this database, which has none yet.
    #[error(transparent)]
    MayNotCreate(MigrateError),
    /// The role may not change tables, or not read which versions they have.
    #[error(transparent)]
    Denied(MigrateError),
    #[error(transparent)]
    Other(MigrateError),
}

/// A migration as the database has it.
#[derive(FromRow)]
struct Applied {
    version: i64,
    description: String,
    success: bool,
    checksum: Vec<u8>,
}

/// Our migrations. Where the database has others too, a newer version of the program was there.
pub fn migrator() -> Migrator {
    let mut migrator = sqlx::migrate!();
    migrator.set_ignore_missing(true);
    migrator
}

/// Brings our tables up to date. Where they are, nothing is changed, and no right to change
/// anything is needed.
pub async fn migrate(db: &PgPool) -> Result<(), SchemaError> {
    let migrator = migrator();
    let applied = applied(db).await?;
    if let Some(newest) = newest_foreign(&migrator, &applied)? {
        tracing::warn!(
            migration = newest,
            "the database was brought up to date by a newer version of this program; this one can use it too"
        );
    }
    let applied: HashMap<_, _> = applied
        .iter()
        .map(|applied| (applied.version, &applied.checksum[..]))
        .collect();
    let is_current = migrator
        .iter()
        .all(|ours| applied.get(&ours.version) == Some(&&*ours.checksum));
    if is_current {
        return Ok(());
    }
    let is_new = applied.is_empty();
    let deadline = Instant::now() + LOCKED_FOR;
    loop {
        match run(&migrator, db).await.map_err(SchemaError::from) {
            Err(SchemaError::Locked(_)) if Instant::now() < deadline => {
                tokio::time::sleep(LOCK_PAUSE).await;
            }
            Err(SchemaError::Denied(error)) if is_new => {
                return Err(SchemaError::MayNotCreate(error));
            }
            done => return done,
        }
    }
}

/// In a session of its own, whose end gives up the lock under which migrations run.
async fn run(migrator: &Migrator, db: &PgPool) -> Result<(), MigrateError> {
    let session = migration_pool(db);
    let ran = migrator.run(&session).await;
    session.close().await;
    ran
}

/// How the database's tables stand to this program.
#[derive(Debug, PartialEq, Eq)]
pub enum Standing {
    Current,
    /// A newer version was there, which this one can work with.
    Newer {
        version: i64,
    },
    /// So many migrations are to come.
    Behind {
        count: usize,
    },
    /// The database has no tables yet.
    Empty,
}

/// How the database's tables stand to this program; fails as [`migrate`] would. Changes nothing.
pub async fn standing(db: &PgPool) -> Result<Standing, SchemaError> {
    let migrator = migrator();
    let applied = applied(db).await?;
    if applied.is_empty() {
        return Ok(Standing::Empty);
    }
    let newest = newest_foreign(&migrator, &applied)?;
    let mut count = 0;
    for ours in migrator.iter() {
        match applied
            .iter()
            .find(|applied| applied.version == ours.version)
        {
            None => count += 1,
            Some(applied) if applied.checksum[..] == *ours.checksum => {}
            Some(_) => return Err(MigrateError::VersionMismatch(ours.version).into()),
        }
    }
    Ok(match newest {
        _ if count > 0 => Standing::Behind { count },
        Some(version) => Standing::Newer { version },
        None => Standing::Current,
    })
}

/// The newest migration of a newer version of this program, if there is one. Fails where this
/// program cannot work with the tables.
fn newest_foreign(migrator: &Migrator, applied: &[Applied]) -> Result<Option<i64>, SchemaError> {
    let is_ours = |applied: &Applied| migrator.version_exists(applied.version);
    if !applied.is_empty() && !applied.iter().any(is_ours) {
        return Err(SchemaError::Foreign);
    }
    if let Some(broken) = applied.iter().find(|applied| !applied.success) {
        return Err(SchemaError::Other(MigrateError::Dirty(broken.version)));
    }
    let newer: Vec<_> = applied.iter().filter(|applied| !is_ours(applied)).collect();
    if let Some(breaking) = newer
        .iter()
        .find(|applied| applied.description.starts_with(BREAKING))
    {
        return Err(SchemaError::Newer {
            version: breaking.version,
        });
    }
    Ok(newer.last().map(|newest| newest.version))
}

/// Which PostgreSQL it is, and which migration is the newest that the database has.
pub async fn versions(db: &PgPool) -> sqlx::Result<(String, Option<i64>)> {
    sqlx::query_as(
        "select current_setting('server_version'), (select max(version) from _sqlx_migrations)",
    )
    .fetch_one(db)
    .await
}

/// The migrations that the database has, the newest last.
async fn applied(db: &PgPool) -> Result<Vec<Applied>, SchemaError> {
    let applied = async {
        let (is_new, nowhere): (bool, Option<String>) = sqlx::query_as(
            r#"
            select to_regclass('_sqlx_migrations') is null, (
                select setting from current_setting('search_path') setting
                where not exists (
                    select from unnest(string_to_array(setting, ',')) part
                    join pg_namespace on nspname = replace(btrim(part, ' "'), '$user', current_user)
                )
            )
            "#,
        )
        .fetch_one(db)
        .await?;
        if is_new {
            return Ok(Err(nowhere));
        }
        let applied = sqlx::query_as(
            "select version, description, success, checksum from _sqlx_migrations order by version",
        );
        applied.fetch_all(db).await.map(Ok)
    };
    match applied.await.map_err(MigrateError::from)? {
        Ok(applied) => Ok(applied),
        Err(None) => Ok(Vec::new()),
        Err(Some(search_path)) => Err(SchemaError::NoSchema(search_path)),
    }
}

/// Whether the role may make our tables and the queue's.
pub async fn may_create(db: &PgPool) -> sqlx::Result<bool> {
    sqlx::query_scalar(
        "select coalesce(has_schema_privilege(current_schema(), 'create'), false)
            and has_database_privilege(current_database(), 'create')",
    )
    .fetch_one(db)
    .await
}

impl From<MigrateError> for SchemaError {
    fn from(error: MigrateError) -> Self {
        let code = match &error {
            MigrateError::Execute(source) | MigrateError::ExecuteMigration(source, _) => {
                source.as_database_error().and_then(DatabaseError::code)
            }
            _ => None,
        };
        match (&error, code.as_deref()) {
            (MigrateError::VersionMismatch(_), _) => Self::Development(error),
            (_, Some(DENIED)) => Self::Denied(error),
            (_, Some(NO_SCHEMA)) => Self::MayNotCreate(error),
            (_, Some(LOCKED)) => Self::Locked(error),
            _ => Self::Other(error),
        }
    }
}
