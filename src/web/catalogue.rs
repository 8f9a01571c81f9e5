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
use crate::command::outcome::{Fact, Refusal, Rule, Unknown};
use crate::db::destinations::{Carried, Destination, Fields, UsedBy};
use crate::db::grants::UNOPENED;
use crate::db::link_sessions::Confirmation;
use crate::db::linked_users::Health;
use crate::db::rules::{ChannelPolicy, Rules, Who};
use crate::db::shared_accounts::SharedAccount;
use crate::destination::Resolution;
use crate::ids::{Asker, ChannelId, DestinationId, SlackUserId, TeamId, Tenant, ZoomUserId};
use crate::livestream::forecast::{Account, Forecast, Prospect};
use crate::livestream::policy::Decision;
use crate::reply::catalogue::{replies, snapshot};
use crate::slack::web_api::OPTIONAL_BOT_SCOPES;
use crate::web::admin::destinations_form::DestinationForm;
use crate::web::admin::destinations_view::{Notice, View};
use crate::web::admin::error::End;
use crate::web::admin::layout::Shell;
use crate::web::admin::picker::Suggestions;
use crate::web::admin::rules_form::RulesForm;
use crate::web::admin::{rules_view, shared};
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
pub(super) struct Catalogue(pub(super) String);

impl Catalogue {
    pub(super) fn page(&mut self, title: &str, markup: &Markup) {
        // What is above every page says nothing of this one.
        let (_, below) = markup.0.split_once("</header>").expect("a header");
        self.part(title, below);
    }

