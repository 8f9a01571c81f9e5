//! Slack as an `OpenID` provider: <https://docs.slack.dev/authentication/sign-in-with-slack>.

use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use url::Url;

use super::super::browser;
use super::super::page::{CHOICE, Question, redirect, refusal};
use super::super::params::Fields;
use super::super::people::{PEOPLE, Person};
use super::super::signature::unix_now;
use super::channel::{ORG_OTHER, ORG_TOWN_HALL, Place, TOWN_HALL};
use super::web_api::problem;
use super::{CLIENT_ID, CLIENT_SECRET, Slack};

const HOST: &str = "Demo Slack";
const AUTHORIZE: &str = "/openid/connect/authorize";
const CANCEL: &str = "cancel";
/// Slack's limit for a code.
const CODE_LIFE: Duration = Duration::from_mins(10);
/// For so many seconds an `id_token` is good.
const ID_TOKEN_LIFE: u64 = 300;
/// It signs what the stand-in says and nothing else; whoever reads this has it.
const KEY: &[u8] = include_bytes!("id_token_key.der");
const KEY_ID: &str = "demo-slack-1";

/// What is wrong with an `id_token`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tamper {
    Issuer,
    Audience,
    Nonce,
    Signature,
    /// It was good until an hour ago.
    Expired,
    /// The person is in another workspace.
    OtherTeam,
}

/// Somebody who has said who they are, before the app has asked.
#[derive(Debug)]
pub(super) struct SignIn {
    person: Person,
    /// Where they signed in.
    place: Place,
    nonce: String,
    redirect_uri: String,
    made_at: Instant,
}

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

pub(super) fn routes() -> Router<Slack> {
    Router::new()
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
    let public: PublicKeyComponents<Vec<u8>> = key().public().into();
    Json(json!({ "keys": [{
        "kid": KEY_ID, "kty": "RSA", "alg": "RS256", "use": "sig",
        "n": URL_SAFE_NO_PAD.encode(public.n), "e": URL_SAFE_NO_PAD.encode(public.e),
    }] }))
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
        person,
        place: place(&fields),
        nonce: fields.get("nonce").to_owned(),
        redirect_uri: fields.get("redirect_uri").to_owned(),
        made_at: Instant::now(),
    };
    slack.lock().sign_ins.insert(code.clone(), sign_in);
    redirect(to, &[("code", &code), state])
}

/// The workspace that the app asks for, if it is there.
fn place(fields: &Fields) -> Place {
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

/// The form of an app that proves who it is.
pub(super) fn client_form(headers: &HeaderMap, body: &[u8]) -> Result<Fields, &'static str> {
    let is_form = headers.get(CONTENT_TYPE).is_some_and(|value| {
        value
            .as_bytes()
            .starts_with(b"application/x-www-form-urlencoded")
    });
    if !is_form {
        return Err("invalid_post_type");
    }
    let form = Fields::read(body).map_err(|_| "invalid_form_data")?;
    let (id, secret) = basic(headers).unwrap_or_else(|| {
        let field = |name| form.get(name).to_owned();
        (field("client_id"), field("client_secret"))
    });
    if id != CLIENT_ID {
        return Err("invalid_client_id");
    }
    if secret != CLIENT_SECRET {
        return Err("bad_client_secret");
    }
    Ok(form)
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
    let id_token = id_token(&slack.url(), &sign_in, &access_token, state.tamper.take());
    let signed_in = (sign_in.person, sign_in.place);
    state.signed_in.insert(access_token.clone(), signed_in);
    Ok(json!({
        "ok": true, "access_token": access_token, "token_type": "Bearer", "id_token": id_token,
    }))
}

/// The app's id and secret, if they come in a header.
fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let header = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let decoded = STANDARD.decode(header.strip_prefix("Basic ")?).ok()?;
    let (id, secret) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}

fn id_token(issuer: &str, sign_in: &SignIn, access_token: &str, tamper: Option<Tamper>) -> String {
    let unless = |wrong: Tamper, right: &str, instead: &str| {
        let text = if tamper == Some(wrong) {
            instead
        } else {
            right
        };
        text.to_owned()
    };
    let issued_at = match tamper {
        Some(Tamper::Expired) => unix_now() - 3600,
        _ => unix_now(),
    };
    let person = sign_in.person;
    let header = json!({ "alg": "RS256", "typ": "JWT", "kid": KEY_ID });
    let claims = json!({
        "iss": unless(Tamper::Issuer, issuer, "https://impostor.example"),
        "sub": person.slack,
        "aud": unless(Tamper::Audience, CLIENT_ID, "another-client"),
        "exp": issued_at + ID_TOKEN_LIFE,
        "iat": issued_at,
        "auth_time": issued_at,
        "nonce": unless(Tamper::Nonce, &sign_in.nonce, "another-nonce"),
        "at_hash": URL_SAFE_NO_PAD.encode(&Sha256::digest(access_token)[..16]),
        "https://slack.com/team_id": unless(Tamper::OtherTeam, sign_in.place.team, "T0OTHER"),
        "https://slack.com/user_id": person.slack,
        "email": person.email,
        "email_verified": true,
        "name": person.name,
    });
    let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    let signed = format!("{}.{}", encode(&header), encode(&claims));
    let key = key();
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(
        &RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        signed.as_bytes(),
        &mut signature,
    )
    .expect("the room for the signature is as large as the key");
    if tamper == Some(Tamper::Signature) {
        signature[100] ^= 1;
    }
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn key() -> RsaKeyPair {
    RsaKeyPair::from_pkcs8(KEY).expect("the file beside this one is a key")
}

/// The token that a request carries.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let header = headers.get(AUTHORIZATION)?.to_str().ok()?;
    header.strip_prefix("Bearer ")
}

async fn user_info(State(slack): State<Slack>, headers: HeaderMap) -> Json<Value> {
    let Some(bearer) = bearer(&headers) else {
        return Json(problem("not_authed"));
    };
    let Some((person, place)) = slack.lock().signed_in.get(bearer).copied() else {
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
