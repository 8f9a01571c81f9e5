//! The metrics, the alert rules and the dashboard, as a real Prometheus reads them. These tests need
//! Debian's package `prometheus`.

#[path = "../support/database.rs"]
mod database;
#[path = "../support/executable.rs"]
mod executable;
#[path = "../support/replica.rs"]
mod replica;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use livestream_bot::crypto::vault::Vault;
use livestream_bot::demo::DANA;
use livestream_bot::demo::slack::{self, Slack};
use livestream_bot::demo::zoom::Zoom;
use serde_json::Value;
use url::Url;

use crate::replica::{Link, free_port};

/// The number of Dana's meeting, which is running.
const MEETING: i64 = 68_423_085;
/// How long the program and Prometheus may take to start, and to read metrics a few times.
const PATIENCE: Duration = Duration::from_mins(1);

fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn text(path: &str) -> String {
    std::fs::read_to_string(file(path)).expect("a file")
}

fn promtool(arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new("promtool");
    command.args(arguments).current_dir(file("."));
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool, of Debian's package prometheus");
    let mut stdin = child.stdin.take().expect("a piped input");
    stdin.write_all(input.as_bytes()).expect("a complete write");
    drop(stdin);
    child.wait_with_output().expect("an exit status")
}

fn printed(output: &Output) -> String {
    let (stdout, stderr) = (&output.stdout, &output.stderr);
    String::from_utf8_lossy(&[stdout.as_slice(), stderr].concat()).into_owned()
}

#[test]
fn the_rules_and_the_configuration_are_valid() {
    for arguments in [
        ["check", "rules", "deploy/prometheus/alerts.yaml"],
        ["check", "config", "deploy/prometheus/prometheus.yaml"],
    ] {
        let checked = promtool(&arguments, "");
        assert!(checked.status.success(), "{}", printed(&checked));
    }
}

#[test]
fn each_failure_fires_its_alerts_and_no_others() {
    let arguments = ["test", "rules", "deploy/prometheus/alerts_test.yaml"];
    let tested = promtool(&arguments, "");
    assert!(tested.status.success(), "{}", printed(&tested));
}

/// The program with its stand-ins, and Prometheus, which reads its metrics each second.
struct Env {
    slack: Slack,
    database: sqlx::postgres::PgConnectOptions,
    service: String,
    metrics: String,
    prometheus: Url,
    // Ended when they are dropped.
    _processes: [tokio::process::Child; 2],
    _zoom: Zoom,
    _dir: tempfile::TempDir,
}

impl Env {
    async fn start() -> Self {
        let slack = Slack::start().await.expect("a stand-in for Slack");
        let zoom = Zoom::start().await.expect("a stand-in for Zoom");
        let database = database::create().await;
        let keys = Vault::generate_keys();
        zoom.schedule(MEETING, DANA.zoom, None);
        zoom.begin(MEETING);
        let link = Link {
            team: slack::TEAM,
            user: DANA.slack,
            zoom_user: DANA.zoom,
            email: DANA.email,
        };
        link.import(&database, &zoom, &keys).await;
        let addresses = [(); 3].map(|()| format!("127.0.0.1:{}", free_port()));
        let [service, metrics, prometheus] = &addresses;
        let mut program = replica::command("serve", &database, &slack, &zoom, &keys);
        program
            .env("LISTEN_ADDR", service)
            .env("METRICS_ADDR", metrics);
        // The configuration as it is shipped, for this program.
        let mut configuration = text("deploy/prometheus/prometheus.yaml");
        let rules = file("deploy/prometheus/alerts.yaml").display().to_string();
        for (from, to) in [
            ("127.0.0.1:9464", metrics.as_str()),
            ("interval: 15s", "interval: 1s"),
            ("alerts.yaml", &rules),
        ] {
            assert!(configuration.contains(from), "{from}");
            configuration = configuration.replace(from, to);
        }
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("prometheus.yaml");
        std::fs::write(&path, configuration).expect("a written file");
        let mut reader = Command::new("prometheus");
        reader
            .arg(format!("--config.file={}", path.display()))
            .arg(format!("--storage.tsdb.path={}", dir.path().display()))
            .arg(format!("--web.listen-address={prometheus}"))
            .arg("--log.level=warn");
        let processes = [program, reader].map(|command| {
            let mut command = tokio::process::Command::from(command);
            command.kill_on_drop(true).spawn().expect("a process")
        });
        Self {
            slack,
            database,
            service: format!("http://{service}"),
            metrics: format!("http://{metrics}/metrics"),
            prometheus: format!("http://{prometheus}/").parse().expect("a URL"),
            _processes: processes,
            _zoom: zoom,
            _dir: dir,
        }
    }

