//! The admins' pages for destinations.

use std::time::Duration;

use livestream_bot::account::reseal::reseal;
use livestream_bot::crypto::vault::{Context, Vault};
use livestream_bot::db::{self, destinations};
use livestream_bot::demo::slack::{Role, TEAM, TOWN_HALL};
use livestream_bot::demo::{ADA, DANA, ELI, World};
use livestream_bot::ids::{DestinationId, TeamId};
use reqwest::StatusCode;
use secrecy::{ExposeSecret, SecretString};
use sqlx::Connection;

use crate::support::admin_browser::AdminBrowser;
use crate::support::audit::audit_kinds;
use crate::support::browser::Page;
use crate::support::fixtures::{installed_world, world_with};
use crate::support::install::{install, let_a_day_pass, send_event};
use crate::support::slack::type_and_read;
use crate::support::world::connect;

const KEY: &str = "abcd-1234?user=dana&pass=x=y";
const OTHER_KEY: &str = "wxyz-9876-townhall";

/// Changes of the form of a new destination, the field that is wrong then, and what is said there.
type Refusal<'a> = (&'a [(&'a str, &'a str)], &'a str, &'a str);

/// What is stored of a destination.
#[derive(sqlx::FromRow)]
struct Row {
    name: String,
    service: String,
    server_url: String,
    stream_key: Vec<u8>,
    page_url: String,
    resolution: Option<String>,
    who: String,
    channels: Vec<String>,
    people: Vec<String>,
    group_id: Option<String>,
    zoom_users: Vec<String>,
    default_in: Vec<String>,
    is_test: bool,
    version: i64,
}

async fn stored(world: &World, id: i64) -> Row {
    sqlx::query_as("select * from destination where destination_id = $1")
        .bind(id)
        .fetch_one(&mut connect(world).await)
        .await
        .expect("a destination")
}

async fn count(world: &World) -> i64 {
    sqlx::query_scalar("select count(*) from destination")
        .fetch_one(&mut connect(world).await)
        .await
        .expect("a count")
}

/// The key of a destination, opened.
async fn key_of(world: &World, id: i64) -> String {
    let vault = Vault::from_keys(&world.config.token_keys).expect("valid keys");
    let sealed = stored(world, id).await.stream_key;
    let key = vault.open(Context::StreamKey(id), &sealed);
    key.expect("a key").expose_secret().to_owned()
}

/// The details of the entries about destinations, in order.
async fn details(world: &World) -> Vec<String> {
    let details = "select detail from audit where kind like 'destination%' order by audit_id";
    sqlx::query_scalar(details)
        .fetch_all(&mut connect(world).await)
        .await
        .expect("rows")
}

async fn execute(world: &World, sql: &'static str, id: i64) {
    let done = sqlx::query(sql)
        .bind(id)
        .execute(&mut connect(world).await)
        .await;
    done.expect("a statement");
}

fn path(id: i64) -> String {
    format!("/admin/destinations/{id}")
}

/// Sends the form of a destination with these changes: the fields are those of a new one otherwise,
/// and the key is kept.
async fn change(admin: &mut AdminBrowser<'_>, id: i64, changes: &[(&str, &str)]) -> Page {
    let version = admin.hidden_field(&path(id), "version").await;
    change_version(admin, id, &version, changes).await
}

async fn change_version(
    admin: &mut AdminBrowser<'_>,
    id: i64,
    version: &str,
    changes: &[(&str, &str)],
) -> Page {
    let csrf = admin.csrf().await;
    let mut form = vec![("csrf", csrf.as_str()), ("version", version)];
    for (name, default) in [
        ("name", "townhall"),
        ("service", "other"),
        ("server", "rtmps://ingest.acme.example/live"),
        ("key", "keep"),
        ("new_key", ""),
        ("page", "https://video.acme.example/townhall"),
        ("who", "everybody"),
    ] {
        if !changes.iter().any(|(changed, _)| *changed == name) {
            form.push((name, default));
        }
    }
    form.extend_from_slice(changes);
    admin.post(&path(id), &form).await
}

/// The page says that nothing was saved, leads to this field, and says this beside it.
#[track_caller]
fn assert_refused(page: &Page, field: &str, says: &str) {
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{page:?}");
    assert!(page.body.contains("Nothing was saved."), "{page:?}");
    let link = format!("<a href=\"#{field}\">");
    assert!(page.body.contains(&link), "{field}: {page:?}");
    assert!(page.body.contains(&format!("id=\"{field}\"")), "{field}");
    let beside = format!("<p class=\"error\" id=\"{field}-problem\">");
    let problem = page.between(&beside, "</p>");
    assert!(problem.contains(says), "{field}: {problem}");
}

