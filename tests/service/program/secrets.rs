//! Secrets are neither in the log nor in the database.

use std::process::Command;

use livestream_bot::demo::slack::{self, Message};
use livestream_bot::demo::zoom::{self};
use livestream_bot::demo::{ADA, DANA, ELI};
use secrecy::ExposeSecret;
use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;

use crate::support::browser::Browser;
use crate::support::fixtures::MEETING;
use crate::support::linking::link_in;
use crate::support::program::{ProgramEnv, Service};
use crate::support::replica::free_port;
use crate::support::world::wait_for_empty_queue;

#[tokio::test]
async fn the_log_and_the_database_hold_no_secret() {
    let env = ProgramEnv::new().await;
    let service = Service::start(with_pages(&env)).await;
    let mut secrets = link_and_collect_secrets(&env, &service).await;
    secrets.extend(install_and_collect_secrets(&env, &service).await);
    secrets.extend(add_destinations_and_collect_keys(&env, &service).await);
    for text in [
        "start https://zoom.us/j/68423085?pwd=passcode",
        "stop 68423085",
        "start 68423085 to=townhall",
        "stop 68423085",
    ] {
        env.zoom.expire_access_token(DANA.zoom);
        let invocation = env.slack.type_command(DANA.slack, text);
        env.slack
            .send(&service.url, &invocation)
            .await
            .expect("a response");
        let is_told = |card: &Message| !card.text().contains("Asking Zoom");
        let told = env.slack.outcome_or_card(&invocation, is_told).await;
        told.expect("an outcome");
        secrets.push(format!("/commands/{}", invocation.trigger));
        secrets.push(invocation.signature);
        // The message of a start may be there before the next command may follow it.
        wait_for_empty_queue(&env.database).await;
    }
    let sent = env
        .zoom
        .meeting(MEETING)
        .and_then(|meeting| meeting.destination);
    let sent = sent.expect("a destination");
    assert!(secrets.contains(&sent.stream_key), "the key was used");
    // A key that somebody types for a destination's name.
    let typed = "start 68423085 to=fb-333333333333-0-sesame";
    let typed = env.slack.type_command(DANA.slack, typed);
    let answer = env.slack.send(&service.url, &typed).await;
    let answer = answer.expect("a response").body.to_string();
    assert!(answer.contains("no destination of that name") && !answer.contains("sesame"));
    secrets.push("fb-333333333333-0-sesame".to_owned());
    // The service rejects a forged request, and must not log it.
    let mut forged = env.slack.type_command(DANA.slack, "start 68423085");
    forged.body.push_str("&x=1");
    assert_eq!(
        env.slack
            .send(&service.url, &forged)
            .await
            .expect("a response")
            .status,
        401
    );
    secrets.push(forged.signature);
    let log = service.terminate().await;
    assert!(
        log.contains("request rejected: bad signature error=no signing secret"),
        "{log}"
    );

    secrets.extend(
        [
            zoom::CLIENT_SECRET,
            slack::SIGNING_SECRET,
            "passcode",
            "zoom-access-",
            "zoom-refresh-",
        ]
        .map(str::to_owned),
    );
    secrets.push(env.config.token_keys.expose_secret().to_owned());
    let dump = dump(&env.database).await;
    for (name, kept) in [("log", &log), ("database", &dump)] {
        for secret in &secrets {
            assert!(
                !kept.contains(secret.as_str()),
                "the {name} holds {secret}:\n{kept}"
            );
        }
    }
    assert!(
        dump.contains("zoom-dana"),
        "the dump is of another database"
    );
    env.end().await;
}

/// The program with the settings of the pages.
pub(super) fn with_pages(env: &ProgramEnv) -> Command {
    // The pages need their public URL before the program listens.
    let address = format!("127.0.0.1:{}", free_port());
    let mut command = env.command("serve");
    command
        .env("LISTEN_ADDR", &address)
        .env("PUBLIC_URL", format!("http://{address}"))
        .env("SLACK_URL", env.slack.url())
        .env("SLACK_CLIENT_ID", slack::CLIENT_ID)
        .env("SLACK_CLIENT_SECRET", slack::CLIENT_SECRET);
    command
}

