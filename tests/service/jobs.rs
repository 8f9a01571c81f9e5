//! What stands in the queue reads as the job that is meant, whether Rust or SQL wrote it.

use std::time::Duration;

use chrono::Utc;
use livestream_bot::command::Command;
use livestream_bot::db;
use livestream_bot::db::commands::{self, NewCommand, Recorded};
use livestream_bot::db::jobs::{
    self, Job, LeaveTenant, NotifyUnlinked, RunAt, RunCommand, ShowHome, Unlink, Withdraw,
};
use livestream_bot::ids::{
    Asker, ChannelId, CommandId, EnterpriseId, SlackUserId, TeamId, Tenant, TriggerId, WithdrawalId,
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use sqlx::PgPool;

use crate::support::database;

fn dana() -> Asker {
    Asker {
        enterprise: Some(EnterpriseId::new("E0ACME")),
        team: TeamId::new("T0ACME"),
        user: SlackUserId::new("U0DANA"),
    }
}

/// Takes the one job of the queue, which must read as a job of this kind.
async fn take<J: Job + DeserializeOwned>(db: &PgPool) -> (J, Value, i16) {
    let rows: Vec<(String, Value, Option<String>, i16)> = sqlx::query_as(
        "with job as (delete from graphile_worker._private_jobs returning *)
        select identifier, payload, key, priority
        from job join graphile_worker._private_tasks as task on task.id = task_id",
    )
    .fetch_all(db)
    .await
    .expect("the queue");
    let [(name, payload, key, priority)] = &rows[..] else {
        panic!("one job: {rows:?}");
    };
    assert_eq!(name, J::NAME);
    let job: J = serde_json::from_value(payload.clone()).expect("its payload");
    assert_eq!(&serde_json::to_value(&job).expect("JSON"), payload);
    assert_eq!(&job.key(), key);
    (job, payload.clone(), *priority)
}

/// Enqueues a job; it is read back the same, with its own priority.
async fn there_and_back<J: Job + DeserializeOwned>(db: &PgPool, job: J) {
    // A delay of any precision.
    let delay = RunAt::After(Duration::from_nanos(1_000_000_001));
    jobs::enqueue(db, &job, delay).await.expect("enqueued");
    let (_, payload, priority) = take::<J>(db).await;
    assert_eq!(payload, serde_json::to_value(&job).expect("JSON"));
    assert_eq!(i32::from(priority), J::PRIORITY);
}

#[tokio::test]
async fn every_job_reads_back_as_it_was_enqueued() {
    let database = database::create().await;
    let db = db::pool(database.clone());
    there_and_back(&db, RunCommand::new(CommandId(7))).await;
    let again = RunCommand {
        seen_attempt: Some(1),
        seen_posts: Some(2),
        ..RunCommand::new(CommandId(7))
    };
    there_and_back(&db, again).await;
    let asker = dana();
    let until = Some(Utc::now());
    there_and_back(&db, Unlink { asker, until }).await;
    let withdrawal_id = WithdrawalId(7);
    there_and_back(&db, Withdraw { withdrawal_id }).await;
    let by = SlackUserId::new("U0ADA");
    there_and_back(&db, NotifyUnlinked { asker: dana(), by }).await;
    for tenant in [
        Tenant::Workspace(None, TeamId::new("T0ACME")),
        Tenant::Organisation(EnterpriseId::new("E0ACME")),
    ] {
        there_and_back(&db, LeaveTenant { tenant }).await;
    }
    let home = ShowHome {
        asker: dana(),
        has_offer: true,
    };
    there_and_back(&db, home).await;
    db.close().await;
    database::drop(&database).await;
}

#[tokio::test]
async fn what_sql_enqueues_reads_as_the_job() {
    let database = database::create().await;
    let db = db::pool(database.clone());
    let link =
        "insert into zoom_grant (zoom_user_id, zoom_account_id, email, scope, access_token, refresh_token, expires_at)
        values ('zoom-dana', 'acme', 'dana@acme.example', '', '', '', now());
        insert into zoom_link (enterprise_id, team_id, user_id, zoom_user_id)
        values ('E0ACME', 'T0ACME', 'U0DANA', 'zoom-dana')";
    sqlx::raw_sql(link).execute(&db).await.expect("a link");

    let Ok(Command::Livestream(request)) = "start 68423085".parse() else {
        panic!("a command");
    };
    let new = NewCommand {
        trigger: &TriggerId::new("1"),
        asker: &dana(),
        channel: &ChannelId::new("C0TOWNHALL"),
        request: &request,
        response_url: Some(b"sealed"),
        posts: 0,
        is_from_card: false,
        is_public: true,
        is_private: false,
        shared: None,
        shared_accounts: false,
    };
    let recorded = commands::record(&db, &new).await.expect("recorded");
    let (job, _, priority) = take::<RunCommand>(&db).await;
    assert_eq!(recorded, Recorded::Accepted(job.command_id));
    assert_eq!(i32::from(priority), RunCommand::PRIORITY);

    // Of two who are about to tell the same one does.
    let tells = async || {
        commands::record_post(&db, job.command_id, 0)
            .await
            .expect("an update")
    };
    assert_eq!((tells().await, tells().await), (true, false));

    sqlx::query("update command set received_at = now() - interval '2 minutes'")
        .execute(&db)
        .await
        .expect("time passes");
    assert_eq!(commands::requeue_lost(&db).await.expect("requeued"), 1);
    let (lost, ..) = take::<RunCommand>(&db).await;
    assert_eq!(lost.command_id, job.command_id);

    let home = ShowHome {
        asker: dana(),
        has_offer: false,
    };
    let enqueue = || jobs::enqueue_home(&db, &home, RunAt::Now);
    enqueue().await.expect("no job without a token");
    sqlx::query("insert into installation (team_id, bot_token) values ('T0ACME', 'sealed')")
        .execute(&db)
        .await
        .expect("an installation");
    enqueue().await.expect("enqueued");
    let (job, _, priority) = take::<ShowHome>(&db).await;
    assert_eq!(job.asker, dana());
    assert_eq!(i32::from(priority), ShowHome::PRIORITY);
    db.close().await;
    database::drop(&database).await;
}