    /// A part of a page.
    pub(super) fn part(&mut self, title: &str, below: &str) {
        // The renderer leaves out lists of terms, and puts buttons side by side without a space.
        let html = [
            ("dl>", "div>"),
            ("<dl ", "<div "),
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

/// What is around a page that Ada reads.
fn shell() -> Shell {
    Shell {
        clock: Clock {
            now: "2026-11-28T15:30:00Z".parse().expect("a time"),
            zone: Tz::Europe__Berlin,
        },
        admin: Admin {
            asker: Asker {
                enterprise: None,
                team: TeamId::new("T0ACME"),
                user: SlackUserId::new("U0ADA"),
            },
            name: "Ada".to_owned(),
            team_name: "Acme".to_owned(),
            zone: Some(Tz::Europe__Berlin),
        },
        csrf: "csrf".to_owned(),
        live: Vec::new(),
        troubled: 0,
    }
}

fn ids(ids: &[&str]) -> Vec<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

/// A person as the page of the rules judges them.
fn prospect(user: &str, account: Account, decision: Decision) -> Prospect {
    Prospect {
        user: SlackUserId::new(user),
        account,
        decision,
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "one list, an entry a state")]
fn catalogue_of_rules_pages() {
    let mut catalogue = Catalogue::default();
    let shell = shell();
    let refused = |rule| {
        Decision::Refused(Refusal {
            rule,
            channels: Vec::new(),
            set_by: None,
        })
    };
    let not_known = |fact| Decision::NotKnown {
        fact,
        why: Unknown::NoAnswer,
    };
    let own = Account::Own;
    let view = |rules: &Rules, people: Vec<Prospect>| rules_view::View {
        shell: &shell,
        rules: rules.clone(),
        changed_at: Some("2026-11-28T09:31:00Z".parse().expect("a time")),
        names: Names::fixed(
            &[("U0ADA", "Ada"), ("U0DANA", "Dana"), ("U0ELI", "Eli")],
            &[("C0TOWNHALL", "#town-hall"), ("C0ALL", "#all-acme")],
        ),
        forecast: Forecast {
            people,
            more: 0,
            places: Vec::new(),
        },
        shown: rules.clone(),
        may: None,
        suggestions: Suggestions::default(),
        groups: None,
        admins: None,
        typed_admins: None,
        missing: Vec::new(),
    };
    let none = Rules::default();
    let page = |view: &rules_view::View<'_>, notice: Option<&rules_view::Notice>| {
        view.page(&RulesForm::of(&view.rules), &[], notice)
    };
    catalogue.page(
        "rules, none, nobody linked",
        &page(&view(&none, Vec::new()), None),
    );
    let healths = [
        Health::Healthy,
        Health::Idle,
        Health::Dead,
        Health::Refused,
        Health::ScopeMissing,
        Health::BasicPlan,
        Health::StreamingOff,
        Health::CustomStreamingOff,
    ];
    let mut everybody: Vec<_> = healths
        .map(|health| prospect(&format!("{health:?}"), own(health), Decision::Allowed))
        .into_iter()
        .collect();
    for (user, account) in [
        ("Shared", Account::Shared { is_dead: false }),
        ("SharedDead", Account::Shared { is_dead: true }),
        ("NotLinked", Account::None),
    ] {
        everybody.push(prospect(user, account, Decision::Allowed));
    }
    for rule in [Rule::Members, Rule::Named, Rule::Group, Rule::Unknown] {
        everybody.push(prospect(
            &format!("{rule:?}"),
            own(Health::Healthy),
            refused(rule),
        ));
    }
    for fact in [Fact::Membership, Fact::UserGroup] {
        everybody.push(prospect(
            &format!("{fact:?}"),
            Account::None,
            not_known(fact),
        ));
    }
    let some = Rules {
        who: Who::Named,
        people: ids(&["U0DANA", "U0ELI"]),
        channel_policy: ChannelPolicy::Except,
        channels: ids(&["C0ALL"]),
        confirm_over: Some(200),
        confirm_shared: true,
        changed_by: Some(SlackUserId::new("U0ADA")),
        version: 3,
        ..Rules::default()
    };
    let warnings =
        vec!["You are not on the list, so you can't start livestreams yourself.".to_owned()];
    catalogue.page(
        "rules, saved, everybody that there can be",
        &page(
            &view(&some, everybody),
            Some(&rules_view::Notice::Saved { warnings }),
        ),
    );
    for (title, notice) in [
        (
            "rules, as they were",
            rules_view::Notice::Unchanged {
                warnings: Vec::new(),
            },
        ),
        ("rules, changed by another", rules_view::Notice::Changed),
        (
            "rules, they lock out",
            rules_view::Notice::LocksOut {
                verdict: "Nothing was saved yet: this locks out Eli.".to_owned(),
                why: "They can start livestreams now, and could not any more.".to_owned(),
                of: "U0ELI".to_owned(),
            },
        ),
    ] {
        catalogue.page(title, &page(&view(&some, Vec::new()), Some(&notice)));
    }
    let mut installed_without = view(&some, Vec::new());
    installed_without.missing = OPTIONAL_BOT_SCOPES.to_vec();
    installed_without.admins = Some(ids(&["U0ELI"]));
    for notice in [
        rules_view::Notice::NamesSaved,
        rules_view::Notice::NamesChanged,
    ] {
        catalogue.page(
            "rules, without permissions, admins are named",
            &page(&installed_without, Some(&notice)),
        );
    }
    let wrong = Rules {
        who: Who::Group,
        channel_policy: ChannelPolicy::Except,
        ..Rules::default()
    };
    let form = RulesForm::of(&wrong);
    let (_, problems) = form.rules();
    let refused = view(&wrong, Vec::new()).page(&form, &problems, None);
    catalogue.page("rules, refused", &refused);
    let unreadable = Rules {
        who: Who::Unknown,
        ..Rules::default()
    };
    catalogue.page(
        "rules that another version saved",
        &page(&view(&unreadable, Vec::new()), None),
    );
    snapshot("pages_rules", &catalogue.0);
}

#[test]
fn catalogue_of_shared_account_pages() {
    let mut catalogue = Catalogue::default();
    let shell = shell();
    let account = |people: &[&str]| SharedAccount {
        zoom_user_id: ZoomUserId::new("zoom-studio"),
        email: "studio@acme.example".to_owned(),
        scope: String::new(),
        is_dead: false,
        refusal: None,
        people: ids(people),
        linked_by: SlackUserId::new("U0ADA"),
        linked_at: "2026-09-02T09:00:00Z".parse().expect("a time"),
    };
    let view = |is_on: bool, shared: Option<SharedAccount>| shared::View {
        shell: &shell,
        is_on,
        typed: shared::Typed {
            people: shared
                .as_ref()
                .map_or_else(Vec::new, |shared| shared.people.clone()),
            ..shared::Typed::default()
        },
        shared,
        names: Names::fixed(&[("U0ADA", "Ada"), ("U0JO", "Jo")], &[]),
        suggestions: Suggestions::default(),
        last: None,
    };
    let linked = || view(true, Some(account(&["U0JO", "U0GUS"])));
    for (title, view, notice) in [
        ("off", view(false, None), None),
        ("not linked", view(true, None), None),
        ("ended", view(true, None), Some(shared::Notice::Ended)),
        (
            "with nobody",
            view(true, Some(account(&[]))),
            Some(shared::Notice::Saved),
        ),
        ("with two", linked(), Some(shared::Notice::Saved)),
        (
            "list changed by another",
            linked(),
            Some(shared::Notice::Changed),
        ),
        (
            "switched off since",
            view(false, Some(account(&["U0JO"]))),
            None,
        ),
        (
            "link broken",
            view(
                true,
                Some(SharedAccount {
                    is_dead: true,
                    ..account(&["U0JO"])
                }),
            ),
            None,
        ),
        (
            "with tokens that do not open",
            view(
                true,
                Some(SharedAccount {
                    refusal: Some(UNOPENED.to_owned()),
                    ..account(&["U0JO"])
                }),
            ),
            None,
        ),
        (
            "refused by Zoom",
            view(
                true,
                Some(SharedAccount {
                    refusal: Some("The app is disabled by the account's admin.".to_owned()),
                    ..account(&["U0JO"])
                }),
            ),
            None,
        ),
    ] {
        let title = format!("shared account, {title}");
        catalogue.page(&title, &view.page(&[], notice.as_ref()));
    }
    catalogue.page(
        "end the sharing",
        &linked().end_page(&account(&["U0JO", "U0GUS"])),
    );
    snapshot("pages_shared_account", &catalogue.0);
}

#[test]
fn catalogue_of_destination_pages() {
    let mut catalogue = Catalogue::default();
    let shell = shell();
    let view = |all: Vec<Destination>| View {
        shell: &shell,
        all,
        names: Names::fixed(&[("U0ADA", "Ada")], &[("C0ALL", "#all-acme")]),
        suggestions: Suggestions::default(),
        groups: None,
        read_by: Vec::new(),
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
    let form = DestinationForm::of(&townhall, &[]).anew();
    let deleted = view(Vec::new()).form_page(None, &form, &[], Some(&Notice::Deleted));
    catalogue.page("a destination, deleted meanwhile", &deleted);
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
fn catalogue_of_who_may_read_a_key() {
    let mut catalogue = Catalogue::default();
    let shell = shell();
    for read_by in [
        &["dana@acme.example"][..],
        &["dana@acme.example", "zoom-eli"],
    ] {
        let test = destination("test", |test| {
            test.used = 1;
            test.fields.is_test = true;
        });
        let form = DestinationForm::of(&test, &[]);
        let read = View {
            read_by: read_by.iter().map(|&account| account.to_owned()).collect(),
            shell: &shell,
            all: Vec::new(),
            names: Names::default(),
            suggestions: Suggestions::default(),
            groups: None,
        };
        let title = format!("a destination, its key read by {} others", read_by.len());
        catalogue.page(&title, &read.form_page(Some(&test), &form, &[], None));
    }
    snapshot("pages_destination_keys", &catalogue.0);
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
