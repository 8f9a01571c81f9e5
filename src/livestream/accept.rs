//! Accepting a command: from what somebody typed or pressed to a recorded command or an
//! answer. Knows nothing of HTTP.
//!
//! Typing, pressing a button and pressing one on the App Home are one thing: a button's value
//! is what could be typed. Help, mistakes and refusals are answered at once; a start or a stop
//! is recorded and queued in one statement, and [`super::run`] carries it out.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use crate::account::{offer, unlink};
use crate::app::App;
use crate::command::meeting::{MeetingId, ParseMeetingIdError};
use crate::command::outcome::{Refusal, Rule};
use crate::command::request::{Action, CheckRequest, LivestreamRequest, Options};
use crate::command::verb::{Access, Verb};
use crate::command::{self, Command, Interrupted, ParseError};
use crate::crypto::vault::Context;
use crate::db::audit::{self, AuditKind, Event};
use crate::db::authorization::Person;
use crate::db::commands::{self, NewCommand, Recorded};
use crate::db::jobs::{self, RunAt, ShowHome};
use crate::db::streams::{self, Stream};
use crate::db::{self, authorization, slack_requests, stream_cards};
use crate::destination::DestinationName;
use crate::ids::{Asker, ChannelId, SlackUserId};
use crate::livestream::{check, destination, picker, policy};
use crate::reply::Replies;
use crate::reply::help::Standing;
use crate::reply::picker::Obstacle;
use crate::reply::stream::StreamContext;
use crate::slack::form::{HomePress, Original, SlashCommand};
use crate::slack::message::Message;
use crate::slack::respond::{DisallowedOrigin, ResponseUrl};
use crate::telemetry::metrics::{self as counters, NotTaken};
use crate::telemetry::sampling::warn_sampled;
use crate::trace;
use crate::workspace::bot;

/// How long accepting may take once the request is here: Slack gives up after 3 s.
pub const ACCEPT_TIMEOUT: Duration = Duration::from_millis(2500);
/// How many streams are told of at most.
const STREAMS_TOLD: i64 = 10;
/// How many are looked through for those of the asker, which others in a busy channel may outnumber.
const STREAMS_READ: i64 = 100;
/// How long a look-up may take that only makes an answer better.
const LOOK_UP_TIMEOUT: Duration = Duration::from_secs(1);

/// How a command came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Typed,
    /// By a button under a message. `is_external`: Slack says in this request that the person
    /// is from another organisation.
    Pressed {
        is_external: bool,
        /// The message is the card of a stream, and stays as it is.
        is_card: bool,
        /// Only the presser sees it: an answer takes its place.
        is_theirs: bool,
    },
}

impl Source {
    /// How many of the five posts to its `response_url` are not for the outcome: one replaces the
    /// message with the button, or says that it is not known whether the press was taken.
    fn posts(self) -> i16 {
        match self {
            Self::Typed => 0,
            Self::Pressed { .. } => 1,
        }
    }
}

/// What became of a command when it came.
#[derive(Debug)]
pub enum Accepted {
    /// It is recorded and queued; its outcome follows.
    Recorded,
    /// The same request was accepted before.
    Duplicate,
    /// It is answered with this message, and nothing follows.
    Answered(Message),
    /// It is being looked up, and answered soon by the `response_url`.
    LookedUp,
    /// It was not recorded, or we cannot tell whether it was; it can be asked for again.
    Failed(Message),
}

/// What to post to the `response_url` of a press.
#[derive(Debug)]
pub struct PressReply {
    pub message: Message,
    /// It is all that follows; else an outcome does, which needs the posts that Slack takes.
    pub is_answer: bool,
}

/// A press on the App Home could not be carried out in time.
#[derive(Debug, thiserror::Error)]
#[error("a press on the App Home was not carried out in time")]
pub struct HomePressFailed;

/// Accepts what somebody typed.
pub async fn typed(app: &Arc<App>, form: &SlashCommand) -> Result<Accepted, DisallowedOrigin> {
    accept(app, form, Source::Typed).await
}

