//! Requests without a valid signature.

use livestream_bot::demo::slack::{SIGNING_SECRET, TOWN_HALL, sign};
use livestream_bot::demo::{DANA, ELI, World};

use crate::support::fixtures::world;
use crate::support::requests::{post_signed_to, post_to, unix_now};
use crate::support::slack::type_and_read;
use crate::support::world::{connect, wait_for_empty_queue};

/// A valid body for each route.
async fn good_bodies(world: &World) -> [(&'static str, String); 3] {
    type_and_read(world, DANA, "start 68423085").await;
    [
        (
            "commands",
            world.slack.type_command(DANA.slack, "stop 68423085").body,
        ),
        (
            "interactivity",
            world.slack.press(DANA.slack, "stop 68423085").body,
        ),
        ("events", world.slack.deactivate(TOWN_HALL, ELI.slack).body),
    ]
}

/// The numbers of rows in the tables that a request can change.
async fn count_rows(world: &World) -> (i64, i64, i64) {
    let count = "select (select count(*) from command), (select count(*) from slack_request),
        (select count(*) from zoom_link)";
    sqlx::query_as(count)
        .fetch_one(&mut connect(world).await)
        .await
        .expect("counts")
}

/// Sends a body with every kind of invalid signature.
async fn assert_refused_unsigned(world: &World, route: &str, good: &str) {
    let now = unix_now();
    let sent = now.to_string();
    let good_signature = sign(SIGNING_SECRET, now, good.as_bytes());
    let upper = format!("v0={}", good_signature[3..].to_uppercase());
    let v1 = good_signature.replace("v0=", "v1=");
    let cut = &good_signature[..good_signature.len() - 2];
    let (old, ahead) = (now - 301, now + 310);
    let (old_sent, ahead_sent) = (old.to_string(), ahead.to_string());
    let old_signature = sign(SIGNING_SECRET, old, good.as_bytes());
    let ahead_signature = sign(SIGNING_SECRET, ahead, good.as_bytes());
    let other_secret = sign("another secret", now, good.as_bytes());
    let no_secret = sign("", now, good.as_bytes());
    let plus = format!("+{sent}");
    let space = format!("{sent} x");
    let underscore = format!("1_{sent}");
    let (timestamp, signature) = ("x-slack-request-timestamp", "x-slack-signature");
    let hostile: &[&[(&str, &str)]] = &[
        &[],
        &[(timestamp, &sent)],
        &[(signature, &good_signature)],
        &[(timestamp, &sent), (signature, "")],
        &[(timestamp, ""), (signature, &good_signature)],
        &[(timestamp, &sent), (signature, &upper)],
        &[(timestamp, &sent), (signature, &v1)],
        &[(timestamp, &sent), (signature, cut)],
        &[(timestamp, &sent), (signature, "v0=é")],
        &[(timestamp, &sent), (signature, &other_secret)],
        &[(timestamp, &sent), (signature, &no_secret)],
        &[
            (timestamp, &sent),
            (signature, &good_signature),
            (signature, &good_signature),
        ],
        &[
            (timestamp, &sent),
            (timestamp, &sent),
            (signature, &good_signature),
        ],
        &[(timestamp, &plus), (signature, &good_signature)],
        &[(timestamp, &space), (signature, &good_signature)],
        &[(timestamp, &underscore), (signature, &good_signature)],
        &[(timestamp, "abc"), (signature, &good_signature)],
        &[(timestamp, &old_sent), (signature, &old_signature)],
        &[(timestamp, &ahead_sent), (signature, &ahead_signature)],
        // Zoom's headers are not accepted here.
        &[
            ("x-zm-request-timestamp", &sent),
            ("x-zm-signature", &good_signature),
        ],
    ];
    for headers in hostile {
        let answer = post_to(world, route, headers, good.to_owned()).await;
        assert_eq!(answer.status(), 401, "{route} {headers:?}");
        let body = answer.text().await.expect("a body");
        assert_eq!(body, "", "{route} {headers:?}");
    }
    let good_headers = [(timestamp, &*sent), (signature, &*good_signature)];
    for body in [
        Vec::new(),
        format!("{good}&").into_bytes(),
        good.as_bytes()[1..].to_vec(),
        b"text=\xff\xfe".to_vec(),
    ] {
        let answer = post_to(world, route, &good_headers, body).await;
        assert_eq!(answer.status(), 401, "{route}");
    }
}

#[tokio::test]
async fn every_bad_signature_gets_the_same_empty_401_on_every_route() {
    let world = world().await;
    let good_bodies = good_bodies(&world).await;
    let before = count_rows(&world).await;
    for (route, good) in &good_bodies {
        assert_refused_unsigned(&world, route, good).await;
        // Signed bodies that the route does not accept.
        for body in [
            "",
            "a=b",
            "{}",
            "[]",
            "null",
            "payload={}",
            "payload=",
            "\u{0}",
            "{\"type\":1}",
        ] {
            let status = post_signed_to(&world, route, body.as_bytes())
                .await
                .status();
            assert_eq!(status, 400, "{route} {body:?}");
        }
        // A body for one route is not accepted by another.
        for (other, body) in &good_bodies {
            if other != route {
                let status = post_signed_to(&world, route, body.as_bytes())
                    .await
                    .status();
                assert_eq!(status, 400, "{route} got what {other} gets");
            }
        }
        let large = "a".repeat(64 * 1024 + 1);
        assert_eq!(
            post_signed_to(&world, route, large.as_bytes())
                .await
                .status(),
            413,
            "{route}"
        );
    }
    assert_eq!(
        count_rows(&world).await,
        before,
        "a rejected request changed something"
    );
    // The same bodies with valid signatures are accepted by their routes, and executed once.
    for (route, good) in &good_bodies {
        for _ in 0..2 {
            let status = post_signed_to(&world, route, good.as_bytes())
                .await
                .status();
            assert_eq!(status, 200, "{route}");
        }
    }
    wait_for_empty_queue(&world.database).await;
    // The command stopped the livestream; the press came during that, or after it. Eli's link is
    // deleted.
    let after = count_rows(&world).await;
    assert!([before.0 + 1, before.0 + 2].contains(&after.0), "{after:?}");
    assert_eq!((after.1, after.2), (before.1 + 1, before.2 - 1));
    world.end().await;
}

#[tokio::test]
async fn slacks_certificate_check_is_answered_and_nothing_else_passes_for_one() {
    let world = world().await;
    let good_bodies = good_bodies(&world).await;
    let before = count_rows(&world).await;
    let form = [("content-type", "application/x-www-form-urlencoded")];
    for route in ["commands", "interactivity"] {
        for body in ["ssl_check=1&token=x", "token=&ssl_check=1", "ssl_check=1"] {
            let unsigned = post_to(&world, route, &form, body).await;
            let status = unsigned.status().as_u16();
            let said = unsigned.text().await.expect("a body");
            assert_eq!((status, said.as_str()), (200, ""), "{route} {body}");
        }
    }
    for (route, good) in &good_bodies {
        for body in [
            "ssl_check=0",
            "ssl_check=",
            "ssl_check=11",
            "x=ssl_check=1",
            "ssl_check=1&ssl_check=1",
            "ssl_check=1&token=x&token=y",
            "ssl_check=1&text=x",
            "{\"a\":\"&ssl_check=1&\"}",
            &format!("{good}&ssl_check=1"),
        ] {
            let status = post_to(&world, route, &form, body.to_owned())
                .await
                .status();
            assert_eq!(status, 401, "{route} {body}");
        }
        for headers in [&[][..], &[("content-type", "application/json")]] {
            let status = post_to(&world, route, headers, "ssl_check=1")
                .await
                .status();
            assert_eq!(status, 401, "{route} {headers:?}");
        }
    }
    let events = post_to(&world, "events", &form, "ssl_check=1&token=x").await;
    assert_eq!(events.status(), 401);
    let json = b"{\"type\":\"url_verification\",\"challenge\":\"&ssl_check=1&\"}";
    let verified = post_signed_to(&world, "events", json).await;
    assert!(verified.text().await.expect("a body").contains("challenge"));
    assert_eq!(count_rows(&world).await, before);

    // A signed command is one, whatever else is in its form.
    let typed = world.slack.type_command(DANA.slack, "help").body;
    let signed = format!("{typed}&ssl_check=1");
    let answered = post_signed_to(&world, "commands", signed.as_bytes());
    let said = answered.await.text().await.expect("a body");
    assert!(said.contains("starts and stops the livestream"), "{said}");
    world.end().await;
}
