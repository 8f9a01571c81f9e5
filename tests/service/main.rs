//! The service between its stand-ins: real HTTP over loopback, a real Postgres.

mod admin;
mod binary;
mod buttons;
mod commands;
mod failover;
mod home;
mod hostile;
mod installing;
mod linking;
mod load;
mod manifest;
mod messages;
mod outcomes;
mod people;
mod playground;
mod postgres;
mod scale;
#[path = "../support/mod.rs"]
mod support;
mod tokens;
mod wire;
