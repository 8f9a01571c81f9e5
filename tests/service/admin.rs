//! The admin's pages over HTTP: every right, every refusal, and the rules that hold for all.

use livestream_bot::demo::slack::{
    ApiFault, ORG_TOWN_HALL, STRANGER_TEAM, Standing, TEAM, TOWN_HALL, Tamper,
};
use livestream_bot::demo::zoom::{Fault, SCOPE};
use livestream_bot::demo::{ADA, DANA, ELI, FAY, Person, World};
use reqwest::{Client, Response, StatusCode, redirect};
use serde_json::Value;

use crate::installing::{install, let_a_day_pass, tell};
use crate::linking::{Browser, linked_zoom_user};
use crate::world::{
    accepted, connect, end, press, queue_is_empty, said, send, type_and_read, values, world,
    world_with,
};

/// An admin's browser: it keeps cookies by name, and follows where it is told.
pub(crate) struct Desk<'w> {
    world: &'w World,
    http: Client,
    cookies: Vec<(String, String)>,
}

impl<'w> Desk<'w> {
    pub(crate) fn new(world: &'w World) -> Self {
        #[expect(clippy::disallowed_methods, reason = "an admin's browser")]
        let http = Client::builder()
            .redirect(redirect::Policy::none())
            .build()
            .expect("a browser");
        Self {
            world,
            http,
            cookies: Vec::new(),
        }
    }

    /// Signs in with Slack; the page where it ends.
    pub(crate) async fn sign_in(&mut self, person: Person) -> Response {
        let slack = self.get("/admin/sign-in").await;
        let slack = header(&slack, "location");
        let back = self.world.slack.sign_in(&slack, person).await;
        let back = back.expect("signed in");
        let back = back
            .trim_start_matches(self.world.service.as_str())
            .to_owned();
        self.get(&back).await
    }

    async fn get(&mut self, path: &str) -> Response {
        let request = self.http.get(format!("{}{path}", self.world.service));
        self.keep(request).await
    }

    async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Response {
        let request = self.http.post(format!("{}{path}", self.world.service));
        self.keep(request.form(form)).await
    }

