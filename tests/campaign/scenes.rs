//! What is tried while nothing is killed, so that the time that somebody waits can be judged: each
//! scene has one thing that hangs, and people who must not notice.

use std::time::{Duration, Instant};

use livestream_bot::demo::slack::{Channel, Invocation, ORG_OTHER, TOWN_HALL};
use livestream_bot::demo::zoom::Fault;
use livestream_bot::demo::{DANA, ELI, FAY};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use sqlx::PgPool;

use crate::browsers::{Browser, Decision};
use crate::env::{
    CampaignEnv, NEIGHBOURS, PEOPLE, ZOOM_TIMEOUT, meeting_number, neighbours_meeting,
};
use crate::faults::relink;

/// How long a command may take while others hang or flood.
const CARRIED_OUT_WITHIN: Duration = Duration::from_secs(5);
/// How many commands a flood has.
const FLOOD: usize = 250;
/// How many commands of one person wait for a token that hangs.
const WAITING: usize = 60;
/// How long the refresh of that token takes.
const REFRESH_TAKES: Duration = Duration::from_secs(6);
/// The first of the meetings of nobody that a flood is about.
const FLOOD_MEETING: i64 = 710_000_000;
/// A meeting of somebody who types in a scene.
const SCENE_MEETING: i64 = 700_000_000;

/// Plays every scene, over a service that runs and has nothing to do.
pub(crate) async fn play(env: &CampaignEnv, db: &PgPool, mut rng: StdRng) {
    refreshes_answered_late_end_no_grant(env, db).await;
    one_hanging_refresh_holds_up_nobody_else(env, db).await;
    a_flood_of_one_workspace_holds_up_no_other(env, db).await;
    the_newest_of_two_consents_wins(env, db, &mut rng).await;
}

/// Zoom rotates the tokens and answers after the time limit. The person's commands work, then and
/// later.
async fn refreshes_answered_late_end_no_grant(env: &CampaignEnv, db: &PgPool) {
    begin(env).await;
    for round in 0..2 {
        let mut typed = Vec::new();
        for person in 0..3 {
            env.expire(&format!("zoom-{person}")).await;
            if round == 0 {
                let late = Fault::Late(ZOOM_TIMEOUT * 3 / 2);
                env.zoom.fail_next_refresh(late);
            }
            let text = format!("stop {}", meeting_number(person, 0));
            typed.push(send(env, TOWN_HALL, &format!("U{person}"), &text).await);
        }
        for invocation in typed {
            let kind = outcome(env, db, &invocation).await;
            assert_ne!(kind, "link_dead", "a late answer ended a grant");
            // In the first round Zoom may count as unreachable; in the second it answers.
            let is_fine = kind == "accepted" || (round == 0 && kind == "unreachable");
            assert!(is_fine, "round {round}: {kind}");
        }
    }
    println!("scene: refreshes that Zoom answered late ended no grant");
}

/// One person's refresh hangs, and all of their commands wait for it. Somebody else's command is
/// carried out at once.
async fn one_hanging_refresh_holds_up_nobody_else(env: &CampaignEnv, db: &PgPool) {
    begin(env).await;
    env.expire("zoom-0").await;
    env.zoom.fail_next_refresh(Fault::Late(REFRESH_TAKES));
    let mut waiting = Vec::new();
    for number in 0..WAITING {
        // Meetings of nobody: each command waits for the token and for no other command.
        let number = SCENE_MEETING + i64::try_from(number).expect("a small number");
        waiting.push(send(env, TOWN_HALL, "U0", &format!("stop {number}")).await);
    }
    for _ in 0..3 {
        let text = format!("stop {}", meeting_number(5, 0));
        carried_out_soon(env, db, TOWN_HALL, "U5", &text).await;
    }
    for invocation in &waiting {
        let kind = outcome(env, db, invocation).await;
        assert_ne!(kind, "link_dead", "a slow answer ended a grant");
    }
    println!("scene: one hanging refresh held up nobody else");
}

