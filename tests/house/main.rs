//! The house itself: which module may import which, whether the docs name what exists,
//! and whether the alerts are explained and tested.

mod alerts;
mod docs;
mod layers;
