//! The parts of which pages are made; `style.css` says how they look. `/parts` of the demo shows
//! each of them.

use std::fmt::Write;

use chrono::{DateTime, Datelike, TimeDelta, Utc};
use chrono_tz::Tz;
use maud::{Markup, PreEscaped, html};

use crate::reply::stream::StreamContext;
use crate::stream::state::{HowEnded, State};

/// How a thing is meant. Each has a form of its own, so that none is told by colour alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub(crate) enum Tone {
    /// On air, and nothing else.
    Live,
    Good,
    /// Under way, or worth a look.
    Warn,
    /// It did not work.
    Bad,
    /// Over, or not known.
    Calm,
    /// Changed, or to come.
    Info,
}

impl Tone {
    pub(crate) fn class(self) -> &'static str {
        self.into()
    }
}

/// A picture of 16 by 16, drawn with lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::VariantArray)]
pub(crate) enum Icon {
    Home,
    Pulse,
    People,
    Antenna,
    Shield,
    Key,
    Menu,
    Check,
    Cross,
    Dash,
    Warning,
    About,
    Forward,
    Back,
    Outside,
    Download,
    Tied,
    Plus,
}

impl Icon {
    /// The lines: <https://www.w3.org/TR/SVG2/paths.html#PathData>.
    fn lines(self) -> &'static str {
        match self {
            Self::Home => "M2.5 7 8 2.5 13.5 7v6.5h-11zM6.5 13.5v-4h3v4",
            Self::Pulse => "M1.5 8.5h3l2-5.5 3 10 2-4.5h3",
            Self::People => {
                "M3.5 5.5a2.5 2.5 0 1 0 5 0a2.5 2.5 0 1 0-5 0M1.5 13.5c.3-2.7 2-4 4.5-4s4.2 1.3 4.5 4\
                 M10.5 3.2a2.5 2.5 0 0 1 0 4.6M12 9.8c1.5.5 2.3 1.7 2.5 3.7"
            }
            Self::Antenna => {
                "M6.5 6a1.5 1.5 0 1 0 3 0a1.5 1.5 0 1 0-3 0M8 7.5V14M4.8 9.2a4.5 4.5 0 0 1 0-6.4\
                 M11.2 2.8a4.5 4.5 0 0 1 0 6.4M2.5 11.5a7.8 7.8 0 0 1 0-11M13.5.5a7.8 7.8 0 0 1 0 11"
            }
            Self::Shield => {
                "M8 1.5 13.5 3.5v4.3c0 3.2-2.2 5.5-5.5 6.7-3.3-1.2-5.5-3.5-5.5-6.7V3.5zM5.7 7.9l1.7 1.7 3-3.2"
            }
            Self::Key => "M2 8a3 3 0 1 0 6 0a3 3 0 1 0-6 0M8 8h6.5M12 8v2.5M14.5 8v2",
            Self::Menu => "M2 4.5h12M2 8h12M2 11.5h12",
            Self::Check => "m3 8.5 3.2 3.2L13 4.8",
            Self::Cross => "m4 4 8 8M12 4l-8 8",
            Self::Dash => "M4 8h8",
            Self::Warning => "M8 2 14.5 13.5h-13zM8 6.5v3.2M8 11.6v.1",
            Self::About => "M1.7 8a6.3 6.3 0 1 0 12.6 0a6.3 6.3 0 1 0-12.6 0M8 7.3v4M8 4.8v.1",
            Self::Forward => "m6 3.5 4.5 4.5L6 12.5",
            Self::Back => "M10 3.5 5.5 8l4.5 4.5",
            Self::Outside => "M6.5 3.5h-3v9h9v-3M9 2.5h4.5V7M13.5 2.5 7.5 8.5",
            Self::Download => "M8 2.5v8M4.5 7.5 8 11l3.5-3.5M2.5 13.5h11",
            Self::Tied => {
                "M6.5 9.5a3 3 0 0 0 4.3 0l2.4-2.4a3 3 0 0 0-4.3-4.3l-1 1M9.5 6.5a3 3 0 0 0-4.3 0L2.8 8.9\
                 a3 3 0 0 0 4.3 4.3l1-1"
            }
            Self::Plus => "M8 3v10M3 8h10",
        }
    }
}

