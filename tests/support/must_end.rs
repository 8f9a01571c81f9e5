//! What makes it impossible to forget the checks at the end of a test.

use std::thread;

/// Fails the test if it is dropped before it has [ended](Self::ended). A test that is failing
/// already is left alone.
#[derive(Debug)]
pub(crate) struct MustEnd {
    what: &'static str,
    has_ended: bool,
}

impl MustEnd {
    pub(crate) fn new(what: &'static str) -> Self {
        Self {
            what,
            has_ended: false,
        }
    }

    /// All checks were made.
    pub(crate) fn ended(mut self) {
        self.has_ended = true;
    }
}

impl Drop for MustEnd {
    fn drop(&mut self) {
        assert!(
            self.has_ended || thread::panicking(),
            "the test forgot to call `end` on its {}",
            self.what
        );
    }
}
