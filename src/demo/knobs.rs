//! What can be made to go wrong at Zoom, by name: every error that the service has words for,
//! and some that nobody documents.

use std::time::Duration;

use chrono::{TimeDelta, Utc};

use super::zoom::{Fault, Read, Reporting, Zoom};

/// One thing that goes wrong.
#[derive(Clone, Copy)]
pub(super) struct Knob {
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    fault: fn() -> Fault,
}

impl Knob {
    pub(super) fn fault(&self) -> Fault {
        (self.fault)()
    }
}

/// Requests to Zoom that one thing can go wrong with.
pub(super) struct Target {
    pub(super) name: &'static str,
    /// What the next of them are.
    pub(super) next: &'static str,
    pub(super) knobs: &'static [Knob],
    arm: fn(&Zoom, Fault),
    waiting: fn(&Zoom) -> usize,
}

impl Target {
    /// The next of these requests that has none yet gets this fault.
    pub(super) fn arm(&self, zoom: &Zoom, fault: Fault) {
        (self.arm)(zoom, fault);
    }

    /// How many faults wait for these requests.
    pub(super) fn waiting(&self, zoom: &Zoom) -> usize {
        (self.waiting)(zoom)
    }
}

/// All of them.
pub(super) const TARGETS: [Target; 4] = [
    Target {
        name: "livestream",
        next: "next start or stop",
        knobs: &LIVESTREAM,
        arm: Zoom::fail_next,
        waiting: |zoom| zoom.faults_waiting().0,
    },
    Target {
        name: "destination",
        next: "next change of a destination",
        knobs: &DESTINATIONS,
        arm: |zoom, fault| zoom.fail_next_read(Read::SetDestination, fault),
        waiting: |zoom| zoom.read_faults_waiting(Read::SetDestination),
    },
    Target {
        name: "list",
        next: "next list of running meetings",
        knobs: &LISTS,
        arm: |zoom, fault| zoom.fail_next_read(Read::LiveMeetings, fault),
        waiting: |zoom| zoom.read_faults_waiting(Read::LiveMeetings),
    },
    Target {
        name: "token",
        next: "next refresh of a token",
        knobs: &TOKENS,
        arm: Zoom::fail_next_refresh,
        waiting: |zoom| zoom.faults_waiting().1,
    },
];

/// One way in which Zoom's reports come.
#[derive(Clone, Copy)]
pub(super) struct ReportKnob {
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) reporting: Reporting,
}

/// How Zoom's reports come.
pub(super) const REPORTS: [ReportKnob; 5] = [
    ReportKnob {
        name: "prompt",
        label: "after 3 s, as usual",
        reporting: Reporting::Prompt,
    },
    ReportKnob {
        name: "late",
        label: "20 s later than that",
        reporting: Reporting::Late(Duration::from_secs(20)),
    },
    ReportKnob {
        name: "lost",
        label: "not at all",
        reporting: Reporting::Lost,
    },
    ReportKnob {
        name: "doubled",
        label: "each twice",
        reporting: Reporting::Doubled,
    },
    ReportKnob {
        name: "reordered",
        label: "each after the next one",
        reporting: Reporting::Reordered,
    },
];

