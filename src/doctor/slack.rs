//! Slack: whether it answers, and takes the app's credentials and its bot tokens.

use sqlx::PgPool;

use super::address::clock;
use super::report::{Area, Report};
use crate::config::{Config, PagesConfig};
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
    config: &Config,
    http: &reqwest::Client,
    db: Option<&PgPool>,
    vault: Option<&Vault>,
) -> Report {
    let mut report = Report::default();
    let Some(pages) = &config.pages else {
        report.not_known(
            Area::Slack,
            "not asked, because PUBLIC_URL, SLACK_CLIENT_ID and SLACK_CLIENT_SECRET are not set",
        );
        return report;
    };
    clock(
        Area::Slack,
        "SLACK_URL",
        &pages.slack_url,
        http,
        &mut report,
    )
    .await;
    let api = WebApi::new(
        http.clone(),
        &pages.slack_url,
        pages.slack_client_id.clone(),
        pages.slack_client_secret.clone(),
        &pages.public_url,
    );
    // No code is one of Slack's: that Slack says so shows that it takes the app's credentials.
    let tried = api.access(&"livestream-bot-doctor".into()).await;
    judge_credentials(tried.err(), pages, &mut report);
    let url = base(&pages.public_url);
    report.not_known(
        Area::Slack,
        format!(
            "what the Slack app is set to cannot be read from here; compare at https://api.slack.com/apps: slash command \
             {} to {url}{COMMANDS}, interactivity {url}{INTERACTIVITY}, events {url}{EVENTS}, redirect URLs \
             {url}{SIGN_IN_CALLBACK} and {url}{INSTALL_CALLBACK}",
            config.slash_command
        ),
    );
    match db {
        Some(db) => match condition::installations(db).await {
            Ok(installations) => {
                judge_installations(&installations, &api, vault, &url, &mut report).await;
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
    report
}

fn judge_credentials(error: Option<Error>, pages: &PagesConfig, report: &mut Report) {
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
                    "Slack does not know {}{INSTALL_CALLBACK}; add it to the Redirect URLs under OAuth & Permissions",
                    base(&pages.public_url)
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

async fn judge_installations(
    installations: &[Installation],
    api: &WebApi,
    vault: Option<&Vault>,
    public: &str,
    report: &mut Report,
) {
    let again = format!("install the app again at {public}/");
    if installations.is_empty() {
        report.warning(
            Area::Slack,
            format!(
                "the app was not installed by the service's own install page, so there is no bot token: guests are not \
                 told from members, and no message shows a livestream; install it at {public}/"
            ),
        );
    }
    for Installation {
        tenant_id,
        bot_token,
    } in installations.iter().take(ASKED_MAX)
    {
        let Some(bot_token) = bot_token else {
            report.warning(
                Area::Slack,
                format!("{tenant_id} has no bot token; {again}"),
            );
            continue;
        };
        // Keys that do not open it are told by themselves.
        let opened = vault.map(|vault| vault.open(Context::BotToken(tenant_id), bot_token));
        let Some(Ok(token)) = opened else {
            report.not_known(
                Area::Slack,
                format!("the bot token of {tenant_id} does not open"),
            );
            continue;
        };
        let bot = Bot {
            tenant: tenant_id,
            token: &token,
        };
        let granted = api.granted(&bot).await;
        judge_bot(tenant_id, granted, &again, report);
    }
    let more = installations.len().saturating_sub(ASKED_MAX);
    if more > 0 {
        report.not_known(
            Area::Slack,
            format!("{more} more installations were not looked at"),
        );
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
