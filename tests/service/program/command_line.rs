//! The subcommands and the settings.

use std::io::Write;
use std::process::Stdio;
use std::time::Duration;

use livestream_bot::crypto::vault::Vault;
use livestream_bot::demo::{DANA, zoom};
use secrecy::ExposeSecret;
use serde_json::json;
use sqlx::ConnectOptions;

use crate::support::program::{ProgramEnv, lossy_text, run_with_input};
use crate::support::replica::{Link, command_without_settings};

#[tokio::test]
async fn links_are_imported_from_json_lines_again_and_again() {
    let env = ProgramEnv::new().await;
    let line = |n: usize| {
        json!({
            "team_id": "T1", "user_id": format!("U{n}"), "zoom_user_id": format!("z{}", n % 9_000), "zoom_account_id": "a",
            "email": "x@y", "scope": zoom::SCOPE, "access_token": "sesame", "refresh_token": "open",
            "expires_at": "2099-01-01T00:00:00Z",
        })
        .to_string()
    };
    let lines: Vec<_> = (0..10_000).map(line).collect();
    for _ in 0..2 {
        let output = run_with_input(&mut env.command("import-links"), &lines.join("\n"));
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

    let broken = format!("{}\n{}", lines[0], lines[1].replace("\"U1\"", "1"));
    let output = run_with_input(&mut env.command("import-links"), &broken);
    let error = lossy_text(&output.stderr);
    assert!(
        !output.status.success() && error.contains("line 2 cannot be read"),
        "{error}"
    );
    assert!(!error.contains("sesame"), "{error}");
    env.end().await;
}

#[test]
fn a_missing_setting_is_named_with_the_way_to_its_value() {
    let output = run_with_input(&mut command_without_settings("serve"), "");
    assert!(!output.status.success());
    let error = lossy_text(&output.stderr);
    assert!(
        error.contains("SLACK_SIGNING_SECRET: it is not set; copy it from Basic Information"),
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
            .env("ZOOM_CLIENT_ID", "id")
            .env("ZOOM_CLIENT_SECRET", "swordfish")
            .env("TOKEN_KEYS", "swordfish:k1")
            .env("DATABASE_URL", "swordfish")
            .env("LOG_FORMAT", "yaml"),
        "",
    );
    assert!(!output.status.success());
    assert_eq!(
        lossy_text(&output.stderr),
        "\
Error: LOG_FORMAT: it must be text or json
LISTEN_ADDR: it must be an address and a port, like 127.0.0.1:3000
SLACK_SIGNING_SECRET: it is not set; copy it from Basic Information → App Credentials of your app at https://api.slack.com/apps
ZOOM_BODY: it must be json or multipart
TOKEN_KEYS: a key is not 32 bytes in base64; make one with: echo \"k1:$(openssl rand -base64 32)\"
DATABASE_URL: it is not of the form postgres://user:password@host/database
"
    );
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
    assert!(!output.status.success(), "{error}");
    assert!(
        error.contains(&format!("METRICS_ADDR: {address}")),
        "{error}"
    );
    env.end().await;
}
