//! Slack: whether it answers, and takes the app's credentials and its bot tokens.

use futures_util::future::join_all;
use sqlx::PgPool;

use super::address::clock;
use super::report::{Area, Report};
use crate::config::Usable;
use crate::crypto::vault::{Context, Vault};
use crate::db::condition::{self, Installation};
use crate::http::base;
use crate::slack::paths::{COMMANDS, EVENTS, INSTALL_CALLBACK, INTERACTIVITY, SIGN_IN_CALLBACK};
use crate::slack::web_api::{
    Bot, Error, OPTIONAL_BOT_SCOPES, REQUIRED_BOT_SCOPES, WebApi, missing_scopes_of,
};

/// How many installations Slack is asked about.
const ASKED_MAX: usize = 10;

pub(super) async fn examine(
    settings: &Usable,
    http: &reqwest::Client,
    db: Option<&PgPool>,
    vault: Option<&Vault>,
    report: &mut Report,
) {
    let Some(app) = &settings.slack else {
        report.not_known(
            Area::Slack,
            "not asked, because PUBLIC_URL, SLACK_CLIENT_ID or SLACK_CLIENT_SECRET is not set, or cannot be used",
        );
        return;
    };
    let api = WebApi::new(
        http.clone(),
        &app.url,
        app.client_id.clone(),
        app.client_secret.clone(),
        &app.public_url,
    );
    let url = base(&app.public_url);
    // No code is one of Slack's: that Slack says so shows that it takes the app's credentials.
    let code = "livestream-bot-doctor".into();
    let (_, tried) = tokio::join!(
        clock(Area::Slack, "SLACK_URL", &app.url, http, report),
        api.access(&code)
    );
    judge_credentials(tried.err(), &url, report);
    if let Some(command) = &settings.slash_command {
        report.not_known(
            Area::Slack,
            format!(
                "what the Slack app is set to cannot be read from here; compare at https://api.slack.com/apps: slash command \
                 {command} to {url}{COMMANDS}, interactivity {url}{INTERACTIVITY}, events {url}{EVENTS}, redirect URLs \
                 {url}{SIGN_IN_CALLBACK} and {url}{INSTALL_CALLBACK}"
            ),
        );
    }
    match db {
        Some(db) => match condition::installations(db).await {
            Ok(installations) => {
                let slack = AsApp {
                    api: &api,
                    vault,
                    app_id: settings.slack_app_id.as_deref(),
                    public: &url,
                };
                slack.judge_installations(&installations, report).await;
            }
            Err(_) => report.not_known(
                Area::Slack,
                "the database did not say where the app is installed",
            ),
        },
        None => report.not_known(
            Area::Slack,
            "the bot tokens were not tried, because they are in the database",
        ),
    }
}

fn judge_credentials(error: Option<Error>, public: &str, report: &mut Report) {
    let at = "copy it from Basic Information → App Credentials of your app at https://api.slack.com/apps";
    match error {
        None => report.good(Area::Slack, "Slack takes SLACK_CLIENT_ID and SLACK_CLIENT_SECRET"),
        Some(Error::Refused(code)) => match code.as_str() {
            "invalid_code" => report.good(
                Area::Slack,
                "Slack takes SLACK_CLIENT_ID and SLACK_CLIENT_SECRET",
            ),
            "invalid_client_id" => report.problem(
                Area::Slack,
                format!("SLACK_CLIENT_ID: Slack knows no app of this id; {at}"),
            ),
            "bad_client_secret" => report.problem(
                Area::Slack,
                format!("SLACK_CLIENT_SECRET: Slack refuses it; {at}"),
            ),
            "bad_redirect_uri" => report.problem(
                Area::Slack,
                format!(
                    "Slack does not know {public}{INSTALL_CALLBACK}; add it to the Redirect URLs under OAuth & Permissions"
                ),
            ),
            code => report.not_known(
                Area::Slack,
                format!("whether Slack takes SLACK_CLIENT_ID and SLACK_CLIENT_SECRET: it answered {code}"),
            ),
        },
        Some(error @ Error::Limited(_)) => report.not_known(
            Area::Slack,
            format!("whether Slack takes SLACK_CLIENT_ID and SLACK_CLIENT_SECRET: {error}; try again later"),
        ),
        Some(Error::Failed(why)) => report.problem(
            Area::Slack,
            format!("Slack's Web API gives no answer ({why}); let this machine reach SLACK_URL"),
        ),
    }
}

