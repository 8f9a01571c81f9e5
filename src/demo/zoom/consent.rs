//! How a person lets the app into a Zoom account, and the end of it:
//! <https://developers.zoom.us/docs/integrations/oauth/>.

use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use sha2::{Digest, Sha256};
use url::Url;

use super::super::browser;
use super::super::page::{CHOICE, Question, redirect, refusal};
use super::super::params::Fields;
use super::super::people::{PEOPLE, Person};
use super::fault::{Fault, respond, token_error};
use super::state::{CLIENT_ID, Consent, SCOPES, Zoom, ZoomState};

const HOST: &str = "Demo Zoom";
const AUTHORIZE: &str = "/oauth/authorize";
const DECLINE: &str = "decline";
/// Zoom's limit for a code.
const CODE_LIFE: Duration = Duration::from_mins(5);

impl Zoom {
    /// A person opens the page in a browser and allows what the app wants; returns the
    /// address that the browser is then sent back to.
    pub async fn consent(&self, authorize_url: &str, person: Person) -> anyhow::Result<String> {
        browser::choose(&self.http, authorize_url, person.zoom).await
    }

    /// The same, but the person does not want to.
    pub async fn decline(&self, authorize_url: &str) -> anyhow::Result<String> {
        browser::choose(&self.http, authorize_url, DECLINE).await
    }

    /// The scopes that the next consent grants, instead of all that the app needs.
    pub fn grant_scope_next(&self, scope: &str) {
        self.lock().next_scope = Some(scope.to_owned());
    }

    /// What the next attempt to give tokens back gets.
    pub fn fail_next_revoke(&self, fault: Fault) {
        self.lock().revoke_faults.push_back(fault);
    }

    /// The users whose tokens the app has given back.
    pub fn revocations(&self) -> Vec<String> {
        self.lock().revocations.clone()
    }
}

pub(super) fn routes() -> Router<Zoom> {
    Router::new()
        .route(AUTHORIZE, get(ask).post(decide))
        .route("/oauth/revoke", post(revoke))
}

async fn ask(RawQuery(query): RawQuery) -> Response {
    let (fields, _) = match read(query.unwrap_or_default().as_bytes()) {
        Ok(asked) => asked,
        Err(problem) => return refusal(HOST, problem),
    };
    let mut choices: Vec<_> = PEOPLE
        .iter()
        .map(|person| (person.zoom, format!("Allow as {}", person.email)))
        .collect();
    choices.push((DECLINE, "Decline".to_owned()));
    let question = Question {
        host: HOST,
        text: "An app wants to start and stop the livestreams of your meetings, \
               and to know who you are.",
        action: AUTHORIZE,
        fields: &fields,
        choices,
    };
    question.page()
}

async fn decide(State(zoom): State<Zoom>, body: Bytes) -> Response {
    let (fields, to) = match read(&body) {
        Ok(asked) => asked,
        Err(problem) => return refusal(HOST, problem),
    };
    let state = ("state", fields.get("state"));
    let choice = fields.get(CHOICE);
    if choice == DECLINE {
        return redirect(to, &[("error", "access_denied"), state]);
    }
    let Some(person) = PEOPLE.into_iter().find(|person| person.zoom == choice) else {
        return refusal(HOST, "There is no such user here.");
    };
    let code = format!("demo-zoom-code-{:032x}", rand::random::<u128>());
    let mut inner = zoom.lock();
    let scope = inner.next_scope.take();
    let consent = Consent {
        user: person.zoom,
        scope: scope.unwrap_or_else(|| SCOPES.to_owned()),
        redirect_uri: fields.get("redirect_uri").to_owned(),
        code_challenge: fields.get("code_challenge").to_owned(),
        made_at: Instant::now(),
    };
    inner.consents.insert(code.clone(), consent);
    redirect(to, &[("code", &code), state])
}

/// What the app asks for, and where it wants the answer.
fn read(encoded: &[u8]) -> Result<(Fields, Url), &'static str> {
    let fields = Fields::read(encoded)?;
    if fields.get("client_id") != CLIENT_ID {
        return Err("Invalid client_id (4,700)");
    }
    let to = fields.redirect_uri()?;
    if fields.get("response_type") != "code" {
        return Err("Invalid response type");
    }
    // Zoom takes the scopes from the app's own settings.
    if fields.has("scope") {
        return Err("Invalid scope");
    }
    // A SHA-256 in base64 has 43 characters.
    if fields.get("code_challenge_method") != "S256" || fields.get("code_challenge").len() != 43 {
        return Err("Invalid code challenge");
    }
    if fields.get("state").is_empty() {
        return Err("Missing state");
    }
    Ok((fields, to))
}

/// The pair that an authorization code is good for, once.
pub(super) fn exchange(inner: &mut ZoomState, form: &Fields) -> Response {
    let consent = inner
        .consents
        .remove(form.get("code"))
        .filter(|consent| consent.made_at.elapsed() < CODE_LIFE);
    let Some(consent) = consent else {
        return token_error(400, "invalid_grant", "Invalid authorization code");
    };
    if consent.redirect_uri != form.get("redirect_uri") {
        return token_error(400, "invalid_request", "Redirect URI mismatch");
    }
    let verifier = form.get("code_verifier");
    if !(43..=128).contains(&verifier.len())
        || URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)) != consent.code_challenge
    {
        return token_error(400, "invalid_grant", "Invalid code verifier");
    }
    inner.grant(consent.user, &consent.scope).answer()
}

async fn revoke(
    State(zoom): State<Zoom>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let fault = zoom.lock().revoke_faults.pop_front();
    respond(&zoom.waiting, fault, || {
        withdraw(&zoom, query.as_deref(), &headers, &body)
    })
    .await
}

fn withdraw(zoom: &Zoom, query: Option<&str>, headers: &HeaderMap, body: &[u8]) -> Response {
    let mut inner = zoom.lock();
    if !inner.is_client(headers) {
        return token_error(401, "invalid_client", "Invalid client_id or client_secret");
    }
    let form = Fields::read(body).ok().filter(|_| query.is_none());
    let user = form.and_then(|form| inner.withdraw(form.get("token")));
    let Some(user) = user else {
        return token_error(400, "invalid_request", "Invalid Token!");
    };
    inner.revocations.push(user);
    Json(json!({ "status": "success" })).into_response()
}
