//! What keeps secrets and proves origins.

pub mod browser;
pub(crate) mod hmac;
pub mod signature;
pub mod vault;
