//! The real program, as an operator runs it, and as a machine kills it.

use std::io::Write;

use livestream_bot::demo::slack::{self};
use livestream_bot::demo::zoom::{self, Fault};
use livestream_bot::demo::{DANA, ELI};
use secrecy::ExposeSecret;
use serde_json::json;
use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;

use crate::support::browser::Browser;
use crate::support::fixtures::hold_up;
use crate::support::linking::link_in;
use crate::support::program::{Service, Surroundings, bare, run, text};
use crate::support::slack::{accepted, said, values};
use crate::support::world::queue_is_empty;

#[tokio::test]
async fn killed_between_the_answer_and_the_call_it_carries_the_command_out_after_a_restart() {
    let around = Surroundings::new().await;
    let service = around.serve().await;
    // An older command of the meeting holds ours up for as long as we like.
    let mut db = around.database.connect().await.expect("the database");
    hold_up(&mut db).await;
    let start = around.slack.type_command(DANA.slack, "start 68423085");
    let answer = around
        .slack
        .send(&service.url, &start)
        .await
        .expect("an answer");
    assert_eq!(answer, accepted());
    service.kill().await;
    assert!(
        around.zoom.calls().is_empty(),
        "it was killed before the call"
    );

    sqlx::query("delete from command where trigger_id = 'elder'")
        .execute(&mut db)
        .await
        .expect("deleted");
    let service = around.serve().await;
    let outcome = around.slack.outcome(&start).await.expect("an outcome");
    assert!(said(&outcome).contains("is going live"), "{outcome}");
    assert_eq!(around.zoom.calls().len(), 1);
    service.terminate().await;
    around.end().await;
}

#[tokio::test]
async fn killed_in_mid_call_it_does_not_start_twice_and_says_what_is_known() {
    let around = Surroundings::new().await;
    let service = around.serve().await;
    around.zoom.fail_next(Fault::Hang);
    let start = around.slack.type_command(DANA.slack, "start 68423085");
    around
        .slack
        .send(&service.url, &start)
        .await
        .expect("an answer");
    around.zoom.called(1).await;
    service.kill().await;

    let service = around.serve().await;
    let outcome = around.slack.outcome(&start).await.expect("an outcome");
    let wanted = ":question: *I was interrupted while asking Zoom about meeting 6842 3085.*";
    assert!(said(&outcome).starts_with(wanted), "{outcome}");
    assert_eq!(around.zoom.calls().len(), 1);
    service.terminate().await;
    around.end().await;
}

#[tokio::test]
async fn killed_in_mid_stop_it_asks_again_since_that_does_no_harm() {
    let around = Surroundings::new().await;
    let service = around.serve().await;
    around.zoom.fail_next(Fault::Hang);
    let stop = around.slack.type_command(DANA.slack, "stop 68423085");
    around
        .slack
        .send(&service.url, &stop)
        .await
        .expect("an answer");
    around.zoom.called(1).await;
    service.kill().await;

    let service = around.serve().await;
    let outcome = around.slack.outcome(&stop).await.expect("an outcome");
    assert!(said(&outcome).contains("is stopped"), "{outcome}");
    assert_eq!(around.zoom.calls().len(), 2);
    service.terminate().await;
    around.end().await;
}

#[tokio::test]
async fn told_to_stop_in_mid_call_it_finishes_and_tells_first() {
    let around = Surroundings::new().await;
    let mut command = around.command("serve");
    let service = Service::start({
        command.env("ZOOM_TIMEOUT", "1");
        command
    })
    .await;
    around.zoom.fail_next(Fault::Hang);
    let start = around.slack.type_command(DANA.slack, "start 68423085");
    around
        .slack
        .send(&service.url, &start)
        .await
        .expect("an answer");
    around.zoom.called(1).await;
    service.terminate().await;
    let posted = around.slack.posted();
    assert_eq!(posted.len(), 1, "told before the program ended");
    around.end().await;
}

