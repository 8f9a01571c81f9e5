//! Where a livestream goes: whether its asker may send it there, and whether another stream does
//! already.

use std::time::Duration;

use crate::app::App;
use crate::command::meeting::MeetingId;
use crate::command::outcome::{DestinationRule, Fact, Outcome, Unknown};
use crate::command::request::LivestreamRequest;
use crate::crypto::vault::Context;
use crate::db::authorization::Person;
use crate::db::commands::{LastSent, PendingCommand};
use crate::db::destinations::{self, Destination, UsedBy};
use crate::db::links::Link;
use crate::db::shared_accounts;
use crate::db::streams::{self, Going, NewStream, StreamBegun};
use crate::destination::DestinationName;
use crate::ids::{Asker, ChannelId, DestinationId, StreamId, ZoomUserId};
use crate::livestream::on_air::{Earlier, OnAir, Start};
use crate::livestream::policy;
use crate::zoom::livestream::StreamTarget;

/// How long a command waits for Slack to say who is in a user group.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a list of destinations waits for each such answer.
const SHORT_PATIENCE: Duration = Duration::from_millis(400);
/// How many destinations are named that may be meant.
const NEAR_MAX: usize = 3;
/// How many letters may be wrong in a name that may be meant.
const WRONG_MAX: usize = 2;

/// Why somebody may not use a destination, if they may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    Allowed,
    Refused(DestinationRule),
    /// Slack does not say who is in the user group that may.
    NotKnown(Unknown),
}

/// Whether somebody may send a livestream to a destination from this channel, with this Zoom account
/// if it is known. The rules of the workspace come before that.
pub async fn may_use(
    app: &App,
    asker: &Asker,
    channel: &ChannelId,
    zoom_user: Option<&ZoomUserId>,
    destination: &Destination,
    patience: Duration,
) -> sqlx::Result<Use> {
    let fields = &destination.fields;
    let lists = |list: &[String], id: &str| list.iter().any(|listed| listed == id);
    let rule = match (fields.used_by, &fields.group_id) {
        (UsedBy::Everybody, _) => None,
        (UsedBy::Channels, _) if lists(&fields.channels, channel.as_str()) => None,
        (UsedBy::Channels, _) => Some(DestinationRule::Channel),
        (UsedBy::People, _) if lists(&fields.people, asker.user.as_str()) => None,
        (UsedBy::People, _) => Some(DestinationRule::People),
        (UsedBy::Group, Some(group)) => {
            match policy::group_members(app, asker, group, patience).await? {
                Ok(people) if lists(&people, asker.user.as_str()) => None,
                Ok(_) => Some(DestinationRule::Group),
                Err(why) => return Ok(Use::NotKnown(why)),
            }
        }
        (UsedBy::Group, None) => Some(DestinationRule::Group),
        (UsedBy::Unknown, _) => Some(DestinationRule::Unknown),
    };
    let is_other_account = zoom_user.is_some_and(|zoom_user| {
        !fields.zoom_users.is_empty() && !lists(&fields.zoom_users, zoom_user.as_str())
    });
    let rule = rule.or_else(|| is_other_account.then_some(DestinationRule::ZoomAccount));
    Ok(rule.map_or(Use::Allowed, Use::Refused))
}

/// The Zoom account that somebody acts with, if they have one: their own, else the one that their workspace
/// shares with them.
pub async fn account_of(
    app: &App,
    asker: &Asker,
    person: &Person,
) -> sqlx::Result<Option<ZoomUserId>> {
    match &person.link {
        None if person.is_shared_dead.is_none() => Ok(None),
        link => own_or_shared(app, asker, link.as_ref()).await,
    }
}

/// Their own account, else the one that their workspace shares, with whomever.
pub(super) async fn own_or_shared(
    app: &App,
    asker: &Asker,
    own: Option<&Link>,
) -> sqlx::Result<Option<ZoomUserId>> {
    match own {
        Some(link) => Ok(Some(link.zoom_user.clone())),
        None if app.shared_accounts => shared_accounts::zoom_user(&app.db, &asker.team).await,
        None => Ok(None),
    }
}

