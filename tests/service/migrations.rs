//! The database over the versions of this program.

use livestream_bot::{db, serve};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use sqlx::{
    AssertSqlSafe, Column, ConnectOptions, Connection, Either, Executor, SqlSafeStr, Statement,
    TypeInfo, raw_sql,
};

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
        "the database was made by a development version of this program and cannot be brought up to date \
         (migration 1 was previously applied but has been modified); start with an empty one (private: move the folder \
         .data away, DATABASE_URL: create a new database)"
    );
}

/// The SHA-256 of each migration. They are frozen: a later one is a new line, and no line changes.
const FROZEN: [(i64, &str); 18] = [
    (
        1,
        "53b56257c58eebf863ac4704d8be34e1a50296752ba01fee69ee16a69475ccc0",
    ),
    (
        2,
        "2d6807e695b9b7f4d9a773ddee5532901cd9cc4dcb75420e60b89d070e09bb3e",
    ),
    (
        3,
        "1badcf353194ec0943c218c96162fa96dd0345e556402386edc16748ca5db635",
    ),
    (
        4,
        "60de3ed1925ad0e6b52d2e1cbb4bc253d59fa0b8c39985d1dfe14e9d1c5f586b",
    ),
    (
        5,
        "a202a3e4067d4cec92592b18bb67dee78dbf7a3bdc8f25d07ab4f1bb4f11ed11",
    ),
    (
        6,
        "f3042aaa9b4aa6f7d119e5f92c216ce48846f4631da6f78229398a7fa186dd96",
    ),
    (
        7,
        "c1f1883b65a474fbf5de1b8d55b9b918b1a738e306dcffbb5145f0a3386e8790",
    ),
    (
        8,
        "dd59e26543ff721e1466ca6764aeedddf6000153bf209ad1712d363dad2e67cd",
    ),
    (
        9,
        "2c5cdea1ac60a1be1fc12662501a0a6da324accd262c0a42a3a6a32325027009",
    ),
    (
        10,
        "b6730977009461898cb0ee6cdc2075c74e55c031eb93159e3b0cad2229666fcb",
    ),
    (
        11,
        "cf1fbdc7a9e80bbd8d05605b0f129d1c1e66f85c7921df971060081da3711163",
    ),
    (
        12,
        "853717621b8b7cb34ea917924e0891169384962aad7f9bc48dd1f2f3390b5335",
    ),
    (
        13,
        "db41d98bc1665734d395b01da21be1edcf41f31159db13b89cafa0c249f23048",
    ),
    (
        14,
        "53de62f0936450f0c1cc4e63fb18ccabc982909c551b53dcaf6dcc4d8ed1168c",
    ),
    (
        15,
        "e46989a72a9b0ea292676577afcd908f3aa6ab63ff3465ab363a4ac4e8b9514a",
    ),
    (
        16,
        "43df944c49a46a21aa5339e78664de36497a3ff3a749b54954eeb4599bd77559",
    ),
    (
        17,
        "a934d18c8ff8b340cca112c478acebf3d7e33472fa210e895c63df66d4993d36",
    ),
    (
        18,
        "0ccd941932f973bdbd973a95e9363362d161f5f06dd6631f6475fac18d951e18",
    ),
];

#[test]
fn no_migration_changes_once_it_is_committed() {
    let found: Vec<(i64, String)> = db::schema::migrator()
        .iter()
        .map(|migration| {
            let sql = migration.sql.as_str().as_bytes();
            (migration.version, hex::encode(Sha256::digest(sql)))
        })
        .collect();
    let frozen = FROZEN.map(|(version, hash)| (version, hash.to_owned()));
    assert_eq!(found, frozen);
}

/// Rows of every table, as they were once the migration of this number had run. Whoever adds a
/// migration adds rows here that it has to cope with the next time.
const SAMPLES: [(i64, &str); 8] = [
    (6, include_str!("migrations/6.sql")),
    (8, include_str!("migrations/8.sql")),
    (10, include_str!("migrations/10.sql")),
    (11, include_str!("migrations/11.sql")),
    (12, include_str!("migrations/12.sql")),
    (13, include_str!("migrations/13.sql")),
    (15, include_str!("migrations/15.sql")),
    (17, include_str!("migrations/17.sql")),
];