#[tokio::test]
async fn two_hundred_commands_on_two_replicas_refresh_an_expiring_token_once() {
    let around = Surroundings::new().await;
    let services = [around.serve().await, around.serve().await];
    let mut db = around.database.connect().await.expect("the database");
    sqlx::query("update zoom_grant set expires_at = now()")
        .execute(&mut db)
        .await
        .expect("expiring");
    let invocations: Vec<_> = (0..200)
        .map(|n| {
            around
                .slack
                .type_command(DANA.slack, &format!("stop 12345678{n:03}"))
        })
        .collect();
    for (n, invocation) in invocations.iter().enumerate() {
        let answer = around
            .slack
            .send(&services[n % 2].url, invocation)
            .await
            .expect("an answer");
        assert_eq!(answer, accepted());
    }
    for invocation in &invocations {
        around.slack.outcome(invocation).await.expect("an outcome");
    }
    assert_eq!(
        (around.zoom.calls().len(), around.zoom.refreshes()),
        (200, 1)
    );
    for service in services {
        service.terminate().await;
    }
    around.end().await;
}

#[tokio::test]
async fn a_button_outlives_the_program_that_made_it() {
    let around = Surroundings::new().await;
    let service = around.serve().await;
    let start = around.slack.type_command(DANA.slack, "start 68423085");
    let answer = around.slack.send(&service.url, &start).await;
    assert_eq!(answer.expect("an answer"), accepted());
    around.slack.outcome(&start).await.expect("an outcome");
    // That a message was posted is noted after it was.
    queue_is_empty(&around.database).await;
    service.kill().await;

    let service = around.serve().await;
    let stop = around.slack.press(DANA.slack, "stop 68423085");
    let answer = around.slack.send_press(&service.url, &stop).await;
    assert_eq!(answer.expect("an answer").status, 200);
    let outcome = around.slack.outcome(&stop).await.expect("an outcome");
    assert!(said(&outcome).contains("is stopped"), "{outcome}");
    let pressed = &around.slack.messages()[0].message;
    assert_eq!(values(pressed), Vec::<String>::new(), "{pressed}");
    service.terminate().await;
    around.end().await;
}

#[tokio::test]
async fn a_press_accepted_before_a_crash_is_carried_out_after_it() {
    let around = Surroundings::new().await;
    let service = around.serve().await;
    let start = around.slack.type_command(DANA.slack, "start 68423085");
    let answer = around.slack.send(&service.url, &start).await;
    assert_eq!(answer.expect("an answer"), accepted());
    around.slack.outcome(&start).await.expect("an outcome");
    queue_is_empty(&around.database).await;
    let mut db = around.database.connect().await.expect("the database");
    hold_up(&mut db).await;
    let stop = around.slack.press(DANA.slack, "stop 68423085");
    let answer = around.slack.send_press(&service.url, &stop).await;
    assert_eq!(answer.expect("an answer").status, 200);
    service.kill().await;
    assert_eq!(around.zoom.calls().len(), 1, "the start alone");
    sqlx::query("delete from command where trigger_id = 'elder'")
        .execute(&mut db)
        .await
        .expect("deleted");

    let service = around.serve().await;
    let outcome = around.slack.outcome(&stop).await.expect("an outcome");
    assert!(said(&outcome).contains("is stopped"), "{outcome}");
    service.terminate().await;
    around.end().await;
}

