//! The admin's pages.

mod activity;
mod asking;
mod filters;
mod forms;
mod health;
mod isolation;
mod names;
mod people;
mod preview;
mod rules;
mod scale;
mod shared_account;
mod sign_in;
