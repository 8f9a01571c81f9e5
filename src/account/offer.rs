//! One-time links, with which people begin to link an account.

use chrono::{TimeDelta, Utc};
use secrecy::SecretString;

use crate::app::{App, Pages};
use crate::command::Interrupted;
use crate::crypto::browser::Token;
use crate::crypto::vault::Context;
use crate::db::link_offers::{self, NewOffer};
use crate::ids::Asker;

/// How long an offer can be opened.
const OFFER_LIFETIME: TimeDelta = TimeDelta::minutes(10);

/// Makes a one-time link for the person who typed; `response_url` is told how it ends, or
/// their App Home where there is none.
pub async fn offer(
    app: &App,
    asker: &Asker,
    interrupted: Option<&Interrupted>,
    response_url: Option<&SecretString>,
) -> sqlx::Result<Option<String>> {
    make_offer(app, asker, interrupted, response_url, false).await
}

/// Makes a one-time link with which an admin links an account for their workspace.
pub async fn offer_shared(app: &App, admin: &Asker) -> sqlx::Result<Option<String>> {
    make_offer(app, admin, None, None, true).await
}

async fn make_offer(
    app: &App,
    asker: &Asker,
    interrupted: Option<&Interrupted>,
    response_url: Option<&SecretString>,
    is_shared: bool,
) -> sqlx::Result<Option<String>> {
    let Some(Pages { sign_in, .. }) = &app.pages else {
        return Ok(None);
    };
    let token = Token::random();
    let hash = token.hash();
    let name = hex::encode(&hash);
    let response_url = response_url.map(|url| app.vault.seal(Context::OfferUrl(&name), url));
    let offer = NewOffer {
        token_hash: &hash,
        asker,
        command_text: interrupted.map(ToString::to_string),
        response_url: response_url.as_deref(),
        is_shared,
        expires_at: Utc::now() + OFFER_LIFETIME,
    };
    link_offers::store(&app.db, &offer).await?;
    Ok(Some(sign_in.page(&format!("/link/{}", token.expose()))))
}
