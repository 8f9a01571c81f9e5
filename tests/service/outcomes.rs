//! Every outcome, from `/slack/commands` to the `response_url`.

use livestream_bot::crypto::vault::Vault;
use livestream_bot::demo::zoom::{Fault, Obstacle};
use livestream_bot::demo::{DANA, ELI, World};

use crate::support::fixtures::{MEETING, meeting, world};
use crate::support::slack::type_and_read;
use crate::support::world::connect;

/// The text of the outcome when Dana types `start 68423085` in a world that is prepared like this,
/// and the number of requests to Zoom.
async fn outcome_of_start(arrange: impl FnOnce(&World)) -> (String, usize) {
    let world = world().await;
    arrange(&world);
    let read = type_and_read(&world, DANA, "start 68423085").await;
    let calls = world.zoom.calls().len();
    world.end().await;
    (read, calls)
}

/// The same text when Zoom answers the first request with an error.
async fn outcome_of_start_after(status: u16, code: i64, message: &str) -> String {
    let (read, calls) =
        outcome_of_start(|world| world.zoom.fail_next(Fault::error(status, code, message))).await;
    assert_eq!(calls, 1, "no second request to Zoom after {status}/{code}");
    read
}

fn per_second() -> Fault {
    Fault::error(
        429,
        429,
        "You have reached the maximum per-second rate limit for this API. Try again later.",
    )
    .with_header("x-ratelimit-type", "QPS")
}

#[tokio::test]
async fn zoom_took_the_stop() {
    let world = world().await;
    type_and_read(&world, DANA, "start 68423085").await;
    let read = type_and_read(&world, DANA, "stop 68423085").await;
    assert_eq!(
        read,
        ":black_square_for_stop: *The livestream of meeting 6842 3085 is stopped.*"
    );
    assert!(!meeting(&world).is_live);
    world.end().await;
}

#[tokio::test]
async fn a_number_zoom_does_not_know() {
    let expected = ":warning: *6842 3085 is not a meeting number Zoom knows.* Check it in Zoom and type the command again.";
    assert_eq!(
        outcome_of_start_after(400, 300, "Invalid meeting ID.").await,
        expected
    );
    assert_eq!(
        outcome_of_start_after(300, 300, "Missing meetingId.").await,
        expected,
        "as in older documentation"
    );
}

#[tokio::test]
async fn a_webinar_or_a_livestream_not_set_up() {
    let (read, _) = outcome_of_start(|world| {
        world
            .zoom
            .schedule(MEETING, DANA.zoom, Some(Obstacle::IsWebinar));
    })
    .await;
    assert!(
        read.starts_with(":warning: *Meeting 6842 3085 can't be livestreamed yet.*"),
        "{read}"
    );
    assert!(
        read.contains("• it is a meeting, not a webinar")
            && read.contains("_Custom Live Streaming Service_")
    );
    assert!(
        read.ends_with("Then type `/livestream start 68423085` again."),
        "{read}"
    );
}

#[tokio::test]
async fn a_meeting_that_has_not_started() {
    let expected = ":warning: *Meeting 6842 3085 has not started.* Start it in Zoom, then type `/livestream start 68423085` again.";
    let (read, _) = outcome_of_start(|world| world.zoom.schedule(MEETING, DANA.zoom, None)).await;
    assert_eq!(read, expected);
    assert_eq!(
        outcome_of_start_after(400, 3000, "Meeting 68,423,085 has not started.").await,
        expected
    );
    assert_eq!(
        outcome_of_start_after(400, 200, "Webinar 68,423,085 has not started.").await,
        expected
    );
}

#[tokio::test]
async fn a_meeting_of_another_account() {
    let read =
        outcome_of_start_after(400, 1010, "User does not belong to this account: abc.").await;
    assert!(
        read.starts_with(
            ":warning: *Meeting 6842 3085 belongs to another Zoom account.* Link the account"
        ),
        "{read}"
    );
}

#[tokio::test]
async fn a_host_who_may_not_host() {
    let (read, _) = outcome_of_start(|world| {
        world
            .zoom
            .schedule(MEETING, DANA.zoom, Some(Obstacle::MayNotHost));
    })
    .await;
    assert!(
        read.contains("may not host meetings.* A Zoom administrator can change that"),
        "{read}"
    );
}

#[tokio::test]
async fn an_end_to_end_encrypted_meeting() {
    let arrange = |world: &World| {
        world
            .zoom
            .schedule(MEETING, DANA.zoom, Some(Obstacle::EndToEndEncrypted));
    };
    let (read, _) = outcome_of_start(arrange).await;
    assert!(
        read.starts_with(":lock: *Meeting 6842 3085 is end-to-end encrypted*"),
        "{read}"
    );
}

#[tokio::test]
async fn a_link_that_lacks_a_permission() {
    let expected = "the linked Zoom account has not granted permission to run livestreams.* \
                  The account must be linked again to grant it.";
    let world = world().await;
    let granted = world.zoom.authorize(DANA.zoom, "user:read:user");
    let sealed = Vault::from_keys(&world.config.token_keys)
        .expect("valid keys")
        .seal_pair(
            DANA.zoom,
            &granted.access_token.into(),
            &granted.refresh_token.into(),
        );
    sqlx::query(
        "update zoom_grant set access_token = $1, refresh_token = $2 where zoom_user_id = $3",
    )
    .bind(sealed.0)
    .bind(sealed.1)
    .bind(DANA.zoom)
    .execute(&mut connect(&world).await)
    .await
    .expect("an update");
    let read = type_and_read(&world, DANA, "start 68423085").await;
    let zooms = "Invalid access token, does not contain scopes:[meeting:update:livestream_status].";
    assert!(
        read.ends_with(&format!("{expected}\nZoom said: “{zooms}”")),
        "{read}"
    );
    world.end().await;
    for (status, code) in [(400, 4700), (401, 4711), (403, 4711)] {
        let read = outcome_of_start_after(status, code, "does not contain scopes").await;
        assert!(read.contains(expected), "{read}");
    }
}