/// Accepts what a button under a message types. Returns what to post to the `response_url`.
///
/// The message with the button is replaced once the button has done its work, so that nobody
/// presses it again: at once if only the presser sees it.
pub async fn pressed(
    app: &Arc<App>,
    command: &SlashCommand,
    original: Original,
) -> Result<Option<PressReply>, DisallowedOrigin> {
    app.responder.url(&command.response_url)?;
    // No other message of a direct message is a card than one that the app posted to its presser.
    let mut command = command.clone();
    if original.is_card && command.channel_id.is_direct() {
        command.channel_id = ChannelId::with_app(&command.user_id);
    }
    let command = &command;
    let source = Source::Pressed {
        is_external: original.is_external,
        is_card: original.is_card,
        is_theirs: original.content.is_none(),
    };
    let replies = Replies::of(app);
    let (message, is_answer) = match accept(app, command, source).await? {
        // The card tells what becomes of it; a message that is none any more is marked.
        Accepted::Recorded if original.is_card => match original.content {
            Some(content) if is_orphan(app, command, original.ts.as_deref()).await => {
                (replies.not_kept_up_to_date(content), false)
            }
            _ => return Ok(None),
        },
        Accepted::Recorded => {
            let message = match original.content {
                Some(content) => replies.pressed(content, &command.user_id, &command.text),
                None => replies.running(&command.text),
            };
            (message, false)
        }
        Accepted::Answered(message) if original.content.is_none() => (message.replacing(), true),
        // Others may still have a use for the button.
        Accepted::Answered(message) | Accepted::Failed(message) => (message, true),
        Accepted::Duplicate | Accepted::LookedUp => return Ok(None),
    };
    Ok(Some(PressReply { message, is_answer }))
}

/// Whether the message that was pressed on shows a stream no more, as far as that is found soon.
async fn is_orphan(app: &App, command: &SlashCommand, ts: Option<&str>) -> bool {
    let (Some(ts), Ok(Command::Livestream(request))) = (ts, Command::from_button(&command.text))
    else {
        return false;
    };
    let looking = stream_cards::is_orphan(&app.db, &command.team_id, request.meeting, ts);
    matches!(soon(looking).await, Ok(Some(true)))
}

/// Carries out a button of the App Home. No message can answer there, so the Home is published again.
pub async fn pressed_at_home(app: &Arc<App>, press: &HomePress) -> Result<(), HomePressFailed> {
    let carrying_out = async {
        if !slack_requests::is_first(&app.db, press.trigger_id.as_str()).await? {
            return Ok(());
        }
        let has_offer = match Command::from_button(&press.text) {
            Ok(Command::Connect(_)) => may_use(app, &press.asker, false).await?,
            Ok(Command::Disconnect { .. }) => {
                unlink::unlink(app, &press.asker).await?;
                false
            }
            Ok(Command::Livestream(request)) => {
                change_at_home(app, press, &request).await?;
                false
            }
            Ok(Command::MarkEnded(meeting)) => {
                mark_ended(app, &press.asker, meeting).await?;
                false
            }
            _ => false,
        };
        let job = ShowHome {
            asker: press.asker.clone(),
            has_offer,
        };
        jobs::enqueue_home(&app.db, &job, RunAt::Now).await
    };
    let carried_out = in_time(app, carrying_out).await;
    carried_out.map_err(|_| HomePressFailed)
}

async fn accept(
    app: &Arc<App>,
    form: &SlashCommand,
    source: Source,
) -> Result<Accepted, DisallowedOrigin> {
    let replies = Replies::of(app);
    if !app.is_for_us(form.api_app_id.as_deref()) {
        warn_sampled!("request rejected: for another app than SLACK_APP_ID");
        return Ok(Accepted::Answered(replies.wrong_app()));
    }
    let parsed = match source {
        Source::Typed => form.text.parse(),
        Source::Pressed { .. } => Command::from_button(&form.text),
    };
    let url = match &parsed {
        // Help needs none.
        Ok(Command::Help | Command::Pick(_)) | Err(_) => app.responder.url(&form.response_url).ok(),
        Ok(_) => Some(app.responder.url(&form.response_url)?),
    };
    let accepting = async {
        if matches!(
            source,
            Source::Pressed {
                is_external: true,
                ..
            }
        ) && may_be_refused(app, &form.asker(), &parsed).await?
            && !may_use(app, &form.asker(), true).await?
        {
            return refuse_outsider(app, form, "a button", None).await;
        }
        match parsed {
            Ok(command) => carry_out(app, form, command, source, url).await,
            Err(error) => {
                if let Some(message) = destination_meant(app, form, &error).await? {
                    return Ok(Accepted::Answered(message));
                }
                let standing = standing(app, form).await;
                Ok(Accepted::Answered(replies.mistake(&error, &standing)))
            }
        }
    };
    Ok(in_time(app, accepting).await.unwrap_or_else(|not_taken| {
        Accepted::Failed(match not_taken {
            NotTaken::Refused => replies.database_refuses(),
            NotTaken::NoAnswer => replies.cannot_tell(),
        })
    }))
}

