//! Which Zoom account somebody is linked to: one that others use too, another one, none.

use livestream_bot::demo::{DANA, ELI, FAY, Person};

use crate::support::browser::Browser;
use crate::support::fixtures::world;
use crate::support::http::client;
use crate::support::linking::{linked_zoom_user, request_link};
use crate::support::slack::{send, text_of, type_and_read};
use crate::support::world::connect;

#[tokio::test]
async fn a_zoom_account_is_shared_knowingly_and_survives_a_new_authorization() {
    let world = world().await;
    // Dana and somebody of another workspace are linked to Dana's account. Fay links the same
    // one. Zoom invalidates the older tokens at once.
    let elsewhere = "insert into zoom_link (team_id, user_id, zoom_user_id) values ('T0OTHER', 'U0FAY', 'zoom-dana')";
    sqlx::query(elsewhere)
        .execute(&mut connect(&world).await)
        .await
        .expect("a link");
    let mut browser = Browser::new();
    let link = request_link(&world, FAY).await;
    let (csrf, question) = browser.reach_confirmation(&world, &link, FAY, DANA).await;
    assert!(
        question.contains("linked to 2 other Slack people too"),
        "{question}"
    );
    let read = type_and_read(&world, DANA, "start 68423085").await;
    assert!(
        read.contains("going live"),
        "Dana can go on before Fay confirms: {read}"
    );
    assert_eq!(
        world.zoom.calls().len(),
        1,
        "with the new tokens, without a refresh"
    );
    browser.answer(&world, &csrf, "link").await;
    assert_eq!(
        linked_zoom_user(&world, FAY).await.as_deref(),
        Some(DANA.zoom)
    );
    assert!(
        type_and_read(&world, FAY, "stop 68423085")
            .await
            .contains("is stopped")
    );

    // When one of two disconnects, the permission stays for the other.
    let read = text_of(
        &send(&world, &world.slack.type_command(FAY.slack, "disconnect"))
            .await
            .body,
    );
    assert!(read.contains("Other people still use it"), "{read}");
    assert!(world.zoom.revocations().is_empty());
    let elsewhere = "delete from zoom_link where team_id = 'T0OTHER'";
    let mut db = connect(&world).await;
    sqlx::query(elsewhere)
        .execute(&mut db)
        .await
        .expect("a delete");
    let read = text_of(
        &send(&world, &world.slack.type_command(DANA.slack, "disconnect"))
            .await
            .body,
    );
    assert!(
        read.contains("the permission at Zoom is withdrawn"),
        "{read}"
    );
    assert_eq!(world.zoom.revocations(), [DANA.zoom]);
    let read = text_of(
        &send(&world, &world.slack.type_command(DANA.slack, "disconnect"))
            .await
            .body,
    );
    assert!(read.contains("nothing to disconnect"), "{read}");
    world.end().await;
}

#[tokio::test]
async fn linking_another_account_replaces_the_first_and_withdraws_it() {
    let world = world().await;
    let mut browser = Browser::new();
    let (csrf, question) = browser
        .reach_confirmation(&world, &request_link(&world, DANA).await, DANA, FAY)
        .await;
    assert!(
        question.contains("Until now you were linked to <strong>dana@acme.example</strong>"),
        "{question}"
    );
    browser.answer(&world, &csrf, "link").await;
    assert_eq!(
        linked_zoom_user(&world, DANA).await.as_deref(),
        Some(FAY.zoom)
    );
    assert_eq!(
        world.zoom.revocations(),
        [DANA.zoom],
        "nobody uses the old account any more"
    );
    world.end().await;
}

#[tokio::test]
async fn whoami_says_which_account_and_how_it_is() {
    let world = world().await;
    let whoami = async |person: Person| {
        text_of(
            &send(&world, &world.slack.type_command(person.slack, "whoami"))
                .await
                .body,
        )
    };
    assert_eq!(whoami(FAY).await, "No Zoom account is linked for you.");
    let read = whoami(DANA).await;
    assert!(
        read.contains("*dana@acme.example*")
            && read
                .ends_with("It has not worked yet, as far as I know: I can't say whether it will."),
        "{read}"
    );
    type_and_read(&world, DANA, "start 68423085").await;
    let read = whoami(DANA).await;
    assert!(read.contains("It last worked <!date^"), "{read}");
    world.zoom.revoke(DANA.zoom);
    type_and_read(&world, DANA, "start 68423085").await;
    assert!(
        whoami(DANA)
            .await
            .contains("no longer accepts your linked account")
    );
    // Zoom gave new tokens when the account was linked again.
    Browser::new()
        .link(&world, &request_link(&world, DANA).await, DANA, DANA)
        .await;
    assert!(whoami(DANA).await.contains("It last worked <!date^"));
    world.end().await;
}

#[tokio::test]
async fn zooms_deauthorization_erases_its_user() {
    let world = world().await;
    world
        .zoom
        .validate_url(&world.service)
        .await
        .expect("a validated URL");
    type_and_read(&world, DANA, "start 68423085").await;
    for _ in 0..2 {
        let status = world
            .zoom
            .deauthorize(&world.service, DANA.zoom)
            .await
            .expect("a response");
        assert_eq!(status, 200, "a second time is harmless");
    }
    assert_eq!(linked_zoom_user(&world, DANA).await, None);
    assert_eq!(
        linked_zoom_user(&world, ELI).await.as_deref(),
        Some(ELI.zoom)
    );
    let mut db = connect(&world).await;
    let left: i64 = sqlx::query_scalar(
        "select (select count(*) from zoom_grant where zoom_user_id = $1)
            + (select count(*) from command where zoom_user_id = $1)
            + (select count(*) from zoom_account where zoom_user_id = $1 or email = 'dana@acme.example')",
    )
    .bind(DANA.zoom)
    .fetch_one(&mut db)
    .await
    .expect("a count");
    assert_eq!(left, 0);
    // An unsigned event is rejected.
    let body = r#"{"event":"app_deauthorized","payload":{"user_id":"zoom-eli"}}"#;
    let forged = client()
        .post(format!("{}/zoom/events", world.service))
        .body(body)
        .send();
    assert_eq!(forged.await.expect("a response").status(), 401);
    assert_eq!(
        linked_zoom_user(&world, ELI).await.as_deref(),
        Some(ELI.zoom)
    );
    world.end().await;
}
