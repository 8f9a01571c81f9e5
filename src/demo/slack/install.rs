//! How the app is let into a workspace or an organisation, and its token for it:
//! <https://docs.slack.dev/authentication/installing-with-oauth>.

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
use super::super::page::{CHOICE, Question, redirect, refusal};
use super::super::params::Fields;
use super::super::people::DANA;
use super::app::{APP_ID, BOT_ID, BOT_USER, CLIENT_ID};
use super::channel::{Channel, ORG_TOWN_HALL, TOWN_HALL};
use super::fault::problem;
use super::state::{Bot, Consent, Installs, Slack};
use super::web_api::{bearer, client_form};

const HOST: &str = "Demo Slack";
const AUTHORIZE: &str = "/oauth/v2/authorize";
const CANCEL: &str = "cancel";
/// Where the app can be installed: the workspace, or the organisation as a whole.
const CHOICES: [(&str, Channel, &str); 2] = [
    ("acme", TOWN_HALL, "Allow for the workspace Acme"),
    (
        "globex",
        ORG_TOWN_HALL,
        "Allow for all of the organisation Globex",
    ),
];
/// What the app's settings at Slack ask for.
const SCOPE: &str =
    "commands,users:read,chat:write,chat:write.public,channels:read,groups:read,usergroups:read";
/// Slack's limit for a code.
const CODE_LIFE: Duration = Duration::from_mins(10);

impl Slack {
    /// A person opens the page in a browser and installs the app, for `acme` or for
    /// `globex`, or presses `cancel`; returns the address that the browser is then sent
    /// back to.
    pub async fn install(&self, authorize_url: &str, choice: &str) -> anyhow::Result<String> {
        browser::choose(&self.http, authorize_url, choice).await
    }

    /// Where a browser arrives when the owner of the organisation installs the app from
    /// Slack's own pages: with a good code, and without a state.
    pub fn install_without_state(&self, redirect_uri: &str) -> String {
        let code = self.lock().installs.consent(Consent {
            place: ORG_TOWN_HALL,
            scope: SCOPE.to_owned(),
            redirect_uri: redirect_uri.to_owned(),
            made_at: Instant::now(),
        });
        format!("{redirect_uri}?code={code}")
    }

    /// The newest token for this workspace or organisation that is good.
    pub fn bot_token(&self, team_or_enterprise: &str) -> Option<String> {
        let state = self.lock();
        let mut bots = state.installs.bots.iter().rev();
        let bot =
            bots.find(|bot| bot.is_live && bot.place.installed_for() == team_or_enterprise)?;
        Some(bot.token.clone())
    }
}

impl Bot {
    /// Whether its token has this permission.
    pub(super) fn has(&self, scope: &str) -> bool {
        self.scope.split(',').any(|granted| granted == scope)
    }
}

impl Installs {
    /// The bot whose token the request carries, or Slack's error.
    pub(super) fn bot(&self, headers: &HeaderMap) -> Result<&Bot, &'static str> {
        let token = bearer(headers).ok_or("not_authed")?;
        let bot = self.bots.iter().find(|bot| bot.token == token);
        let bot = bot.ok_or("invalid_auth")?;
        // What Slack says of the token of a bot that is gone.
        if bot.is_live {
            Ok(bot)
        } else {
            Err("account_inactive")
        }
    }

    /// The same, if the token has this permission.
    pub(super) fn allowed(&self, headers: &HeaderMap, scope: &str) -> Result<&Bot, &'static str> {
        let bot = self.bot(headers)?;
        bot.has(scope).then_some(bot).ok_or("missing_scope")
    }

    /// The app is removed: no token for this place is good any more.
    pub(super) fn revoke(&mut self, place: Channel) {
        let owner = place.installed_for();
        for bot in &mut self.bots {
            bot.is_live &= bot.place.installed_for() != owner;
        }
    }

    /// A code for the token.
    fn consent(&mut self, consent: Consent) -> String {
        let code = format!("demo-slack-install-{:032x}", rand::random::<u128>());
        self.codes.insert(code.clone(), consent);
        code
    }

    fn exchange(&mut self, form: &Fields) -> Result<Value, &'static str> {
        let consent = self
            .codes
            .remove(form.get("code"))
            .filter(|consent| consent.made_at.elapsed() < CODE_LIFE)
            .ok_or("invalid_code")?;
        if consent.redirect_uri != form.get("redirect_uri") {
            return Err("bad_redirect_uri");
        }
        let token = format!("xoxb-{:032x}", rand::random::<u128>());
        let Consent { place, scope, .. } = consent;
        let team = json!({ "id": place.team, "name": place.team_name() });
        let answer = json!({
            "ok": true,
            "app_id": APP_ID,
            "access_token": token,
            "token_type": "bot",
            "scope": scope,
            "bot_user_id": BOT_USER,
            "team": if place.is_enterprise_install { Value::Null } else { team },
            "enterprise": place.enterprise_json(),
            "is_enterprise_install": place.is_enterprise_install,
            "authed_user": { "id": DANA.slack },
        });
        self.bots.push(Bot {
            place,
            scope,
            token,
            is_live: true,
        });
        Ok(answer)
    }
}

