//! The real program, as operators run it.

#[cfg(feature = "otlp")]
mod collector;
mod command_line;
mod crashes;
mod doctor;
mod metrics;
mod replicas;
mod restore;
mod secrets;
mod start;
#[cfg(feature = "otlp")]
mod traces;
