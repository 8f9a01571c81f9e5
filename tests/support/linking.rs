//! Linking an account, by the pages that people use.

use livestream_bot::demo::slack::{Channel, TOWN_HALL};
use livestream_bot::demo::{FAY, Person, World};
use reqwest::StatusCode;
use serde_json::Value;

use super::browser::{Browser, Page};
use super::slack::send;
use super::world::connect;

/// The cookie of the linking pages.
const COOKIE: &str = "__Host-link";

impl Browser {
    /// Opens a link. Returns the address of Slack's sign-in page.
    pub(crate) async fn open_link(&mut self, link: &str) -> String {
        let slack = self.get(link).await.location();
        assert!(self.cookies.keys().eq([COOKIE]), "{:?}", self.cookies);
        slack
    }

    /// Opens a link and signs in with Slack. Returns the address of Zoom's consent page.
    pub(crate) async fn sign_in(&mut self, world: &World, link: &str, person: Person) -> String {
        let slack = self.open_link(link).await;
        let back = world.slack.sign_in(&slack, person).await;
        let page = self.come_back(&back.expect("a redirect from Slack")).await;
        page.location()
    }

    /// Opens a link, signs in with Slack and consents at Zoom. Returns the address at which the
    /// service is told.
    pub(crate) async fn consent(
        &mut self,
        world: &World,
        link: &str,
        person: Person,
        zoom: Person,
    ) -> String {
        let consent = self.sign_in(world, link, person).await;
        let back = world.zoom.consent(&consent, zoom).await;
        back.expect("a redirect from Zoom")
    }

    /// Opens a link, signs in with Slack and consents at Zoom. Returns the CSRF
    /// token and the text of the page that asks whether to link the accounts.
    pub(crate) async fn reach_confirmation(
        &mut self,
        world: &World,
        link: &str,
        person: Person,
        zoom: Person,
    ) -> (String, String) {
        let back = self.consent(world, link, person, zoom).await;
        let redirect = self.get(&back).await;
        assert_eq!(redirect.location(), "/confirm");
        let page = self.follow(redirect).await;
        assert_eq!(page.status, StatusCode::OK);
        (page.hidden_field("csrf").to_owned(), page.body)
    }

    /// Answers that page. Returns the page that shows what was done.
    pub(crate) async fn answer(&mut self, world: &World, csrf: &str, answer: &str) -> Page {
        let url = format!("{}/confirm", world.service);
        let form = [("csrf", csrf), ("answer", answer)];
        let page = self.post(&url, &form).await;
        self.follow(page).await
    }

    /// Goes all the way, and links the accounts. Returns the last page's text.
    pub(crate) async fn link(
        &mut self,
        world: &World,
        link: &str,
        person: Person,
        zoom: Person,
    ) -> String {
        let (csrf, _) = self.reach_confirmation(world, link, person, zoom).await;
        let page = self.answer(world, &csrf, "link").await;
        assert_eq!(page.status, StatusCode::OK);
        page.body
    }
}

/// Types `connect` in the town hall. Returns the link, which nobody else sees.
pub(crate) async fn request_link(world: &World, person: Person) -> String {
    request_link_at(world, TOWN_HALL, person).await
}

/// Types `connect` anywhere. Returns the link, which nobody else sees.
pub(crate) async fn request_link_at(world: &World, place: Channel, person: Person) -> String {
    let typed = world.slack.type_at(place, person.slack, "connect");
    let answer = send(world, &typed).await;
    assert_eq!(answer.body["response_type"], "ephemeral");
    link_in(&answer.body).unwrap_or_else(|| panic!("no link: {answer:?}"))
}

/// The address that a button of the message leads to.
pub(crate) fn link_in(message: &Value) -> Option<String> {
    let blocks = message["blocks"].as_array()?;
    let buttons = blocks.iter().find(|block| block["type"] == "actions")?;
    let mut buttons = buttons["elements"].as_array()?.iter();
    buttons.find_map(|button| Some(button["url"].as_str()?.to_owned()))
}

/// The Zoom user that a person of Acme is linked to.
pub(crate) async fn linked_zoom_user(world: &World, person: Person) -> Option<String> {
    sqlx::query_scalar(
        "select zoom_user_id from zoom_link where team_id = 'T0ACME' and user_id = $1",
    )
    .bind(person.slack)
    .fetch_optional(&mut connect(world).await)
    .await
    .expect("a link or none")
}

/// The page has this status and says this, and Fay is not linked.
pub(crate) async fn assert_not_linked(world: &World, page: &Page, status: u16, says: &str) {
    assert_eq!(page.status.as_u16(), status);
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    assert!(page.body.contains(says), "{page:?}");
    assert_eq!(linked_zoom_user(world, FAY).await, None);
}

/// The next command has to refresh the tokens of this Zoom user.
pub(crate) async fn expire_tokens(world: &World, zoom_user: &str) {
    world.zoom.expire_access_token(zoom_user);
    sqlx::query("update zoom_grant set expires_at = now() where zoom_user_id = $1")
        .bind(zoom_user)
        .execute(&mut connect(world).await)
        .await
        .expect("an update");
}
