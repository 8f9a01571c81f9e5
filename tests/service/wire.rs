//! The record of the exchanges between Slack, the service and Zoom.

use livestream_bot::demo::slack::{self, SIGNING_SECRET};
use livestream_bot::demo::wire::Wire;
use livestream_bot::demo::zoom::{self, Fault, SCOPES};
use livestream_bot::demo::{ADA, DANA, FAY, World};

use crate::support::admin_browser::AdminBrowser;
use crate::support::database;
use crate::support::fixtures::MEETING;
use crate::support::slack::{type_and_read, type_and_read_at_once};
use crate::support::world::TestWorld;

#[tokio::test]
async fn the_record_shows_what_passed_and_no_secret() {
    let wire = Wire::recording();
    let database = database::create().await;
    let world = World::start_on(wire.clone(), database, |_| ()).await;
    let world = TestWorld::new(world.expect("a world"));
    world.install("acme").await.expect("an installation");
    let tokens = world.zoom.authorize(DANA.zoom, SCOPES);
    world.link(DANA, SCOPES).await.expect("a link");
    world.zoom.schedule(MEETING, DANA.zoom, None);
    world.zoom.begin(MEETING);
    let linked = world
        .link_by_the_pages(FAY, FAY)
        .await
        .expect("a linked account");
    assert!(linked.contains("Your accounts are linked"), "{linked}");

    // A request with its response, a refresh, and a request without a response.
    world.zoom.expire_access_token(DANA.zoom);
    let read = type_and_read(&world, DANA, "start 68423085").await;
    assert!(read.contains("is going live"), "{read}");
    world.zoom.fail_next(Fault::Hang);
    let read = type_and_read(&world, DANA, "stop 68423085").await;
    assert!(read.contains("Zoom did not answer"), "{read}");
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    admin
        .add_destination("townhall", "a-key-of-the-town-hall")
        .await;
    let noted = type_and_read_at_once(&world, DANA, "ended 68423085").await;
    assert!(noted.contains("is over"), "{noted}");
    world.zoom.end(MEETING);
    world.zoom.begin(MEETING);
    let read = type_and_read(&world, DANA, "start 68423085 to=townhall").await;
    assert!(read.contains("going live on townhall"), "{read}");
    for typed in [
        "start 68423085 stream_key=a-key-that-is-typed",
        "start 68423085 to=rtmps://a.example/live/a-key-that-is-typed",
    ] {
        let read = type_and_read_at_once(&world, DANA, typed).await;
        assert!(read.contains("does not belong in Slack"), "{read}");
    }
    let exchanges = wire.exchanges();
    let is_told = |from: &str, to: &str, path: &str, status: Option<u16>| {
        exchanges.iter().any(|exchange| {
            exchange.from == from
                && exchange.to == to
                && exchange.path == path
                && exchange.status == status
                && exchange.is_broken == status.is_none()
        })
    };
    let livestream = "/v2/meetings/68423085/livestream/status";
    assert!(is_told(
        "Slack",
        "livestream-bot",
        "/slack/commands",
        Some(200)
    ));
    assert!(is_told("livestream-bot", "Zoom", livestream, Some(401)));
    assert!(is_told("livestream-bot", "Zoom", "/oauth/token", Some(200)));
    assert!(is_told("livestream-bot", "Zoom", livestream, Some(204)));
    let destination = "/v2/meetings/68423085/livestream";
    assert!(is_told("livestream-bot", "Zoom", destination, Some(204)));
    assert!(
        is_told("livestream-bot", "Zoom", livestream, None),
        "{exchanges:#?}"
    );

    // Slack's public keys are long, and not secret.
    let (_, rest): (Vec<_>, Vec<_>) = exchanges
        .iter()
        .partition(|exchange| exchange.path == "/openid/connect/keys");
    let text = serde_json::to_string(&rest).expect("valid JSON");
    let mut secrets = vec![
        SIGNING_SECRET.to_owned(),
        slack::CLIENT_SECRET.to_owned(),
        zoom::CLIENT_SECRET.to_owned(),
        tokens.access_token,
        tokens.refresh_token,
        "xoxb-0".to_owned(),
        "a-key-of-the-town-hall".to_owned(),
        "a-key-that-is-typed".to_owned(),
    ];
    for call in world.zoom.calls() {
        secrets.push(call.authorization.replace("Bearer ", ""));
    }
    for post in world.slack.posted() {
        secrets.push(post.trigger);
    }
    for secret in secrets {
        assert!(!text.contains(&secret), "{secret} is in {text}");
    }
    let long = text
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_')
        .find(|word| word.len() > 40);
    assert_eq!(long, None, "this word may be a secret");
    world.end().await;
}