    async fn keep(&mut self, request: reqwest::RequestBuilder) -> Response {
        let cookies: Vec<_> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let answer = request.header("cookie", cookies.join("; ")).send().await;
        let answer = answer.expect("an answer");
        for cookie in answer.headers().get_all("set-cookie") {
            let cookie = cookie.to_str().expect("ASCII");
            let (name, rest) = cookie.split_once('=').expect("a cookie");
            assert!(
                name.starts_with("__Host-") && rest.contains("Secure"),
                "{cookie}"
            );
            let value = rest.split(';').next().unwrap_or_default();
            self.cookies.retain(|(known, _)| known != name);
            if !value.is_empty() {
                assert!(rest.contains("HttpOnly"), "{cookie}");
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        answer
    }

    /// Opens a page that an admin may see.
    pub(crate) async fn read(&mut self, path: &str) -> String {
        let answer = self.get(path).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        let policy = header(&answer, "content-security-policy");
        assert!(policy.starts_with("default-src 'none'"), "{policy}");
        answer.text().await.expect("a page")
    }

    /// A hidden field of a page.
    async fn field(&mut self, path: &str, name: &str) -> String {
        let page = self.read(path).await;
        let mark = format!("name=\"{name}\" value=\"");
        let value = page
            .split(&mark)
            .nth(1)
            .and_then(|rest| rest.split('"').next());
        value
            .unwrap_or_else(|| panic!("no {name} on {path}"))
            .to_owned()
    }

    async fn csrf(&mut self) -> String {
        self.field("/admin", "csrf").await
    }

    /// Saves rules: what differs from those that everybody has.
    async fn set_rules(&mut self, changes: &[(&str, &str)]) -> Response {
        let csrf = self.csrf().await;
        let version = self.field("/admin/rules", "version").await;
        let mut form = vec![("csrf", csrf.as_str()), ("version", version.as_str())];
        for (name, default) in [("who", "linked"), ("place", "anywhere")] {
            if !changes.iter().any(|(changed, _)| *changed == name) {
                form.push((name, default));
            }
        }
        form.extend_from_slice(changes);
        self.post("/admin/rules", &form).await
    }
}

fn header(answer: &Response, name: &str) -> String {
    let value = answer.headers().get(name);
    let value = value.unwrap_or_else(|| panic!("no {name} in {answer:?}"));
    value.to_str().expect("ASCII").to_owned()
}

/// The world with the app installed and an admin at their desk.
async fn installed() -> World {
    let world = world().await;
    install(&world, "acme").await;
    world
}

async fn kinds(world: &World) -> Vec<String> {
    sqlx::query_scalar("select kind from audit order by audit_id")
        .fetch_all(&mut connect(world).await)
        .await
        .expect("rows")
}

#[tokio::test]
async fn an_admin_signs_in_looks_and_signs_out() {
    let world = installed().await;
    let mut desk = Desk::new(&world);
    let closed = desk.get("/admin").await;
    assert_eq!(closed.status(), StatusCode::UNAUTHORIZED);
    assert!(
        closed
            .text()
            .await
            .expect("a page")
            .contains("Sign in with Slack")
    );

    let answer = desk.sign_in(ADA).await;
    assert_eq!(header(&answer, "location"), "/admin");
    let page = desk.read("/admin").await;
    assert!(page.contains("Ada in Acme"), "{page}");
    assert!(
        page.contains("All 2 linked accounts look healthy"),
        "{page}"
    );
    let first = desk.cookies.clone();

    // Signing in again is another session; signing out ends this one alone.
    desk.sign_in(ADA).await;
    assert_ne!(desk.cookies, first, "rotated");
    let csrf = desk.csrf().await;
    let out = desk.post("/admin/sign-out", &[("csrf", &csrf)]).await;
    assert_eq!(header(&out, "location"), "/");
    assert!(desk.cookies.is_empty(), "{:?}", desk.cookies);
    let spent = desk.post("/admin/sign-out", &[("csrf", &csrf)]).await;
    assert_eq!(spent.status(), StatusCode::UNAUTHORIZED);
    desk.cookies = first;
    desk.read("/admin").await;
    end(world).await;
}

#[tokio::test]
async fn only_admins_come_in_of_the_workspace_or_of_its_organisation() {
    let world = installed().await;
    for (standing, comes_in) in [
        (Standing::Member, false),
        (Standing::Guest, false),
        (Standing::Deactivated, false),
        (Standing::Admin, true),
        (Standing::Owner, true),
        (Standing::OrgAdmin, true),
    ] {
        world.slack.set_person(FAY.slack, standing);
        let mut desk = Desk::new(&world);
        let answer = desk.sign_in(FAY).await;
        let status = if comes_in { 303 } else { 403 };
        assert_eq!(answer.status().as_u16(), status, "{standing:?}");
        let page = desk.get("/admin").await.status().as_u16();
        assert_eq!(page, if comes_in { 200 } else { 401 }, "{standing:?}");
    }
    assert_eq!(kinds(&world).await[1..4], ["refused"; 3]);
    end(world).await;
}

#[tokio::test]
async fn a_sign_in_needs_its_own_browser_state_and_nonce_and_works_once() {
    let world = installed().await;
    let (mut admin, mut thief) = (Desk::new(&world), Desk::new(&world));
    let slack = header(&admin.get("/admin/sign-in").await, "location");
    thief.get("/admin/sign-in").await;
    let back = world.slack.sign_in(&slack, ADA).await.expect("signed in");
    let back = back.trim_start_matches(world.service.as_str()).to_owned();
    let visit = admin.cookies.clone();
    assert_eq!(
        thief.get(&back).await.status(),
        StatusCode::BAD_REQUEST,
        "another browser"
    );
    assert_eq!(admin.get(&back).await.status(), StatusCode::SEE_OTHER);
    admin.cookies = visit;
    assert_eq!(
        admin.get(&back).await.status(),
        StatusCode::UNAUTHORIZED,
        "the same again"
    );
    for tamper in [
        Tamper::Nonce,
        Tamper::Signature,
        Tamper::Audience,
        Tamper::Expired,
    ] {
        world.slack.next_id_token(tamper);
        let answer = Desk::new(&world).sign_in(ADA).await;
        assert_eq!(answer.status(), StatusCode::BAD_GATEWAY, "{tamper:?}");
    }
    let slack = header(&admin.get("/admin/sign-in").await, "location");
    let back = world.slack.cancel_sign_in(&slack).await.expect("cancelled");
    let back = back.trim_start_matches(world.service.as_str()).to_owned();
    let page = admin.get(&back).await.text().await.expect("a page");
    assert!(page.contains("You went back"), "{page}");
    end(world).await;
}

#[tokio::test]
async fn who_is_no_admin_any_more_can_do_nothing_at_once_and_see_nothing_soon() {
    let world = installed().await;
    let mut desk = Desk::new(&world);
    desk.sign_in(ADA).await;
    let csrf = desk.csrf().await;
    world.slack.set_person(ADA.slack, Standing::Member);
    // Before everything that changes something Slack is asked anew.
    let refused = desk
        .post("/admin/people/U0DANA/test", &[("csrf", &csrf)])
        .await;
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    assert_eq!(desk.get("/admin").await.status(), StatusCode::UNAUTHORIZED);

    // Slack tells of a change: the next page asks.
    world.slack.set_person(ADA.slack, Standing::Admin);
    desk.sign_in(ADA).await;
    let event = serde_json::json!({ "type": "user_change", "user": { "id": ADA.slack } });
    world.slack.set_person(ADA.slack, Standing::Member);
    let event = world.slack.event(TOWN_HALL, event);
    world
        .slack
        .send_event(&world.service, &event)
        .await
        .expect("an answer");
    assert_eq!(desk.get("/admin").await.status(), StatusCode::FORBIDDEN);

    // While Slack does not answer one may look for a while, and do nothing.
    world.slack.set_person(ADA.slack, Standing::Admin);
    desk.sign_in(ADA).await;
    let csrf = desk.csrf().await;
    world.slack.fail_api("users.info", ApiFault::Status(503));
    let refused = desk
        .post("/admin/people/U0DANA/test", &[("csrf", &csrf)])
        .await;
    assert_eq!(refused.status(), StatusCode::BAD_GATEWAY);
    desk.read("/admin").await;

    // Half an hour without a click, or eight hours with, and it is over.
    for past in ["last_seen_at", "created_at"] {
        desk.sign_in(ADA).await;
        let pass =
            format!("update admin_session set {past} = {past} - interval '8 hours 1 second'");
        sqlx::raw_sql(sqlx::AssertSqlSafe(pass))
            .execute(&mut connect(&world).await)
            .await
            .expect("time passes");
        assert_eq!(
            desk.get("/admin").await.status(),
            StatusCode::UNAUTHORIZED,
            "{past}"
        );
    }
    end(world).await;
}

#[tokio::test]
async fn without_a_voice_the_installer_and_whom_they_name_are_the_admins() {
    let world = installed().await;
    // The token is gone, and so is the way to ask.
    sqlx::query("update installation set bot_token = null, installed_by = 'U0DANA'")
        .execute(&mut connect(&world).await)
        .await
        .expect("no token");
    let mut desk = Desk::new(&world);
    assert_eq!(desk.sign_in(ELI).await.status(), StatusCode::FORBIDDEN);
    assert_eq!(
        desk.sign_in(ADA).await.status(),
        StatusCode::FORBIDDEN,
        "nobody can tell"
    );
    assert_eq!(desk.sign_in(DANA).await.status(), StatusCode::SEE_OTHER);
    let csrf = desk.csrf().await;
    let bad = [("csrf", csrf.as_str()), ("people", "Eli")];
    assert_eq!(
        desk.post("/admin/admins", &bad).await.status(),
        StatusCode::UNPROCESSABLE_ENTITY
    );
    let named = [("csrf", csrf.as_str()), ("people", "<@U0ELI>, U0FAY")];
    assert_eq!(
        desk.post("/admin/admins", &named).await.status(),
        StatusCode::SEE_OTHER
    );
    let mut elis = Desk::new(&world);
    assert_eq!(elis.sign_in(ELI).await.status(), StatusCode::SEE_OTHER);
    let page = elis.read("/admin/rules").await;
    assert!(page.contains("U0ELI U0FAY"), "{page}");
    end(world).await;
}

#[tokio::test]
async fn a_form_that_was_not_made_for_this_session_does_nothing() {
    let world = installed().await;
    let (mut desk, mut other) = (Desk::new(&world), Desk::new(&world));
    desk.sign_in(ADA).await;
    world.slack.set_person(ELI.slack, Standing::Admin);
    other.sign_in(ELI).await;
    let foreign = other.csrf().await;
    let linked_at = desk
        .field("/admin/people/U0DANA/disconnect", "linked_at")
        .await;
    for path in [
        "/admin/people/U0DANA/disconnect",
        "/admin/people/U0DANA/test",
        "/admin/rules",
        "/admin/admins",
        "/admin/shared",
        "/admin/shared/link",
        "/admin/shared/unlink",
        "/admin/sign-out",
    ] {
        for csrf in ["", "00", foreign.as_str()] {
            let form = [
                ("csrf", csrf),
                ("linked_at", linked_at.as_str()),
                ("version", "0"),
                ("who", "named"),
                ("place", "anywhere"),
            ];
            let answer = desk.post(path, &form).await;
            assert_eq!(answer.status(), StatusCode::CONFLICT, "{path} {csrf:?}");
        }
        let bare = Desk::new(&world)
            .post(
                path,
                &[
                    ("csrf", &foreign),
                    ("linked_at", "0"),
                    ("version", "0"),
                    ("who", ""),
                    ("place", ""),
                ],
            )
            .await;
        assert_eq!(bare.status(), StatusCode::UNAUTHORIZED, "{path}");
    }
    assert!(linked_zoom_user(&world, DANA).await.is_some());
    assert!(!kinds(&world).await.contains(&"rules_changed".to_owned()));
    desk.read("/admin").await;
    end(world).await;
}

#[tokio::test]
async fn disconnecting_somebody_asks_first_tells_them_and_happens_once() {
    let world = installed().await;
    let mut desk = Desk::new(&world);
    desk.sign_in(ADA).await;
    let csrf = desk.csrf().await;
    let asked = desk.read("/admin/people/U0DANA/disconnect").await;
    assert!(
        asked.contains("will no longer act as Zoom account"),
        "{asked}"
    );
    let linked_at = desk
        .field("/admin/people/U0DANA/disconnect", "linked_at")
        .await;
    let form = [("csrf", csrf.as_str()), ("linked_at", linked_at.as_str())];
    let done = desk.post("/admin/people/U0DANA/disconnect", &form).await;
    assert_eq!(done.status(), StatusCode::OK);
    let done = done.text().await.expect("a page");
    assert!(
        done.contains("The permission at Zoom is withdrawn."),
        "{done}"
    );
    assert_eq!(linked_zoom_user(&world, DANA).await, None);
    assert_eq!(world.zoom.revocations(), [DANA.zoom]);
    let told = world
        .slack
        .direct_message_after(DANA.slack, 0)
        .await
        .expect("a word");
    let told = told["text"].as_str().expect("a text");
    assert!(
        told.contains("<@U0ADA>, an admin of this workspace, disconnected"),
        "{told}"
    );

    // The same form again does nothing to a link made since.
    world.link(DANA, SCOPE).await.expect("linked again");
    let again = desk.post("/admin/people/U0DANA/disconnect", &form).await;
    assert_eq!(again.status(), StatusCode::CONFLICT);
    assert!(linked_zoom_user(&world, DANA).await.is_some());
    let page = desk.read("/admin/activity?kind=unlinked").await;
    assert!(
        page.contains("by admin U0ADA") && page.contains("dana@acme.example"),
        "{page}"
    );
    queue_is_empty(&world.database).await;
    end(world).await;
}

#[tokio::test]
async fn a_test_says_how_an_account_is_and_the_overview_warns() {
    let world = installed().await;
    let scope = format!("{SCOPE} user:read:user user:read:settings");
    world.link(DANA, &scope).await.expect("all permissions");
    let mut desk = Desk::new(&world);
    desk.sign_in(ADA).await;
    let csrf = desk.csrf().await;
    let form = [("csrf", csrf.as_str())];
    let path = "/admin/people/U0DANA/test";
    for (before, says) in [
        (None, "the account works"),
        (Some("basic"), "Basic plan"),
        (Some("fault"), "did not answer as it should"),
        (Some("off"), "Livestreaming is off in Zoom"),
        (Some("dead"), "no longer takes this permission"),
    ] {
        match before {
            Some("basic") => world.zoom.make_basic(DANA.zoom),
            Some("fault") => world.zoom.fail_next_me(Fault::error(503, 0, "")),
            Some("off") => {
                world.zoom.make_licensed(DANA.zoom);
                world.zoom.switch_livestreaming(DANA.zoom, false);
            }
            Some("dead") => world.zoom.revoke(DANA.zoom),
            _ => {}
        }
        let page = desk.post(path, &form).await.text().await.expect("a page");
        assert!(page.contains(says), "{before:?}: {page}");
    }
    let overview = desk.read("/admin").await;
    assert!(
        overview.contains("1 of 2 linked accounts need attention"),
        "{overview}"
    );
    assert!(
        overview.contains("Dead: Zoom no longer takes it"),
        "{overview}"
    );
    let listed = desk.read("/admin/people?only=trouble").await;
    assert!(
        listed.contains("dana@acme.example") && !listed.contains("eli@acme"),
        "{listed}"
    );
    end(world).await;
}

#[tokio::test]
async fn one_workspace_never_sees_anothers_rows() {
    let world = installed().await;
    install(&world, "globex").await;
    // Fay is linked in another workspace, and something happened there.
    let link = crate::linking::offer_at(&world, ORG_TOWN_HALL, FAY, "connect").await;
    Browser::new("__Host-link")
        .link(&world, &link, FAY, FAY)
        .await;
    type_and_read(&world, DANA, "start 68423085").await;
    let typed = world
        .slack
        .type_at(ORG_TOWN_HALL, FAY.slack, "start 91234567890");
    send(&world, &typed).await;
    world.slack.outcome(&typed).await.expect("an outcome");

    let mut desk = Desk::new(&world);
    desk.sign_in(ADA).await;
    let csrf = desk.csrf().await;
    for path in [
        "/admin",
        "/admin/people",
        "/admin/people?q=fay",
        "/admin/activity",
        "/admin/activity?user=U0FAY",
        "/admin/activity?meeting=91234567890",
        "/admin/activity.csv",
        "/admin/activity.json",
    ] {
        let page = desk.read(path).await;
        assert!(
            !page.contains("fay@acme") && !page.contains("U0FAY</code>"),
            "{path}: {page}"
        );
        assert!(!page.contains("zoom-fay"), "{path}");
    }
    assert_eq!(
        desk.get("/admin/people/U0FAY").await.status(),
        StatusCode::NOT_FOUND
    );
    for action in ["test", "disconnect"] {
        let form = [("csrf", csrf.as_str()), ("linked_at", "0")];
        let answer = desk
            .post(&format!("/admin/people/U0FAY/{action}"), &form)
            .await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{action}");
    }
    // An admin of another workspace altogether is none here.
    assert_ne!(STRANGER_TEAM, TEAM);
    let still: i64 = sqlx::query_scalar("select count(*) from zoom_link where user_id = 'U0FAY'")
        .fetch_one(&mut connect(&world).await)
        .await
        .expect("a count");
    assert_eq!(still, 1);
    end(world).await;
}

#[tokio::test]
async fn people_are_found_sorted_and_paged() {
    let world = installed().await;
    let fill = "insert into zoom_grant (zoom_user_id, zoom_account_id, email, scope, access_token, refresh_token, expires_at)
        select 'z' || n, 'acme', 'person' || n || '@acme.example', 'meeting:write user:read', '', '', now()
        from generate_series(1, 120) as n;
        insert into zoom_link (team_id, user_id, zoom_user_id, slack_name, search)
        select 'T0ACME', 'U' || n, 'z' || n, 'Person ' || lpad(n::text, 3, '0'),
            lower('Person ' || lpad(n::text, 3, '0') || ' person' || n || '@acme.example')
        from generate_series(1, 120) as n";
    sqlx::raw_sql(fill)
        .execute(&mut connect(&world).await)
        .await
        .expect("people");
    let mut desk = Desk::new(&world);
    desk.sign_in(ADA).await;
    let page = desk.read("/admin/people").await;
    assert!(
        page.contains("122 people") && page.contains("Page 1 of 3"),
        "{page}"
    );
    assert!(
        page.contains("Person 050") && !page.contains("Person 051"),
        "{page}"
    );
    let page = desk.read("/admin/people?page=2").await;
    assert!(
        page.contains("U0ELI") && page.contains("Page 3 of 3"),
        "{page}"
    );
    let page = desk.read("/admin/people?q=PERSON77%40").await;
    assert!(
        page.contains("1 person") && page.contains("Person 077"),
        "{page}"
    );
    let page = desk.read("/admin/people?q=%25").await;
    assert!(
        page.contains("Nobody like that"),
        "a percent sign is no wildcard: {page}"
    );
    let page = desk.read("/admin/people?sort=linked&page=9999999").await;
    assert!(page.contains("Nobody like that"), "{page}");
    end(world).await;
}

#[tokio::test]
async fn everything_that_happens_is_in_the_activity_and_its_files() {
    let world = installed().await;
    type_and_read(&world, DANA, "start 68423085").await;
    type_and_read(&world, ELI, "stop 68423085").await;
    send(
        &world,
        &world.slack.type_command(FAY.slack, "start 68423085"),
    )
    .await;
    world
        .zoom
        .fail_next(Fault::error(400, 200, "=cmd|' /C calc'!A0"));
    type_and_read(&world, DANA, "stop 68423085").await;
    let mut desk = Desk::new(&world);
    desk.sign_in(ADA).await;
    let page = desk.read("/admin/activity").await;
    for wanted in [
        "accepted",
        "no such meeting",
        "not linked",
        "(200)",
        "eli@acme.example",
        "installed",
        // The filter offers every kind.
        "<option value=\"link_cancelled\">link cancelled</option>",
    ] {
        assert!(page.contains(wanted), "{wanted}: {page}");
    }
    let page = desk
        .read("/admin/activity?kind=start&user=U0DANA&meeting=684+230+85")
        .await;
    assert_eq!(
        page.matches("<tr>").count(),
        2,
        "a head and one row: {page}"
    );
    let page = desk.read("/admin/activity?only=failed").await;
    assert_eq!(page.matches("<tr>").count(), 4, "{page}");

    let csv = desk.read("/admin/activity.csv").await;
    assert!(csv.starts_with("id,happened_at,kind,user_id,"), "{csv}");
    assert_eq!(csv.lines().count(), 7, "{csv}");
    let json: Value = desk
        .read("/admin/activity.json")
        .await
        .parse()
        .expect("JSON");
    let entries = json.as_array().expect("an array");
    assert_eq!(entries.len(), 6, "{json}");
    assert_eq!(entries[0]["kind"], "admin_signed_in");
    let start = &entries[4];
    assert_eq!(start["meeting_id"], 68_423_085, "{start}");
    assert_eq!(start["zoom_email"], "dana@acme.example");
    assert!(start["duration_seconds"].as_f64().expect("a time") < 60.0);
    let none: Value = desk
        .read("/admin/activity.json?user=U0NOBODY")
        .await
        .parse()
        .expect("JSON");
    assert_eq!(none, serde_json::json!([]));
    end(world).await;
}

#[tokio::test]
async fn nobody_changes_the_audit_and_it_is_kept_as_long_as_it_should_be() {
    let world =
        world_with(|config| config.audit_kept_for = Some(chrono::TimeDelta::days(90))).await;
    type_and_read(&world, DANA, "start 68423085").await;
    let mut db = connect(&world).await;
    // The service's own role, which owns the table.
    for forbidden in [
        "update audit set person_id = null",
        "delete from audit",
        "truncate audit",
    ] {
        let refused = sqlx::raw_sql(forbidden).execute(&mut db).await;
        let refused = refused.expect_err(forbidden).to_string();
        assert!(refused.contains("append-only"), "{refused}");
    }
    let old = "insert into audit (kind, happened_at) values ('a', now() - interval '91 days'), ('b', now() - interval '89 days')";
    sqlx::raw_sql(old)
        .execute(&mut db)
        .await
        .expect("old entries");
    let mut ticks = tokio::time::interval(std::time::Duration::from_millis(50));
    loop {
        ticks.tick().await;
        let left = kinds(&world).await;
        if left == ["start", "b"] {
            break;
        }
        assert_eq!(left, ["start", "a", "b"]);
    }
    end(world).await;
}

#[tokio::test]
async fn who_was_erased_stands_nowhere_in_the_activity_and_the_audit_stays_as_it_was() {
    let world = installed().await;
    let mut desk = Desk::new(&world);
    desk.sign_in(ADA).await;
    type_and_read(&world, DANA, "start 68423085").await;
    desk.set_rules(&[("who", "named"), ("people", "U0DANA U0ELI")])
        .await;
    let csrf = desk.csrf().await;
    desk.post("/admin/people/U0DANA/test", &[("csrf", &csrf)])
        .await;
    let mut db = connect(&world).await;
    let audit = "select string_agg(audit::text, ' ' order by audit_id) from audit";
    let before: String = sqlx::query_scalar(audit).fetch_one(&mut db).await.unwrap();
    for id in ["U0DANA", "U0ELI", "U0ADA"] {
        assert!(!before.contains(id), "{id}: {before}");
    }
    let paths = [
        "/admin",
        "/admin/activity",
        "/admin/activity.csv",
        "/admin/activity.json",
    ];
    for path in paths {
        let page = desk.read(path).await;
        for id in ["U0ELI", "U0ADA"] {
            assert!(page.contains(id), "{id} on {path}: {page}");
        }
    }
    let named = desk.read("/admin/activity?user=U0DANA&kind=start").await;
    assert_eq!(named.matches("<tr>").count(), 2, "{named}");

    let erase = "update person set user_id = null where user_id in ('U0DANA', 'U0ADA')";
    sqlx::raw_sql(erase).execute(&mut db).await.unwrap();
    let after: String = sqlx::query_scalar(audit).fetch_one(&mut db).await.unwrap();
    assert_eq!(after, before);
    for path in paths {
        let page = desk.read(path).await;
        assert!(page.contains("someone who was erased"), "{path}: {page}");
        assert!(page.contains("U0ELI"), "{path}: {page}");
        for erased in ["U0DANA", "U0ADA"] {
            assert!(!page.contains(erased), "{erased} on {path}: {page}");
        }
    }
    let named = desk.read("/admin/activity?user=U0DANA&kind=start").await;
    assert!(named.contains("Nothing yet."), "{named}");
    end(world).await;
}

/// Types a start; what becomes of it, and whether others read it.
async fn start(world: &World, who: Person) -> (String, bool) {
    let typed = world.slack.type_command(who.slack, "start 68423085");
    assert_eq!(send(world, &typed).await, accepted());
    let outcome = world.slack.outcome(&typed).await.expect("an outcome");
    (said(&outcome), outcome["response_type"] == "in_channel")
}

#[tokio::test]
async fn the_rules_hold_for_commands_for_buttons_and_after_they_changed() {
    let world = installed().await;
    let mut desk = Desk::new(&world);
    desk.sign_in(ADA).await;
    assert!(start(&world, DANA).await.0.contains("going live"));

    // The button is there; then a rule takes Dana's right away.
    assert_eq!(
        desk.set_rules(&[("who", "named"), ("people", "U0ELI")])
            .await
            .status(),
        303
    );
    let pressed = press(&world, DANA, "stop 68423085").await;
    let outcome = world.slack.outcome(&pressed).await.expect("an outcome");
    assert_eq!(outcome["response_type"], "ephemeral");
    let read = said(&outcome);
    assert!(
        read.contains("only people whom an admin named can use /livestream"),
        "{read}"
    );
    assert!(
        read.contains("such as <@U0ADA>") && read.contains("/admin|the admin's page>"),
        "{read}"
    );
    assert_eq!(world.zoom.calls().len(), 1, "Zoom was not asked");
    let (read, is_public) = start(&world, ELI).await;
    assert!(
        read.contains("Zoom finds no meeting") && is_public,
        "{read}"
    );

    // A user group.
    world.slack.set_group("S0HOSTS", &[DANA.slack]);
    desk.set_rules(&[("who", "group"), ("group", "S0HOSTS")])
        .await;
    assert!(
        start(&world, ELI)
            .await
            .0
            .contains("only members of a user group")
    );
    world.zoom.end(68_423_085);
    world.zoom.begin(68_423_085);
    assert!(start(&world, DANA).await.0.contains("going live"));

    // Channels.
    desk.set_rules(&[("place", "except"), ("channels", "C0TOWNHALL")])
        .await;
    let (read, is_public) = start(&world, DANA).await;
    assert!(
        read.contains("In this channel, /livestream is not to be used") && !is_public,
        "{read}"
    );
    desk.set_rules(&[("place", "only"), ("channels", "<#C0TOWNHALL>")])
        .await;
    assert!(
        type_and_read(&world, DANA, "stop 68423085")
            .await
            .contains("is stopped")
    );

    // What was refused stands in the activity.
    let page = desk.read("/admin/activity?kind=refused").await;
    assert_eq!(page.matches("not allowed").count(), 3, "{page}");
    end(world).await;
}

#[tokio::test]
async fn where_many_read_the_person_is_asked_before_going_live() {
    let world = installed().await;
    let mut desk = Desk::new(&world);
    desk.sign_in(ADA).await;
    desk.set_rules(&[("confirm_over", "50"), ("confirm_shared", "on")])
        .await;
    assert!(
        start(&world, DANA).await.0.contains("going live"),
        "twelve people"
    );
    type_and_read(&world, DANA, "stop 68423085").await;
    world.zoom.end(68_423_085);
    world.zoom.begin(68_423_085);

    world.slack.set_channel("C0TOWNHALL", 240, true);
    let typed = world
        .slack
        .type_command(DANA.slack, "start 68423085 name=\"Town Hall\"");
    send(&world, &typed).await;
    let asked = world.slack.outcome(&typed).await.expect("a question");
    assert_eq!(asked["response_type"], "ephemeral");
    let read = said(&asked);
    assert!(
        read.contains(
            "Go live with meeting 6842 3085?* 240 people read here, some of other organisations"
        ),
        "{read}"
    );
    assert_eq!(world.zoom.calls().len(), 2, "nothing was started yet");
    let yes = values(&asked).remove(0);
    assert_eq!(yes, "start 68423085 name=\"Town Hall\" confirm=yes");
    let pressed = press(&world, DANA, &yes).await;
    let outcome = world.slack.outcome(&pressed).await.expect("an outcome");
    assert!(said(&outcome).contains("is going live"), "{outcome}");
    assert_eq!(outcome["response_type"], "in_channel");

    // Where Slack does not say who reads, it asks as well.
    world.slack.hide_channel("C0TOWNHALL");
    let (read, _) = start(&world, DANA).await;
    assert!(read.contains("I can't see who reads here"), "{read}");
    end(world).await;
}

#[tokio::test]
async fn rules_that_make_no_sense_are_refused_and_old_forms_change_nothing() {
    let world = installed().await;
    let mut desk = Desk::new(&world);
    desk.sign_in(ADA).await;
    for (changes, says) in [
        (
            &[("who", "named"), ("people", "Dana")][..],
            "no ids of Slack people",
        ),
        (&[("who", "group")], "Say which user group"),
        (&[("who", "group"), ("group", "hosts")], "no id of one"),
        (
            &[("place", "only"), ("channels", "#town-hall")],
            "no ids of Slack channels",
        ),
        (&[("confirm_over", "many")], "no whole number"),
    ] {
        let answer = desk.set_rules(changes).await;
        assert_eq!(
            answer.status(),
            StatusCode::UNPROCESSABLE_ENTITY,
            "{changes:?}"
        );
        let page = answer.text().await.expect("a page");
        assert!(
            page.contains(says) && page.contains("Nothing was saved"),
            "{page}"
        );
    }
    // Two admins at one form: the second sees that it is out of date.
    let csrf = desk.csrf().await;
    let form = [
        ("csrf", csrf.as_str()),
        ("version", "0"),
        ("who", "linked"),
        ("place", "anywhere"),
    ];
    assert_eq!(
        desk.post("/admin/rules", &form).await.status(),
        StatusCode::SEE_OTHER
    );
    assert_eq!(
        desk.post("/admin/rules", &form).await.status(),
        StatusCode::CONFLICT
    );
    end(world).await;
}

/// The link with which an admin links an account for the workspace.
async fn shared_link(desk: &mut Desk<'_>) -> String {
    let csrf = desk.csrf().await;
    let answer = desk.post("/admin/shared/link", &[("csrf", &csrf)]).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let page = answer.text().await.expect("a page");
    let link = page
        .split("class=\"button\" href=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next());
    link.unwrap_or_else(|| panic!("no link on {page}"))
        .to_owned()
}

#[tokio::test]
async fn who_is_no_admin_any_more_shares_no_account() {
    let world = world_with(|config| config.shared_accounts = true).await;
    install(&world, "acme").await;
    let mut desk = Desk::new(&world);
    desk.sign_in(ADA).await;
    let link = shared_link(&mut desk).await;
    let mut browser = Browser::new("__Host-link");
    let (csrf, _) = browser.reach_the_question(&world, &link, ADA, ADA).await;
    world.slack.set_person(ADA.slack, Standing::Member);
    let answer = browser.answer(&world, &csrf, "link").await;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    let page = answer.text().await.expect("a page");
    assert!(page.contains("Only admins"), "{page}");
    assert!(world.zoom.revocations().contains(&ADA.zoom.to_owned()));
    let count: i64 = sqlx::query_scalar("select count(*) from shared_account")
        .fetch_one(&mut connect(&world).await)
        .await
        .expect("a count");
    assert_eq!(count, 0);
    end(world).await;
}

#[tokio::test]
async fn a_workspace_that_the_app_left_shares_no_account_and_has_no_rules() {
    let world = world_with(|config| config.shared_accounts = true).await;
    install(&world, "acme").await;
    let mut desk = Desk::new(&world);
    desk.sign_in(ADA).await;
    let link = shared_link(&mut desk).await;
    Browser::new("__Host-link")
        .link(&world, &link, ADA, ADA)
        .await;
    desk.set_rules(&[("who", "named"), ("people", DANA.slack)])
        .await;
    let (uninstalled, _) = world.slack.uninstall(TOWN_HALL);
    tell(&world, &uninstalled).await;
    let_a_day_pass(&world).await;
    assert!(world.zoom.revocations().contains(&ADA.zoom.to_owned()));
    let left: i64 = sqlx::query_scalar(
        "select (select count(*) from shared_account) + (select count(*) from rules)
            + (select count(*) from admin_session) + (select count(*) from zoom_grant)",
    )
    .fetch_one(&mut connect(&world).await)
    .await
    .expect("a count");
    assert_eq!(left, 0);
    assert!(
        kinds(&world)
            .await
            .contains(&"shared_account_unlinked".to_owned())
    );
    end(world).await;
}

#[tokio::test]
async fn an_account_is_shared_only_where_that_is_on_and_with_whom_is_listed() {
    let off = installed().await;
    let mut desk = Desk::new(&off);
    desk.sign_in(ADA).await;
    let csrf = desk.csrf().await;
    let page = desk.read("/admin/shared").await;
    assert!(
        page.contains("switched off here") && page.contains("marketplace forbids"),
        "{page}"
    );
    for path in ["/admin/shared", "/admin/shared/link"] {
        let answer = desk.post(path, &[("csrf", &csrf)]).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
    }
    end(off).await;

    let world = world_with(|config| config.shared_accounts = true).await;
    install(&world, "acme").await;
    world.zoom.schedule(91_234_567_890, ADA.zoom, None);
    world.zoom.begin(91_234_567_890);
    let mut desk = Desk::new(&world);
    desk.sign_in(ADA).await;
    let csrf = desk.csrf().await;
    let link = shared_link(&mut desk).await;
    let page = Browser::new("__Host-link")
        .link(&world, &link, ADA, ADA)
        .await;
    assert!(page.contains("is now there for your workspace"), "{page}");
    // Nobody is listed: nobody may, not even the admin.
    let typed = world.slack.type_command(FAY.slack, "start 91234567890");
    let answer = send(&world, &typed).await;
    assert!(said(&answer.body).contains("not linked yet"), "{answer:?}");
    let form = [("csrf", csrf.as_str()), ("people", "U0FAY")];
    assert_eq!(
        desk.post("/admin/shared", &form).await.status(),
        StatusCode::SEE_OTHER
    );
    let typed = world.slack.type_command(FAY.slack, "start 91234567890");
    assert_eq!(send(&world, &typed).await, accepted());
    let outcome = world.slack.outcome(&typed).await.expect("an outcome");
    assert!(said(&outcome).contains("is going live"), "{outcome}");
    let small = outcome["blocks"][1].to_string();
    assert!(
        small.contains("<@U0FAY> as Zoom account ada@acme.example"),
        "{small}"
    );
    let page = desk.read("/admin/activity?user=U0FAY&kind=start").await;
    assert!(page.contains("ada@acme.example"), "{page}");
    // Eli acts as himself, and not as this one.
    let (read, _) = start(&world, ELI).await;
    assert!(read.contains("Zoom finds no meeting"), "{read}");
    // Off again: the permission is withdrawn.
    desk.post("/admin/shared/unlink", &[("csrf", &csrf)]).await;
    assert!(world.zoom.revocations().contains(&ADA.zoom.to_owned()));
    let typed = world.slack.type_command(FAY.slack, "stop 91234567890");
    let answer = send(&world, &typed).await;
    assert!(said(&answer.body).contains("not linked yet"), "{answer:?}");
    end(world).await;
}
