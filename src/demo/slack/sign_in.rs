//! Slack as an `OpenID` provider: <https://docs.slack.dev/authentication/sign-in-with-slack>.

use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use url::Url;

use super::super::browser;
use super::super::page::{CHOICE, Question, elsewhere, redirect, refusal};
use super::super::params::Fields;
use super::super::people::{PEOPLE, Person};
use super::app::CLIENT_ID;
use super::channel::{Channel, ORG_OTHER, ORG_TOWN_HALL, TOWN_HALL};
use super::fault::problem;
use super::id_token::{Identity, Tamper, id_token, key_set};
use super::state::{SignIn, Slack};
use super::web_api::{bearer, client_form};

const HOST: &str = "Demo Slack";
const AUTHORIZE: &str = "/openid/connect/authorize";
const CANCEL: &str = "cancel";
/// Slack's limit for a code.
const CODE_LIFE: Duration = Duration::from_mins(10);
impl Slack {
    /// What is wrong with the next `id_token`, and with no other.
    pub fn next_id_token(&self, tamper: Tamper) {
        self.lock().tamper = Some(tamper);
    }

    /// A person opens the page in a browser and signs in; returns the address that the
    /// browser is then sent back to.
    pub async fn sign_in(&self, authorize_url: &str, person: Person) -> anyhow::Result<String> {
        browser::choose(&self.http, authorize_url, person.slack).await
    }

    /// The same, but the person does not want to.
    pub async fn cancel_sign_in(&self, authorize_url: &str) -> anyhow::Result<String> {
        browser::choose(&self.http, authorize_url, CANCEL).await
    }
}

/// <https://docs.slack.dev/interactivity/deep-linking>
async fn app_redirect() -> Response {
    elsewhere(
        "Demo Slack",
        "Slack would open here, at the app. Go back to the playground's tab.",
    )
}

pub(super) fn routes() -> Router<Slack> {
    Router::new()
        .route("/app_redirect", get(app_redirect))
        .route("/.well-known/openid-configuration", get(configuration))
        .route("/openid/connect/keys", get(keys))
        .route(AUTHORIZE, get(ask).post(decide))
        .route("/api/openid.connect.token", post(token))
        .route(
            "/api/openid.connect.userInfo",
            get(user_info).post(user_info),
        )
}

