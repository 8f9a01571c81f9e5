//! `livestream-bot doctor`: each misconfiguration that is planted is named, with its cure.

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use livestream_bot::crypto::vault::Vault;
use livestream_bot::demo::DANA;
use livestream_bot::demo::slack;
use livestream_bot::demo::zoom::{self, Fault};
use secrecy::ExposeSecret;
use serde_json::Value;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, raw_sql};

use crate::support::browser::Browser;
use crate::support::http::client;
use crate::support::program::{ProgramEnv, Service, lossy_text};
use crate::support::replica::{command_without_settings, database_url};
use crate::support::requests::unix_now;

/// What is to be found: a setting with its value, the verdict, and what text and cure begin with or hold.
type Misconfigured<'a> = (&'a str, &'a str, &'static str, &'static str, &'static str);
/// The same of what is planted in the database, and how it is undone.
type Planted = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
);

/// An address that nobody listens at.
fn free_address() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("a local address")
}

/// The program with all settings, for a service at this address.
fn command(env: &ProgramEnv, subcommand: &str, address: SocketAddr) -> Command {
    let mut command = env.command(subcommand);
    command
        .env("LISTEN_ADDR", address.to_string())
        .env("PUBLIC_URL", format!("http://{address}"))
        .env("SLACK_URL", env.slack.url())
        .env("SLACK_APP_ID", slack::APP_ID)
        .env("SLACK_CLIENT_ID", slack::CLIENT_ID)
        .env("SLACK_CLIENT_SECRET", slack::CLIENT_SECRET)
        .env("ZOOM_WEBHOOK_SECRET", zoom::WEBHOOK_SECRET)
        .env("RUST_LOG", "info");
    command
}

/// What a doctor said.
struct Said {
    findings: Vec<Value>,
    is_success: bool,
    output: String,
}

impl Said {
    /// Whether something of this verdict has this text and this cure.
    fn has(&self, verdict: &str, text: &str, cure: &str) -> bool {
        self.findings.iter().any(|finding| {
            finding["verdict"] == verdict
                && finding["text"]
                    .as_str()
                    .is_some_and(|found| found.contains(text))
                && finding["cure"].as_str().unwrap_or_default().contains(cure)
        })
    }

    fn must_have(&self, verdict: &str, text: &str, cure: &str) {
        assert!(
            self.has(verdict, text, cure),
            "{verdict}: {text}; {cure}\n{}",
            self.output
        );
        assert!(verdict != "problem" || !self.is_success, "{}", self.output);
    }
}

async fn examine(mut command: Command) -> Said {
    command.arg("--json");
    let mut command = tokio::process::Command::from(command);
    let output = command
        .kill_on_drop(true)
        .output()
        .await
        .expect("a process");
    let text = lossy_text(&output.stdout) + &lossy_text(&output.stderr);
    for secret in [
        slack::SIGNING_SECRET,
        slack::CLIENT_SECRET,
        zoom::CLIENT_SECRET,
        zoom::WEBHOOK_SECRET,
        "swordfish",
        "xoxb-",
        "zoom-access-",
    ] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{text}"));
    Said {
        findings: report["findings"].as_array().expect("findings").clone(),
        is_success: output.status.success(),
        output: text,
    }
}

