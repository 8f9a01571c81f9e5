//! Installing the app, and when it leaves.

use livestream_bot::crypto::vault::{Context, Vault};
use livestream_bot::demo::slack::Event;
use livestream_bot::demo::{Person, World};
use reqwest::Response;
use secrecy::ExposeSecret;

use super::browser::Browser;
use super::linking::location;
use super::world::{connect, queue_is_empty};

/// The cookie of the install page.
pub(crate) const INSTALL: &str = "__Host-install";

/// Goes the way of an installation; the last page.
pub(crate) async fn install(world: &World, choice: &str) -> Response {
    let mut browser = Browser::new(INSTALL);
    let slack = location(
        &browser
            .get(&format!("{}/slack/install", world.service))
            .await,
    );
    let back = world.slack.install(&slack, choice).await.expect("chosen");
    browser.get(&back).await
}

/// The token we keep for a place, opened.
pub(crate) async fn kept_token(world: &World, place: &str) -> Option<String> {
    let sealed: Option<Vec<u8>> =
        sqlx::query_scalar("select bot_token from installation where place = $1")
            .bind(place)
            .fetch_optional(&mut connect(world).await)
            .await
            .expect("a row or none")
            .flatten();
    let vault = Vault::from_keys(&world.config.token_keys).expect("keys");
    let token = vault
        .open(Context::BotToken(place), &sealed?)
        .expect("it opens");
    Some(token.expose_secret().to_owned())
}

/// Whether the permission was withdrawn at Zoom.
pub(crate) fn is_withdrawn(world: &World, person: Person) -> bool {
    world
        .zoom
        .revocations()
        .iter()
        .any(|user| user == person.zoom)
}

pub(crate) async fn installations(world: &World) -> i64 {
    sqlx::query_scalar("select count(*) from installation")
        .fetch_one(&mut connect(world).await)
        .await
        .expect("a count")
}

pub(crate) async fn tell(world: &World, event: &Event) {
    let answer = world.slack.send_event(&world.service, event).await;
    assert_eq!(answer.expect("an answer").status, 200);
}

/// A day and a minute pass for what the app left.
pub(crate) async fn let_a_day_pass(world: &World) {
    let pass = "update installation set left_at = left_at - interval '24 hours 1 minute';
        update zoom_link set created_at = created_at - interval '24 hours 1 minute';
        update graphile_worker._private_jobs set run_at = run_at - interval '24 hours 1 minute'";
    sqlx::raw_sql(pass)
        .execute(&mut connect(world).await)
        .await
        .expect("time passes");
    queue_is_empty(&world.database).await;
}