async fn configuration(State(slack): State<Slack>) -> Json<Value> {
    let url = slack.url();
    Json(json!({
        "issuer": url,
        "authorization_endpoint": format!("{url}{AUTHORIZE}"),
        "token_endpoint": format!("{url}/api/openid.connect.token"),
        "userinfo_endpoint": format!("{url}/api/openid.connect.userInfo"),
        "jwks_uri": format!("{url}/openid/connect/keys"),
        "scopes_supported": ["openid", "profile", "email"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["form_post"],
        "grant_types_supported": ["authorization_code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "claims_supported": ["sub", "auth_time", "iss"],
        "claims_parameter_supported": false,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": true,
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
    }))
}

async fn keys() -> Json<Value> {
    Json(key_set())
}

async fn ask(RawQuery(query): RawQuery) -> Response {
    let asked = read(query.unwrap_or_default().as_bytes());
    let (fields, _) = match asked {
        Ok(asked) => asked,
        Err(problem) => return refusal(HOST, problem),
    };
    let mut choices: Vec<_> = PEOPLE
        .iter()
        .map(|person| (person.slack, format!("{} ({})", person.name, person.slack)))
        .collect();
    choices.push((CANCEL, "Cancel".to_owned()));
    let text = match place(&fields) {
        ORG_TOWN_HALL => "An app wants to know who you are. Sign in to Globex West as:",
        ORG_OTHER => "An app wants to know who you are. Sign in to Globex East as:",
        _ => "An app wants to know who you are. Sign in to the workspace Acme as:",
    };
    let question = Question {
        host: HOST,
        text,
        action: AUTHORIZE,
        fields: &fields,
        choices,
    };
    question.page()
}

async fn decide(State(slack): State<Slack>, body: Bytes) -> Response {
    let (fields, to) = match read(&body) {
        Ok(asked) => asked,
        Err(problem) => return refusal(HOST, problem),
    };
    let state = ("state", fields.get("state"));
    let choice = fields.get(CHOICE);
    if choice == CANCEL {
        return redirect(to, &[("error", "access_denied"), state]);
    }
    let Some(person) = PEOPLE.into_iter().find(|person| person.slack == choice) else {
        return refusal(HOST, "There is nobody of that id here.");
    };
    let code = format!("demo-slack-code-{:032x}", rand::random::<u128>());
    let sign_in = SignIn {
        identity: Identity {
            person,
            place: place(&fields),
        },
        nonce: fields.get("nonce").to_owned(),
        redirect_uri: fields.get("redirect_uri").to_owned(),
        made_at: Instant::now(),
    };
    slack.lock().sign_ins.insert(code.clone(), sign_in);
    redirect(to, &[("code", &code), state])
}

/// The workspace that the app asks for, if it is there.
fn place(fields: &Fields) -> Channel {
    [ORG_TOWN_HALL, ORG_OTHER]
        .into_iter()
        .find(|place| place.team == fields.get("team"))
        .unwrap_or(TOWN_HALL)
}

/// What the app asks for, and where it wants the answer.
fn read(encoded: &[u8]) -> Result<(Fields, Url), &'static str> {
    let fields = Fields::read(encoded)?;
    if fields.get("client_id") != CLIENT_ID {
        return Err("invalid_client_id: there is no such app.");
    }
    let to = fields.redirect_uri()?;
    if fields.get("response_type") != "code" {
        return Err("unsupported_response_type: only code is.");
    }
    if !fields
        .get("scope")
        .split(' ')
        .any(|scope| scope == "openid")
    {
        return Err("invalid_scope: openid is missing.");
    }
    if fields.get("state").is_empty() || fields.get("nonce").is_empty() {
        return Err("invalid_arguments: state or nonce is missing.");
    }
    Ok((fields, to))
}

async fn token(State(slack): State<Slack>, headers: HeaderMap, body: Bytes) -> Json<Value> {
    Json(exchange(&slack, &headers, &body).unwrap_or_else(problem))
}

fn exchange(slack: &Slack, headers: &HeaderMap, body: &[u8]) -> Result<Value, &'static str> {
    let form = client_form(headers, body)?;
    if !["", "authorization_code"].contains(&form.get("grant_type")) {
        return Err("invalid_grant_type");
    }
    let mut state = slack.lock();
    let sign_in = state
        .sign_ins
        .remove(form.get("code"))
        .filter(|sign_in| sign_in.made_at.elapsed() < CODE_LIFE)
        .ok_or("invalid_code")?;
    if sign_in.redirect_uri != form.get("redirect_uri") {
        return Err("bad_redirect_uri");
    }
    let access_token = format!("demo-slack-access-{:032x}", rand::random::<u128>());
    let id_token = id_token(
        &slack.url(),
        sign_in.identity,
        &sign_in.nonce,
        &access_token,
        state.tamper.take(),
    );
    state
        .signed_in
        .insert(access_token.clone(), sign_in.identity);
    Ok(json!({
        "ok": true, "access_token": access_token, "token_type": "Bearer", "id_token": id_token,
    }))
}

async fn user_info(State(slack): State<Slack>, headers: HeaderMap) -> Json<Value> {
    let Some(bearer) = bearer(&headers) else {
        return Json(problem("not_authed"));
    };
    let identity = slack.lock().signed_in.get(bearer).copied();
    let Some(Identity { person, place }) = identity else {
        return Json(problem("invalid_auth"));
    };
    let mut claims = json!({
        "ok": true,
        "sub": person.slack,
        "https://slack.com/user_id": person.slack,
        "https://slack.com/team_id": place.team,
        "email": person.email,
        "email_verified": true,
        "name": person.name,
        "https://slack.com/team_name": place.team_name(),
        "https://slack.com/team_domain": place.team_domain(),
    });
    if let Some(enterprise) = place.enterprise {
        claims["https://slack.com/enterprise_id"] = enterprise.into();
        claims["https://slack.com/enterprise_name"] = place.enterprise_name().into();
    }
    Json(claims)
}
