//! The few methods of Slack's [Web API] that we call, and its rate limits.
//!
//! Nothing a person waits for depends on them: without a bot token, or while Slack limits
//! us, commands go on.
//!
//! [Web API]: https://docs.slack.dev/apis/web-api/

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono_tz::Tz;
use reqwest::RequestBuilder;
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use url::Url;

use crate::http::{base, body_up_to, retry_after};
use crate::ids::{
    ChannelId, EnterpriseId, SlackUserId, TeamId, Tenant, deserialize_printable, printable,
};
use crate::slack::paths::INSTALL_CALLBACK;
use crate::trace;

/// What we ask a workspace for. Without the first three nothing is installed: the command, who
/// somebody is, and the messages that show livestreams.
pub const BOT_SCOPES: [&str; 7] = [
    "commands",
    "users:read",
    "chat:write",
    "chat:write.public",
    "channels:read",
    "groups:read",
    "usergroups:read",
];
/// Those that an installation must have.
pub const REQUIRED_BOT_SCOPES: &[&str] = BOT_SCOPES.split_at(3).0;
/// Those that are worth having: a message in a public channel that the bot is not in, the names of
/// channels, and for some rules of admins how many read in a channel, and who is in a user group. Slack
/// lets people leave them out:
/// <https://docs.slack.dev/authentication/installing-with-oauth#optional-scopes>.
pub const OPTIONAL_BOT_SCOPES: &[&str] = BOT_SCOPES.split_at(3).1;

/// How long Slack may take: somebody may be waiting for what comes after.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// A user group may have tens of thousands of members.
const ANSWER_MAX: usize = 2 * 1024 * 1024;
/// How long to wait where Slack limits us and does not say.
const RETRY_AFTER_DEFAULT: Duration = Duration::from_secs(30);
/// The longest wait; then Slack is asked again, whatever it said.
const RETRY_AFTER_MAX: Duration = Duration::from_hours(1);

/// Slack's Web API, as this app. Clones share the rate limits.
#[derive(Debug, Clone)]
pub struct WebApi {
    http: reqwest::Client,
    /// `SLACK_URL`, without a slash at its end.
    base: String,
    id: String,
    secret: SecretString,
    redirect_uri: String,
    /// Until when a method may not be called for a tenant.
    limits: Arc<Mutex<HashMap<(String, &'static str), Instant>>>,
}

/// As whom a method is called.
#[derive(Debug)]
pub struct Bot<'a> {
    /// The id of the workspace or organisation whose token it is; rate limits are per tenant.
    pub tenant: &'a str,
    pub token: &'a SecretString,
}

/// What a method is called with. Slack takes forms everywhere, JSON only in some methods.
#[derive(Debug)]
pub enum Body<'a> {
    Form(&'a [(&'a str, &'a str)]),
    Json(Value),
}

/// Why a method gave nothing. Holds no token.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("Slack limits us for {0:?}")]
    Limited(Duration),
    #[error("Slack refused with {0}")]
    Refused(String),
    #[error("Slack did not answer as it should: {0}")]
    Failed(String),
}

impl Error {
    /// The token may not do it: whoever installed the app left the scope out.
    pub fn is_scope_missing(&self) -> bool {
        matches!(self, Self::Refused(code) if code == "missing_scope")
    }

    /// Slack has taken the token back.
    pub fn is_token_dead(&self) -> bool {
        matches!(self, Self::Refused(code)
            if ["invalid_auth", "token_revoked", "account_inactive", "token_expired"].contains(&code.as_str()))
    }
}

/// Whether Slack may take the same request later: the errors of its own, which every method has.
/// <https://docs.slack.dev/reference/methods/chat.postMessage#errors>
pub(super) fn is_passing(code: &str) -> bool {
    [
        "fatal_error",
        "internal_error",
        "ratelimited",
        "rate_limited",
        "request_timeout",
        "service_unavailable",
        "team_added_to_org",
    ]
    .contains(&code)
}

/// What Slack says of a bot's token.
#[derive(Debug)]
pub struct Granted {
    /// What it may do, comma separated.
    pub scopes: Option<String>,
    pub bot_id: Option<String>,
}

/// What an installation gives: `oauth.v2.access`.
/// <https://docs.slack.dev/reference/methods/oauth.v2.access>
#[derive(Debug, Deserialize)]
pub struct Access {
    pub app_id: String,
    pub access_token: SecretString,
    /// Comma separated.
    #[serde(deserialize_with = "deserialize_printable")]
    pub scope: String,
    /// Null for all of an organisation.
    team: Option<Named<TeamId>>,
    enterprise: Option<Named<EnterpriseId>>,
    #[serde(default)]
    is_enterprise_install: bool,
    authed_user: AuthedUser,
}

