//! The private PostgreSQL server, and a Postgres that becomes unreachable.

use std::fs::{File, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use livestream_bot::demo::DANA;
use livestream_bot::postgres::{Durability, Server};
use sha2::{Digest, Sha256};
use sqlx::{ConnectOptions, raw_sql};

use crate::support::database;
use crate::support::executable::program;
use crate::support::fixtures::{world, world_over};
use crate::support::http::{get, wait_for_readiness};
use crate::support::postgres::{DatabaseProxy, data_dir};
use crate::support::program::{EX_CONFIG, lossy_text, run_with_input};
use crate::support::replica::command_without_settings;
use crate::support::slack::{accepted, send, text_of, type_and_read, type_and_read_at_once};
use crate::support::world::{connect, wait_for_empty_queue};

/// How long the service may take to work again.
const WITHIN: Duration = Duration::from_secs(30);

async fn start(dir: &Path) -> Server {
    Server::start(program(), dir, Durability::Durable)
        .await
        .expect("a PostgreSQL server")
}

/// Waits until the supervisor has ended, which is after it has stopped the server.
async fn wait_for_supervisor_end(dir: &Path) {
    let home = home(dir);
    let lock = File::open(home.join("supervisor.lock")).expect("a lock file");
    tokio::task::spawn_blocking(move || lock.lock())
        .await
        .expect("a blocking task")
        .expect("a locked file");
    let left: Vec<_> = std::fs::read_dir(home.join("clusters"))
        .expect("a list of files")
        .map(|entry| {
            entry
                .expect("a directory entry")
                .path()
                .join("postmaster.pid")
        })
        .filter(|pid_file| pid_file.exists())
        .collect();
    assert!(left.is_empty(), "the server still runs: {left:?}");
}

fn home(dir: &Path) -> PathBuf {
    let inside = dir.join("postgres");
    assert!(
        inside.join("supervisor.lock").exists(),
        "the server's account cannot enter the data directory"
    );
    inside
}

#[tokio::test]
async fn it_is_shared_keeps_its_data_and_stops_after_the_last_user() {
    let dir = data_dir();
    let starts = (0..4).map(|_| {
        let dir = dir.path().to_owned();
        tokio::spawn(async move { start(&dir).await })
    });
    let mut servers = Vec::new();
    for started in starts.collect::<Vec<_>>() {
        servers.push(started.await.expect("a PostgreSQL server"));
    }
    servers[0]
        .create_database("kept")
        .await
        .expect("a database");
    let mut db = servers[3]
        .options("kept")
        .connect()
        .await
        .expect("a connection");
    let fsync: String = sqlx::query_scalar("show fsync")
        .fetch_one(&mut db)
        .await
        .expect("a setting");
    assert_eq!(fsync, "on");
    let addresses: String = sqlx::query_scalar("show listen_addresses")
        .fetch_one(&mut db)
        .await
        .expect("a setting");
    assert_eq!(addresses, "", "the server listens only on a socket");
    raw_sql("create table note as select 'still here' as text")
        .execute(&mut db)
        .await
        .expect("a created table");
    drop((db, servers));
    wait_for_supervisor_end(dir.path()).await;

    let server = start(dir.path()).await;
    let mut db = server
        .options("kept")
        .connect()
        .await
        .expect("a connection");
    let text: String = sqlx::query_scalar("select text from note")
        .fetch_one(&mut db)
        .await
        .expect("a row");
    assert_eq!(text, "still here");
    drop((db, server));
    wait_for_supervisor_end(dir.path()).await;
}

#[tokio::test]
async fn a_killed_server_is_started_again_while_it_is_in_use() {
    let dir = data_dir();
    let server = start(dir.path()).await;
    let first = postmaster(dir.path());
    nix::sys::signal::kill(first, nix::sys::signal::Signal::SIGKILL)
        .expect("a process that can be killed");
    // A second user waits until the server responds again.
    let again = start(dir.path()).await;
    again
        .options("postgres")
        .connect()
        .await
        .expect("a connection");
    assert_ne!(postmaster(dir.path()), first);
    drop((server, again));
    wait_for_supervisor_end(dir.path()).await;
}

fn postmaster(dir: &Path) -> nix::unistd::Pid {
    let clusters = std::fs::read_dir(home(dir).join("clusters")).expect("a list of files");
    let pid_file = clusters
        .map(|entry| {
            entry
                .expect("a directory entry")
                .path()
                .join("postmaster.pid")
        })
        .find(|path| path.exists());
    let content =
        std::fs::read_to_string(pid_file.expect("a running process")).expect("a PID file");
    nix::unistd::Pid::from_raw(
        content
            .lines()
            .next()
            .expect("a line")
            .parse()
            .expect("a process ID"),
    )
}

#[tokio::test]
async fn nobody_can_take_the_folder_of_its_socket_and_none_is_left_behind() {
    let dir = data_dir();
    let data = dir.path().canonicalize().expect("a path");
    // Somebody has made the folder whose name follows from the data's, and lets everybody in.
    let digest = Sha256::digest(data.as_os_str().as_encoded_bytes());
    let guessed = format!("/tmp/livestream-bot-{}", hex::encode(&digest[..8]));
    std::fs::create_dir(&guessed).expect("a folder");
    std::fs::set_permissions(&guessed, Permissions::from_mode(0o777)).expect("permissions");
    let server = start(dir.path()).await;
    let options = server.options("postgres");
    let socket_dir = options.get_socket().expect("a socket").clone();
    assert_ne!(socket_dir, Path::new(&guessed));
    let mode = std::fs::symlink_metadata(&socket_dir)
        .expect("a folder")
        .mode();
    assert_eq!(mode & 0o777, 0o700);
    options.connect().await.expect("a connection");
    drop(server);
    wait_for_supervisor_end(dir.path()).await;
    assert!(!socket_dir.exists(), "it is removed at the end");

    // What a killed server leaves goes with the next start of any, once its data are not in use.
    let server = start(dir.path()).await;
    let left = server
        .options("postgres")
        .get_socket()
        .expect("a socket")
        .clone();
    let abandoned = Path::new("/tmp/livestream-bot-0123456789abcdef0123456789abcdef");
    let copied = Command::new("cp")
        .arg("-a")
        .args([&left, abandoned])
        .status();
    assert!(copied.expect("a copy").success());
    std::fs::write(abandoned.join("home"), "/nowhere").expect("a file");
    std::fs::remove_file(abandoned.join(".s.PGSQL.5432")).expect("a socket");
    let again = start(dir.path()).await;
    assert!(!abandoned.exists());
    assert!(left.exists(), "one that is in use stays");
    drop((server, again));
    wait_for_supervisor_end(dir.path()).await;
    std::fs::remove_dir(&guessed).expect("a folder");
}

#[tokio::test]
async fn while_postgres_is_away_people_are_told_in_time_and_readiness_says_so() {
    let database = database::create().await;
    if database.get_socket().is_none() {
        return database::drop(&database).await; // DATABASE_URL leads elsewhere than to a server of ours.
    }
    let proxy = DatabaseProxy::start(&database).await;
    let world = world_over(proxy.options.clone(), |_| ()).await;
    type_and_read(&world, DANA, "start 68423085").await;
    wait_for_readiness(&world.service, 200, "ready\n").await;

    proxy.disconnect();
    let read = type_and_read_at_once(&world, DANA, "stop 68423085").await;
    assert!(
        read.contains("I can't tell whether I took your command"),
        "{read}"
    );
    wait_for_readiness(&world.service, 503, "Postgres does not answer\n").await;
    assert_eq!(
        get(&format!("{}/healthz", world.service)).await,
        (200, "ok\n".to_owned())
    );

    proxy.redirect(&database);
    let read = type_and_read(&world, DANA, "stop 68423085").await;
    assert!(read.contains("is stopped"), "{read}");
    wait_for_readiness(&world.service, 200, "ready\n").await;
    world.end().await;
}

#[tokio::test]
async fn sessions_whose_other_end_is_gone_are_replaced_within_seconds() {
    let database = database::create().await;
    if database.get_socket().is_none() {
        return database::drop(&database).await; // DATABASE_URL leads elsewhere than to a server of ours.
    }
    let proxy = DatabaseProxy::start(&database).await;
    let world = world_over(proxy.options.clone(), |_| ()).await;
    // Many sessions are open.
    let many = (0..30).map(|meeting| {
        let text = format!("stop {}", 700_000_000 + meeting);
        world.slack.type_command(DANA.slack, &text)
    });
    let many: Vec<_> = many.collect();
    for answer in join_all(many.iter().map(|command| send(&world, command))).await {
        assert_eq!(answer, accepted());
    }
    for command in &many {
        world.slack.outcome(command).await.expect("an outcome");
    }
    wait_for_readiness(&world.service, 200, "ready\n").await;

    wait_for_empty_queue(&database).await;
    proxy.silence();
    let started = Instant::now();
    let start = world.slack.type_command(DANA.slack, "start 68423085");
    while send(&world, &start).await != accepted() {
        assert!(started.elapsed() < WITHIN, "commands are still refused");
    }
    let outcome = world.slack.outcome(&start).await.expect("an outcome");
    assert!(text_of(&outcome).contains("is going live"), "{outcome}");
    assert!(started.elapsed() < WITHIN, "{:?}", started.elapsed());
    wait_for_readiness(&world.service, 200, "ready\n").await;
    world.end().await;
}

#[tokio::test]
async fn readiness_names_a_full_disk() {
    let world = world().await;
    wait_for_readiness(&world.service, 200, "ready\n").await;
    let full = "create function fill() returns trigger language plpgsql as
        $$ begin raise 'could not extend file' using errcode = 'disk_full'; end $$;
        create trigger fill before insert on readiness_page execute function fill()";
    let mut db = connect(&world).await;
    raw_sql(full).execute(&mut db).await.expect("a trigger");
    let why = "Postgres takes no writes: its disk is full\n";
    wait_for_readiness(&world.service, 503, why).await;
    raw_sql("drop function fill cascade")
        .execute(&mut db)
        .await
        .expect("a dropped trigger");
    wait_for_readiness(&world.service, 200, "ready\n").await;
    world.end().await;
}

#[tokio::test]
async fn the_variables_of_postgres_do_not_lead_away_from_the_private_server() {
    let dir = data_dir();
    let server = start(dir.path()).await;
    let migrate = async || {
        let mut migrate = command_without_settings("migrate");
        migrate
            .env("DATA_DIR", dir.path())
            .env("PGPORT", "5555")
            .env("PGSSLMODE", "require");
        let migrated = tokio::task::spawn_blocking(move || run_with_input(&mut migrate, ""));
        migrated.await.expect("a program that ended")
    };
    // It makes no database: what stands in this server is not a service's.
    let refused = migrate().await;
    let log = lossy_text(&refused.stderr);
    assert_eq!(refused.status.code(), Some(EX_CONFIG), "{log}");
    assert!(log.contains("DATABASE_URL: it is not set"), "{log}");
    let created = server.create_database("livestream").await;
    created.expect("a database");
    let migrated = migrate().await;
    let log = lossy_text(&migrated.stderr);
    assert!(migrated.status.success(), "{log}");
    drop(server);
    wait_for_supervisor_end(dir.path()).await;
}
