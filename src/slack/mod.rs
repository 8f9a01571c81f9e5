//! Slack: what it sends, how we know that it was Slack, and how it is answered.

pub mod form;
pub mod message;
pub mod respond;
pub mod sign_in;
