//! Zoom: the one call we are here for, and the tokens it takes.

pub mod answer;
pub mod client;
pub mod oauth;

pub use client::Client;
