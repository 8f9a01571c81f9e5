//! What more than one test file uses. `tests/browser`, `tests/campaign` and `benches` include single
//! files of it by `#[path]`; those refer to each other by `super`.

pub(crate) mod admin_browser;
pub(crate) mod audit;
pub(crate) mod browser;
pub(crate) mod counts;
pub(crate) mod database;
pub(crate) mod demo;
pub(crate) mod executable;
pub(crate) mod fixtures;
pub(crate) mod http;
pub(crate) mod install;
pub(crate) mod linking;
pub(crate) mod must_end;
pub(crate) mod postgres;
pub(crate) mod program;
pub(crate) mod queue;
pub(crate) mod replica;
pub(crate) mod requests;
pub(crate) mod slack;
pub(crate) mod statements;
pub(crate) mod world;
