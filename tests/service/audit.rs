//! The people of the audit: one row each, which can be emptied.

use std::time::Duration;

use sqlx::{ConnectOptions, Connection, PgConnection};

use crate::support::database;

async fn key(db: &mut PgConnection) -> i64 {
    let key = sqlx::query_scalar("select person_key('E0ACME', 'T0ACME', 'U0DANA')");
    key.fetch_one(db).await.expect("a key")
}

#[tokio::test]
async fn transactions_that_meet_a_new_user_agree_on_the_key() {
    let database = database::create().await;
    let mut first = database.connect().await.expect("a connection");
    let mut second = database.connect().await.expect("a connection");
    let mut observer = database.connect().await.expect("a connection");

    let mut transaction = first.begin().await.expect("a transaction");
    let key_of_first = key(&mut transaction).await;
    let waiting = tokio::spawn(async move { key(&mut second).await });
    let mut ticks = tokio::time::interval(Duration::from_millis(10));
    loop {
        ticks.tick().await;
        let is_waiting: bool = sqlx::query_scalar(
            "select exists (select from pg_locks join pg_database on pg_database.oid in (
                select datid from pg_stat_activity where pg_stat_activity.pid = pg_locks.pid
            ) where not granted and datname = current_database())",
        )
        .fetch_one(&mut observer)
        .await
        .expect("the locks");
        if is_waiting {
            break;
        }
        assert!(!waiting.is_finished(), "it waits for the first to commit");
    }
    transaction.commit().await.expect("committed");
    assert_eq!(waiting.await.expect("a key"), key_of_first);
    assert_eq!(key(&mut observer).await, key_of_first);

    // Somebody whose id was erased and who returns is a new person.
    sqlx::query("update person set user_id = null")
        .execute(&mut observer)
        .await
        .expect("erased");
    assert_ne!(key(&mut observer).await, key_of_first);
    drop((first, observer));
    database::drop(&database).await;
}
