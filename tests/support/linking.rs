//! Linking an account.

use livestream_bot::demo::slack::{Place, TOWN_HALL};
use livestream_bot::demo::{FAY, Person, World};
use reqwest::{Response, StatusCode};
use serde_json::Value;

use super::slack::send;
use super::world::connect;

/// The cookie of the linking pages.
pub(crate) const LINK: &str = "__Host-link";

pub(crate) fn location(answer: &Response) -> String {
    assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{answer:?}");
    assert_eq!(answer.headers()["referrer-policy"], "no-referrer");
    answer.headers()["location"]
        .to_str()
        .expect("ASCII")
        .to_owned()
}

/// Types `connect`, and returns the link that only this person reads.
pub(crate) async fn offer(world: &World, person: Person, text: &str) -> String {
    offer_at(world, TOWN_HALL, person, text).await
}

pub(crate) async fn offer_at(world: &World, place: Place, person: Person, text: &str) -> String {
    let answer = send(world, &world.slack.type_at(place, person.slack, text)).await;
    assert_eq!(answer.body["response_type"], "ephemeral");
    url(&answer.body).unwrap_or_else(|| panic!("a link: {answer:?}"))
}

pub(crate) fn url(message: &Value) -> Option<String> {
    let buttons = message["blocks"]
        .as_array()?
        .iter()
        .find(|block| block["type"] == "actions")?;
    buttons["elements"]
        .as_array()?
        .iter()
        .find_map(|button| Some(button["url"].as_str()?.to_owned()))
}

pub(crate) async fn linked_zoom_user(world: &World, person: Person) -> Option<String> {
    sqlx::query_scalar(
        "select zoom_user_id from zoom_link where team_id = 'T0ACME' and user_id = $1",
    )
    .bind(person.slack)
    .fetch_optional(&mut connect(world).await)
    .await
    .expect("a row or none")
}

/// Nothing is bound, no session is left, and the page says so.
pub(crate) async fn assert_nothing_bound(world: &World, page: Response, status: u16, says: &str) {
    assert_eq!(page.status().as_u16(), status);
    let policy = page.headers()["content-security-policy"]
        .to_str()
        .expect("ASCII");
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    let page = page.text().await.expect("a page");
    assert!(page.contains(says), "{page}");
    assert_eq!(linked_zoom_user(world, FAY).await, None);
}
