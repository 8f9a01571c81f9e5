//! Linking an account.

mod accounts;
mod again;
mod attacks;
mod cancelling;
mod consents;
mod failures;
mod flow;
