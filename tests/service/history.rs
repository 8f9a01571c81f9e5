//! What is deleted after its time, and what of the database a look-up touches.

use std::time::Duration;

use chrono::Utc;
use livestream_bot::db::commands::Step;
use livestream_bot::db::{
    self, account_uses, audit, authorization, commands, grants, installations, links,
    meeting_history, memberships,
};
use livestream_bot::demo::zoom::SCOPES;
use livestream_bot::demo::{ADA, DANA};
use livestream_bot::ids::{
    Asker, CommandId, EnterpriseId, SlackUserId, TeamId, Tenant, ZoomUserId,
};
use sqlx::{AssertSqlSafe, ConnectOptions, PgConnection};

use crate::support::admin_browser::AdminBrowser;
use crate::support::database;
use crate::support::fixtures::world_with;
use crate::support::install::install;
use crate::support::slack::type_and_read;
use crate::support::world::connect;

const DAY: Duration = Duration::from_hours(24);

async fn run(db: &mut PgConnection, sql: &'static str) {
    let done = sqlx::raw_sql(sql).execute(db).await;
    done.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

async fn column(db: &mut PgConnection, sql: &'static str) -> Vec<String> {
    let rows = sqlx::query_scalar(sql).fetch_all(db).await;
    rows.expect("rows")
}

/// Commands of so many days ago, each named by its trigger.
const COMMANDS: &str = "
    insert into command (trigger_id, team_id, user_id, channel_id, zoom_user_id, action, meeting_id, settings,
        received_at, outcome, finished_at, delivered_at, delivery_error)
    select name, 'T0ACME', 'U0DANA', 'C0TOWNHALL', 'zoom-dana', 'start', number, '{}',
        now() - days * interval '1 day', case when is_finished then '{\"kind\": \"accepted\"}'::jsonb end,
        case when is_finished then now() end, case when is_told then now() end, error
    from (values
        ('old and told', 1, 8, true, true, null), ('old and untellable', 2, 8, true, false, 'gone'),
        ('old and untold', 3, 8, true, false, null), ('old and unfinished', 4, 8, false, false, null),
        ('young and told', 5, 6, true, true, null)
    ) as command (name, number, days, is_finished, is_told, error)";

#[tokio::test]
async fn commands_are_deleted_in_time_unless_somebody_waits_for_them() {
    let database = database::create().await;
    let mut db = database.connect().await.expect("a connection");
    run(&mut db, COMMANDS).await;
    let pool = db::pool(database.clone());
    let deleted = commands::delete_expired(&pool, 7 * DAY).await;
    assert_eq!(deleted.expect("a cleanup"), 2);
    let left = column(
        &mut db,
        "select trigger_id from command order by meeting_id",
    )
    .await;
    assert_eq!(
        left,
        ["old and untold", "old and unfinished", "young and told"]
    );
    pool.close().await;
    drop(db);
    database::drop(&database).await;
}

#[tokio::test]
async fn a_backlog_is_deleted_bit_by_bit_and_waits_for_no_lock() {
    let database = database::create().await;
    let mut db = database.connect().await.expect("a connection");
    run(
        &mut db,
        "insert into command (trigger_id, team_id, user_id, channel_id, zoom_user_id, action, meeting_id, settings,
            received_at, outcome, finished_at, delivered_at)
        select n, 'T0ACME', 'U0DANA', 'C0TOWNHALL', 'zoom-dana', 'start', n, '{}', now() - interval '8 days', '{}', now(), now()
        from generate_series(1, 20500) as n",
    )
    .await;
    // Somebody holds the oldest one.
    run(
        &mut db,
        "begin; select from command where trigger_id = '1' for update",
    )
    .await;
    let pool = db::pool(database.clone());
    let deleted = commands::delete_expired(&pool, 7 * DAY).await;
    assert_eq!(deleted.expect("a cleanup"), 20_000);
    let deleted = commands::delete_expired(&pool, 7 * DAY).await;
    assert_eq!(deleted.expect("a cleanup"), 499);
    run(&mut db, "rollback").await;
    let deleted = commands::delete_expired(&pool, 7 * DAY).await;
    assert_eq!(deleted.expect("a cleanup"), 1);
    pool.close().await;
    drop(db);
    database::drop(&database).await;
}

