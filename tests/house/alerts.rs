//! Whether the alert rules, their tests, the dashboard and the docs belong together.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde::Deserialize;

#[derive(Deserialize)]
struct Rules {
    groups: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    rules: Vec<Rule>,
}

#[derive(Deserialize)]
struct Rule {
    alert: String,
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
}

fn text(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn every_alert_is_explained_and_tested() {
    let rules: Rules =
        serde_saphyr::from_str(&text("deploy/prometheus/alerts.yaml")).expect("alert rules");
    let rules: Vec<Rule> = rules
        .groups
        .into_iter()
        .flat_map(|group| group.rules)
        .collect();
    let (docs, tests) = (
        text("docs/alerts.md"),
        text("deploy/prometheus/alerts_test.yaml"),
    );
    for rule in &rules {
        let name = &rule.alert;
        let severity = rule.labels.get("severity").map(String::as_str);
        assert!(matches!(severity, Some("critical" | "warning")), "{name}");
        for annotation in ["summary", "description"] {
            assert!(rule.annotations.contains_key(annotation), "{name}");
        }
        let runbook = format!("docs/alerts.md#{}", name.to_lowercase());
        assert_eq!(rule.annotations.get("runbook"), Some(&runbook), "{name}");
        let fires = format!("alertname=\"{name}\"");
        assert!(tests.contains(&fires), "{name} fires in no test");
    }
    let sections = docs
        .lines()
        .filter_map(|line| line.strip_prefix("### "))
        .collect::<BTreeSet<_>>();
    let alerts: BTreeSet<&str> = rules.iter().map(|rule| rule.alert.as_str()).collect();
    assert_eq!(sections, alerts);
    let parts = ["**Meaning:**", "**People notice:**", "**Do:**"];
    for section in docs.split("\n### ").skip(1) {
        assert!(parts.iter().all(|part| section.contains(part)), "{section}");
    }
}

/// As `docs/alerts.md` says.
#[test]
fn the_paths_of_the_runbook_can_be_turned_into_links() {
    let docs = text("docs/alerts.md");
    let expression = docs.lines().find_map(|line| {
        let arguments = line.strip_prefix("sed '")?;
        arguments.split_once('\'').map(|(expression, _)| expression)
    });
    let sed = Command::new("sed")
        .arg(expression.expect("a line of sed"))
        .arg("deploy/prometheus/alerts.yaml")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("sed");
    let rules: Rules = serde_saphyr::from_slice(&sed.stdout).expect("alert rules");
    for rule in rules.groups.iter().flat_map(|group| &group.rules) {
        let link = rule.annotations.get("runbook_url").expect("a link");
        let page = format!("/alerts.md#{}", rule.alert.to_lowercase());
        assert!(
            link.starts_with("https://") && link.ends_with(&page),
            "{link}"
        );
        assert!(!rule.annotations.contains_key("runbook"), "{link}");
    }
}

/// Every word that looks like the name of a metric.
fn named(text: &str) -> BTreeSet<&str> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = text.split(|c| !is_word(c));
    words
        .filter(|word| word.starts_with("livestream_bot_") || word.starts_with("process_"))
        .collect()
}

/// `docs/operations.md` has all metrics: a test of the service compares its table with what the
/// program shows.
#[test]
fn every_metric_that_is_named_exists() {
    let operations = text("docs/operations.md");
    let rows = operations
        .lines()
        .filter_map(|line| line.strip_prefix("| `"));
    let metrics: BTreeSet<&str> = rows.filter_map(|row| row.split('`').next()).collect();
    let mut files = vec![
        "deploy/grafana/livestream-bot.json".to_owned(),
        "deploy/prometheus/alerts.yaml".to_owned(),
        "deploy/prometheus/alerts_test.yaml".to_owned(),
        "README.md".to_owned(),
    ];
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    for entry in std::fs::read_dir(docs).expect("a folder") {
        let name = entry.expect("an entry").file_name();
        let name = name.to_string_lossy();
        if name.ends_with(".md") {
            files.push(format!("docs/{name}"));
        }
    }
    let mut count = 0;
    for file in files {
        let text = text(&file);
        for name in named(&text) {
            let parts = ["_bucket", "_sum", "_count"];
            let whole = parts.iter().find_map(|part| name.strip_suffix(part));
            let exists = metrics.contains(name) || whole.is_some_and(|name| metrics.contains(name));
            assert!(exists, "{file}: there is no metric {name}");
            count += 1;
        }
    }
    assert!(count > 100, "{count} names are found");
}
