//! Looking for what would keep a livestream from starting. Starts nothing.

use std::sync::Arc;

use chrono::Utc;
use secrecy::SecretString;

use crate::account::reads::{ReadError, read};
use crate::app::App;
use crate::command::outcome::{Fact, Outcome, Rule, Unknown};
use crate::command::request::CheckRequest;
use crate::command::verb::Access;
use crate::db::authorization::Person;
use crate::db::links::Link;
use crate::db::{commands, destinations, shared_accounts, streams, zoom_events};
use crate::ids::{Asker, ChannelId, ZoomUserId};
use crate::livestream::destination;
use crate::livestream::look_up::TimeLeft;
use crate::livestream::on_air::{self, Earlier, Start};
use crate::livestream::policy::{self, Decision};
use crate::reply::check::{Acts, AtZoom, Check, Goes, OnAir, RulesSay};
use crate::reply::reads::NotRead;
use crate::zoom;
use crate::zoom::client::ApiError;

/// Looks up what decides about a start in this channel.
pub(super) async fn look_up(
    app: &Arc<App>,
    asker: &Asker,
    person: Person,
    channel: &ChannelId,
    request: CheckRequest,
) -> sqlx::Result<Check> {
    let left = TimeLeft::begin();
    let unknown = Decision::NotKnown {
        fact: Fact::Membership,
        why: Unknown::NoAnswer,
    };
    let would_start = policy::would_start(app, asker, Some(channel), &person.authorization);
    let would_start = left.ask_slack(would_start, unknown);
    let acts = acts(app, asker, person.link, person.is_shared_dead).await?;
    let account = acts.account();
    let is_dead = acts.is_dead();
    let reading = async |is_allowed: bool| match account {
        Some(account) if is_allowed && is_dead == Some(false) => {
            at_zoom(app, account, &request, left).await.map(Some)
        }
        _ => Ok(None),
    };
    let (rules, zoom) = if matches!(acts, Acts::Own(_)) {
        let (rules, zoom) = tokio::join!(would_start, reading(true));
        (rules?, zoom?)
    } else {
        // The shared account answers no question of those whom the rules refuse.
        let rules = would_start.await?;
        let is_allowed = is_allowed(&rules);
        (rules, reading(is_allowed).await?)
    };
    let last_report = match account {
        Some(account) => zoom_events::last_report(&app.db, account).await?,
        None => None,
    };
    let (goes, on_air) = match account.filter(|_| is_allowed(&rules)) {
        Some(account) => would_go(app, asker, channel, account, &request, left).await?,
        // Then no start comes so far.
        None => (None, None),
    };
    let known = match request.meeting {
        Some(meeting) if on_air.is_none() => {
            streams::known_to(&app.db, asker, Some(channel), Some(meeting), true, 1)
                .await?
                .pop()
        }
        _ => None,
    };
    // Zoom does not start again what it took a moment ago, nor what it has reported.
    let (on_air, perhaps_on_air) = match known {
        Some(stream) if on_air::is_sure(&stream) => (Some(OnAir::Known(Box::new(stream))), None),
        known => (on_air, known),
    };
    // Where they may go live, to link an account helps.
    let is_refused = matches!(&rules, Decision::Refused(refusal) if refusal.rule != Rule::Channel);
    Ok(Check {
        access: Access::of(is_dead, is_refused, app.pages.is_some()),
        rules: match rules {
            Decision::Allowed => RulesSay::Allowed,
            Decision::Confirm { members, is_shared } => RulesSay::Asks { members, is_shared },
            Decision::Refused(refusal) => RulesSay::Refused(refusal),
            Decision::NotKnown { fact, why } => RulesSay::NotKnown(fact, why),
        },
        acts,
        last_report,
        zoom,
        request,
        goes,
        on_air,
        perhaps_on_air,
        now: Utc::now(),
    })
}