/// Deletes the only destination, called `all-hands`, by a form that is sent twice.
async fn delete(world: &World, admin: &mut AdminBrowser<'_>, id: i64) {
    let asks = admin.read(&format!("{}/delete", path(id))).await;
    assert!(asks.contains("Delete all-hands?"), "{asks}");
    let csrf = admin.csrf().await;
    for _ in 0..2 {
        let delete = format!("{}/delete", path(id));
        let deleted = admin.post(&delete, &[("csrf", &csrf)]).await.location();
        assert_eq!(deleted, format!("/admin/destinations?deleted={id}"));
        let page = admin.read(&deleted).await;
        assert!(page.contains("Its key is destroyed."), "{page}");
    }
    assert_eq!(count(world).await, 0);
    let gone = admin.get(&path(id)).await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND);
    assert!(gone.body.contains("There is no such destination"));
}

/// The activity and its files say what was changed, and hold no part of a key.
async fn read_activity(admin: &mut AdminBrowser<'_>) {
    let activity = admin.read("/admin/activity?kind=destination_changed").await;
    for expected in ["destination changed", "key replaced"] {
        assert!(activity.contains(expected), "{expected}: {activity}");
    }
    for file in ["activity", "activity.csv", "activity.json"] {
        let entries = admin.get(&format!("/admin/{file}")).await.body;
        assert!(entries.contains("renamed from townhall"), "{entries}");
        for key in [KEY, OTHER_KEY, "abcd-1234", "wxyz"] {
            assert!(!entries.contains(key), "{file} holds {key}");
        }
    }
}