async fn carry_out(
    app: &Arc<App>,
    form: &SlashCommand,
    command: Command,
    source: Source,
    url: Option<ResponseUrl>,
) -> sqlx::Result<Accepted> {
    let (asker, replies) = (form.asker(), Replies::of(app));
    Ok(Accepted::Answered(match command {
        Command::Livestream(request) => return record(app, form, &request, source).await,
        Command::Pick(options) => return pick_meeting(app, form, options, source, url).await,
        Command::Check(request) => return check_start(app, form, request, source, url).await,
        Command::Help => replies.help(&standing(app, form).await),
        Command::Destinations(words) => {
            let person = authorization::find(&app.db, &asker).await?;
            if let Some(refusal) = standing_of(app, form, &person).await?.refusal {
                return Ok(Accepted::Answered(replies.not_allowed(&refusal)));
            }
            let zoom_user = destination::account_of(app, &asker, &person).await?;
            let usable = async |is_rehearsal| {
                let (channel, zoom_user) = (&form.channel_id, zoom_user.as_ref());
                destination::usable(app, &asker, channel, zoom_user, is_rehearsal).await
            };
            let (mut shows, mut tests) = (usable(false).await?, usable(true).await?);
            if let Some(words) = &words {
                shows.retain(|destination| destination.fields.name.has(words));
                tests.retain(|destination| destination.fields.name.has(words));
            }
            replies.destinations(&form.channel_id, shows, tests, words.is_some())
        }
        Command::Whoami => {
            let person = authorization::find(&app.db, &asker).await?;
            let standing = standing_of(app, form, &person).await?;
            replies.whoami(person.link.as_ref(), &standing)
        }
        // These change something, and no command records that they did.
        Command::Connect(_) | Command::Disconnect { .. }
            if !slack_requests::is_first(&app.db, form.trigger_id.as_str()).await? =>
        {
            return Ok(Accepted::Duplicate);
        }
        Command::Connect(interrupted) => return connect(app, form, interrupted.as_ref()).await,
        Command::Disconnect { is_confirmed } => {
            if !is_confirmed {
                let live = only_stoppable_with(app, &asker).await?;
                if !live.is_empty() {
                    return Ok(Accepted::Answered(
                        replies.disconnect_while_live(&told_of(&live)),
                    ));
                }
            }
            replies.disconnected(&unlink::unlink(app, &asker).await?)
        }
        Command::Status(meeting) => {
            let channel = Some(&form.channel_id);
            let count = if meeting.is_some() { 1 } else { STREAMS_TOLD };
            let streams =
                streams::known_to(&app.db, &asker, channel, meeting, false, count).await?;
            replies.status(&asker, meeting, &told_of(&streams))
        }
        Command::ChooseToStop => {
            let channel = Some(&form.channel_id);
            let mut streams =
                streams::known_to(&app.db, &asker, channel, None, true, STREAMS_READ).await?;
            streams.sort_by_key(|stream| !stream.starter.is(&asker));
            streams.truncate(usize::try_from(STREAMS_TOLD).unwrap_or_default());
            replies.choose_to_stop(&asker, &told_of(&streams))
        }
        Command::ChooseToMark => {
            let mut streams =
                streams::known_to(&app.db, &asker, None, None, true, STREAMS_TOLD).await?;
            streams.retain(|stream| stream.starter.is(&asker));
            replies.choose_to_mark(&asker, &told_of(&streams))
        }
        Command::MarkEnded(meeting) => match mark_ended(app, &asker, meeting).await? {
            Marked::Now => replies.marked_ended(meeting),
            Marked::Nothing => {
                let channel = Some(&form.channel_id);
                let here =
                    streams::known_to(&app.db, &asker, channel, Some(meeting), true, 1).await?;
                let starter = here.first().map(|stream| &stream.starter.user);
                replies.nothing_to_mark(meeting, starter)
            }
        },
    }))
}