#[derive(Debug, Deserialize)]
struct Named<T> {
    id: T,
    #[serde(default, deserialize_with = "deserialize_name")]
    name: Option<String>,
}

fn deserialize_name<'de, D: Deserializer<'de>>(name: D) -> Result<Option<String>, D::Error> {
    let name = Option::<String>::deserialize(name)?;
    Ok(name.as_deref().map(printable))
}

#[derive(Debug, Deserialize)]
struct AuthedUser {
    id: SlackUserId,
}

/// Which of these scopes was not granted; `granted` is comma separated.
pub fn missing_scopes_of(wanted: &[&'static str], granted: &str) -> Vec<&'static str> {
    let is_granted = |wanted: &&str| granted.split(',').any(|scope| scope == *wanted);
    let wanted = wanted.iter().copied();
    wanted.filter(|scope| !is_granted(scope)).collect()
}

impl Access {
    /// Where it was installed, and what people call it. `None` if Slack names neither.
    pub fn tenant(&self) -> Option<(Tenant, Option<&str>)> {
        let enterprise = self.enterprise.as_ref();
        if self.is_enterprise_install {
            let enterprise = enterprise?;
            let tenant = Tenant::Organisation(enterprise.id.clone());
            return Some((tenant, enterprise.name.as_deref()));
        }
        let team = self.team.as_ref()?;
        let enterprise = enterprise.map(|enterprise| enterprise.id.clone());
        Some((
            Tenant::Workspace(enterprise, team.id.clone()),
            team.name.as_deref(),
        ))
    }

    /// What an installation must have and this one was not granted.
    pub fn missing_scopes(&self) -> Vec<&'static str> {
        missing_scopes_of(REQUIRED_BOT_SCOPES, &self.scope)
    }

    /// Who installed the app.
    pub fn installer(&self) -> &SlackUserId {
        &self.authed_user.id
    }
}

/// Who somebody is: `users.info`.
/// <https://docs.slack.dev/reference/methods/users.info>
#[derive(Debug, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "Slack's own shape")]
pub struct User {
    pub id: SlackUserId,
    team_id: Option<TeamId>,
    /// Their handle, without an `@`.
    #[serde(default, deserialize_with = "deserialize_name")]
    name: Option<String>,
    #[serde(default)]
    profile: Profile,
    #[serde(default)]
    pub is_restricted: bool,
    #[serde(default)]
    pub is_ultra_restricted: bool,
    /// Of another organisation, in a shared channel.
    #[serde(default)]
    pub is_stranger: bool,
    #[serde(default)]
    is_admin: bool,
    #[serde(default)]
    is_owner: bool,
    #[serde(default)]
    pub deleted: bool,
    #[serde(default)]
    pub is_bot: bool,
    /// The zone of their clock, by its name in the tz database.
    #[serde(default)]
    tz: Value,
    /// Who they are to the organisation.
    #[serde(rename = "enterprise_user")]
    organisation: Option<EnterpriseUser>,
}

/// What somebody is called; each may be empty.
#[derive(Debug, Default, Deserialize)]
struct Profile {
    #[serde(default, deserialize_with = "deserialize_name")]
    display_name: Option<String>,
    #[serde(default, deserialize_with = "deserialize_name")]
    real_name: Option<String>,
}

#[derive(Debug, Deserialize)]
struct EnterpriseUser {
    #[serde(default)]
    is_admin: bool,
    #[serde(default)]
    is_owner: bool,
}

impl User {
    /// What others call them: the name that they chose, else their full name, else their handle.
    pub fn display_name(&self) -> Option<&str> {
        self.names().next()
    }

    /// All that they are called, the name that others see first.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let profile = &self.profile;
        let names = [&profile.display_name, &profile.real_name, &self.name];
        let names = names.into_iter().flatten().map(|name| name.trim());
        names.filter(|name| !name.is_empty())
    }

    /// Their handle, which nobody else in the workspace has.
    pub fn handle(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// An admin or owner of this workspace, or of its organisation. What Slack says of
    /// another workspace of theirs does not count.
    pub fn is_admin(&self, team: &TeamId) -> bool {
        let is_here = self.team_id.as_ref().is_none_or(|theirs| theirs == team);
        let organisation = self.organisation.as_ref();
        let is_organisations = organisation.is_some_and(|user| user.is_admin || user.is_owner);
        !self.deleted && ((is_here && (self.is_admin || self.is_owner)) || is_organisations)
    }

    /// The zone of their clock, if Slack names one that we know.
    pub fn zone(&self) -> Option<Tz> {
        self.tz.as_str().and_then(|zone| zone.parse().ok())
    }
}

/// What a channel is called, and how many read in it: `conversations.info`.
/// <https://docs.slack.dev/reference/methods/conversations.info>
#[derive(Debug, Deserialize)]
pub struct Channel {
    pub id: ChannelId,
    /// Without a `#`. A direct message has none.
    #[serde(default, deserialize_with = "deserialize_name")]
    pub name: Option<String>,
    is_private: Option<bool>,
    pub num_members: Option<i64>,
    /// With another organisation.
    #[serde(default)]
    pub is_ext_shared: bool,
}

/// A user group: `usergroups.list`.
/// <https://docs.slack.dev/reference/methods/usergroups.list>
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct UserGroup {
    pub id: String,
    /// Without an `@`.
    #[serde(deserialize_with = "deserialize_printable")]
    pub handle: String,
    /// How many are in it, if Slack says so.
    #[serde(default)]
    pub user_count: Option<u64>,
}

impl Channel {
    /// Whether everybody in the workspace may know of it; only if Slack says so.
    pub fn is_public(&self) -> bool {
        self.is_private == Some(false)
    }
}

impl WebApi {
    /// `public` is `PUBLIC_URL`; `http` has a time limit and follows no redirects.
    pub fn new(
        http: reqwest::Client,
        slack: &Url,
        id: String,
        secret: SecretString,
        public: &Url,
    ) -> Self {
        Self {
            http,
            base: base(slack),
            id,
            secret,
            redirect_uri: base(public) + INSTALL_CALLBACK,
            limits: Arc::default(),
        }
    }

    /// Where somebody installs the app:
    /// <https://docs.slack.dev/authentication/installing-with-oauth>.
    pub fn install_url(&self, state: &str) -> String {
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("client_id", &self.id)
            .append_pair("scope", &BOT_SCOPES.join(","))
            .append_pair("redirect_uri", &self.redirect_uri)
            .append_pair("state", state)
            .finish();
        format!("{}/oauth/v2/authorize?{query}", self.base)
    }

    /// Where an organisation's admin says which workspaces get the app.
    pub fn add_to_workspaces_url(&self, enterprise: &EnterpriseId, app_id: &str) -> String {
        let host = self.base.replacen("://", "://app.", 1);
        format!("{host}/manage/{enterprise}/integrations/profile/{app_id}/workspaces/add")
    }

    /// Where somebody gets back to the app in Slack, or to Slack where its id is not known:
    /// <https://docs.slack.dev/interactivity/deep-linking>.
    pub fn back_url(&self, team: Option<&str>, app_id: Option<&str>) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if let Some(team) = team {
            query.append_pair("team", team);
        }
        match app_id {
            Some(app) => {
                let query = query.append_pair("app", app).finish();
                format!("{}/app_redirect?{query}", self.base)
            }
            None => format!("slack://open?{}", query.finish()),
        }
    }

    /// Trades the code of an installation for its bot token.
    pub async fn access(&self, code: &SecretString) -> Result<Access, Error> {
        let request = self
            .http
            .post(self.url("oauth.v2.access"))
            .basic_auth(&self.id, Some(self.secret.expose_secret()))
            .form(&[
                ("code", code.expose_secret()),
                ("redirect_uri", &self.redirect_uri),
            ]);
        self.send("", "oauth.v2.access", request).await
    }

    /// Calls a method of the Web API with a bot's token: `body` is a form or JSON.
    pub async fn call<T: DeserializeOwned>(
        &self,
        bot: &Bot<'_>,
        method: &'static str,
        body: Body<'_>,
    ) -> Result<T, Error> {
        let request = self
            .http
            .post(self.url(method))
            .bearer_auth(bot.token.expose_secret());
        let request = match body {
            Body::Form(form) => request.form(form),
            Body::Json(json) => request.json(&json),
        };
        self.send(bot.tenant, method, request).await
    }

    /// What a bot's token may do and which bot it is of, if Slack takes it and says so: `auth.test`.
    /// <https://docs.slack.dev/reference/methods/auth.test>
    pub async fn granted(&self, bot: &Bot<'_>) -> Result<Granted, Error> {
        let failed = |error: reqwest::Error| Error::Failed(error.without_url().to_string());
        let request = self
            .http
            .post(self.url("auth.test"))
            .bearer_auth(bot.token.expose_secret())
            .timeout(ANSWER_WITHIN);
        let response = trace::send(request, "/api/auth.test").await;
        let response = response.map_err(failed)?;
        if response.status().as_u16() == 429 {
            let wait = retry_after(response.headers()).unwrap_or(RETRY_AFTER_DEFAULT);
            return Err(Error::Limited(wait));
        }
        let status = response.status();
        let granted = response.headers().get("x-oauth-scopes");
        let granted = granted.and_then(|scopes| scopes.to_str().ok());
        let scopes = granted.map(|scopes| scopes.replace(' ', ""));
        let body = body_up_to(response, ANSWER_MAX).await.map_err(failed)?;
        let answer: Value = serde_json::from_slice(&body)
            .map_err(|_| Error::Failed(format!("status {status}, and no JSON")))?;
        match answer["error"].as_str() {
            None if answer["ok"] == true => Ok(Granted {
                scopes,
                bot_id: answer["bot_id"].as_str().map(printable),
            }),
            Some(code) if !is_passing(code) => Err(Error::Refused(printable(code))),
            code => Err(Error::Failed(printable(code.unwrap_or("no answer")))),
        }
    }

    /// Of which app a bot is, if Slack says so: `bots.info`.
    /// <https://docs.slack.dev/reference/methods/bots.info>
    pub async fn app_of(&self, bot: &Bot<'_>, bot_id: &str) -> Result<Option<String>, Error> {
        let form = Body::Form(&[("bot", bot_id)]);
        let answer: Value = self.call(bot, "bots.info", form).await?;
        Ok(answer["bot"]["app_id"].as_str().map(printable))
    }

    fn url(&self, method: &str) -> String {
        format!("{}/api/{method}", self.base)
    }

    /// Calls a method, unless Slack has said not to yet:
    /// <https://docs.slack.dev/apis/web-api/rate-limits>.
    async fn send<T: DeserializeOwned>(
        &self,
        tenant: &str,
        method: &'static str,
        request: RequestBuilder,
    ) -> Result<T, Error> {
        let key = (tenant.to_owned(), method);
        if let Some(left) = self.limit(&key) {
            return Err(Error::Limited(left));
        }
        let failed = |error: reqwest::Error| Error::Failed(error.without_url().to_string());
        let request = request.timeout(ANSWER_WITHIN);
        let response = trace::send(request, &format!("/api/{method}")).await;
        let response = response.map_err(failed)?;
        let (status, retry_after) = (response.status(), retry_after(response.headers()));
        let body = body_up_to(response, ANSWER_MAX).await;
        // The causes would quote the body, which may hold a token.
        let answer = body.map(|body| serde_json::from_slice::<Value>(&body));
        let is_ratelimited = matches!(&answer, Ok(Ok(answer)) if answer["error"] == "ratelimited");
        if status.as_u16() == 429 || is_ratelimited {
            let wait = retry_after.unwrap_or(RETRY_AFTER_DEFAULT);
            let wait = wait.min(RETRY_AFTER_MAX);
            let mut limits = self.limits.lock().unwrap_or_else(PoisonError::into_inner);
            limits.retain(|_, until| *until > Instant::now());
            limits.insert(key, Instant::now() + wait);
            return Err(Error::Limited(wait));
        }
        let answer = answer.map_err(failed)?;
        let answer = answer.map_err(|_| Error::Failed(format!("status {status}, and no JSON")))?;
        if answer["ok"] != true {
            return Err(match answer["error"].as_str() {
                Some(code) if !is_passing(code) => Error::Refused(code.to_owned()),
                Some(code) => Error::Failed(code.to_owned()),
                None => Error::Failed(format!("status {status}, and neither ok nor an error")),
            });
        }
        serde_json::from_value(answer)
            .map_err(|_| Error::Failed(format!("an answer of {method} lacks what it should have")))
    }

    /// How long the method may not be called.
    fn limit(&self, key: &(String, &'static str)) -> Option<Duration> {
        let limits = self.limits.lock().unwrap_or_else(PoisonError::into_inner);
        let until = limits.get(key)?;
        until.checked_duration_since(Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_installation_is_of_a_workspace_or_of_an_organisation() {
        let read = |team: Value, enterprise: Value, is_enterprise: bool| {
            let json = json!({
                "ok": true, "app_id": "A1", "access_token": "xoxb-1", "scope": "commands",
                "team": team, "enterprise": enterprise, "is_enterprise_install": is_enterprise,
                "authed_user": { "id": "U1" },
            });
            let access: Access = serde_json::from_value(json).expect("an answer");
            access
                .tenant()
                .map(|(tenant, name)| (tenant, name.map(str::to_owned)))
        };
        let team = || json!({ "id": "T1", "name": "Acme" });
        let organisation = || json!({ "id": "E1", "name": "Globex" });
        let (t, e) = (TeamId::new("T1"), EnterpriseId::new("E1"));
        let acme = Some("Acme".to_owned());
        assert_eq!(
            read(team(), Value::Null, false),
            Some((Tenant::Workspace(None, t.clone()), acme.clone()))
        );
        assert_eq!(
            read(team(), organisation(), false),
            Some((Tenant::Workspace(Some(e.clone()), t), acme))
        );
        assert_eq!(
            read(Value::Null, organisation(), true),
            Some((Tenant::Organisation(e), Some("Globex".to_owned())))
        );
        assert_eq!(read(Value::Null, Value::Null, true), None);
        assert_eq!(read(Value::Null, organisation(), false), None);
    }
}