#[tokio::test]
async fn a_destination_is_added_changed_and_deleted() {
    let world = installed_world().await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    let none = admin.read("/admin/destinations").await;
    assert!(none.contains("There is none yet."), "{none}");
    admin.read("/admin/destinations/new").await;

    // The server is the service's.
    let fields = [
        ("name", "TownHall"),
        ("service", "youtube"),
        ("server", " "),
        ("new_key", KEY),
        ("resolution", "1080p"),
        ("who", "channels"),
        ("channels", "<#C0TOWNHALL|town-hall> C0ALL"),
        ("default_in", "C0ALL"),
        ("accounts", "Dana@acme.example, <mailto:eli@acme.example>"),
    ];
    let added = admin.post_destination(&fields).await.location();
    let id = added
        .strip_prefix("/admin/destinations/")
        .and_then(|rest| rest.strip_suffix("?saved=1")?.parse().ok());
    let id: i64 = id.expect("the page of the new destination");
    let row = stored(&world, id).await;
    assert_eq!(
        (row.name.as_str(), row.service.as_str(), row.version),
        ("townhall", "youtube", 1)
    );
    assert_eq!(row.server_url, "rtmps://a.rtmps.youtube.com:443/live2");
    assert_eq!(row.page_url, "https://video.acme.example/townhall");
    assert_eq!(row.resolution.as_deref(), Some("1080p"));
    assert_eq!((row.who.as_str(), row.is_test), ("channels", false));
    assert_eq!(row.channels, ["C0TOWNHALL", "C0ALL"]);
    assert_eq!(row.default_in, ["C0ALL"]);
    assert_eq!(row.zoom_users, [DANA.zoom, ELI.zoom]);
    assert_eq!(key_of(&world, id).await, KEY);
    let saved = admin.read(&added).await;
    for expected in [
        "Saved.",
        "Whoever may go live can use it from #town-hall and #all, with 2 Zoom accounts",
        "Viewers see nothing until the broadcast starts at YouTube",
        "Once used, the key stands in that meeting at Zoom",
        "dana@acme.example eli@acme.example</textarea>",
        "used for 0 shows since. It can’t be shown.",
    ] {
        assert!(saved.contains(expected), "{expected}: {saved}");
    }
    assert!(!admin.read(&path(id)).await.contains("Saved."));
    let list = admin.read("/admin/destinations").await;
    assert!(
        list.contains("<b>townhall</b>") && list.contains("YouTube · key set <time"),
        "{list}"
    );

    // The key stays, whatever stands in its field, unless it is to be replaced.
    let kept = [
        ("service", "youtube"),
        ("server", ""),
        ("new_key", OTHER_KEY),
        ("page", "https://video.acme.example/all-hands"),
        ("is_test", "on"),
    ];
    let changed = change(&mut admin, id, &kept).await.location();
    assert_eq!(changed, format!("{}?saved=2", path(id)));
    assert_eq!(key_of(&world, id).await, KEY);
    let row = stored(&world, id).await;
    assert_eq!((row.who.as_str(), row.version), ("everybody", 2));
    assert!(row.is_test && row.zoom_users.is_empty() && row.default_in.is_empty());
    let replaced = [
        ("name", "all-hands"),
        ("key", "replace"),
        ("new_key", OTHER_KEY),
        ("page", "https://video.acme.example/all-hands"),
        ("is_test", "on"),
    ];
    let changed = change(&mut admin, id, &replaced).await.location();
    assert_eq!(changed, format!("{}?saved=3", path(id)));
    assert_eq!(key_of(&world, id).await, OTHER_KEY);
    // The same once more, as a form that is sent twice.
    let again = change_version(&mut admin, id, "2", &replaced).await;
    assert_eq!(again.location(), format!("{}?unchanged=3", path(id)));
    let page = admin.read(&again.location()).await;
    assert!(page.contains("It stands like this already"), "{page}");

    delete(&world, &mut admin, id).await;
    assert_eq!(
        details(&world).await,
        [
            "townhall: who may use it: from #town-hall, #all, default in: #all",
            "townhall: watch page, resolution, Zoom accounts, only for rehearsals, \
             who may use it: from #town-hall, #all → everybody, default in: #all → no channel",
            "all-hands: renamed from townhall, service, server, key replaced",
            "all-hands",
        ]
    );
    read_activity(&mut admin).await;
    world.end().await;
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one table, a row a refusal")]
async fn what_makes_no_sense_in_a_destination_is_told_beside_its_field() {
    let world = installed_world().await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    let long = format!("rtmp://a.example/{}", "x".repeat(1024));
    let long_key = "k".repeat(513);
    world.slack.set_person("U0GONE", Role::Deactivated);
    let refusals: &[Refusal<'_>] = &[
        (&[("name", "")], "name", "Enter 1 to 30 letters"),
        (&[("name", "town hall")], "name", "Enter 1 to 30 letters"),
        (&[("name", "-a")], "name", "the first of them no hyphen"),
        (
            &[("name", "Zoom")],
            "name",
            "to=zoom stands for what is set in Zoom",
        ),
        (&[("service", "")], "service", "Choose a service"),
        (&[("service", "myspace")], "service", "Choose a service"),
        (&[("server", "")], "server", "Enter the server’s address"),
        (
            &[("server", ""), ("service", "ivs")],
            "server",
            "Enter the server’s address",
        ),
        (
            &[("server", "https://a.example/live")],
            "server",
            "begins with rtmp:// or rtmps://",
        ),
        (
            &[("server", "rtmp://10.0.0.1/live")],
            "server",
            "public one",
        ),
        (
            &[("server", "rtmp://a.example/li ve")],
            "server",
            "no spaces",
        ),
        (&[("server", &long)], "server", "1024 characters at most"),
        (
            &[("service", "vimeo")],
            "server",
            "This is no server of Vimeo. Leave it empty",
        ),
        (
            &[("service", "ivs")],
            "server",
            "This is no server of Amazon IVS. Check it",
        ),
        (&[("new_key", "")], "new_key", "Enter the key."),
        (&[("new_key", "a b")], "new_key", "no spaces"),
        (
            &[("new_key", &long_key)],
            "new_key",
            "512 characters at most",
        ),
        (
            &[("new_key", "rtmp://a.example/x")],
            "new_key",
            "This is an address",
        ),
        (&[("page", "")], "page", "Zoom requires it"),
        (
            &[("page", "http://video.acme.example")],
            "page",
            "begins with https://",
        ),
        (&[("resolution", "4k")], "resolution", "Choose a resolution"),
        (&[("who", "")], "who", "Choose who may use it"),
        (&[("who", "channels")], "channels", "List a channel"),
        (
            &[("who", "channels"), ("add_channels", "#townhal")],
            "channels",
            "No channel #townhal that this app can see. Did you mean #town-hall?",
        ),
        (&[("who", "people")], "people", "List somebody"),
        (
            &[("who", "people"), ("people", "U0NOBODY")],
            "people",
            "Slack knows nobody with the ID U0NOBODY",
        ),
        (
            &[("who", "people"), ("people", "U0GONE")],
            "people",
            "Deactivated in Slack: U0GONE",
        ),
        (
            &[("who", "group"), ("group", "S0A S0B")],
            "group",
            "Choose one user group",
        ),
        (
            &[("who", "group"), ("group", "S0NONE")],
            "group",
            "Slack knows no user group S0NONE",
        ),
        (
            &[("accounts", "dana@acme.example nobody@acme.example zoom-fay")],
            "accounts",
            "a Zoom account nobody@acme.example or zoom-fay",
        ),
        (
            &[("add_default_in", "nowhere")],
            "default_in",
            "No channel #nowhere that this app can see. Channel IDs look like",
        ),
        (
            &[("default_in", "C0ALL"), ("is_test", "on")],
            "default_in",
            "only for rehearsals",
        ),
        (
            &[
                ("default_in", "C0ALL"),
                ("who", "channels"),
                ("channels", "C0TOWNHALL"),
            ],
            "default_in",
            "It may not be used from #all",
        ),
    ];
    for (changes, field, says) in refusals {
        let refused = admin.post_destination(changes).await;
        assert_eq!(refused.status, 422, "{changes:?}");
        assert_refused(&refused, field, says);
        // What was typed stays, but for a key.
        assert!(!refused.body.contains("key-of-the-town-hall"));
        assert!(
            refused
                .body
                .contains("type=\"password\" autocomplete=\"new-password\"")
        );
        if !changes.iter().any(|(changed, _)| *changed == "page") {
            let page = "value=\"https://video.acme.example/townhall\"";
            assert!(refused.body.contains(page), "{refused:?}");
        }
        if *field != "new_key" {
            assert!(refused.body.contains("Enter it again"), "{refused:?}");
        }
    }
    let nothing = admin
        .post_destination(&[
            ("name", "?"),
            ("service", "twitch"),
            ("new_key", ""),
            ("page", ""),
        ])
        .await;
    for field in ["name", "server", "new_key", "page"] {
        assert_refused(&nothing, field, "");
    }
    assert_eq!(count(&world).await, 0);
    assert_eq!(details(&world).await, Vec::<String>::new());
    // What is not chosen is not judged.
    let unjudged = [
        ("people", "Dana"),
        ("channels", "#town-hall"),
        ("group", "hosts"),
    ];
    admin.post_destination(&unjudged).await.location();
    world.end().await;
}

#[tokio::test]
async fn what_may_be_a_key_does_not_come_back_in_a_form() {
    let world = installed_world().await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    let id = admin.add_destination("press", "the-key-of-press").await;
    let secret = "abcd-1234-efgh";
    let youtube = format!("rtmps://a.rtmps.youtube.com:443/live2/{secret}");
    let query = format!("rtmp://ingest.acme.example/live?key={secret}");
    let credentials = format!("rtmp://dana:{secret}@ingest.acme.example/live");
    let with_space = format!("rtmp://ingest.acme.example/live {secret}");
    let web = format!("https://ingest.acme.example/{secret}");
    let own = format!("rtmp://ingest.acme.example/live/{secret}");
    let taken_out =
        "A key seemed to stand at its end, so we took that out. Put it into Key instead.";
    for (server, service, says, comes_back) in [
        (
            youtube.as_str(),
            "youtube",
            taken_out,
            "rtmps://a.rtmps.youtube.com:443/live2",
        ),
        (
            &query,
            "other",
            taken_out,
            "rtmp://ingest.acme.example/live",
        ),
        (
            &credentials,
            "other",
            "we took that out",
            "rtmp://ingest.acme.example/",
        ),
        (
            &with_space,
            "other",
            "no spaces",
            "rtmp://ingest.acme.example/",
        ),
        (&web, "other", "begins with", "https://ingest.acme.example/"),
        (secret, "other", "begins with", ""),
        (
            &own,
            "other",
            "The key stood in here too",
            "rtmp://ingest.acme.example/live/",
        ),
    ] {
        let fields = [
            ("server", server),
            ("service", service),
            ("new_key", secret),
        ];
        let refused = admin.post_destination(&fields).await;
        assert_refused(&refused, "server", says);
        assert!(!refused.body.contains(secret), "{server}: {refused:?}");
        let shown = format!("name=\"server\" value=\"{comes_back}\"");
        assert!(refused.body.contains(&shown), "{server}: {refused:?}");
        let fields = [&fields[..], &[("key", "replace")]].concat();
        let refused = change(&mut admin, id, &fields).await;
        assert!(!refused.body.contains(secret), "{server}: {refused:?}");
    }
    // Where a key does not belong at all.
    for (field, says) in [
        ("name", "The key stood"),
        ("page", "begins with https"),
        ("accounts", "The key stood"),
        ("default_in", "The key stood"),
    ] {
        let refused = admin
            .post_destination(&[(field, secret), ("new_key", secret)])
            .await;
        assert_refused(&refused, field, says);
        assert!(!refused.body.contains(secret), "{field}: {refused:?}");
    }
    assert_eq!(count(&world).await, 1);
    world.end().await;
}

#[tokio::test]
async fn two_destinations_share_no_name_no_key_and_no_channel() {
    let world = installed_world().await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    let press = [
        ("name", "press"),
        ("new_key", KEY),
        ("default_in", "C0ALL C0PRESS"),
    ];
    let added = admin.post_destination(&press).await.location();
    // The same form sent twice adds one.
    let again = admin.post_destination(&press).await.location();
    assert_eq!(again, added.replace("saved", "unchanged"));
    let id = admin.add_destination("townhall", OTHER_KEY).await;
    assert_eq!(count(&world).await, 2);

    let taken = admin.post_destination(&[("name", "press")]).await;
    assert_refused(&taken, "name", "Another destination has this name already");
    let taken = change(&mut admin, id, &[("name", "Press")]).await;
    assert_refused(&taken, "name", "Another destination has this name already");

    let same_key =
        "press has this server and key already. Two livestreams on one key cut each other off.";
    let same_server = "rtmp://INGEST.acme.example:1935/live/";
    let fields = [("name", "third"), ("server", same_server), ("new_key", KEY)];
    let refused = admin.post_destination(&fields).await;
    assert_refused(&refused, "new_key", same_key);
    assert!(!refused.body.contains("abcd-1234"), "{refused:?}");
    let refused = change(&mut admin, id, &[("key", "replace"), ("new_key", KEY)]).await;
    assert_refused(&refused, "new_key", same_key);
    // At another server it is another livestream, until the server is changed.
    let elsewhere = [
        ("name", "third"),
        ("server", "rtmps://ingest.globex.example/live"),
        ("new_key", KEY),
    ];
    let third = admin.post_destination(&elsewhere).await.location();
    let third = third.trim_start_matches("/admin/destinations/");
    let third = third.trim_end_matches("?saved=1").parse().expect("an id");
    let refused = change(&mut admin, third, &[("name", "third")]).await;
    assert_refused(&refused, "server", same_key);

    let refused = change(&mut admin, id, &[("default_in", "C0OTHER C0PRESS")]).await;
    assert_refused(
        &refused,
        "default_in",
        "press is the default in #press already",
    );
    world.end().await;
}

#[tokio::test]
async fn of_two_forms_at_once_the_second_is_judged_by_what_the_first_saved() {
    let world = installed_world().await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    let mut first = connect(&world).await;
    let mut transaction = first.begin().await.expect("a transaction");
    let locked = destinations::lock(&mut *transaction, &TeamId::new(TEAM)).await;
    locked.expect("a lock");
    let insert = "insert into destination
            (team_id, name, service, server_url, stream_key, key_set_by, page_url, default_in, changed_by)
        values ('T0ACME', 'press', 'other', 'rtmp://ingest.acme.example/press', '', 'U0ELI',
            'https://video.acme.example/press', '{C0ALL}', 'U0ELI')";
    let inserted = sqlx::query(insert).execute(&mut *transaction).await;
    inserted.expect("a destination");

    let mut observer = connect(&world).await;
    let second = async {
        let fields = [("default_in", "C0ALL")];
        admin.post_destination(&fields).await
    };
    let meanwhile = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(10));
        let is_waiting =
            "select exists (select from pg_locks join pg_database on pg_database.oid = database
            where locktype = 'advisory' and not granted and datname = current_database())";
        loop {
            ticks.tick().await;
            let is_waiting = sqlx::query_scalar(is_waiting).fetch_one(&mut observer);
            if is_waiting.await.expect("the locks") {
                break;
            }
        }
        transaction.commit().await.expect("committed");
    };
    let (refused, ()) = tokio::time::timeout(Duration::from_secs(10), async {
        tokio::join!(second, meanwhile)
    })
    .await
    .expect("the second waits for the first");
    assert_refused(
        &refused,
        "default_in",
        "press is the default in #all already",
    );
    assert_eq!(count(&world).await, 1);
    world.end().await;
}

