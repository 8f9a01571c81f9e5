//! The bot of a workspace, where its installation gave us a token. Many have none, and nothing
//! that people wait for depends on it.

use secrecy::SecretString;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::app::{App, Pages};
use crate::crypto::vault::Context;
use crate::db::installations::{self, BotToken};
use crate::db::persist;
use crate::ids::{Asker, ChannelId, SlackUserId, TeamId};
use crate::slack::message::{Message, Posted};
use crate::slack::web_api::{self, Body, Channel, Error, User, UserGroup, WebApi};
use crate::telemetry::metrics::{self, SlackCall};

/// The bot of the installation that serves a person.
pub struct Bot<'a> {
    app: &'a App,
    web_api: &'a WebApi,
    stored: BotToken,
    token: SecretString,
}

/// How many people or channels a page of a list has at most: few enough for the limit of an answer.
const PAGE: &str = "500";

/// A page of one of Slack's lists: <https://docs.slack.dev/apis/web-api/pagination>.
pub struct Page<T> {
    pub items: Vec<T>,
    /// Of the next page, if there is one.
    pub next: Option<String>,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(default)]
    next_cursor: String,
}

impl<T> Page<T> {
    fn new(items: Vec<T>, metadata: Option<Metadata>) -> Self {
        let next = metadata.map(|metadata| metadata.next_cursor);
        Self {
            items,
            next: next.filter(|next| !next.is_empty()),
        }
    }
}

/// `None` where the workspace gave us no token, or one that cannot be opened any more.
pub async fn find<'a>(app: &'a App, asker: &Asker) -> sqlx::Result<Option<Bot<'a>>> {
    let Some(Pages { web_api, .. }) = &app.pages else {
        return Ok(None);
    };
    let Some(stored) = installations::bot_token(&app.db, asker).await? else {
        return Ok(None);
    };
    let context = Context::BotToken(&stored.tenant_id);
    let Ok(token) = app.open(context, &stored.bot_token) else {
        return Ok(None);
    };
    Ok(Some(Bot {
        app,
        web_api,
        stored,
        token,
    }))
}

