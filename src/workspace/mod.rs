//! A Slack workspace: installing the app, its bot, its people and channels, and the App Home.

pub mod bot;
pub mod directory;
pub mod home;
pub mod install;
pub mod names;
pub mod people;
