//! The real program, as an operator runs it, and as a machine kills it.

use std::io::Write;
use std::net::SocketAddr;
use std::process::{Child, Command, Output, Stdio};

use livestream_bot::account::import;
use livestream_bot::config::Config;
use livestream_bot::crypto::vault::Vault;
use livestream_bot::db;
use livestream_bot::demo::slack::{self, Slack};
use livestream_bot::demo::zoom::{self, Fault, Zoom};
use livestream_bot::demo::{self, DANA, ELI};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use secrecy::ExposeSecret;
use serde_json::json;
use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};

use crate::commands::hold_up;
use crate::database::{self, program};
use crate::linking::{Browser, location};
use crate::world::{MEETING, accepted, said, values};

/// Stand-ins and a database that outlive the program between them.
pub(crate) struct Surroundings {
    pub(crate) slack: Slack,
    pub(crate) zoom: Zoom,
    config: Config,
    database: PgConnectOptions,
}

/// The program, serving.
pub(crate) struct Service {
    child: tokio::process::Child,
    pub(crate) url: String,
    log: tokio::task::JoinHandle<String>,
}

impl Surroundings {
    pub(crate) async fn new() -> Self {
        Self::over(database::create().await).await
    }

    /// The same over a database that is migrated already.
    pub(crate) async fn over(database: PgConnectOptions) -> Self {
        let (slack, zoom) = (
            Slack::start().await.expect("Slack"),
            Zoom::start().await.expect("Zoom"),
        );
        let config = demo::config(&slack, &zoom, "http://127.0.0.1:1").expect("settings");
        let tokens = zoom.authorize(DANA.zoom, zoom::SCOPE);
        zoom.schedule(MEETING, DANA.zoom, None);
        zoom.begin(MEETING);
        let line = json!({
            "team_id": slack::TEAM, "user_id": DANA.slack, "zoom_user_id": DANA.zoom, "zoom_account_id": "acme",
            "email": DANA.email, "scope": tokens.scope, "access_token": tokens.access_token,
            "refresh_token": tokens.refresh_token, "expires_at": "2099-01-01T00:00:00Z",
        });
        let pool = db::pool(database.clone());
        let vault = Vault::from_keys(&config.token_keys).expect("a vault");
        import::links(&pool, &vault, line.to_string().as_bytes())
            .await
            .expect("Dana's link");
        pool.close().await;
        Self {
            slack,
            zoom,
            config,
            database,
        }
    }

    fn database_url(&self) -> String {
        // A socket's folder goes into the query; the URL's own host is not used then.
        let mut url = self.database.to_url_lossy();
        if let Some(socket) = self.database.get_socket() {
            url.set_host(Some("localhost")).expect("a host");
            url.query_pairs_mut()
                .clear()
                .append_pair("host", &socket.to_string_lossy());
        }
        url.to_string()
    }

    pub(crate) fn command(&self, subcommand: &str) -> Command {
        let mut command = bare(subcommand);
        command
            .env("DATABASE_URL", self.database_url())
            .env("LISTEN_ADDR", "127.0.0.1:0")
            .env("RUST_LOG", "debug")
            .env(
                "SLACK_SIGNING_SECRET",
                format!("an older one,{}", slack::SIGNING_SECRET),
            )
            .env("SLACK_RESPONSE_ORIGINS", self.slack.url())
            .env("ZOOM_CLIENT_ID", zoom::CLIENT_ID)
            .env("ZOOM_CLIENT_SECRET", zoom::CLIENT_SECRET)
            .env("ZOOM_URL", self.zoom.url())
            .env("ZOOM_API_URL", self.zoom.url())
            .env("TOKEN_KEYS", self.config.token_keys.expose_secret());
        command
    }

    pub(crate) async fn serve(&self) -> Service {
        Service::start(self.command("serve")).await
    }

    pub(crate) async fn end(self) {
        database::drop(&self.database).await;
    }
}

impl Service {
    /// Starts it, and waits until it says where it serves.
    pub(crate) async fn start(command: Command) -> Self {
        let mut command = tokio::process::Command::from(command);
        command.stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().expect("the program");
        let mut log = BufReader::new(child.stderr.take().expect("its log"));
        let mut said = String::new();
        let address: SocketAddr = loop {
            let start = said.len();
            assert!(
                log.read_line(&mut said).await.expect("its log") > 0,
                "it ended early:\n{said}"
            );
            let line = &said[start..];
            if let Some((_, address)) = line.trim_end().split_once("serving address=") {
                break address.parse().expect("an address");
            }
        };
        let log = tokio::spawn(async move {
            log.read_to_string(&mut said).await.expect("its log");
            said
        });
        Self {
            child,
            url: format!("http://{address}"),
            log,
        }
    }

