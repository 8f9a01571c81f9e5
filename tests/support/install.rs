//! Installing the app, and what is left when it is uninstalled.

use livestream_bot::crypto::vault::{Context, Vault};
use livestream_bot::demo::slack::Event;
use livestream_bot::demo::{Person, World};
use secrecy::ExposeSecret;

use super::browser::{Browser, Page};
use super::world::{connect, wait_for_empty_queue};

/// The cookie of the install page.
const COOKIE: &str = "__Host-install";

impl Browser {
    /// Opens the install page of the service at this address. Returns the address of Slack's
    /// page that asks where to install.
    pub(crate) async fn open_install_page(&mut self, service: &str) -> String {
        let page = self.get(&format!("{service}/slack/install")).await;
        assert!(self.cookies.keys().eq([COOKIE]), "{:?}", self.cookies);
        page.location()
    }
}

/// Installs the app into a workspace or an organisation, by the pages. Returns the last page.
pub(crate) async fn install(world: &World, choice: &str) -> Page {
    let mut browser = Browser::new();
    let slack = browser.open_install_page(&world.service).await;
    let back = world.slack.install(&slack, choice).await;
    browser
        .come_back(&back.expect("a redirect from Slack"))
        .await
}

/// The stored bot token of a workspace or an organisation, decrypted.
pub(crate) async fn stored_bot_token(world: &World, place: &str) -> Option<String> {
    let sealed: Option<Vec<u8>> =
        sqlx::query_scalar("select bot_token from installation where tenant_id = $1")
            .bind(place)
            .fetch_optional(&mut connect(world).await)
            .await
            .expect("an installation or none")
            .flatten();
    let vault = Vault::from_keys(&world.config.token_keys).expect("valid keys");
    let token = vault.open(Context::BotToken(place), &sealed?);
    Some(token.expect("a bot token").expose_secret().to_owned())
}

/// Whether a person's permission was revoked at Zoom.
pub(crate) fn is_revoked(world: &World, person: Person) -> bool {
    world.zoom.revocations().contains(&person.zoom.to_owned())
}

/// How many installations there are.
pub(crate) async fn installations(world: &World) -> i64 {
    sqlx::query_scalar("select count(*) from installation")
        .fetch_one(&mut connect(world).await)
        .await
        .expect("a count")
}

/// Sends an event, which the service accepts.
pub(crate) async fn send_event(world: &World, event: &Event) {
    let answer = world.slack.send_event(&world.service, event).await;
    assert_eq!(answer.expect("a response").status, 200);
}

/// Makes an uninstallation look a day and a minute old, and waits for the jobs due by then.
pub(crate) async fn let_a_day_pass(world: &World) {
    let pass =
        "update installation set uninstalled_at = uninstalled_at - interval '24 hours 1 minute';
        update zoom_link set created_at = created_at - interval '24 hours 1 minute';
        update graphile_worker._private_jobs set run_at = run_at - interval '24 hours 1 minute'";
    sqlx::raw_sql(pass)
        .execute(&mut connect(world).await)
        .await
        .expect("an update");
    wait_for_empty_queue(&world.database).await;
}
