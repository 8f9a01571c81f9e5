//! `/livestream start 68423085`, typed in Slack, makes a Zoom meeting go live.

pub mod app;
pub mod command;
pub mod config;
pub mod db;
pub mod demo;
pub mod ids;
pub mod linking;
pub mod livestream;
pub mod log;
pub mod manifest;
pub mod meeting;
pub mod outcome;
pub mod postgres;
pub mod reply;
pub mod serve;
pub mod slack;
pub mod vault;
pub mod web;
pub mod worker;
pub mod zoom;