pub(super) fn routes() -> Router<Slack> {
    Router::new()
        .route(AUTHORIZE, get(ask).post(decide))
        .route("/api/oauth.v2.access", post(access))
        .route("/api/auth.test", post(auth_test))
        .route("/api/bots.info", post(bots_info))
}

/// <https://docs.slack.dev/reference/methods/auth.test>: whose a token is, and in a header what it
/// may do.
async fn auth_test(
    State(slack): State<Slack>,
    headers: HeaderMap,
) -> ([(&'static str, String); 1], Json<Value>) {
    let state = slack.lock();
    match state.installs.bot(&headers) {
        Ok(bot) => {
            let answer = json!({
                "ok": true, "url": "https://demo.slack.com/", "team_id": bot.place.installed_for(),
                "user_id": BOT_USER, "bot_id": BOT_ID, "is_enterprise_install": !bot.place.installed_for().starts_with('T'),
            });
            ([("x-oauth-scopes", bot.scope.clone())], Json(answer))
        }
        Err(error) => ([("x-oauth-scopes", String::new())], Json(problem(error))),
    }
}

/// <https://docs.slack.dev/reference/methods/bots.info>, which takes a form and no JSON: of which app
/// a bot is.
async fn bots_info(State(slack): State<Slack>, headers: HeaderMap, body: Bytes) -> Json<Value> {
    if let Err(error) = slack.lock().installs.allowed(&headers, "users:read") {
        return Json(problem(error));
    }
    Json(match Fields::read(&body) {
        Ok(form) if form.get("bot") == BOT_ID => json!({
            "ok": true,
            "bot": { "id": BOT_ID, "deleted": false, "name": "livestream", "app_id": APP_ID, "user_id": BOT_USER },
        }),
        Ok(_) => problem("bot_not_found"),
        Err(_) => problem("invalid_form_data"),
    })
}

async fn ask(RawQuery(query): RawQuery) -> Response {
    let (fields, _) = match read(query.unwrap_or_default().as_bytes()) {
        Ok(asked) => asked,
        Err(problem) => return refusal(HOST, problem),
    };
    let mut choices: Vec<_> = CHOICES
        .iter()
        .map(|(choice, _, label)| (*choice, (*label).to_owned()))
        .collect();
    choices.push((CANCEL, "Cancel".to_owned()));
    let question = Question {
        host: HOST,
        text: "An app wants to be installed.",
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
    let choice = fields.get(CHOICE);
    let chosen = CHOICES.iter().find(|(name, _, _)| *name == choice);
    let answer = match chosen {
        Some((_, place, _)) => {
            let consent = Consent {
                place: *place,
                scope: fields.get("scope").to_owned(),
                redirect_uri: fields.get("redirect_uri").to_owned(),
                made_at: Instant::now(),
            };
            ("code", slack.lock().installs.consent(consent))
        }
        None if choice == CANCEL => ("error", "access_denied".to_owned()),
        None => return refusal(HOST, "There is no such workspace here."),
    };
    let mut pairs = vec![(answer.0, answer.1.as_str())];
    if fields.has("state") {
        pairs.push(("state", fields.get("state")));
    }
    redirect(to, &pairs)
}

/// What the app asks for, and where it wants the answer.
fn read(encoded: &[u8]) -> Result<(Fields, Url), &'static str> {
    let fields = Fields::read(encoded)?;
    if fields.get("client_id") != CLIENT_ID {
        return Err("invalid_client_id: there is no such app.");
    }
    let to = fields.redirect_uri()?;
    let is_scope = |scope: &str| {
        let is_letter = |c: char| c.is_ascii_alphanumeric() || ":._-".contains(c);
        !scope.is_empty() && scope.chars().all(is_letter)
    };
    if !fields.get("scope").split(',').all(is_scope) {
        return Err("invalid_scope: no scopes that are separated by commas.");
    }
    // <https://docs.slack.dev/authentication/sign-in-with-slack>: never with others.
    if fields
        .get("scope")
        .split(',')
        .any(|scope| scope == "openid")
    {
        return Err("invalid_scope: signing in is a flow of its own.");
    }
    Ok((fields, to))
}

/// <https://docs.slack.dev/reference/methods/oauth.v2.access>
async fn access(State(slack): State<Slack>, headers: HeaderMap, body: Bytes) -> Json<Value> {
    let answer =
        client_form(&headers, &body).and_then(|form| slack.lock().installs.exchange(&form));
    Json(answer.unwrap_or_else(problem))
}
