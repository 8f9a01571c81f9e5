//! Linking an account.

mod accounts;
mod attacks;
mod cancelling;
mod failures;
mod flow;
