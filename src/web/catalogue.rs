//! Everything the pages say, as a person reads it, in reviewed snapshots: see
//! [`crate::reply`]'s catalogue, which has the messages in Slack.

use std::fmt::Write;

use axum::http::StatusCode;
use chrono_tz::Tz;
use maud::Markup;
use strum::VariantArray;

use crate::account::confirm::{Cancelled, Linked};
use crate::account::link_error::LinkError;
use crate::admin::{Admin, AdminError};
use crate::db::destinations::{Carried, Destination, Fields, UsedBy};
use crate::db::link_sessions::Confirmation;
use crate::destination::Resolution;
use crate::ids::{Asker, ChannelId, DestinationId, SlackUserId, TeamId, Tenant};
use crate::reply::catalogue::{replies, snapshot};
use crate::web::admin::destinations_form::DestinationForm;
use crate::web::admin::destinations_view::{Notice, View};
use crate::web::admin::error::End;
use crate::web::admin::layout::Shell;
use crate::web::admin::picker::Suggestions;
use crate::web::pages;
use crate::web::parts::Clock;
use crate::web::refusals::{not_for_people, refused};
use crate::workspace::install::{InstallError, Installed};
use crate::workspace::names::Names;

/// An address in Slack.
const BACK: &str = "https://slack.com/app_redirect?team=T0ACME&app=A0LIVE";
/// How wide a line of text is, in characters.
const WIDTH: usize = 100;

#[derive(Default)]
struct Catalogue(String);

impl Catalogue {
    fn page(&mut self, title: &str, markup: &Markup) {
        // What is above every page says nothing of this one.
        let (_, below) = markup.0.split_once("</header>").expect("a header");
        // The renderer leaves out lists of terms, and puts buttons side by side without a space.
        let html = [
            ("dl>", "div>"),
            ("dt>", "p>"),
            ("dd>", "p>"),
            ("</button>", "</button><br>"),
        ]
        .iter()
        .fold(below.to_owned(), |html, (from, to)| html.replace(from, to));
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
            team: TeamId::new("T0ACME"),
            slack_name: "Dana".to_owned(),
            email: "dana@acme.example".to_owned(),
            is_shared,
            has_command,
        };
        let title = format!("linked, shared: {is_shared}, typed before: {has_command}");
        catalogue.page(&title, &pages::linked(words, &linked, BACK));
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
        catalogue.page("installed", &pages::installed(&replies(), &installed, BACK));
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
        AdminError::NoDestination,
        AdminError::NoPage,
        AdminError::Database(sqlx::Error::PoolTimedOut),
    ] {
        catalogue.page(
            &format!("not shown: {error}"),
            &End::of(&error, StatusCode::NOT_FOUND).alone(),
        );
    }
    snapshot("pages_admin_errors", &catalogue.0);
}

fn destination(name: &str, change: impl FnOnce(&mut Destination)) -> Destination {
    let at = |text: &str| text.parse().expect("a time");
    let mut destination = Destination {
        destination_id: DestinationId(1),
        fields: Fields {
            name: name.parse().expect("a name"),
            service: "youtube".to_owned(),
            server_url: "rtmps://a.rtmps.youtube.com:443/live2".to_owned(),
            page_url: format!("https://video.acme.example/{name}"),
            resolution: None,
            is_test: false,
            used_by: UsedBy::Everybody,
            channels: Vec::new(),
            people: Vec::new(),
            group_id: None,
            zoom_users: Vec::new(),
            default_in: Vec::new(),
        },
        key_set_at: at("2026-09-01T10:00:00Z"),
        key_set_by: SlackUserId::new("U0ADA"),
        changed_by: SlackUserId::new("U0ANN"),
        version: 3,
        carries: None,
        used: 4,
    };
    change(&mut destination);
    destination
}

fn carried(topic: Option<&str>, is_public: bool) -> Carried {
    Carried {
        meeting: "68423085".parse().expect("a meeting"),
        topic: topic.map(str::to_owned),
        channel: ChannelId::new("C0TOWNHALL"),
        is_public,
        began_at: "2026-11-28T15:02:00Z".parse().expect("a time"),
    }
}

