//! Sign in with Slack, by OpenID Connect:
//! <https://docs.slack.dev/authentication/sign-in-with-slack/>.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreAuthenticationFlow, CoreErrorResponseType,
    CoreGenderClaim, CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm,
    CoreProviderMetadata, CoreRevocableToken, CoreRevocationErrorResponse,
    CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::{
    AdditionalClaims, AsyncHttpClient, AuthorizationCode, Client, ClientId, ClientSecret,
    CsrfToken, EmptyExtraTokenFields, HttpRequest, HttpResponse, IdTokenFields, IssuerUrl, Nonce,
    OAuth2TokenResponse, RedirectUrl, Scope, StandardErrorResponse, StandardTokenResponse,
    UserInfoClaims,
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::http::{base, body};
use crate::ids::{Asker, EnterpriseId, SlackUserId, TeamId, printable};
use crate::slack::paths::SIGN_IN_CALLBACK;
use crate::trace;

/// What we ask a person for; the library adds the first by itself.
pub const SCOPES: [&str; 2] = ["openid", "profile"];

/// How long Slack's endpoints are believed to be what they were.
const KNOWN_FOR: Duration = Duration::from_mins(5);
/// How long Slack may take to name its endpoints and keys: a person waits for a page.
const ASKED_FOR: Duration = Duration::from_secs(3);
/// How long after a failure Slack is not asked for its endpoints again.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(5);

/// Slack as an OpenID provider, and where its browsers come back to.
#[derive(Debug, Clone)]
pub struct SignIn {
    http: Http,
    /// `SLACK_URL`, without a slash at its end.
    issuer: String,
    id: String,
    secret: SecretString,
    /// `PUBLIC_URL`, without a slash at its end.
    public: String,
    known: Arc<Mutex<Known>>,
}

/// What Slack said of itself last. Nobody waits for a lock while Slack is asked.
#[derive(Debug, Default)]
struct Known {
    metadata: Option<(Instant, CoreProviderMetadata)>,
    /// When it last did not answer.
    failed_at: Option<Instant>,
}

/// Who signed in, as Slack vouches for it.
#[derive(Debug)]
pub struct SlackPerson {
    pub asker: Asker,
    pub name: String,
    pub team_name: String,
}

/// What Slack adds to the standard claims.
#[derive(Debug, Clone, Deserialize, Serialize)]
struct SlackClaims {
    #[serde(rename = "https://slack.com/team_id")]
    team: TeamId,
    #[serde(rename = "https://slack.com/user_id")]
    user: SlackUserId,
    #[serde(rename = "https://slack.com/team_name")]
    team_name: Option<String>,
    /// Only in the userInfo of somebody in an organisation.
    #[serde(rename = "https://slack.com/enterprise_id")]
    enterprise: Option<EnterpriseId>,
}

impl AdditionalClaims for SlackClaims {}

/// Why a sign-in failed. Its cause holds neither code nor token.
#[derive(Debug, thiserror::Error)]
#[error("sign-in with Slack failed: {0}")]
pub struct Error(String);

type TokenFields = IdTokenFields<
    SlackClaims,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;
type SlackClient<AuthUrl, TokenUrl, UserInfoUrl> = Client<
    SlackClaims,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    StandardTokenResponse<TokenFields, CoreTokenType>,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    AuthUrl,
    openidconnect::EndpointNotSet,
    openidconnect::EndpointNotSet,
    openidconnect::EndpointNotSet,
    TokenUrl,
    UserInfoUrl,
>;
type Discovered = SlackClient<
    openidconnect::EndpointSet,
    openidconnect::EndpointMaybeSet,
    openidconnect::EndpointMaybeSet,
>;

impl SignIn {
    /// `http` has a time limit and follows no redirects.
    pub fn new(
        http: reqwest::Client,
        issuer: &Url,
        id: String,
        secret: SecretString,
        public: &Url,
    ) -> Self {
        Self {
            http: Http(http),
            issuer: base(issuer),
            id,
            secret,
            public: base(public),
            known: Arc::default(),
        }
    }

    /// The address of one of our own pages.
    pub fn page(&self, path: &str) -> String {
        format!("{}{path}", self.public)
    }

    /// Where the person signs in; `team` is chosen for them, if one is named.
    pub async fn authorize_url(
        &self,
        team: Option<&TeamId>,
        state: String,
        nonce: String,
    ) -> Result<String, Error> {
        let client = self.known().await.map_err(|error| failed(&error))?;
        let mut request = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                || CsrfToken::new(state),
                || Nonce::new(nonce),
            )
            .add_scopes(
                SCOPES[1..]
                    .iter()
                    .map(|scope| Scope::new((*scope).to_owned())),
            );
        if let Some(team) = team {
            request = request.add_extra_param("team", team.as_str());
        }
        let (url, _, _) = request.url();
        Ok(url.into())
    }

    /// Trades a code for the person. The `id_token` is verified: issuer, audience, expiry,
    /// signature by one of the issuer's present keys, and nonce.
    pub async fn person(&self, code: SecretString, nonce: String) -> Result<SlackPerson, Error> {
        self.verified(code, nonce)
            .await
            .map_err(|error| failed(&error))
    }

    async fn verified(&self, code: SecretString, nonce: String) -> anyhow::Result<SlackPerson> {
        let client = self.discover().await?;
        let code = AuthorizationCode::new(code.expose_secret().to_owned());
        // A failed exchange would quote what Slack said, which may hold a token.
        let tokens = client.exchange_code(code)?.request_async(&self.http).await;
        let tokens = tokens.ok().context("Slack gave no token for the code")?;
        let id_token = tokens
            .extra_fields()
            .id_token()
            .context("Slack gave no id_token")?;
        let claims = id_token.claims(&client.id_token_verifier(), &Nonce::new(nonce))?;
        let ours = claims.additional_claims();

        let subject = Some(claims.subject().clone());
        let info: UserInfoClaims<SlackClaims, CoreGenderClaim> = client
            .user_info(tokens.access_token().clone(), subject)?
            .request_async(&self.http)
            .await
            .ok()
            .context("Slack's userInfo did not answer as it should")?;
        let name = info
            .name()
            .and_then(|name| name.get(None))
            .map(|name| name.to_string());
        Ok(SlackPerson {
            asker: Asker {
                enterprise: info.additional_claims().enterprise.clone(),
                team: ours.team.clone(),
                user: ours.user.clone(),
            },
            name: name.map_or_else(|| ours.user.to_string(), |name| printable(&name)),
            team_name: info
                .additional_claims()
                .team_name
                .as_deref()
                .map_or_else(|| ours.team.to_string(), printable),
        })
    }

    /// Slack's endpoints, as they were within the last minutes: anybody may set out to sign
    /// in, and Slack need not be asked each time. If it does not answer, as they were before.
    async fn known(&self) -> anyhow::Result<Discovered> {
        let (stale, has_just_failed) = {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            match &known.metadata {
                Some((at, metadata)) if at.elapsed() < KNOWN_FOR => {
                    return self.client(metadata.clone());
                }
                metadata => (
                    metadata.as_ref().map(|(_, metadata)| metadata.clone()),
                    known
                        .failed_at
                        .is_some_and(|at| at.elapsed() < ASK_AGAIN_AFTER),
                ),
            }
        };
        let asked = if has_just_failed {
            Err(anyhow!("Slack did not answer a moment ago"))
        } else {
            self.ask().await
        };
        match (asked, stale) {
            (Ok(metadata), _) | (Err(_), Some(metadata)) => self.client(metadata),
            (Err(error), None) => Err(error),
        }
    }

    /// Reads Slack's endpoints and keys again: keys may change, and people sign in rarely.
    async fn discover(&self) -> anyhow::Result<Discovered> {
        self.client(self.ask().await?)
    }

    /// Asks Slack for its endpoints and keys, and notes what came of it.
    async fn ask(&self) -> anyhow::Result<CoreProviderMetadata> {
        let issuer = IssuerUrl::new(self.issuer.clone())?;
        let asking = CoreProviderMetadata::discover_async(issuer, &self.http);
        let asked = match tokio::time::timeout(ASKED_FOR, asking).await {
            Ok(asked) => asked.map_err(anyhow::Error::from),
            Err(_) => Err(anyhow!("Slack did not name its endpoints in time")),
        };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        match &asked {
            Ok(metadata) => {
                *known = Known {
                    metadata: Some((Instant::now(), metadata.clone())),
                    failed_at: None,
                }
            }
            Err(_) => known.failed_at = Some(Instant::now()),
        }
        asked
    }

    fn client(&self, metadata: CoreProviderMetadata) -> anyhow::Result<Discovered> {
        let secret = ClientSecret::new(self.secret.expose_secret().to_owned());
        let callback = RedirectUrl::new(self.page(SIGN_IN_CALLBACK))?;
        let client: SlackClient<_, _, _> =
            Client::from_provider_metadata(metadata, ClientId::new(self.id.clone()), Some(secret));
        Ok(client.set_redirect_uri(callback))
    }
}