/// Many commands of one workspace, among them some for the other's meetings, which its people may
/// not control. The other workspace's commands are carried out at once.
async fn a_flood_of_one_workspace_holds_up_no_other(env: &CampaignEnv, db: &PgPool) {
    begin(env).await;
    let mut flood = Vec::new();
    for number in 0..FLOOD {
        let meeting = match number.checked_sub(FLOOD - NEIGHBOURS) {
            Some(neighbour) => neighbours_meeting(neighbour),
            None => FLOOD_MEETING + i64::try_from(number).expect("a small number"),
        };
        let user = format!("U{}", number % PEOPLE);
        flood.push(send(env, TOWN_HALL, &user, &format!("stop {meeting}")).await);
    }
    for neighbour in 0..NEIGHBOURS {
        let text = format!("stop {}", neighbours_meeting(neighbour));
        carried_out_soon(env, db, ORG_OTHER, &format!("W{neighbour}"), &text).await;
    }
    for invocation in &flood {
        outcome(env, db, invocation).await;
    }
    println!("scene: a flood of one workspace held up no other");
}

/// Two people link the same Zoom account in two browsers: the first to consent confirms last. The
/// grant that stands has the tokens of the newest consent, and works.
async fn the_newest_of_two_consents_wins(env: &CampaignEnv, db: &PgPool, rng: &mut StdRng) {
    begin(env).await;
    env.zoom.schedule(SCENE_MEETING - 1, FAY.zoom, None);
    env.zoom.begin(SCENE_MEETING - 1);
    let mut older = Browser::new(env, StdRng::seed_from_u64(rng.random()), 0.0);
    let mut newer = Browser::new(env, StdRng::seed_from_u64(rng.random()), 0.0);
    let first = older.reach_confirmation(DANA, FAY).await;
    let second = newer.reach_confirmation(ELI, FAY).await;
    let (first, second) = (first.expect("a question"), second.expect("a question"));
    assert!(newer.answer(&second, Decision::Link).await);
    older.answer(&first, Decision::Link).await;
    // The tokens that are stored must be those that Zoom takes: they are traded next.
    env.expire(FAY.zoom).await;
    let text = format!("stop {}", SCENE_MEETING - 1);
    let invocation = send(env, TOWN_HALL, ELI.slack, &text).await;
    let kind = outcome(env, db, &invocation).await;
    assert_eq!(kind, "accepted", "the grant of the newest consent");
    println!("scene: the newest of two consents won");
}

/// What a scene before left behind is over: Zoom answers, and everybody's grant lives.
async fn begin(env: &CampaignEnv) {
    env.zoom.clear_faults();
    relink(env).await;
}

/// Types a command, which must be accepted.
async fn send(env: &CampaignEnv, place: Channel, user: &str, text: &str) -> Invocation {
    let invocation = env.slack.type_at(place, user, text);
    let answer = env.slack.send(&env.url(0), &invocation).await;
    let answer = answer.expect("an answer");
    assert_eq!(
        answer.body["response_type"], "in_channel",
        "{text}: {answer:?}"
    );
    invocation
}

/// The kind of a command's outcome; waits until it is posted.
async fn outcome(env: &CampaignEnv, db: &PgPool, invocation: &Invocation) -> String {
    let posted = env.slack.reply(invocation).await;
    posted.unwrap_or_else(|error| panic!("{}: {error}", invocation.body));
    let kind = sqlx::query_scalar("select outcome ->> 'kind' from command where trigger_id = $1");
    kind.bind(&invocation.trigger)
        .fetch_one(db)
        .await
        .expect("an outcome")
}

async fn carried_out_soon(env: &CampaignEnv, db: &PgPool, place: Channel, user: &str, text: &str) {
    let begun = Instant::now();
    let invocation = send(env, place, user, text).await;
    let kind = outcome(env, db, &invocation).await;
    let took = begun.elapsed();
    assert_eq!(kind, "accepted", "{user}: {text}");
    assert!(took < CARRIED_OUT_WITHIN, "{user}: {text} took {took:.1?}");
}
