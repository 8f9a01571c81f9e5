//! The house itself: which module may import which, and whether the docs name what exists.

mod docs;
mod layers;