#[test]
fn catalogue_of_destination_pages() {
    let mut catalogue = Catalogue::default();
    let admin = Admin {
        asker: Asker {
            enterprise: None,
            team: TeamId::new("T0ACME"),
            user: SlackUserId::new("U0ADA"),
        },
        name: "Ada".to_owned(),
        team_name: "Acme".to_owned(),
        zone: Some(Tz::Europe__Berlin),
    };
    let shell = Shell {
        clock: Clock {
            now: "2026-11-28T15:30:00Z".parse().expect("a time"),
            zone: Tz::Europe__Berlin,
        },
        admin,
        csrf: "csrf".to_owned(),
        live: Vec::new(),
        troubled: 0,
    };
    let view = |all: Vec<Destination>| View {
        shell: &shell,
        all,
        names: Names::fixed(&[("U0ADA", "Ada")], &[("C0ALL", "#all-acme")]),
        suggestions: Suggestions::default(),
        groups: None,
    };
    let of = |destination: &Destination, notice: Option<&Notice>| {
        let form = DestinationForm::of(destination, &[]);
        view(Vec::new()).form_page(Some(destination), &form, &[], notice)
    };
    catalogue.page(
        "destinations, none, one deleted",
        &view(Vec::new()).list_page(true),
    );
    let all = vec![
        destination("press", |press| {
            press.key_set_at = "2025-09-01T10:00:00Z".parse().expect("a time");
            press.fields.service = "other".to_owned();
            press.key_set_by = SlackUserId::new("U0ANN");
            press.carries = Some(carried(None, true));
        }),
        destination("product", |product| {
            product.carries = Some(carried(Some("Secret"), false));
        }),
        destination("test", |test| test.fields.is_test = true),
        destination("townhall", |townhall| {
            townhall.carries = Some(carried(Some("Town Hall"), true));
        }),
    ];
    catalogue.page("destinations", &view(all).list_page(false));
    let empty = DestinationForm::empty();
    let new = view(Vec::new()).form_page(None, &empty, &[], None);
    catalogue.page("a new destination", &new);
    let mut refused = DestinationForm::empty();
    let problems = refused
        .read(None, &[], &Names::default(), Vec::new())
        .err()
        .expect("problems");
    let refused = view(Vec::new()).form_page(None, &refused, &problems, None);
    catalogue.page("a new destination, nothing typed", &refused);
    let townhall = destination("townhall", |townhall| {
        townhall.carries = Some(carried(Some("Town Hall"), true));
        townhall.fields.used_by = UsedBy::Channels;
        townhall.fields.channels = vec!["C0TOWNHALL".to_owned(), "C0ALL".to_owned()];
        townhall.fields.default_in = vec!["C0ALL".to_owned()];
        townhall.fields.zoom_users = vec!["zoom-dana".to_owned()];
        townhall.fields.resolution = Some(Resolution::P1080);
    });
    let warnings = vec!["Slack does not show this app C0ALL: check the ID.".to_owned()];
    catalogue.page(
        "a destination, saved while it carries a stream",
        &of(&townhall, Some(&Notice::Saved { warnings })),
    );
    let unreadable = destination("press", |press| {
        press.fields.used_by = UsedBy::Unknown;
        press.fields.service = "newer".to_owned();
        press.key_set_at = "2025-09-01T10:00:00Z".parse().expect("a time");
    });
    catalogue.page(
        "a destination that another version saved",
        &of(&unreadable, None),
    );
    for notice in [Notice::Unchanged, Notice::Changed] {
        let test = destination("test", |test| {
            test.fields.is_test = true;
            test.fields.used_by = UsedBy::People;
            test.fields.people = vec!["U0ADA".to_owned(), "U0ELI".to_owned()];
        });
        catalogue.page(
            &format!("a destination, {notice:?}"),
            &of(&test, Some(&notice)),
        );
    }
    let press = destination("press", |press| {
        press.fields.default_in = vec!["C0ALL".to_owned()];
    });
    let delete = view(Vec::new()).delete_page(&press, None);
    catalogue.page("delete a destination", &delete);
    let delete = view(Vec::new()).delete_page(&townhall, Some(&Notice::NotDeleted));
    catalogue.page(
        "a destination that carries a stream is not deleted",
        &delete,
    );
    snapshot("pages_destinations", &catalogue.0);
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