/// Shows the meetings that can go live here; to somebody who can start none, what goes on, and why.
async fn pick_meeting(
    app: &Arc<App>,
    form: &SlashCommand,
    mut options: Options,
    source: Source,
    url: Option<ResponseUrl>,
) -> sqlx::Result<Accepted> {
    let (asker, replies) = (form.asker(), Replies::of(app));
    let Some((person, standing)) = soon(person_and_standing(app, form)).await? else {
        counters::command_not_taken(NotTaken::NoAnswer);
        return Ok(Accepted::Failed(replies.look_up_failed()));
    };
    // Whoever chooses has been told of nothing.
    options.settings.takes.clear();
    if let Some(obstacle) = Obstacle::of(&standing) {
        let (link, channel) = (person.link.as_ref(), &form.channel_id);
        let picker = picker::without_start(app, &asker, link, channel, options, obstacle).await?;
        return Ok(Accepted::Answered(replies.picker(&asker, &picker)));
    }
    let Some(url) = url else {
        return Ok(Accepted::Answered(replies.help(&standing)));
    };
    let is_rehearsal = options.settings.is_rehearsal;
    let wanted = options.settings.destination.as_ref();
    let wanted = wanted.filter(|name| !name.is_as_set_in_zoom());
    if wanted.is_some() || is_rehearsal {
        let zoom_user = destination::account_of(app, &asker, &person).await?;
        let (channel, zoom_user) = (&form.channel_id, zoom_user.as_ref());
        let usable = destination::usable(app, &asker, channel, zoom_user, is_rehearsal).await?;
        let names = || usable.iter().map(|usable| &usable.fields.name);
        if let Some(name) = wanted.filter(|name| !names().any(|usable| usable == *name)) {
            let near = destination::near(name, names());
            let message = replies.no_destination_to_pick(name, &near, &options);
            return Ok(Accepted::Answered(message));
        }
        if usable.is_empty() {
            return Ok(Accepted::Answered(replies.nowhere_to_rehearse()));
        }
    }
    let (looking, channel) = (Arc::clone(app), form.channel_id.clone());
    let looking_up = Box::pin(async move {
        let link = person.link.as_ref();
        let picker = picker::look_up(&looking, &asker, link, Some(&channel), options).await?;
        Ok(Replies::of(&looking).picker(&asker, &picker))
    });
    answer_later(app, form, url, source, looking_up).await
}

/// Says what would keep a livestream from starting.
async fn check_start(
    app: &Arc<App>,
    form: &SlashCommand,
    request: CheckRequest,
    source: Source,
    url: Option<ResponseUrl>,
) -> sqlx::Result<Accepted> {
    let asker = form.asker();
    let (Some(url), Some(person)) = (url, soon(authorization::find(&app.db, &asker)).await?) else {
        counters::command_not_taken(NotTaken::NoAnswer);
        return Ok(Accepted::Failed(Replies::of(app).look_up_failed()));
    };
    let (looking, channel) = (Arc::clone(app), form.channel_id.clone());
    let looking_up = Box::pin(async move {
        let check = check::look_up(&looking, &asker, person, &channel, request);
        let check = Box::pin(check).await?;
        Ok(Replies::of(&looking).check(&check))
    });
    answer_later(app, form, url, source, looking_up).await
}

