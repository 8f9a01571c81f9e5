//! Sign in with Slack, by OpenID Connect:
//! <https://docs.slack.dev/authentication/sign-in-with-slack/>.

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
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
use tokio::sync::Mutex;
use url::Url;

use crate::http::{base, body};
use crate::ids::{Asker, EnterpriseId, SlackUserId, TeamId};
use crate::slack::paths::SIGN_IN_CALLBACK;

/// What we ask a person for; the library adds the first by itself.
pub const SCOPES: [&str; 2] = ["openid", "profile"];

/// How long Slack's endpoints are believed to be what they were.
const KNOWN_FOR: Duration = Duration::from_mins(5);

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
    /// What Slack said of itself last, and when.
    known: Arc<Mutex<Option<(Instant, CoreProviderMetadata)>>>,
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
            name: name.unwrap_or_else(|| ours.user.to_string()),
            team_name: info
                .additional_claims()
                .team_name
                .clone()
                .unwrap_or_else(|| ours.team.to_string()),
        })
    }

    /// Slack's endpoints, as they were within the last minutes: anybody may set out to sign
    /// in, and Slack need not be asked each time.
    async fn known(&self) -> anyhow::Result<Discovered> {
        let mut known = self.known.lock().await;
        let metadata = match &*known {
            Some((at, metadata)) if at.elapsed() < KNOWN_FOR => metadata.clone(),
            _ => {
                let metadata = self.ask().await?;
                *known = Some((Instant::now(), metadata.clone()));
                metadata
            }
        };
        self.client(metadata)
    }

    /// Reads Slack's endpoints and keys again: keys may change, and people sign in rarely.
    async fn discover(&self) -> anyhow::Result<Discovered> {
        self.client(self.ask().await?)
    }

    async fn ask(&self) -> anyhow::Result<CoreProviderMetadata> {
        let issuer = IssuerUrl::new(self.issuer.clone())?;
        Ok(CoreProviderMetadata::discover_async(issuer, &self.http).await?)
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
            let sent = self.0.execute(request.try_into()?).await;
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
