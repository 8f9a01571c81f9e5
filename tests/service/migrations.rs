//! The database over the versions of this program.

use livestream_bot::{db, serve};
use sqlx::{ConnectOptions, Connection};

use crate::support::database;

/// Prepares a database whose list of applied migrations was changed by `sql`; the error.
async fn migrate_after(sql: &'static str) -> String {
    let options = database::create().await;
    let mut connection = options.connect().await.expect("the test's database");
    let changed = sqlx::query(sql).execute(&mut connection).await;
    assert_eq!(changed.expect("a statement").rows_affected(), 1);
    connection.close().await.expect("an orderly end");
    let pool = db::pool(options.clone());
    let error = serve::migrate(&pool).await.expect_err("an error");
    pool.close().await;
    database::drop(&options).await;
    format!("{error:#}")
}

#[tokio::test]
async fn a_database_of_a_development_version_is_refused_with_the_way_out() {
    let error = migrate_after(
        r"update _sqlx_migrations set description = 'livestream', checksum = '\x00' where version = 1",
    )
    .await;
    assert_eq!(
        error,
        "the database was made by a development version of this program and cannot be brought up to date: \
         start with an empty one (private: move the folder .data away; DATABASE_URL: create a new database): \
         migration 1 was previously applied but has been modified"
    );
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused_with_the_way_out() {
    let error = migrate_after(
        r"insert into _sqlx_migrations (version, description, success, checksum, execution_time)
        values (1000, 'from the future', true, '\x00', 0)",
    )
    .await;
    assert_eq!(
        error,
        "the database was brought up to date by a newer version of this program: run that version or a later one: \
         migration 1000 was previously applied but is missing in the resolved migrations"
    );
}
