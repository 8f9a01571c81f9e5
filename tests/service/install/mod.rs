//! Installing and uninstalling the app.

mod installation;
mod leaving;
