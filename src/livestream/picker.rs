//! The meetings that somebody can choose from: what Zoom lists, and what they livestreamed lately.
//!
//! A list is read when it is asked for, and stored nowhere.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use futures_util::future::{Either, select};
use tokio::time::timeout;

use crate::account::reads::read;
use crate::app::App;
use crate::command::request::Options;
use crate::db::links::Link;
use crate::db::{destinations, stream_topics, streams};
use crate::destination::AS_SET_IN_ZOOM;
use crate::ids::{Asker, ChannelId};
use crate::livestream::look_up::TimeLeft;
use crate::livestream::{destination, on_air};
use crate::reply::picker::{NotListed, Obstacle, Picker};
use crate::reply::reads::NotRead;
use crate::zoom::meetings::{Listed, ListedMeeting};
use crate::zoom::scopes::lacks_list;
use crate::zoom::users::User;

/// For how long a meeting is offered that was livestreamed, and how many of those.
const RECENT_FOR: Duration = Duration::from_hours(14 * 24);
const RECENT_MAX: i64 = 5;
/// How many livestreams are shown that go on, and how many are looked through for them, since those
/// of others in a busy channel are not shown.
const ON_AIR_MAX: usize = 5;
const ON_AIR_READ: i64 = 100;
/// How long lists that are there wait for who the user is.
const USER_WAITED_FOR: Duration = Duration::from_secs(2);

/// Looks up what somebody can choose from. `link` is that of their own, if they have one; without
/// one they act with the account that their workspace shares.
pub async fn look_up(
    app: &Arc<App>,
    asker: &Asker,
    link: Option<&Link>,
    channel: Option<&ChannelId>,
    options: Options,
) -> sqlx::Result<Picker> {
    let left = TimeLeft::begin();
    let picker = Picker {
        options,
        is_shared: link.is_none(),
        now: Utc::now(),
        ..Picker::default()
    };
    let mut picker = match link {
        Some(link) => at_zoom(app, link, left, picker).await?,
        None => picker,
    };
    // What goes on may have changed while Zoom was asked.
    add_on_air(app, asker, link, channel, &mut picker).await?;
    if picker.obstacle.is_some() {
        return Ok(picker);
    }
    if let Some(channel) = channel {
        let is_rehearsal = picker.options.settings.is_rehearsal;
        let zoom_user = destination::own_or_shared(app, asker, link).await?;
        let zoom_user = zoom_user.as_ref();
        let usable = destination::usable(app, asker, channel, zoom_user, is_rehearsal).await?;
        let default = usable.iter().find(|usable| usable.is_default_in(channel));
        picker.default_destination = default.map(|default| default.fields.name.clone());
        // A default that they may not use would refuse what they press.
        if picker.default_destination.is_none()
            && picker.options.settings.destination.is_none()
            && destinations::has_default(&app.db, &asker.team, channel).await?
        {
            picker.options.settings.destination = AS_SET_IN_ZOOM.parse().ok();
        }
        picker.destinations = usable
            .into_iter()
            .map(|usable| usable.fields.name)
            .collect();
    }
    picker.recent = stream_topics::recent_meetings(&app.db, asker, RECENT_FOR, RECENT_MAX).await?;
    Ok(picker)
}

/// What is left for somebody who can start nothing: what goes on. Zoom is not asked.
pub async fn without_start(
    app: &App,
    asker: &Asker,
    link: Option<&Link>,
    channel: &ChannelId,
    options: Options,
    obstacle: Obstacle,
) -> sqlx::Result<Picker> {
    let mut picker = Picker {
        options,
        obstacle: Some(obstacle),
        ..Picker::default()
    };
    add_on_air(app, asker, link, Some(channel), &mut picker).await?;
    Ok(picker)
}

/// Adds the livestreams of somebody's that go on.
async fn add_on_air(
    app: &App,
    asker: &Asker,
    link: Option<&Link>,
    channel: Option<&ChannelId>,
    picker: &mut Picker,
) -> sqlx::Result<()> {
    let mut on_air = streams::known_to(&app.db, asker, channel, None, true, ON_AIR_READ).await?;
    on_air.retain(|stream| {
        let is_of_theirs = link.is_some_and(|link| link.zoom_user == stream.zoom_user);
        is_of_theirs || stream.starter.user == asker.user
    });
    let sure = on_air.iter().filter(|stream| on_air::is_sure(stream));
    picker.surely_on_air = sure.map(|stream| stream.meeting).collect();
    picker.more_on_air = on_air.len().saturating_sub(ON_AIR_MAX);
    on_air.truncate(ON_AIR_MAX);
    picker.on_air = on_air;
    Ok(())
}

