//! The tour's steps and the links to scenes, as the page shows them.

use maud::{Markup, html};

use super::mrkdwn::mrkdwn;
use super::scenes::{self, Scene, Side};
use super::state::Playground;
use super::viewer::Viewer;
use crate::demo::knobs::{REPORTS, TARGETS};
use crate::web::parts::{Icon, Tone, chevron, icon, tick};

impl Playground {
    /// The tour, where the step points at something on this side.
    pub(super) fn coach(&self, viewer: &Viewer, side: Side) -> Markup {
        let Some(step) = viewer.step.filter(|step| step.target.side() == side) else {
            return html! { div {} };
        };
        let (at, count) = (step.position().map_or(0, |at| at + 1), scenes::TOUR.len());
        let is_done = (step.is_done)(self);
        let next = step.next();
        let end = viewer.on(None).address();
        html! {
            details.coach open data-step=(step.name) data-side=(side.name()) data-target=(step.target.name()) {
                summary {
                    span.small.nowrap { span.hidden { "Step " } @if at > 0 { (at) " of " (count) } @else { "Scene" } }
                    h2 { (step.title) }
                    @if is_done { (tick(Tone::Good, "Done")) }
                    span.dots.far aria-hidden="true" { @for dot in 1..=count { i.on[dot <= at] {} } }
                    (chevron())
                    i.tip aria-hidden="true" {}
                }
                p { (mrkdwn(step.text)) }
                div.actions {
                    form.contents method="post" action="/do" {
                        input type="hidden" name="do" value="play";
                        input type="hidden" name="scene" value=(step.name);
                        input type="hidden" name="tour" value="on";
                        button class={ "button" (if is_done { "" } else { " primary" }) } { "Do it for me" }
                    }
                    @if let Some(next) = next {
                        a class={ "button" (if is_done { " primary" } else { "" }) } href=(Viewer::of(next, true).address()) data-goes { "Next" }
                    }
                    a.button.bare href=(Viewer::of(scenes::first(), true).address()) data-goes { "Start again" }
                    a.button.bare href=(end) data-goes { "End tour" }
                    a.button.bare.push href={ "/?scene=" (step.name) } data-copies title="Copy link" { (icon(Icon::Tied)) span.hidden { "Copy link" } }
                }
            }
        }
    }
}

/// What a link to a scene would set; only the button sets it.
pub(super) fn scene_panel(scene: &Result<&'static Scene, &str>) -> Markup {
    let scene = match scene {
        Ok(scene) => *scene,
        Err(name) => {
            return html! {
                section.scene aria-labelledby="scene-title" {
                    h2 id="scene-title" { "There is no scene “" (name) "”" }
                    p { "Nothing was changed. These are the scenes:" }
                    ul.scenes {
                        @for scene in scenes::all() {
                            li { a href={ "/?scene=" (scene.name) } { (scene.name) } " " span.muted { (scene.title) } }
                        }
                    }
                    div.actions { a.button href="/" { "Leave it" } }
                }
            };
        }
    };
    let knobs = || {
        let targets = TARGETS.iter().flat_map(|target| {
            let knobs = target.knobs.iter();
            knobs.map(move |knob| {
                (
                    knob.name,
                    format!("Zoom fails the {}: “{}”, once", target.next, knob.label),
                )
            })
        });
        let reports = REPORTS
            .iter()
            .map(|knob| (knob.name, format!("Zoom’s reports come {}", knob.label)));
        targets.chain(reports)
    };
    html! {
        section.scene aria-labelledby="scene-title" {
            h2 id="scene-title" { "Scene: " (scene.title) }
            p { "Nothing has been changed yet. This link sets:" }
            dl.pairs {
                dt { "You are" } dd { (scene.who.name) ", in #town-hall" }
                dt { "Faults" }
                dd {
                    @if scene.faults.is_empty() { "None; those that are armed are disarmed" }
                    @for (name, words) in knobs() { @if scene.faults.contains(&name) { (words) } }
                }
                dt { "Steps" }
                dd { ol.points { @for step in scene.steps { li { (mrkdwn(&step.sentence())) } } } }
            }
            p.small.muted { "What is so already is not done again." }
            div.actions {
                form.contents method="post" action="/do" {
                    input type="hidden" name="do" value="play";
                    input type="hidden" name="scene" value=(scene.name);
                    button.button.primary { "Set this scene" }
                }
                a.button href={ "/?scene=" (scene.name) } data-copies { "Copy link" }
                a.button.bare href="/" { "Leave it" }
            }
        }
    }
}
