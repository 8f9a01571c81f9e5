//! Our voice in a workspace that gave us a bot token. Many have not, and nothing that
//! people wait for depends on it.

use secrecy::SecretString;
use serde_json::Value;

use crate::app::{App, Pages};
use crate::crypto::vault::Context;
use crate::db::installations::{self, BotToken};
use crate::ids::{Asker, ChannelId, SlackUserId, TeamId};
use crate::slack::web_api::{Channel, Error, User, WebApi};

/// The bot of the installation that serves a person.
pub struct Bot<'a> {
    app: &'a App,
    web_api: &'a WebApi,
    bot_token: BotToken,
    token: SecretString,
}

/// None where the workspace gave us no token, or one that does not open any more.
pub async fn find<'a>(app: &'a App, asker: &Asker) -> sqlx::Result<Option<Bot<'a>>> {
    let Some(Pages { web_api, .. }) = &app.pages else {
        return Ok(None);
    };
    let Some(bot_token) = installations::bot_token(&app.db, asker).await? else {
        return Ok(None);
    };
    let row = Context::BotToken(&bot_token.tenant_id);
    match app.vault.open(row, &bot_token.bot_token) {
        Ok(token) => Ok(Some(Bot {
            app,
            web_api,
            bot_token,
            token,
        })),
        Err(error) => {
            tracing::error!(%row, %error, "a token does not open");
            Ok(None)
        }
    }
}

impl Bot<'_> {
    /// Who somebody is.
    pub async fn user(&self, user: &SlackUserId) -> Result<User, Error> {
        let asked = self
            .web_api
            .user(&self.bot_token.tenant_id, &self.token, user);
        self.noted(asked.await).await
    }

    /// How many read in a channel.
    pub async fn channel(&self, channel: &ChannelId) -> Result<Channel, Error> {
        let place = &self.bot_token.tenant_id;
        let asked = self.web_api.channel(place, &self.token, channel);
        self.noted(asked.await).await
    }

    /// Who is in a user group.
    pub async fn group(&self, team: &TeamId, group: &str) -> Result<Vec<String>, Error> {
        let place = &self.bot_token.tenant_id;
        let asked = self.web_api.group(place, &self.token, team, group);
        self.noted(asked.await).await
    }

    /// Writes to somebody alone.
    pub async fn write_to(&self, user: &SlackUserId, text: &str) -> Result<(), Error> {
        let place = &self.bot_token.tenant_id;
        let asked = self.web_api.write_to(place, &self.token, user, text);
        self.noted(asked.await).await
    }

    /// Shows these blocks on somebody's App Home.
    pub async fn publish_home(&self, user: &SlackUserId, blocks: &[Value]) -> Result<(), Error> {
        let place = &self.bot_token.tenant_id;
        let asked = self.web_api.publish_home(place, &self.token, user, blocks);
        self.noted(asked.await).await
    }

    /// Logs a failure, and deletes a token that Slack has taken back.
    async fn noted<T>(&self, result: Result<T, Error>) -> Result<T, Error> {
        if let Err(error) = &result {
            let BotToken {
                tenant_id,
                bot_token,
            } = &self.bot_token;
            tracing::warn!(slack.tenant = tenant_id, %error, "Slack's Web API did not do as asked");
            if error.is_token_dead()
                && let Err(error) =
                    installations::delete_token(&self.app.db, tenant_id, bot_token).await
            {
                tracing::warn!(%error, "a dead bot token was not deleted");
            }
        }
        result
    }
}