#[tokio::test]
async fn of_two_admins_the_second_sees_how_a_destination_was_changed() {
    let world = installed_world().await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    world.slack.set_person(ELI.slack, Role::Admin);
    let mut other = AdminBrowser::signed_in(&world, ELI).await;
    let id = admin.add_destination("townhall", KEY).await;
    let page = [("page", "https://video.acme.example/live")];
    change(&mut other, id, &page).await.location();
    let name = [
        ("name", "all-hands"),
        ("key", "replace"),
        ("new_key", OTHER_KEY),
    ];
    let stale = change_version(&mut admin, id, "1", &name).await;
    assert_eq!(stale.status, StatusCode::CONFLICT);
    for expected in [
        "Nothing was saved: Eli has changed townhall",
        "https://video.acme.example/live",
        "value=\"all-hands\"",
        "name=\"version\" value=\"2\"",
        "Enter it again",
    ] {
        assert!(stale.body.contains(expected), "{expected}: {stale:?}");
    }
    assert!(!stale.body.contains(OTHER_KEY));
    assert_eq!(stored(&world, id).await.name, "townhall");
    assert_eq!(key_of(&world, id).await, KEY);
    let saved = change_version(&mut admin, id, "2", &name).await;
    assert_eq!(saved.location(), format!("{}?saved=3", path(id)));

    // One that is deleted meanwhile is not brought back, but as a new one.
    let csrf = other.csrf().await;
    let delete = format!("{}/delete", path(id));
    other.post(&delete, &[("csrf", &csrf)]).await.location();
    let gone = change_version(&mut admin, id, "3", &name).await;
    assert_eq!(gone.status, StatusCode::CONFLICT);
    assert_eq!(count(&world).await, 0);
    world.end().await;
}

