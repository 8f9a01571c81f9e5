//! What is wrong with the whole, with what mends it: for operators on the command line, and, without
//! their part, for admins on a page.
//!
//! It may run beside a service: it changes nothing, and each of its checks has a time limit.

mod address;
mod database;
mod report;
mod requests;
mod slack;
mod traces;
mod zoom;

use std::path::Path;
use std::time::Duration;

use secrecy::SecretString;
use sqlx::PgPool;
use tokio::time::timeout;

pub use self::report::{Area, Report, Verdict};
use crate::app::App;
use crate::config::{Config, Usable, misspelt};
use crate::crypto::vault::Vault;
use crate::db::commands;
use crate::db::condition::{self, Heard};
use crate::db::linked_users::{self, Query};
use crate::doctor::database::DUE_FOR;
use crate::http;
use crate::ids::TeamId;

/// How long the checks of one party may take.
const CHECKED_WITHIN: Duration = Duration::from_secs(20);
/// How long one answer may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(8);

/// Looks at everything that these settings lead to. `program` is this program.
pub async fn examine(settings: &Usable, program: &Path) -> Report {
    let mut report = Report::default();
    examine_settings(settings, &mut report);
    let vault = settings.token_keys.as_ref();
    let vault = vault.and_then(|keys: &SecretString| Vault::from_keys(keys).ok());
    let found = database::open(settings.database.as_ref(), program, &mut report).await;
    if let Some(found) = &found {
        let has_events = settings.zoom_webhook_secret.is_some();
        let examined = database::examine(&found.db, vault.as_ref(), has_events, &mut report);
        if is_late(examined).await {
            late(&mut report, Area::Database);
        }
    }
    match http::client(ANSWER_WITHIN) {
        Ok(http) => {
            let db = found.as_ref().map(|found| &found.db);
            examine_parties(settings, &http, db, vault.as_ref(), &mut report).await;
        }
        Err(error) => report.problem(
            Area::Address,
            format!("the public address, Slack and Zoom are not looked at: {error}"),
        ),
    }
    if let Some(found) = found {
        found.db.close().await;
    }
    report
}

/// Looks at all that is reached by HTTP, at once.
async fn examine_parties(
    settings: &Usable,
    http: &reqwest::Client,
    db: Option<&PgPool>,
    vault: Option<&Vault>,
    report: &mut Report,
) {
    let config = settings.config.as_ref();
    // Without the feature nothing is exported, and the settings above say so.
    let to = config.and_then(|config| config.traces.as_ref());
    let to = to.filter(|_| cfg!(feature = "otlp"));
    let (mut address, mut slack, mut zoom, mut traces) = Default::default();
    let (is_address_late, is_slack_late, is_zoom_late, are_traces_late) = tokio::join!(
        is_late(address::examine(settings, http, &mut address)),
        is_late(slack::examine(settings, http, db, vault, &mut slack)),
        is_late(zoom::examine(settings, http, &mut zoom)),
        is_late(async {
            if let Some(to) = to {
                traces::examine(to, http, &mut traces).await;
            }
        }),
    );
    for (area, examined, is_late) in [
        (Area::Address, address, is_address_late),
        (Area::Slack, slack, is_slack_late),
        (Area::Zoom, zoom, is_zoom_late),
        (Area::Traces, traces, are_traces_late),
    ] {
        report.add(examined);
        if is_late {
            late(report, area);
        }
    }
}

/// Whether checks did not end in time. What they had found until then stays.
async fn is_late(examined: impl Future<Output = ()>) -> bool {
    timeout(CHECKED_WITHIN, examined).await.is_err()
}

fn late(report: &mut Report, area: Area) {
    let seconds = CHECKED_WITHIN.as_secs();
    report.problem(
        area,
        format!(
            "the other checks did not end within {seconds} s; look whether this machine reaches all that the settings name, \
             and run the doctor again"
        ),
    );
}

fn examine_settings(settings: &Usable, report: &mut Report) {
    for problem in &settings.problems {
        report.problem(Area::Settings, problem.to_string());
    }
    for problem in misspelt() {
        report.warning(Area::Settings, problem.to_string());
    }
    let Some(config) = &settings.config else {
        return;
    };
    if settings.problems.is_empty() {
        report.good(Area::Settings, "all settings can be used");
    }
    for doubt in config.doubts() {
        report.warning(Area::Settings, doubt.to_string());
    }
    examine_features(config, report);
}

fn examine_features(config: &Config, report: &mut Report) {
    for feature in config.features() {
        let state = if feature.is_on { "on" } else { "off" };
        let text = format!("{state}: {}, because {}", feature.name, feature.because);
        if feature.is_on {
            report.good(Area::Settings, text);
        } else {
            report.not_known(Area::Settings, text);
        }
    }
}

/// How the bot stands for one workspace: nothing of others, nor what only the operator can change.
#[derive(Debug)]
pub struct Condition {
    /// When Zoom last sent an event, by Zoom account; `None` where Zoom's reports are not set up.
    pub heard: Option<Vec<Heard>>,
    /// Commands of the workspace have had no outcome for long.
    pub is_overdue: bool,
    /// How many people are linked.
    pub linked: i64,
    /// Of how many of them nothing shows that their link works.
    pub untried: i64,
}

/// How the bot stands for one workspace. Asks nobody but the database.
pub async fn of_workspace(app: &App, team: &TeamId) -> sqlx::Result<Condition> {
    let hears_zoom = app.zoom_webhook_secret.is_some();
    let untried = Query {
        is_untried: true,
        ..Query::default()
    };
    Ok(Condition {
        heard: if hears_zoom {
            Some(condition::heard(&app.db, Some(team.as_str())).await?)
        } else {
            None
        },
        is_overdue: commands::are_waiting(&app.db, team, DUE_FOR).await?,
        linked: linked_users::count(&app.db, team, &Query::default()).await?,
        untried: linked_users::count(&app.db, team, &untried).await?,
    })
}
