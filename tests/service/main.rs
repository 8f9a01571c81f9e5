//! The service between its stand-ins: real HTTP over loopback, a real Postgres.

mod admin;
mod audit;
mod binary;
mod buttons;
mod commands;
mod database;
mod demo;
mod failover;
mod home;
mod hostile;
mod installing;
mod jobs;
mod linking;
mod load;
mod manifest;
mod messages;
mod migrations;
mod outcomes;
mod people;
mod playground;
mod postgres;
mod scale;
mod tokens;
mod wire;
mod world;