impl Bot<'_> {
    /// Who somebody is.
    /// <https://docs.slack.dev/reference/methods/users.info>
    pub async fn user(&self, user: &SlackUserId) -> Result<User, Error> {
        #[derive(Deserialize)]
        struct Answer {
            user: User,
        }
        let form = Body::Form(&[("user", user.as_str())]);
        let answer: Answer = self.call("users.info", form).await?;
        Ok(answer.user)
    }

    /// What a channel is called, and how many people read in it.
    /// <https://docs.slack.dev/reference/methods/conversations.info>
    pub async fn channel(&self, channel: &ChannelId) -> Result<Channel, Error> {
        #[derive(Deserialize)]
        struct Answer {
            channel: Channel,
        }
        let form = Body::Form(&[
            ("channel", channel.as_str()),
            ("include_num_members", "true"),
        ]);
        let answer: Answer = self.call("conversations.info", form).await?;
        Ok(answer.channel)
    }

    /// A page of a workspace's people, and the cursor of the next one.
    /// <https://docs.slack.dev/reference/methods/users.list>
    pub async fn users(&self, team: &TeamId, cursor: &str) -> Result<Page<User>, Error> {
        #[derive(Deserialize)]
        struct Answer {
            members: Vec<User>,
            response_metadata: Option<Metadata>,
        }
        let form = Body::Form(&[
            ("limit", PAGE),
            ("cursor", cursor),
            ("team_id", team.as_str()),
        ]);
        let answer: Answer = self.call("users.list", form).await?;
        Ok(Page::new(answer.members, answer.response_metadata))
    }

    /// A page of a workspace's public channels, and the cursor of the next one.
    /// <https://docs.slack.dev/reference/methods/conversations.list>
    pub async fn public_channels(
        &self,
        team: &TeamId,
        cursor: &str,
    ) -> Result<Page<Channel>, Error> {
        #[derive(Deserialize)]
        struct Answer {
            channels: Vec<Channel>,
            response_metadata: Option<Metadata>,
        }
        let form = Body::Form(&[
            ("types", "public_channel"),
            ("exclude_archived", "true"),
            ("limit", PAGE),
            ("cursor", cursor),
            ("team_id", team.as_str()),
        ]);
        let answer: Answer = self.call("conversations.list", form).await?;
        Ok(Page::new(answer.channels, answer.response_metadata))
    }

    /// The user groups of a workspace that are in use.
    /// <https://docs.slack.dev/reference/methods/usergroups.list>
    pub async fn groups(&self, team: &TeamId) -> Result<Vec<UserGroup>, Error> {
        #[derive(Deserialize)]
        struct Answer {
            usergroups: Vec<UserGroup>,
        }
        let form = Body::Form(&[("include_count", "true"), ("team_id", team.as_str())]);
        let answer: Answer = self.call("usergroups.list", form).await?;
        Ok(answer.usergroups)
    }

    /// The members of a user group.
    /// <https://docs.slack.dev/reference/methods/usergroups.users.list>
    pub async fn group(&self, team: &TeamId, group: &str) -> Result<Vec<String>, Error> {
        #[derive(Deserialize)]
        struct Answer {
            users: Vec<SlackUserId>,
        }
        // An organisation's token has to say of which workspace.
        let form = Body::Form(&[("usergroup", group), ("team_id", team.as_str())]);
        let answer: Answer = self.call("usergroups.users.list", form).await?;
        let users = answer.users.iter();
        Ok(users.map(SlackUserId::to_string).collect())
    }

    /// Sends somebody a direct message.
    /// <https://docs.slack.dev/reference/methods/chat.postMessage>
    pub async fn send_direct_message(&self, user: &SlackUserId, text: &str) -> Result<(), Error> {
        let message = Body::Json(json!({ "channel": user, "text": text }));
        let _: Value = self.call("chat.postMessage", message).await?;
        Ok(())
    }

    /// Posts a message in a channel, or below another message there. Returns where it is, which is
    /// all that can change it later.
    /// <https://docs.slack.dev/reference/methods/chat.postMessage>
    pub async fn post(
        &self,
        channel: &str,
        thread: Option<&str>,
        message: &Message,
    ) -> Result<Posted, Error> {
        let mut body = message.content();
        body["channel"] = channel.into();
        if let Some(thread) = thread {
            body["thread_ts"] = thread.into();
        }
        self.call("chat.postMessage", Body::Json(body)).await
    }

    /// Puts another message in place of one that [`post`](Self::post) made.
    /// <https://docs.slack.dev/reference/methods/chat.update>
    pub async fn update(&self, posted: &Posted, message: &Message) -> Result<(), Error> {
        let mut body = message.content();
        body["channel"] = posted.channel.as_str().into();
        body["ts"] = posted.ts.as_str().into();
        let _: Value = self.call("chat.update", Body::Json(body)).await?;
        Ok(())
    }

    /// The address of a message that [`post`](Self::post) made.
    /// <https://docs.slack.dev/reference/methods/chat.getPermalink>
    pub async fn permalink(&self, posted: &Posted) -> Result<String, Error> {
        #[derive(Deserialize)]
        struct Answer {
            permalink: String,
        }
        let form = Body::Form(&[("channel", &posted.channel), ("message_ts", &posted.ts)]);
        let answer: Answer = self.call("chat.getPermalink", form).await?;
        Ok(answer.permalink)
    }

    /// Shows these blocks on somebody's App Home; with a hash only if that is still the one it has.
    /// Returns the hash that it has now.
    /// <https://docs.slack.dev/reference/methods/views.publish>
    pub async fn publish_home(
        &self,
        user: &SlackUserId,
        blocks: &[Value],
        instead_of: Option<&str>,
    ) -> Result<Option<String>, Error> {
        let mut view = json!({ "user_id": user, "view": { "type": "home", "blocks": blocks } });
        if let Some(hash) = instead_of {
            view["hash"] = hash.into();
        }
        let published: Value = self.call("views.publish", Body::Json(view)).await?;
        Ok(published["view"]["hash"].as_str().map(str::to_owned))
    }

    /// Calls a method. Logs a failure, and deletes a token that Slack has revoked.
    async fn call<T: DeserializeOwned>(
        &self,
        method: &'static str,
        body: Body<'_>,
    ) -> Result<T, Error> {
        let BotToken {
            tenant_id,
            bot_token,
        } = &self.stored;
        let bot = web_api::Bot {
            tenant: tenant_id,
            token: &self.token,
        };
        let result = self.web_api.call(&bot, method, body).await;
        metrics::slack_call(match &result {
            Ok(_) => SlackCall::Succeeded,
            Err(Error::Limited(_)) => SlackCall::Limited,
            Err(error) if error.is_token_dead() => SlackCall::Revoked,
            Err(Error::Refused(_)) => SlackCall::Refused,
            Err(Error::Failed(_)) => SlackCall::Failed,
        });
        if let Err(error) = &result {
            tracing::warn!(slack.tenant = tenant_id, method, %error, "Slack Web API call failed");
            if error.is_token_dead() {
                let delete = || installations::delete_token(&self.app.db, tenant_id, bot_token);
                if let Err(error) = persist(delete).await {
                    tracing::warn!(%error, "failed to delete a revoked bot token");
                }
            }
        }
        result
    }
}
