//! The stand-in against a service that says whatever the test wants it to.

mod app;
mod messages;
mod sign_in;

use std::sync::{Arc, Mutex};

use axum::Json;
use axum::extract::Request;
use axum::http::HeaderMap;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::super::params::Fields;
use super::{Invocation, Slack};

const REDIRECT: &str = "https://bot.example/slack/oauth/callback";

async fn slack() -> Slack {
    Slack::start().await.expect("a stand-in")
}

/// A service that gives this answer to everything, and the headers of what it got.
async fn service(answer: Value) -> (String, Arc<Mutex<Vec<HeaderMap>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let got: Arc<Mutex<Vec<HeaderMap>>> = Arc::default();
    let seen = got.clone();
    let router = axum::Router::new().fallback(async move |request: Request| {
        seen.lock().unwrap().push(request.headers().clone());
        Json(answer)
    });
    tokio::spawn(axum::serve(listener, router).into_future());
    (url, got)
}

fn form(invocation: &Invocation) -> Fields {
    Fields::read(invocation.body.as_bytes()).expect("a form")
}

fn payload(press: &Invocation) -> Value {
    form(press).get("payload").parse().expect("JSON")
}

fn message(response_type: &str, text: &str) -> Value {
    json!({ "response_type": response_type, "text": text, "blocks": [
        { "type": "section", "text": { "type": "mrkdwn", "text": text } },
        { "type": "actions", "elements": [
            { "type": "button", "action_id": "open", "url": "https://bot.example/",
              "text": { "type": "plain_text", "text": "Open" } },
            { "type": "button", "action_id": "stop", "value": "stop 1", "style": "danger",
              "text": { "type": "plain_text", "text": "Stop" } },
        ] },
    ] })
}

/// The code that an address carries.
fn code(address: &str) -> String {
    let (_, query) = address.split_once('?').unwrap();
    Fields::read(query.as_bytes())
        .unwrap()
        .get("code")
        .to_owned()
}
