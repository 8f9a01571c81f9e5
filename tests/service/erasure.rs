//! Deleting what is stored of a person, at their request.

use livestream_bot::account::erase;
use livestream_bot::db;
use livestream_bot::demo::{ADA, DANA, World};
use livestream_bot::ids::{SlackUserId, TeamId};
use sqlx::{AssertSqlSafe, ConnectOptions, PgConnection, raw_sql};

use crate::support::admin_browser::AdminBrowser;
use crate::support::counts::wait_for_count;
use crate::support::database;
use crate::support::fixtures::{installed_world, world};
use crate::support::install::is_revoked;
use crate::support::program::{lossy_text, run_with_input};
use crate::support::replica;
use crate::support::slack::{type_and_read, type_and_read_at_once};
use crate::support::world::{connect, wait_for_empty_queue};

async fn run(db: &mut PgConnection, sql: &str) {
    let done = raw_sql(AssertSqlSafe(sql.to_owned())).execute(db).await;
    done.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

async fn text(db: &mut PgConnection, sql: &str) -> String {
    let found = sqlx::query_scalar::<_, Option<String>>(AssertSqlSafe(sql.to_owned()));
    let found = found.fetch_one(db).await;
    found
        .unwrap_or_else(|error| panic!("{sql}: {error}"))
        .unwrap_or_default()
}

/// The tables of the service and of its queue that have this text anywhere.
async fn tables_with(db: &mut PgConnection, text: &str) -> Vec<String> {
    let tables: Vec<String> = sqlx::query_scalar(
        "select format('%I.%I', schemaname, tablename) from pg_tables
        where schemaname in (current_schema(), 'graphile_worker') order by 1",
    )
    .fetch_all(&mut *db)
    .await
    .expect("the tables");
    assert!(tables.len() > 24, "the tables are found: {tables:?}");
    let mut found = Vec::new();
    for table in tables {
        let sql = format!("select exists (select from {table} as t where strpos(t::text, $1) > 0)");
        let has_it = sqlx::query_scalar(AssertSqlSafe(sql)).bind(text);
        if has_it.fetch_one(&mut *db).await.expect("an answer") {
            found.push(table);
        }
    }
    found
}

/// Runs `erase-person` for Dana. Returns whether it succeeded, and what it logged.
fn erase_dana(world: &World, arguments: &[&str]) -> (bool, String) {
    let mut command = replica::command(
        "erase-person",
        &world.database,
        &world.slack,
        &world.zoom,
        &world.config.token_keys,
    );
    command.args(["--team", "T0ACME", "--user", DANA.slack]);
    let output = run_with_input(command.args(arguments), "");
    (output.status.success(), lossy_text(&output.stderr))
}

/// Rows of every table that name Dana, beside those that using the service makes: with 2,500 commands
/// and so many livestreams. A statement may delete 1,000 commands at most.
const TRACES: &str = "
    insert into command (trigger_id, team_id, user_id, channel_id, zoom_user_id, action, meeting_id, settings,
        received_at, outcome, finished_at, delivered_at)
    select 'old ' || number, 'T0ACME', 'U0DANA', 'C0TOWNHALL', 'zoom-dana', 'start', number, '{}',
        now() - interval '2 days', '{\"kind\": \"accepted\"}', now() - interval '2 days', now() - interval '2 days'
    from generate_series(1, 2500) as number;
    insert into stream (team_id, channel_id, is_public, user_id, zoom_user_id, meeting_id, command_id, topic, closed_at)
    select team_id, channel_id, true, user_id, zoom_user_id, meeting_id, command_id, 'Town Hall', now()
    from command where trigger_id like 'old %';
    insert into stream_fact (stream_id, kind, happened_at, user_id) select stream_id, 'start_asked', now(), user_id from stream;
    insert into stream (team_id, channel_id, is_public, user_id, zoom_user_id, meeting_id, command_id, closed_at)
    values ('T0ACME', 'C0TOWNHALL', true, 'U0ADA', 'zoom-ada', 7, 7, now());
    insert into stream_fact (stream_id, kind, happened_at, user_id)
    select stream_id, kind, now(), by from stream, (values ('start_asked', 'U0ADA'), ('marked_ended', 'U0DANA')) as fact (kind, by)
    where user_id = 'U0ADA';
    insert into named_admin (team_id, user_id, named_by) values ('T0ACME', 'U0DANA', 'U0ADA'), ('T0ACME', 'U0ELI', 'U0DANA');
    insert into admin_session (session_hash, team_id, user_id, name, team_name) values ('x', 'T0ACME', 'U0DANA', 'Dana', 'Acme');
    insert into link_offer (token_hash, team_id, user_id, expires_at) values ('x', 'T0ACME', 'U0DANA', now());
    insert into link_session (session_hash, token_hash, expires_at, slack_name, email) values ('x', 'x', now() + interval '1 hour', 'Dana', 'dana@acme.example');
    insert into membership (team_id, user_id, kind) values ('T0ACME', 'U0DANA', 'member') on conflict do nothing;
    insert into user_group (team_id, group_id, people) values ('T0ACME', 'S1', '{U0ELI,U0DANA}');
    insert into destination (team_id, name, service, server_url, stream_key, key_set_by, page_url, who, people, changed_by)
    values ('T0ACME', 'theirs', 'other', 'rtmps://a', 'x', 'U0DANA', 'https://a', 'people', '{U0DANA}', 'U0DANA'),
        ('T0ACME', 'other', 'other', 'rtmps://b', 'x', 'U0ADA', 'https://b', 'people', '{U0ELI,U0DANA}', 'U0ADA');
    insert into zoom_grant (zoom_user_id, zoom_account_id, email, scope, access_token, refresh_token, expires_at)
    values ('zoom-shared', 'acme', 'events@acme.example', 'meeting:write', 'x', 'x', now());
    insert into shared_account (team_id, zoom_user_id, people, linked_by) values ('T0ACME', 'zoom-shared', '{U0ELI,U0DANA}', 'U0DANA');
    update installation set installed_by = 'U0DANA';
    select graphile_worker.add_job('show_home', '{\"asker\": {\"enterprise\": null, \"team\": \"T0ACME\", \"user\": \"U0DANA\"}, \"has_offer\": false}',
        run_at => now() + interval '1 day');
    create function check_size() returns trigger language plpgsql as $$ begin
        if (select count(*) from gone) > 1000 then raise exception 'too many rows in one statement'; end if;
        return null;
    end $$;
    create trigger check_size after delete on command referencing old table as gone for each statement execute function check_size();
    create trigger check_size after delete on stream referencing old table as gone for each statement execute function check_size();";

#[tokio::test]
async fn a_person_is_erased_from_every_table_and_the_audit_keeps_its_entries() {
    let world = installed_world().await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    type_and_read(&world, DANA, "start 68423085").await;
    type_and_read(&world, DANA, "stop 68423085").await;
    admin
        .set_rules(&[("who", "named"), ("people", "U0DANA U0ELI")])
        .await;
    wait_for_empty_queue(&world.database).await;
    let mut db = connect(&world).await;
    run(
        &mut db,
        "update stream set closed_at = now() where closed_at is null",
    )
    .await;
    run(&mut db, TRACES).await;
    let audit =
        "select string_agg(audit::text, ' ' order by audit_id) from audit where kind <> 'unlinked'";
    let before = text(&mut db, audit).await;

    let counts = "links=1 withdrawals=1 link_offers=1 commands=2502 streams=2501 stream_facts=1 memberships=1 \
        admin_rights=2 settings=7 jobs=1 audit_names=1";
    for _ in 0..2 {
        let (is_good, log) = erase_dana(&world, &["--dry-run"]);
        assert!(is_good && log.contains("dry run: this is stored"), "{log}");
        assert!(log.contains(counts), "{log}");
    }
    assert!(tables_with(&mut db, "U0DANA").await.len() > 12);
    let (is_good, log) = erase_dana(&world, &[]);
    assert!(is_good && log.contains(counts), "{log}");
    assert!(!log.contains(DANA.slack), "{log}");

    wait_for_count(&world, "select count(*) from withdrawal", 0).await;
    assert!(is_revoked(&world, DANA));
    for trace in ["U0DANA", DANA.email, "zoom-dana"] {
        assert_eq!(
            tables_with(&mut db, trace).await,
            Vec::<String>::new(),
            "{trace}"
        );
    }
    assert_eq!(text(&mut db, audit).await, before, "no entry has changed");
    // What names others stays.
    for (sql, expected) in [
        ("select people::text || changed_by from rules", "{U0ELI}U0ADA"),
        (
            "select string_agg(people::text || changed_by || key_set_by, ' ' order by name) from destination",
            "{U0ELI}U0ADAU0ADA {}",
        ),
        (
            "select people::text || linked_by from shared_account",
            "{U0ELI}",
        ),
        (
            "select string_agg(kind || coalesce(stream_fact.user_id, ' by nobody'), ', ' order by kind)
            from stream join stream_fact using (stream_id)",
            "marked_ended by nobody, start_askedU0ADA",
        ),
        ("select string_agg(user_id, ' ') from named_admin", "U0ELI"),
    ] {
        assert_eq!(text(&mut db, sql).await, expected, "{sql}");
    }
    // The admins' pages say so.
    for (path, says) in [
        ("/admin/activity", "someone who was erased"),
        ("/admin/destinations", "someone who was erased"),
        ("/admin/shared", "someone who was erased"),
    ] {
        let page = admin.read(path).await;
        assert!(page.contains(says), "{path}: {page}");
        assert!(!page.contains(DANA.slack), "{path}: {page}");
    }
    // And once more.
    let (is_good, log) = erase_dana(&world, &[]);
    assert!(is_good && log.contains("links=0 withdrawals=0"), "{log}");
    assert!(
        log.contains("nothing is stored of this person; compare both IDs"),
        "{log}"
    );
    drop(db);
    world.end().await;
}

#[tokio::test]
async fn what_is_under_way_is_left_and_told_and_goes_with_the_next_erasure() {
    let world = world().await;
    type_and_read(&world, DANA, "start 68423085").await;
    let (is_good, log) = erase_dana(&world, &[]);
    assert!(!is_good, "{log}");
    let left = "Error: left, because it is under way or came meanwhile: commands: 1, livestreams: 1, other rows: 0";
    assert!(log.contains(left), "{log}");
    // Nobody acts with the account any more, and its livestream is shown as one that is not known.
    let read = type_and_read_at_once(&world, DANA, "whoami").await;
    assert!(read.contains("No Zoom account is linked"), "{read}");
    wait_for_count(&world, "select count(*) from withdrawal", 0).await;
    assert!(is_revoked(&world, DANA));
    let mut db = connect(&world).await;
    run(&mut db, "update stream set closed_at = now()").await;
    let (is_good, log) = erase_dana(&world, &[]);
    assert!(is_good, "{log}");
    assert_eq!(tables_with(&mut db, DANA.slack).await, Vec::<String>::new());
    drop(db);
    world.end().await;
}

#[tokio::test]
async fn a_person_of_an_organisation_is_erased_in_all_of_its_workspaces_and_nowhere_else() {
    let database = database::create().await;
    let mut db = database.connect().await.expect("a connection");
    run(
        &mut db,
        "insert into zoom_grant (zoom_user_id, zoom_account_id, email, scope, access_token, refresh_token, expires_at, dead_at)
        select name, 'a', name || '@acme.example', 'meeting:write', 'x', 'x', now(), now()
        from unnest(array['one', 'both', 'other']) as name;
        insert into zoom_link (enterprise_id, team_id, user_id, zoom_user_id)
        values ('E1', 'T1', 'U1', 'one'), (null, 'T9', 'U1', 'other'), ('E1', 'T1', 'U2', 'both');
        insert into command (trigger_id, enterprise_id, team_id, user_id, channel_id, zoom_user_id, action, meeting_id, settings,
            outcome, finished_at, delivery_error)
        select team || u, organisation, team, u, 'C1', '', 'start', 1, '{}', '{}', now(), 'gone'
        from (values ('E1', 'T1'), ('E1', 'T2'), (null, 'T9')) as place (organisation, team), unnest(array['U1', 'U2']) as u;
        -- Both have acted with one account, which is U2's now.
        insert into audit (kind, enterprise_id, team_id, person_id, account_id)
        select 'start', 'E1', 'T1', person_key('E1', 'T1', u), account_id
        from unnest(array['U1', 'U2']) as u, zoom_account where zoom_user_id = 'both';
        delete from zoom_link where user_id = 'U2';
        delete from zoom_grant where zoom_user_id = 'both';
        insert into audit (kind, enterprise_id, team_id, person_id)
        values ('start', 'E1', 'T2', person_key('E1', 'T2', 'U1')), ('start', null, 'T9', person_key(null, 'T9', 'U1'))",
    )
    .await;
    let pool = db::pool(database.clone());
    let erase = async |team: &str| {
        let erased = erase::person(&pool, TeamId::new(team), SlackUserId::new("U1"), false).await;
        erased.expect("an erasure")
    };
    let erased = erase("T2").await;
    assert_eq!(
        (
            erased.found.links,
            erased.found.commands,
            erased.found.audit_names
        ),
        (1, 2, 2)
    );
    assert!(erased.left.is_empty(), "{erased:?}");
    assert_eq!(erased.withdrawals, 0, "Zoom had ended it");
    let left = "select string_agg(trigger_id, ' ' order by trigger_id) from command";
    assert_eq!(text(&mut db, left).await, "T1U2 T2U2 T9U1 T9U2");
    let links = "select string_agg(team_id || user_id, ' ') from zoom_link";
    assert_eq!(text(&mut db, links).await, "T9U1");
    // The account with which somebody else acted as well is named in their entries.
    let emails =
        "select string_agg(coalesce(email, '-'), ' ' order by account_id) from zoom_account";
    assert_eq!(
        text(&mut db, emails).await,
        "- both@acme.example other@acme.example"
    );
    let people = "select string_agg(team_id || coalesce(user_id, '-'), ' ' order by team_id, user_id) from person";
    assert_eq!(text(&mut db, people).await, "T1U2 T1- T2- T9U1");
    assert_eq!(erase("T9").await.found.links, 1);
    assert_eq!(text(&mut db, links).await, "");
    pool.close().await;
    drop(db);
    database::drop(&database).await;
}

#[tokio::test]
async fn nothing_is_made_in_an_empty_database_to_look_for_somebody() {
    let options = database::create().await;
    let empty = format!("{}_empty", options.get_database().expect("a name"));
    let mut admin = options.connect().await.expect("a connection");
    run(&mut admin, &format!("create database {empty}")).await;
    let database = options.clone().database(&empty);
    let mut erase = replica::command_without_settings("erase-person");
    erase
        .args(["--team", "T0ACME", "--user", DANA.slack, "--dry-run"])
        .env("DATABASE_URL", replica::database_url(&database));
    let output = run_with_input(&mut erase, "");
    let log = lossy_text(&output.stderr);
    assert!(
        output.status.success() && log.contains("no tables yet"),
        "{log}"
    );
    let mut db = database.connect().await.expect("a connection");
    let tables = "select string_agg(relname, ' ') from pg_stat_user_tables";
    assert_eq!(text(&mut db, tables).await, "");
    drop(db);
    run(&mut admin, &format!("drop database {empty} with (force)")).await;
    drop(admin);
    database::drop(&options).await;
}

#[test]
fn what_is_no_id_is_refused_before_anything_is_done() {
    for (team, user, says) in [
        ("acme", "U0DANA", "it is no Slack workspace ID"),
        ("T0ACME", "@dana", "it is no Slack member ID"),
    ] {
        let mut command = replica::command_without_settings("erase-person");
        let output = run_with_input(command.args(["--team", team, "--user", user]), "");
        let error = lossy_text(&output.stderr);
        assert!(!output.status.success() && error.contains(says), "{error}");
    }
}