#[tokio::test]
async fn what_carries_a_stream_says_so_and_is_not_deleted() {
    let world = installed_world().await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    let id = admin.add_destination("townhall", KEY).await;
    assert!(
        type_and_read(&world, DANA, "start 68423085")
            .await
            .contains("going live")
    );
    let delete = format!("{}/delete", path(id));
    let csrf = admin.csrf().await;
    for (carries, words) in [
        (
            "update stream set destination_id = $1, destination = 'townhall', holds_destination = true, topic = 'Launch', is_public = true, began_at = now()",
            "Launch",
        ),
        (
            "update stream set topic = null where destination_id = $1",
            "meeting 6842 3085",
        ),
        (
            "update stream set topic = 'Merger', is_public = false where destination_id = $1",
            "a stream",
        ),
    ] {
        execute(&world, carries, id).await;
        let list = admin.read("/admin/destinations").await;
        let badge = format!("<span class=\"badge warn\">{words}</span>");
        assert!(list.contains(&badge), "{words}: {list}");
        let page = admin.read(&path(id)).await;
        assert!(
            page.contains(&format!("Not while it carries {words}.")),
            "{page}"
        );
        assert!(page.contains("used for 1 show since"), "{page}");
        let asked = admin.read(&delete).await;
        assert!(!asked.contains("<button class=\"button stop\""), "{asked}");
        let refused = admin.post(&delete, &[("csrf", &csrf)]).await;
        assert_eq!(refused.status, StatusCode::CONFLICT);
        let says = format!("Nothing was deleted: townhall carries {words}.");
        assert!(refused.body.contains(&says), "{refused:?}");
        for page in [list, page, asked, refused.body] {
            assert!(!page.contains("Merger"), "{page}");
        }
    }
    // It may be changed, from the next show on.
    let replaced = [("key", "replace"), ("new_key", OTHER_KEY)];
    let saved = change(&mut admin, id, &replaced).await.location();
    let page = admin.read(&saved).await;
    assert!(
        page.contains("From the next show on; the one that runs keeps"),
        "{page}"
    );
    assert_eq!(count(&world).await, 1);
    assert_eq!(
        audit_kinds(&world)
            .await
            .iter()
            .filter(|kind| *kind == "destination_deleted")
            .count(),
        0
    );
    execute(
        &world,
        "update stream set closed_at = now() where destination_id = $1",
        id,
    )
    .await;
    admin.post(&delete, &[("csrf", &csrf)]).await.location();
    assert_eq!(count(&world).await, 0);
    world.end().await;
}

