//! The database: whether it can be used, and what stands in it.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use chrono::Utc;
use secrecy::ExposeSecret;
use sqlx::PgPool;
use sqlx::postgres::PgConnectOptions;

use super::report::{Area, Report, counted, shown};
use crate::account::keys::{self, KeyState};
use crate::config::{DatabaseConfig, DatabaseUrl};
use crate::crypto::vault::Vault;
use crate::db::condition::{self, Heard, Links};
use crate::db::schema::{self, SchemaError, Standing};
use crate::db::{self, FewSessions, jobs, readiness, vendor_requests};
use crate::doctor::requests;
use crate::postgres::{self, Durability, Server};
use crate::zoom::scopes::{self, lacks_livestream_scope};

/// The oldest version that is used.
const OLDEST_VERSION: i32 = 130_000;
/// By how much two clocks may differ: signatures are good for five minutes.
pub(super) const SKEW_MAX: Duration = Duration::from_secs(30);
/// How long a job may be due.
pub(super) const DUE_FOR: Duration = Duration::from_mins(1);
/// Without a write for so long no replica serves, or none can write.
const WRITTEN_WITHIN: Duration = Duration::from_secs(15);
/// How long a command may be without an outcome, in seconds: later it is not carried out.
const UNFINISHED_MAX: f64 = 600.0;

/// Within what time Zoom reports a livestream that it has begun: usually seconds.
const REPORTED_WITHIN: Duration = Duration::from_mins(10);

/// A database that can be used.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) db: PgPool,
    _server: Option<Server>,
}

/// Opens the database, without making one.
pub(super) async fn open(
    config: Option<&DatabaseConfig>,
    program: &Path,
    report: &mut Report,
) -> Option<Found> {
    let (options, server) = match config? {
        DatabaseConfig::Url(DatabaseUrl { url, ignored }) => {
            if !ignored.is_empty() {
                report.warning(
                    Area::Database,
                    format!(
                        "DATABASE_URL has parameters that are not used: {}; leave them out",
                        ignored.join(", ")
                    ),
                );
            }
            (url.expose_secret().parse::<PgConnectOptions>().ok()?, None)
        }
        DatabaseConfig::Private(data_dir) if !postgres::has_cluster(data_dir) => {
            report.not_known(Area::Database, no_private_database(data_dir));
            return None;
        }
        DatabaseConfig::Private(data_dir) => {
            match Server::start(program, data_dir, Durability::Durable).await {
                // That of the playground may be all there is.
                Ok(server) if matches!(server.has_database("livestream").await, Ok(false)) => {
                    report.not_known(Area::Database, no_private_database(data_dir));
                    return None;
                }
                Ok(server) => (server.options("livestream"), Some(server)),
                Err(error) => {
                    report.problem(
                        Area::Database,
                        format!("the private PostgreSQL server does not start: {error:#}"),
                    );
                    return None;
                }
            }
        }
    };
    match db::reach(&options).await {
        Ok(few) => {
            report.good(Area::Database, used(&options, server.as_ref()));
            for FewSessions {
                limit,
                needed,
                way_out,
            } in few
            {
                report.warning(
                    Area::Database,
                    format!(
                        "{limit} connections are allowed, and one replica opens up to {needed}, so statements wait for one \
                         and may fail; raise the limit ({way_out})"
                    ),
                );
            }
            Some(Found {
                db: db::request_pool(options),
                _server: server,
            })
        }
        Err(error) => {
            report.problem(Area::Database, format!("DATABASE_URL: {error}"));
            None
        }
    }
}

fn no_private_database(data_dir: &Path) -> String {
    format!(
        "DATABASE_URL is not set, and there is no database in {} yet; livestream-bot serve makes one",
        data_dir.display()
    )
}

/// Which database it is.
fn used(options: &PgConnectOptions, server: Option<&Server>) -> String {
    let role = options.get_username();
    match server {
        Some(server) => format!(
            "the private database in {} is used, because DATABASE_URL is not set",
            server.data_dir().display()
        ),
        None => format!(
            "the database {} at {} is used, as the role {role}",
            options.get_database().unwrap_or(role),
            db::place(options)
        ),
    }
}