/// Answers by the `response_url` what takes longer to look up than Slack waits: each request once,
/// and one of a person at a time. Nothing is lost with an answer that a crash cuts off: it is asked
/// for again.
async fn answer_later(
    app: &Arc<App>,
    form: &SlashCommand,
    url: ResponseUrl,
    source: Source,
    looking_up: impl Future<Output = sqlx::Result<Message>> + Send + 'static,
) -> sqlx::Result<Accepted> {
    let Some(one) = app.look_ups.begin(&form.asker()) else {
        // The message that was pressed on stays, to be pressed on again.
        return Ok(Accepted::Failed(Replies::of(app).still_looking()));
    };
    if !slack_requests::is_first(&app.db, form.trigger_id.as_str()).await? {
        return Ok(Accepted::Duplicate);
    }
    let answering = {
        let app = Arc::clone(app);
        async move {
            let message = looking_up
                .await
                .unwrap_or_else(|error| match not_taken(&app, &error) {
                    NotTaken::Refused => Replies::of(&app).database_refuses(),
                    NotTaken::NoAnswer => Replies::of(&app).look_up_failed(),
                });
            let message = match source {
                Source::Pressed {
                    is_theirs: true, ..
                } => message.replacing(),
                Source::Pressed { .. } | Source::Typed => message,
            };
            if let Err(error) = app.responder.post_again(&url, &message).await {
                tracing::warn!(%error, "failed to answer a look-up");
            }
            drop(one);
        }
    };
    app.tasks.spawn(trace::task("look up", answering));
    Ok(Accepted::LookedUp)
}

/// Records a start or a stop, or says why it is not recorded.
async fn record(
    app: &App,
    form: &SlashCommand,
    request: &LivestreamRequest,
    source: Source,
) -> sqlx::Result<Accepted> {
    let asker = form.asker();
    let is_nowhere = destination::is_unknown(app, &asker, request).await?;
    // What was typed for a destination's name and is none may be a key: it is kept nowhere.
    let told = if is_nowhere {
        Cow::Owned(request.without_destination())
    } else {
        Cow::Borrowed(request)
    };
    if is_nowhere && let Some(near) = near_here(app, form, request).await? {
        let (reason, wanted) = ("no_such_destination", told.to_string());
        audit_refusal(app, form, reason, &wanted, Some(request.meeting)).await;
        let message = Replies::of(app).no_destination_to_start(request, &near);
        return Ok(Accepted::Answered(message));
    }
    let response_url = app.vault.seal(
        Context::ResponseUrl(form.trigger_id.as_str()),
        &form.response_url,
    );
    let shared = policy::shared_to_stop(app, &asker, request).await?;
    let new = NewCommand {
        trigger: &form.trigger_id,
        asker: &asker,
        channel: &form.channel_id,
        request,
        response_url: Some(&response_url),
        posts: source.posts(),
        is_from_card: matches!(source, Source::Pressed { is_card: true, .. }),
        is_public: form.is_public(),
        is_private: source == Source::Typed && !command::is_plain(&form.text),
        shared: shared.as_ref(),
        shared_accounts: app.shared_accounts,
    };
    let replies = Replies::of(app);
    let recorded = {
        let _request = app.priority.request();
        match commands::record(&app.db, &new).await {
            // Nothing was written; another session may lead to the server that takes writes now.
            Err(error) if db::doubt_if_read_only(&error) => commands::record(&app.db, &new).await?,
            recorded => recorded?,
        }
    };
    let (reason, message) = match &recorded {
        Recorded::Accepted(id) => {
            tracing::info!(
                command.id = id.0,
                trace_id = trace::id().map(tracing::field::display),
                command.action = request.action.as_str(),
                zoom.meeting = %request.meeting,
                slack.team = %form.team_id,
                slack.user = %form.user_id,
                "command accepted"
            );
            return Ok(Accepted::Recorded);
        }
        Recorded::Duplicate => return Ok(Accepted::Duplicate),
        Recorded::UnderWay { by, seconds } => (
            "under_way",
            replies.already_under_way(request.action, request.meeting, by.as_ref(), *seconds),
        ),
        without_link @ (Recorded::NotLinked | Recorded::LinkDead) => {
            if let Some(refusal) = standing(app, form).await.refusal {
                // To link an account would not help.
                ("not_allowed", replies.not_allowed(&refusal))
            } else {
                let (reason, message) = if matches!(without_link, Recorded::NotLinked) {
                    ("not_linked", replies.not_linked(&told))
                } else {
                    let is_shared = authorization::find(&app.db, &asker).await?.link.is_none();
                    ("link_dead", replies.link_dead(&told, is_shared))
                };
                match starter_to_ask(app, form, request).await? {
                    Some(starter) => (reason, replies.asking(message, &starter)),
                    None => (reason, message),
                }
            }
        }
    };
    let (wanted, meeting) = (told.to_string(), Some(request.meeting));
    audit_refusal(app, form, reason, &wanted, meeting).await;
    Ok(Accepted::Answered(message))
}

