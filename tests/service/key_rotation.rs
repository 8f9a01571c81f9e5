//! Stored tokens are re-encrypted with a new key.

use livestream_bot::account::reseal::reseal;
use livestream_bot::crypto::vault::{Context, Vault};
use livestream_bot::db;
use livestream_bot::demo::slack::TEAM;
use livestream_bot::demo::zoom::{Fault, SCOPES};
use livestream_bot::demo::{DANA, ELI};
use secrecy::{ExposeSecret, SecretString};

use crate::support::fixtures::world_with;
use crate::support::install::install;
use crate::support::slack::{send, type_and_read};

#[tokio::test]
async fn bot_tokens_are_re_encrypted_with_the_rest() {
    let old = Vault::generate_keys();
    let new = Vault::generate_keys().expose_secret().replace("k1:", "k2:");
    let world = world_with(|config| config.token_keys = old.clone()).await;
    install(&world, "acme").await;
    // Eli's permission waits to be withdrawn.
    world.zoom.fail_next_revoke(Fault::error(503, 0, ""));
    send(&world, &world.slack.type_command(ELI.slack, "disconnect")).await;
    let both = format!("{new},{}", old.expose_secret()).into();
    let pool = db::pool(world.database.clone());
    let vault = Vault::from_keys(&both).expect("valid keys");
    let resealed = reseal(&pool, &vault).await.expect("re-encrypted tokens");
    assert_eq!(
        resealed.count, 3,
        "a grant, a withdrawal and an installation"
    );
    let sealed: Vec<u8> = sqlx::query_scalar("select bot_token from installation")
        .fetch_one(&pool)
        .await
        .expect("a row");
    let vault = Vault::from_keys(&new.into()).expect("valid keys");
    vault
        .open(Context::BotToken(TEAM), &sealed)
        .expect("a token encrypted with the new key");
    let sealed: Vec<u8> = sqlx::query_scalar("select refresh_token from withdrawal")
        .fetch_one(&pool)
        .await
        .expect("a row");
    vault
        .open(Context::RefreshToken(ELI.zoom), &sealed)
        .expect("a token encrypted with the new key");
    sqlx::query("delete from withdrawal")
        .execute(&pool)
        .await
        .expect("a delete");
    pool.close().await;
    world.end().await;
}

#[tokio::test]
async fn keys_are_rotated_while_the_service_runs() {
    let old = Vault::generate_keys();
    let both: SecretString = format!(
        "{},{}",
        Vault::generate_keys().expose_secret().replace("k1:", "k2:"),
        old.expose_secret()
    )
    .into();
    let world = world_with(|config| config.token_keys = old).await;
    // It answers once it has looked whether its keys are the right ones.
    send(&world, &world.slack.type_command(DANA.slack, "help")).await;
    let pool = db::pool(world.database.clone());
    let vault = Vault::from_keys(&both).expect("valid keys");
    assert_eq!(
        reseal(&pool, &vault)
            .await
            .expect("re-encrypted tokens")
            .count,
        2
    );
    let again = reseal(&pool, &vault).await.expect("a count");
    assert_eq!((again.count, again.failed.len()), (0, 0));
    let unknown = Vault::from_keys(&Vault::generate_keys()).expect("valid keys");
    let resealed = reseal(&pool, &unknown).await.expect("a count");
    assert_eq!((resealed.count, resealed.failed.len()), (0, 2));
    let failed = resealed.failed.to_string();
    assert!(
        failed.contains("sealed with key \"k2\", which TOKEN_KEYS does not hold"),
        "{failed}"
    );
    pool.close().await;
    world.end().await;

    let world = world_with(|config| config.token_keys = both).await;
    world.link(DANA, SCOPES).await.expect("a link");
    assert!(
        type_and_read(&world, DANA, "start 68423085")
            .await
            .contains("going live")
    );
    world.end().await;
}