/// Looks at the tables and at what stands in them, as far as they can be read.
pub(super) async fn examine(
    db: &PgPool,
    vault: Option<&Vault>,
    has_events: bool,
    report: &mut Report,
) {
    if let Err(error) = examine_server(db, report).await {
        return failed(Area::Database, &error, db, report);
    }
    if !examine_tables(db, report).await {
        return;
    }
    try_to_write(db, report).await;
    match vault {
        Some(vault) => match keys::in_use(db, vault).await {
            Ok(uses) if uses.is_empty() => {
                report.good(Area::Keys, "nothing is sealed yet");
            }
            Ok(uses) => {
                for key in &uses {
                    match key.state {
                        KeyState::Opens { is_first: true } => {
                            report.good(Area::Keys, key.to_string());
                        }
                        KeyState::Opens { is_first: false }
                        | KeyState::OpensInPart
                        | KeyState::Lost => {
                            report.warning(Area::Keys, key.to_string());
                        }
                        KeyState::Missing | KeyState::Wrong => {
                            report.problem(Area::Keys, format!("TOKEN_KEYS: {key}"));
                        }
                    }
                }
            }
            Err(error) => failed(Area::Keys, &error, db, report),
        },
        None => report.not_known(Area::Keys, "not tried, because TOKEN_KEYS cannot be used"),
    }
    if let Err(error) = examine_replicas(db, report).await {
        failed(Area::Queue, &error, db, report);
    }
    if let Err(error) = examine_queue(db, report).await {
        failed(Area::Queue, &error, db, report);
    }
    if let Err(error) = examine_links(db, report).await {
        failed(Area::Links, &error, db, report);
    }
    if has_events && let Err(error) = examine_reports(db, report).await {
        failed(Area::Zoom, &error, db, report);
    }
    match vendor_requests::last(db).await {
        Ok(received) => requests::judge(&received, has_events, Utc::now(), report),
        Err(error) => failed(Area::Slack, &error, db, report),
    }
}

async fn examine_links(db: &PgPool, report: &mut Report) -> sqlx::Result<()> {
    let links = condition::links(db).await?;
    let mut lacking = BTreeMap::new();
    for (granted, count) in condition::scopes(db).await? {
        // That one is told by itself.
        if !lacks_livestream_scope(&granted) {
            for scope in scopes::lacking(&granted) {
                *lacking.entry(scope).or_insert(0) += count;
            }
        }
    }
    judge_links(&links, &lacking, report);
    Ok(())
}

/// Whether Zoom tells of livestreams.
async fn examine_reports(db: &PgPool, report: &mut Report) -> sqlx::Result<()> {
    judge_heard(&condition::heard(db, None).await?, report);
    let unreported = condition::unreported(db, REPORTED_WITHIN).await?;
    if unreported > 0 {
        report.warning(
            Area::Zoom,
            format!(
                "Zoom took the start of {} more than {} minutes ago, and has not reported that they are live; look at the \
                 event subscription in the Zoom app, and whether its requests are answered with 401",
                counted(unreported, "livestream"),
                REPORTED_WITHIN.as_secs() / 60
            ),
        );
    }
    Ok(())
}

/// Writes as replicas do, and takes it back, so that it counts as no replica's write.
async fn try_to_write(db: &PgPool, report: &mut Report) {
    let tried = async {
        let mut transaction = db.begin().await?;
        readiness::write(&mut transaction).await?;
        transaction.rollback().await
    };
    match tried.await {
        Ok(()) => report.good(Area::Database, "it takes writes"),
        Err(error) => report.problem(
            Area::Database,
            format!("it takes no writes: {}", db::why(&error, db)),
        ),
    }
}

/// What the database did not say. That others hold a lock keeps a service from it as well.
fn failed(area: Area, error: &sqlx::Error, db: &PgPool, report: &mut Report) {
    let text = format!("the database did not say: {}", db::why(error, db));
    if db::is_locked(error) {
        report.problem(area, text);
    } else {
        report.not_known(area, text);
    }
}

