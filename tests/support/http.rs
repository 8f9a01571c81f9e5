//! Plain HTTP requests, without cookies.

use reqwest::Client;

pub(crate) async fn readiness(service: &str) -> (u16, String) {
    get(&format!("{service}/readyz")).await
}

pub(crate) async fn get(url: &str) -> (u16, String) {
    let answer = reqwest::get(url).await.expect("a response");
    (
        answer.status().as_u16(),
        answer.text().await.expect("a body"),
    )
}

pub(crate) fn client() -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    #[expect(
        clippy::disallowed_methods,
        reason = "a client that is not the service's"
    )]
    Client::new()
}
