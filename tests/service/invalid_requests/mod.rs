//! Requests that Slack would not send.

mod forms;
mod limits;
mod refusals;
mod signatures;
