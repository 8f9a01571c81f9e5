//! The response URLs, by which the app's later messages come:
//! <https://docs.slack.dev/interactivity/handling-user-interaction#message_responses>.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::Value;

use super::block_kit::check;
use super::channel::Channel;
use super::invocation::{Invocation, trigger};
use super::messages::Message;
use super::state::{PostFault, Posted, ResponseUrl, ResponseUrls, Slack, SlackState};

/// Slack's limits for one response URL.
const MAX_POSTS: usize = 5;
const LIFE: Duration = Duration::from_mins(30);

impl Slack {
    /// The status that the next post to a response URL gets instead of being taken.
    pub fn refuse_next_post(&self, status: u16) {
        self.answer_next_post(status, None, "");
    }

    /// The answer that the next post to a response URL gets instead of being taken.
    pub fn answer_next_post(&self, status: u16, retry_after: Option<&str>, body: &str) {
        let fault = PostFault {
            status,
            retry_after: retry_after.map(str::to_owned),
            body: body.to_owned(),
        };
        self.lock().response_urls.faults.push_back(fault);
    }

    /// When each post came that was answered so.
    pub fn refused_posts(&self) -> Vec<Instant> {
        self.lock().response_urls.refused_at.clone()
    }

    /// Everything posted so far, refused posts too.
    pub fn posted(&self) -> Vec<Posted> {
        self.lock().response_urls.posts.clone()
    }

    /// The message that tells what became of a command; waits for it. It is the first that
    /// replaces none and deletes none.
    pub async fn outcome(&self, invocation: &Invocation) -> anyhow::Result<Value> {
        self.first_post(invocation, |post| post.is_new).await
    }

    /// The same, or a message that fits and that the app posted in that channel by itself; waits for
    /// either.
    pub async fn outcome_or_card(
        &self,
        invocation: &Invocation,
        fits: impl Fn(&Message) -> bool,
    ) -> anyhow::Result<Value> {
        self.wait("the channel was not told within a minute", |state| {
            let mut posts = state.response_urls.posts.iter();
            let post = posts.find(|post| post.trigger == invocation.trigger && post.is_new);
            let mut messages = state.messages.by_app();
            let card = messages.rfind(|message| {
                message.is_posted && message.channel == invocation.place && fits(message)
            });
            post.map(|post| post.message.clone())
                .or_else(|| card.map(|card| Ok(card.content.clone())))
        })
        .await?
        .map_err(|problem| anyhow::anyhow!("Slack took no message: {problem}"))
    }

    /// The first that is posted for a command or a press, whatever it is; waits for it.
    pub async fn reply(&self, invocation: &Invocation) -> anyhow::Result<Value> {
        self.first_post(invocation, |_| true).await
    }

    async fn first_post(
        &self,
        invocation: &Invocation,
        is_meant: impl Fn(&Posted) -> bool,
    ) -> anyhow::Result<Value> {
        let message = self
            .wait("the channel was not told within a minute", |state| {
                let mut posts = state.response_urls.posts.iter();
                let post =
                    posts.find(|post| post.trigger == invocation.trigger && is_meant(post))?;
                Some(post.message.clone())
            })
            .await?;
        message.map_err(|problem| anyhow::anyhow!("Slack took no message: {problem}"))
    }

    /// Whether the channel sees what was typed.
    pub fn echoed(&self, invocation: &Invocation) -> bool {
        let state = self.lock();
        let url = state.response_urls.urls.get(&invocation.trigger);
        url.is_some_and(|url| url.is_echoed)
    }

    /// A fresh response URL, by its trigger. `original` is the message whose button was
    /// pressed.
    pub(super) fn open_response_url(
        &self,
        place: Channel,
        user: &str,
        original: Option<String>,
    ) -> String {
        let trigger = trigger();
        let url = ResponseUrl {
            typed: None,
            is_echoed: false,
            made_at: Instant::now(),
            posts: 0,
            place,
            user: user.to_owned(),
            original,
        };
        self.lock().response_urls.urls.insert(trigger.clone(), url);
        trigger
    }
}