/// People and accounts, each named by what refers to them besides an old entry.
const REFERRED: &str = "
    insert into zoom_grant (zoom_user_id, zoom_account_id, email, scope, access_token, refresh_token, expires_at)
        values ('granted', 'acme', 'granted@acme.example', '', '', '', now());
    insert into zoom_account (zoom_user_id, email)
        select name, name || '@acme.example' from unnest('{unused,young,running}'::text[]) as name;
    insert into command (trigger_id, team_id, user_id, channel_id, zoom_user_id, action, meeting_id, settings)
        values ('1', 'T0ACME', 'U0DANA', 'C0TOWNHALL', 'running', 'start', 1, '{}');
    insert into audit (happened_at, kind, team_id, person_id, actor_id, people, account_id)
        select now() - interval '91 days', 'linked', 'T0ACME', person_key(null, 'T0ACME', 'unused'),
            person_key(null, 'T0ACME', 'acting'),
            array[person_key(null, 'T0ACME', 'listed'), person_key(null, 'T0ACME', 'unused listed')], account_id
        from zoom_account;
    insert into audit (kind, team_id, person_id, actor_id, people, account_id)
        select 'linked', 'T0ACME', person_key(null, 'T0ACME', 'young'), person_key(null, 'T0ACME', 'acting'),
            array[person_key(null, 'T0ACME', 'listed')], account_id
        from zoom_account where zoom_user_id = 'young'";

#[tokio::test]
async fn whom_no_entry_refers_to_any_more_is_deleted_with_the_last_entry() {
    let database = database::create().await;
    let mut db = database.connect().await.expect("a connection");
    run(&mut db, REFERRED).await;
    let pool = db::pool(database.clone());
    // Somebody about whom an entry is just being written.
    run(
        &mut db,
        "insert into audit (happened_at, kind, team_id, person_id)
            values (now() - interval '91 days', 'linked', 'T0ACME', person_key(null, 'T0ACME', 'U0ELI'))",
    )
    .await;
    run(&mut db, "begin; select person_key(null, 'T0ACME', 'U0ELI')").await;
    let deleted = audit::delete_expired(&pool, 90 * DAY).await;
    assert_eq!(deleted.expect("a cleanup"), 5);
    run(
        &mut db,
        "insert into audit (kind, team_id, person_id) values ('linked', 'T0ACME', person_key(null, 'T0ACME', 'U0ELI'));
        commit",
    )
    .await;
    assert_eq!(
        column(&mut db, "select user_id from person order by user_id").await,
        ["U0ELI", "acting", "listed", "young"]
    );
    assert_eq!(
        column(&mut db, "select email from zoom_account order by email").await,
        [
            "granted@acme.example",
            "running@acme.example",
            "young@acme.example"
        ]
    );
    pool.close().await;
    drop(db);
    database::drop(&database).await;
}

#[tokio::test]
async fn the_sweep_forgets_what_is_old_and_the_audit_still_names_the_reference() {
    let world = world_with(|config| config.history_retention = 7 * DAY).await;
    install(&world, "acme").await;
    type_and_read(&world, DANA, "start 68423085").await;
    let mut db = connect(&world).await;
    let reference = column(&mut db, "select command_id::text from command").await;
    run(
        &mut db,
        "update command set received_at = now() - interval '8 days';
        insert into membership (team_id, user_id, kind, checked_at) values
            ('T0ACME', 'U0OLD', 'guest', now() - interval '8 days'), ('T0ACME', 'U0YOUNG', 'guest', now());
        insert into user_group (team_id, group_id, people, checked_at)
            values ('T0ACME', 'S0OLD', '{U0OLD}', now() - interval '8 days');
        select graphile_worker.add_job('run_command', '{\"command_id\": 0}', max_attempts => 1);
        update graphile_worker._private_jobs set attempts = 1, updated_at = now() - interval '8 days'",
    )
    .await;
    let mut ticks = tokio::time::interval(Duration::from_millis(50));
    loop {
        ticks.tick().await;
        let left = column(
            &mut db,
            "select 'command' from command union all select user_id from membership where user_id <> 'U0DANA'
            union all select group_id from user_group
            union all select 'job' from graphile_worker._private_jobs where key is null",
        )
        .await;
        if left == ["U0YOUNG"] {
            break;
        }
    }
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    let page = admin.read("/admin/activity?kind=start").await;
    assert!(
        page.contains(&reference[0]) && page.contains("dana@acme.example"),
        "{page}"
    );
    drop(db);
    world.end().await;
}

#[tokio::test]
async fn a_changed_email_is_taken_over_when_zoom_names_it() {
    let world = world_with(|_| ()).await;
    install(&world, "acme").await;
    let scope = format!("{SCOPES} user:read:user");
    world.link(DANA, &scope).await.expect("Dana's link");
    type_and_read(&world, DANA, "start 68423085").await;
    world.zoom.change_email(DANA.zoom, "dana.new@acme.example");
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    let csrf = admin.csrf().await;
    admin
        .post("/admin/people/U0DANA/test", &[("csrf", &csrf)])
        .await;
    for path in [
        "/admin/people?q=dana.new%40",
        "/admin/people/U0DANA",
        "/admin/activity",
    ] {
        let page = admin.read(path).await;
        assert!(
            page.contains("dana.new@acme.example") && !page.contains("dana@acme.example"),
            "{path}: {page}"
        );
    }
    world.end().await;
}

