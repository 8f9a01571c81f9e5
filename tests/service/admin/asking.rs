//! Asking somebody, by a direct message, to link their account.

use livestream_bot::demo::slack::ApiFault;
use livestream_bot::demo::zoom::SCOPES;
use livestream_bot::demo::{ADA, DANA, World};
use reqwest::StatusCode;

use crate::support::admin_browser::AdminBrowser;
use crate::support::audit::audit_kinds;
use crate::support::fixtures::installed_world;
use crate::support::slack::button_values;
use crate::support::world::{connect, wait_for_empty_queue};

const ASK: &str = "/admin/people/U0DANA/ask";
const PAGE: &str = "/admin/people/U0DANA";

/// Dana's link is broken.
async fn break_link(world: &World) {
    sqlx::raw_sql("update zoom_grant set dead_at = now() where zoom_user_id = 'zoom-dana'")
        .execute(&mut connect(world).await)
        .await
        .expect("an update");
}

async fn count_asked(world: &World) -> usize {
    let kinds = audit_kinds(world).await;
    kinds.iter().filter(|kind| *kind == "link_asked").count()
}

#[tokio::test]
async fn somebody_is_asked_once_a_day_and_reads_by_whom() {
    let world = installed_world().await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    let csrf = admin.csrf().await;
    let form = [("csrf", csrf.as_str())];
    // Whose link works need not be asked.
    let page = admin.read(PAGE).await;
    assert!(!page.contains("Ask Dana"), "{page}");
    break_link(&world).await;
    let page = admin.read(PAGE).await;
    assert!(page.contains("Ask Dana to link again"), "{page}");
    // Twice at once, and once more.
    let mut tab = admin.browser.clone();
    let url = format!("{}{ASK}", world.service);
    let (first, second) = tokio::join!(admin.submit(ASK, &form), tab.post(&url, &form));
    assert_eq!(second.status, StatusCode::SEE_OTHER);
    assert!(first.body.contains("Dana is asked."), "{first:?}");
    let page = admin.submit(ASK, &form).await.body;
    assert!(page.contains("You asked Dana"), "{page}");
    assert!(!page.contains("Ask Dana to link again"), "{page}");
    let told = world.slack.direct_message_after(DANA.slack, 0).await;
    let told = told.expect("a direct message");
    let text = told["text"].as_str().expect("a text");
    assert!(
        text.starts_with(
            "<@U0ADA>, an admin of this workspace, asks you to link your Zoom account again."
        ),
        "{text}"
    );
    assert_eq!(button_values(&told), ["connect"]);
    wait_for_empty_queue(&world.database).await;
    assert_eq!(world.slack.direct_messages(DANA.slack), 1);
    assert_eq!(count_asked(&world).await, 1);
    let activity = admin.read("/admin/activity?kind=link_asked").await;
    assert!(
        activity.contains("<b>Ada</b> asked <b>Dana</b> to link a Zoom account"),
        "{activity}"
    );

    // A day later; the link works by the time the message would be sent.
    sqlx::raw_sql(
        "alter table audit disable trigger user;
        update audit set happened_at = happened_at - interval '25 hours' where kind = 'link_asked';
        alter table audit enable trigger user",
    )
    .execute(&mut connect(&world).await)
    .await
    .expect("a day");
    let page = admin.read(PAGE).await;
    assert!(page.contains("Ask Dana to link again"), "{page}");
    world.end().await;
}

#[tokio::test]
async fn whose_link_works_again_by_then_is_not_written_to() {
    let world = installed_world().await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    let csrf = admin.csrf().await;
    break_link(&world).await;
    // Slack limits the bot, and Dana links again meanwhile.
    world
        .slack
        .fail_api("chat.postMessage", ApiFault::RateLimited(1));
    admin.post(ASK, &[("csrf", &csrf)]).await;
    world.link(DANA, SCOPES).await.expect("a new link");
    wait_for_empty_queue(&world.database).await;
    assert_eq!(world.slack.direct_messages(DANA.slack), 0);
    assert_eq!(count_asked(&world).await, 1);
    world.end().await;
}

