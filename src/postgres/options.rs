//! How a server is run.

/// The one role of a private server: whoever reaches its socket may do everything.
pub(super) const SUPERUSER: &str = "livestream";

/// Names the socket. It is said to both sides, so that `PGPORT` makes no difference.
pub(super) const PORT: u16 = 5432;

/// How much a crash of the machine may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Nothing that was committed.
    Durable,
    /// Everything: for tests.
    Throwaway,
}
