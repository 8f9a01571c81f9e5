//! How long it takes to find a person's Zoom account, with few links and with many.
//!
//! `cargo bench --bench lookup` fills one database with ten thousand links and one with ten
//! million, on a durable PostgreSQL of its own. That takes some minutes and ten gigabytes. For
//! both it prints the query plans, and the time of the lookup and of the whole statement that
//! accepts a command: for people drawn from all, and for a few who return again and again.
#![expect(clippy::print_stdout, reason = "it prints what it measured")]

#[path = "../tests/support/executable.rs"]
mod executable;
#[path = "support/statement.rs"]
mod statement;

use std::time::{Duration, Instant};

use livestream_bot::postgres::{Durability, Server};
use livestream_bot::{db, serve};
use rand::RngExt;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, raw_sql};

use crate::executable::program;
use crate::statement::{STATEMENT, stop};

/// How many links the two databases have.
const LINKS: [u32; 2] = [10_000, 10_000_000];
/// How many people return again and again.
const REGULARS: u32 = 100;
const ROUNDS: usize = 10;
/// Measurements in each round.
const TIMES: usize = 200;
/// What is measured.
const WHAT: [&str; 4] = [
    "lookup, all people",
    "lookup, a few people",
    "whole statement, all people",
    "whole statement, a few people",
];
/// The time limit of a statement that fills a database.
const FILL_WITHIN: &str = "20min";

/// The part of the statement that finds the Zoom account.
const LOOKUP: &str = "
    select zoom_user_id
    from coalesce((
            select zoom_user_id from zoom_link
            where user_id = $2 and (team_id = $1 or enterprise_id = $3)
            order by team_id = $1 desc limit 1
        ), (
            select zoom_user_id from shared_account where team_id = $1 and $2 = any (people) and $4
        )) as account
        join zoom_grant on zoom_user_id = account
    where dead_at is null";

fn main() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(measure());
}

async fn measure() {
    let data_dir = tempfile::tempdir().expect("a temporary directory");
    let server = Server::start(program(), data_dir.path(), Durability::Durable).await;
    let server = server.expect("a PostgreSQL server");
    let mut databases = Vec::new();
    for links in LINKS {
        let started = Instant::now();
        databases.push(filled(&server, links).await);
        println!("{links} links, after {:.0?}", started.elapsed());
    }

    // In turn, so that a slow spell of the machine affects both.
    let mut times = [0; LINKS.len()].map(|_| [0; WHAT.len()].map(|_| Vec::new()));
    for _ in 0..ROUNDS {
        for (at, links) in LINKS.into_iter().enumerate() {
            let db = &mut databases[at];
            times[at][0].extend(look_up(db, links).await);
            times[at][1].extend(look_up(db, REGULARS).await);
            times[at][2].extend(accept(db, links).await);
            times[at][3].extend(accept(db, REGULARS).await);
            // Remove the rows that were rolled back.
            run(db, "vacuum").await;
        }
    }
    for (at, links) in LINKS.into_iter().enumerate() {
        println!("\nplans with {links} links");
        explain(&mut databases[at], links).await;
    }
    println!();
    let [few, many] = times.map(|of| of.map(median));
    for (at, what) in WHAT.into_iter().enumerate() {
        println!(
            "{what:32} p50 {:>7.0?} at {}, {:>7.0?} at {}, ratio {:.2}",
            few[at],
            LINKS[0],
            many[at],
            LINKS[1],
            many[at].as_secs_f64() / few[at].as_secs_f64()
        );
    }
    // The server must end before its data directory is removed.
    let options = server.options("postgres");
    drop((databases, server));
    let mut ticks = tokio::time::interval(Duration::from_millis(100));
    let ending = async {
        while options.connect().await.is_ok() {
            ticks.tick().await;
        }
    };
    let ended = tokio::time::timeout(Duration::from_mins(1), ending).await;
    ended.expect("a server that stops after its last user");
}

async fn filled(server: &Server, links: u32) -> PgConnection {
    let name = format!("links_{links}");
    server.create_database(&name).await.expect("a database");
    let pool = db::pool(server.options(&name));
    serve::migrate(&pool).await.expect("a migrated database");
    pool.close().await;
    let mut db = server.options(&name).connect().await.expect("a connection");
    fill(&mut db, links).await;
    db
}

async fn run(db: &mut PgConnection, sql: &str) {
    let ran = raw_sql(AssertSqlSafe(sql.to_owned())).execute(db).await;
    ran.expect("a successful statement");
}

