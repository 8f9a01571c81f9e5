//! What the tour plays: each outcome, as somebody meets it.

use chrono::{TimeDelta, Utc};

use super::super::knobs;
use super::super::people::{ADA, BEN, DANA, ELI, FAY, GUS, Person};
use super::super::slack::Role;
use super::super::world::World;

/// One thing that happens: what goes before, who does what, and what must be read.
pub(super) struct Scene {
    pub(super) title: &'static str,
    pub(super) before: fn(&World),
    pub(super) who: Person,
    pub(super) action: SceneAction,
    pub(super) reads: &'static str,
}

/// What somebody does in Slack.
pub(super) enum SceneAction {
    Types(&'static str),
    /// What the button says, and what it types.
    Presses(&'static str, &'static str),
    /// The same in a direct message.
    TypesAlone(&'static str),
    OpensHome,
    PressesAtHome(&'static str, &'static str),
    /// Zoom reports these events of a meeting by itself.
    Reported(i64, &'static [&'static str]),
    /// Where Zoom sends the livestream of a meeting.
    LooksAtZoom(i64),
}
use SceneAction::{LooksAtZoom, OpensHome, Presses, PressesAtHome, Reported, Types, TypesAlone};

/// The meetings of the tour.
pub(super) const MEETING: i64 = 68_423_085;
pub(super) const WEBINAR: i64 = 87_654_321;
const WEEKLY: i64 = 84_230_850_123;
const ALL_HANDS: i64 = 96_555_444_333;
pub(super) const PRIVATE: i64 = 82_056_527_587;
pub(super) const FORBIDDEN: i64 = 91_234_567_890;

const STREAM_STARTED: &str = "meeting.live_streaming_started";
const STREAM_STOPPED: &str = "meeting.live_streaming_stopped";
const MEETING_ENDED: &str = "meeting.ended";

/// Every scene, in the order they are played.
pub(super) const SCENES: &[Scene] = &[
    Scene {
        title: "No number to type: the command alone lists Dana's meetings, to her alone",
        before: |world| {
            let soon = Utc::now() + TimeDelta::hours(2);
            world.zoom.plan(WEEKLY, DANA.zoom, "Weekly", soon);
        },
        who: DANA,
        action: Types(""),
        reads: "Which meeting shall go live?",
    },
    Scene {
        title: "Help",
        before: nothing,
        who: DANA,
        action: Types("help"),
        reads: "starts and stops the livestream",
    },
    Scene {
        title: "A slip of the finger",
        before: nothing,
        who: DANA,
        action: Types("strat 68423085"),
        reads: "Did you mean `/livestream start 68423085`?",
    },
    Scene {
        title: "A link without a number",
        before: nothing,
        who: DANA,
        action: Types("start <https://zoom.us/my/dana>"),
        reads: "does not say the meeting's number",
    },
    Scene {
        title: "Somebody whose Zoom account is not linked",
        before: nothing,
        who: FAY,
        action: Types("start 68423085"),
        reads: "not linked yet",
    },
    Scene {
        title: "The meeting is not running yet",
        before: nothing,
        who: DANA,
        action: Types("start 68423085"),
        reads: "has not started",
    },
    Scene {
        title: "Dana presses Check: what keeps it from going live, and what does not",
        before: nothing,
        who: DANA,
        action: Presses("Check", "check 68423085"),
        reads: "It is not running",
    },
    Scene {
        title: "Dana starts the meeting in Zoom, and tries again with its join link",
        before: |world| world.zoom.begin(MEETING),
        who: DANA,
        action: Types(
            "start <https://us02web.zoom.us/j/68423085?pwd=x|Town hall> name=“Town Hall”",
        ),
        reads: "is going live",
    },
    Scene {
        title: "Zoom reports the stream: the same message says so",
        before: nothing,
        who: DANA,
        action: Reported(MEETING, &[STREAM_STARTED]),
        reads: "is live",
    },
    Scene {
        title: "A second start: only Dana reads that it is live already",
        before: nothing,
        who: DANA,
        action: Types("start 684 230 85"),
        reads: "already live",
    },
    Scene {
        title: "Fay presses Stop, and has no account linked: only Fay is told",
        before: nothing,
        who: FAY,
        action: Presses("Stop", "stop 68423085"),
        reads: "not linked yet",
    },
    Scene {
        title: "Eli presses it, and is not the host: only Eli is told",
        before: nothing,
        who: ELI,
        action: Presses("Stop", "stop 68423085"),
        reads: "started this livestream",
    },
    Scene {
        title: "Dana presses it",
        before: nothing,
        who: DANA,
        action: Presses("Stop", "stop 68423085"),
        reads: "is ending",
    },
    Scene {
        title: "Zoom reports the end",
        before: nothing,
        who: DANA,
        action: Reported(MEETING, &[STREAM_STOPPED]),
        reads: "was live for",
    },
    Scene {
        title: "Live once more",
        before: nothing,
        who: DANA,
        action: Presses("Start again", "start 68423085"),
        reads: "is going live",
    },
    Scene {
        title: "Zoom reports it twice",
        before: nothing,
        who: DANA,
        action: Reported(MEETING, &[STREAM_STARTED, STREAM_STARTED]),
        reads: "is live",
    },
    Scene {
        title: "The meeting ends in Zoom, and with it the stream",
        before: |world| world.zoom.end(MEETING),
        who: DANA,
        action: Reported(MEETING, &[STREAM_STOPPED, MEETING_ENDED]),
        reads: "ended with the meeting",
    },
    Scene {
        title: "An admin keeps destinations by name: Dana lists them",
        before: nothing,
        who: DANA,
        action: Types("destinations"),
        reads: "*townhall* · YouTube",
    },
    Scene {
        title: "Each has its rules: press is for #town-hall alone, and this is a direct message",
        before: |world| world.zoom.begin(MEETING),
        who: DANA,
        action: TypesAlone("start 68423085 to=press"),
        reads: "can be used only in <#C0TOWNHALL>",
    },
    Scene {
        title: "A stream key that is typed in Slack is refused, and kept nowhere",
        before: nothing,
        who: DANA,
        action: Types("start 68423085 stream_key=ab12-cd34-ef56-gh78"),
        reads: "does not belong in Slack",
    },
    Scene {
        title: "Dana rehearses, on a destination where no viewer is",
        before: nothing,
        who: DANA,
        action: Types("rehearse 68423085"),
        reads: "The rehearsal of Town Hall is going live on test",
    },
    Scene {
        title: "Zoom reports it, so the bot stops it",
        before: nothing,
        who: DANA,
        action: Reported(MEETING, &[STREAM_STARTED]),
        reads: "The rehearsal of Town Hall",
    },
    Scene {
        title: "The message says what was seen",
        before: nothing,
        who: DANA,
        action: Reported(MEETING, &[STREAM_STOPPED]),
        reads: "The rehearsal of Town Hall went live on test",
    },
    Scene {
        title: "Dana goes live on townhall by its name, and the message says so",
        before: nothing,
        who: DANA,
        action: Types("start 68423085 to=townhall"),
        reads: "is going live on townhall",
    },
    Scene {
        title: "Zoom has the server, the key and the page from the bot",
        before: nothing,
        who: DANA,
        action: LooksAtZoom(MEETING),
        reads: "youtube.com:443/live2, watched at https://video.acme.example/townhall",
    },
    Scene {
        title: "Zoom reports it",
        before: nothing,
        who: DANA,
        action: Reported(MEETING, &[STREAM_STARTED]),
        reads: "is live on townhall",
    },
    Scene {
        title: "Ben has linked no account, and acts with the one that the team shares: townhall is in use",
        before: |world| {
            world.zoom.schedule(ALL_HANDS, ADA.zoom, None);
            world.zoom.name(ALL_HANDS, "All hands");
            world.zoom.begin(ALL_HANDS);
        },
        who: BEN,
        action: Types("start 96555444333 to=townhall"),
        reads: "townhall is in use by",
    },
    Scene {
        title: "Another destination is free: Ben goes live without a password or a key",
        before: nothing,
        who: BEN,
        action: Types("start 96555444333 to=press"),
        reads: "is going live on press",
    },
    Scene {
        title: "Zoom has that one too",
        before: nothing,
        who: BEN,
        action: LooksAtZoom(ALL_HANDS),
        reads: "ingest.acme.example/press, watched at https://video.acme.example/press",
    },
    Scene {
        title: "Zoom reports that",
        before: nothing,
        who: BEN,
        action: Reported(ALL_HANDS, &[STREAM_STARTED]),
        reads: "All hands is live on press",
    },
    Scene {
        title: "Ben stops it",
        before: nothing,
        who: BEN,
        action: Presses("Stop", "stop 96555444333"),
        reads: "is ending",
    },
    Scene {
        title: "The end is reported, and press is free again",
        before: nothing,
        who: BEN,
        action: Reported(ALL_HANDS, &[STREAM_STOPPED]),
        reads: "All hands was live for",
    },
    Scene {
        title: "So is townhall, once Dana's meeting ends",
        before: |world| world.zoom.end(MEETING),
        who: DANA,
        action: Reported(MEETING, &[STREAM_STOPPED, MEETING_ENDED]),
        reads: "ended with the meeting",
    },
    Scene {
        title: "A direct message stays between Dana and the bot",
        before: |world| world.zoom.begin(MEETING),
        who: DANA,
        action: TypesAlone("start 68423085"),
        reads: "is going live",
    },
    Scene {
        title: "Dana presses Stop there",
        before: nothing,
        who: DANA,
        action: Presses("Stop", "stop 68423085"),
        reads: "is stopped",
    },
    Scene {
        title: "Dana opens the app in Slack, and finds the meetings there too",
        before: nothing,
        who: DANA,
        action: OpensHome,
        reads: "*Coming up* today and tomorrow",
    },
    Scene {
        title: "Fay opens it",
        before: nothing,
        who: FAY,
        action: OpensHome,
        reads: "No Zoom account is linked for you.",
    },
    Scene {
        title: "Fay asks for a link there",
        before: nothing,
        who: FAY,
        action: PressesAtHome("Link my Zoom account", "connect"),
        reads: "This link is yours alone",
    },
    Scene {
        title: "Gus is a guest of the workspace",
        before: |world| world.slack.set_person(GUS.slack, Role::Guest),
        who: GUS,
        action: Types("connect"),
        reads: "Guests and people from other organisations can't use /livestream",
    },
    Scene {
        title: "Eli is not the host",
        before: nothing,
        who: ELI,
        action: Types("start 68423085"),
        reads: "Zoom finds no meeting 6842 3085",
    },
    Scene {
        title: "A webinar, or livestreaming is not set up",
        before: nothing,
        who: DANA,
        action: Types("start 87654321"),
        reads: "can't be livestreamed yet",
    },
    Scene {
        title: "An end-to-end encrypted meeting",
        before: nothing,
        who: DANA,
        action: Types("start 820 5652 7587"),
        reads: "end-to-end encrypted",
    },
    Scene {
        title: "A host who may not host",
        before: nothing,
        who: DANA,
        action: Types("start 91234567890"),
        reads: "may not host",
    },
    Scene {
        title: "A number Zoom does not know",
        before: |world| world.zoom.fail_next(knobs::livestream("300")),
        who: DANA,
        action: Types("start 12345678"),
        reads: "not a meeting number Zoom knows",
    },
    Scene {
        title: "A meeting of another Zoom account",
        before: |world| world.zoom.fail_next(knobs::livestream("1010")),
        who: DANA,
        action: Types("start 68423085"),
        reads: "another Zoom account",
    },
    Scene {
        title: "A Zoom user who is gone",
        before: |world| world.zoom.fail_next(knobs::livestream("1001")),
        who: DANA,
        action: Types("start 68423085"),
        reads: "no longer knows the linked user",
    },
    Scene {
        title: "A permission that is missing",
        before: |world| world.zoom.fail_next(knobs::livestream("4711")),
        who: DANA,
        action: Types("start 68423085"),
        reads: "has not granted permission",
    },
    Scene {
        title: "An expired token: refreshed, without a word",
        before: |world| world.zoom.expire_access_token(DANA.zoom),
        who: DANA,
        action: Types("start 68423085"),
        reads: "is going live",
    },
    Scene {
        title: "Too many requests this second: tried once more",
        before: |world| world.zoom.fail_next(knobs::livestream("429-second")),
        who: DANA,
        action: Types("stop 68423085"),
        reads: "is stopped",
    },
    Scene {
        title: "Too many requests, twice",
        before: |world| {
            world.zoom.fail_next(knobs::livestream("429-second"));
            world.zoom.fail_next(knobs::livestream("429-second"));
        },
        who: DANA,
        action: Types("start 68423085"),
        reads: "too many requests",
    },
    Scene {
        title: "Zoom's limit for the day",
        before: |world| world.zoom.fail_next(knobs::livestream("429-day")),
        who: DANA,
        action: Types("start 68423085"),
        reads: "used up its requests for today",
    },
    Scene {
        title: "Zoom breaks",
        before: |world| world.zoom.fail_next(knobs::livestream("503")),
        who: DANA,
        action: Types("start 68423085"),
        reads: "Zoom answered with an error (status 503)",
    },
    Scene {
        title: "Zoom hangs",
        before: |world| world.zoom.fail_next(knobs::livestream("hang")),
        who: DANA,
        action: Types("start 68423085"),
        reads: "Zoom did not answer",
    },
    Scene {
        title: "Zoom hangs up",
        before: |world| world.zoom.fail_next(knobs::livestream("reset")),
        who: DANA,
        action: Types("stop 68423085"),
        reads: "Zoom did not answer",
    },
    Scene {
        title: "Something nobody documented",
        before: |world| world.zoom.fail_next(knobs::livestream("200")),
        who: DANA,
        action: Types("start 68423085"),
        reads: "No permission.",
    },
    Scene {
        title: "Slack loses the first message: told again",
        before: |world| world.slack.refuse_next_post(503),
        who: DANA,
        action: Types("stop 68423085"),
        reads: "is stopped",
    },
    Scene {
        title: "The operator's own credentials are wrong",
        before: |world| {
            world.zoom.expire_access_token(DANA.zoom);
            world.zoom.refuse_client(true);
        },
        who: DANA,
        action: Types("start 68423085"),
        reads: "own access to Zoom is broken",
    },
    Scene {
        title: "Dana withdraws the permission at Zoom",
        before: |world| {
            world.zoom.refuse_client(false);
            world.zoom.revoke(DANA.zoom);
        },
        who: DANA,
        action: Types("start 68423085"),
        reads: "no longer accepts your linked account",
    },
    Scene {
        title: "From then on Dana is told at once",
        before: nothing,
        who: DANA,
        action: Types("start 68423085"),
        reads: "Link it again",
    },
];

fn nothing(_: &World) {}
