//! The executable under test.

use std::path::Path;

/// The path of the program.
pub(crate) fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_livestream-bot"))
}
