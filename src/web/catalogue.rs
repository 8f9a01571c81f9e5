//! Everything the pages say, as a person reads it, in reviewed snapshots: see
//! [`crate::reply`]'s catalogue, which has the messages in Slack.

use std::fmt::Write;

use axum::http::StatusCode;
use maud::Markup;
use strum::VariantArray;

use crate::account::confirm::{Cancelled, Linked};
use crate::account::link_error::LinkError;
use crate::admin::AdminError;
use crate::db::link_sessions::Confirmation;
use crate::ids::{TeamId, Tenant};
use crate::reply::catalogue::{replies, snapshot};
use crate::web::admin::error::closed;
use crate::web::pages;
use crate::web::refusals::{not_for_people, refused};
use crate::workspace::install::{InstallError, Installed};

/// How wide a line of text is, in characters.
const WIDTH: usize = 100;

#[derive(Default)]
struct Catalogue(String);

impl Catalogue {
    fn page(&mut self, title: &str, markup: &Markup) {
        // The renderer leaves out lists of terms, and puts buttons side by side without a space.
        let html = [
            ("dl>", "div>"),
            ("dt>", "p>"),
            ("dd>", "p>"),
            ("</button>", "</button><br>"),
        ]
        .iter()
        .fold(markup.0.clone(), |html, (from, to)| html.replace(from, to));
        let text = html2text::config::plain()
            .string_from_read(html.as_bytes(), WIDTH)
            .expect("HTML");
        writeln!(self.0, "── {title}\n{}\n", text.trim_end()).expect("a string");
    }
}

fn confirmation() -> Confirmation {
    Confirmation {
        slack_name: "Dana".to_owned(),
        slack_team: "Acme".to_owned(),
        email: "dana@acme.example".to_owned(),
        is_basic: false,
        replaces: None,
        is_shared: false,
        shared_with: 0,
    }
}

#[test]
fn catalogue_of_linking_pages() {
    let mut catalogue = Catalogue::default();
    let words = &replies();
    let variations = [
        ("confirm", confirmation()),
        (
            "confirm, everything to warn of",
            Confirmation {
                is_basic: true,
                replaces: Some("old@acme.example".to_owned()),
                shared_with: 1,
                ..confirmation()
            },
        ),
        (
            "confirm, for the workspace",
            Confirmation {
                is_shared: true,
                shared_with: 3,
                ..confirmation()
            },
        ),
    ];
    for (title, confirmation) in variations {
        catalogue.page(title, &pages::confirm(words, &confirmation, "csrf"));
    }
    for (is_shared, has_command) in [(false, true), (false, false), (true, false)] {
        let linked = Linked {
            slack_name: "Dana".to_owned(),
            email: "dana@acme.example".to_owned(),
            is_shared,
            has_command,
        };
        let title = format!("linked, shared: {is_shared}, typed before: {has_command}");
        catalogue.page(&title, &pages::linked(words, &linked));
    }
    for cancelled in Cancelled::VARIANTS {
        let title = format!("cancelled: {cancelled:?}");
        catalogue.page(&title, &pages::cancelled(words, *cancelled));
    }
    for error in [
        LinkError::NoOffer,
        LinkError::NoSession,
        LinkError::SomebodyElse,
        LinkError::Declined("Zoom"),
        LinkError::VendorFailed("Zoom"),
        LinkError::ScopeMissing("user:read:user".to_owned()),
        LinkError::ZoomRefused("Invalid authorization code (invalid_grant)".to_owned()),
        LinkError::NotAdmin,
        LinkError::Superseded,
        LinkError::PermissionEnded,
        LinkError::EndedSince,
        LinkError::Interrupted,
        LinkError::Unreadable,
        LinkError::NotSetUp,
        LinkError::Database(sqlx::Error::PoolTimedOut),
    ] {
        let title = format!("stopped: {error}");
        catalogue.page(&title, &pages::stopped(words, &error));
    }
    snapshot("pages_linking", &catalogue.0);
}

#[test]
fn catalogue_of_install_pages() {
    let mut catalogue = Catalogue::default();
    for add_to_workspaces in [None, Some("https://app.slack.com/manage/E0".to_owned())] {
        let installed = Installed {
            tenant: Tenant::Workspace(None, TeamId::new("T0ACME")),
            name: "Acme".to_owned(),
            add_to_workspaces,
        };
        catalogue.page("installed", &pages::installed(&replies(), &installed));
    }
    for error in [
        InstallError::NoSession,
        InstallError::Declined,
        InstallError::SlackFailed,
        InstallError::ScopesMissing(vec!["commands".to_owned(), "users:read".to_owned()]),
        InstallError::RemovedSince,
        InstallError::Interrupted,
        InstallError::NotSetUp,
        InstallError::Database(sqlx::Error::PoolTimedOut),
    ] {
        let title = format!("not installed: {error}");
        catalogue.page(&title, &pages::not_installed(&error));
    }
    snapshot("pages_install", &catalogue.0);
}

#[test]
fn catalogue_of_admin_errors() {
    let mut catalogue = Catalogue::default();
    for error in [
        AdminError::NoSession,
        AdminError::StaleForm,
        AdminError::NotAdmin,
        AdminError::Declined,
        AdminError::CannotTell,
        AdminError::CannotAsk,
        AdminError::Interrupted,
        AdminError::NotSetUp,
        AdminError::Nobody,
        AdminError::Database(sqlx::Error::PoolTimedOut),
    ] {
        catalogue.page(&format!("not shown: {error}"), &closed(&error));
    }
    snapshot("pages_admin_errors", &catalogue.0);
}

#[test]
fn catalogue_of_refusals() {
    let mut catalogue = Catalogue::default();
    let words = &replies();
    for has_pages in [true, false] {
        let title = format!("came back wrong, with pages: {has_pages}");
        catalogue.page(&title, &pages::cannot_continue(words, has_pages));
    }
    catalogue.page("under way", &pages::under_way());
    for (status, is_admin) in [
        (StatusCode::BAD_REQUEST, false),
        (StatusCode::NOT_FOUND, false),
        (StatusCode::METHOD_NOT_ALLOWED, true),
        (StatusCode::REQUEST_TIMEOUT, false),
        (StatusCode::PAYLOAD_TOO_LARGE, true),
        (StatusCode::INTERNAL_SERVER_ERROR, false),
        (StatusCode::SERVICE_UNAVAILABLE, false),
    ] {
        catalogue.page(&format!("refused: {status}"), &refused(status, is_admin));
    }
    catalogue.page("for machines", &not_for_people());
    snapshot("pages_refusals", &catalogue.0);
}
