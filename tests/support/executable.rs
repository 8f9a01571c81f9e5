//! The program, as the tests run it.

use std::path::Path;

/// This program, as the tests run it.
pub(crate) fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_livestream-bot"))
}