/// The destinations that somebody may mean for a start here by a name that is none, if they can act with a
/// Zoom account.
async fn near_here(
    app: &App,
    form: &SlashCommand,
    request: &LivestreamRequest,
) -> sqlx::Result<Option<Vec<DestinationName>>> {
    let asker = form.asker();
    let person = authorization::find(&app.db, &asker).await?;
    let zoom_user = destination::account_of(app, &asker, &person).await?;
    let (Some(zoom_user), Some(name)) = (zoom_user, request.destination()) else {
        return Ok(None);
    };
    let (channel, is_rehearsal) = (&form.channel_id, request.settings.is_rehearsal);
    let usable = destination::usable(app, &asker, channel, Some(&zoom_user), is_rehearsal).await?;
    let names = usable.iter().map(|usable| &usable.fields.name);
    Ok(Some(destination::near(name, names)))
}

/// Asks for the destination that somebody may mean by words that the option `to=` does not take, or that
/// stand behind the meeting without it.
async fn destination_meant(
    app: &App,
    form: &SlashCommand,
    mistake: &ParseError,
) -> sqlx::Result<Option<Message>> {
    match mistake {
        ParseError::BadValue {
            instead: Some(request),
            ..
        } => {
            let near = near_here(app, form, request).await?.unwrap_or_default();
            let message = Replies::of(app).no_destination_to_start(request, &near);
            Ok((!near.is_empty()).then_some(message))
        }
        ParseError::NotAMeeting {
            verb: verb @ (Verb::Start | Verb::Rehearse | Verb::Check),
            settings,
            why: ParseMeetingIdError::ExtraWords { meeting, words },
            ..
        } if settings.destination.is_none() => {
            let Some(name) = DestinationName::from_words(words.trim_start_matches("to ")) else {
                return Ok(None);
            };
            let mut sent = (**settings).clone();
            sent.is_rehearsal |= *verb == Verb::Rehearse;
            sent.destination = Some(name.clone());
            // They were taken for a name.
            sent.display_name = sent.display_name.filter(|name| name != words);
            let options = Options {
                settings: sent,
                is_confirmed: false,
            };
            let mut request = options.request(Action::Start, *meeting);
            let near = near_here(app, form, &request).await?.unwrap_or_default();
            let mut near = near.into_iter();
            let Some(meant) = near.find(|near| near.letters() == name.letters()) else {
                return Ok(None);
            };
            request.settings.destination = Some(meant);
            let named =
                (request.settings.display_name != settings.display_name).then_some(&**settings);
            let message =
                Replies::of(app).destination_without_option(*verb, &request, named, words);
            Ok(Some(message))
        }
        _ => Ok(None),
    }
}

/// Who started the livestream that somebody wants to stop without a link of their own, if it is one
/// of this channel and somebody else.
async fn starter_to_ask(
    app: &App,
    form: &SlashCommand,
    request: &LivestreamRequest,
) -> sqlx::Result<Option<SlackUserId>> {
    if request.action != Action::Stop {
        return Ok(None);
    }
    let (asker, channel) = (form.asker(), Some(&form.channel_id));
    let open = streams::known_to(&app.db, &asker, channel, Some(request.meeting), true, 1).await?;
    let starter = open.into_iter().next().map(|stream| stream.starter.user);
    Ok(starter.filter(|starter| *starter != asker.user))
}