impl SlackState {
    fn receive(
        &mut self,
        trigger: String,
        headers: &HeaderMap,
        body: &[u8],
    ) -> (StatusCode, String) {
        let Some(url) = self.response_urls.urls.get_mut(&trigger) else {
            return (StatusCode::NOT_FOUND, "no_service".to_owned());
        };
        url.posts += 1;
        let url = url.clone();
        let message = read(headers, body);
        let is_new = message.as_ref().map_or(true, is_new);
        let message = message
            .and_then(|message| self.take(&trigger, &url, message))
            .map_err(|error| format!("{error:#}"));
        let answer = match &message {
            Ok(_) => (StatusCode::OK, "ok".to_owned()),
            Err(problem) => (StatusCode::BAD_REQUEST, problem.clone()),
        };
        let posted = Posted {
            trigger,
            message,
            is_new,
        };
        self.response_urls.posts.push(posted);
        answer
    }

    fn take(&mut self, trigger: &str, url: &ResponseUrl, message: Value) -> anyhow::Result<Value> {
        ensure!(
            url.posts <= MAX_POSTS && url.made_at.elapsed() <= LIFE,
            "used_url"
        );
        check(&message)?;
        if is_new(&message) {
            if message["response_type"] == "in_channel" {
                self.echo(trigger);
            }
            self.messages.add(url.place, &url.user, &message, trigger);
            return Ok(message);
        }
        let ts = url.original.as_ref();
        let original = ts
            .and_then(|ts| self.messages.position(ts))
            .context("no original to replace")?;
        if message["delete_original"] == true {
            self.messages.remove(original);
        } else {
            self.messages.replace(original, &message)?;
        }
        Ok(message)
    }
}

impl SlackState {
    /// The channel sees what was typed, once: with the first answer that is for everybody, be it
    /// the response to the command or a later one. Slack's documents say so of the response and
    /// do not exclude the other:
    /// <https://docs.slack.dev/interactivity/implementing-slash-commands#responding_response_type>.
    pub(super) fn echo(&mut self, trigger: &str) {
        let Some(url) = self.response_urls.urls.get_mut(trigger) else {
            return;
        };
        if let Some(typed) = url.typed.take() {
            url.is_echoed = true;
            let (place, user) = (url.place, &url.user);
            self.messages.say(place, user, &typed, Some(trigger));
        }
    }
}

/// Whether a post makes a message, and does nothing to an older one.
fn is_new(message: &Value) -> bool {
    message["replace_original"] != true && message["delete_original"] != true
}

fn read(headers: &HeaderMap, body: &[u8]) -> anyhow::Result<Value> {
    let content_type = headers.get("content-type").context("no content type")?;
    ensure!(
        content_type.to_str()?.starts_with("application/json"),
        "invalid_content_type"
    );
    serde_json::from_slice(body).context("invalid_payload")
}

pub(super) fn routes() -> Router<Slack> {
    Router::new()
        .route("/commands/{trigger}", post(respond))
        .route("/actions/{trigger}", post(respond))
}

async fn respond(
    State(slack): State<Slack>,
    Path(trigger): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let fault = slack.lock().response_urls.next_fault();
    if let Some(fault) = fault {
        return fault.answer();
    }
    let answer = slack.lock().receive(trigger, &headers, &body);
    slack.tell_waiters();
    answer.into_response()
}

impl ResponseUrls {
    fn next_fault(&mut self) -> Option<PostFault> {
        let fault = self.faults.pop_front()?;
        self.refused_at.push(Instant::now());
        Some(fault)
    }
}

impl PostFault {
    fn answer(self) -> Response {
        let status = StatusCode::from_u16(self.status);
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let wait = self.retry_after.map(|wait| [(RETRY_AFTER, wait)]);
        (status, wait, self.body).into_response()
    }
}
