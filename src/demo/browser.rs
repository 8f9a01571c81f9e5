//! What a person's browser does with the pages of a stand-in.

use std::time::Duration;

use anyhow::{Context, ensure};
use reqwest::header::LOCATION;
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode};
use url::Url;

use super::page::{CHOICE, unescape};

/// Both vendors give the service 3 s, and follow no redirect of its.
#[expect(
    clippy::disallowed_methods,
    reason = "the stand-ins have a client of their own, with the vendors' limit"
)]
pub(super) fn client() -> reqwest::Result<Client> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .timeout(Duration::from_secs(3))
        .redirect(Policy::none())
        .build()
}

/// Opens a page, presses the button of this choice, and returns the address that the
/// browser is then sent to.
pub(super) async fn choose(http: &Client, url: &str, choice: &str) -> anyhow::Result<String> {
    let url: Url = url.parse().context("that is no address")?;
    let response = http.get(url.clone()).send().await?;
    let status = response.status();
    let html = response.text().await?;
    ensure!(status == StatusCode::OK, "the page is a {status}: {html}");
    ensure!(
        html.contains(&format!(r#"name="{CHOICE}" value="{choice}""#)),
        "the page has no button for {choice}"
    );
    let action = attribute(&html, "action").context("the page has no form")?;
    let mut fields: Vec<(String, String)> = html
        .split("<input type=\"hidden\"")
        .skip(1)
        .map(|input| Some((attribute(input, "name")?, attribute(input, "value")?)))
        .collect::<Option<_>>()
        .context("a hidden field has no name or no value")?;
    fields.push((CHOICE.to_owned(), choice.to_owned()));
    let response = http.post(url.join(&action)?).form(&fields).send().await?;
    let status = response.status();
    ensure!(
        status == StatusCode::SEE_OTHER,
        "the choice is a {status}: {}",
        response.text().await?
    );
    let location = response
        .headers()
        .get(LOCATION)
        .context("it leads nowhere")?;
    Ok(location.to_str()?.to_owned())
}

/// The first attribute of this name.
fn attribute(html: &str, name: &str) -> Option<String> {
    let (_, rest) = html.split_once(&format!(" {name}=\""))?;
    let (value, _) = rest.split_once('"')?;
    Some(unescape(value))
}