/// Records what was pressed on the App Home: the stop of a livestream that it shows, as if it was
/// pressed on its card; or a start, which is shown in the direct message of the app with the presser.
async fn change_at_home(
    app: &App,
    press: &HomePress,
    request: &LivestreamRequest,
) -> sqlx::Result<()> {
    let (asker, meeting) = (&press.asker, request.meeting);
    let (channel, is_public) = match request.action {
        Action::Start => (ChannelId::with_app(&asker.user), false),
        Action::Stop => {
            let shown = streams::known_to(&app.db, asker, None, Some(meeting), true, 1).await?;
            let Some(stream) = shown.into_iter().next() else {
                return Ok(());
            };
            (stream.channel, stream.is_public)
        }
    };
    let shared = policy::shared_to_stop(app, asker, request).await?;
    let new = NewCommand {
        trigger: &press.trigger_id,
        asker,
        channel: &channel,
        request,
        response_url: None,
        posts: 0,
        is_from_card: true,
        is_public,
        is_private: false,
        shared: shared.as_ref(),
        shared_accounts: app.shared_accounts,
    };
    let recorded = {
        let _request = app.priority.request();
        commands::record(&app.db, &new).await?
    };
    let replies = Replies::of(app);
    let message = match &recorded {
        Recorded::Accepted(_) | Recorded::Duplicate => return Ok(()),
        Recorded::UnderWay { by, seconds } => {
            replies.already_under_way(request.action, meeting, by.as_ref(), *seconds)
        }
        Recorded::NotLinked => replies.not_linked(request),
        Recorded::LinkDead => {
            let is_shared = authorization::find(&app.db, asker).await?.link.is_none();
            replies.link_dead(request, is_shared)
        }
    };
    // No message can answer there.
    if let Some(bot) = bot::find(app, asker).await? {
        // The bot logs a failure.
        let _ = bot.post(asker.user.as_str(), None, &message).await;
    }
    Ok(())
}

/// What came of marking a stream as ended.
enum Marked {
    Now,
    /// There is none of theirs that goes on.
    Nothing,
}

/// Notes that a stream of somebody's is over.
async fn mark_ended(app: &App, asker: &Asker, meeting: MeetingId) -> sqlx::Result<Marked> {
    let open = streams::known_to(&app.db, asker, None, Some(meeting), true, STREAMS_TOLD).await?;
    for stream in open {
        let mut transaction = app.db.begin().await?;
        let id = stream.stream_id;
        if streams::mark_ended(&mut *transaction, id, asker, true)
            .await?
            .is_some()
        {
            let event = Event {
                channel: Some(&stream.channel),
                meeting: Some(meeting),
                ..Event::of(asker, AuditKind::MarkedEnded)
            };
            audit::write(&mut *transaction, &event).await?;
            transaction.commit().await?;
            return Ok(Marked::Now);
        }
    }
    Ok(Marked::Nothing)
}

/// The streams that nobody here could stop without a person's link.
async fn only_stoppable_with(app: &App, asker: &Asker) -> sqlx::Result<Vec<Stream>> {
    let person = authorization::find(&app.db, asker).await?;
    let Some(link) = person.link.filter(|link| !link.is_dead) else {
        return Ok(Vec::new());
    };
    let mut open = streams::known_to(&app.db, asker, None, None, true, STREAMS_TOLD).await?;
    open.retain(|stream| stream.zoom_user == link.zoom_user);
    Ok(open)
}

/// These streams as they are told.
fn told_of(streams: &[Stream]) -> Vec<StreamContext<'_>> {
    streams.iter().map(StreamContext::of).collect()
}

async fn connect(
    app: &App,
    form: &SlashCommand,
    interrupted: Option<&Interrupted>,
) -> sqlx::Result<Accepted> {
    let asker = form.asker();
    if !may_use(app, &asker, false).await? {
        return refuse_outsider(app, form, "connect", None).await;
    }
    let replies = Replies::of(app);
    let standing = standing(app, form).await;
    let url = offer::offer(app, &asker, interrupted, Some(&form.response_url)).await?;
    Ok(Accepted::Answered(url.map_or_else(
        || replies.linking_not_set_up(),
        |url| replies.connect(&url, standing.refusal.as_ref()),
    )))
}

/// Refuses somebody who is no full member of a workspace that allows nobody else.
async fn refuse_outsider(
    app: &App,
    form: &SlashCommand,
    wanted: &str,
    meeting: Option<MeetingId>,
) -> sqlx::Result<Accepted> {
    audit_refusal(app, form, "not_allowed", wanted, meeting).await;
    let refusal = Refusal {
        rule: Rule::Members,
        set_by: None,
        channels: Vec::new(),
    };
    let message = Replies::of(app).not_allowed(&refusal);
    Ok(Accepted::Answered(message))
}

