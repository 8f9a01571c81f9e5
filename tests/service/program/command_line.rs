//! The subcommands and the settings.

use std::io::Write;
use std::process::Stdio;
use std::time::Duration;

use livestream_bot::crypto::vault::Vault;
use livestream_bot::demo::{DANA, zoom};
use livestream_bot::telemetry::{REVISION, VERSION};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, ConnectOptions};

use crate::support::program::{EX_CONFIG, ProgramEnv, Service, lossy_text, run_with_input};
use crate::support::replica::{Link, command_without_settings, database_url};
use crate::support::slack::text_of;

#[tokio::test]
async fn links_are_imported_from_json_lines_again_and_again() {
    let env = ProgramEnv::new().await;
    let line = |n: usize| {
        json!({
            "team_id": "T1", "user_id": format!("U{n}"), "zoom_user_id": format!("z{}", n % 9_000), "zoom_account_id": "a",
            "email": "x@y", "scope": zoom::SCOPE, "access_token": format!("sesame-{}", n % 9_000),
            "refresh_token": format!("open-{}", n % 9_000), "expires_at": "2099-01-01T00:00:00Z",
        })
        .to_string()
    };
    let lines: Vec<_> = (0..10_000).map(line).collect();
    for _ in 0..2 {
        let output = run_with_input(&mut env.command("import-links"), lines.join("\n"));
        assert!(output.status.success(), "{}", lossy_text(&output.stderr));
    }
    let mut db = env.database.connect().await.expect("a database connection");
    let stored: (i64, i64) = sqlx::query_as(
        "select (select count(*) from zoom_link where team_id = 'T1'), (select count(*) from zoom_grant where email = 'x@y')",
    )
    .fetch_one(&mut db)
    .await
    .expect("counts");
    assert_eq!(
        stored,
        (10_000, 9_000),
        "two people may share a Zoom account"
    );

    let summary = lossy_text(&run_with_input(&mut env.command("import-links"), &lines[0]).stderr);
    for expected in [
        "links=1",
        "links.new=0",
        "links.changed=0",
        "links.unchanged=1",
        "tokens.stored=0",
        "tokens.kept=1",
    ] {
        assert!(summary.contains(expected), "{expected}: {summary}");
    }
    env.end().await;
}

/// A line of a file to import, with these changes.
fn import_line(user: &str, changes: &Value) -> String {
    let mut line = json!({
        "team_id": "T1", "user_id": user, "zoom_user_id": format!("z-{user}"), "zoom_account_id": "a",
        "email": "x@y", "scope": zoom::SCOPE, "access_token": format!("sesame-{user}"), "refresh_token": format!("open-{user}"),
        "expires_at": "2099-01-01T00:00:00Z",
    });
    let fields = line.as_object_mut().expect("an object");
    fields.extend(changes.as_object().expect("an object").clone());
    line.to_string()
}

