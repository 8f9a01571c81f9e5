//! The service between its stand-ins: real HTTP over loopback, a real Postgres.

mod binary;
mod buttons;
mod commands;
mod database;
mod hostile;
mod installing;
mod linking;
mod outcomes;
mod postgres;
mod tokens;
mod world;