#[tokio::test]
async fn a_user_zoom_no_longer_knows() {
    let read = outcome_of_start_after(404, 1001, "User abc does not exist.").await;
    assert!(
        read.contains("Zoom no longer knows the linked user.* Link the account"),
        "{read}"
    );
}

#[tokio::test]
async fn a_meeting_that_is_not_there_or_not_ones_own() {
    let world = world().await;
    for text in ["start 68423085", "start 99999999999"] {
        let read = type_and_read(&world, ELI, text).await;
        assert!(
            read.starts_with(":warning: *Zoom finds no meeting "),
            "{read}"
        );
        assert!(
            read.contains("or the linked account is not its host"),
            "{read}"
        );
    }
    world.end().await;
}

#[tokio::test]
async fn a_second_start_too_soon_is_not_repeated() {
    let world = world().await;
    type_and_read(&world, DANA, "start 68423085").await;
    let read = type_and_read(&world, DANA, "start 68423085").await;
    let expected = ":hourglass_flowing_sand: *Zoom is still handling an earlier start of meeting 6842 3085.* \
                  If it is not live in 30 seconds, type `/livestream start 68423085` again.";
    assert_eq!(read, expected);
    assert_eq!(world.zoom.calls().len(), 2);
    world.end().await;
}

#[tokio::test]
async fn too_many_requests_this_second_are_tried_once_more() {
    let (read, calls) = outcome_of_start(|world| world.zoom.fail_next(per_second())).await;
    assert!(read.contains("is going live"), "{read}");
    assert_eq!(calls, 2);
    let (read, calls) = outcome_of_start(|world| {
        world.zoom.fail_next(per_second());
        world.zoom.fail_next(per_second());
    })
    .await;
    assert!(
        read.contains(
            "too many requests from your account this second*, and was still when I tried once more"
        ),
        "{read}"
    );
    assert_eq!(calls, 2);
}

#[tokio::test]
async fn the_days_requests_are_used_up() {
    let in_an_hour = chrono::Utc::now() + chrono::TimeDelta::hours(1);
    let daily = Fault::error(
        429,
        429,
        "You have reached the maximum daily rate limit for this API.",
    )
    .with_header("x-ratelimit-type", "Daily-limit")
    .with_header(
        "retry-after",
        in_an_hour.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
    );
    let (read, calls) = outcome_of_start(|world| world.zoom.fail_next(daily)).await;
    assert!(
        read.contains("used up its requests for today.* That ends <!date^"),
        "{read}"
    );
    assert!(
        read.contains(&format!("<!date^{}^", in_an_hour.timestamp())),
        "{read}"
    );
    assert_eq!(calls, 1);
    let read = outcome_of_start_after(
        429,
        429,
        "You have exceeded the daily rate limit (100) of Meeting requests.",
    )
    .await;
    assert!(read.contains("its days end at midnight UTC"), "{read}");
}

#[tokio::test]
async fn zoom_does_not_answer() {
    let expected = ":question: *Zoom did not answer about meeting 6842 3085.* It may or may not have done it: \
                  look at the stream, and if it is needed, type `/livestream start 68423085` again.";
    for fault in [Fault::Hang, Fault::Reset] {
        let (read, calls) = outcome_of_start(|world| world.zoom.fail_next(fault)).await;
        assert_eq!((read.as_str(), calls), (expected, 1));
    }
}

#[tokio::test]
async fn zoom_answers_with_an_error_of_its_own() {
    for status in [408, 425, 500, 503] {
        let expected = format!(
            ":question: *Zoom answered with an error (status {status}) about meeting 6842 3085.* It may or may not have \
             done it: look at the stream, and if it is needed, type `/livestream start 68423085` again."
        );
        assert_eq!(outcome_of_start_after(status, 0, "").await, expected);
        let said = outcome_of_start_after(status, 0, "Maintenance until noon.").await;
        assert_eq!(
            said,
            format!("{expected}\nZoom said: “Maintenance until noon.”")
        );
    }
}

#[tokio::test]
async fn an_answer_nobody_documented_is_shown_escaped_and_capped() {
    let read =
        outcome_of_start_after(400, 9999, &format!("<!channel> & {}", "x".repeat(5000))).await;
    let expected = ":warning: *Meeting 6842 3085 was not started.* Zoom answered with status 400, code 9999, and said: \
                  &lt;!channel&gt; &amp; xxx";
    assert!(read.starts_with(expected), "{read}");
    assert!(read.chars().count() < 500, "{read}");
    let endless = outcome_of_start_after(400, 9999, &"x".repeat(1_000_000)).await;
    assert!(
        endless.ends_with("status 400, and said: nothing more"),
        "the body was read to its end: {endless}"
    );
    let html = Fault::Answer {
        status: 403,
        headers: Vec::new(),
        body: "<html>".to_owned(),
    };
    let (read, _) = outcome_of_start(|world| world.zoom.fail_next(html)).await;
    assert!(
        read.ends_with("Zoom answered with status 403, and said: nothing more"),
        "{read}"
    );
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Fault::Answer {
        status: 302,
        headers: vec![("location", "/elsewhere".to_owned())],
        body: String::new(),
    };
    let (read, calls) = outcome_of_start(|world| world.zoom.fail_next(elsewhere)).await;
    assert!(read.contains("Zoom answered with status 302"), "{read}");
    assert_eq!(calls, 1);
}
