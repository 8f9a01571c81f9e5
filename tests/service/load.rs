//! Floods, slow clients, slow databases and rolling restarts.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use livestream_bot::db::commands;
use livestream_bot::demo::slack::ORG_TOWN_HALL;
use livestream_bot::demo::zoom::Fault;
use livestream_bot::demo::{DANA, ELI, World};
use livestream_bot::serve;
use sqlx::{Connection, PgConnection};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::watch;

use crate::support::fixtures::world;
use crate::support::program::{ProgramEnv, Service};
use crate::support::queue::wait_for_jobs;
use crate::support::replica::{Link, free_port};
use crate::support::slack::{accepted, send, text_of, type_and_read};
use crate::support::world::connect;

/// Links a person in another workspace.
async fn link_elsewhere(world: &World) {
    let link = Link {
        team: ORG_TOWN_HALL.team,
        user: "U0ELSEWHERE",
        zoom_user: "zoom-elsewhere",
        email: "elsewhere@globex.example",
    };
    link.import(&world.database, &world.zoom, &world.config.token_keys)
        .await;
}

/// The greatest number of a job so far.
async fn newest_job(db: &mut PgConnection) -> i64 {
    sqlx::query_scalar(
        "select nextval(pg_get_serial_sequence('graphile_worker._private_jobs', 'id'))",
    )
    .fetch_one(db)
    .await
    .expect("a number")
}

/// How many commands of a flood are sent at a time.
const AT_ONCE: i64 = 8;

/// Dana types so many commands, each for another meeting, several at a time.
async fn flood(world: &World, action: &str, count: i64) {
    let typed = (0..count).map(|meeting| {
        let text = format!("{action} {}", 700_000_000 + meeting);
        world.slack.type_command(DANA.slack, &text)
    });
    stream::iter(typed)
        .for_each_concurrent(usize::try_from(AT_ONCE).ok(), async |command| {
            assert_eq!(send(world, &command).await, accepted());
        })
        .await;
}

#[tokio::test]
async fn a_flood_of_one_workspace_does_not_starve_another() {
    const FLOOD: i64 = 400;
    let world = world().await;
    link_elsewhere(&world).await;
    // Each command takes a second, the time limit of requests to Zoom.
    for _ in 0..FLOOD {
        world.zoom.fail_next(Fault::Hang);
    }
    flood(&world, "stop", FLOOD).await;
    let theirs = world
        .slack
        .type_at(ORG_TOWN_HALL, "U0ELSEWHERE", "stop 91234567890");
    assert_eq!(send(&world, &theirs).await, accepted());
    world.slack.outcome(&theirs).await.expect("an outcome");
    let behind: i64 = sqlx::query_scalar("select count(*) from command where finished_at is null")
        .fetch_one(&mut connect(&world).await)
        .await
        .expect("a count");
    assert!(
        behind > FLOOD / 4,
        "only {behind} commands of the flood were left"
    );
    world.end().await;
}

#[tokio::test]
async fn a_stuck_row_holds_up_no_other_workspace() {
    let world = world().await;
    link_elsewhere(&world).await;
    let mut db = connect(&world).await;
    // Whoever wants a token must refresh it, and for that write the row.
    sqlx::query("update zoom_grant set expires_at = now() where zoom_user_id = $1")
        .bind(DANA.zoom)
        .execute(&mut db)
        .await
        .expect("an expired token");
    let mut holding = db.begin().await.expect("a transaction");
    sqlx::query("select from zoom_grant where zoom_user_id = $1 for update")
        .bind(DANA.zoom)
        .execute(&mut *holding)
        .await
        .expect("a locked row");
    // More commands than a worker has slots, and more requests at once than there are sessions.
    for meeting in 0..40 {
        let text = format!("stop {}", 700_000_000 + meeting);
        let stuck = world.slack.type_command(DANA.slack, &text);
        assert_eq!(send(&world, &stuck).await, accepted());
    }
    let stuck: Vec<_> = (0..24)
        .map(|_| world.slack.type_command(DANA.slack, "disconnect"))
        .collect();
    let stuck = futures_util::future::join_all(stuck.iter().map(|command| send(&world, command)));
    let theirs = async {
        let started = Instant::now();
        let theirs = world
            .slack
            .type_at(ORG_TOWN_HALL, "U0ELSEWHERE", "stop 91234567890");
        assert_eq!(send(&world, &theirs).await, accepted());
        world.slack.outcome(&theirs).await.expect("an outcome");
        started.elapsed()
    };
    let (stuck, took) = tokio::join!(stuck, theirs);
    assert!(took < Duration::from_secs(10), "{took:?}");
    for answer in stuck {
        assert_eq!(answer.status, 200);
        let read = text_of(&answer.body);
        assert!(read.contains("My own database does not answer"), "{read}");
    }
    holding.rollback().await.expect("a rollback");
    world.end().await;
}

