//! What has happened on the afternoon on which the playground opens. The service plays it, as it would
//! any other, at once; then what has happened is dated back.

use std::time::Duration;

use anyhow::Context;
use chrono::{TimeDelta, Utc};
use sqlx::PgPool;

use super::calendar::{RELEASE_PARTY, TOWN_HALL_MEETING, WEEKLY};
use crate::db;
use crate::db::jobs::{self, RunAt, ShowStream};
use crate::demo::clock::Clock;
use crate::demo::people::{DANA, HAL, Person};
use crate::demo::slack::{Message, TOWN_HALL};
use crate::demo::world::World;
use crate::ids::StreamId;

const ON_AIR: &str = "meeting.live_streaming_started";
const OFF_AIR: &str = "meeting.live_streaming_stopped";

/// How many minutes ago it happened.
const WEEKLY_BEGAN: i64 = 125;
const WEEKLY_ENDED: i64 = 78;
const HAL_FAILED: i64 = 49;
const TOWN_HALL_BEGAN: i64 = 47;

/// How long the service may take to do what is due.
const SETTLED_WITHIN: Duration = Duration::from_secs(10);

/// Plays it: the Weekly was live, Hal could not start the Release party, the Town Hall is live.
pub(super) async fn play(world: &World, clock: &Clock) -> anyhow::Result<()> {
    let story = Story {
        world,
        clock,
        pool: db::pool(world.database.clone()),
    };
    let played = story.play().await;
    clock.set_back(TimeDelta::zero());
    story.pool.close().await;
    played
}

struct Story<'a> {
    world: &'a World,
    clock: &'a Clock,
    pool: PgPool,
}

impl Story<'_> {
    async fn play(&self) -> anyhow::Result<()> {
        let zoom = &self.world.zoom;
        self.set_clock(WEEKLY_BEGAN);
        zoom.begin(WEEKLY);
        self.send(DANA, &format!("start {WEEKLY}")).await?;
        self.reads("is going live").await?;
        self.report(ON_AIR, WEEKLY).await?;
        self.reads("Weekly is live").await?;
        self.pass(WEEKLY_BEGAN - WEEKLY_ENDED).await?;

        self.set_clock(WEEKLY_ENDED);
        let (slack, service) = (&self.world.slack, &self.world.service);
        let stop = format!("stop {WEEKLY}");
        let press = slack.press_card_once_there(DANA.slack, &stop).await?;
        slack.send_press(service, &press).await?;
        self.reads("is ending").await?;
        self.report(OFF_AIR, WEEKLY).await?;
        self.reads("Weekly was live for").await?;
        zoom.end(WEEKLY);
        self.pass(WEEKLY_ENDED - HAL_FAILED).await?;

        self.set_clock(HAL_FAILED);
        self.send(HAL, &format!("start {RELEASE_PARTY}")).await?;
        self.reads("has not started").await?;
        self.pass(HAL_FAILED - TOWN_HALL_BEGAN).await?;

        self.set_clock(TOWN_HALL_BEGAN);
        zoom.begin(TOWN_HALL_MEETING);
        let start = format!("start {TOWN_HALL_MEETING} to=townhall");
        self.send(DANA, &start).await?;
        self.reads("is going live on townhall").await?;
        self.report(ON_AIR, TOWN_HALL_MEETING).await?;
        self.reads("Town Hall is live").await?;
        self.pass(TOWN_HALL_BEGAN).await?;
        self.show_again().await
    }

    fn set_clock(&self, minutes: i64) {
        self.clock.set_back(TimeDelta::minutes(minutes));
    }

    async fn send(&self, person: Person, text: &str) -> anyhow::Result<()> {
        let slack = &self.world.slack;
        let typed = slack.type_at(TOWN_HALL, person.slack, text);
        slack.send(&self.world.service, &typed).await.map(drop)
    }

    /// Waits until a message in the channel says so.
    async fn reads(&self, text: &str) -> anyhow::Result<()> {
        let says = |message: &Message| message.content.to_string().contains(text);
        let shown = self.world.slack.card(TOWN_HALL, says).await;
        shown
            .map(drop)
            .with_context(|| format!("waiting for {text:?}"))
    }

    async fn report(&self, event: &str, meeting: i64) -> anyhow::Result<()> {
        let (zoom, service) = (&self.world.zoom, &self.world.service);
        zoom.tell_of_meeting(service, event, meeting, Utc::now())
            .await
            .map(drop)
    }

    /// So much time passes: everything happened so much earlier.
    async fn pass(&self, minutes: i64) -> anyhow::Result<()> {
        self.settled().await?;
        let span = db::interval(Duration::from_mins(minutes.unsigned_abs()));
        let mut transaction = self.pool.begin().await?;
        // The audit protects itself from changes.
        sqlx::query!("set local session_replication_role = replica")
            .execute(&mut *transaction)
            .await?;
        sqlx::query!(
            "with commands as (
                update command set received_at = received_at - $1::interval,
                    attempted_at = attempted_at - $1::interval, finished_at = finished_at - $1::interval,
                    delivered_at = delivered_at - $1::interval
            ), streams as (
                update stream set began_at = began_at - $1::interval, claimed_at = claimed_at - $1::interval,
                    posting_until = posting_until - $1::interval, closed_at = closed_at - $1::interval
            ), facts as (
                update stream_fact set happened_at = happened_at - $1::interval
            ), links as (
                update zoom_link set created_at = created_at - $1::interval, used_at = used_at - $1::interval
            )
            update audit set happened_at = happened_at - $1::interval",
            span,
        )
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Waits until every command is told, and every stream is shown as it is.
    async fn settled(&self) -> anyhow::Result<()> {
        let mut ticks = tokio::time::interval(Duration::from_millis(10));
        let settled = async {
            loop {
                ticks.tick().await;
                let is_due = sqlx::query_scalar!(
                    r#"select exists (select from command where delivered_at is null and delivery_error is null)
                        or exists (select from stream where shown_version < version) as "is_due!""#
                );
                if !is_due.fetch_one(&self.pool).await? {
                    return anyhow::Ok(());
                }
            }
        };
        tokio::time::timeout(SETTLED_WITHIN, settled)
            .await
            .context("the service is not done in time")?
    }

    /// The messages of the streams tell their new times.
    async fn show_again(&self) -> anyhow::Result<()> {
        let changed = sqlx::query_scalar!(
            r#"update stream set version = version + 1
            where exists (select from stream_fact as fact where fact.stream_id = stream.stream_id and kind = 'on_air')
            returning stream_id as "id: StreamId""#
        );
        for stream_id in changed.fetch_all(&self.pool).await? {
            jobs::enqueue(&self.pool, &ShowStream { stream_id }, RunAt::Now).await?;
        }
        self.settled().await
    }
}
