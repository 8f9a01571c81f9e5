//! What the stand-in answers to an app that reads.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use serde_json::{Value, json};

use super::{Fault, Obstacle, PASSCODE, Read, SCOPES, STREAM_KEY, Tokens, Zoom};

const DANA: &str = "zoom-dana";
const ELI: &str = "zoom-eli";

struct App {
    zoom: Zoom,
    token: String,
}

impl App {
    async fn start() -> Self {
        let zoom = Zoom::start().await.expect("a stand-in");
        let Tokens { access_token, .. } = zoom.authorize(DANA, SCOPES);
        Self {
            zoom,
            token: access_token,
        }
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        let url = format!("{}{path}", self.zoom.url());
        let request = self.zoom.http.get(url).bearer_auth(&self.token);
        let response = request.send().await.expect("a response");
        let status = response.status().as_u16();
        (status, response.json().await.expect("JSON"))
    }

    async fn refused(&self, path: &str) -> (u16, Value) {
        let (status, answer) = self.get(path).await;
        (status, answer["code"].clone())
    }

    async fn list(&self, query: &str) -> Vec<(i64, String)> {
        let (status, answer) = self.get(&format!("/v2/users/me/meetings?{query}")).await;
        assert_eq!(status, 200, "{answer}");
        let meetings = answer["meetings"].as_array().expect("a list").iter();
        let meetings = meetings.map(|meeting| {
            let start = meeting["start_time"].as_str().unwrap_or_default();
            (meeting["id"].as_i64().expect("a number"), start.to_owned())
        });
        meetings.collect()
    }
}