/// A picture beside words that say the same.
pub(crate) fn icon(icon: Icon) -> Markup {
    html! { svg.icon viewBox="0 0 16 16" aria-hidden="true" { path d=(icon.lines()) {} } }
}

/// What opens and closes.
pub(crate) fn chevron() -> Markup {
    html! { svg.icon.chevron viewBox="0 0 16 16" aria-hidden="true" { path d=(Icon::Forward.lines()) {} } }
}

/// The product's mark: the command's slash, and the light that goes on.
pub(crate) fn mark(size: u8) -> Markup {
    html! {
        svg.mark viewBox="0 0 32 32" width=(size) height=(size) aria-hidden="true" {
            rect width="32" height="32" {}
            path d="M10 24.5 15.5 7.5" {}
            circle cx="21" cy="20.5" r="4.6" {}
        }
    }
}

/// The mark as a picture of its own.
pub(crate) const MARK: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 32 32\">\
    <rect width=\"32\" height=\"32\" rx=\"8\" fill=\"#17181c\"/>\
    <path d=\"M10 24.5 15.5 7.5\" stroke=\"#fff\" stroke-width=\"3.2\" stroke-linecap=\"round\"/>\
    <circle cx=\"21\" cy=\"20.5\" r=\"4.6\" fill=\"#f2364d\"/></svg>";

/// How all of them look.
pub(crate) const STYLE: &str = include_str!("style.css");

/// One to three words with a sign.
pub(crate) fn badge(tone: Tone, words: &str) -> Markup {
    html! { span class={ "badge " (tone.class()) } { (words) } }
}

/// The number of a status, for those who look for it.
pub(crate) fn badge_number(number: u16) -> Markup {
    html! { p { span.badge.plain { (number) } } }
}

/// Whether something holds, as a sign in a disc; `words` are for those who do not see it.
pub(crate) fn tick(tone: Tone, words: &str) -> Markup {
    let sign = match tone {
        Tone::Good => Icon::Check,
        Tone::Bad => Icon::Cross,
        Tone::Warn => Icon::Warning,
        Tone::Live | Tone::Calm | Tone::Info => Icon::Dash,
    };
    html! { span class={ "tick " (tone.class()) } { (icon(sign)) span.hidden { (words) } } }
}

/// The first letter of a name in a square, whose colour follows from the whole name.
pub(crate) fn avatar(name: &str) -> Markup {
    let letter = name.chars().find(|letter| letter.is_alphanumeric());
    let letter: String = letter.into_iter().flat_map(char::to_uppercase).collect();
    let sum: u32 = name.chars().map(u32::from).fold(0, u32::wrapping_add);
    let colour = ["a", "b", "c", "d"][sum as usize % 4];
    html! { span class={ "avatar " (colour) } aria-hidden="true" { (letter) } }
}

/// What Zoom itself reported has no person's letter.
pub(crate) fn antenna() -> Markup {
    html! { span.avatar aria-hidden="true" { (icon(Icon::Antenna)) } }
}

/// Something that must be read first: a verdict, and what more there is to say.
///
/// What went wrong interrupts a screen reader, what went well waits its turn.
pub(crate) fn note(tone: Tone, verdict: &str, more: &Markup) -> Markup {
    let sign = match tone {
        Tone::Good => Icon::Check,
        Tone::Warn | Tone::Bad => Icon::Warning,
        Tone::Live | Tone::Calm | Tone::Info => Icon::About,
    };
    let role = match tone {
        Tone::Good => Some("status"),
        Tone::Bad => Some("alert"),
        _ => None,
    };
    html! {
        div class={ "note " (tone.class()) } role=[role] {
            (icon(sign))
            div {
                @if more.0.starts_with("<p") || more.0.starts_with("<ul") {
                    @if !verdict.is_empty() { p { b { (verdict) } } }
                    (more)
                } @else {
                    p { @if !verdict.is_empty() { b { (verdict) } " " } (more) }
                }
            }
        }
    }
}

/// Where there is nothing: what is missing, and the one thing that fills it.
pub(crate) fn empty(verdict: &str, more: &Markup) -> Markup {
    html! { div.panel.empty { p { b { (verdict) } } p { (more) } } }
}