async fn execute(db: &mut PgConnection, sql: &str) {
    let done = raw_sql(AssertSqlSafe(sql.to_owned())).execute(db).await;
    done.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// Installs the app with these scopes, or with all.
async fn install(env: &ProgramEnv, service: &Service, scopes: Option<&str>) {
    let mut browser = Browser::new();
    let mut page: reqwest::Url = browser
        .open_install_page(&service.url)
        .await
        .parse()
        .expect("an address");
    if let Some(scopes) = scopes {
        let query: Vec<(String, String)> = page
            .query_pairs()
            .into_owned()
            .map(|(name, value)| match name.as_str() {
                "scope" => (name, scopes.to_owned()),
                _ => (name, value),
            })
            .collect();
        page.query_pairs_mut().clear().extend_pairs(query);
    }
    let back = env.slack.install(page.as_str(), "acme").await;
    browser
        .come_back(&back.expect("a redirect from Slack"))
        .await;
}

#[tokio::test]
async fn the_doctor_finds_nothing_wrong_where_nothing_is() {
    let env = ProgramEnv::new().await;
    let address = free_address();
    let service = Service::start(command(&env, "serve", address)).await;
    install(&env, &service, None).await;
    // Zoom has sent events of whoever is linked.
    let mut db = env.database.connect().await.expect("a connection");
    execute(
        &mut db,
        "insert into zoom_event (zoom_user_id, kind) select zoom_user_id, 'meeting.started' from zoom_grant",
    )
    .await;
    let before: i64 = sqlx::query_scalar("select sum(n_tup_ins + n_tup_upd + n_tup_del)::bigint from pg_stat_user_tables where relname not like 'readiness%' and schemaname = 'public'")
        .fetch_one(&mut db)
        .await
        .expect("a count");
    let said = examine(command(&env, "doctor", address)).await;
    assert!(said.is_success, "{}", said.output);
    // The tests' server is one whose data may be lost.
    let warnings = said
        .findings
        .iter()
        .filter(|finding| finding["verdict"] == "warning");
    let warnings: Vec<_> = warnings.map(|finding| &finding["text"]).collect();
    assert_eq!(
        warnings,
        ["PostgreSQL's fsync is off: a crash of the machine may destroy the database"]
    );
    for expected in [
        "all settings can be used",
        "on: Zoom's reports of livestreams",
        "answers, and is not read-only",
        "it takes writes",
        "is used, as the role ",
        "the tables are those of this version",
        "has all rights it needs",
        "the key k1 opens what it sealed",
        "a replica serves",
        "0 commands under way",
        "1 account linked, none known to fail",
        "is ready",
        "what SLACK_SIGNING_SECRET signs is taken at /slack/events, unchanged",
        "what ZOOM_WEBHOOK_SECRET signs is taken at /zoom/events, unchanged",
        "Slack takes SLACK_CLIENT_ID and SLACK_CLIENT_SECRET",
        "Slack takes the bot token of T0ACME, with all scopes of the manifest",
        "Zoom takes ZOOM_CLIENT_ID and ZOOM_CLIENT_SECRET",
        "its clock agrees with this machine's",
        "Zoom sent the last event of Zoom account acme (1 linked)",
    ] {
        assert!(said.has("ok", expected, ""), "{expected}\n{}", said.output);
    }
    let after: i64 = sqlx::query_scalar("select sum(n_tup_ins + n_tup_upd + n_tup_del)::bigint from pg_stat_user_tables where relname not like 'readiness%' and schemaname = 'public'")
        .fetch_one(&mut db)
        .await
        .expect("a count");
    assert_eq!(before, after, "nothing is written");

    let output = tokio::process::Command::from(command(&env, "doctor", address)).output();
    let text = lossy_text(&output.await.expect("a process").stdout);
    assert!(
        text.starts_with("Settings\n  ok       all settings can be used\n")
            && text.ends_with("0 problems, 1 warning\n"),
        "{text}"
    );
    service.terminate().await;
    drop(db);
    env.end().await;
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn the_doctor_names_every_setting_that_is_wrong_and_its_cure() {
    let env = ProgramEnv::new().await;
    let address = free_address();
    let service = Service::start(command(&env, "serve", address)).await;
    let nowhere = format!("http://{}", free_address());
    let same_address = address.to_string();
    let slack_url = env.slack.url();
    let new_key = Vault::generate_keys().expose_secret().to_owned();
    let other_id = new_key.replace("k1:", "k2:");
    let both = format!("{other_id},{}", env.config.token_keys.expose_secret());
    let lost = format!("{other_id},k1:lost");
    let empty_database = env.database.clone().database("no_such_database");
    let empty_database = database_url(&empty_database);
    let cases: [Misconfigured<'_>; 45] = [
        (
            "SLACK_SIGNING_SECRET",
            "",
            "problem",
            "SLACK_SIGNING_SECRET: it is not set",
            "copy Signing Secret from Basic Information",
        ),
        (
            "SLACK_SIGNING_SECRET",
            "1234.5678",
            "problem",
            "it is a Client ID, not a secret",
            "copy Signing Secret",
        ),
        (
            "SLACK_SIGNING_SECRET",
            "xoxb-swordfish",
            "problem",
            "it is one of Slack's tokens",
            "copy Signing Secret",
        ),
        (
            "SLACK_SIGNING_SECRET",
            "0123456789abcdef0123456789abcdef",
            "problem",
            "the service at PUBLIC_URL refuses what SLACK_SIGNING_SECRET signs",
            "set the same value there",
        ),
        (
            "SLACK_APP_ID",
            "hello",
            "problem",
            "SLACK_APP_ID: it must be an A",
            "copy App ID",
        ),
        (
            "SLACK_APP_ID",
            "",
            "not_known",
            "off: refusing requests for another Slack app, because SLACK_APP_ID is not set",
            "",
        ),
        (
            "SLACK_CLIENT_ID",
            "A012ABCD0A0",
            "problem",
            "it is an App ID, not a Client ID",
            "copy Client ID",
        ),
        (
            "SLACK_CLIENT_ID",
            "1.2",
            "problem",
            "SLACK_CLIENT_ID: Slack knows no app of this id",
            "App Credentials",
        ),
        (
            "SLACK_CLIENT_SECRET",
            "",
            "problem",
            "SLACK_CLIENT_SECRET: it is not set",
            "or none",
        ),
        (
            "SLACK_CLIENT_SECRET",
            "swordfish",
            "problem",
            "SLACK_CLIENT_SECRET: Slack refuses it",
            "App Credentials",
        ),
        (
            "SLACK_CLIENT_SECRET",
            "an-older-secret",
            "warning",
            "it is the same as SLACK_SIGNING_SECRET",
            "copy Client Secret",
        ),
        (
            "SLACK_URL",
            &nowhere,
            "problem",
            "gives no answer",
            "let this machine reach it",
        ),
        (
            "SLACK_SIGNING_SECRT",
            "swordfish",
            "warning",
            "SLACK_SIGNING_SECRT: no setting has this name",
            "did you mean SLACK_SIGNING_SECRET?",
        ),
        (
            "SLASH_COMMAND",
            "Live Stream",
            "problem",
            "SLASH_COMMAND: it must be a slash",
            "",
        ),
        (
            "PUBLIC_URL",
            "livestream.example.com",
            "problem",
            "PUBLIC_URL: it must be an https URL",
            "proxy that ends TLS",
        ),
        (
            "PUBLIC_URL",
            "https://example.com/livestream",
            "problem",
            "PUBLIC_URL: it must end after its host",
            "proxy that ends TLS",
        ),
        (
            "PUBLIC_URL",
            &nowhere,
            "problem",
            "gives no answer",
            "check its DNS name",
        ),
        (
            "PUBLIC_URL",
            &slack_url,
            "problem",
            "not as this service does",
            "pass all paths on to LISTEN_ADDR",
        ),
        (
            "LISTEN_ADDR",
            "3000",
            "problem",
            "LISTEN_ADDR: it must be an address and a port",
            "",
        ),
        (
            "LISTEN_ADDR",
            slack_url.trim_start_matches("http://"),
            "problem",
            "something else answers at LISTEN_ADDR",
            "choose another port",
        ),
        (
            "METRICS_ADDR",
            "localhost",
            "problem",
            "METRICS_ADDR: it must be an address and a port",
            "",
        ),
        (
            "SHARED_ACCOUNTS",
            "yes",
            "problem",
            "SHARED_ACCOUNTS: it must be on or off",
            "",
        ),
        (
            "AUDIT_DAYS",
            "7",
            "problem",
            "AUDIT_DAYS: it must be 30 to 36500",
            "",
        ),
        // It hides nothing of the rest.
        (
            "AUDIT_DAYS",
            "7",
            "ok",
            "Zoom takes ZOOM_CLIENT_ID and ZOOM_CLIENT_SECRET",
            "",
        ),
        (
            "METRICS_ADDR",
            slack_url.trim_start_matches("http://"),
            "problem",
            "something else than this service answers at METRICS_ADDR",
            "choose another port",
        ),
        (
            "METRICS_ADDR",
            &same_address,
            "problem",
            "METRICS_ADDR: it is the same as LISTEN_ADDR",
            "choose another port",
        ),
        (
            "HISTORY_DAYS",
            "1",
            "problem",
            "HISTORY_DAYS: it must be 7 to 36500",
            "",
        ),
        (
            "LOG_FORMAT",
            "yaml",
            "problem",
            "LOG_FORMAT: it must be text or json",
            "",
        ),
        (
            "PRIVACY_URL_FILE",
            "/nowhere/url",
            "problem",
            "PRIVACY_URL_FILE: the file cannot be read",
            "",
        ),
        (
            "ZOOM_CLIENT_ID",
            "",
            "problem",
            "ZOOM_CLIENT_ID: it is not set",
            "copy Client ID from App Credentials",
        ),
        (
            "ZOOM_CLIENT_SECRET",
            "\"swordfish\"",
            "problem",
            "its value stands in quotes",
            "leave them out",
        ),
        (
            "ZOOM_CLIENT_SECRET",
            "swordfish",
            "problem",
            "Zoom refuses ZOOM_CLIENT_ID and ZOOM_CLIENT_SECRET",
            "development and production have a pair each",
        ),
        (
            "ZOOM_WEBHOOK_SECRET",
            "",
            "not_known",
            "off: Zoom's reports of livestreams, because ZOOM_WEBHOOK_SECRET is not set",
            "",
        ),
        (
            "ZOOM_WEBHOOK_SECRET",
            "swordfish",
            "problem",
            "refuses what ZOOM_WEBHOOK_SECRET signs",
            "set the same value there",
        ),
        (
            "ZOOM_URL",
            &nowhere,
            "problem",
            "ZOOM_URL: http",
            "let this machine reach it",
        ),
        (
            "ZOOM_URL",
            &slack_url,
            "problem",
            "ZOOM_URL answers with status 404",
            "https://zoom.us",
        ),
        (
            "ZOOM_API_URL",
            &slack_url,
            "problem",
            "not as Zoom's API does",
            "https://api.zoom.us",
        ),
        (
            "TOKEN_KEYS",
            "k1:swordfish",
            "problem",
            "TOKEN_KEYS: a key is not 32 bytes in base64",
            "openssl rand",
        ),
        (
            "TOKEN_KEYS",
            &new_key,
            "problem",
            "the key k1 does not open what was sealed with the key k1",
            "k1:lost",
        ),
        (
            "TOKEN_KEYS",
            &other_id,
            "problem",
            "sealed with the key k1, which is not in it",
            "add that key again",
        ),
        (
            "TOKEN_KEYS",
            &both,
            "warning",
            "the key k1 is not the first",
            "rotate-keys",
        ),
        (
            "TOKEN_KEYS",
            &lost,
            "warning",
            "the key k1 is lost",
            "connect again",
        ),
        (
            "PGAPPNAME",
            "swordfish",
            "warning",
            "PGAPPNAME: PostgreSQL's own variables are no settings here",
            "unset this",
        ),
        (
            "DATABASE_URL",
            "postgres://u:swordfish@127.0.0.1:1/db",
            "problem",
            "connection refused by 127.0.0.1:1",
            "start PostgreSQL there",
        ),
        (
            "DATABASE_URL",
            &empty_database,
            "problem",
            "database \"no_such_database\" does not exist",
            "create database",
        ),
    ];
    for (name, value, verdict, text, cure) in cases {
        let mut doctor = command(&env, "doctor", address);
        doctor.env(name, value);
        examine(doctor).await.must_have(verdict, text, cure);
    }
    // Who is silent is named, with the rest of what is found.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let silent = format!("http://{}", silent.local_addr().expect("an address"));
    let mut doctor = command(&env, "doctor", address);
    doctor
        .env("ZOOM_URL", &silent)
        .env("ZOOM_API_URL", &silent)
        .env("LISTEN_ADDR", silent.trim_start_matches("http://"));
    let said = examine(doctor).await;
    said.must_have(
        "problem",
        "of this machine does not answer",
        "look at its log, and restart it",
    );
    for name in ["ZOOM_URL", "ZOOM_API_URL"] {
        let text = format!("{name}: {silent}");
        said.must_have("problem", &text, "let this machine reach it");
    }
    said.must_have("problem", "(it took too long)", "let this machine reach it");
    assert!(!said.output.contains("did not end"), "{}", said.output);

    // Nobody can be asked without certificates; the rest is told.
    let mut doctor = command(&env, "doctor", address);
    doctor
        .env("SSL_CERT_FILE", "/nowhere")
        .env("SSL_CERT_DIR", "/nowhere");
    let said = examine(doctor).await;
    said.must_have(
        "problem",
        "the public address, Slack and Zoom are not looked at",
        "install the package ca-certificates",
    );
    said.must_have("ok", "the tables are those of this version", "");

    // Without any setting too, and without making a database.
    let folder = tempfile::tempdir().expect("a folder");
    let mut doctor = command_without_settings("doctor");
    doctor.env("DATA_DIR", folder.path());
    let said = examine(doctor).await;
    said.must_have("problem", "TOKEN_KEYS: it is not set", "openssl rand");
    said.must_have(
        "not_known",
        "there is no database in",
        "livestream-bot serve makes one",
    );
    let made = std::fs::read_dir(folder.path()).expect("a folder").count();
    assert_eq!(made, 0, "nothing is made");
    service.terminate().await;
    env.end().await;
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn the_doctor_names_what_is_wrong_in_the_database_and_its_cure() {
    const FAILED: &str = "delete from graphile_worker._private_jobs";
    let env = ProgramEnv::new().await;
    let address = free_address();
    let service = Service::start(command(&env, "serve", address)).await;
    install(
        &env,
        &service,
        Some("commands,users:read,chat:write,channels:read"),
    )
    .await;
    let said = examine(command(&env, "doctor", address)).await;
    said.must_have(
        "warning",
        "lacks chat:write.public, groups:read, usergroups:read",
        "update the manifest",
    );
    said.must_have(
        "warning",
        "Zoom has never sent an event of Zoom account acme",
        "save the event subscription",
    );
    service.terminate().await;

    let mut db = env.database.connect().await.expect("a connection");
    let planted: [Planted; 18] = [
        ("update readiness set written_at = now() - interval '1 minute'", "select 1", "warning", "no replica has written for 6", "start livestream-bot serve"),
        ("update zoom_grant set dead_at = now()", "update zoom_grant set dead_at = null", "warning", "Zoom no longer accepts the link of 1 account", "type connect"),
        ("update zoom_grant set refresh_refusal = 'No.'", "update zoom_grant set refresh_refusal = null", "warning", "Zoom refuses to renew the tokens of 1 account", "admin pages"),
        ("update zoom_grant set scope = 'user:read:user'", "update zoom_grant set scope = 'user:read:user meeting:update:livestream_status'", "warning", "the scope for livestreams is missing in the links of 1 account", "add meeting:update:livestream_status to the Zoom app"),
        ("update zoom_grant set problem = 'basic_plan'", "update zoom_grant set problem = null", "warning", "Zoom's plan or settings do not let 1 account livestream", "admin pages say which"),
        ("update zoom_grant set created_at = now() - interval '80 days', refreshed_at = null", "update zoom_grant set created_at = now()", "warning", "nobody used the links of 1 account for 75 days", "use or test them"),
        (
            "insert into zoom_event (zoom_user_id, kind, received_at) select zoom_user_id, 'meeting.ended', now() - interval '20 days' from zoom_grant",
            "delete from zoom_event",
            "warning",
            "Zoom sent the last event of Zoom account acme (1 linked) 20 days ago",
            "save the event subscription",
        ),
        (
            "update zoom_grant set scope = 'user:read:user meeting:update:livestream_status meeting:read:livestream'",
            "update zoom_grant set scope = 'user:read:user meeting:update:livestream_status'",
            "warning",
            "meeting:read:list_meetings (1), meeting:read:meeting (1), meeting:update:livestream (1)",
            "add them to the Zoom app",
        ),
        (
            "insert into zoom_event (zoom_user_id, kind) select zoom_user_id, 'meeting.started' from zoom_grant;
            insert into stream (team_id, channel_id, is_public, user_id, zoom_user_id, meeting_id, command_id)
            select 'T0ACME', 'C1', true, 'U0DANA', zoom_user_id, 1, 1 from zoom_grant",
            "select 1",
            "warning",
            "has never sent one of a livestream",
            "meeting.live_streaming_started",
        ),
        (
            "insert into stream_fact (stream_id, kind, happened_at)
            select stream_id, 'start_taken', now() - interval '3 hours' from stream",
            "delete from stream; delete from zoom_event",
            "warning",
            "Zoom took the start of 1 livestream more than 10 minutes ago",
            "event subscription",
        ),
        (
            "select graphile_worker.add_job('run_command', '{}', run_at => now() - interval '5 minutes')",
            FAILED,
            "problem",
            "jobs have been due for more than a minute",
            "look whether a replica serves",
        ),
        (
            "select graphile_worker.add_job('withdraw', '{}', job_key => 'withdraw 1'); update graphile_worker._private_jobs set attempts = max_attempts",
            FAILED,
            "warning",
            "jobs failed for the last time: 1 of withdraw",
            "the log says why",
        ),
        (
            "insert into command (trigger_id, team_id, user_id, channel_id, zoom_user_id, action, meeting_id, settings, received_at)
            values ('t', 'T0ACME', 'U0DANA', 'C1', 'dana', 'start', 1, '{}', now() - interval '1 hour')",
            "delete from command",
            "problem",
            "1 command without an outcome, the oldest for 60 min",
            "look whether a replica serves",
        ),
        (
            "update installation set bot_token = null",
            "delete from installation",
            "warning",
            "T0ACME has no bot token",
            "install the app again",
        ),
        ("select 1", "select 1", "warning", "the app was not installed by the service's own install page", "install it at"),
        (
            "create table kept as select * from _sqlx_migrations; delete from _sqlx_migrations where version = (select max(version) from kept)",
            "insert into _sqlx_migrations select * from kept where version = (select max(version) from kept); drop table kept",
            "problem",
            "the tables are of an older version, 1 migration behind",
            "livestream-bot migrate",
        ),
        (
            r"insert into _sqlx_migrations (version, description, success, checksum, execution_time) values (1000, 'breaking', true, '\x00', 0);
            update _sqlx_migrations set description = 'breaking change' where version = 1000",
            "delete from _sqlx_migrations where version = 1000",
            "problem",
            "changed by a newer version of this program (migration 1000)",
            "run that version",
        ),
        (
            r"create table kept as select * from _sqlx_migrations; update _sqlx_migrations set checksum = '\x00' where version = 1",
            "update _sqlx_migrations set checksum = kept.checksum from kept where kept.version = _sqlx_migrations.version; drop table kept",
            "problem",
            "made by a development version of this program",
            "start with an empty one",
        ),
    ];
    for (plant, undo, verdict, text, cure) in planted {
        execute(&mut db, plant).await;
        let said = examine(command(&env, "doctor", address)).await;
        said.must_have(verdict, text, cure);
        execute(&mut db, undo).await;
    }

    let role = format!("{}_doctor", env.database.get_database().expect("a name"));
    execute(
        &mut db,
        &format!("create role {role} login; grant usage on schema public to {role}"),
    )
    .await;
    let as_role = || {
        let mut doctor = command(&env, "doctor", address);
        let database = database_url(&env.database.clone().username(&role));
        doctor.env("DATABASE_URL", database);
        doctor
    };
    examine(as_role()).await.must_have(
        "problem",
        &format!("the role {role} may not read which version the tables have"),
        "migrate --grant-to",
    );
    execute(
        &mut db,
        &format!("grant select on all tables in schema public to {role}"),
    )
    .await;
    let said = examine(as_role()).await;
    said.must_have(
        "problem",
        &format!("the role {role} lacks "),
        "migrate --grant-to",
    );
    execute(&mut db, &format!("alter role {role} connection limit 20")).await;
    examine(as_role()).await.must_have(
        "warning",
        "20 connections are allowed, and one replica opens up to 30",
        "connection limit -1",
    );
    execute(&mut db, &format!("drop owned by {role}; drop role {role}")).await;

    // Somebody else keeps a table.
    let mut holding = db.begin().await.expect("a transaction");
    execute(&mut holding, "lock table command").await;
    examine(command(&env, "doctor", address)).await.must_have(
        "problem",
        "canceling statement due to lock timeout",
        "pg_blocking_pids and pg_stat_activity name it",
    );
    holding.rollback().await.expect("a rollback");

    let answer = r#"{"status":false,"errorCode":4738,"errorMessage":"Disabled by admin"}"#;
    env.zoom.fail_next_refresh(Fault::Answer {
        status: 400,
        headers: vec![("content-type", "application/json".to_owned())],
        body: answer.to_owned(),
    });
    let said = examine(command(&env, "doctor", address)).await;
    said.must_have(
        "problem",
        "an administrator has disabled the app at Zoom",
        "have it enabled",
    );
    drop(db);
    env.end().await;
}

#[tokio::test]
async fn the_doctor_names_a_bot_token_that_slack_no_longer_takes() {
    let env = ProgramEnv::new().await;
    let address = free_address();
    let service = Service::start(command(&env, "serve", address)).await;
    install(&env, &service, None).await;
    service.terminate().await;
    let mut doctor = command(&env, "doctor", address);
    doctor.env("SLACK_APP_ID", "A0OTHER");
    examine(doctor).await.must_have(
        "problem",
        &format!(
            "SLACK_APP_ID is A0OTHER, but the app that is installed in T0ACME is {}",
            slack::APP_ID
        ),
        "copy App ID",
    );
    // The service does not hear of it.
    drop(env.slack.uninstall(slack::TOWN_HALL));
    let said = examine(command(&env, "doctor", address)).await;
    said.must_have(
        "problem",
        "Slack no longer takes the bot token of T0ACME",
        "install the app again",
    );
    env.end().await;
}

/// Waits until this is noted of what came.
async fn noted(db: &mut PgConnection, vendor: &str, kind: &str) {
    let mut ticks = tokio::time::interval(Duration::from_millis(50));
    let waiting = async {
        loop {
            ticks.tick().await;
            let found = sqlx::query_scalar(
                "select exists (select from vendor_request where vendor = $1 and kind = $2)",
            );
            let found = found.bind(vendor).bind(kind).fetch_one(&mut *db).await;
            if found.expect("a row") {
                return;
            }
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(30), waiting).await;
    waited.unwrap_or_else(|_| panic!("{vendor} {kind} is not noted"));
}

#[tokio::test]
async fn the_doctor_tells_what_slack_and_zoom_sent_and_what_came_in_their_place() {
    let env = ProgramEnv::new().await;
    let address = free_address();
    let service = Service::start(command(&env, "serve", address)).await;
    let mut db = env.database.connect().await.expect("a connection");
    let said = examine(command(&env, "doctor", address)).await;
    for text in [
        "no request that Slack signed has come yet",
        "no request that Zoom signed has come yet",
        "Zoom has not checked the address for its events yet",
    ] {
        said.must_have("not_known", text, "");
    }

    // Signed with the secret of another app, too late, and not signed at all.
    let typed = env.slack.type_command(DANA.slack, "help");
    let url = format!("{}/slack/commands", service.url);
    for (kind, secret, sent) in [
        ("mismatched", "another secret", unix_now()),
        ("stale", slack::SIGNING_SECRET, unix_now() - 301),
    ] {
        let request = client()
            .post(&url)
            .header("x-slack-request-timestamp", sent.to_string())
            .header(
                "x-slack-signature",
                slack::sign(secret, sent, typed.body.as_bytes()),
            )
            .body(typed.body.clone());
        let answer = request.send().await.expect("a response");
        assert_eq!(answer.status(), 401);
        noted(&mut db, "slack", kind).await;
    }
    let unsigned = client().post(format!("{}/zoom/events", service.url));
    let answer = unsigned.body("{}").send().await.expect("a response");
    assert_eq!(answer.status(), 401);
    let wrong = [
        (
            "with another signature than SLACK_SIGNING_SECRET gives",
            "copy the secret again from Basic Information",
        ),
        (
            "with a time that is too far from this machine's clock",
            "set the clock",
        ),
    ];
    let said = examine(command(&env, "doctor", address)).await;
    for (text, cure) in wrong {
        said.must_have("warning", text, cure);
    }
    assert!(
        !said.has("warning", "the addresses for Zoom", ""),
        "{}",
        said.output
    );

    // What they sign since shows that the secrets are theirs.
    let answer = env.slack.send(&service.url, &typed).await;
    assert_eq!(answer.expect("a response").status, 200);
    env.zoom
        .validate_url(&service.url)
        .await
        .expect("an answer");
    noted(&mut db, "slack", "signed").await;
    noted(&mut db, "zoom", "address_check").await;
    let said = examine(command(&env, "doctor", address)).await;
    for text in [
        "the last request that Slack signed came at",
        "the last request that Zoom signed came at",
        "Zoom last checked the address for its events at",
    ] {
        said.must_have("ok", text, "");
    }
    for (text, _) in wrong {
        assert!(!said.has("warning", text, ""), "{}", said.output);
    }

    execute(
        &mut db,
        "update vendor_request set received_at = now() - interval '4 days' where kind = 'address_check'",
    )
    .await;
    let said = examine(command(&env, "doctor", address)).await;
    said.must_have(
        "warning",
        "Zoom last checked the address for its events at",
        "look whether the event subscription",
    );
    service.terminate().await;
    drop(db);
    env.end().await;
}