/// Our HTTP client, as the crate wants it.
#[derive(Debug, Clone)]
struct Http(reqwest::Client);

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = reqwest::Error;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, reqwest::Error>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            // One of Slack's endpoints, as Slack names them: the same for everybody.
            let path = request.uri().path().to_owned();
            let sent = trace::execute(&self.0, request.try_into()?, &path).await;
            let mut response = sent.map_err(reqwest::Error::without_url)?;
            let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
            let mut answer = HttpResponse::new(body(response).await?);
            *answer.status_mut() = status;
            *answer.headers_mut() = headers;
            Ok(answer)
        })
    }
}

fn failed(error: &anyhow::Error) -> Error {
    Error(format!("{error:#}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn while_slack_does_not_answer_its_endpoints_of_before_are_used() {
        let http = crate::http::client(Duration::from_secs(1)).expect("a client");
        // Nobody listens there.
        let issuer: Url = "http://127.0.0.1:9".parse().expect("a URL");
        let public = "http://127.0.0.1:1".parse().expect("a URL");
        let sign_in = SignIn::new(http, &issuer, "id".to_owned(), "secret".into(), &public);
        let url = || sign_in.authorize_url(None, "state".to_owned(), "nonce".to_owned());
        url().await.expect_err("no endpoints");
        let metadata = json!({
            "issuer": base(&issuer), "authorization_endpoint": "http://127.0.0.1:9/authorize",
            "jwks_uri": "http://127.0.0.1:9/keys", "response_types_supported": ["code"],
            "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": ["RS256"],
        });
        let long_ago = Instant::now()
            .checked_sub(KNOWN_FOR * 2)
            .expect("a time since the machine started");
        *sign_in.known.lock().expect("a lock") = Known {
            metadata: Some((
                long_ago,
                serde_json::from_value(metadata).expect("metadata"),
            )),
            failed_at: None,
        };
        let stale = url().await.expect("the stale endpoints");
        assert!(
            stale.starts_with("http://127.0.0.1:9/authorize?"),
            "{stale}"
        );
    }
}