#[tokio::test]
async fn what_was_stored_otherwise_is_shown_and_lost_by_no_accident() {
    let world = installed_world().await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    world.slack.set_group("S0EMPTY", &[]);
    world.slack.set_group("S0HOSTS", &[DANA.slack]);
    let group = [("who", "group"), ("group", "<!subteam^S0HOSTS>")];
    let added = admin.post_destination(&group).await.location();
    assert!(!admin.read(&added).await.contains("nobody can use it"));
    let id: i64 = added
        .trim_start_matches("/admin/destinations/")
        .trim_end_matches("?saved=1")
        .parse()
        .expect("an id");
    assert_eq!(
        stored(&world, id).await.group_id.as_deref(),
        Some("S0HOSTS")
    );
    let empty = [("who", "group"), ("group", "S0EMPTY")];
    let saved = change(&mut admin, id, &empty).await.location();
    let page = admin.read(&saved).await;
    assert!(
        page.contains(
            "Slack says that nobody is in this user group: until that changes, nobody can use it."
        ),
        "{page}"
    );
    world.slack.hide_channel("C0SECRET");
    let people = [
        ("who", "people"),
        ("people", "U0DANA"),
        ("default_in", "C0SECRET"),
    ];
    let saved = change(&mut admin, id, &people).await.location();
    let page = admin.read(&saved).await;
    assert!(
        page.contains("Slack does not show this app C0SECRET"),
        "{page}"
    );
    assert_eq!(stored(&world, id).await.people, ["U0DANA"]);
    // The activity names them.
    let activity = admin
        .read("/admin/activity?user=U0DANA&kind=destination_changed")
        .await;
    assert!(
        activity.contains("who may use it: only @empty → only listed people"),
        "{activity}"
    );

    // A Zoom account that is not linked any more stays on the list, so that it does not grow.
    execute(
        &world,
        "update destination set zoom_users = '{zoom-gone}', key_set_at = now() - interval '13 months'
        where destination_id = $1",
        id,
    )
    .await;
    let page = admin.read(&path(id)).await;
    assert!(
        page.contains("zoom-gone</textarea>") && page.contains("older than 12 months"),
        "{page}"
    );
    let list = admin.read("/admin/destinations").await;
    assert!(list.contains("Old key"), "{list}");
    let fields = [("accounts", "zoom-gone dana@acme.example")];
    change(&mut admin, id, &fields).await.location();
    assert_eq!(
        stored(&world, id).await.zoom_users,
        ["zoom-gone", DANA.zoom]
    );

    // What another version stored breaks no page, and is replaced only by a choice.
    for other in [
        "alter table destination drop constraint destination_who_check",
        "update destination set who = 'owners', service = 'newer', resolution = '4k'
        where destination_id >= 0",
    ] {
        let done = sqlx::query(other).execute(&mut connect(&world).await).await;
        done.expect("a statement");
    }
    let list = admin.read("/admin/destinations").await;
    assert!(list.contains("newer · key set"), "{list}");
    let page = admin.read(&path(id)).await;
    assert!(page.contains("Nobody may use it."), "{page}");
    assert!(page.contains("Choose a service"), "{page}");
    let refused = change(&mut admin, id, &[("who", ""), ("service", "")]).await;
    assert_refused(&refused, "who", "Choose who may use it");
    assert_refused(&refused, "service", "Choose a service");
    world.end().await;
}

