//! Looking for what would keep a livestream from starting. Starts nothing.

use std::sync::Arc;

use crate::account::reads::read;
use crate::app::App;
use crate::command::meeting::MeetingId;
use crate::db::authorization::Person;
use crate::db::links::Link;
use crate::db::{shared_accounts, streams};
use crate::ids::{Asker, ChannelId, ZoomUserId};
use crate::livestream::look_up::TimeLeft;
use crate::livestream::policy::{self, Decision};
use crate::reply::check::{Acts, AtZoom, Check, RulesSay};
use crate::reply::reads::NotRead;

/// Looks up what decides about a start in this channel: of a meeting, or of any.
pub(super) async fn look_up(
    app: &Arc<App>,
    asker: &Asker,
    person: Person,
    channel: &ChannelId,
    meeting: Option<MeetingId>,
) -> sqlx::Result<Check> {
    let left = TimeLeft::begin();
    let would_start = policy::would_start(app, asker, Some(channel), &person.authorization);
    let acts = acts(app, asker, person.link, person.is_shared_dead).await?;
    let (account, is_dead) = match &acts {
        Acts::Own(link) => (Some(&link.zoom_user), link.is_dead),
        Acts::Shared {
            zoom_user, is_dead, ..
        } => (Some(zoom_user), *is_dead),
        Acts::NotLinked => (None, false),
    };
    let reading = async |is_allowed: bool| match account.filter(|_| is_allowed && !is_dead) {
        Some(account) => at_zoom(app, account, meeting, left).await.map(Some),
        None => Ok(None),
    };
    let (rules, zoom) = if matches!(acts, Acts::Own(_)) {
        let (rules, zoom) = tokio::join!(left.ask_slack(would_start), reading(true));
        (rules?, zoom?)
    } else {
        // The shared account answers no question of those whom the rules refuse.
        let rules = left.ask_slack(would_start).await?;
        let is_allowed = matches!(rules, Decision::Allowed | Decision::Confirm { .. });
        (rules, reading(is_allowed).await?)
    };
    let last_report = match account {
        Some(account) => streams::last_report(&app.db, account).await?,
        None => None,
    };
    let on_air = match meeting {
        Some(_) => streams::known_to(&app.db, asker, Some(channel), meeting, true, 1)
            .await?
            .pop(),
        None => None,
    };
    Ok(Check {
        rules: match rules {
            Decision::Allowed => RulesSay::Allowed,
            Decision::Confirm { members, is_shared } => RulesSay::Asks { members, is_shared },
            Decision::Refused(refusal) => RulesSay::Refused(refusal),
            Decision::NotKnown { fact, why } => RulesSay::NotKnown(fact, why),
        },
        acts,
        last_report,
        zoom,
        meeting,
        on_air,
    })
}

/// Their own account; else the one that their workspace shares with them.
async fn acts(
    app: &App,
    asker: &Asker,
    own: Option<Link>,
    is_shared_dead: Option<bool>,
) -> sqlx::Result<Acts> {
    if let Some(link) = own {
        return Ok(Acts::Own(link));
    }
    if is_shared_dead.is_none() || !app.shared_accounts {
        return Ok(Acts::NotLinked);
    }
    let shared = shared_accounts::find(&app.db, &asker.team).await?;
    Ok(shared.map_or(Acts::NotLinked, |shared| Acts::Shared {
        zoom_user: shared.zoom_user_id,
        scope: shared.scope,
        is_dead: shared.is_dead,
    }))
}

/// What Zoom says: first who it is, which shows whether the link works; then the rest, side by
/// side.
async fn at_zoom(
    app: &Arc<App>,
    account: &ZoomUserId,
    meeting: Option<MeetingId>,
    left: TimeLeft,
) -> sqlx::Result<AtZoom> {
    let user = read(
        app,
        account,
        |zoom, token| async move { zoom.me(&token).await },
    );
    let (user, token) = match left.read(user).await? {
        Ok(read) => read,
        Err(why) => return Ok(nothing(&why)),
    };
    let of_meeting = async {
        match meeting {
            Some(meeting) => left.read(app.zoom.meeting(&token, meeting)).await.map(Some),
            None => Ok(None),
        }
    };
    let of_destination = async {
        match meeting {
            Some(meeting) => left
                .read(app.zoom.destination(&token, meeting))
                .await
                .map(Some),
            None => Ok(None),
        }
    };
    let settings = left.read(app.zoom.live_settings(&token));
    let (settings, meeting, destination) = tokio::join!(settings, of_meeting, of_destination);
    Ok(AtZoom {
        user: Ok(user),
        settings: settings?,
        meeting: meeting?,
        destination: destination?,
    })
}

/// Nothing was read, for this reason.
fn nothing(why: &NotRead) -> AtZoom {
    AtZoom {
        user: Err(why.clone()),
        settings: Err(why.clone()),
        meeting: Some(Err(why.clone())),
        destination: Some(Err(why.clone())),
    }
}
