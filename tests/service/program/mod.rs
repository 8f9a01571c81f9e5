//! The real program, as operators run it.

mod command_line;
mod crashes;
mod doctor;
mod metrics;
mod replicas;
mod restore;
mod secrets;
mod start;