async fn examine_server(db: &PgPool, report: &mut Report) -> sqlx::Result<()> {
    let asked = Utc::now();
    let server = condition::server(db).await?;
    let answered = Utc::now();
    if server.version_number < OLDEST_VERSION {
        report.problem(
            Area::Database,
            format!(
                "it is PostgreSQL {}; use version 13 or later",
                server.version
            ),
        );
    } else {
        report.good(
            Area::Database,
            format!(
                "PostgreSQL {} answers, and is not read-only",
                server.version
            ),
        );
    }
    for (name, value, harm) in [
        (
            "autovacuum",
            &server.autovacuum,
            "the space of deleted rows is never used again",
        ),
        (
            "fsync",
            &server.fsync,
            "a crash of the machine may destroy the database",
        ),
    ] {
        if value != "on" {
            report.warning(
                Area::Database,
                format!("PostgreSQL's {name} is off: {harm}; switch it on in postgresql.conf"),
            );
        }
    }
    let middle = asked + (answered - asked) / 2;
    let skew = (server.now - middle).abs().to_std().unwrap_or_default();
    if skew > SKEW_MAX {
        report.warning(
            Area::Database,
            format!(
                "the clocks of PostgreSQL and of this machine differ by {} s; have both set by NTP",
                skew.as_secs()
            ),
        );
    }
    Ok(())
}

/// Whether the tables can be read.
async fn examine_tables(db: &PgPool, report: &mut Report) -> bool {
    let role = db.connect_options().get_username().to_owned();
    match schema::standing(db).await {
        Ok(Standing::Current) => {
            report.good(Area::Database, "the tables are those of this version");
        }
        Ok(Standing::Newer { version }) => report.warning(
            Area::Database,
            format!(
                "a newer version of this program has changed the tables (migration {version}), which this one can use \
                 too; run the newer one"
            ),
        ),
        Ok(Standing::Behind { count }) => {
            report.problem(
                Area::Database,
                format!(
                    "the tables are of an older version, {} behind; run livestream-bot migrate, or serve",
                    counted(count, "migration")
                ),
            );
            return false;
        }
        Ok(Standing::Empty) if matches!(schema::may_create(db).await, Ok(false)) => {
            let database = db.connect_options();
            let database = database.get_database().unwrap_or(&role);
            report.problem(
                Area::Database,
                format!(
                    "the database has no tables yet, and the role {role} may not create them; make it the owner with \
                     `alter database {} owner to {}`, or run livestream-bot migrate --grant-to {role} as the owner",
                    db::quoted(database),
                    db::quoted(&role)
                ),
            );
            return false;
        }
        Ok(Standing::Empty) => {
            report.not_known(
                Area::Database,
                "the database has no tables yet; livestream-bot migrate, or serve, makes them",
            );
            return false;
        }
        Err(SchemaError::Denied(_) | SchemaError::MayNotCreate(_)) => {
            report.problem(
                Area::Database,
                format!(
                    "the role {role} may not read which version the tables have; run livestream-bot migrate --grant-to {role} \
                     as the role that owns the tables"
                ),
            );
            return false;
        }
        Err(error) => {
            report.problem(Area::Database, error.to_string());
            return false;
        }
    }
    match db::privileges::missing(db).await {
        Ok(missing) if missing.is_empty() => {
            report.good(
                Area::Database,
                format!("the role {role} has all rights it needs"),
            );
            true
        }
        Ok(missing) => {
            report.problem(
                Area::Database,
                format!(
                    "the role {role} lacks {}; run livestream-bot migrate --grant-to {role} as the role that owns the tables",
                    missing.join(", ")
                ),
            );
            false
        }
        Err(error) => {
            failed(Area::Database, &error, db, report);
            false
        }
    }
}

async fn examine_replicas(db: &PgPool, report: &mut Report) -> sqlx::Result<()> {
    match condition::last_write(db).await? {
        Some(since) if since < WRITTEN_WITHIN => report.good(
            Area::Queue,
            format!("a replica serves: it wrote {} s ago", since.as_secs()),
        ),
        Some(since) => report.warning(
            Area::Queue,
            format!(
                "no replica has written for {} s, and each does every 2 s; start livestream-bot serve, or look at its log",
                since.as_secs()
            ),
        ),
        None => report.warning(
            Area::Queue,
            "no replica has written yet; start livestream-bot serve",
        ),
    }
    let failed = condition::failed_jobs(db).await?;
    if !failed.is_empty() {
        let names: Vec<_> = failed
            .iter()
            .map(|(name, count)| format!("{count} of {name}"))
            .collect();
        report.warning(
            Area::Queue,
            format!(
                "jobs failed for the last time: {}; the log says why, search it for the name",
                names.join(", ")
            ),
        );
    }
    Ok(())
}