fn is_allowed(rules: &Decision) -> bool {
    matches!(rules, Decision::Allowed | Decision::Confirm { .. })
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

/// Where a start would go, and what goes on that it would not be sent to Zoom for: asked in the same way
/// as for a start, which is given what its channel has by default.
async fn would_go(
    app: &App,
    asker: &Asker,
    channel: &ChannelId,
    zoom_user: &ZoomUserId,
    request: &CheckRequest,
    left: TimeLeft,
) -> sqlx::Result<(Option<Goes>, Option<OnAir>)> {
    let mut settings = request.settings.clone();
    if settings.destination.is_none() && !settings.is_rehearsal {
        settings.destination = destinations::default_in(&app.db, &asker.team, channel).await?;
    }
    let last_sent = match request.meeting {
        Some(meeting) => commands::last_sent(&app.db, asker, channel, meeting, None).await?,
        None => None,
    };
    let start = &Start {
        asker,
        channel,
        zoom_user,
        settings: &settings,
        is_confirmed: false,
        command: None,
        last_sent: last_sent.as_ref(),
    };
    let earlier = match request.meeting {
        Some(meeting) => on_air::earlier(app, start, meeting).await?,
        None => Earlier::Kept,
    };
    let on_air = match earlier {
        Earlier::Refused(in_the_way)
            if !in_the_way.is_by_hand && start.may_know(&in_the_way.stream) =>
        {
            Some(OnAir::Known(in_the_way.stream))
        }
        Earlier::Refused(in_the_way) => Some(OnAir::Hidden {
            since: in_the_way.since,
            is_reported: in_the_way.is_reported,
            is_by_hand: in_the_way.is_by_hand,
        }),
        Earlier::Replaced { .. } | Earlier::Kept => None,
    };
    let unknown = Goes::Refused(Outcome::NotKnown {
        fact: Fact::UserGroup,
        why: Unknown::NoAnswer,
    });
    let goes = left.ask_slack(goes(app, start, request), unknown).await?;
    Ok((Some(goes), on_air))
}

async fn goes(app: &App, start: &Start<'_>, request: &CheckRequest) -> sqlx::Result<Goes> {
    let destination = match destination::choose(app, start).await? {
        Ok(destination) => destination,
        Err(outcome) => return Ok(Goes::Refused(outcome)),
    };
    if let Some(destination) = &destination
        && destination::target(app, destination).await?.is_none()
    {
        let name = destination.fields.name.clone();
        return Ok(Goes::Refused(Outcome::DestinationBroken { name }));
    }
    let kept_from = destination::kept_from(app, start, destination.as_ref(), request.meeting);
    Ok(match (kept_from.await?, destination) {
        (kept_from, None) => Goes::AsSetInZoom(kept_from),
        (Some(kept_from), Some(_)) => Goes::Refused(kept_from),
        (None, Some(destination)) => Goes::To {
            name: destination.fields.name,
            page: destination.fields.page_url,
        },
    })
}

/// What Zoom says: first who it is, which shows whether the link works; then the rest, side by
/// side.
async fn at_zoom(
    app: &Arc<App>,
    account: &ZoomUserId,
    request: &CheckRequest,
    left: TimeLeft,
) -> sqlx::Result<AtZoom> {
    let user = of_account(app, account, left, |zoom, token| async move {
        zoom.me(&token).await
    });
    let user = match user.await? {
        Ok(user) => user,
        Err(why) => return Ok(nothing(&why)),
    };
    let settings = of_account(app, account, left, |zoom, token| async move {
        zoom.live_settings(&token).await
    });
    let of_meeting = async {
        let Some(meeting) = request.meeting else {
            return Ok(None);
        };
        let reading = of_account(app, account, left, |zoom, token| async move {
            zoom.meeting(&token, meeting).await
        });
        reading.await.map(Some)
    };
    let of_destination = async {
        let Some(meeting) = request.meeting else {
            return Ok(None);
        };
        let reading = of_account(app, account, left, |zoom, token| async move {
            zoom.destination(&token, meeting).await
        });
        reading.await.map(Some)
    };
    let (settings, meeting, destination) = tokio::join!(settings, of_meeting, of_destination);
    Ok(AtZoom {
        user: Ok(user),
        settings: settings?,
        meeting: meeting?,
        destination: destination?,
    })
}

/// What is read as this account within the time that is left.
async fn of_account<T, R>(
    app: &Arc<App>,
    account: &ZoomUserId,
    left: TimeLeft,
    reading: impl Fn(zoom::Client, SecretString) -> R,
) -> sqlx::Result<Result<T, NotRead>>
where
    R: Future<Output = Result<T, ApiError>>,
{
    let read = async {
        let (read, _) = read(app, account, reading).await?;
        Ok::<_, ReadError>(read)
    };
    left.read(Box::pin(read)).await
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