/// Two workspaces of one organisation with 10,000 people each, and their commands.
const MANY: &str = "
    insert into zoom_grant (zoom_user_id, zoom_account_id, email, scope, access_token, refresh_token, expires_at)
        select 'z' || n, 'acme', n || '@acme.example', '', '', '', now() from generate_series(1, 20000) as n;
    insert into zoom_link (enterprise_id, team_id, user_id, zoom_user_id, created_at)
        select 'E0ACME', 'T' || n % 2, 'U' || n, 'z' || n, now() - interval '10 days' from generate_series(1, 20000) as n;
    insert into membership (enterprise_id, team_id, user_id, kind)
        select 'E0ACME', 'T' || n % 2, 'U' || n, 'member' from generate_series(1, 20000) as n;
    insert into command (trigger_id, enterprise_id, team_id, user_id, channel_id, zoom_user_id, action, meeting_id, settings,
        received_at)
        select n, 'E0ACME', 'T' || n % 2, 'U' || n, 'C', 'z' || n, 'start', n, '{}', now() - interval '10 days'
        from generate_series(1, 20000) as n;
    insert into installation (enterprise_id, installed_at, uninstalled_at)
        values ('E0GONE', now() - interval '9 days', now() - interval '1 day');
    insert into installation (team_id, installed_at, uninstalled_at)
        values ('T0GONE', now() - interval '9 days', now() - interval '1 day');
    analyze";

/// How many rows of the large tables were read in this transaction so far.
async fn rows_read(db: &mut PgConnection) -> i64 {
    sqlx::query_scalar(
        "select sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::bigint from pg_stat_xact_user_tables
        where relname in ('command', 'zoom_link', 'membership', 'zoom_grant')",
    )
    .fetch_one(db)
    .await
    .expect("a count")
}

#[tokio::test]
async fn no_look_up_of_one_person_reads_everybody() {
    let database = database::create().await;
    let mut setup = database.connect().await.expect("a connection");
    run(&mut setup, MANY).await;
    for mode in ["force_generic_plan", "force_custom_plan"] {
        let pool = db::pool(database.clone());
        let mut db = pool.begin().await.expect("a transaction");
        let set = format!("set local plan_cache_mode = {mode}");
        let set = sqlx::raw_sql(AssertSqlSafe(set)).execute(&mut *db).await;
        set.expect("a setting");
        let asker = Asker {
            enterprise: Some(EnterpriseId::new("E0ACME")),
            team: TeamId::new("T0"),
            user: SlackUserId::new("U4000"),
        };
        let zoom_user = ZoomUserId::new("z4000");
        macro_rules! reads_little {
            ($call:expr) => {
                let before = rows_read(&mut db).await;
                $call.await.expect(stringify!($call));
                let read = rows_read(&mut db).await - before;
                assert!(read < 20, "{mode}: {} reads {read} rows", stringify!($call));
            };
        }
        reads_little!(commands::recent(&mut *db, &asker, 5));
        let command = commands::find(&mut *db, CommandId(4000)).await;
        let command = command.expect("a row").expect("a command");
        reads_little!(commands::begin_attempt(
            &mut *db,
            &command,
            0,
            Step::Change,
            true
        ));
        reads_little!(authorization::find(&mut *db, &asker));
        reads_little!(memberships::invalidate(&mut *db, &asker));
        reads_little!(links::zoom_users(&mut *db, &asker, None));
        for tenant in [
            Tenant::Organisation(EnterpriseId::new("E0GONE")),
            Tenant::Workspace(None, TeamId::new("T0GONE")),
        ] {
            reads_little!(installations::is_uninstalled(&mut *db, &tenant));
        }
        reads_little!(links::people(&mut *db, &zoom_user));
        reads_little!(account_uses::find(&mut *db, &zoom_user, &asker));
        let meeting = command.request.meeting;
        reads_little!(meeting_history::has_started(&mut db, &asker, meeting));
        reads_little!(grants::erase(&mut db, &zoom_user, Utc::now()));
        reads_little!(links::delete(&mut *db, &asker, None));
        db.rollback().await.expect("a rollback");
        pool.close().await;
    }
    drop(setup);
    database::drop(&database).await;
}