/// What waits, and for how long.
async fn examine_queue(db: &PgPool, report: &mut Report) -> sqlx::Result<()> {
    let depth = jobs::depth(db).await?;
    if jobs::are_overdue(db, DUE_FOR).await? {
        report.problem(
            Area::Queue,
            "jobs have been due for more than a minute and are not taken; look whether a replica serves and what its log \
             says, or add one",
        );
    }
    if depth.oldest > UNFINISHED_MAX {
        report.problem(
            Area::Queue,
            format!(
                "{} without an outcome, the oldest for {:.0} min; look whether a replica serves and what its log says",
                counted(depth.unfinished, "command"),
                depth.oldest / 60.0
            ),
        );
    } else {
        report.good(
            Area::Queue,
            format!("{} under way", counted(depth.unfinished, "command")),
        );
    }
    Ok(())
}

fn judge_links(links: &Links, lacking: &BTreeMap<&str, i64>, report: &mut Report) {
    if links.all == 0 {
        report.not_known(
            Area::Links,
            "no Zoom account is linked yet; people type connect",
        );
        return;
    }
    let before = report.findings.len();
    for (count, what) in [
        (
            links.dead,
            "Zoom no longer accepts the link of {}; their people type connect",
        ),
        (
            links.refused,
            "Zoom refuses to renew the tokens of {}, for a reason that is not the link's; see the accounts on \
             the admin pages, which tell what Zoom said, and the checks of Zoom below",
        ),
        (
            links.unopened,
            "the tokens of {} do not open with TOKEN_KEYS; set the key that sealed them again, or have their people type \
             connect",
        ),
        (
            links.lacking,
            "the scope for livestreams is missing in the links of {}; add meeting:update:livestream_status to the Zoom \
             app, then their people type connect",
        ),
        (
            links.unfit,
            "Zoom's plan or settings do not let {} livestream; the admin pages say which and why",
        ),
        (
            links.idle,
            "nobody used the links of {} for 75 days, and Zoom ends them after about 90; use or test them",
        ),
    ] {
        if count > 0 {
            report.warning(Area::Links, what.replace("{}", &counted(count, "account")));
        }
    }
    if !lacking.is_empty() {
        let lacking: Vec<_> = lacking
            .iter()
            .map(|(scope, count)| format!("{scope} ({count})"))
            .collect();
        report.warning(
            Area::Links,
            format!(
                "links lack scopes for more than starting and stopping: {}; add them to the Zoom app, then their people type \
                 connect",
                lacking.join(", ")
            ),
        );
    }
    if report.findings.len() == before {
        report.good(
            Area::Links,
            format!(
                "{} linked, none known to fail",
                counted(links.all, "account")
            ),
        );
    }
}

fn judge_heard(heard: &[Heard], report: &mut Report) {
    let now = Utc::now();
    let cure = "save the event subscription in the Zoom app again, for all users, and link again";
    for account in heard {
        let Heard {
            zoom_account,
            users,
            at,
            ..
        } = account;
        let of = format!("Zoom account {zoom_account} ({users} linked)");
        match at {
            None => report.warning(
                Area::Zoom,
                format!("Zoom has never sent an event of {of}; if livestreams ran since it was linked, {cure}"),
            ),
            Some(_) if account.has_streamed && !account.is_heard_of_streams => report.warning(
                Area::Zoom,
                format!(
                    "Zoom sends events of {of}, but has never sent one of a livestream; add meeting.live_streaming_started \
                     and meeting.live_streaming_stopped to the event subscription, and have links renewed that lack \
                     meeting:read:livestream"
                ),
            ),
            Some(at) if !account.is_recent() => report.warning(
                Area::Zoom,
                format!(
                    "Zoom sent the last event of {of} {} days ago; if meetings ran since, {cure}",
                    (now - *at).num_days()
                ),
            ),
            Some(at) => report.good(
                Area::Zoom,
                format!(
                    "Zoom sent the last event of {of} at {}",
                    shown(*at)
                ),
            ),
        }
    }
}
