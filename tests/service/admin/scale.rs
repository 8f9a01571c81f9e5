//! The admin's pages over 50,000 people and 1,000,000 entries.
//!
//! `cargo test --release --test service -- --nocapture scale` prints the times and plans.
#![expect(clippy::print_stdout, reason = "it prints measurements")]

use std::time::{Duration, Instant};

use livestream_bot::demo::{ADA, World};

use crate::support::admin_browser::AdminBrowser;
use crate::support::fixtures::world;
use crate::support::install::install;
use crate::support::world::connect;

/// The time limit of a page, in a test build on a busy machine. The printed times are far shorter.
const LONGEST: Duration = Duration::from_millis(500);

/// As many as one address may ask for without a pause.
const TIMES: usize = 7;

async fn fill(world: &World) {
    let fill = "
        insert into zoom_grant
            (zoom_user_id, zoom_account_id, email, scope, access_token, refresh_token, expires_at, refreshed_at, dead_at)
        select 'z' || n, 'acme', 'person' || n || '@acme.example', 'meeting:write user:read', '', '', now(), now(),
            case when n % 1000 = 0 then now() end
        from generate_series(1, 50000) as n;
        insert into zoom_link (team_id, user_id, zoom_user_id, slack_name, search, used_at, created_at)
        select 'T0ACME', 'U' || n, 'z' || n, 'Person ' || n, lower('Person ' || n || ' U' || n || ' person' || n || '@acme.example'),
            now() - n * interval '1 minute', now() - n * interval '2 minutes'
        from generate_series(1, 50000) as n;
        insert into person (team_id, user_id) select 'T0ACME', 'U' || n from generate_series(1, 50000) as n;
        insert into audit (happened_at, kind, team_id, person_id, account_id, channel_id, meeting_id, command_id, outcome, duration, has_failed)
        select now() - (1000000 - n) * interval '30 seconds',
            case when n % 50000 = 7 then 'linked' when n % 2 = 0 then 'start' else 'stop' end, 'T0ACME',
            person_id, 1 + n % 50000, case when n % 200000 = 13 then 'C0RARE' else 'C0TOWNHALL' end, 100000000 + n % 20000, n,
            case when n % 20 = 0 then 'not_started' else 'accepted' end, interval '0.3 seconds', n % 20 = 0
        from generate_series(1, 1000000) as n join person on user_id = 'U' || 1 + n % 50000
        order by n;
        -- A quarter of a year, of a thousand shows a day.
        insert into stream (team_id, channel_id, is_public, user_id, zoom_user_id, meeting_id, began_at, command_id, topic, closed_at)
        select 'T0ACME', 'C0TOWNHALL', true, 'U' || 1 + n % 50000, 'z' || 1 + n % 50000, 100000000 + n % 20000,
            now() - (90000 - n) * interval '86 seconds', n, case when n % 3000 = 1 then 'Board ' else 'Show ' end || n, now()
        from generate_series(1, 90000) as n;
        insert into stream_fact (stream_id, kind, happened_at)
        select stream_id, kind, began_at + later
        from stream, (values ('start_asked', interval '0 s'), ('on_air', interval '9 s'), ('off_air', interval '1 hour')) as fact (kind, later);
        analyze";
    let filling = sqlx::raw_sql(fill);
    filling
        .execute(&mut connect(world).await)
        .await
        .expect("inserted rows");
}