#[tokio::test]
async fn only_admins_of_the_workspace_see_and_change_its_destinations() {
    let world = installed_world().await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    let id = admin.add_destination("townhall", KEY).await;
    let delete = format!("{}/delete", path(id));
    let pages = [
        "/admin/destinations",
        "/admin/destinations/new",
        &path(id),
        &delete,
    ];
    let mut nobody = AdminBrowser::new(&world);
    for page in pages {
        assert_eq!(nobody.get(page).await.status, StatusCode::UNAUTHORIZED);
    }
    // Who is no admin any more.
    let csrf = admin.csrf().await;
    world.slack.set_person(ADA.slack, Role::Member);
    let answer = admin.post(&delete, &[("csrf", &csrf)]).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(count(&world).await, 1);
    world.slack.set_person(ADA.slack, Role::Admin);

    // One of another workspace is none.
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    execute(
        &world,
        "update destination set team_id = 'T0OTHER' where destination_id = $1",
        id,
    )
    .await;
    let list = admin.read("/admin/destinations").await;
    assert!(list.contains("There is none yet."), "{list}");
    assert_eq!(admin.get(&path(id)).await.status, StatusCode::NOT_FOUND);
    assert_eq!(admin.get(&delete).await.status, StatusCode::NOT_FOUND);
    let changed = change_version(&mut admin, id, "1", &[("name", "mine")]).await;
    assert_eq!(changed.status, StatusCode::CONFLICT);
    let csrf = admin.csrf().await;
    admin.post(&delete, &[("csrf", &csrf)]).await.location();
    assert_eq!(stored(&world, id).await.name, "townhall");
    // Each has names, keys and channels of its own.
    admin.add_destination("townhall", KEY).await;
    world.end().await;
}

