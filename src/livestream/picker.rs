//! The meetings that somebody can choose from: what Zoom lists, and what they livestreamed lately.
//!
//! A list is read when it is asked for, and stored nowhere.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Days, Utc};
use chrono_tz::Tz;

use crate::account::reads::read;
use crate::app::App;
use crate::command::request::Options;
use crate::db::links::Link;
use crate::db::streams;
use crate::ids::{Asker, ChannelId};
use crate::livestream::destination;
use crate::livestream::look_up::TimeLeft;
use crate::reply::picker::{Missing, Picker};
use crate::reply::reads::NotRead;
use crate::zoom::meetings::{Listed, ListedMeeting, Meetings};
use crate::zoom::scopes::lacks_list;

/// For how long a meeting is offered that was livestreamed, and how many of those.
const RECENT_FOR: Duration = Duration::from_hours(14 * 24);
const RECENT_MAX: i64 = 5;
/// How many livestreams are shown that go on, and how many are looked through for them, since those
/// of others in a busy channel are not shown.
const ON_AIR_MAX: usize = 5;
const ON_AIR_READ: i64 = 100;

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
        now: Utc::now(),
        ..Picker::default()
    };
    let mut picker = match link {
        Some(link) => at_zoom(app, link, left, picker).await?,
        None => Picker {
            missing: Some(Missing::Shared),
            ..picker
        },
    };
    // What goes on may have changed while Zoom was asked.
    let mut on_air = streams::known_to(&app.db, asker, channel, None, true, ON_AIR_READ).await?;
    on_air.retain(|stream| {
        let is_of_theirs = link.is_some_and(|link| link.zoom_user == stream.zoom_user);
        is_of_theirs || stream.starter.user == asker.user
    });
    on_air.truncate(ON_AIR_MAX);
    picker.on_air = on_air;
    if let Some(channel) = channel {
        let is_rehearsal = picker.options.settings.is_rehearsal;
        let zoom_user = link.map(|link| &link.zoom_user);
        let usable = destination::usable(app, asker, channel, zoom_user, is_rehearsal).await?;
        let default = usable.iter().find(|usable| usable.is_default_in(channel));
        picker.default_destination = default.map(|default| default.fields.name.clone());
        picker.destinations = usable
            .into_iter()
            .map(|usable| usable.fields.name)
            .collect();
    }
    picker.recent = streams::recent_meetings(&app.db, asker, RECENT_FOR, RECENT_MAX).await?;
    Ok(picker)
}

/// Adds what Zoom lists, as far as it comes in time. The two lists are read one after the other:
/// a small account may ask for two a second.
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
    let running = list(Listed::Live).await?;
    let coming = match &running {
        // The same would be said of these.
        Err(why @ (NotRead::ScopeMissing | NotRead::LinkDead | NotRead::Misconfigured)) => {
            Err(why.clone())
        }
        _ => list(Listed::Upcoming).await?,
    };
    let room = read(app, zoom_user, |zoom, token| async move {
        zoom.me(&token).await
    });
    picker.personal_room = match left.read(room).await? {
        Ok((user, _)) => user.personal_room(),
        Err(_) => None,
    };
    picker.missing = match (&running, &coming) {
        (Ok(_), Ok(_)) => None,
        (Ok(_), Err(why)) => Some(Missing::Coming(why.clone())),
        (Err(why), Ok(_)) => Some(Missing::Running(why.clone())),
        (Err(why), Err(_)) => Some(Missing::Meetings(why.clone())),
    };
    let (running, coming) = (running.unwrap_or_default(), coming.unwrap_or_default());
    picker.has_more = running.has_more || coming.has_more;
    picker.running = running.meetings;
    picker.coming = of_today_and_tomorrow(coming, picker.now);
    Ok(picker)
}

/// Those that begin today or tomorrow where they were scheduled, the next one first; a recurring
/// one once.
fn of_today_and_tomorrow(listed: Meetings, now: DateTime<Utc>) -> Vec<ListedMeeting> {
    let is_soon = |item: &ListedMeeting| {
        let zone = item.zone.unwrap_or(Tz::UTC);
        let today = now.with_timezone(&zone).date_naive();
        let tomorrow = today.checked_add_days(Days::new(1));
        item.starts_at.is_some_and(|at| {
            let day = at.with_timezone(&zone).date_naive();
            day == today || Some(day) == tomorrow
        })
    };
    let mut coming = listed.meetings;
    coming.retain(is_soon);
    coming.sort_by_key(|item| item.starts_at);
    let mut seen = Vec::new();
    coming.retain(|item| {
        let is_first = !seen.contains(&item.meeting);
        seen.push(item.meeting);
        is_first
    });
    coming
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::meeting::MeetingId;

    #[test]
    fn a_day_is_one_of_the_zone_in_which_a_meeting_was_scheduled() {
        let item = |number, at: &str, zone: Option<Tz>| ListedMeeting {
            meeting: MeetingId::from_number(number).expect("a number"),
            topic: None,
            starts_at: Some(at.parse().expect("a time")),
            zone,
        };
        let now = "2026-12-01T22:30:00Z".parse().expect("a time");
        let meetings = vec![
            // In Berlin the second of December has 30 minutes to come, and the third is tomorrow.
            item(
                700_000_003,
                "2026-12-02T23:30:00Z",
                Some(Tz::Europe__Berlin),
            ),
            item(
                700_000_002,
                "2026-12-02T22:30:00Z",
                Some(Tz::Europe__Berlin),
            ),
            item(
                700_000_002,
                "2026-12-02T20:30:00Z",
                Some(Tz::Europe__Berlin),
            ),
            item(700_000_004, "2026-12-03T00:30:00Z", None),
            item(700_000_005, "2026-12-02T23:30:00Z", None),
            // There it is the second already.
            item(700_000_006, "2026-12-03T14:00:00Z", Some(Tz::Asia__Tokyo)),
        ];
        let has_more = false;
        let soon = of_today_and_tomorrow(Meetings { meetings, has_more }, now);
        let numbers: Vec<_> = soon.iter().map(|item| item.meeting.get()).collect();
        assert_eq!(numbers, [700_000_002, 700_000_005, 700_000_006]);
    }
}
