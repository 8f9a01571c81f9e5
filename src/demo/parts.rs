//! `/parts`: every part that pages are made of, in every state, for whoever changes how they look.

use chrono::{DateTime, TimeDelta, Utc};
use maud::{DOCTYPE, Markup, html};
use strum::VariantArray;

use crate::ids::{Asker, ChannelId, SlackUserId, TeamId};
use crate::reply::stream::{Part, StreamContext, name, sentence};
use crate::stream::state::{HowEnded, State};
use crate::web::parts::{
    Clock, Icon, Tone, antenna, avatar, badge, chevron, empty, icon, note, state_words, tick, typed,
};

/// The whole page; it changes nothing and knows nobody.
pub(super) fn page() -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { "Parts · Livestream Bot Playground" }
                link rel="icon" type="image/svg+xml" href="/mark.svg";
                link rel="stylesheet" href="/style.css";
            }
            body {
                div.page.big {
                    header {
                        a.brand href="/" { (crate::web::parts::mark(28)) " Livestream Bot" }
                        a.button.bare href="/" { "Playground" }
                    }
                    main.contents {
                        div.intro {
                            h1 { "Parts" }
                            p.lead { "Every state of a show, and every part that pages are made of. In Slack the same words \
                                stand, with a sign in place of the badge." }
                        }
                        (streams())
                        (signs())
                        (buttons())
                        (notes())
                        (fields())
                        (rows())
                        (nothing())
                    }
                }
            }
        }
    }
}

fn section(id: &str, title: &str, content: &Markup) -> Markup {
    html! { section.section aria-labelledby=(id) { h2 id=(id) { (title) } (content) } }
}

/// Each state of a stream, with what is said of it.
fn states(at: DateTime<Utc>) -> Vec<(State, bool)> {
    let end = at + TimeDelta::minutes(47);
    let dana = || Some(SlackUserId::new("Dana"));
    let ended = |how| State::Ended {
        since: Some(at),
        at: end,
        how,
    };
    vec![
        (State::Starting, false),
        (State::GoingLive { taken: at }, false),
        (State::Live { since: at }, false),
        (State::Silent { taken: at }, false),
        (
            State::Ending {
                since: Some(at),
                taken: end,
                by: dana(),
            },
            false,
        ),
        (ended(HowEnded::StoppedBy(dana())), false),
        (ended(HowEnded::WithTheMeeting), false),
        (ended(HowEnded::Unasked(None)), false),
        (ended(HowEnded::MarkedBy(dana())), false),
        (State::NotLive, false),
        (
            State::NotKnown {
                since: at,
                is_over: true,
            },
            false,
        ),
        (ended(HowEnded::StoppedBy(None)), true),
    ]
}

fn streams() -> Markup {
    let at: DateTime<Utc> = DateTime::from_timestamp(1_795_615_320, 0).unwrap_or_default();
    let clock = Clock {
        now: at + TimeDelta::minutes(48),
        zone: chrono_tz::Europe::Berlin,
    };
    let starter = Asker {
        enterprise: None,
        team: TeamId::new("T0ACME"),
        user: SlackUserId::new("Dana"),
    };
    let channel = ChannelId::new("C0TOWNHALL");
    let Ok(meeting) = "68423085".parse() else {
        return html! {};
    };
    let cards = states(at).into_iter().map(|(state, is_rehearsal)| {
        let told = StreamContext {
            meeting,
            topic: Some("Town Hall"),
            kind: None,
            page: None,
            destination: None,
            settings: None,
            is_rehearsal,
            starter: &starter,
            channel: &channel,
            state,
            stops: None,
            is_taken: true,
            has_reports: true,
            now: clock.now,
        };
        let (tone, words) = state_words(&told);
        let class = if tone == Tone::Live {
            "card on"
        } else {
            "card"
        };
        html! {
            article class=(class) {
                div.head { (badge(tone, words)) h3 { (name(&told)) } }
                p {
                    @for part in sentence(&told) {
                        @match part {
                            Part::Strong(text) => b { (text) },
                            Part::Text(text) => (text),
                            Part::Time(at) => (clock.hour(at)),
                            Part::Person(person) => { "@" (person) },
                        }
                    }
                }
            }
        }
    });
    section(
        "states",
        "A show, in every state",
        &html! { div.sheet { @for card in cards { (card) } } },
    )
}

fn signs() -> Markup {
    let tones = [
        Tone::Live,
        Tone::Good,
        Tone::Warn,
        Tone::Bad,
        Tone::Calm,
        Tone::Info,
    ];
    section(
        "signs",
        "Badges, ticks, pictures",
        &html! {
            div.actions { @for tone in tones { (badge(tone, tone.class())) } }
            div.actions {
                (tick(Tone::Good, "Yes")) (tick(Tone::Bad, "No")) (tick(Tone::Warn, "Look at it")) (tick(Tone::Calm, "Can't tell"))
                (avatar("Dana")) (avatar("Eli")) (avatar("Fay")) (avatar("Hal")) (antenna())
            }
            div.actions { @for sign in Icon::VARIANTS { (icon(*sign)) } }
        },
    )
}