#[tokio::test]
async fn a_workspace_that_the_app_left_keeps_no_key() {
    let world = installed_world().await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    admin.add_destination("townhall", KEY).await;
    let (uninstalled, _) = world.slack.uninstall(TOWN_HALL);
    send_event(&world, &uninstalled).await;
    let_a_day_pass(&world).await;
    assert_eq!(count(&world).await, 0);
    world.end().await;
}

#[tokio::test]
async fn keys_of_destinations_are_re_encrypted_unless_they_were_replaced_meanwhile() {
    let old = Vault::generate_keys();
    let new = Vault::generate_keys().expose_secret().replace("k1:", "k2:");
    let both: SecretString = format!("{},{new}", old.expose_secret()).into();
    let world = world_with(|config| config.token_keys = both.clone()).await;
    install(&world, "acme").await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    let first = admin.add_destination("townhall", KEY).await;
    let second = admin.add_destination("press", OTHER_KEY).await;
    let pool = db::pool(world.database.clone());
    let newest: SecretString = format!("{new},{}", old.expose_secret()).into();
    let vault = Vault::from_keys(&newest).expect("valid keys");
    let read = destinations::sealed_with_other_key(&pool, &vault.prefix(), DestinationId(0)).await;
    let read = read.expect("the keys");
    assert_eq!(read.len(), 2);

    // While the second is sealed again, an admin replaces it.
    let fields = [
        ("name", "press"),
        ("page", "https://video.acme.example/press"),
        ("key", "replace"),
        ("new_key", "replaced-meanwhile"),
    ];
    change(&mut admin, second, &fields).await.location();
    let stale = read.iter().find(|key| key.destination_id.0 == second);
    let stale = stale.expect("the key");
    let sealed = vault.seal(Context::StreamKey(second), &OTHER_KEY.to_owned().into());
    let is_stored = destinations::reseal(&pool, stale, &sealed).await;
    assert!(!is_stored.expect("an answer"));
    assert_eq!(key_of(&world, second).await, "replaced-meanwhile");

    let resealed = reseal(&pool, &vault).await.expect("re-encrypted keys");
    assert!(resealed.failed.is_empty(), "{resealed:?}");
    let only_new = Vault::from_keys(&new.into()).expect("valid keys");
    for (id, key) in [(first, KEY), (second, "replaced-meanwhile")] {
        let sealed = stored(&world, id).await.stream_key;
        let opened = only_new.open(Context::StreamKey(id), &sealed);
        assert_eq!(opened.expect("a key").expose_secret(), key);
    }
    // A key is its row's alone.
    let sealed = stored(&world, first).await.stream_key;
    assert!(only_new.open(Context::StreamKey(second), &sealed).is_err());
    pool.close().await;
    world.end().await;
}

#[tokio::test]
async fn a_key_that_nobody_can_read_is_sent_to_no_other_server() {
    let world = installed_world().await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    let id = admin.add_destination("townhall", KEY).await;
    let elsewhere = ("server", "rtmps://ingest.elsewhere.example/live");
    let refused = change(&mut admin, id, &[elsewhere]).await;
    assert_refused(&refused, "new_key", "is not sent to another server");
    assert_eq!(stored(&world, id).await.version, 1);
    // The same host may have another path; another host takes the key that is entered.
    let path_alone = ("server", "rtmps://ingest.acme.example/other");
    let saved = change(&mut admin, id, &[path_alone]).await.location();
    assert!(saved.ends_with("?saved=2"), "{saved}");
    let with_key = [elsewhere, ("key", "replace"), ("new_key", OTHER_KEY)];
    let saved = change(&mut admin, id, &with_key).await.location();
    assert!(saved.ends_with("?saved=3"), "{saved}");
    assert_eq!(key_of(&world, id).await, OTHER_KEY);
    world.end().await;
}