/// Whether a rule can refuse what an outsider pressed: not what anybody may look up or end.
async fn may_be_refused(
    app: &App,
    asker: &Asker,
    parsed: &Result<Command, ParseError>,
) -> sqlx::Result<bool> {
    Ok(match parsed {
        Ok(Command::Livestream(request)) => {
            !policy::may_stop_as_starter(app, asker, request).await?
        }
        Ok(Command::Connect(_)) | Err(_) => true,
        Ok(
            Command::Help
            | Command::Whoami
            | Command::Disconnect { .. }
            | Command::Pick(_)
            | Command::Destinations(_)
            | Command::Check(_)
            | Command::Status(_)
            | Command::ChooseToStop
            | Command::ChooseToMark
            | Command::MarkEnded(_),
        ) => false,
    })
}

/// Whether somebody may use the app at all. If that is not known in time, only those whom this
/// very request calls external may not: everybody else is asked about again before Zoom is.
async fn may_use(app: &App, asker: &Asker, is_external: bool) -> sqlx::Result<bool> {
    let asking = policy::may_use(app, asker, is_external);
    match tokio::time::timeout(LOOK_UP_TIMEOUT, asking).await {
        Ok(may_use) => may_use,
        Err(_) => Ok(!is_external),
    }
}

/// What somebody can do now in the channel of a form, as far as that is known in time; else
/// everything.
async fn standing(app: &App, form: &SlashCommand) -> Standing {
    let looking_up = async {
        let person = authorization::find(&app.db, &form.asker()).await?;
        standing_of(app, form, &person).await
    };
    match tokio::time::timeout(LOOK_UP_TIMEOUT, looking_up).await {
        Ok(Ok(standing)) => return standing,
        Ok(Err(error)) => {
            let why = db::why(&error, &app.db);
            warn_sampled!("failed to look up what a person can do", error = %why);
        }
        Err(_) => warn_sampled!("timed out looking up what a person can do"),
    }
    Standing::unrestricted(Access::Linked)
}

/// What is looked up in time to look up more.
async fn soon<T>(looking_up: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<Option<T>> {
    match tokio::time::timeout(LOOK_UP_TIMEOUT, looking_up).await {
        Ok(found) => found.map(Some),
        Err(_) => Ok(None),
    }
}

async fn person_and_standing(app: &App, form: &SlashCommand) -> sqlx::Result<(Person, Standing)> {
    let person = authorization::find(&app.db, &form.asker()).await?;
    let standing = standing_of(app, form, &person).await?;
    Ok((person, standing))
}

async fn standing_of(app: &App, form: &SlashCommand, person: &Person) -> sqlx::Result<Standing> {
    policy::standing(app, &form.asker(), person, Some(&form.channel_id)).await
}

/// Audits what was refused at once. Nobody goes without an answer if that fails. `wanted` is
/// not the text as typed, which may hold a meeting's passcode.
async fn audit_refusal(
    app: &App,
    form: &SlashCommand,
    reason: &str,
    wanted: &str,
    meeting: Option<MeetingId>,
) {
    let asker = form.asker();
    let event = Event {
        channel: Some(&form.channel_id),
        meeting,
        outcome: Some(reason),
        detail: Some(wanted),
        has_failed: true,
        ..Event::of(&asker, AuditKind::Refused)
    };
    if let Err(error) = audit::write(&app.db, &event).await {
        let why = db::why(&error, &app.db);
        warn_sampled!("failed to write audit entry", error = %why);
    }
}

/// What came of it within [`ACCEPT_TIMEOUT`]; else the failure is logged and counted.
async fn in_time<T>(
    app: &App,
    accepting: impl Future<Output = sqlx::Result<T>>,
) -> Result<T, NotTaken> {
    if let Ok(accepted) = tokio::time::timeout(ACCEPT_TIMEOUT, accepting).await {
        return accepted.map_err(|error| not_taken(app, &error));
    }
    warn_sampled!("the database did not answer in time to take a command");
    counters::command_not_taken(NotTaken::NoAnswer);
    Err(NotTaken::NoAnswer)
}

/// Logs and counts a command that the database failed.
fn not_taken(app: &App, error: &sqlx::Error) -> NotTaken {
    let not_taken = if db::is_transient(error) {
        NotTaken::NoAnswer
    } else {
        NotTaken::Refused
    };
    warn_sampled!("the database did not take a command", error = %db::why(error, &app.db));
    counters::command_not_taken(not_taken);
    not_taken
}
