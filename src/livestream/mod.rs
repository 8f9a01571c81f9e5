//! What this program is here for: taking a command, deciding whether it is allowed, and
//! carrying it out at Zoom.

pub mod accept;
pub mod card;
mod check;
pub mod destination;
pub mod events;
pub mod forecast;
pub mod home;
mod look_up;
mod on_air;
pub mod picker;
pub mod policy;
mod rehearsal;
pub mod run;
