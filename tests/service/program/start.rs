//! The database at the start: each way it cannot be used has its own cause and way out.

use std::net::TcpListener;
use std::process::{Command, Output};
use std::time::Duration;

use futures_util::future::join_all;
use livestream_bot::crypto::vault::Vault;
use livestream_bot::db;
use livestream_bot::demo::DANA;
use secrecy::ExposeSecret;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, raw_sql};

use crate::support::database;
use crate::support::program::{EX_CONFIG, ProgramEnv, Service, lossy_text, run_with_input};
use crate::support::replica::{command_without_settings, database_url};
use crate::support::slack::text_of;

/// The status of a program that cannot work now.
const FAILURE: i32 = 1;

async fn execute(db: &mut PgConnection, sql: impl Into<String>) {
    let sql = sql.into();
    let done = raw_sql(AssertSqlSafe(sql.clone())).execute(db).await;
    done.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// What the program says about a database that it cannot use, after it has ended.
async fn refusal(command: Command) -> String {
    refusal_and_status(command).await.0
}

async fn refusal_and_status(command: Command) -> (String, i32) {
    let output = ended(command).await;
    let error = lossy_text(&output.stderr);
    assert!(!output.status.success(), "{error}");
    assert!(!error.contains("serving address"), "{error}");
    (error, output.status.code().expect("an exit status"))
}

async fn ended(mut command: Command) -> Output {
    let running = tokio::task::spawn_blocking(move || run_with_input(&mut command, ""));
    running.await.expect("a program that ended")
}

fn migrate_over(url: &str) -> Command {
    let mut command = command_without_settings("migrate");
    command.env("DATABASE_URL", url);
    command
}

fn serve_as(env: &ProgramEnv, role: &str) -> Command {
    let mut command = env.command("serve");
    let database = env.database.clone().username(role);
    command.env("DATABASE_URL", database_url(&database));
    command
}

/// A role of this test's database alone.
fn role_of(database: &PgConnectOptions) -> String {
    format!("{}_Bot", database.get_database().expect("a name"))
}

async fn drop_role(db: &mut PgConnection, role: &str) {
    execute(db, format!(r#"drop owned by "{role}"; drop role "{role}""#)).await;
}

#[tokio::test]
async fn a_role_that_may_not_change_tables_serves_once_it_is_granted_what_it_needs() {
    let env = ProgramEnv::new().await;
    let mut db = env.database.connect().await.expect("a connection");
    let role = role_of(&env.database);
    execute(&mut db, format!(r#"create role "{role}" login"#)).await;

    let refused = refusal(serve_as(&env, &role)).await;
    let way_out = format!("run `livestream-bot migrate --grant-to {role}`");
    assert!(
        refused.contains(&format!("the role {role} may not")) && refused.contains(&way_out),
        "{refused}"
    );

    for _ in 0..2 {
        let mut migrate = env.command("migrate");
        migrate.args(["--grant-to", &role]);
        let output = ended(migrate).await;
        assert!(output.status.success(), "{}", lossy_text(&output.stderr));
    }
    let service = Service::start(serve_as(&env, &role)).await;
    let typed = env.slack.type_command(DANA.slack, "start 68423085");
    env.slack
        .send(&service.url, &typed)
        .await
        .expect("an answer");
    let outcome = env.slack.outcome(&typed).await.expect("an outcome");
    assert!(
        text_of(&outcome).contains("is going live"),
        "{}",
        text_of(&outcome)
    );
    service.terminate().await;

    // It does not take the protection from the audit.
    let mut served = env.database.clone().username(&role).connect().await;
    let served = served.as_mut().expect("a connection");
    for sql in [
        "alter table audit disable trigger all",
        "drop table command",
        "create table more (id int)",
        "delete from audit",
        "update _sqlx_migrations set success = true",
    ] {
        raw_sql(sql).execute(&mut *served).await.expect_err(sql);
    }

    drop_role(&mut db, &role).await;
    drop(db);
    env.end().await;
}

#[tokio::test]
async fn what_a_role_lacks_is_named() {
    let env = ProgramEnv::new().await;
    let mut db = env.database.connect().await.expect("a connection");
    let role = role_of(&env.database);
    execute(&mut db, format!(r#"create role "{role}" login"#)).await;
    let way_out = format!("run `livestream-bot migrate --grant-to {role}`");
    let mut migrate = env.command("migrate");
    migrate.args(["--grant-to", &role]);
    assert!(ended(migrate).await.status.success());
    execute(
        &mut db,
        format!(r#"revoke insert on command from "{role}"; revoke truncate on readiness_page from "{role}""#),
    )
    .await;
    let refused = refusal(serve_as(&env, &role)).await;
    assert!(
        refused.contains("it lacks insert on command, truncate on readiness_page"),
        "{refused}"
    );
    execute(
        &mut db,
        format!(r#"drop policy "{role}" on graphile_worker._private_jobs"#),
    )
    .await;
    let refused = refusal(serve_as(&env, &role)).await;
    assert!(
        refused.contains("a policy on graphile_worker._private_jobs"),
        "{refused}"
    );
    execute(
        &mut db,
        "revoke execute on all functions in schema public from public; revoke all on schema public from public",
    )
    .await;
    execute(
        &mut db,
        format!(r#"revoke all on function person_key(text, text, text) from "{role}""#),
    )
    .await;
    let refused = refusal(serve_as(&env, &role)).await;
    assert!(
        refused.contains("execute on function person_key(text,text,text)"),
        "{refused}"
    );
    execute(
        &mut db,
        format!(r#"revoke all on schema public from "{role}""#),
    )
    .await;
    let refused = refusal(serve_as(&env, &role)).await;
    assert!(
        refused.contains("or not use its schema") && refused.contains(&way_out),
        "{refused}"
    );
    let mut migrate = env.command("migrate");
    migrate.args(["--grant-to", &role]);
    let output = ended(migrate).await;
    assert!(output.status.success(), "{}", lossy_text(&output.stderr));
    Service::start(serve_as(&env, &role))
        .await
        .terminate()
        .await;
    // A migration that is still to come is for the owner to run.
    let newest =
        "delete from _sqlx_migrations where version = (select max(version) from _sqlx_migrations)";
    execute(&mut db, newest).await;
    let refused = refusal(serve_as(&env, &role)).await;
    assert!(
        refused.contains("may not bring the database up to date") && refused.contains(&way_out),
        "{refused}"
    );
    drop_role(&mut db, &role).await;
    drop(db);
    env.end().await;
}

#[tokio::test]
async fn a_role_that_may_not_create_tables_is_told_who_may() {
    let options = database::create().await;
    let mut db = options.connect().await.expect("a connection");
    let name = options.get_database().expect("a name").to_owned();
    let role = role_of(&options);
    let empty = format!("{name}_empty");
    execute(
        &mut db,
        format!("create database {empty} template template0"),
    )
    .await;
    execute(&mut db, format!(r#"create role "{role}" login"#)).await;
    let url = database_url(&options.clone().database(&empty).username(&role));
    let mut doctor = command_without_settings("doctor");
    doctor.env("DATABASE_URL", &url);
    let said = lossy_text(&ended(doctor).await.stdout);
    assert!(
        said.contains(&format!(
            "the database has no tables yet, and the role {role} may not create them"
        )),
        "{said}"
    );
    let error = refusal(migrate_over(&url)).await;
    assert!(
        error.contains(&format!(
            "the role {role} may not create tables in the database {empty}"
        )) && error.contains(&format!(r#"alter database {empty} owner to "{role}""#)),
        "{error}"
    );
    execute(
        &mut db,
        format!(r#"alter database {empty} owner to "{role}""#),
    )
    .await;
    let output = ended(migrate_over(&url)).await;
    assert!(output.status.success(), "{}", lossy_text(&output.stderr));
    execute(&mut db, format!("drop database {empty} with (force)")).await;
    drop_role(&mut db, &role).await;
    drop(db);
    database::drop(&options).await;
}

#[tokio::test]
async fn the_privileges_are_for_all_tables() {
    let options = database::create().await;
    let mut db = options.connect().await.expect("a connection");
    let role = role_of(&options);
    execute(&mut db, format!(r#"create role "{role}" login"#)).await;
    let pool = db::pool(options.clone());
    db::privileges::grant(&pool, &role)
        .await
        .expect("privileges");
    let not_granted: Vec<String> = sqlx::query_scalar(
        "select oid::regclass::text from pg_class
        where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm')
            and not has_table_privilege($1, oid, 'select')",
    )
    .bind(&role)
    .fetch_all(&mut db)
    .await
    .expect("a list of tables");
    assert_eq!(not_granted, Vec::<String>::new());
    pool.close().await;
    drop_role(&mut db, &role).await;
    drop(db);
    database::drop(&options).await;
}

#[tokio::test]
async fn an_older_version_serves_over_a_newer_database_unless_that_says_no() {
    let env = ProgramEnv::new().await;
    let mut db = env.database.connect().await.expect("a connection");
    execute(
        &mut db,
        r"insert into _sqlx_migrations (version, description, success, checksum, execution_time)
        values (1000, 'from the future', true, '\x00', 0)",
    )
    .await;
    let log = env.serve().await.terminate().await;
    assert!(
        log.contains("brought up to date by a newer version of this program; this one can use it too migration=1000"),
        "{log}"
    );
    execute(
        &mut db,
        "update _sqlx_migrations set description = 'breaking future' where version = 1000",
    )
    .await;
    let refused = refusal(env.command("serve")).await;
    assert!(
        refused.contains("changed by a newer version of this program (migration 1000)")
            && refused.contains("run that version or a later one"),
        "{refused}"
    );
    for (change, expected, expected_status) in [
        (
            "update _sqlx_migrations set description = 'future', success = false where version = 1000",
            "migration 1000 is partially applied",
            FAILURE,
        ),
        (
            "delete from _sqlx_migrations where version < 1000; update _sqlx_migrations set success = true",
            "DATABASE_URL: the database has the tables of another program",
            EX_CONFIG,
        ),
    ] {
        execute(&mut db, change).await;
        let (refused, status) = refusal_and_status(env.command("serve")).await;
        assert!(refused.contains(expected), "{refused}");
        assert_eq!(status, expected_status, "{refused}");
    }
    drop(db);
    env.end().await;
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn a_database_that_cannot_be_used_is_named_with_cause_and_way_out() {
    let options = database::create().await;
    let mut db = options.connect().await.expect("a connection");
    let name = options.get_database().expect("a name").to_owned();
    let role = role_of(&options);
    let latin1 = format!("{name}_latin1");
    execute(
        &mut db,
        format!("create database {latin1} template template0 encoding 'LATIN1' lc_collate 'C' lc_ctype 'C'"),
    )
    .await;
    execute(
        &mut db,
        format!(r#"create role "{role}" login connection limit 0"#),
    )
    .await;
    let of = |options: PgConnectOptions| database_url(&options);
    let closed = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = closed.local_addr().expect("an address").port();
    drop(closed);
    let web = TcpListener::bind("127.0.0.1:0").expect("a port");
    let web_address = web.local_addr().expect("an address");
    std::thread::spawn(move || {
        use std::io::{Read, Write};
        for stream in web.incoming() {
            let mut stream = stream.expect("a connection");
            let _ = stream.read(&mut [0; 8]);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let silent = silent.local_addr().map(|address| (silent, address));
    let (_silent, address) = silent.expect("an address");

    // Those that may pass take their time, so all are asked at once.
    let cases = [
        (
            format!("postgres://u:sesame@127.0.0.1:{port}/db"),
            format!("connection refused by 127.0.0.1:{port}"),
            "start PostgreSQL there, or correct the host and the port",
            FAILURE,
        ),
        (
            "postgres://u:sesame@nowhere.invalid/db".to_owned(),
            "the name of nowhere.invalid:5432 leads to no address".to_owned(),
            "correct the host",
            FAILURE,
        ),
        (
            "postgres://u:sesame@localhost/db?host=/nowhere".to_owned(),
            "there is no socket /nowhere/.s.PGSQL.5432".to_owned(),
            "correct the folder",
            FAILURE,
        ),
        (
            format!("postgres://u:sesame@{address}/db"),
            format!("no PostgreSQL server answered at {address} within 5 s"),
            "correct the host and the port",
            FAILURE,
        ),
        (
            format!("postgres://u:sesame@{web_address}/db"),
            format!("{web_address} does not speak as a PostgreSQL server does"),
            "correct the host and the port",
            EX_CONFIG,
        ),
        (
            of(options.clone().database("nothing")),
            "database \"nothing\" does not exist".to_owned(),
            "create it with `create database`",
            EX_CONFIG,
        ),
        (
            of(options.clone().username("nobody_here")),
            "role \"nobody_here\" does not exist".to_owned(),
            "correct the user",
            EX_CONFIG,
        ),
        (
            of(options.clone().username(&role)),
            "takes no more connections: too many connections for role".to_owned(),
            "raise the limit",
            FAILURE,
        ),
        (
            of(options.clone().database(&latin1)),
            "the database's encoding is LATIN1, but it must be UTF8".to_owned(),
            "encoding 'UTF8'",
            EX_CONFIG,
        ),
    ];
    let refusals = cases
        .iter()
        .map(|(url, ..)| refusal_and_status(migrate_over(url)));
    for ((url, cause, way_out, expected), (error, status)) in
        cases.iter().zip(join_all(refusals).await)
    {
        assert_eq!(status, *expected, "{url}: {error}");
        let told = error.lines().last().unwrap_or_default();
        assert!(told.starts_with("Error: DATABASE_URL: "), "{url}: {error}");
        assert!(
            told.contains(cause) && told.contains(way_out),
            "{url}: {error}"
        );
        assert!(
            !error.contains("pool timed out") && !error.contains("sesame"),
            "{error}"
        );
    }

    execute(
        &mut db,
        format!("alter database {name} set default_transaction_read_only = on"),
    )
    .await;
    let (error, status) = refusal_and_status(migrate_over(&of(options.clone()))).await;
    assert_eq!(status, FAILURE, "{error}");
    assert!(
        error.contains("takes no writes") && error.contains("name the primary server"),
        "{error}"
    );
    execute(
        &mut db,
        format!("alter database {name} reset default_transaction_read_only"),
    )
    .await;
    execute(&mut db, format!("drop database {latin1} with (force)")).await;
    drop_role(&mut db, &role).await;
    drop(db);
    database::drop(&options).await;
}

#[tokio::test]
async fn a_server_that_is_still_starting_is_waited_for() {
    let options = database::create().await;
    let mut db = options.connect().await.expect("a connection");
    let role = role_of(&options);
    execute(
        &mut db,
        format!(r#"create role "{role}" superuser login connection limit 0"#),
    )
    .await;
    // A superuser is let in whatever the limit; an ordinary role is full at 0.
    execute(&mut db, format!(r#"alter role "{role}" nosuperuser"#)).await;
    let url = database_url(&options.clone().username(&role));
    let mut command = tokio::process::Command::from(migrate_over(&url));
    command
        .stderr(std::process::Stdio::piped())
        .kill_on_drop(true);
    let mut child = command.spawn().expect("a process");
    let stderr = child.stderr.take().expect("a piped stderr");
    let mut lines = tokio::io::AsyncBufReadExt::lines(tokio::io::BufReader::new(stderr));
    let waiting = loop {
        let line = lines.next_line().await.expect("a log").expect("a line");
        if line.contains("waiting for the database") {
            break line;
        }
    };
    assert!(waiting.contains("too many connections"), "{waiting}");
    execute(&mut db, format!(r#"alter role "{role}" superuser"#)).await;
    let status = child.wait().await.expect("an end");
    assert!(status.success());
    drop_role(&mut db, &role).await;
    drop(db);
    database::drop(&options).await;
}

#[tokio::test]
async fn too_few_connections_are_named_at_the_start() {
    let options = database::create().await;
    let mut db = options.connect().await.expect("a connection");
    let name = options.get_database().expect("a name").to_owned();
    let role = role_of(&options);
    let as_role = database_url(&options.clone().username(&role));
    execute(
        &mut db,
        format!(
            r#"create role "{role}" login connection limit 20; alter database {name} connection limit 25"#
        ),
    )
    .await;
    let log = refusal(migrate_over(&as_role)).await;
    for expected in [
        "fewer connections than one replica opens",
        "limit=20 needed=30",
        "connection limit -1",
        "limit=25 needed=30",
        &format!("alter database {name} connection limit -1"),
    ] {
        assert!(log.contains(expected), "{expected}: {log}");
    }
    execute(
        &mut db,
        format!(r#"alter role "{role}" connection limit 1"#),
    )
    .await;
    let error = refusal(migrate_over(&as_role)).await;
    assert!(
        error.contains("allows 1 connections; one replica needs 8 and opens up to 30")
            && error.contains(&format!(r#"alter role "{role}" connection limit -1"#)),
        "{error}"
    );
    drop_role(&mut db, &role).await;
    drop(db);
    database::drop(&options).await;
}

#[tokio::test]
async fn parameters_that_are_not_used_are_named_without_their_values() {
    let options = database::create().await;
    let mut url = database_url(&options);
    url.push_str("&channel_binding=require&sslpassword=sesame");
    let output = ended(migrate_over(&url)).await;
    let log = lossy_text(&output.stderr);
    assert!(output.status.success(), "{log}");
    assert!(
        log.contains(r#"parameters that are not used ignored=["channel_binding", "sslpassword"]"#),
        "{log}"
    );
    assert!(!log.contains("sesame"), "{log}");
    database::drop(&options).await;
}

#[tokio::test]
async fn without_a_database_and_a_folder_for_one_both_ways_out_are_named() {
    let env = ProgramEnv::new().await;
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join(".data"), "no folder").expect("a file");
    let mut command = env.command("serve");
    command.env_remove("DATABASE_URL").env("RUST_LOG", "off");
    command.current_dir(folder.path());
    let (error, status) = refusal_and_status(command).await;
    assert_eq!(
        error,
        "Error: DATABASE_URL is not set, and a private PostgreSQL server cannot be used instead; set it to a database, \
        or mend this: DATA_DIR: .data cannot be made: File exists (os error 17); name a folder that this program may \
        write to\n"
    );
    assert_eq!(status, EX_CONFIG);
    env.end().await;
}

/// Else a report of success would be about a database in which nothing is.
#[tokio::test]
async fn what_changes_a_services_data_makes_no_database() {
    let folder = tempfile::tempdir().expect("a folder");
    let keys = Vault::generate_keys();
    let person = &["--team", "T0ACME", "--user", "U0DANA"][..];
    for (subcommand, arguments) in [
        ("migrate", &[][..]),
        ("rotate-keys", &[]),
        ("import-links", &["--dry-run"]),
        ("erase-person", person),
    ] {
        let mut command = command_without_settings(subcommand);
        command
            .args(arguments)
            .env("TOKEN_KEYS", keys.expose_secret())
            .env("DATA_DIR", folder.path());
        let (error, status) = refusal_and_status(command).await;
        assert!(
            error.starts_with(
                "Error: DATABASE_URL: it is not set, and no private database is found in"
            ) && error.contains("run this with the service's settings"),
            "{subcommand}: {error}"
        );
        assert_eq!(status, EX_CONFIG, "{subcommand}");
    }
    let made = std::fs::read_dir(folder.path()).expect("a folder").count();
    assert_eq!(made, 0, "nothing is made");
    // A file that was meant to name a database and is empty does not lead to a private one either.
    let empty = folder.path().join("empty");
    std::fs::write(&empty, "\n").expect("a file");
    let mut command = command_without_settings("migrate");
    command.env("DATABASE_URL_FILE", &empty);
    let (error, status) = refusal_and_status(command).await;
    assert_eq!(error, "Error: DATABASE_URL_FILE: the file is empty\n");
    assert_eq!(status, EX_CONFIG);
}

#[tokio::test]
async fn without_certificates_nothing_begins() {
    let env = ProgramEnv::new().await;
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = env.command("serve");
    command
        .env_remove("DATABASE_URL")
        .env("DATA_DIR", folder.path())
        .env("SSL_CERT_FILE", "/nowhere")
        .env("SSL_CERT_DIR", "/nowhere");
    let (error, status) = refusal_and_status(command).await;
    assert!(
        error.contains("Error: SSL_CERT_FILE: https addresses cannot be called")
            && error.contains("install the package ca-certificates"),
        "{error}"
    );
    assert_eq!(status, EX_CONFIG);
    let made = std::fs::read_dir(folder.path()).expect("a folder").count();
    assert_eq!(made, 0, "no database is made");
    env.end().await;
}

#[tokio::test]
async fn a_search_path_and_a_role_that_lead_nowhere_are_named() {
    let options = database::create().await;
    let mut url = database_url(&options);
    url.push_str("&options[search_path]=nope");
    let (error, status) = refusal_and_status(migrate_over(&url)).await;
    assert!(
        error.contains("DATABASE_URL: no schema of the search_path (nope) exists"),
        "{error}"
    );
    assert_eq!(status, EX_CONFIG);
    let mut migrate = migrate_over(&database_url(&options));
    migrate.args(["--grant-to", "nothere"]);
    let error = refusal(migrate).await;
    assert!(
        error.contains("Error: there is no role nothere; make it with `create role nothere login`"),
        "{error}"
    );
    database::drop(&options).await;
}

#[tokio::test]
async fn a_servers_limit_of_idle_sessions_does_not_count() {
    let options = database::create().await;
    let pool = db::request_pool(options.clone().options([("idle_session_timeout", "60000")]));
    let limit: String = sqlx::query_scalar(
        "select coalesce(current_setting('idle_session_timeout', true), 'none')",
    )
    .fetch_one(&pool)
    .await
    .expect("a setting");
    assert_eq!(limit, "0");
    pool.close().await;
    database::drop(&options).await;
}

#[tokio::test]
async fn a_migration_keeps_nobody_waiting_for_long_behind_a_lock() {
    let env = ProgramEnv::new().await;
    let mut db = env.database.connect().await.expect("a connection");
    let before = "alter table admin_session drop column zone; delete from _sqlx_migrations where version = 16";
    execute(&mut db, before).await;
    // As a dump does.
    let mut holder = env.database.connect().await.expect("a connection");
    execute(&mut holder, "begin; select from admin_session").await;
    let migrating = tokio::spawn(ended(env.command("migrate")));
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    let is_waiting = "select exists (
        select from pg_locks where not granted and relation = 'admin_session'::regclass and mode = 'AccessExclusiveLock'
    )";
    while !sqlx::query_scalar::<_, bool>(is_waiting)
        .fetch_one(&mut db)
        .await
        .expect("the locks")
    {
        ticks.tick().await;
        assert!(!migrating.is_finished(), "it waits for the lock");
    }
    execute(
        &mut db,
        "set lock_timeout = '10s'; select from admin_session",
    )
    .await;
    assert!(!migrating.is_finished(), "it is tried again");

    execute(&mut holder, "commit").await;
    let output = migrating.await.expect("a program that ended");
    assert!(output.status.success(), "{}", lossy_text(&output.stderr));
    execute(&mut db, "select zone from admin_session").await;
    drop((db, holder));
    env.end().await;
}