    /// As the machine's power switch would.
    async fn kill(mut self) -> String {
        self.child.kill().await.expect("killed");
        self.log.await.expect("its log")
    }

    /// As an operator would.
    pub(crate) async fn terminate(mut self) -> String {
        let pid = self.child.id().expect("it runs");
        kill(
            Pid::from_raw(pid.try_into().expect("a pid")),
            Signal::SIGTERM,
        )
        .expect("signalled");
        let status = self.child.wait().await.expect("it ends");
        let log = self.log.await.expect("its log");
        assert!(status.success(), "{log}");
        log
    }
}

/// The program without any setting.
fn bare(subcommand: &str) -> Command {
    let mut command = Command::new(program());
    command.arg(subcommand).env_clear().stdin(Stdio::null());
    command
}

fn run(command: &mut Command, input: &str) -> Output {
    let command = command
        .env("NO_COLOR", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child: Child = command.spawn().expect("the program");
    child
        .stdin
        .take()
        .expect("its input")
        .write_all(input.as_bytes())
        .expect("written");
    child.wait_with_output().expect("it ends")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

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
    service.kill().await;

    let service = around.serve().await;
    let stop = around.slack.press(DANA.slack, "stop 68423085");
    let answer = around.slack.send_press(&service.url, &stop).await;
    assert_eq!(answer.expect("an answer").status, 200);
    let outcome = around.slack.outcome(&stop).await.expect("an outcome");
    assert!(said(&outcome).contains("is stopped"), "{outcome}");
    let pressed = &around.slack.messages()[0].content;
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
    let mut secrets = link_and_keep_what_is_secret(&around, &service).await;
    secrets.extend(install_and_keep_what_is_secret(&around, &service).await);
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

/// Eli links his account on the pages; every link, cookie, state and code on the way.
async fn link_and_keep_what_is_secret(around: &Surroundings, service: &Service) -> Vec<String> {
    #[expect(clippy::disallowed_methods, reason = "a person's browser")]
    let http = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .expect("a browser");
    let header = |answer: &reqwest::Response, name: &str| {
        answer
            .headers()
            .get(name)
            .expect("a header")
            .to_str()
            .expect("ASCII")
            .to_owned()
    };
    let typed = around.slack.type_command(ELI.slack, "connect");
    let answer = around
        .slack
        .send(&service.url, &typed)
        .await
        .expect("an answer");
    let link = answer.body["blocks"][1]["elements"][0]["url"]
        .as_str()
        .expect("a link")
        .to_owned();
    let opened = http.get(&link).send().await.expect("an answer");
    let cookie = header(&opened, "set-cookie")
        .split(';')
        .next()
        .expect("a cookie")
        .to_owned();
    let get = async |url: &str| {
        http.get(url)
            .header("cookie", &cookie)
            .send()
            .await
            .expect("an answer")
    };
    let signed_in = around
        .slack
        .sign_in(&header(&opened, "location"), ELI)
        .await
        .expect("signed in");
    let consent = header(&get(&signed_in).await, "location");
    let consented = around.zoom.consent(&consent, ELI).await.expect("consented");
    assert_eq!(header(&get(&consented).await, "location"), "/confirm");
    let page = get(&format!("{}/confirm", service.url))
        .await
        .text()
        .await
        .expect("a page");
    let csrf = page
        .split("name=\"csrf\" value=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .expect("a token");
    let confirm = http
        .post(format!("{}/confirm", service.url))
        .header("cookie", &cookie);
    let done = confirm
        .form(&[("csrf", csrf), ("answer", "link")])
        .send()
        .await
        .expect("an answer");
    assert_eq!(done.status(), 200);

    let mut secrets = vec![
        csrf.to_owned(),
        cookie.replace("__Host-link=", ""),
        format!("/commands/{}", typed.trigger),
    ];
    secrets.push(link.rsplit('/').next().expect("a token").to_owned());
    for address in [signed_in, consent, consented] {
        let address: url::Url = address.parse().expect("an address");
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

/// Every row of every table, as text.
/// The app is installed; every state, code, cookie and token on the way.
async fn install_and_keep_what_is_secret(around: &Surroundings, service: &Service) -> Vec<String> {
    let mut browser = Browser::new("__Host-install");
    let slack = location(&browser.get(&format!("{}/slack/install", service.url)).await);
    let back = around.slack.install(&slack, "acme").await.expect("chosen");
    assert_eq!(browser.get(&back).await.status(), 200);
    let token = around.slack.bot_token(slack::TEAM).expect("a bot token");
    let query = back.split_once('?').expect("a query").1;
    let query = form_urlencoded::parse(query.as_bytes());
    let mut secrets: Vec<String> = query.map(|(_, value)| value.into_owned()).collect();
    assert_eq!(secrets.len(), 2, "a code and a state");
    secrets.extend([token, browser.cookie_value()]);
    secrets
}

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