#[tokio::test]
async fn the_admins_pages_stay_fast_over_many_people_and_entries() {
    let world = world().await;
    install(&world, "acme").await;
    fill(&world).await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    for path in [
        "/admin",
        "/admin/people",
        "/admin/people?page=900",
        "/admin/people?sort=used",
        "/admin/people?sort=linked&page=900",
        "/admin/people?q=person4711%40",
        "/admin/people?only=trouble",
        "/admin/people/U4711",
        "/admin/activity",
        "/admin/activity?before=1000",
        "/admin/activity?kind=linked",
        "/admin/activity?user=U4711",
        "/admin/activity?user=person+4711",
        "/admin/activity?user=Person",
        "/admin/activity?user=person4711%40acme.example",
        "/admin/activity?meeting=100004711",
        "/admin/activity?only=failed",
        "/admin/activity?kind=linked&only=failed",
        "/admin/activity?kind=shows",
        "/admin/activity?kind=links",
        "/admin/activity?kind=admin",
        "/admin/activity?kind=shows&only=failed",
        "/admin/activity?kind=shows&who=U4711",
        "/admin/activity?meeting=board",
        "/admin/activity?channel=C0RARE",
        "/admin/activity?result=not_set_up",
        "/admin/activity?since=24h",
        "/admin/activity?since=30d&channel=C0RARE",
        "/admin/activity?from=2001-01-01&to=2001-01-31",
        "/admin/activity?after=1000",
        "/admin/activity?entry=500000",
        "/admin/people?only=untried",
        "/admin/people?sort=name&page=900",
    ] {
        admin.read(path).await;
        let mut times = Vec::new();
        for _ in 0..TIMES {
            let started = Instant::now();
            admin.read(path).await;
            times.push(started.elapsed());
        }
        times.sort();
        let (p50, p95) = (times[TIMES / 2], times[TIMES * 95 / 100]);
        println!("{path:44} p50 {p50:>8.1?}  p95 {p95:>8.1?}");
        assert!(p95 < LONGEST, "{path}: {times:?}");
    }
    for (what, query) in PLANS {
        let plan: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
            "explain (analyze, costs off, timing off, buffers off) {query}"
        )))
        .fetch_all(&mut connect(&world).await)
        .await
        .expect("a plan");
        println!("\n{what}\n  {}", plan.join("\n  "));
    }
    let started = Instant::now();
    let lines = admin
        .read("/admin/activity.csv?only=failed")
        .await
        .lines()
        .count();
    println!("\n{lines} lines of CSV in {:?}", started.elapsed());
    assert!(lines > 50_000, "{lines}");
    world.end().await;
}

/// The queries of the pages, with one set of values.
const PLANS: [(&str, &str); 11] = [
    (
        "people by name, far back",
        "select user_id, email from (
            select * from zoom_link where team_id = 'T0ACME'
            order by lower(coalesce(slack_name, user_id)), user_id limit 50 offset 45000
        ) as zoom_link join zoom_grant using (zoom_user_id)",
    ),
    (
        "people in trouble",
        "select user_id from zoom_link where team_id = 'T0ACME' and zoom_user_id in (
            select zoom_user_id from zoom_grant
            where dead_at is not null or problem is not null or scope !~ 'meeting:(write|update:livestream_status)'
            union all
            select zoom_user_id from zoom_grant where coalesce(refreshed_at, created_at) < now() - interval '75 days'
        )",
    ),
    (
        "people who match",
        "select user_id from zoom_link join zoom_grant using (zoom_user_id)
        where zoom_link.team_id = 'T0ACME' and position('person4711@' in search) > 0
        order by lower(coalesce(slack_name, user_id)), user_id limit 50",
    ),
    (
        "the newest entries",
        "select * from audit where team_id = 'T0ACME' and audit_id < 900000 order by audit_id desc limit 50",
    ),
    (
        "entries of a rare kind",
        "select * from audit where team_id = 'T0ACME' and audit_id < 900000 and kind = 'linked' order by audit_id desc limit 50",
    ),
    (
        "entries of a group of kinds",
        "select audit_id from (
            (select audit_id from audit where kind = 'start' and team_id = 'T0ACME' order by audit_id desc limit 51)
            union all
            (select audit_id from audit where kind = 'linked' and team_id = 'T0ACME' order by audit_id desc limit 51)
            union all
            (select audit_id from audit where kind = 'marked_ended' and team_id = 'T0ACME' order by audit_id desc limit 51)
        ) as wanted order by audit_id desc limit 51",
    ),
    (
        "entries of a rare channel",
        "select audit_id from audit where team_id = 'T0ACME' and channel_id = 'C0RARE' order by audit_id desc limit 51",
    ),
    (
        "the numbers of a span of time",
        "select audit_id from audit where happened_at < now() - interval '30 days' order by happened_at desc limit 1",
    ),
    (
        "streams of a name",
        "select distinct on (meeting_id) meeting_id, topic, stream_id from stream
        where team_id = 'T0ACME' and (is_public or user_id = 'U0ADA') and position('board' in lower(topic)) > 0
        order by meeting_id, stream_id desc",
    ),
    (
        "streams of which something was reported",
        "select stream_id from stream where team_id = 'T0ACME' and began_at <= now()
            and began_at > now() - interval '10 minutes' - interval '48 hours' and (
                select max(happened_at) from stream_fact as fact where fact.stream_id = stream.stream_id
                    and kind = any(array['on_air', 'off_air', 'meeting_ended']) and happened_at <= now()
            ) > now() - interval '10 minutes' order by stream_id desc limit 201",
    ),
    (
        "entries that failed",
        "select * from audit where team_id = 'T0ACME' and audit_id < 900000 and has_failed order by audit_id desc limit 50",
    ),
];
