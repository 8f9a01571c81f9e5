//! A Slack workspace: installing the app, its bot, its people, and their App Home.

pub mod bot;
pub mod home;
pub mod install;
pub mod people;