/// The migrations are applied one by one, with rows in the tables between them.
#[tokio::test]
async fn migrations_run_over_rows_of_every_earlier_state() {
    let options = database::create().await;
    let mut connection = options.connect().await.expect("the test's database");
    let emptied = raw_sql("drop schema public cascade; create schema public");
    emptied
        .execute(&mut connection)
        .await
        .expect("an empty database");
    for migration in db::schema::migrator().iter() {
        let sql = migration.sql.as_str().to_owned();
        let applied = raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await;
        applied.unwrap_or_else(|error| panic!("migration {}: {error}", migration.version));
        for (_, rows) in SAMPLES.iter().filter(|(at, _)| *at == migration.version) {
            let inserted = raw_sql(*rows).execute(&mut connection).await;
            inserted.unwrap_or_else(|error| panic!("sample {}: {error}", migration.version));
        }
    }
    // Of the two equal commands of one Zoom account in two workspaces one is left, and the other
    // is told so and audited.
    let ended: Vec<(String, Option<String>, i64)> = sqlx::query_as(
        "select trigger_id, outcome ->> 'kind',
            (select count(*) from audit where audit.command_id = command.command_id and outcome = 'unsupported')
        from command where trigger_id <> '1.2' order by command_id",
    )
    .fetch_all(&mut connection)
    .await
    .expect("the commands");
    let unsupported = Some("unsupported".to_owned());
    assert_eq!(
        ended,
        [
            ("1.1".to_owned(), None, 0),
            ("2.1".to_owned(), unsupported, 1)
        ]
    );
    let empty: Vec<String> = sqlx::query_scalar(
        "select table_name::text from information_schema.tables
        where table_schema = 'public' and table_type = 'BASE TABLE'
            and (xpath('//c/text()', query_to_xml(
                'select count(*) as c from ' || quote_ident(table_name), false, true, ''
            )))[1]::text = '0'",
    )
    .fetch_all(&mut connection)
    .await
    .expect("a list of tables");
    assert_eq!(empty, Vec::<String>::new(), "tables without sample rows");
    connection.close().await.expect("an orderly end");
    database::drop(&options).await;
}

/// A statement of an earlier version, with the types that it takes and gives.
#[derive(Deserialize)]
struct Recorded {
    query: String,
    parameters: Vec<String>,
    columns: Vec<(String, String)>,
}

/// Every statement of an earlier version, by the newest migration that it knew: those that are checked
/// when it is compiled. A version that is released is a new line.
const STATEMENTS: [(i64, &str); 1] = [(15, include_str!("migrations/statements_15.json"))];

/// An older replica, or a version that somebody goes back to, runs over the tables of this one.
#[tokio::test]
async fn every_statement_of_an_earlier_version_runs_over_these_tables() {
    let options = database::create().await;
    let mut db = options.connect().await.expect("the test's database");
    for (migration, statements) in STATEMENTS {
        let statements: Vec<Recorded> = serde_json::from_str(statements).expect("a record");
        assert!(
            statements.len() > 150,
            "the statements of {migration} are found"
        );
        for recorded in statements {
            let query = &recorded.query;
            let prepared = (&mut db).prepare(AssertSqlSafe(query.clone()).into_sql_str());
            let prepared = prepared
                .await
                .unwrap_or_else(|error| panic!("of migration {migration}: {query}: {error}"));
            let parameters: Vec<String> = match prepared.parameters() {
                Some(Either::Left(types)) => types.iter().map(|of| of.name().to_owned()).collect(),
                other => panic!("{query}: {other:?}"),
            };
            assert_eq!(
                parameters, recorded.parameters,
                "of migration {migration}: {query}"
            );
            let columns: Vec<(String, String)> = (prepared.columns().iter())
                .map(|column| {
                    (
                        column.name().to_owned(),
                        column.type_info().name().to_owned(),
                    )
                })
                .collect();
            assert_eq!(
                columns, recorded.columns,
                "of migration {migration}: {query}"
            );
        }
    }
    db.close().await.expect("an orderly end");
    database::drop(&options).await;
}