/// Whether a request names a destination that the workspace does not have.
pub async fn is_unknown(
    app: &App,
    asker: &Asker,
    request: &LivestreamRequest,
) -> sqlx::Result<bool> {
    match request.destination() {
        Some(name) => Ok(destinations::find(&app.db, &asker.team, name)
            .await?
            .is_none()),
        None => Ok(false),
    }
}

/// The destinations that somebody may use in this channel, by name: those for rehearsals, or the
/// others.
pub async fn usable(
    app: &App,
    asker: &Asker,
    channel: &ChannelId,
    zoom_user: Option<&ZoomUserId>,
    is_rehearsal: bool,
) -> sqlx::Result<Vec<Destination>> {
    let mut usable = destinations::list(&app.db, &asker.team, None).await?;
    usable.retain(|destination| destination.fields.is_test == is_rehearsal);
    let mut patience = SHORT_PATIENCE;
    let mut allowed = Vec::new();
    for destination in usable {
        match may_use(app, asker, channel, zoom_user, &destination, patience).await? {
            Use::Allowed => allowed.push(destination),
            Use::Refused(_) => {}
            // Slack is not waited for again: what it said before still counts.
            Use::NotKnown(_) => patience = Duration::ZERO,
        }
    }
    Ok(allowed)
}

/// Which of these names may be meant by one that is none of them: those that it begins or that begin
/// it, and those that differ in a letter or two, whatever hyphens they have.
pub fn near<'a>(
    typed: &DestinationName,
    names: impl IntoIterator<Item = &'a DestinationName>,
) -> Vec<DestinationName> {
    let mut near: Vec<_> = names
        .into_iter()
        .filter_map(|name| {
            let (letters, typed) = (name.letters(), typed.letters());
            let distance = strsim::osa_distance(&typed, &letters);
            let is_near =
                letters.starts_with(&typed) || typed.starts_with(&letters) || distance <= WRONG_MAX;
            is_near.then_some((distance, name))
        })
        .collect();
    near.sort();
    near.truncate(NEAR_MAX);
    near.into_iter().map(|(_, name)| name.clone()).collect()
}

/// The names of the first few.
fn first_names(destinations: impl IntoIterator<Item = Destination>) -> Vec<DestinationName> {
    let names = destinations.into_iter().map(|kept| kept.fields.name);
    names.take(NEAR_MAX).collect()
}

/// The destination that a start is to be sent to, or why it is not sent anywhere.
pub(super) async fn choose(
    app: &App,
    start: &Start<'_>,
) -> sqlx::Result<Result<Option<Destination>, Outcome>> {
    let (asker, channel, zoom_user) = (start.asker, start.channel, start.zoom_user);
    let is_rehearsal = start.settings.is_rehearsal;
    let name = match start.settings.destination() {
        Some(name) => name,
        None if is_rehearsal => {
            let mut tests = usable(app, asker, channel, Some(zoom_user), true).await?;
            return Ok(match (tests.pop(), tests.is_empty()) {
                (Some(test), true) => Ok(Some(test)),
                (last, _) => Err(Outcome::NoTestDestination {
                    choices: first_names(tests.into_iter().chain(last)),
                }),
            });
        }
        None => return Ok(Ok(None)),
    };
    let Some(found) = destinations::find(&app.db, &asker.team, name).await? else {
        let usable = usable(app, asker, channel, Some(zoom_user), is_rehearsal).await?;
        let near = near(name, usable.iter().map(|usable| &usable.fields.name));
        return Ok(Err(Outcome::NoSuchDestination { near }));
    };
    let refused = |rule, tests| {
        let channels = match rule {
            DestinationRule::Channel => found.fields.channels.as_slice(),
            _ => &[],
        };
        let channels = channels.iter().take(policy::CHANNELS_TOLD_MAX);
        Outcome::DestinationRefused {
            name: name.clone(),
            rule,
            is_default: found.is_default_in(channel),
            channels: channels.map(ChannelId::new).collect(),
            tests,
        }
    };
    match (found.fields.is_test, is_rehearsal) {
        (true, false) => return Ok(Err(refused(DestinationRule::Test, Vec::new()))),
        (false, true) => {
            let tests = usable(app, asker, channel, Some(zoom_user), true).await?;
            return Ok(Err(refused(DestinationRule::NotTest, first_names(tests))));
        }
        (true, true) | (false, false) => {}
    }
    let may = may_use(app, asker, channel, Some(zoom_user), &found, PATIENCE);
    Ok(match may.await? {
        Use::Allowed => Ok(Some(found)),
        Use::Refused(rule) => Err(refused(rule, Vec::new())),
        Use::NotKnown(why) => Err(Outcome::NotKnown {
            fact: Fact::UserGroup,
            why,
        }),
    })
}