/// With the next livestream request.
const LIVESTREAM: [Knob; 23] = [
    Knob {
        name: "300",
        label: "400 · 300 – no such meeting number",
        fault: || Fault::error(400, 300, "Invalid meeting ID."),
    },
    Knob {
        name: "300-status",
        label: "300 – the same, as older pages have it",
        fault: || Fault::error(300, 300, "Invalid meeting ID."),
    },
    Knob {
        name: "3000",
        label: "400 · 3000 – a webinar, or not set up",
        fault: || Fault::error(400, 3000, "Cannot access webinar info."),
    },
    Knob {
        name: "4927",
        label: "400 · 4927 – not started",
        fault: || Fault::error(400, 4927, "Meeting has not started."),
    },
    Knob {
        name: "1010",
        label: "400 · 1010 – another Zoom account's",
        fault: || Fault::error(400, 1010, "User does not belong to this account: x."),
    },
    Knob {
        name: "3161",
        label: "400 · 3161 – may not host",
        fault: || {
            let message =
                "Your user account is not allowed meeting hosting and scheduling capabilities.";
            Fault::error(400, 3161, message)
        },
    },
    Knob {
        name: "4400",
        label: "400 · 4400 – end-to-end encrypted",
        fault: || {
            let message =
                "End-to-end encrypted meetings currently do not support the livestreaming feature.";
            Fault::error(400, 4400, message)
        },
    },
    Knob {
        name: "4711",
        label: "400 · 4711 – a permission is missing",
        fault: || {
            let message =
                "Invalid access token, does not contain scopes:[meeting:update:livestream_status].";
            Fault::error(400, 4711, message)
        },
    },
    Knob {
        name: "4700",
        label: "400 · 4700 – a permission is missing, as others say it",
        fault: || Fault::error(400, 4700, "Invalid access token, does not contain scopes."),
    },
    Knob {
        name: "200",
        label: "400 · 200 – something nobody documents",
        fault: || Fault::error(400, 200, "No permission. <!channel>"),
    },
    Knob {
        name: "200-paid",
        label: "200 · 200 – a refusal that looks like a success",
        fault: || {
            let message = "Only available for Paid account, please upgrade to Pro or above first.";
            Fault::error(200, 200, message)
        },
    },
    Knob {
        name: "200-html",
        label: "200 – a page about maintenance, no JSON",
        fault: || html(200, "Under maintenance"),
    },
    Knob {
        name: "124",
        label: "401 · 124 – the token is not taken",
        fault: || Fault::error(401, 124, "Invalid access token."),
    },
    Knob {
        name: "1001",
        label: "404 · 1001 – no such user",
        fault: || Fault::error(404, 1001, "User x does not exist."),
    },
    Knob {
        name: "3001",
        label: "404 · 3001 – no such meeting, or not theirs",
        fault: || Fault::error(404, 3001, "Meeting does not exist."),
    },
    Knob {
        name: "429-start",
        label: "429 – an earlier start is under way",
        fault: || {
            let message = "Too many requests submitted to start the live stream of this meeting. \
                If the live stream has not already started, retry making a new request after 30 seconds.";
            Fault::error(429, 429, message)
        },
    },
    Knob {
        name: "429-second",
        label: "429 – too many this second",
        fault: || {
            let message =
                "You have reached the maximum per-second rate limit for this API. Try again later.";
            Fault::error(429, 429, message).with_header("x-ratelimit-type", "QPS")
        },
    },
    Knob {
        name: "429-day",
        label: "429 – too many today",
        fault: || {
            let message = "You have reached the maximum daily rate limit for this API. \
                Refer to the response header for details.";
            let again = Utc::now() + TimeDelta::hours(3);
            Fault::error(429, 429, message)
                .with_header("x-ratelimit-type", "Daily-limit")
                .with_header(
                    "retry-after",
                    again.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
                )
        },
    },
    Knob {
        name: "500",
        label: "500 – Zoom breaks",
        fault: || Fault::error(500, 0, ""),
    },
    Knob {
        name: "503",
        label: "503 – Zoom is overloaded",
        fault: || Fault::error(503, 0, ""),
    },
    Knob {
        name: "html",
        label: "502 – a proxy's page, no JSON",
        fault: || html(502, "Bad Gateway"),
    },
    Knob {
        name: "hang",
        label: "No answer at all",
        fault: || Fault::Hang,
    },
    Knob {
        name: "reset",
        label: "The connection breaks",
        fault: || Fault::Reset,
    },
];

/// With the next request for tokens.
const TOKENS: [Knob; 7] = [
    Knob {
        name: "token-429",
        label: "429 – too many requests",
        fault: || Fault::error(429, 429, "Too many requests."),
    },
    Knob {
        name: "token-500",
        label: "500 – Zoom breaks",
        fault: || Fault::error(500, 0, ""),
    },
    Knob {
        name: "token-hang",
        label: "No answer at all",
        fault: || Fault::Hang,
    },
    Knob {
        name: "token-grant",
        label: "400 – the refresh token is dead",
        fault: || token_error(400, "Invalid Token!", "invalid_grant"),
    },
    Knob {
        name: "token-client",
        label: "401 – the operator's credentials are wrong",
        fault: || token_error(401, "Invalid client_id or client_secret", "invalid_client"),
    },
    Knob {
        name: "token-type",
        label: "400 – the app may not refresh tokens",
        fault: || token_error(400, "Unsupported grant type", "unsupported_grant_type"),
    },
    Knob {
        name: "token-4741",
        label: "400 · 4741 – the permission was replaced by a later one",
        fault: || Fault::Answer {
            status: 400,
            headers: vec![("content-type", "application/json".to_owned())],
            body:
                r#"{"status":false,"errorCode":4741,"errorMessage":"The token has been revoked."}"#
                    .to_owned(),
        },
    },
];