fn buttons() -> Markup {
    section(
        "buttons",
        "Buttons",
        &html! {
            div.actions {
                button.button.primary type="button" { "Primary, one a page" }
                button.button type="button" { "Ordinary" }
                button.button.stop type="button" { "Stop …" }
                button.button.bare type="button" { "Quiet" }
                button.button type="button" disabled { "Not now" }
            }
        },
    )
}

fn notes() -> Markup {
    section(
        "notes",
        "Notes",
        &html! {
            (note(Tone::Good, "Rules saved.", &html! { "They hold from now on." }))
            (note(Tone::Info, "", &html! { "Something worth knowing, and nothing to do." }))
            (note(Tone::Warn, "", &html! { "Slack does not answer, so names may be old. " a href="#notes" { "Try again" } }))
            (note(Tone::Bad, "Nothing was saved.", &html! { ul.points { li { a href="#wrong" { "Enter a whole number." } } } }))
        },
    )
}

fn fields() -> Markup {
    section(
        "fields",
        "Fields",
        &html! {
            div.split {
                div.field {
                    label for="wrong" { "More than" }
                    input #wrong value="many" aria-invalid="true" aria-describedby="wrong-problem";
                    p #wrong-problem.error { "Enter a whole number." }
                }
                div.field {
                    label for="right" { "More than" }
                    input #right value="200" aria-describedby="right-hint";
                    p #right-hint.hint { "members" }
                }
            }
            fieldset {
                legend { "Who may go live" }
                div.choice {
                    input #everybody type="radio" name="who" value="everybody";
                    label for="everybody" { "Everybody who has linked a Zoom account" }
                }
                div.choice {
                    input #named type="radio" name="who" value="named" checked;
                    label for="named" { "Only these people" }
                    div.more {
                        div.picked {
                            label { input type="checkbox" name="people" value="Dana" checked; " Dana" }
                            label { input type="checkbox" name="people" value="Hal"; " Hal" }
                        }
                        div.field {
                            label for="add" { "Add people" }
                            div.add { input #add placeholder="Name or Slack id"; button.button type="button" { "Add" } }
                        }
                    }
                }
            }
            div.pills role="radiogroup" aria-label="Kind" {
                label { input type="radio" name="kind" value="" checked; " All" }
                label { input type="radio" name="kind" value="shows"; " Shows" }
                label { input type="radio" name="kind" value="links"; " Links" }
            }
        },
    )
}

fn rows() -> Markup {
    section(
        "rows",
        "Rows, and what opens",
        &html! {
            ul.rows.panel {
                li {
                    (tick(Tone::Bad, "Fails:"))
                    div.grow { b { "Eli" } ": custom streaming is off in Zoom" p { "Eli or a Zoom admin switches it on." } }
                    button.button type="button" { "See how" }
                }
                li {
                    (tick(Tone::Good, "Works:"))
                    div.grow { b { "Dana" } p { "Worked 5 min ago" } }
                    (badge(Tone::Good, "Ready"))
                }
            }
            div.panel {
                h3.day { "Today, Wednesday 25 November" }
                details.entry {
                    summary {
                        time { "15:01" } (avatar("Dana"))
                        span.what { b { "Dana" } " started " b { "Town Hall" } br; small.muted { "in #town-hall" } }
                        span.end { (badge(Tone::Good, "Accepted")) }
                        (chevron())
                    }
                    div.detail { dl.pairs { dt { "Typed" } dd { code { "/livestream start 68423085" } } dt { "Took" } dd { "1.2 s" } } }
                }
            }
            ol.facts.panel.pad aria-label="What is known" {
                li { i {} b { "Asked" } time { "15:01:58" } }
                li { i {} b { "Zoom took it" } time { "15:01:59" } }
                li.on { i {} b { "On air" } time { "15:02:07" } }
                li.wait { i {} b { "Off air" } "not reported yet" }
            }
        },
    )
}

fn nothing() -> Markup {
    section(
        "nothing",
        "Nothing yet, and waiting",
        &html! {
            div.split {
                (empty("Nothing is live.", &html! { "Shows appear here when somebody types " (typed("/livestream start")) "." }))
                (empty("No entry matches.", &html! { a href="#nothing" { "Show everything" } }))
            }
            div.panel.pad.section aria-busy="true" {
                p.small.muted { "Asking Zoom about Eli's account. This takes up to 8 seconds." }
                div.waiting {}
            }
        },
    )
}
