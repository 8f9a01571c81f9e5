//! Installing and uninstalling the app.

mod again;
mod installation;
mod leaving;
