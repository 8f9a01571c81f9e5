//! The restore drill of the runbook, as operators run it.

use std::path::Path;
use std::process::Command;

use livestream_bot::crypto::vault::Vault;
use secrecy::ExposeSecret;
use sqlx::{AssertSqlSafe, ConnectOptions, raw_sql};

use crate::support::executable::program;
use crate::support::program::{ProgramEnv, lossy_text, run_with_input};
use crate::support::replica::database_url;

/// The drill over the database of this environment, with these keys.
fn drill(env: &ProgramEnv, keys: &str) -> (bool, String) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/restore-drill.sh");
    let mut command = Command::new(script);
    command
        .arg(format!("{}&port=5432", database_url(&env.database)))
        .env("LIVESTREAM_BOT", program())
        // It makes no difference to the copy.
        .env("PGPORT", "5555")
        .env("TOKEN_KEYS", keys);
    let output = run_with_input(&mut command, "");
    let said = lossy_text(&output.stdout) + &lossy_text(&output.stderr);
    (output.status.success(), said)
}

#[tokio::test]
async fn a_backup_is_restored_its_tokens_open_and_a_command_runs() {
    let env = ProgramEnv::new().await;
    // Its policies name a role that another server does not have.
    let role = format!("drill_{}", std::process::id());
    let mut db = env.database.connect().await.expect("a connection");
    for sql in [
        format!("create role {role}"),
        // A rule that refuses everybody does not hold up the drill.
        "insert into rules (team_id, who, changed_by) values ('T0ACME', 'named', 'U0ADA')"
            .to_owned(),
    ] {
        let done = raw_sql(AssertSqlSafe(sql)).execute(&mut db).await;
        done.expect("a statement");
    }
    let granted = run_with_input(env.command("migrate").args(["--grant-to", &role]), "");
    assert!(granted.status.success(), "{}", lossy_text(&granted.stderr));

    let (is_good, said) = drill(&env, env.config.token_keys.expose_secret());
    assert!(is_good, "{said}");
    for expected in [
        "links: 1",
        "records=1",
        "service ready",
        "command run",
        "the backup works",
    ] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    // With other keys it is told that they are.
    let (is_good, said) = drill(&env, Vault::generate_keys().expose_secret());
    assert!(!is_good, "{said}");
    assert!(
        said.contains("TOKEN_KEYS does not open everything"),
        "{said}"
    );
    assert!(said.contains("so it is another one"), "{said}");

    // What was backed up was only read, and nobody was asked for anything.
    let unchanged: bool = sqlx::query_scalar(
        "select (select count(*) from command) = 0 and (select count(*) from rules) = 1
            and (select count(*) from audit where kind = 'keys_rotated') = 0",
    )
    .fetch_one(&mut db)
    .await
    .expect("an answer");
    assert!(unchanged);
    assert!(env.zoom.calls().is_empty() && env.zoom.refreshes() == 0);
    let dropped = raw_sql(AssertSqlSafe(format!(
        "drop owned by {role}; drop role {role}"
    )));
    dropped.execute(&mut db).await.expect("no role");
    drop(db);
    env.end().await;
}
