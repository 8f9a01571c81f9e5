//! What Zoom and Slack answer where it is not what their pages say.

use std::fmt::Display;
use std::time::{Duration, Instant};

use livestream_bot::crypto::vault::{Context, Vault};
use livestream_bot::demo::zoom::{Fault, Read, SCOPES};
use livestream_bot::demo::{ADA, DANA, FAY, World};
use serde_json::{Value, json};

use crate::support::admin_browser::AdminBrowser;
use crate::support::browser::Browser;
use crate::support::counts::wait_for_count;
use crate::support::fixtures::{installed_world, meeting, world, world_with};
use crate::support::linking::{assert_not_linked, linked_zoom_user, request_link};
use crate::support::slack::{
    button_values, outcome_of, send, send_press, text_of, type_and_read, type_and_read_at_once,
};
use crate::support::world::{connect, wait_for_empty_queue};

fn answer(status: u16, body: impl Display) -> Fault {
    Fault::Answer {
        status,
        headers: Vec::new(),
        body: body.to_string(),
    }
}

async fn expire_stored_token(world: &World) {
    sqlx::query("update zoom_grant set expires_at = now()")
        .execute(&mut connect(world).await)
        .await
        .expect("an update");
}

/// The text of the outcome when Zoom answers a start like this, and the number of requests.
async fn start_answered(fault: Fault) -> (String, usize) {
    let world = world().await;
    world.zoom.fail_next(fault);
    let read = type_and_read(&world, DANA, "start 68423085").await;
    let calls = world.zoom.calls().len();
    world.end().await;
    (read, calls)
}

