//! How a server is run.

/// The one role of a private server: whoever reaches its socket may do everything.
pub(super) const SUPERUSER: &str = "livestream";

/// How much a crash of the machine may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Nothing that was committed.
    Durable,
    /// Everything: for tests.
    Throwaway,
}
