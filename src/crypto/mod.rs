//! What keeps secrets and proves origins.

pub mod browser;
pub mod signature;
pub mod vault;