#[tokio::test]
async fn only_an_empty_success_is_told_as_going_live() {
    for body in ["", " \r\n"] {
        let (read, _) = start_answered(answer(202, body)).await;
        assert!(read.contains("is going live"), "{body:?}: {read}");
    }
    for body in [
        "<html><body>Under maintenance</body></html>",
        "{}",
        "null",
        r#"{"code":200,"message":"Success"}"#,
        r#"{"code":200,"message":"Success."}"#,
        r#"{"code":204}"#,
    ] {
        let (read, calls) = start_answered(answer(200, body)).await;
        assert!(
            read.contains("I can't tell what Zoom did about meeting 6842 3085.")
                && read.contains("may or may not have done it: look at the stream"),
            "{body}: {read}"
        );
        assert_eq!(calls, 1, "{body}");
    }
    let paid = r#"{"code":200,"message":"Only available for Paid account, please upgrade."}"#;
    let (read, _) = start_answered(answer(200, paid)).await;
    assert!(
        read.contains("can't be livestreamed yet.* Zoom said: “Only available for Paid account, please upgrade.”"),
        "{read}"
    );
    let (read, _) = start_answered(answer(201, r#"{"code":"3001"}"#)).await;
    assert!(read.contains("Zoom finds no meeting"), "{read}");
}

#[tokio::test]
async fn what_zoom_says_is_told_with_every_outcome() {
    for (body, expected) in [
        (
            json!({ "code": 3000, "message": "Cannot access webinar info." }),
            "can't be livestreamed yet.* Zoom said: “Cannot access webinar info.” Check all of these",
        ),
        (
            json!({ "code": "3001", "message": "Not for <!channel> & co." }),
            "ask the host to type the command.\nZoom said: “Not for &lt;!channel&gt; &amp; co.”",
        ),
        (
            json!({ "errorCode": 3161, "errorMessage": "The licence has run out." }),
            "Zoom said: “The licence has run out.”",
        ),
        (
            json!({ "code": 300, "message": "Validation Failed.",
                "errors": [{ "field": "settings.layout", "message": "Invalid field." }] }),
            "code 300, and said: Validation Failed. settings.layout: Invalid field.",
        ),
        (
            json!({ "code": 3000, "message": "Push to rtmp://live.example/key by dana@acme.example" }),
            "Zoom said: “Push to […] by […]”",
        ),
    ] {
        let (read, calls) = start_answered(answer(400, &body)).await;
        assert!(read.contains(expected), "{body}: {read}");
        assert_eq!(calls, 1);
    }
    let usual = json!({ "code": 4927, "message": "Meeting 68,423,085 has not started." });
    let (read, _) = start_answered(answer(400, usual)).await;
    assert!(!read.contains("Zoom said"), "{read}");
}

#[tokio::test]
async fn a_new_pair_is_kept_whatever_is_odd_about_it() {
    for odd in [
        json!({ "expires_in": "3599", "scope": SCOPES }),
        json!({ "expires_in": 3599.5, "scope": [SCOPES, "user:read:user"], "token_type": 7 }),
        json!({ "expires_in": null, "token_type": "Bearer", "api_url": {} }),
        json!({}),
    ] {
        let world = world().await;
        expire_stored_token(&world).await;
        let tokens = world.zoom.authorize(DANA.zoom, SCOPES);
        let mut pair = json!({
            "access_token": tokens.access_token, "refresh_token": tokens.refresh_token,
        });
        let fields = pair.as_object_mut().expect("an object");
        fields.extend(odd.as_object().expect("an object").clone());
        world.zoom.fail_next_refresh(answer(200, pair));
        let read = type_and_read(&world, DANA, "start 68423085").await;
        assert!(read.contains("is going live"), "{odd}: {read}");
        // It is good for an hour, and its refresh token for one refresh.
        type_and_read(&world, DANA, "stop 68423085").await;
        assert_eq!(world.zoom.refreshes(), 0, "{odd}");
        expire_stored_token(&world).await;
        type_and_read(&world, DANA, "stop 68423085").await;
        assert_eq!(world.zoom.refreshes(), 1, "{odd}");
        world.end().await;
    }
}

#[tokio::test]
async fn a_pair_without_a_scope_links() {
    let world = world().await;
    let mut browser = Browser::new();
    let link = request_link(&world, FAY).await;
    let back = browser.consent(&world, &link, FAY, FAY).await;
    let tokens = world.zoom.authorize(FAY.zoom, "user:read:user");
    let pair = json!({
        "access_token": tokens.access_token, "refresh_token": tokens.refresh_token, "expires_in": "1",
    });
    world.zoom.fail_next_refresh(answer(200, pair));
    assert_eq!(browser.get(&back).await.location(), "/confirm");
    world.end().await;
}

#[tokio::test]
async fn a_refusal_of_the_token_endpoint_is_told_as_what_it_is_until_it_ends() {
    for (status, body, said) in [
        (
            400,
            json!({ "error": "unsupported_grant_type", "reason": "Unsupported grant type" }),
            "Unsupported grant type (unsupported_grant_type)",
        ),
        (
            401,
            json!({ "error": "unauthorized_client", "error_description": "Not this app." }),
            "Not this app. (unauthorized_client)",
        ),
        (
            400,
            json!({ "status": false, "errorCode": 4738, "errorMessage": "Disabled by admin" }),
            "Disabled by admin (code 4738)",
        ),
    ] {
        let tells = if said.contains("4738") {
            "disabled in the linked Zoom account.* An administrator of the Zoom account can enable it"
        } else {
            "this bot's own access to Zoom is broken"
        };
        let world = installed_world().await;
        expire_stored_token(&world).await;
        world.zoom.fail_next_refresh(answer(status, body));
        let read = type_and_read(&world, DANA, "start 68423085").await;
        assert!(
            read.contains(tells) && read.ends_with(&format!("Zoom said: “{said}”")),
            "{read}"
        );
        let whoami = type_and_read_at_once(&world, DANA, "whoami").await;
        assert!(
            whoami.contains("commands fail") && whoami.contains(said) && !whoami.contains("worked"),
            "{whoami}"
        );
        let mut admin = AdminBrowser::signed_in(&world, ADA).await;
        for (path, told) in [
            ("/admin/people?only=trouble", "Link not renewed"),
            ("/admin/people/U0DANA", "Zoom refuses to renew the link"),
            ("/admin/people/U0DANA", said),
        ] {
            let page = admin.read(path).await;
            assert!(page.contains(told), "{told}: {page}");
        }
        // Once Zoom gives tokens again, nothing is left of it.
        let read = type_and_read(&world, DANA, "start 68423085").await;
        assert!(read.contains("is going live"), "{read}");
        let whoami = type_and_read_at_once(&world, DANA, "whoami").await;
        assert!(whoami.contains("It last worked <!date^"), "{whoami}");
        world.end().await;
    }
}

#[tokio::test]
async fn a_permission_that_was_replaced_or_whose_user_is_gone_is_dead() {
    for body in [
        json!({ "status": false, "errorCode": 4741, "errorMessage": "Revoked." }),
        json!({ "code": "4735", "reason": "Revoked." }),
        json!({ "error": "invalid_grant", "error_description": "Revoked." }),
    ] {
        let world = world().await;
        expire_stored_token(&world).await;
        world.zoom.fail_next_refresh(answer(400, &body));
        let read = type_and_read(&world, DANA, "start 68423085").await;
        assert!(
            read.contains("Zoom no longer accepts your linked account")
                && read.contains("Revoked."),
            "{body}: {read}"
        );
        let whoami = type_and_read_at_once(&world, DANA, "whoami").await;
        assert!(!whoami.contains("worked"), "{whoami}");
        world.end().await;
    }
}

#[tokio::test]
async fn what_zoom_says_to_a_code_is_on_the_page() {
    let world = world().await;
    for (fault, says) in [
        (
            answer(
                400,
                json!({ "reason": "Invalid <code>", "error": "invalid_grant" }),
            ),
            "<q>Invalid &lt;code&gt; (invalid_grant)</q>",
        ),
        (
            answer(
                400,
                json!({ "errorCode": 4709, "errorMessage": "Invalid redirect" }),
            ),
            "<q>Invalid redirect (code 4709)</q>",
        ),
        (
            answer(200, json!({ "error": "invalid_client" })),
            "<q>invalid_client</q>",
        ),
    ] {
        let mut browser = Browser::new();
        let link = request_link(&world, FAY).await;
        let back = browser.consent(&world, &link, FAY, FAY).await;
        world.zoom.fail_next_refresh(fault);
        assert_not_linked(&world, &browser.come_back(&back).await, 502, says).await;
    }
    world.end().await;
}

#[tokio::test]
async fn a_withdrawal_is_confirmed_by_what_zoom_says_and_not_by_its_status() {
    for body in ["<html>Under maintenance</html>", r#"{"status":"failed"}"#] {
        let world = world().await;
        world.zoom.fail_next_revoke(answer(200, body));
        let typed = world.slack.type_command(DANA.slack, "disconnect");
        let read = text_of(&send(&world, &typed).await.body);
        assert!(read.contains("has not confirmed yet"), "{body}: {read}");
        wait_for_count(
            &world,
            "select count(*) from withdrawal where attempts > 0",
            1,
        )
        .await;
        world.end().await;
    }
}

#[tokio::test]
async fn what_zoom_says_to_who_asks_for_a_user_is_on_the_pages() {
    let world = installed_world().await;
    let refused = || answer(400, json!({ "code": "4711", "message": "No user:read." }));
    let mut browser = Browser::new();
    let link = request_link(&world, FAY).await;
    let back = browser.consent(&world, &link, FAY, FAY).await;
    world.zoom.fail_next_read(Read::Me, refused());
    let page = browser.come_back(&back).await;
    assert_not_linked(&world, &page, 502, "<q>No user:read. (code 4711)</q>").await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    for (fault, says) in [
        (refused(), "<q>No user:read. (code 4711)</q>"),
        // A success that is none.
        (
            answer(200, json!({ "code": 200, "message": "No permission." })),
            "<q>No permission. (code 200)</q>",
        ),
        (answer(200, "<html>"), "Zoom did not answer"),
    ] {
        world.zoom.fail_next_read(Read::Me, fault);
        let csrf = admin.csrf().await;
        let form = [("csrf", &*csrf)];
        let page = admin.submit("/admin/people/U0DANA/test", &form).await;
        assert!(page.body.contains(says), "{page:?}");
    }
    world.end().await;
}

#[tokio::test]
async fn a_wait_that_the_token_endpoint_asks_for_is_kept() {
    let world = world().await;
    expire_stored_token(&world).await;
    world.zoom.fail_next_refresh(
        answer(429, json!({ "message": "Slow down." })).with_header("retry-after", "4"),
    );
    let asked = Instant::now();
    let read = type_and_read(&world, DANA, "start 68423085").await;
    assert!(read.contains("is going live"), "{read}");
    assert!(asked.elapsed() >= Duration::from_secs(4), "{asked:?}");
    world.end().await;
}

#[tokio::test]
async fn a_wait_that_zoom_asks_for_is_kept() {
    let limited = Fault::error(429, 429, "Slow down.").with_header("x-ratelimit-type", "QPS");
    let world = world().await;
    world
        .zoom
        .fail_next(limited.with_header("retry-after", "4"));
    let asked = Instant::now();
    let read = type_and_read(&world, DANA, "start 68423085").await;
    assert!(read.contains("is going live"), "{read}");
    assert!(asked.elapsed() >= Duration::from_secs(4), "{asked:?}");
    assert_eq!(world.zoom.calls().len(), 2);
    world.end().await;
}

#[tokio::test]
async fn a_token_endpoint_that_answers_without_a_reason_is_not_called_unreachable() {
    let world = world().await;
    expire_stored_token(&world).await;
    for _ in 0..30 {
        let denied = answer(403, "<html>Denied</html>");
        world.zoom.fail_next_refresh(denied);
    }
    let start = world.slack.type_command(DANA.slack, "start 68423085");
    send(&world, &start).await;
    // The command looks a minute older.
    sqlx::query("update command set received_at = received_at - interval '1 minute'")
        .execute(&mut connect(&world).await)
        .await
        .expect("an update");
    let read = text_of(&world.slack.outcome(&start).await.expect("an outcome"));
    assert!(
        read.contains(
            "Zoom does not renew my access to the account just now.* Zoom answered with status 403."
        ) && !read.contains("Zoom said"),
        "{read}"
    );
    world.end().await;
}

#[tokio::test]
async fn what_zoom_says_to_a_wait_longer_than_a_commands_is_told() {
    let world = world().await;
    expire_stored_token(&world).await;
    world.zoom.fail_next_refresh(
        answer(429, json!({ "message": "Slow down." })).with_header("retry-after", "40"),
    );
    let start = world.slack.type_command(DANA.slack, "start 68423085");
    send(&world, &start).await;
    let first = text_of(&world.slack.outcome(&start).await.expect("an outcome"));
    // Whoever asks meanwhile is told the same, though Zoom is not asked again.
    let stop = world.slack.type_command(DANA.slack, "stop 91234567890");
    send(&world, &stop).await;
    sqlx::query("update command set received_at = received_at - interval '1 minute'")
        .execute(&mut connect(&world).await)
        .await
        .expect("an update");
    let second = text_of(&world.slack.outcome(&stop).await.expect("an outcome"));
    for read in [first, second] {
        assert!(
            read.contains("Zoom does not renew my access to the account just now.* In a minute")
                && read.ends_with("Zoom said: “Slow down.”"),
            "{read}"
        );
    }
    assert!(world.zoom.calls().is_empty());
    world.end().await;
}

#[tokio::test]
async fn what_concerns_the_askers_link_is_told_to_them_alone() {
    for (fault, is_of_the_token, says) in [
        (
            answer(401, ""),
            false,
            "no longer accepts your linked account",
        ),
        (
            answer(400, json!({ "code": 4711, "message": "No scope." })),
            false,
            "has not granted permission",
        ),
        (
            answer(400, json!({ "errorCode": 4700, "errorMessage": "No." })),
            false,
            "has not granted permission",
        ),
        (
            answer(
                401,
                json!({ "reason": "Invalid Refresh Token", "error": "invalid_request" }),
            ),
            true,
            "no longer accepts your linked account",
        ),
    ] {
        let world = world().await;
        if is_of_the_token {
            expire_stored_token(&world).await;
            world.zoom.fail_next_refresh(fault);
        } else {
            world.zoom.fail_next(fault.clone());
            world.zoom.fail_next(fault);
        }
        let outcome = outcome_of(&world, DANA, "stop 68423085").await;
        let read = text_of(&outcome);
        assert!(read.contains(says), "{read}");
        assert_eq!(outcome["response_type"], "ephemeral", "{read}");
        assert_eq!(button_values(&outcome), ["connect stop 68423085"], "{read}");
        // Zoom's usual text says no more than ours.
        assert!(!read.contains("Invalid Refresh Token"), "{read}");
        world.end().await;
    }
}

#[tokio::test]
async fn every_signed_event_of_zooms_is_taken() {
    let world = world().await;
    let people: Vec<_> = (0..3000)
        .map(|n| json!({ "id": n, "name": "x".repeat(100) }))
        .collect();
    let large = json!({ "event": "meeting.summary", "payload": { "people": people } }).to_string();
    assert!(large.len() > 4 * 64 * 1024);
    let shape =
        |event: &str, payload: Value| json!({ "event": event, "payload": payload }).to_string();
    for body in [
        large,
        shape(
            "meeting.live_streaming_started",
            json!({ "object": { "id": 1 } }),
        ),
        shape("meeting.new_kind", json!("text")),
        shape("meeting.new_kind", json!([1])),
        shape("app_deauthorized", json!({})),
        shape("app_deauthorized", json!({ "user_id": {} })),
        shape("app_deauthorized", json!(null)),
        shape("endpoint.url_validation", json!({})),
        shape("endpoint.url_validation", json!({ "plainToken": 7 })),
        json!({ "event": "app_deauthorized" }).to_string(),
        json!({ "event": 7 }).to_string(),
        json!({}).to_string(),
        json!([]).to_string(),
        "not JSON".to_owned(),
        String::new(),
    ] {
        let status = world.zoom.tell_raw(&world.service, body.as_bytes()).await;
        let begin: String = body.chars().take(80).collect();
        // One that we have no use for is taken without a word.
        let is_other = ["meeting.summary", "meeting.new_kind"]
            .iter()
            .any(|event| body.contains(event));
        let wanted = if is_other { 204 } else { 200 };
        assert_eq!(status.expect("a response"), wanted, "{begin}");
    }
    assert!(linked_zoom_user(&world, DANA).await.is_some());
    // A megabyte is the end.
    let endless = shape("meeting.new_kind", json!("x".repeat(1024 * 1024)));
    let status = world
        .zoom
        .tell_raw(&world.service, endless.as_bytes())
        .await;
    assert_eq!(status.expect("a response"), 413);
    // A removal is taken in any form.
    let odd = json!({
        "event": "app_deauthorized", "event_ts": 4_000_000_000_000_u64, "new": [],
        "payload": { "user_id": DANA.zoom, "deauthorization_time": 7, "account_id": null },
    });
    let status = world
        .zoom
        .tell_raw(&world.service, odd.to_string().as_bytes())
        .await;
    assert_eq!(status.expect("a response"), 200);
    assert_eq!(linked_zoom_user(&world, DANA).await, None);
    world.end().await;
}

#[tokio::test]
async fn a_removal_that_cannot_be_carried_out_now_is_asked_for_again() {
    let world = world().await;
    let mut db = connect(&world).await;
    let broken = "alter table zoom_grant rename to zoom_grant_away";
    sqlx::raw_sql(broken)
        .execute(&mut db)
        .await
        .expect("an update");
    let status = world.zoom.deauthorize(&world.service, DANA.zoom).await;
    assert_eq!(status.expect("a response"), 503);
    let mended = "alter table zoom_grant_away rename to zoom_grant";
    sqlx::raw_sql(mended)
        .execute(&mut db)
        .await
        .expect("an update");
    let status = world.zoom.deauthorize(&world.service, DANA.zoom).await;
    assert_eq!(status.expect("a response"), 200);
    assert_eq!(linked_zoom_user(&world, DANA).await, None);
    world.end().await;
}

#[tokio::test]
async fn a_token_that_cannot_be_sent_is_refreshed_since_nothing_was_asked() {
    let world = world().await;
    // As an older version imported it.
    let vault = Vault::from_keys(&world.config.token_keys).expect("valid keys");
    let context = Context::AccessToken(DANA.zoom);
    sqlx::query("update zoom_grant set access_token = $1 where zoom_user_id = $2")
        .bind(vault.seal(context, &"zoom-access\nX-Evil: 1".into()))
        .bind(DANA.zoom)
        .execute(&mut connect(&world).await)
        .await
        .expect("an update");
    let read = type_and_read(&world, DANA, "start 68423085").await;
    assert!(read.contains("is going live"), "{read}");
    assert_eq!((world.zoom.calls().len(), world.zoom.refreshes()), (1, 1));
    world.end().await;
}

#[tokio::test]
async fn a_request_that_was_never_sent_is_told_as_not_done() {
    // Nobody listens there; nobody has that name; and no TLS is spoken at the stand-in.
    let plain = world().await;
    let no_tls = plain.zoom.url().replace("http://", "https://");
    for url in [
        "http://127.0.0.1:9".to_owned(),
        "http://nowhere.invalid".to_owned(),
        no_tls,
    ] {
        let world = world_with(|config| config.zoom_api_url = url.parse().expect("a URL")).await;
        let read = type_and_read(&world, DANA, "start 68423085").await;
        assert!(
            read.contains("was not started: I can't reach Zoom"),
            "{url}: {read}"
        );
        world.end().await;
    }
    assert!(!meeting(&plain).is_live);
    plain.end().await;
}

#[tokio::test]
async fn slacks_retry_after_is_waited_for_and_no_longer() {
    let world = world().await;
    world.slack.answer_next_post(429, Some("3"), "");
    let outcome = outcome_of(&world, DANA, "start 68423085").await;
    assert!(text_of(&outcome).contains("is going live"));
    let waited = world.slack.refused_posts()[0].elapsed();
    assert!(
        (Duration::from_secs(3)..Duration::from_secs(8)).contains(&waited),
        "{waited:?}"
    );
    world.end().await;
}

#[tokio::test]
async fn an_answer_to_a_button_is_posted_again() {
    let world = world().await;
    type_and_read(&world, DANA, "start 68423085").await;
    // Fay has no account linked, is offered to link one, and links it.
    for (fault, value, says) in [
        ((503, None), "stop 68423085", "not linked yet"),
        (
            (429, Some("2")),
            "connect stop 68423085",
            "This link is yours alone",
        ),
    ] {
        let pressed = world.slack.press(FAY.slack, value);
        world.slack.answer_next_post(fault.0, fault.1, "");
        send_press(&world, &pressed).await;
        let reply = world.slack.reply(&pressed).await.expect("a message");
        assert!(text_of(&reply).contains(says), "{reply}");
    }
    let waited = world.slack.refused_posts()[1].elapsed();
    assert!(waited >= Duration::from_secs(2), "{waited:?}");
    world.slack.answer_next_post(429, Some("2"), "");
    let before = world.slack.posted().len();
    let page = world.link_by_the_pages(FAY, FAY).await.expect("a page");
    assert!(page.contains("Your accounts are linked"), "{page}");
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    while world.slack.posted().len() == before {
        ticks.tick().await;
    }
    let told = world.slack.posted().pop().expect("a post").message;
    let told = text_of(&told.expect("a message that Slack accepts"));
    assert!(told.contains("fay@acme.example"), "{told}");
    // One that Slack keeps away for longer than a minute is not waited for.
    let pressed = world.slack.press_as_stranger(FAY.slack, "whoami");
    world.slack.answer_next_post(429, Some("61"), "");
    send_press(&world, &pressed).await;
    world.end().await;
}

#[tokio::test]
async fn a_page_in_the_place_of_slacks_ok_is_no_delivery() {
    let world = world().await;
    world
        .slack
        .answer_next_post(200, None, "<html>Under maintenance</html>");
    let read = type_and_read(&world, DANA, "start 68423085").await;
    assert!(read.contains("is going live"), "{read}");
    // What Slack refuses by its name is given up.
    world.slack.answer_next_post(200, None, "invalid_payload");
    let refused = world.slack.type_command(DANA.slack, "stop 68423085");
    send(&world, &refused).await;
    wait_for_empty_queue(&world.database).await;
    let error: Option<String> =
        sqlx::query_scalar("select delivery_error from command where action = 'stop'")
            .fetch_one(&mut connect(&world).await)
            .await
            .expect("the stop");
    assert_eq!(
        error.as_deref(),
        Some("Slack refused the message with invalid_payload")
    );
    world.end().await;
}