#[tokio::test]
async fn what_slack_does_not_take_is_told_and_may_be_tried_again() {
    let world = installed_world().await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    let csrf = admin.csrf().await;
    let form = [("csrf", csrf.as_str())];
    break_link(&world).await;
    world.slack.fail_api(
        "chat.postMessage",
        ApiFault::Error("account_inactive_for_messages"),
    );
    admin.post(ASK, &form).await;
    wait_for_empty_queue(&world.database).await;
    assert_eq!(world.slack.direct_messages(DANA.slack), 0);
    assert_eq!(count_asked(&world).await, 2);
    let page = admin.read(PAGE).await;
    for part in [
        "Slack did not deliver the last message to Dana",
        "account_inactive_for_messages",
        "/livestream connect",
        "Ask Dana to link again",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let failed = admin.read("/admin/activity?kind=failed").await;
    assert!(failed.contains("Not delivered"), "{failed}");
    // A failure of Slack's own is tried again.
    world
        .slack
        .fail_api("chat.postMessage", ApiFault::Status(503));
    admin.post(ASK, &form).await;
    let told = world.slack.direct_message_after(DANA.slack, 0).await;
    told.expect("a direct message");
    wait_for_empty_queue(&world.database).await;
    assert_eq!(world.slack.direct_messages(DANA.slack), 1);
    world.end().await;
}

#[tokio::test]
async fn where_the_bot_may_not_write_the_page_says_what_to_do() {
    let world = installed_world().await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    let csrf = admin.csrf().await;
    break_link(&world).await;
    let mut db = connect(&world).await;
    sqlx::raw_sql("update installation set scope = 'commands,users:read'")
        .execute(&mut db)
        .await
        .expect("an update");
    let page = admin.submit(ASK, &[("csrf", &csrf)]).await.body;
    for part in [
        "without <code>chat:write</code>",
        "tell Dana yourself",
        "/livestream connect",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains("Ask Dana to link again"), "{page}");
    assert_eq!(count_asked(&world).await, 0);
    // The token is gone after the admin was admitted.
    sqlx::raw_sql(
        "update admin_session set checked_at = now(); update installation set bot_token = null",
    )
    .execute(&mut db)
    .await
    .expect("an update");
    let page = admin.read(PAGE).await;
    assert!(page.contains("The bot has no token here"), "{page}");
    wait_for_empty_queue(&world.database).await;
    assert_eq!(world.slack.direct_messages(DANA.slack), 0);
    // Nobody asks strangers, nor without the page's own form.
    sqlx::raw_sql("update installation set scope = 'chat:write'")
        .execute(&mut db)
        .await
        .expect("an update");
    let stale = admin.post(ASK, &[("csrf", "x")]).await;
    assert_eq!(stale.status, StatusCode::CONFLICT);
    assert!(stale.body.contains("aria-label=\"Pages\""), "{stale:?}");
    world.end().await;
}

#[tokio::test]
async fn whom_nothing_names_has_no_page_and_is_not_asked() {
    let world = installed_world().await;
    let mut admin = AdminBrowser::signed_in(&world, ADA).await;
    let csrf = admin.csrf().await;
    let asked = admin
        .post("/admin/people/U0NOBODY/ask", &[("csrf", &csrf)])
        .await;
    assert_eq!(asked.status, StatusCode::NOT_FOUND);
    let page = admin.get("/admin/people/U0NOBODY").await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    assert!(page.body.contains("aria-label=\"Pages\""), "{page:?}");
    // Gus has typed something once, and may be asked.
    sqlx::raw_sql(
        "insert into audit (kind, team_id, person_id, outcome, has_failed)
        values ('refused', 'T0ACME', person_key(null, 'T0ACME', 'U0GUS'), 'not_linked', true)",
    )
    .execute(&mut connect(&world).await)
    .await
    .expect("an entry");
    let page = admin.read("/admin/people/U0GUS").await;
    assert!(
        page.contains("Not linked") && page.contains("Ask Gus to link"),
        "{page}"
    );
    let page = admin
        .submit("/admin/people/U0GUS/ask", &[("csrf", &csrf)])
        .await
        .body;
    assert!(page.contains("Gus is asked."), "{page}");
    let told = world.slack.direct_message_after("U0GUS", 0).await;
    let told = told.expect("a direct message");
    let text = told["text"].as_str().expect("a text");
    assert!(text.contains("No Zoom account is linked for you"), "{text}");
    world.end().await;
}