#[tokio::test]
async fn commands_that_wait_for_one_persons_token_hold_up_nobody_else() {
    const FLOOD: i64 = 200;
    let world = world().await;
    link_elsewhere(&world).await;
    sqlx::query("update zoom_grant set expires_at = now() where zoom_user_id = $1")
        .bind(DANA.zoom)
        .execute(&mut connect(&world).await)
        .await
        .expect("an update");
    world.zoom.fail_next_refresh(Fault::Hang);
    flood(&world, "start", FLOOD).await;
    wait_for_jobs(&world, "flags ? 'token'", FLOOD).await;
    let mut db = connect(&world).await;
    // Each waits with the priority that it was recorded with. Those that were recorded at the same
    // time have not counted each other.
    let foremost: i64 =
        sqlx::query_scalar("select count(*) from graphile_worker._private_jobs where priority = 0")
            .fetch_one(&mut db)
            .await
            .expect("a count");
    let most = commands::PENDING_PER_PRIORITY + AT_ONCE;
    assert!(foremost <= most, "{foremost}");
    let before = newest_job(&mut db).await;
    let typed = Instant::now();
    let read = type_and_read(&world, ELI, "stop 68423085").await;
    assert!(read.contains("Zoom finds no meeting"), "{read}");
    let theirs = world
        .slack
        .type_at(ORG_TOWN_HALL, "U0ELSEWHERE", "stop 91234567890");
    assert_eq!(send(&world, &theirs).await, accepted());
    world.slack.outcome(&theirs).await.expect("an outcome");
    let took = typed.elapsed();
    assert!(took < Duration::from_secs(10), "{took:?}");
    // Waiting is not polling: a command looks for itself after five seconds, and then more rarely.
    let jobs = newest_job(&mut db).await - before;
    assert!(jobs <= 2 * FLOOD, "{jobs} jobs were added in {took:?}");
    let waiting: i64 = sqlx::query_scalar("select count(*) from command where finished_at is null")
        .fetch_one(&mut db)
        .await
        .expect("a count");
    assert!(waiting > FLOOD / 2, "only {waiting} commands waited");
    world.zoom.hang_up();
    world.end().await;
}

#[tokio::test]
async fn while_postgres_is_slow_people_are_told_in_time_and_in_words() {
    let world = world().await;
    let mut db = connect(&world).await;
    let mut holding = db.begin().await.expect("a transaction");
    sqlx::query("lock table command in access exclusive mode")
        .execute(&mut *holding)
        .await
        .expect("a locked table");
    // More commands at once than connections to Postgres.
    let commands: Vec<_> = (0..40)
        .map(|meeting| {
            let text = format!("stop {}", 700_000_000 + meeting);
            world.slack.type_command(DANA.slack, &text)
        })
        .collect();
    let started = Instant::now();
    let answers =
        futures_util::future::join_all(commands.iter().map(|command| send(&world, command)));
    for answer in answers.await {
        assert_eq!(answer.status, 200);
        assert!(
            text_of(&answer.body).contains("My own database does not answer"),
            "{answer:?}"
        );
    }
    assert!(
        started.elapsed() < Duration::from_secs(3),
        "{:?}",
        started.elapsed()
    );
    holding.rollback().await.expect("a rollback");
    let read = type_and_read(&world, ELI, "stop 68423085").await;
    assert!(read.contains("Zoom finds no meeting"), "{read}");
    world.end().await;
}

