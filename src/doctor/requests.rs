//! What Slack and Zoom sent lately, and what came in their place.

use chrono::{DateTime, TimeDelta, Utc};

use super::report::{Area, Report, shown};
use crate::db::vendor_requests::{Kind, Received, Vendor};

/// Zoom checks an address every 72 hours, and switches its events off after six failures:
/// <https://developers.zoom.us/docs/api/webhooks/#validate-your-webhook-endpoint>.
const CHECKED_EVERY: TimeDelta = TimeDelta::hours(72);
/// How late that may be.
const CHECKED_LATE: TimeDelta = TimeDelta::hours(12);

/// Tells when each vendor's requests came last, and what is wrong if those with a wrong signature are
/// the newest.
pub(super) fn judge(
    received: &Received,
    has_events: bool,
    now: DateTime<Utc>,
    report: &mut Report,
) {
    judge_vendor(received, Vendor::Slack, report);
    if has_events {
        judge_vendor(received, Vendor::Zoom, report);
        judge_check(received, now, report);
    }
}

fn judge_vendor(received: &Received, vendor: Vendor, report: &mut Report) {
    let (area, name, secret, copied_from) = match vendor {
        Vendor::Slack => (
            Area::Slack,
            "Slack",
            "SLACK_SIGNING_SECRET",
            "Basic Information of the Slack app",
        ),
        Vendor::Zoom => (
            Area::Zoom,
            "Zoom",
            "ZOOM_WEBHOOK_SECRET",
            "Features, Access of the Zoom app",
        ),
    };
    let last = |kind| received.get(&(vendor, kind)).copied();
    let signed = last(Kind::Signed);
    match signed {
        Some(at) => report.good(
            area,
            format!("the last request that {name} signed came at {}", shown(at)),
        ),
        None => report.not_known(
            area,
            format!("no request that {name} signed has come yet, or none since this is noted"),
        ),
    }
    for (kind, what) in [
        (
            Kind::Mismatched,
            format!(
                "with another signature than {secret} gives; if {name} sent it, copy the secret again from {copied_from}"
            ),
        ),
        (
            Kind::Stale,
            format!(
                "with a time that is too far from this machine's clock; if {name} sent it, set the clock, by NTP"
            ),
        ),
    ] {
        if let Some(at) = last(kind).filter(|at| signed.is_none_or(|signed| signed < *at)) {
            report.warning(
                area,
                format!(
                    "at {} a request came to the addresses for {name} {what}; anybody can send such a request",
                    shown(at)
                ),
            );
        }
    }
}

fn judge_check(received: &Received, now: DateTime<Utc>, report: &mut Report) {
    match received.get(&(Vendor::Zoom, Kind::AddressCheck)) {
        None => report.not_known(
            Area::Zoom,
            "Zoom has not checked the address for its events yet, or not since this is noted; it does when the event \
             subscription is saved, and every 72 hours",
        ),
        Some(at) if now - *at > CHECKED_EVERY + CHECKED_LATE => report.warning(
            Area::Zoom,
            format!(
                "Zoom last checked the address for its events at {}, and should every 72 hours; look whether the event \
                 subscription of the Zoom app is still switched on, and save it again",
                shown(*at)
            ),
        ),
        Some(at) => report.good(
            Area::Zoom,
            format!("Zoom last checked the address for its events at {}", shown(*at)),
        ),
    }
}
