//! The whole product on one machine: the real service, a real database, and stand-ins
//! for Slack and Zoom. Nothing in the service knows that it is a demo.

mod admin;
mod browser;
mod cli;
mod clock;
mod emoji;
mod knobs;
mod page;
mod params;
mod parts;
mod people;
mod playground;
mod signature;
pub mod slack;
mod tour;
pub mod wire;
mod world;
pub mod zoom;

pub use self::cli::{Options, run};
pub use self::people::{ADA, BEN, DANA, ELI, FAY, GUS, HAL, PEOPLE, Person};
pub use self::world::{World, config};