/// The state of a stream in one to four words.
pub(crate) fn state_words(told: &StreamContext<'_>) -> (Tone, &'static str) {
    match &told.state {
        _ if told.is_stop_overdue() => (Tone::Warn, "Rehearsal not stopped"),
        State::Starting => (Tone::Warn, "Starting"),
        State::GoingLive { .. } if told.has_reports => (Tone::Warn, "Going live"),
        State::GoingLive { .. } => (Tone::Calm, "Start taken by Zoom"),
        State::Live { .. } => (Tone::Live, "Live"),
        State::Silent { .. } => (Tone::Warn, "Not reported"),
        State::Ending { .. } if told.is_end_overdue() => (Tone::Warn, "End not reported"),
        State::Ending { .. } => (Tone::Calm, "Ending"),
        State::Ended { since, .. } if told.is_rehearsal => match since {
            Some(_) => (Tone::Info, "Rehearsal went live"),
            None => (Tone::Warn, "Rehearsal not seen"),
        },
        State::Ended { how, .. } => match how {
            HowEnded::WithTheMeeting => (Tone::Calm, "Ended with the meeting"),
            HowEnded::Unasked(_) => (Tone::Warn, "Stopped unasked"),
            HowEnded::MarkedBy(_) => (Tone::Calm, "Marked as ended"),
            HowEnded::StoppedBy(_) | HowEnded::FoundOver | HowEnded::NotKnownYet => {
                (Tone::Calm, "Ended")
            }
        },
        State::NotLive => (Tone::Bad, "Not live"),
        State::NotKnown { .. } => (Tone::Calm, "Not known"),
    }
}

/// What is typed in Slack.
pub(crate) fn typed(text: &str) -> Markup {
    html! { code.typed { (text) } }
}

/// A span of time as people say it.
pub(crate) use crate::reply::stream::duration;

/// The reader's clock: what time it is, and in which zone they live.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    pub(crate) now: DateTime<Utc>,
    pub(crate) zone: Tz,
}

impl Clock {
    /// The time now, for somebody whose zone Slack named; in UTC if it did not.
    pub(crate) fn new(zone: Option<Tz>) -> Self {
        Self {
            now: Utc::now(),
            zone: zone.unwrap_or(Tz::UTC),
        }
    }

    /// Today 15:02, Tue 09:30, 14 Oct 2026 09:12.
    pub(crate) fn time(&self, at: DateTime<Utc>) -> Markup {
        let there = at.with_timezone(&self.zone);
        self.element(
            at,
            &format!("{} {}", self.short_day(at), there.format("%H:%M")),
        )
    }

    /// A time that may never have been.
    pub(crate) fn maybe(&self, at: Option<DateTime<Utc>>, otherwise: &str) -> Markup {
        at.map_or_else(|| html! { (otherwise) }, |at| self.time(at))
    }

    /// 15:02, of a day that is named beside it.
    pub(crate) fn hour(&self, at: DateTime<Utc>) -> Markup {
        let there = at.with_timezone(&self.zone);
        self.element(at, &there.format("%H:%M").to_string())
    }

    /// 15:02:07.
    pub(crate) fn second(&self, at: DateTime<Utc>) -> Markup {
        let there = at.with_timezone(&self.zone);
        self.element(at, &there.format("%H:%M:%S").to_string())
    }

    /// 5 min ago, for what happened within the last hours.
    pub(crate) fn ago(&self, at: DateTime<Utc>) -> Markup {
        let span = self.now - at;
        if span < TimeDelta::zero() || span >= TimeDelta::hours(12) {
            return self.time(at);
        }
        if span < TimeDelta::seconds(2) {
            return self.element(at, "just now");
        }
        self.element(at, &format!("{} ago", duration(span)))
    }

    /// Today, Wednesday 25 November; of another year with its number.
    pub(crate) fn day(&self, at: DateTime<Utc>) -> String {
        let there = at.with_timezone(&self.zone).date_naive();
        let today = self.now.with_timezone(&self.zone).date_naive();
        let mut day = String::new();
        match (today - there).num_days() {
            0 => day.push_str("Today, "),
            1 => day.push_str("Yesterday, "),
            _ => {}
        }
        let _ = write!(day, "{}", there.format("%A %-d %B"));
        if there.year() != today.year() {
            let _ = write!(day, " {}", there.year());
        }
        day
    }

