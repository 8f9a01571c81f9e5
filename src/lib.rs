//! `/livestream start 68423085`, typed in Slack, makes a Zoom meeting go live, and the
//! channel is told in plain words what happened.
//!
//! # One command, through the files
//!
//! 1. Slack posts a form to `/slack/commands`. [`web`] has every route on one screen;
//!    `web/slack.rs` caps the body, and [`signature`] verifies it as it came.
//! 2. Only then is it parsed: the form in [`slack::form`], its text in [`command`], the
//!    meeting in it, however it was pasted, in [`meeting`].
//! 3. Help, a mistake, or a person without a link is answered at once and alone, in the
//!    words of [`reply`]; nothing is recorded.
//! 4. A request is recorded and put into the queue by one statement,
//!    [`db::commands::record`]. Once it is committed, Slack is answered, well within its 3 s.
//! 5. In any replica, [`worker`] takes the job and hands its command to
//!    [`livestream::advance`]: the job this program is here for.
//! 6. It asks [`tokens::fresh_token`] for the asker's Zoom token; [`vault`] opens it,
//!    and if it is about to expire it is refreshed first, by one replica at a time.
//! 7. It notes that it is about to ask ([`db::commands::begin_attempt`]), so that a crash in
//!    mid-call is known as one, and [`zoom::Client`] asks Zoom. [`zoom::answer`] says what
//!    the answer means: an [`outcome::Outcome`], or that one more try makes sense.
//! 8. The outcome is committed, put into words by [`reply`], and posted to the command's
//!    `response_url` by [`slack::respond`]: up to five times, until Slack has it.
//!
//! A job holds a command's number and nothing else. The command's row says how far it
//! has come, so whoever takes the job after a crash goes on from there.
//!
//! # One link
//!
//! `connect` is read like any command, and answered by [`link::offer`] with a one-time
//! link for one person's eyes. Each request of the [`browser`] that opens it is a route in
//! `web/link.rs` and a step in [`linking`], in this order: `open`, `slack_callback` (with
//! [`slack::sign_in`]), `zoom_callback` (with [`zoom::oauth`]), `question`, and `confirm` or
//! `cancel`. The pages are in `web/pages.rs`.
//!
//! # What else Slack sends
//!
//! A pressed button is a typed command of whoever pressed it; it comes by
//! `/slack/interactivity`, goes the same way, and takes the buttons off the message it was
//! under. Installing and leaving are in [`installing`]: the routes of `web/install.rs` and
//! the events of `web/events.rs` lead there. Where an installation gave us a token, [`bot`]
//! speaks with it through [`slack::web_api`]: [`people`] asks who a guest is, [`home`] shows
//! each person their App Home. Without one, commands do as well. What need not be done at
//! once is a job: [`db::jobs`].
//!
//! # For admins
//!
//! [`admin`] knows who is one and what they may do; its pages are the routes of
//! `web/admin.rs`. What they allow is judged by [`rules`] in step 6, before there is a token.
//!
//! # Around it
//!
//! [`config`] is the only reader of the environment, [`app`] is what requests and jobs
//! may reach, [`http`] is how we call others, [`serve`] runs listener and worker until it is
//! told to stop, [`metrics`] counts, [`import`] takes links from elsewhere. [`postgres`] runs a private server
//! for those who bring none. [`demo`] puts the real service between stand-ins for Slack and
//! Zoom, with a playground before them; the tests use the same stand-ins.

pub mod account;
pub mod admin;
pub mod app;
pub mod command;
pub mod config;
pub mod crypto;
pub mod db;
#[cfg(feature = "demo")]
pub mod demo;
pub mod http;
pub mod ids;
pub mod livestream;
pub mod manifest;
pub mod postgres;
pub mod reply;
pub mod serve;
pub mod slack;
pub mod telemetry;
pub mod web;
pub mod worker;
pub mod workspace;
pub mod zoom;