/// Why a start that names no destination may go where no viewer is, or nobody knows where.
async fn sent_astray(
    app: &App,
    start: &Start<'_>,
    destination: Option<&Destination>,
) -> sqlx::Result<Option<Outcome>> {
    if let (None, Some(last)) = (destination, start.last_sent)
        && !start.settings.takes.contains(&last.stream)
    {
        let test = test(app, last).await?;
        if test.is_none() && !last.is_unsure {
            return Ok(None);
        }
        let zoom_user = Some(start.zoom_user);
        let mut usable = usable(app, start.asker, start.channel, zoom_user, false).await?;
        let stream = last.stream;
        if last.is_unsure {
            // What somebody wanted last comes first.
            usable.sort_by_key(|usable| Some(&usable.fields.name) != last.name.as_ref());
            return Ok(Some(Outcome::LastSentNotKnown {
                name: last.name.clone().filter(|_| last.may_know),
                stream,
                choices: first_names(usable),
            }));
        }
        return Ok(Some(Outcome::LastSentToTest {
            name: test.flatten().filter(|_| last.may_know),
            stream,
            choices: first_names(usable),
        }));
    }
    Ok(None)
}

/// The destination that a start takes from others: the one it is sent to, or the one that was set last.
fn held(start: &Start<'_>, destination: Option<&Destination>) -> Option<DestinationId> {
    destination
        .map(|destination| destination.destination_id)
        .or(start.last_sent.and_then(|last| last.destination))
}

/// Why a start would not be sent to Zoom for where it goes, if it was asked for now. Notes nothing.
pub(super) async fn kept_from(
    app: &App,
    start: &Start<'_>,
    destination: Option<&Destination>,
    meeting: Option<MeetingId>,
) -> sqlx::Result<Option<Outcome>> {
    if let Some(outcome) = sent_astray(app, start, destination).await? {
        return Ok(Some(outcome));
    }
    let Some(id) = held(start, destination) else {
        return Ok(None);
    };
    let others = others_going_to(app, start, destination.is_some(), meeting, id);
    Ok(others.await?.err())
}

/// The livestreams whose destination a start takes, or why it may not take it. Those of its own meeting
/// give it on.
async fn others_going_to(
    app: &App,
    start: &Start<'_>,
    is_chosen: bool,
    meeting: Option<MeetingId>,
    id: DestinationId,
) -> sqlx::Result<Result<Vec<StreamId>, Outcome>> {
    let mut others = Vec::new();
    for going in streams::going_to(&app.db, id).await? {
        let stream = &going.stream;
        if stream.zoom_user == *start.zoom_user && Some(stream.meeting) == meeting {
            continue;
        }
        if let Some(outcome) = in_use(app, start, is_chosen, &going).await? {
            return Ok(Err(outcome));
        }
        others.push(stream.stream_id);
    }
    Ok(Ok(others))
}

/// Notes the stream that a command asks for in place of an earlier one, if there is one, which then
/// holds its destination. Not where another one goes there, unless its asker may take it: of what is sure
/// an admin may, of what may be over everybody.
/// A stream that goes where its meeting was last sent from here holds that as well.
pub(super) async fn hold(
    app: &App,
    command: &PendingCommand,
    start: &Start<'_>,
    destination: Option<&Destination>,
    earlier: &Earlier,
) -> sqlx::Result<Option<Outcome>> {
    if let Some(outcome) = sent_astray(app, start, destination).await? {
        return Ok(Some(outcome));
    }
    let chosen = destination.map(|destination| {
        let fields = &destination.fields;
        (&fields.name, fields.page_url.as_str())
    });
    let (replaced, may_go_on) = match earlier {
        Earlier::Replaced { stream, may_go_on } => (Some(*stream), *may_go_on),
        Earlier::Refused(_) | Earlier::Kept => (None, false),
    };
    let new = NewStream {
        command: command.command_id,
        asker: &command.asker,
        channel: &command.channel_id,
        is_public: command.is_public,
        zoom_user: &command.zoom_user_id,
        meeting: command.request.meeting,
        destination: held(start, destination),
        chosen,
        is_rehearsal: command.request.settings.is_rehearsal,
        replaces: replaced.filter(|_| may_go_on),
    };
    loop {
        let released = match new.destination {
            Some(id) => {
                let (is_chosen, meeting) = (destination.is_some(), Some(new.meeting));
                match others_going_to(app, start, is_chosen, meeting, id).await? {
                    Ok(others) => others,
                    Err(outcome) => return Ok(Some(outcome)),
                }
            }
            None => Vec::new(),
        };
        // Another one may have begun between the two statements.
        if begin(app, &new, replaced, &released).await? == StreamBegun::Begun {
            return Ok(None);
        }
    }
}