#[tokio::test]
async fn ten_thousand_idle_connections_and_slow_clients_keep_nobody_waiting() {
    serve::raise_connection_limit();
    let env = ProgramEnv::new().await;
    let service = env.serve().await;
    let address = service.url.trim_start_matches("http://").to_owned();
    let mut connections = Vec::new();
    for count in 0..10_000 {
        let mut stream = TcpStream::connect(&address).await.expect("a connection");
        let part: &[u8] = match count % 10 {
            0 => b"POST /slack/commands HTTP/1.1\r\nhost: x\r\nx-sl",
            1 => {
                b"POST /slack/commands HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\nteam_id="
            }
            _ => b"",
        };
        stream.write_all(part).await.expect("bytes that are sent");
        connections.push(stream);
    }
    for _ in 0..10 {
        let command = env.slack.type_command(DANA.slack, "help");
        let started = Instant::now();
        let answer = env.slack.send(&service.url, &command).await;
        assert_eq!(answer.expect("a response").status, 200);
        assert!(
            started.elapsed() < Duration::from_secs(1),
            "{:?}",
            started.elapsed()
        );
    }
    let start = env.slack.type_command(DANA.slack, "start 68423085");
    let answer = env.slack.send(&service.url, &start).await;
    assert_eq!(answer.expect("a response"), accepted());
    let outcome = env.slack.outcome(&start).await.expect("an outcome");
    assert!(text_of(&outcome).contains("is going live"), "{outcome}");
    drop(connections);
    service.terminate().await;
    env.end().await;
}

#[tokio::test]
async fn a_rolling_restart_under_load_loses_nothing_and_answers_everybody() {
    let env = Arc::new(ProgramEnv::new().await);
    let ports = [free_port(), free_port()];
    let serve = async |port: u16| {
        let mut command = env.command("serve");
        command
            .env("LISTEN_ADDR", format!("127.0.0.1:{port}"))
            .env("RUST_LOG", "info");
        Service::start(command).await
    };
    let mut services = [Some(serve(ports[0]).await), Some(serve(ports[1]).await)];
    let is_over = Arc::new(AtomicBool::new(false));
    let (progress, mut accepted_count) = watch::channel(0_usize);
    let load = {
        let (env, is_over) = (Arc::clone(&env), Arc::clone(&is_over));
        tokio::spawn(async move {
            let mut ticks = tokio::time::interval(Duration::from_millis(10));
            let mut commands = Vec::new();
            let mut count = 0;
            while !is_over.load(Ordering::Relaxed) {
                ticks.tick().await;
                count += 1;
                let text = format!("stop {}", 700_000_000 + count);
                let command = env.slack.type_command(DANA.slack, &text);
                let turn = usize::try_from(count).expect("a small number") % 2;
                // Like a load balancer, use the other replica if this one refuses the connection.
                let port = match TcpStream::connect(("127.0.0.1", ports[turn])).await {
                    Ok(_) => ports[turn],
                    Err(_) => ports[1 - turn],
                };
                let url = format!("http://127.0.0.1:{port}");
                match env.slack.send(&url, &command).await {
                    Ok(answer) => assert_eq!(answer, accepted()),
                    // The replica stopped listening between the check and the request.
                    Err(error) if format!("{error:#}").contains("onnect") => {
                        let url = format!("http://127.0.0.1:{}", ports[1 - turn]);
                        let answer = env.slack.send(&url, &command).await;
                        assert_eq!(answer.expect("a response"), accepted());
                    }
                    Err(error) => panic!("{error:#}"),
                }
                commands.push(command);
                progress.send_replace(commands.len());
            }
            commands
        })
    };
    // There is load before, during, between and after the restarts.
    let mut wait_for_ten_more = async || {
        let wanted = *accepted_count.borrow() + 10;
        let reached = accepted_count.wait_for(|count| *count >= wanted).await;
        reached.map(drop).expect("a load that still runs");
    };
    wait_for_ten_more().await;
    for (index, port) in ports.into_iter().enumerate() {
        let terminated = services[index]
            .take()
            .expect("a running process")
            .terminate();
        tokio::join!(terminated, wait_for_ten_more());
        services[index] = Some(serve(port).await);
        wait_for_ten_more().await;
    }
    is_over.store(true, Ordering::Relaxed);
    let accepted = load.await.expect("a load that does not panic");
    for command in &accepted {
        env.slack.outcome(command).await.expect("an outcome");
    }
    for service in services.into_iter().flatten() {
        service.terminate().await;
    }
    Arc::into_inner(env)
        .expect("the last reference")
        .end()
        .await;
}