/// With the next list of the meetings that run.
const LISTS: [Knob; 7] = [
    Knob {
        name: "list-4711",
        label: "400 · 4711 – a permission is missing",
        fault: || {
            let message =
                "Invalid access token, does not contain scopes:[meeting:read:list_meetings].";
            Fault::error(400, 4711, message)
        },
    },
    Knob {
        name: "list-3161",
        label: "400 · 3161 – may not host",
        fault: || {
            let message = "Meeting hosting and scheduling capabilities are not allowed for your user account.";
            Fault::error(400, 3161, message)
        },
    },
    Knob {
        name: "list-124",
        label: "401 · 124 – the token is not taken",
        fault: || Fault::error(401, 124, "Invalid access token."),
    },
    Knob {
        name: "list-2306",
        label: "403 · 2306 – may not see meetings",
        fault: || {
            let message = "Not allowed to view meetings scheduled for others.";
            Fault::error(403, 2306, message)
        },
    },
    Knob {
        name: "list-429",
        label: "429 – too many this second",
        fault: || {
            let message =
                "You have reached the maximum per-second rate limit for this API. Try again later.";
            Fault::error(429, 429, message).with_header("x-ratelimit-type", "QPS")
        },
    },
    Knob {
        name: "list-500",
        label: "500 – Zoom breaks",
        fault: || Fault::error(500, 0, ""),
    },
    Knob {
        name: "list-hang",
        label: "No answer at all",
        fault: || Fault::Hang,
    },
];

/// With the next request that sets where a livestream goes.
const DESTINATIONS: [Knob; 7] = [
    Knob {
        name: "destination-300",
        label: "400 · 300 – not taken as it is",
        fault: || Fault::error(400, 300, "Validation Failed."),
    },
    Knob {
        name: "destination-3161",
        label: "400 · 3161 – may not host",
        fault: || {
            let message =
                "Your user account is not allowed meeting hosting and scheduling capabilities.";
            Fault::error(400, 3161, message)
        },
    },
    Knob {
        name: "destination-4711",
        label: "400 · 4711 – a permission is missing",
        fault: || {
            let message =
                "Invalid access token, does not contain scopes:[meeting:update:livestream].";
            Fault::error(400, 4711, message)
        },
    },
    Knob {
        name: "destination-3001",
        label: "404 · 3001 – no such meeting",
        fault: || Fault::error(404, 3001, "Meeting does not exist."),
    },
    Knob {
        name: "destination-500",
        label: "500 – Zoom breaks",
        fault: || Fault::error(500, 0, ""),
    },
    Knob {
        name: "destination-hang",
        label: "No answer at all",
        fault: || Fault::Hang,
    },
    Knob {
        name: "destination-reset",
        label: "The connection breaks",
        fault: || Fault::Reset,
    },
];

/// A page of a proxy's, or of a service that is away.
fn html(status: u16, title: &str) -> Fault {
    Fault::Answer {
        status,
        headers: vec![("content-type", "text/html".to_owned())],
        body: format!("<html><body>{title}</body></html>"),
    }
}

fn token_error(status: u16, reason: &str, error: &str) -> Fault {
    Fault::Answer {
        status,
        headers: vec![("content-type", "application/json".to_owned())],
        body: serde_json::json!({ "reason": reason, "error": error }).to_string(),
    }
}

/// What goes wrong under this name.
pub(super) fn livestream(name: &str) -> Fault {
    let knob = LIVESTREAM.iter().find(|knob| knob.name == name);
    knob.expect("a knob of this name").fault()
}