    /// Today, Tue, 14 Oct 2026.
    pub(crate) fn short_day(&self, at: DateTime<Utc>) -> String {
        let there = at.with_timezone(&self.zone).date_naive();
        let today = self.now.with_timezone(&self.zone).date_naive();
        match (today - there).num_days() {
            0 => "today".to_owned(),
            1..=6 => there.format("%a").to_string(),
            _ => there.format("%-d %b %Y").to_string(),
        }
    }

    /// Wednesday, 15:49: now, and whose time it is.
    pub(crate) fn told(&self) -> String {
        let there = self.now.with_timezone(&self.zone);
        if self.zone == Tz::UTC {
            format!("{}. Times are in UTC.", there.format("%A, %H:%M"))
        } else {
            let zone = self.zone.name();
            format!("{}. Times are yours: {zone}.", there.format("%A, %H:%M"))
        }
    }

    /// The full time for machines, and for those who point at it.
    #[expect(clippy::unused_self, reason = "beside the others")]
    fn element(&self, at: DateTime<Utc>, words: &str) -> Markup {
        let full = at.format("%Y-%m-%d %H:%M:%S UTC");
        html! { time datetime=(at.format("%Y-%m-%dT%H:%M:%SZ")) title=(full) { (words) } }
    }
}

/// Several things in a line, with a dot between them.
pub(crate) fn dotted(parts: &[Markup]) -> Markup {
    let parts: Vec<_> = parts.iter().filter(|part| !part.0.is_empty()).collect();
    html! {
        @for (index, part) in parts.iter().enumerate() {
            @if index > 0 { (PreEscaped(" · ")) }
            (part)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(now: &str, zone: Tz) -> Clock {
        let now = now.parse().expect("a time");
        Clock { now, zone }
    }

    #[test]
    fn times_are_those_of_the_readers_zone() {
        let clock = clock("2026-11-25T23:30:00Z", Tz::Europe__Berlin);
        for (at, words) in [
            // After midnight in Berlin.
            ("2026-11-25T23:10:00Z", "today 00:10"),
            ("2026-11-25T22:59:00Z", "Wed 23:59"),
            ("2026-11-19T23:00:00Z", "Fri 00:00"),
            ("2026-11-19T22:59:00Z", "19 Nov 2026 23:59"),
            ("2026-11-27T08:00:00Z", "27 Nov 2026 09:00"),
        ] {
            let time = clock.time(at.parse().expect("a time")).0;
            assert!(time.contains(&format!(">{words}</time>")), "{at}: {time}");
            assert!(time.contains(&format!("datetime=\"{at}\"")), "{time}");
        }
        let day = |at: &str| clock.day(at.parse().expect("a time"));
        assert_eq!(day("2026-11-25T23:10:00Z"), "Today, Thursday 26 November");
        assert_eq!(
            day("2026-11-25T12:00:00Z"),
            "Yesterday, Wednesday 25 November"
        );
        assert_eq!(day("2025-12-31T12:00:00Z"), "Wednesday 31 December 2025");
    }

    #[test]
    fn what_happened_just_now_is_told_by_how_long_ago() {
        let clock = clock("2026-11-25T15:00:00Z", Tz::UTC);
        for (at, words) in [
            ("2026-11-25T14:59:59Z", "just now"),
            ("2026-11-25T14:59:19Z", "41 s ago"),
            ("2026-11-25T14:55:00Z", "5 min ago"),
            ("2026-11-25T03:30:00Z", "11 h 30 min ago"),
            ("2026-11-25T02:59:00Z", "today 02:59"),
            ("2026-11-25T15:00:01Z", "today 15:00"),
        ] {
            let ago = clock.ago(at.parse().expect("a time")).0;
            assert!(ago.contains(&format!(">{words}</time>")), "{at}: {ago}");
        }
    }

    #[test]
    fn an_avatar_has_a_letter_of_the_name() {
        for (name, letter) in [("dana", "D"), ("@élise", "É"), ("", ""), ("ßen", "SS")] {
            let avatar = avatar(name).0;
            assert!(avatar.contains(&format!(">{letter}</span>")), "{avatar}");
        }
    }
}