fn text(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[tokio::test]
async fn meetings_that_run_and_those_to_come_are_listed() {
    let app = App::start().await;
    let zoom = &app.zoom;
    let now = Utc::now().trunc_subsecs(0);
    let hours = |hours| now + TimeDelta::hours(hours);
    zoom.schedule(68_423_085, DANA, None);
    zoom.schedule(87_654_321, DANA, Some(Obstacle::IsWebinar));
    zoom.schedule(81_122_334_455, ELI, None);
    zoom.plan(91_000_000_001, DANA, "Planning", hours(2));
    zoom.plan(91_000_000_002, DANA, "Far away", hours(24 * 200));
    zoom.plan(91_000_000_003, DANA, "Early", hours(1));
    zoom.plan_series(
        91_000_000_004,
        DANA,
        "Daily",
        &[hours(-3), hours(21), hours(45)],
    );
    zoom.begin_instant(91_000_000_005, DANA, "Instant");
    zoom.set_personal_room(DANA, 2_345_678_901);
    zoom.begin(2_345_678_901);
    for id in [68_423_085, 87_654_321, 81_122_334_455] {
        zoom.begin(id);
    }
    let live = app.list("type=live").await;
    let live: Vec<_> = live.into_iter().map(|(id, _)| id).collect();
    // Neither a webinar, nor another's, nor one that nobody planned.
    assert_eq!(live, [68_423_085]);
    zoom.begin(91_000_000_003);
    let upcoming = [
        (91_000_000_003, text(hours(1))),
        (91_000_000_001, text(hours(2))),
        (91_000_000_004, text(hours(21))),
        (91_000_000_004, text(hours(45))),
    ];
    let listed = app.list("type=upcoming&page_size=300").await;
    // Before them what runs already.
    assert_eq!(listed[0].0, 68_423_085);
    assert_eq!(listed[1..], upcoming);
    zoom.begin(91_000_000_004);
    let again = app.list("type=upcoming").await;
    assert_eq!(again[0], (91_000_000_004, text(hours(-3))));
    let paths = zoom.reads(Read::UpcomingMeetings);
    assert_eq!(
        paths[0],
        "/v2/users/me/meetings?type=upcoming&page_size=300"
    );
    assert_eq!((paths.len(), zoom.reads(Read::LiveMeetings).len()), (2, 1));
}

#[tokio::test]
async fn a_list_comes_in_pages() {
    let app = App::start().await;
    for number in 0..35 {
        let at = Utc::now() + TimeDelta::minutes(10 + number);
        app.zoom
            .plan(91_000_000_000 + number, DANA, "One of many", at);
    }
    let (_, first) = app.get("/v2/users/me/meetings?type=upcoming").await;
    assert_eq!(first["meetings"].as_array().map(Vec::len), Some(30));
    assert_eq!(first["total_records"], 35);
    let item = &first["meetings"][0];
    assert_eq!(item.get("status"), None);
    assert_eq!(item.get("pmi"), None);
    assert!(item["join_url"].as_str().unwrap().contains(PASSCODE));
    let token = first["next_page_token"].as_str().expect("a token");
    let token: String = form_urlencoded::byte_serialize(token.as_bytes()).collect();
    let rest = app
        .list(&format!("type=upcoming&next_page_token={token}"))
        .await;
    assert_eq!(rest.len(), 5);
    assert_eq!(rest[0].0, 91_000_000_030);
    for wrong in [
        format!("type=live&next_page_token={token}"),
        "type=upcoming&page_size=301".to_owned(),
        "type=upcoming&page_size=0".to_owned(),
        "type=coming".to_owned(),
        "type=live&type=live".to_owned(),
    ] {
        let path = format!("/v2/users/me/meetings?{wrong}");
        assert_eq!(app.refused(&path).await, (400, json!(300)), "{wrong}");
    }
}

#[tokio::test]
async fn a_meeting_is_told_to_its_host_and_to_who_may_start_it() {
    let app = App::start().await;
    let zoom = &app.zoom;
    zoom.schedule(68_423_085, DANA, Some(Obstacle::EndToEndEncrypted));
    zoom.schedule(81_122_334_455, ELI, None);
    zoom.schedule(87_654_321, DANA, Some(Obstacle::IsWebinar));
    zoom.schedule(91_234_567_890, DANA, Some(Obstacle::MayNotHost));
    zoom.begin(68_423_085);
    let (status, own) = app.get("/v2/meetings/68423085").await;
    assert_eq!((status, &own["status"]), (200, &json!("started")));
    assert_eq!(own["settings"]["encryption_type"], "e2ee");
    assert_eq!(own["host_email"], "dana@acme.example");
    assert_eq!((&own["id"], &own["type"]), (&json!(68_423_085), &json!(2)));
    for path in ["/v2/meetings/81122334455", "/v2/meetings/1"] {
        assert_eq!(app.refused(path).await, (404, json!(3001)), "{path}");
    }
    let path = "/v2/meetings/87654321";
    assert_eq!(app.refused(path).await, (400, json!(3000)));
    let path = "/v2/meetings/91234567890";
    assert_eq!(app.refused(path).await, (400, json!(3161)));
    assert_eq!(app.refused("/v2/meetings/x").await, (400, json!(300)));
    zoom.add_alternative_host(81_122_334_455, DANA);
    let (status, other) = app.get("/v2/meetings/81122334455").await;
    assert_eq!((status, &other["status"]), (200, &json!("waiting")));
    let others = &other["settings"]["alternative_hosts"];
    assert_eq!(others, "dana@acme.example");
    assert_eq!(other["host_id"], ELI);

    zoom.set_personal_room(DANA, 2_345_678_901);
    let (_, room) = app.get("/v2/meetings/2345678901").await;
    assert_eq!(
        (&room["type"], &room["pmi"]),
        (&json!(4), &json!("2345678901"))
    );
    let (_, me) = app.get("/v2/users/me").await;
    assert_eq!(me["pmi"], 2_345_678_901_i64);
    let address = me["personal_meeting_url"].as_str().expect("an address");
    assert!(address.contains("/j/2345678901?pwd="), "{address}");
}

#[tokio::test]
async fn a_destination_is_told_with_its_key() {
    let app = App::start().await;
    app.zoom.schedule(68_423_085, DANA, None);
    app.zoom.schedule(81_122_334_455, ELI, None);
    app.zoom
        .schedule(87_654_321, DANA, Some(Obstacle::IsWebinar));
    app.zoom
        .schedule(91_234_567_890, DANA, Some(Obstacle::MayNotHost));
    let (_, set) = app.get("/v2/meetings/68423085/livestream").await;
    assert_eq!(set["stream_key"], STREAM_KEY);
    app.zoom.set_destination(68_423_085, false);
    let (status, unset) = app.get("/v2/meetings/68423085/livestream").await;
    let nothing = json!({ "stream_url": "", "stream_key": "", "page_url": "", "resolution": "" });
    assert_eq!((status, unset), (200, nothing));
    for (id, expected) in [
        (81_122_334_455_i64, (404, json!(3001))),
        (87_654_321, (400, json!(300))),
        (91_234_567_890, (400, json!(3161))),
    ] {
        let path = format!("/v2/meetings/{id}/livestream");
        assert_eq!(app.refused(&path).await, expected, "{id}");
    }
}

#[tokio::test]
async fn what_is_read_needs_its_permission_and_fails_as_it_is_told_to() {
    let mut app = App::start().await;
    app.zoom.schedule(68_423_085, DANA, None);
    let paths = [
        ("/v2/users/me", "user:read:user", Read::Me),
        (
            "/v2/users/me/settings",
            "user:read:settings",
            Read::Settings,
        ),
        (
            "/v2/users/me/meetings?type=live",
            "meeting:read:list_meetings",
            Read::LiveMeetings,
        ),
        (
            "/v2/users/me/meetings?type=upcoming",
            "meeting:read:list_meetings",
            Read::UpcomingMeetings,
        ),
        (
            "/v2/meetings/68423085",
            "meeting:read:meeting",
            Read::Meeting,
        ),
        (
            "/v2/meetings/68423085/livestream",
            "meeting:read:livestream",
            Read::Livestream,
        ),
    ];
    for (path, scope, read) in paths {
        app.token = app.zoom.authorize(DANA, SCOPES).access_token;
        app.zoom.fail_next_read(read, Fault::error(429, 429, ""));
        assert_eq!(app.refused(path).await, (429, json!(429)), "{path}");
        assert_eq!(app.get(path).await.0, 200, "{path}");
        app.zoom.expire_access_token(DANA);
        assert_eq!(app.refused(path).await, (401, json!(124)), "{path}");
        app.token = app.zoom.authorize(DANA, "another:scope").access_token;
        let (status, refused) = app.get(path).await;
        assert_eq!((status, &refused["code"]), (400, &json!(4711)), "{path}");
        assert!(refused.to_string().contains(scope), "{path}: {refused}");
        for enough in [scope, "meeting:read user:read"] {
            app.token = app.zoom.authorize(DANA, enough).access_token;
            assert_eq!(app.get(path).await.0, 200, "{path} with {enough}");
        }
        app.zoom.fail_next_read(read, Fault::error(500, 0, ""));
        app.zoom.clear_faults();
        assert_eq!(app.get(path).await.0, 200, "{path}");
        app.zoom.was_read(read, 7).await;
        assert_eq!(app.zoom.reads(read), [path; 7]);
    }
}
