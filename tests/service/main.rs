//! The service between the stand-ins for Slack and Zoom, over real HTTP and with a real Postgres.
//! What more than one file needs is in `tests/support`.

mod admin;
mod answers;
mod audit;
mod buttons;
mod check;
mod commands;
mod costs;
mod destinations;
mod destinations_pages;
mod events;
mod failover;
mod hang_ups;
mod history;
mod home;
mod install;
mod invalid_requests;
mod jobs;
mod key_rotation;
mod linking;
mod load;
mod manifest;
mod messages;
mod migrations;
mod outages;
mod outcomes;
mod pasting;
mod people;
mod picker;
mod playground;
mod postgres;
mod program;
mod queue;
mod rehearsals;
mod standing;
mod starter;
mod status;
mod stream_ends;
mod stream_trouble;
mod streams;
#[path = "../support/mod.rs"]
mod support;
mod tokens;
mod versions;
mod wire;
mod withdrawals;
