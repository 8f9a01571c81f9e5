//! The people of the demo's workspace.

/// Somebody in the demo's workspace.
#[derive(Debug, Clone, Copy)]
pub struct Person {
    pub name: &'static str,
    pub slack: &'static str,
    pub zoom: &'static str,
    pub email: &'static str,
}

pub const DANA: Person = Person {
    name: "Dana",
    slack: "U0DANA",
    zoom: "zoom-dana",
    email: "dana@acme.example",
};
pub const ELI: Person = Person {
    name: "Eli",
    slack: "U0ELI",
    zoom: "zoom-eli",
    email: "eli@acme.example",
};
/// Never linked, though she has a Zoom account.
pub const FAY: Person = Person {
    name: "Fay",
    slack: "U0FAY",
    zoom: "zoom-fay",
    email: "fay@acme.example",
};
/// From outside, in some channels of the workspace.
pub const GUS: Person = Person {
    name: "Gus",
    slack: "U0GUS",
    zoom: "zoom-gus",
    email: "gus@elsewhere.example",
};
/// Never linked: Ben's team shares a Zoom account.
pub const BEN: Person = Person {
    name: "Ben",
    slack: "U0BEN",
    zoom: "zoom-ben",
    email: "ben@acme.example",
};
/// An admin of the workspace.
pub const ADA: Person = Person {
    name: "Ada",
    slack: "U0ADA",
    zoom: "zoom-ada",
    email: "ada@acme.example",
};
/// Linked once; his permission was withdrawn at Zoom since.
pub const HAL: Person = Person {
    name: "Hal",
    slack: "U0HAL",
    zoom: "zoom-hal",
    email: "hal@acme.example",
};
/// Everybody.
pub const PEOPLE: [Person; 7] = [ADA, BEN, DANA, ELI, FAY, GUS, HAL];
