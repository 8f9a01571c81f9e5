//! Linking an account.

mod accounts;
mod attacks;
mod cancelling;
mod consents;
mod failures;
mod flow;