/// Eli links his account by the pages. Returns every link, cookie, state and code on the way.
pub(super) async fn link_and_collect_secrets(env: &ProgramEnv, service: &Service) -> Vec<String> {
    let typed = env.slack.type_command(ELI.slack, "connect");
    let answer = env.slack.send(&service.url, &typed).await;
    let link = link_in(&answer.expect("a response").body).expect("a link");
    let mut browser = Browser::new();
    let slack = browser.open_link(&link).await;
    let signed_in = env.slack.sign_in(&slack, ELI).await;
    let signed_in = signed_in.expect("a redirect from Slack");
    let consent = browser.get(&signed_in).await.location();
    let consented = env.zoom.consent(&consent, ELI).await;
    let consented = consented.expect("a redirect from Zoom");
    let redirect = browser.get(&consented).await;
    assert_eq!(redirect.location(), "/confirm");
    let confirm = browser.follow(redirect).await;
    let csrf = confirm.hidden_field("csrf");
    let form = [("csrf", csrf), ("answer", "link")];
    let linked = browser.post(confirm.url.as_str(), &form).await;
    assert_eq!(linked.location(), "/confirm");
    let linked = browser.follow(linked).await;
    assert!(
        linked.body.contains("Your accounts are linked"),
        "{linked:?}"
    );

    let mut secrets = vec![
        csrf.to_owned(),
        format!("/commands/{}", typed.trigger),
        link.rsplit('/').next().expect("a token").to_owned(),
    ];
    secrets.extend(browser.cookies.into_values());
    for address in [signed_in, consent, consented] {
        let address: url::Url = address.parse().expect("a valid URL");
        let is_secret = |name: &str| ["state", "code", "code_challenge"].contains(&name);
        secrets.extend(
            address
                .query_pairs()
                .filter(|(name, _)| is_secret(name))
                .map(|(_, value)| value.into_owned()),
        );
    }
    assert_eq!(secrets.len(), 10, "{secrets:?}");
    secrets.push(slack::CLIENT_SECRET.to_owned());
    secrets
}

/// Installs the app. Returns every state, code, cookie and token on the way.
pub(super) async fn install_and_collect_secrets(
    env: &ProgramEnv,
    service: &Service,
) -> Vec<String> {
    let mut browser = Browser::new();
    let slack = browser.open_install_page(&service.url).await;
    let back = env.slack.install(&slack, "acme").await;
    let back = back.expect("a redirect from Slack");
    assert_eq!(browser.come_back(&back).await.status, 200);
    let token = env.slack.bot_token(slack::TEAM).expect("a bot token");
    let query = back.split_once('?').expect("a query").1;
    let query = form_urlencoded::parse(query.as_bytes());
    let mut secrets: Vec<String> = query.map(|(_, value)| value.into_owned()).collect();
    assert_eq!(secrets.len(), 2, "a code and a state");
    secrets.push(token);
    secrets.extend(browser.cookies.into_values());
    assert_eq!(secrets.len(), 4, "and a token and a cookie");
    secrets
}

/// Ada adds a destination, and others that are refused. Returns every key that she typed.
async fn add_destinations_and_collect_keys(env: &ProgramEnv, service: &Service) -> Vec<String> {
    let mut browser = Browser::new();
    let sign_in = browser.get(&format!("{}/admin/sign-in", service.url)).await;
    let back = env.slack.sign_in(&sign_in.location(), ADA).await;
    let back = browser.get(&back.expect("a redirect from Slack")).await;
    let back = format!("{}{}", service.url, back.location());
    let signed_in = browser.get(&back).await;
    assert_eq!(signed_in.location(), "/admin");
    let admin = browser.get(&format!("{}/admin", service.url)).await;
    let csrf = admin.hidden_field("csrf");
    let url = format!("{}/admin/destinations", service.url);
    let (key, in_server) = ("sesame-in-its-field", "sesame-in-the-server");
    let youtube = format!("rtmps://a.rtmps.youtube.com:443/live2/{in_server}");
    for (server, key, status) in [
        ("", key, 303),
        ("", "sesame-that is-refused", 422),
        (&youtube, "sesame-beside-another", 422),
    ] {
        let form = [
            ("csrf", csrf),
            ("name", "townhall"),
            ("service", "youtube"),
            ("server", server),
            ("new_key", key),
            ("page", "https://video.acme.example/live"),
            ("who", "everybody"),
        ];
        let answer = browser.post(&url, &form).await;
        assert_eq!(answer.status, status, "{answer:?}");
        assert!(!answer.body.contains("sesame-"), "{answer:?}");
    }
    let exported = browser
        .get(&format!("{}/admin/activity.json", service.url))
        .await;
    assert!(exported.body.contains("destination_added"), "{exported:?}");
    assert!(!exported.body.contains("sesame-"), "{exported:?}");
    let mut secrets = vec![csrf.to_owned()];
    secrets.extend(
        [
            key,
            in_server,
            "sesame-that is-refused",
            "sesame-beside-another",
        ]
        .map(str::to_owned),
    );
    secrets.extend(browser.cookies.into_values());
    secrets
}

/// Every row of every table, as text.
async fn dump(database: &PgConnectOptions) -> String {
    let mut db = database.connect().await.expect("a database connection");
    let tables: Vec<String> = sqlx::query_scalar(
        "select format('%I.%I', schemaname, tablename) from pg_tables
        where schemaname in ('public', 'graphile_worker')",
    )
    .fetch_all(&mut db)
    .await
    .expect("a list of tables");
    let mut dump = String::new();
    for table in tables {
        let rows = sqlx::AssertSqlSafe(format!(
            "select convert_from(row_to_json(t)::text::bytea, 'UTF8') || coalesce((
            select string_agg(encode(decode(substr(value, 3), 'hex'), 'escape'), ' ')
            from json_each_text(row_to_json(t)) where value like '\\\\x%'), '') from {table} t"
        ));
        let rows: Vec<String> = sqlx::query_scalar(rows)
            .fetch_all(&mut db)
            .await
            .expect("a list of rows");
        dump.extend(rows);
    }
    dump
}
