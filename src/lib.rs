//! `/livestream start 68423085`, typed in Slack, makes a Zoom meeting go live, and the
//! channel is told in plain words what happened.
//!
//! # One command, through the files
//!
//! 1. Slack posts a form to `/slack/commands`. [`web`] has every route on one screen;
//!    `web/signed.rs` limits the body and verifies it as it came ([`crypto::signature`]).
//! 2. Only then is it parsed: the form in [`slack::form`], its text in [`command`], the
//!    meeting in it, however it was pasted, in [`command::meeting`].
//! 3. [`livestream::accept`] decides what becomes of it. Help, a mistake, or a person without a
//!    link is answered at once and alone, with a sentence of [`reply`].
//! 4. A start or a stop is recorded and queued by one statement, [`db::commands::record`]. Once
//!    it is committed, Slack is answered, well within its 3 s.
//! 5. In any replica, [`worker`] takes the job and hands its command to
//!    [`livestream::run::run`].
//! 6. [`livestream::policy`] asks whether this person may do this here.
//!    [`account::tokens::fresh_token`] opens their Zoom token, and if it is about to expire
//!    refreshes it first, by one replica at a time.
//! 7. [`db::commands::begin_attempt`] notes that Zoom is about to be asked, so that a crash in
//!    the middle of a call is known as one, and [`zoom::livestream`] asks. [`zoom::answer`]
//!    says what the answer means: an [`Outcome`](command::outcome::Outcome), or that one more
//!    attempt makes sense.
//! 8. The outcome is committed, put into words by [`reply::outcomes`], and posted to the
//!    command's `response_url` by [`slack::respond`]: up to five times, until Slack accepts it.
//!
//! A job holds a command's number and nothing else. The command's row says how far it has
//! come, so whoever takes the job after a crash goes on from there.
//!
//! # One link
//!
//! `connect` is parsed like any command, and answered by [`account::offer::offer`] with a
//! one-time link. Each request of the browser that opens it is a route in `web/link.rs` and a
//! step: `open`, `slack_callback` and `zoom_callback` in [`account::link`], then `view`
//! and `confirm` or `cancel` in [`account::confirm`]. [`account::unlink`] ends links.
//!
//! # What else Slack sends
//!
//! A pressed button is a typed command of whoever pressed it; it comes by
//! `/slack/interactivity` and goes the same way. [`workspace::install`] is about installing and
//! uninstalling. Where an installation gave us a token, [`workspace::bot`] calls
//! [`slack::web_api`]: [`workspace::people`] asks who is a guest or an admin, and
//! [`workspace::home`] publishes each person's App Home. What need not be done at once is a job
//! of [`db::jobs`] with a handler in [`worker`].
//!
//! # For admins
//!
//! [`admin`] knows what admins may do; `web/admin/` has their pages, each beside its handlers.
//!
//! # Around it
//!
//! [`doctor`] looks for what is wrong with the whole, for operators and for admins.
//!
//! [`config`] is the only reader of the environment, [`app`] is what requests and jobs may
//! reach, [`http`] is how we call others, [`serve`] runs listener and worker until it is told
//! to stop, [`telemetry`] logs, counts and exports the spans of [`trace`], [`postgres`] runs a private server for those who
//! bring none. [`demo`] puts the real service between stand-ins for Slack and Zoom, with a
//! playground before them; the tests use the same stand-ins.
//!
//! Imports run one way, from [`web`], [`worker`] and [`demo`] down to [`db`] and [`ids`]: see
//! `docs/architecture.md` for the layers, and `docs/contributing.md` for where to put what.

pub mod account;
pub mod admin;
pub mod app;
pub mod command;
pub mod config;
pub mod crypto;
pub mod db;
#[cfg(feature = "demo")]
pub mod demo;
pub mod destination;
pub mod doctor;
pub mod http;
pub mod ids;
pub mod livestream;
pub mod manifest;
pub mod postgres;
pub mod reply;
pub mod serve;
pub mod slack;
pub mod stream;
pub mod telemetry;
pub mod trace;
pub mod web;
pub mod worker;
pub mod workspace;
pub mod zoom;