/// Whether a meeting was sent last where only rehearsals go, and what that is called, if it is known. It
/// may have been deleted since; what is set in Zoom stays.
async fn test(app: &App, last: &LastSent) -> sqlx::Result<Option<Option<DestinationName>>> {
    Ok(match last.destination {
        Some(id) => destinations::name_of_test(&app.db, id).await?.map(Some),
        None => last.is_rehearsal.then(|| last.name.clone()),
    })
}

/// Begins a stream. With that an earlier one of its meeting is given up, and the destination of others
/// released; or nothing of it.
async fn begin(
    app: &App,
    new: &NewStream<'_>,
    replaced: Option<StreamId>,
    released: &[StreamId],
) -> sqlx::Result<StreamBegun> {
    if replaced.is_none() && released.is_empty() {
        return streams::begin(&app.db, new).await;
    }
    let mut transaction = app.db.begin().await?;
    if let Some(replaced) = replaced {
        streams::give_up(&mut *transaction, replaced).await?;
    }
    for released in released {
        streams::release_destination(&mut *transaction, *released).await?;
    }
    let begun = streams::begin(&mut *transaction, new).await?;
    if begun == StreamBegun::Begun {
        transaction.commit().await?;
    }
    Ok(begun)
}

/// Why a start may not take the destination of another stream, if it may not.
async fn in_use(
    app: &App,
    start: &Start<'_>,
    is_chosen: bool,
    going: &Going,
) -> sqlx::Result<Option<Outcome>> {
    let holder = &going.stream;
    let (since, is_sure) = match OnAir::of(holder) {
        OnAir::Stopped | OnAir::Over => return Ok(None),
        // Whoever took it was asked about that.
        OnAir::Perhaps { .. } if !going.holds => return Ok(None),
        OnAir::Surely { since, .. } => (since, true),
        OnAir::Perhaps { since } => (since, false),
    };
    // Where a meeting is sent for which none was named may have been changed in Zoom since.
    let is_sure = is_sure && is_chosen && holder.destination.is_some();
    let may_take = !is_sure || policy::is_admin(app, start.asker, PATIENCE).await?;
    if may_take && start.takes(holder) {
        return Ok(None);
    }
    let may_know = start.may_know(holder);
    let may_name = is_chosen || start.last_sent.is_some_and(|last| last.may_know);
    Ok(Some(Outcome::DestinationInUse {
        name: may_name.then(|| going.destination.clone()),
        since,
        is_sure,
        is_chosen,
        stream: holder.stream_id,
        meeting: may_know.then_some(holder.meeting),
        by: may_know.then(|| holder.starter.user.clone()),
        may_take,
    }))
}

/// What Zoom is told of a destination; none if its key does not open any more.
pub(super) async fn target(
    app: &App,
    destination: &Destination,
) -> sqlx::Result<Option<StreamTarget>> {
    let id = destination.destination_id;
    let Some(target) = destinations::target(&app.db, id).await? else {
        return Ok(None);
    };
    match app.vault.open(Context::StreamKey(id.0), &target.stream_key) {
        Ok(key) => Ok(Some(StreamTarget {
            server_url: target.server_url,
            key,
            page_url: target.page_url,
            resolution: target.resolution,
        })),
        Err(error) => {
            tracing::error!(%error, destination = id.0, "the key of a destination does not open");
            Ok(None)
        }
    }
}