/// Slack, as the app asks it.
struct AsApp<'a> {
    api: &'a WebApi,
    vault: Option<&'a Vault>,
    /// `SLACK_APP_ID`.
    app_id: Option<&'a str>,
    public: &'a str,
}

impl AsApp<'_> {
    async fn judge_installations(&self, installations: &[Installation], report: &mut Report) {
        if installations.is_empty() {
            report.warning(
                Area::Slack,
                format!(
                    "the app was not installed by the service's own install page, so there is no bot token: guests are not \
                     told from members, and no message shows a livestream; install it at {}/",
                    self.public
                ),
            );
        }
        let asked = installations.iter().take(ASKED_MAX);
        for judged in join_all(asked.map(|installation| self.judge(installation))).await {
            report.add(judged);
        }
        let more = installations.len().saturating_sub(ASKED_MAX);
        if more > 0 {
            report.not_known(
                Area::Slack,
                format!("{more} more installations were not looked at"),
            );
        }
    }

    async fn judge(&self, installation: &Installation) -> Report {
        let mut report = Report::default();
        let Installation {
            tenant_id: tenant,
            bot_token,
        } = installation;
        let again = format!("install the app again at {}/", self.public);
        let Some(bot_token) = bot_token else {
            report.warning(Area::Slack, format!("{tenant} has no bot token; {again}"));
            return report;
        };
        // Keys that do not open it are told by themselves.
        let opened = self.vault;
        let opened = opened.map(|vault| vault.open(Context::BotToken(tenant), bot_token));
        let Some(Ok(token)) = opened else {
            report.not_known(
                Area::Slack,
                format!("the bot token of {tenant} does not open"),
            );
            return report;
        };
        let bot = Bot {
            tenant,
            token: &token,
        };
        let granted = self.api.granted(&bot).await;
        if let (Some(ours), Ok(granted)) = (self.app_id, &granted)
            && let Some(bot_id) = &granted.bot_id
            && let Ok(Some(theirs)) = self.api.app_of(&bot, bot_id).await
            && theirs != ours
        {
            report.problem(
                Area::Slack,
                format!(
                    "SLACK_APP_ID is {ours}, but the app that is installed in {tenant} is {theirs}, so each of its commands is \
                     refused; copy App ID from Basic Information of that app at https://api.slack.com/apps"
                ),
            );
        }
        let granted = granted.map(|granted| granted.scopes);
        judge_bot(tenant, granted, &again, &mut report);
        report
    }
}

fn judge_bot(
    tenant: &str,
    granted: Result<Option<String>, Error>,
    again: &str,
    report: &mut Report,
) {
    let granted = match granted {
        Ok(granted) => granted,
        Err(error) if error.is_token_dead() => {
            report.problem(
                Area::Slack,
                format!("Slack no longer takes the bot token of {tenant} ({error}); {again}"),
            );
            return;
        }
        Err(error) => {
            report.not_known(
                Area::Slack,
                format!("whether Slack takes the bot token of {tenant}: {error}"),
            );
            return;
        }
    };
    let Some(granted) = granted else {
        report.good(
            Area::Slack,
            format!("Slack takes the bot token of {tenant}"),
        );
        return;
    };
    let required = missing_scopes_of(REQUIRED_BOT_SCOPES, &granted);
    let optional = missing_scopes_of(OPTIONAL_BOT_SCOPES, &granted);
    if !required.is_empty() {
        report.problem(
            Area::Slack,
            format!(
                "the bot token of {tenant} lacks {}, which the manifest has; update the manifest at Slack, then {again}",
                required.join(", ")
            ),
        );
    } else if !optional.is_empty() {
        report.warning(
            Area::Slack,
            format!(
                "the bot token of {tenant} lacks {}, which the manifest has as optional; to grant it, update the manifest \
                 at Slack, then {again}",
                optional.join(", ")
            ),
        );
    } else {
        report.good(
            Area::Slack,
            format!("Slack takes the bot token of {tenant}, with all scopes of the manifest"),
        );
    }
}