#[tokio::test]
async fn the_same_wish_on_another_replica_is_told_who_asked_first() {
    let around = Surroundings::new().await;
    let (one, other) = (around.serve().await, around.serve().await);
    around.zoom.fail_next(Fault::Hang);
    let first = around.slack.type_command(DANA.slack, "start 68423085");
    let answer = around.slack.send(&one.url, &first).await;
    assert_eq!(answer.expect("an answer"), accepted());
    let second = around.slack.type_command(DANA.slack, "start 68423085");
    let answer = around
        .slack
        .send(&other.url, &second)
        .await
        .expect("an answer");
    let read = said(&answer.body);
    assert!(
        read.starts_with(
            "Already starting the livestream of meeting 6842 3085, asked by <@U0DANA> "
        ),
        "{read}"
    );
    // A stop during the start waits its turn.
    let stop = around.slack.type_command(DANA.slack, "stop 68423085");
    let answer = around.slack.send(&other.url, &stop).await;
    assert_eq!(answer.expect("an answer"), accepted());
    around.slack.outcome(&stop).await.expect("an outcome");
    let calls = around.zoom.calls();
    let actions: Vec<_> = calls.iter().map(|call| call.body.as_str()).collect();
    assert_eq!(actions, [r#"{"action":"start"}"#, r#"{"action":"stop"}"#]);
    one.terminate().await;
    other.terminate().await;
    around.end().await;
}

#[tokio::test]
async fn killed_in_mid_refresh_it_heals_within_a_lease() {
    let around = Surroundings::new().await;
    let service = around.serve().await;
    let mut db = around.database.connect().await.expect("the database");
    sqlx::query("update zoom_grant set expires_at = now()")
        .execute(&mut db)
        .await
        .expect("expiring");
    around.zoom.fail_next_refresh(Fault::Hang);
    let start = around.slack.type_command(DANA.slack, "start 68423085");
    around
        .slack
        .send(&service.url, &start)
        .await
        .expect("an answer");
    around.zoom.token_called(1).await;
    service.kill().await;

    let service = around.serve().await;
    let outcome = around.slack.outcome(&start).await.expect("an outcome");
    assert!(said(&outcome).contains("is going live"), "{outcome}");
    assert_eq!(around.zoom.refreshes(), 1);
    service.terminate().await;
    around.end().await;
}

#[tokio::test]
async fn the_log_and_the_database_hold_no_secret() {
    let around = Surroundings::new().await;
    // The pages must know their own address before there is one.
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .expect("a port")
        .local_addr()
        .expect("its address");
    let mut command = around.command("serve");
    command
        .env("LISTEN_ADDR", free.to_string())
        .env("PUBLIC_URL", format!("http://{free}"))
        .env("SLACK_URL", around.slack.url())
        .env("SLACK_CLIENT_ID", slack::CLIENT_ID)
        .env("SLACK_CLIENT_SECRET", slack::CLIENT_SECRET);
    let service = Service::start(command).await;
    let mut secrets = link_and_collect_secrets(&around, &service).await;
    secrets.extend(install_and_collect_secrets(&around, &service).await);
    for text in [
        "start https://zoom.us/j/68423085?pwd=passcode",
        "stop 68423085",
    ] {
        around.zoom.expire_access_token(DANA.zoom);
        let invocation = around.slack.type_command(DANA.slack, text);
        around
            .slack
            .send(&service.url, &invocation)
            .await
            .expect("an answer");
        around.slack.outcome(&invocation).await.expect("an outcome");
        secrets.push(format!("/commands/{}", invocation.trigger));
        secrets.push(invocation.signature);
    }
    // One that the service must refuse, and may be tempted to print.
    let mut forged = around.slack.type_command(DANA.slack, "start 68423085");
    forged.body.push_str("&x=1");
    assert_eq!(
        around
            .slack
            .send(&service.url, &forged)
            .await
            .expect("an answer")
            .status,
        401
    );
    secrets.push(forged.signature);
    let log = service.terminate().await;
    assert!(
        log.contains("that is not its party's failed=no signing secret"),
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
    secrets.push(around.config.token_keys.expose_secret().to_owned());
    let dump = dump(&around.database).await;
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
        "it is a dump of the right database"
    );
    around.end().await;
}

/// Eli links his account by the pages. Returns every link, cookie, state and code on the way.
async fn link_and_collect_secrets(around: &Surroundings, service: &Service) -> Vec<String> {
    let typed = around.slack.type_command(ELI.slack, "connect");
    let answer = around.slack.send(&service.url, &typed).await;
    let link = link_in(&answer.expect("a response").body).expect("a link");
    let mut browser = Browser::new();
    let slack = browser.open_link(&link).await;
    let signed_in = around.slack.sign_in(&slack, ELI).await;
    let signed_in = signed_in.expect("a redirect from Slack");
    let consent = browser.get(&signed_in).await.location();
    let consented = around.zoom.consent(&consent, ELI).await;
    let consented = consented.expect("a redirect from Zoom");
    let redirect = browser.get(&consented).await;
    assert_eq!(redirect.location(), "/confirm");
    let confirm = browser.follow(redirect).await;
    let csrf = confirm.hidden_field("csrf");
    let form = [("csrf", csrf), ("answer", "link")];
    let linked = browser.post(confirm.url.as_str(), &form).await;
    assert_eq!(linked.status, 200);

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
async fn install_and_collect_secrets(around: &Surroundings, service: &Service) -> Vec<String> {
    let mut browser = Browser::new();
    let slack = browser.open_install_page(&service.url).await;
    let back = around.slack.install(&slack, "acme").await;
    let back = back.expect("a redirect from Slack");
    assert_eq!(browser.get(&back).await.status, 200);
    let token = around.slack.bot_token(slack::TEAM).expect("a bot token");
    let query = back.split_once('?').expect("a query").1;
    let query = form_urlencoded::parse(query.as_bytes());
    let mut secrets: Vec<String> = query.map(|(_, value)| value.into_owned()).collect();
    assert_eq!(secrets.len(), 2, "a code and a state");
    secrets.push(token);
    secrets.extend(browser.cookies.into_values());
    assert_eq!(secrets.len(), 4, "and a token and a cookie");
    secrets
}

/// Every row of every table, as text.
async fn dump(database: &PgConnectOptions) -> String {
    let mut db = database.connect().await.expect("the database");
    let tables: Vec<String> = sqlx::query_scalar(
        "select format('%I.%I', schemaname, tablename) from pg_tables
        where schemaname in ('public', 'graphile_worker')",
    )
    .fetch_all(&mut db)
    .await
    .expect("the tables");
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
            .expect("its rows");
        dump.extend(rows);
    }
    dump
}

#[tokio::test]
async fn links_are_imported_from_json_lines_again_and_again() {
    let around = Surroundings::new().await;
    let line = |n: usize| {
        json!({
            "team_id": "T1", "user_id": format!("U{n}"), "zoom_user_id": format!("z{}", n % 9_000), "zoom_account_id": "a",
            "email": "x@y", "scope": zoom::SCOPE, "access_token": "sesame", "refresh_token": "open",
            "expires_at": "2099-01-01T00:00:00Z",
        })
        .to_string()
    };
    let lines: Vec<_> = (0..10_000).map(line).collect();
    for _ in 0..2 {
        let output = run(&mut around.command("import-links"), &lines.join("\n"));
        assert!(output.status.success(), "{}", text(&output.stderr));
    }
    let mut db = around.database.connect().await.expect("the database");
    let stored: (i64, i64) = sqlx::query_as(
        "select (select count(*) from zoom_link where team_id = 'T1'), (select count(*) from zoom_grant where email = 'x@y')",
    )
    .fetch_one(&mut db)
    .await
    .expect("counts");
    assert_eq!(
        stored,
        (10_000, 9_000),
        "two people may share a Zoom account"
    );

    let broken = format!("{}\n{}", lines[0], lines[1].replace("\"U1\"", "1"));
    let output = run(&mut around.command("import-links"), &broken);
    let error = text(&output.stderr);
    assert!(
        !output.status.success() && error.contains("line 2 cannot be read"),
        "{error}"
    );
    assert!(!error.contains("sesame"), "{error}");
    around.end().await;
}

#[test]
fn a_missing_setting_is_named_with_the_way_to_its_value() {
    let output = run(&mut bare("serve"), "");
    assert!(!output.status.success());
    let error = text(&output.stderr);
    assert!(
        error.contains("SLACK_SIGNING_SECRET: it is not set; copy it from Basic Information"),
        "{error}"
    );
}

#[test]
fn the_manifest_is_printed_with_our_address() {
    let output = run(bare("manifest").args(["--url", "https://my.host"]), "");
    let manifest = text(&output.stdout);
    assert!(
        output.status.success() && manifest.contains("https://my.host/slack/commands"),
        "{manifest}"
    );
    let output = run(bare("manifest").args(["--url", "http://my.host"]), "");
    assert!(!output.status.success() && text(&output.stderr).contains("https addresses only"));
}

#[test]
fn a_secret_may_stand_in_a_file() {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(b"secret\n").expect("written");
    let output = run(
        bare("serve").env("SLACK_SIGNING_SECRET_FILE", file.path()),
        "",
    );
    assert!(
        text(&output.stderr).contains("ZOOM_CLIENT_ID: it is not set"),
        "{}",
        text(&output.stderr)
    );
    let both = bare("serve")
        .env("SLACK_SIGNING_SECRET_FILE", file.path())
        .env("SLACK_SIGNING_SECRET", "x")
        .output();
    assert!(text(&both.expect("it ends").stderr).contains("SLACK_SIGNING_SECRET is set as well"));
}
