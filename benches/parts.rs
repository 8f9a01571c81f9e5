//! The steps of accepting and answering a command, each alone.

use std::hint::black_box;

use axum::http::HeaderMap;
use criterion::{Criterion, criterion_group, criterion_main};
use livestream_bot::command::Command;
use livestream_bot::command::outcome::Outcome;
use livestream_bot::command::request::LivestreamRequest;
use livestream_bot::crypto::signature::{self, SLACK};
use livestream_bot::crypto::vault::{Context, Vault};
use livestream_bot::demo::slack::{SIGNING_SECRET, sign};
use livestream_bot::ids::{Asker, CommandId, SlackUserId, TeamId};
use livestream_bot::reply::Replies;
use livestream_bot::reply::outcomes::OutcomeContext;

/// As long as the body of a real request.
const BODY: &str = "token=gIkuvaNzQIHg97ATvDxqgjtO&team_id=T0001&team_domain=example&channel_id=C2147483705&channel_name=test&user_id=U2147483697&user_name=Steve&command=%2Flivestream&text=start+68423085&api_app_id=A123456&is_enterprise_install=false&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2F1234%2F5678&trigger_id=13345224609.738474920.8088930838d88f008e0";
const TYPED: &str =
    "start <https://us02web.zoom.us/j/68423085?pwd=x|Town hall> name=“Town Hall” speaker=on";
const NOW: u64 = 1_790_000_000;

fn parts(criterion: &mut Criterion) {
    let secrets = [SIGNING_SECRET.into()];
    let mut headers = HeaderMap::new();
    let signature = sign(SIGNING_SECRET, NOW, BODY.as_bytes());
    headers.insert("x-slack-request-timestamp", NOW.into());
    headers.insert("x-slack-signature", signature.parse().expect("a header"));
    criterion.bench_function("verify a signature", |bencher| {
        bencher
            .iter(|| signature::verify(SLACK, &secrets, NOW, &headers, black_box(BODY.as_bytes())));
    });

    criterion.bench_function("parse a command", |bencher| {
        bencher.iter(|| black_box(TYPED).parse::<Command>());
    });

    let vault = Vault::from_keys(&Vault::generate_keys()).expect("keys");
    let row = Context::AccessToken("zoom-dana");
    let token = "t".repeat(700).into();
    let sealed = vault.seal(row, &token);
    criterion.bench_function("encrypt a token", |bencher| {
        bencher.iter(|| vault.seal(row, black_box(&token)));
    });
    criterion.bench_function("decrypt a token", |bencher| {
        bencher.iter(|| vault.open(row, black_box(&sealed)));
    });

    let replies = Replies::new("/livestream", Some("https://livestream.example.com/admin"));
    let Ok(Command::Livestream(request)) = TYPED.parse() else {
        unreachable!("the text is a livestream request")
    };
    let request: LivestreamRequest = request;
    let asker = Asker {
        enterprise: None,
        team: TeamId::new("T0001"),
        user: SlackUserId::new("U2147483697"),
    };
    let context = OutcomeContext {
        command: CommandId(1),
        asker: &asker,
        is_direct: false,
        is_private: false,
        request: &request,
        is_from_card: false,
        is_on_card: false,
        is_shared: false,
        has_bot: true,
        starter: None,
        zoom_message: None,
        is_destination_set: false,
    };
    criterion.bench_function("format an outcome", |bencher| {
        bencher
            .iter(|| serde_json::to_vec(&replies.outcome(black_box(&context), &Outcome::Accepted)));
    });
}

criterion_group!(benches, parts);
criterion_main!(benches);