    /// What Prometheus' API answers.
    async fn ask(&self, path: &str, query: &str) -> Option<Value> {
        let mut url = self.prometheus.join(path).expect("a URL");
        url.query_pairs_mut().append_pair("query", query);
        let answer = reqwest::get(url).await.ok()?;
        let answer: Value = answer.json().await.ok()?;
        assert_eq!(answer["status"], "success", "{query}: {answer}");
        assert_eq!(answer["warnings"], Value::Null, "{query}: {answer}");
        Some(answer["data"].clone())
    }

    /// The samples that a query selects now.
    async fn query(&self, query: &str) -> Vec<Value> {
        let data = self.ask("api/v1/query", query).await;
        let data = data.unwrap_or_else(|| panic!("no answer to {query}"));
        data["result"].as_array().expect("samples").clone()
    }
}

/// Waits until this is true.
async fn wait_until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let mut ticks = tokio::time::interval(Duration::from_millis(100));
    let waiting = async {
        while !is_so().await {
            ticks.tick().await;
        }
    };
    let waited = tokio::time::timeout(PATIENCE, waiting).await;
    assert!(waited.is_ok(), "{what} took too long");
}

/// The queries of the panels of the dashboard, in its rows too.
fn panel_queries(panel: &Value) -> Vec<String> {
    let below = panel["panels"].as_array().into_iter().flatten();
    let targets = panel["targets"].as_array().into_iter().flatten();
    let own = targets.map(|target| target["expr"].as_str().expect("a query").to_owned());
    own.chain(below.flat_map(panel_queries)).collect()
}

#[tokio::test]
async fn prometheus_reads_the_metrics_and_answers_each_query() {
    let env = Env::start().await;
    wait_until("the start", async || {
        let ready = reqwest::get(format!("{}/readyz", env.service)).await;
        ready.is_ok_and(|ready| ready.status().is_success())
    })
    .await;
    let start = env.slack.type_command(DANA.slack, "start 68423085");
    let sent = env.slack.send(&env.service, &start).await;
    assert_eq!(sent.expect("a response").status, 200);
    env.slack.outcome(&start).await.expect("an outcome");

    let scraped = reqwest::get(&env.metrics).await.expect("a response");
    let checked = promtool(
        &["check", "metrics"],
        &scraped.text().await.expect("valid UTF-8"),
    );
    assert!(checked.status.success(), "{}", printed(&checked));
    assert_eq!(printed(&checked), "");

    // Twice since the command, so that its step is seen.
    let seen = "count_over_time(livestream_bot_commands_total{outcome=\"accepted\",action=\"start\"}[1m]) >= 5 \
        and livestream_bot_commands_total == 1";
    wait_until("reading the metrics", async || {
        let data = env.ask("api/v1/query", seen).await;
        data.is_some_and(|data| {
            data["result"]
                .as_array()
                .is_some_and(|found| found.len() == 1)
        })
    })
    .await;

    let dashboard: Value =
        serde_json::from_str(&text("deploy/grafana/livestream-bot.json")).expect("a dashboard");
    let queries = panel_queries(&dashboard);
    assert!(queries.len() > 30, "{} queries are found", queries.len());
    for query in queries {
        // As Grafana does.
        let query = query
            .replace("$__rate_interval", "10s")
            .replace("$__range", "1h");
        assert!(!query.contains('$'), "{query}");
        assert!(!env.query(&query).await.is_empty(), "{query} has no data");
    }
    wait_until("evaluating the rules", async || {
        let data = env.ask("api/v1/rules", "").await.expect("an answer");
        let rules = data["groups"][0]["rules"].as_array().expect("rules");
        assert!(rules.len() > 20, "{} rules are found", rules.len());
        for rule in rules {
            assert_ne!(rule["health"], "err", "{rule}");
            assert_ne!(rule["state"], "firing", "{rule}");
        }
        rules.iter().all(|rule| rule["health"] == "ok")
    })
    .await;
    let database = env.database.clone();
    drop(env);
    database::drop(&database).await;
}