/// Adds what Zoom lists, as far as it comes in time. The two lists are read one after the other:
/// a small account may ask for two a second. Who the user is is read beside them.
async fn at_zoom(
    app: &Arc<App>,
    link: &Link,
    left: TimeLeft,
    mut picker: Picker,
) -> sqlx::Result<Picker> {
    let zoom_user = &link.zoom_user;
    let list = async |listed| {
        if lacks_list(&link.scope) {
            return Ok(Err(NotRead::ScopeMissing));
        }
        let listing = read(app, zoom_user, |zoom, token| async move {
            zoom.list_meetings(&token, listed).await
        });
        let listed = left.read(listing).await?;
        Ok::<_, sqlx::Error>(listed.map(|(meetings, _)| meetings))
    };
    let lists = async {
        let running = list(Listed::Live).await?;
        let coming = match &running {
            // The same would be said of these.
            Err(why @ (NotRead::ScopeMissing | NotRead::LinkDead | NotRead::Misconfigured)) => {
                Err(why.clone())
            }
            _ => list(Listed::Upcoming).await?,
        };
        Ok::<_, sqlx::Error>((running, coming))
    };
    let user = left.read(read(app, zoom_user, |zoom, token| async move {
        zoom.me(&token).await
    }));
    let ((running, coming), user) = match select(pin!(lists), pin!(user)).await {
        Either::Left((lists, user)) => {
            let user = timeout(USER_WAITED_FOR, user).await;
            (lists?, user.unwrap_or(Ok(Err(NotRead::NoAnswer)))?)
        }
        Either::Right((user, lists)) => (lists.await?, user?),
    };
    let user = user.map(|(user, _)| user);
    if matches!(running, Err(NotRead::LinkDead)) {
        picker.obstacle = Some(Obstacle::LinkDead);
    }
    picker.zone = user.as_ref().ok().and_then(User::zone);
    picker.personal_room = user.as_ref().ok().and_then(User::personal_room);
    picker.not_listed = NotListed {
        running: running.as_ref().err().cloned(),
        coming: coming.as_ref().err().cloned(),
        room: user.err(),
    };
    let (running, coming) = (running.unwrap_or_default(), coming.unwrap_or_default());
    picker.has_more = running.has_more || coming.has_more;
    picker.running = each_once(running.meetings);
    picker.coming = of_today_and_tomorrow(coming.meetings, &picker);
    Ok(picker)
}

/// Those that begin today or tomorrow, the next one first; a recurring one once.
fn of_today_and_tomorrow(mut listed: Vec<ListedMeeting>, picker: &Picker) -> Vec<ListedMeeting> {
    listed.retain(|item| picker.day_of(item).is_some());
    // Where zones differ, today is before tomorrow all the same.
    listed.sort_by_key(|item| (picker.day_of(item), item.starts_at));
    each_once(listed)
}

/// Each meeting where it is listed first.
fn each_once(mut listed: Vec<ListedMeeting>) -> Vec<ListedMeeting> {
    let mut seen = Vec::new();
    listed.retain(|item| {
        let is_first = !seen.contains(&item.meeting);
        seen.push(item.meeting);
        is_first
    });
    listed
}

#[cfg(test)]
mod tests {
    use chrono_tz::Tz;

    use super::*;
    use crate::command::meeting::MeetingId;

    fn item(number: i64, at: &str, zone: Option<Tz>) -> ListedMeeting {
        ListedMeeting {
            meeting: MeetingId::from_number(number).expect("a number"),
            topic: None,
            starts_at: Some(at.parse().expect("a time")),
            zone,
        }
    }

    fn soon(now: &str, zone: Option<Tz>, meetings: Vec<ListedMeeting>) -> Vec<i64> {
        let picker = Picker {
            now: now.parse().expect("a time"),
            zone,
            ..Picker::default()
        };
        let soon = of_today_and_tomorrow(meetings, &picker);
        soon.iter().map(|item| item.meeting.get()).collect()
    }

    #[test]
    fn a_day_is_one_of_the_zone_in_which_a_meeting_was_scheduled() {
        let berlin = Some(Tz::Europe__Berlin);
        let meetings = vec![
            // In Berlin the second of December has 30 minutes to come, and the third is tomorrow.
            item(700_000_003, "2026-12-02T23:30:00Z", berlin),
            item(700_000_002, "2026-12-02T22:30:00Z", berlin),
            item(700_000_002, "2026-12-02T20:30:00Z", berlin),
            item(700_000_004, "2026-12-03T00:30:00Z", None),
            item(700_000_005, "2026-12-02T23:30:00Z", None),
            // There it is the second already.
            item(700_000_006, "2026-12-03T14:00:00Z", Some(Tz::Asia__Tokyo)),
        ];
        let soon = soon("2026-12-01T22:30:00Z", None, meetings);
        assert_eq!(soon, [700_000_002, 700_000_005, 700_000_006]);
    }

    #[test]
    fn days_are_those_of_the_asker_where_their_zone_is_known() {
        let meetings = || {
            vec![
                item(
                    700_000_001,
                    "2026-12-02T01:58:00Z",
                    Some(Tz::Europe__Berlin),
                ),
                item(
                    700_000_002,
                    "2026-12-02T02:58:00Z",
                    Some(Tz::America__Los_Angeles),
                ),
                item(
                    700_000_003,
                    "2026-12-03T07:30:00Z",
                    Some(Tz::Europe__Berlin),
                ),
            ]
        };
        let now = "2026-12-01T22:30:00Z";
        let in_california = soon(now, Some(Tz::America__Los_Angeles), meetings());
        assert_eq!(in_california, [700_000_001, 700_000_002, 700_000_003]);
        // Tomorrow in Berlin comes after today in California, although it is earlier.
        assert_eq!(soon(now, None, meetings()), [700_000_002, 700_000_001]);
    }
}
