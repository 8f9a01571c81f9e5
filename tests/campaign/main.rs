//! The crash campaign: two replicas of the real program run under load, over a durable
//! PostgreSQL. Replicas are killed again and again, Zoom and Slack fail, answer late and hang up,
//! tokens expire, livestreams and rehearsals contend for destinations, Zoom's reports are lost, late and doubled, browsers are closed, and PostgreSQL crashes,
//! is cut off, read-only or locked. At the end no command may be lost, none carried out twice, no
//! permission forgotten, each livestream must have gone where it was sent, and each channel must read of
//! its streams what is so. Then scenes
//! are played in which nothing is killed, and nobody may wait for what hangs elsewhere.
//!
//! `cargo test --test campaign` runs a short campaign, `cargo test --test campaign -- --kills 1000`
//! a long one. `--seed` repeats one.
#![expect(clippy::print_stdout, reason = "it reports what it did")]

mod browsers;
mod cards;
mod destinations;
mod env;
#[path = "../support/executable.rs"]
mod executable;
mod faults;
mod load;
mod permissions;
#[path = "../support/postgres.rs"]
mod postgres;
mod rehearsals;
#[path = "../support/replica.rs"]
mod replica;
mod reports;
mod scenes;
mod sent;
mod verify;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use clap::Parser;
use livestream_bot::db;
use rand::SeedableRng;
use rand::rngs::StdRng;
use sqlx::PgPool;

use crate::cards::Cards;
use crate::env::CampaignEnv;
use crate::reports::Reports;

/// How long the last commands may take until their outcomes are delivered.
pub(crate) const DELIVERED_WITHIN: Duration = Duration::from_mins(4);

#[derive(Parser)]
struct Arguments {
    #[arg(long, default_value_t = 20)]
    kills: usize,
    #[arg(long)]
    seed: Option<u64>,
    /// What `cargo test` passes to every test program.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    rest: Vec<String>,
}

fn main() {
    let arguments = Arguments::parse();
    // The filter in `cargo test some_filter` selects tests of other programs.
    if !arguments.rest.is_empty() {
        return;
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(run(&arguments));
}

async fn run(arguments: &Arguments) {
    let seed = arguments.seed.unwrap_or_else(rand::random);
    println!("crash campaign: {} kills, seed {seed}", arguments.kills);
    let env = Arc::new(CampaignEnv::new().await);
    let is_over = Arc::new(AtomicBool::new(false));
    let started = Instant::now();

    let reports = Arc::new(Reports::default());
    tokio::spawn(reports::deliver(
        Arc::clone(&env),
        Arc::clone(&reports),
        StdRng::seed_from_u64(seed ^ 4),
        Arc::clone(&is_over),
    ));
    let load = tokio::spawn(load::load(
        Arc::clone(&env),
        StdRng::seed_from_u64(seed),
        Arc::clone(&is_over),
    ));
    let rehearsing = tokio::spawn(rehearsals::rehearse(
        Arc::clone(&env),
        StdRng::seed_from_u64(seed ^ 5),
        Arc::clone(&is_over),
    ));
    let browsing = tokio::spawn(browsers::browse(
        Arc::clone(&env),
        StdRng::seed_from_u64(seed ^ 2),
        Arc::clone(&is_over),
    ));
    let faults = faults::inject(&env, arguments.kills, StdRng::seed_from_u64(seed ^ 1)).await;
    is_over.store(true, Ordering::Relaxed);
    let mut load = load.await.expect("a load that does not panic");
    let mut rehearsed = rehearsing.await.expect("rehearsals that do not panic");
    rehearsed.join(&mut load);
    let (linked, cancelled) = browsing.await.expect("browsers that do not panic");
    println!(
        "{} commands accepted, {} not accepted, {} buttons pressed, in {:.0?}; PostgreSQL was lost {} times",
        load.accepted.len(),
        load.rejected,
        load.presses,
        started.elapsed(),
        faults.disconnections.len(),
    );
    println!("{linked} browsers linked an account, {cancelled} cancelled");
    println!(
        "{} grants were lost between Zoom's answer and the commit, and linked again",
        faults.lost.len()
    );
    let db = db::pool(env.postgres.options());
    env.zoom.clear_faults();
    env.slack.clear_api_faults();
    reports.settled().await;
    let changed = rehearsals::stopped(&db).await;
    rehearsed.end_shows(&env);
    wait_for_delivery(&db).await;
    reports.settled().await;
    let cards = Cards::settled(&env, &db).await;
    verify::verify(&env, &db, &load, &faults, &cards).await;
    cards::verify(&cards, &reports.all(), &faults);
    rehearsals::verify(&env, &db, &rehearsed, &reports.all(), &faults, &changed).await;
    sent::verify(&env, &db, &load, &reports.all()).await;
    cards::play_last_round(&env, &db, &reports).await;
    sent::play_last_round(&env, &db, &reports).await;
    scenes::play(&env, &db, StdRng::seed_from_u64(seed ^ 3)).await;
    permissions::verify(&env, &db, &faults).await;
    sent::verify_no_secrets(&env, &db).await;
    println!("no command was lost, and none carried out twice");
}

/// How often the retries that are due only minutes later are made due.
const HURRIED_EVERY: Duration = Duration::from_secs(20);

/// Makes everything due that is due only later.
pub(crate) async fn hurry(db: &PgPool) {
    let hurry = "update graphile_worker._private_jobs set run_at = now()
        where locked_at is null and run_at > now() + interval '15 seconds'";
    sqlx::query(hurry).execute(db).await.expect("an update");
}

/// Waits until every outcome is delivered, or cannot be.
async fn wait_for_delivery(db: &PgPool) {
    let mut ticks = tokio::time::interval(Duration::from_millis(200));
    let started = Instant::now();
    let mut hurried = Instant::now();
    loop {
        ticks.tick().await;
        // Where Slack failed three times, the next post is a hundred seconds later.
        if hurried.elapsed() > HURRIED_EVERY {
            hurry(db).await;
            hurried = Instant::now();
        }
        let open = sqlx::query_scalar(
            "select count(*) from command where delivered_at is null and delivery_error is null",
        );
        let open: i64 = open.fetch_one(db).await.expect("a count");
        if open == 0 {
            println!(
                "all outcomes were delivered {:.1?} after the last fault",
                started.elapsed()
            );
            return;
        }
        assert!(
            started.elapsed() < DELIVERED_WITHIN,
            "{open} outcomes are not delivered yet: {:#?}",
            undelivered(db).await
        );
    }
}

/// The commands whose outcome is not delivered, each with its jobs and those of its stream.
async fn undelivered(db: &PgPool) -> Vec<serde_json::Value> {
    let open = sqlx::query_scalar(
        "select to_jsonb(command) - 'response_url' || jsonb_build_object('jobs', (
            select jsonb_agg(to_jsonb(job)) from graphile_worker._private_jobs as job
            where key = 'run_command ' || command_id or key in (
                select 'show_stream ' || stream_id from stream where stream.meeting_id = command.meeting_id
            )
        ), 'stream', (
            select jsonb_agg(to_jsonb(stream)) from stream where stream.command_id = command.command_id
        ))
        from command where delivered_at is null and delivery_error is null",
    );
    open.fetch_all(db).await.expect("the commands")
}
