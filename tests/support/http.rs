//! Plain HTTP requests, without cookies.

use std::time::Duration;

use reqwest::Client;

/// How long a change of the service's state may take.
const READINESS_CHANGES_WITHIN: Duration = Duration::from_secs(30);

/// The status and the body of `/readyz`.
pub(crate) async fn readiness(service: &str) -> (u16, String) {
    get(&format!("{service}/readyz")).await
}

/// Waits until `/readyz` responds with this status and this body.
pub(crate) async fn wait_for_readiness(service: &str, status: u16, body: &str) {
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    let mut last = (0, String::new());
    let changed = async {
        while last != (status, body.to_owned()) {
            ticks.tick().await;
            last = readiness(service).await;
        }
    };
    let is_in_time = tokio::time::timeout(READINESS_CHANGES_WITHIN, changed)
        .await
        .is_ok();
    assert!(
        is_in_time,
        "/readyz did not become {status} {body:?}: {last:?}"
    );
}

/// The status and the body of a page.
pub(crate) async fn get(url: &str) -> (u16, String) {
    let response = reqwest::get(url).await.expect("a response");
    (
        response.status().as_u16(),
        response.text().await.expect("a body"),
    )
}

/// A client without any limits.
pub(crate) fn client() -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    #[expect(
        clippy::disallowed_methods,
        reason = "a client that is not the service's"
    )]
    Client::new()
}