/// A text in UTF-16, in the order of Windows.
fn utf_16(text: &str, has_mark: bool) -> Vec<u8> {
    let mark = has_mark.then_some('\u{feff}');
    let text: String = mark.into_iter().chain(text.chars()).collect();
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

async fn count_imported(env: &ProgramEnv) -> i64 {
    let mut db = env.database.connect().await.expect("a database connection");
    sqlx::query_scalar("select count(*) from zoom_link where team_id = 'T1'")
        .fetch_one(&mut db)
        .await
        .expect("a count")
}

#[tokio::test]
async fn a_file_with_bad_lines_imports_nothing_and_is_told_line_by_line() {
    let env = ProgramEnv::new().await;
    let line = |user: &str, changes: Value| import_line(user, &changes);
    let lines = [
        line("U1", json!({})),
        line("U2", json!({ "scope": "" })),
        String::new(),
        line("U3", json!({ "acces_token": "sesame" })),
        line(
            "U4",
            json!({ "access_token": "sesame\n", "zoom_user_id": "me" }),
        ),
        "sesame".to_owned(),
        line("U1", json!({})),
        line(
            "U5",
            json!({ "zoom_user_id": "z-U1", "access_token": "sesame-U1", "refresh_token": "sesame-2" }),
        ),
        line("u6", json!({ "expires_at": "2020-01-01T00:00:00Z" })),
        line("U7", json!({})),
        line("U8", json!({ "refresh_token": "open-U1" })),
        line("U9", json!({})).replace('{', "{\"scope\":\"sesame\","),
        line(
            "U10",
            json!({ "zoom_user_id": "z-U1", "access_token": "sesame-U1", "refresh_token": "open-U1", "email": "z@y" }),
        ),
        line("U11", json!({ "sesame-key": 1 })),
    ];
    let mut import = env.command("import-links");
    import.env("RUST_BACKTRACE", "1");
    let output = run_with_input(&mut import, lines.join("\n"));
    let error = lossy_text(&output.stderr);
    assert!(!output.status.success(), "{error}");
    for expected in [
        "Error: nothing was imported: 11 lines cannot be",
        "line 2: scope: it lacks meeting:update:livestream_status",
        "line 4: there is no field acces_token",
        "line 5: zoom_user_id: it is not the id that Zoom gives a user",
        "access_token: it is empty, or has white space",
        "line 6: it is not a JSON object",
        "line 7: line 1 has the same team_id and user_id",
        "line 8: line 1 has other tokens for the same zoom_user_id",
        "line 9: user_id: it is no Slack member ID",
        "expires_at: it is more than 90 days ago",
        "line 11: line 1 has the same tokens for another zoom_user_id",
        "line 12: scope: it is there more than once",
        "line 13: line 1 has another email for the same zoom_user_id",
        "line 14: it has a field with a name that no field has",
    ] {
        assert!(error.contains(expected), "{expected}: {error}");
    }
    assert!(
        !error.contains("sesame") && !error.contains("line 10") && !error.contains("backtrace"),
        "{error}"
    );
    for (file, says) in [
        (Vec::new(), "the file is empty"),
        (b"\n \r\n".to_vec(), "the file is empty"),
        (utf_16(&line("U1", json!({})), true), "UTF-16"),
        (utf_16(&line("U1", json!({})), false), "UTF-16"),
    ] {
        let output = run_with_input(&mut env.command("import-links"), &file);
        let error = lossy_text(&output.stderr);
        assert!(!output.status.success() && error.contains(says), "{error}");
    }

    // Each is told, and nothing of a file is stored, however many good lines come first.
    let mut many: Vec<_> = (0..6_000)
        .map(|n| line(&format!("U{n}"), json!({})))
        .collect();
    many.extend((0..50).map(|_| "{}".to_owned()));
    let output = run_with_input(&mut env.command("import-links"), many.join("\n"));
    let error = lossy_text(&output.stderr);
    assert!(error.contains("50 lines cannot be"), "{error}");
    for number in 6_001..=6_050 {
        assert!(error.contains(&format!("line {number}: ")), "{error}");
    }
    assert_eq!(count_imported(&env).await, 0);
    env.end().await;
}

#[tokio::test]
async fn a_file_is_imported_as_other_programs_write_it() {
    let env = ProgramEnv::new().await;
    let (first, second) = (import_line("U1", &json!({})), import_line("U2", &json!({})));
    let file = format!("\u{feff}{first}\r\n\r\n  {second}  \r\n \n");
    let output = run_with_input(&mut env.command("import-links"), &file);
    let log = lossy_text(&output.stderr);
    assert!(output.status.success(), "{log}");
    for expected in [
        "links=2",
        "links.new=2",
        "links.changed=0",
        "links.unchanged=0",
        "tokens.stored=2",
        "tokens.kept=0",
    ] {
        assert!(log.contains(expected), "{expected}: {log}");
    }
    // One of them is linked to another Zoom user.
    let other = import_line("U2", &json!({ "zoom_user_id": "z-U3" }));
    let third = import_line("U4", &json!({}));
    let file = format!("{first}\n{other}\n{third}");
    let links = "select string_agg(zoom_link::text, ' ' order by user_id) from zoom_link where team_id = 'T1'";
    let mut db = env.database.connect().await.expect("a database connection");
    let before: String = sqlx::query_scalar(links)
        .fetch_one(&mut db)
        .await
        .expect("links");
    for (arguments, says) in [
        (&["--dry-run"][..], "dry run: no link was imported"),
        (&[], "links imported"),
    ] {
        let stored: String = sqlx::query_scalar(links)
            .fetch_one(&mut db)
            .await
            .expect("links");
        assert_eq!(stored, before, "before {arguments:?}");
        let output = run_with_input(env.command("import-links").args(arguments), &file);
        let log = lossy_text(&output.stderr);
        for expected in [
            says,
            "links=3",
            "links.new=1",
            "links.changed=1",
            "links.unchanged=1",
            "tokens.stored=2",
            "tokens.kept=1",
            "withdrawals=1",
        ] {
            assert!(log.contains(expected), "{expected}: {log}");
        }
    }
    let withdrawn = sqlx::query("delete from graphile_worker._private_jobs")
        .execute(&mut db)
        .await
        .expect("a job of the permission that nobody uses");
    assert_eq!(withdrawn.rows_affected(), 1);
    assert_eq!(count_imported(&env).await, 3);
    // What leads where it led before was not touched.
    let stored: String = sqlx::query_scalar(links)
        .fetch_one(&mut db)
        .await
        .expect("links");
    let first_link = |links: &str| links.split(')').next().map(str::to_owned);
    assert_eq!(first_link(&stored), first_link(&before));
    drop(db);
    env.end().await;
}

#[tokio::test]
async fn a_dry_run_tells_every_bad_line_too() {
    let env = ProgramEnv::new().await;
    let file = format!("{}\n{{}}\n[]", import_line("U1", &json!({})));
    let output = run_with_input(env.command("import-links").arg("--dry-run"), file);
    let error = lossy_text(&output.stderr);
    assert!(!output.status.success(), "{error}");
    assert!(
        error.contains("line 2: ") && error.contains("line 3: "),
        "{error}"
    );
    assert_eq!(count_imported(&env).await, 0);
    env.end().await;
}

#[test]
fn a_missing_setting_is_named_with_the_way_to_its_value() {
    let output = run_with_input(&mut command_without_settings("serve"), "");
    assert_eq!(output.status.code(), Some(EX_CONFIG));
    let error = lossy_text(&output.stderr);
    assert!(
        error.contains(
            "SLACK_SIGNING_SECRET: it is not set; copy Signing Secret from Basic Information"
        ),
        "{error}"
    );
}

#[test]
fn the_manifest_is_printed_with_our_address() {
    let output = run_with_input(
        command_without_settings("manifest").args(["--url", "https://my.host"]),
        "",
    );
    let manifest = lossy_text(&output.stdout);
    assert!(
        output.status.success() && manifest.contains("https://my.host/slack/commands"),
        "{manifest}"
    );
    let output = run_with_input(
        command_without_settings("manifest").args(["--url", "http://my.host"]),
        "",
    );
    assert!(
        !output.status.success() && lossy_text(&output.stderr).contains("https addresses only")
    );
}

#[test]
fn every_setting_that_is_missing_or_wrong_is_named_at_once() {
    let output = run_with_input(
        command_without_settings("serve")
            .env("SLACK_SIGNING_SECRET", "")
            .env("ZOOM_BODY", "xml")
            .env("LISTEN_ADDR", "3000")
            .env("SLACK_APP_ID", "hello")
            .env("SLACK_SIGNING_SECRT", "swordfish")
            .env("ZOOM_CLIENT_ID", "id")
            .env("ZOOM_CLIENT_SECRET", "swordfish")
            .env("TOKEN_KEYS", "swordfish:k1")
            .env("DATABASE_URL", "swordfish")
            .env("LOG_FORMAT", "yaml"),
        "",
    );
    assert_eq!(output.status.code(), Some(EX_CONFIG));
    assert_eq!(
        lossy_text(&output.stderr),
        "\
Error: LOG_FORMAT: it must be text or json
LISTEN_ADDR: it must be an address and a port, like 127.0.0.1:3000
SLACK_SIGNING_SECRET: it is not set; copy Signing Secret from Basic Information → App Credentials of your app at https://api.slack.com/apps
SLACK_APP_ID: it must be an A and capital letters and digits, like A012ABCD0A0; copy App ID from Basic Information → App Credentials of your app at https://api.slack.com/apps
ZOOM_BODY: it must be json or multipart
TOKEN_KEYS: a key is not 32 bytes in base64; make one with: echo \"k1:$(openssl rand -base64 32)\"
DATABASE_URL: it is not of the form postgres://user:password@host/database
SLACK_SIGNING_SECRT: no setting has this name; did you mean SLACK_SIGNING_SECRET?
"
    );
}

#[test]
fn the_help_lists_every_setting_and_no_value() {
    let mut command = command_without_settings("serve");
    command.arg("--help").env("ZOOM_CLIENT_SECRET", "swordfish");
    let output = run_with_input(&mut command, "");
    let help = lossy_text(&output.stdout);
    assert!(output.status.success(), "{help}");
    for expected in [
        "SLACK_SIGNING_SECRET (required)",
        "ZOOM_CLIENT_SECRET (required)",
        "LISTEN_ADDR (default: 127.0.0.1:3000)",
        "copy Secret Token from Features",
    ] {
        assert!(help.contains(expected), "{expected}: {help}");
    }
    assert!(!help.contains("swordfish"), "{help}");
}

#[test]
fn the_version_names_the_commit() {
    let output = run_with_input(&mut command_without_settings("--version"), "");
    assert_eq!(
        lossy_text(&output.stdout),
        format!("livestream-bot {VERSION} (commit {REVISION})\n")
    );
}

#[test]
fn a_fatal_error_has_the_form_of_the_log() {
    for (filter, problem) in [
        ("off", "DATABASE_URL: connection refused by 127.0.0.1:1"),
        ("sqlx=loud", "RUST_LOG: it is not a list"),
        ("verbose", "RUST_LOG: it is not a list"),
    ] {
        let mut command = command_without_settings("migrate");
        command
            .env("DATABASE_URL", "postgres://u@127.0.0.1:1/db")
            .env("LOG_FORMAT", "json")
            .env("RUST_LOG", filter);
        let output = run_with_input(&mut command, "");
        let log = lossy_text(&output.stderr);
        assert!(!output.status.success(), "{log}");
        let line: Value = serde_json::from_str(log.trim_end()).expect("one line of JSON");
        assert_eq!(line["level"], "ERROR");
        let message = line["fields"]["message"].as_str().expect("a message");
        assert!(message.starts_with(problem), "{message}");
    }
}

#[tokio::test]
async fn the_start_says_what_is_on_and_off_and_which_setting_changes_it() {
    let env = ProgramEnv::new().await;
    let mut command = env.command("serve");
    command
        .env("RUST_LOG", "info")
        .env("SHARED_ACCOUNTS", "on")
        .env("ZOOM_ACCOUNT_ID", "swordfish");
    let log = Service::start(command).await.terminate().await;
    for expected in [
        concat!(
            "livestream-bot starts version=\"",
            env!("CARGO_PKG_VERSION")
        ),
        "off: linking accounts, the admin pages and the install page; PUBLIC_URL, SLACK_CLIENT_ID and \
         SLACK_CLIENT_SECRET are not set",
        "off: Zoom's reports of livestreams; ZOOM_WEBHOOK_SECRET is not set",
        "on: shared Zoom accounts; SHARED_ACCOUNTS is on",
        "the database is up to date, and TOKEN_KEYS opens what is stored there postgres.version=",
        "no setting has this name, so it is not used name=\"ZOOM_ACCOUNT_ID\"",
        "a setting may be wrong: it is not 32 hexadecimal digits",
    ] {
        assert!(log.contains(expected), "{expected}: {log}");
    }
    assert!(!log.contains("swordfish"), "{log}");
    env.end().await;
}

#[cfg(not(feature = "otlp"))]
#[tokio::test]
async fn a_build_without_traces_warns_where_a_setting_asks_for_them() {
    let env = ProgramEnv::new().await;
    let mut command = env.command("serve");
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9");
    let log = Service::start(command).await.terminate().await;
    for expected in [
        "a setting may be wrong: this program was built without the feature otlp and exports no traces; \
         take one with it, or leave this out setting=\"OTEL_EXPORTER_OTLP_ENDPOINT\"",
        "off: traces; this program was built without the feature otlp",
    ] {
        assert!(log.contains(expected), "{expected}: {log}");
    }
    env.end().await;
}

#[tokio::test]
async fn keys_that_do_not_open_what_is_stored_are_refused_at_the_start() {
    let env = ProgramEnv::new().await;
    let new = Vault::generate_keys().expose_secret().to_owned();
    let serve = |keys: &str| {
        let mut command = env.command("serve");
        command.env("TOKEN_KEYS", keys);
        command
    };
    let k2 = new.replace("k1:", "k2:");
    for (keys, expected) in [
        (
            new.as_str(),
            "TOKEN_KEYS: the key k1 does not open what was sealed with the key k1",
        ),
        (
            k2.as_str(),
            "TOKEN_KEYS: some of what is stored is sealed with the key k1, which is not in it",
        ),
    ] {
        let output = tokio::process::Command::from(serve(keys))
            .kill_on_drop(true)
            .output()
            .await;
        let output = output.expect("an end of the program");
        let log = lossy_text(&output.stderr);
        assert_eq!(output.status.code(), Some(EX_CONFIG), "{log}");
        assert!(log.contains(expected) && log.contains("k1:lost"), "{log}");
        assert!(!log.contains("serving address"), "{log}");
    }
    // Whoever says that the key is lost, or has both, is let go on; nothing was changed.
    let lost = format!("{k2},k1:lost");
    let log = Service::start(serve(&lost)).await.terminate().await;
    assert!(log.contains("a key is lost"), "{log}");
    let both = format!("{k2},{}", env.config.token_keys.expose_secret());
    let service = Service::start(serve(&both)).await;
    let typed = env.slack.type_command(DANA.slack, "start 68423085");
    let sent = env.slack.send(&service.url, &typed).await;
    sent.expect("an answer");
    let outcome = env.slack.outcome(&typed).await.expect("an outcome");
    assert!(text_of(&outcome).contains("is going live"));
    let log = service.terminate().await;
    assert!(!log.contains("a key is lost"), "{log}");
    env.end().await;
}

#[test]
fn a_secret_may_stand_in_a_file() {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(b"secret\n").expect("a complete write");
    let output = run_with_input(
        command_without_settings("serve").env("SLACK_SIGNING_SECRET_FILE", file.path()),
        "",
    );
    let error = lossy_text(&output.stderr);
    assert!(
        error.contains("ZOOM_CLIENT_ID: it is not set") && !error.contains("SLACK_SIGNING_SECRET"),
        "{error}"
    );
    // An empty variable is none.
    let empty = command_without_settings("serve")
        .env("SLACK_SIGNING_SECRET_FILE", file.path())
        .env("SLACK_SIGNING_SECRET", "")
        .env("ZOOM_CLIENT_ID_FILE", " ")
        .output();
    let error = lossy_text(&empty.expect("an exit status").stderr);
    assert!(
        error.contains("ZOOM_CLIENT_ID: it is not set") && !error.contains("SLACK_SIGNING_SECRET"),
        "{error}"
    );
    let both = command_without_settings("serve")
        .env("SLACK_SIGNING_SECRET_FILE", file.path())
        .env("SLACK_SIGNING_SECRET", "x")
        .output();
    assert!(
        lossy_text(&both.expect("an exit status").stderr)
            .contains("SLACK_SIGNING_SECRET is set as well")
    );
}

#[tokio::test]
async fn keys_are_rotated_as_far_as_tokens_open() {
    let env = ProgramEnv::new().await;
    let other = Link {
        team: "T0OTHER",
        user: "U0OTHER",
        zoom_user: "a-broken-one",
        email: "other@acme.example",
    };
    other
        .import(&env.database, &env.zoom, &env.config.token_keys)
        .await;
    let mut db = env.database.connect().await.expect("a database connection");
    let spoil =
        "update zoom_grant set refresh_token = access_token where zoom_user_id = 'a-broken-one'";
    sqlx::raw_sql(spoil)
        .execute(&mut db)
        .await
        .expect("an update");
    let new = Vault::generate_keys().expose_secret().replace("k1:", "k2:");
    let keys = format!("{new},{}", env.config.token_keys.expose_secret());
    let output = run_with_input(env.command("rotate-keys").env("TOKEN_KEYS", keys), "");
    let error = lossy_text(&output.stderr);
    assert!(!output.status.success(), "{error}");
    assert!(error.contains("because they do not open: 1"), "{error}");
    assert!(error.contains("Zoom user a-broken-one"), "{error}");
    let rotated: Vec<String> = sqlx::query_scalar(
        "select zoom_user_id from zoom_grant where substr(access_token, 2, 2) = 'k2'",
    )
    .fetch_all(&mut db)
    .await
    .expect("rows");
    assert_eq!(rotated, [DANA.zoom]);
    drop(db);
    env.end().await;
}

#[tokio::test]
async fn another_key_under_the_same_id_re_encrypts_nothing() {
    let env = ProgramEnv::new().await;
    let mut rotate = env.command("rotate-keys");
    rotate.env("TOKEN_KEYS", Vault::generate_keys().expose_secret());
    let output = run_with_input(&mut rotate, "");
    let error = lossy_text(&output.stderr);
    assert!(!output.status.success(), "{error}");
    let expected = "the key k1 does not open what was sealed with the key k1, so it is another one";
    assert!(error.contains(expected), "{error}");
    assert!(!error.contains("can be removed"), "{error}");
    let mut db = env.database.connect().await.expect("a database connection");
    let noted: i64 = sqlx::query_scalar("select count(*) from audit where kind = 'keys_rotated'")
        .fetch_one(&mut db)
        .await
        .expect("a count");
    assert_eq!(noted, 0);

    // A role without rights reads the way out.
    let role = format!("{}_rotate", env.database.get_database().expect("a name"));
    let create = format!("create role {role} login");
    sqlx::raw_sql(AssertSqlSafe(create))
        .execute(&mut db)
        .await
        .expect("a role");
    let database = database_url(&env.database.clone().username(&role));
    let output = run_with_input(env.command("rotate-keys").env("DATABASE_URL", database), "");
    let error = lossy_text(&output.stderr);
    let way_out = format!("run `livestream-bot migrate --grant-to {role}`");
    assert!(error.contains(&way_out), "{error}");
    let drop_role = format!("drop role {role}");
    sqlx::raw_sql(AssertSqlSafe(drop_role))
        .execute(&mut db)
        .await
        .expect("no role");
    drop(db);
    env.end().await;
}

#[tokio::test]
async fn metrics_that_cannot_be_served_are_told_at_the_start() {
    let env = ProgramEnv::new().await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("an address").to_string();
    let mut command = tokio::process::Command::from(env.command("serve"));
    command
        .env("METRICS_ADDR", &address)
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let output = tokio::time::timeout(Duration::from_secs(20), command.output()).await;
    let output = output.expect("an end of the program").expect("a process");
    let error = lossy_text(&output.stderr);
    // Whoever listens there may end.
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(
        error.contains(&format!("METRICS_ADDR: {address}")),
        "{error}"
    );
    env.end().await;
}