/// Inserts links, with a thousand people in each workspace. Indexes are created afterwards.
async fn fill(db: &mut PgConnection, links: u32) {
    let indexes: Vec<(String, String)> = sqlx::query_as(
        "select indexname, indexdef from pg_indexes
        where tablename in ('zoom_link', 'zoom_grant') and indexname not like '%_pkey'",
    )
    .fetch_all(&mut *db)
    .await
    .expect("a list of indexes");
    let names: Vec<_> = indexes.iter().map(|(name, _)| name.as_str()).collect();
    let definitions: Vec<_> = indexes.iter().map(|(_, index)| index.as_str()).collect();
    let (names, definitions) = (names.join(", "), definitions.join(";\n"));
    let fill = format!(
        "
        set statement_timeout = '{FILL_WITHIN}';
        set maintenance_work_mem = '512MB';
        -- Triggers and foreign keys are not measured here.
        set session_replication_role = replica;
        drop index {names};
        insert into zoom_grant
            (zoom_user_id, zoom_account_id, email, scope, access_token, refresh_token, expires_at, refreshed_at)
        select 'z' || lpad(n::text, 8, '0'), 'acme', 'person' || n || '@acme.example', 'meeting:write user:read',
            decode(repeat('00', 100), 'hex'), decode(repeat('00', 100), 'hex'), now() + interval '1 hour', now()
        from generate_series(0, {links} - 1) as n;
        insert into zoom_link (team_id, user_id, zoom_user_id, slack_name, search, used_at, created_at)
        select 'T' || lpad((n / 1000)::text, 8, '0'), 'U' || lpad(n::text, 8, '0'), 'z' || lpad(n::text, 8, '0'),
            'Person ' || n, 'person ' || n, now() - n * interval '1 second', now() - n * interval '2 seconds'
        from generate_series(0, {links} - 1) as n;
        {definitions};
        set session_replication_role = origin;
        set statement_timeout = 0;"
    );
    run(db, &fill).await;
    run(db, "vacuum analyze").await;
    run(db, "checkpoint").await;
}

/// A random person among the first so many, and their workspace.
fn random_person(count: u32) -> (String, String) {
    let number = rand::rng().random_range(0..count);
    (format!("T{:08}", number / 1000), format!("U{number:08}"))
}

async fn look_up(db: &mut PgConnection, count: u32) -> Vec<Duration> {
    let mut times = Vec::new();
    for _ in 0..TIMES {
        let (team, user) = random_person(count);
        let started = Instant::now();
        let found: Option<String> = sqlx::query_scalar(LOOKUP)
            .bind(team)
            .bind(user)
            .bind(None::<String>)
            .bind(false)
            .fetch_optional(&mut *db)
            .await
            .expect("a row or none");
        times.push(started.elapsed());
        assert!(found.is_some(), "every person is linked");
    }
    times
}

/// Accepts commands, and rolls each back.
async fn accept(db: &mut PgConnection, count: u32) -> Vec<Duration> {
    let mut times = Vec::new();
    for _ in 0..TIMES {
        let (team, user) = random_person(count);
        let mut transaction = db.begin().await.expect("a transaction");
        let started = Instant::now();
        let accepted = stop("lookup".to_owned(), team, user, 600_000_000)
            .fetch_optional(&mut *transaction)
            .await
            .expect("a row or none");
        times.push(started.elapsed());
        assert!(accepted.is_some(), "every command is accepted");
        transaction.rollback().await.expect("a rollback");
    }
    times
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// Prints the plans of the prepared statements.
async fn explain(db: &mut PgConnection, count: u32) {
    let (team, user) = random_person(count);
    let mut transaction = db.begin().await.expect("a transaction");
    let prepare = format!(
        "set local plan_cache_mode = force_generic_plan;
        prepare lookup (text, text, text, boolean) as {LOOKUP};
        prepare accept (text, text, text, text, text, bigint, jsonb, bytea, text, smallint, boolean, boolean, text, bigint, bigint) as {STATEMENT}"
    );
    let prepared = raw_sql(AssertSqlSafe(prepare)).execute(&mut *transaction);
    prepared.await.expect("prepared statements");
    for (what, run) in [
        (
            "lookup",
            format!("lookup ('{team}', '{user}', null, false)"),
        ),
        (
            "whole statement",
            format!(
                "accept ('x', '{team}', '{user}', 'C0', 'stop', 600000000, '{{}}', '', null, 0::smallint, false, false, 'bare', 8, 400)"
            ),
        ),
    ] {
        let explain = format!("explain (analyze, costs off, buffers) execute {run}");
        let plan: Vec<String> = sqlx::query_scalar(AssertSqlSafe(explain))
            .persistent(false)
            .fetch_all(&mut *transaction)
            .await
            .expect("a plan");
        println!("{what}\n  {}", plan.join("\n  "));
    }
    let deallocated = raw_sql("deallocate lookup; deallocate accept").execute(&mut *transaction);
    deallocated.await.expect("deallocated statements");
    transaction.rollback().await.expect("a rollback");
}
