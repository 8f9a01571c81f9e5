//! What the admin's pages show. Like the others they need no script.

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use crate::admin::{Admin, AdminError, TestResult};
use crate::db::audit::{AuditKind, Entry, Filter, Person};
use crate::db::linked_users::{self, Health, LinkedUser, Sort};
use crate::db::rules::{ChannelPolicy, Rules, Who};
use crate::db::shared_accounts::SharedAccount;
use crate::reply::account::Unlinked;
use crate::web::pages::document;

pub(super) const NO_PEOPLE: &str = "Some of the people are no ids of Slack people, like U0123ABCD. \
    Slack shows them under ⋮ → Copy member ID in a profile.";
pub(super) const NO_CHANNELS: &str = "Some of the channels are no ids of Slack channels, like C0123ABCD. \
    Slack shows them at the end of a channel's About page.";
pub(super) const NO_GROUP: &str = "The user group is no id of one, like S0123ABCD.";
pub(super) const GROUP_MISSING: &str = "Say which user group.";
pub(super) const NO_NUMBER: &str = "The number of members is no whole number from 0.";

/// Why a page stays closed, and how it goes on.
pub(super) fn closed(why: &AdminError) -> Markup {
    let (title, text) = match why {
        AdminError::NoSession => (
            "For admins of your workspace",
            html! {
                p { "See who is linked, what was started and stopped, and whether the next town hall will go live." }
                p { a.button href="/admin/sign-in" { "Sign in with Slack" } }
                p.small { "You are signed out after half an hour without a click." }
            },
        ),
        AdminError::Declined => (
            "You went back",
            html! { p { "You did not sign in. " a href="/admin/sign-in" { "Sign in with Slack" } } },
        ),
        AdminError::NotAdmin => (
            "This page is for admins",
            html! {
                p { "Slack says that you are no admin or owner of this workspace; or, where this app may not ask Slack, \
                    you have not installed it and nobody who did has named you." }
                p { "Nothing was changed. " a href="/admin/sign-in" { "Sign in as somebody else" } }
            },
        ),
        AdminError::StaleForm => (
            "This form is out of date",
            html! {
                p { "Somebody changed it meanwhile, or it was sent before, or it was made for another sign-in. Nothing was changed." }
                p { a href="/admin" { "Look again" } }
            },
        ),
        AdminError::CannotTell => (
            "Slack does not answer",
            html! {
                p { "So I can't tell whether you are an admin, and changed nothing. Please try again in a minute." }
            },
        ),
        AdminError::NotSetUp => (
            "This is not set up here",
            html! { p { "Whoever runs this bot can set it up." } },
        ),
        AdminError::Nobody => (
            "Nobody of that id is linked here",
            html! { p { "Perhaps their link ended. " a href="/admin/people" { "Everybody who is linked" } } },
        ),
        AdminError::Database(_) => (
            "Please try again in a minute",
            html! { p { "I can't reach my own database just now. Nothing was changed." } },
        ),
    };
    document(title, "narrow", &html! { h1 { (title) } (text) })
}

/// A page of an admin's.
fn layout(admin: &Admin, csrf: &str, here: &str, title: &str, content: &Markup) -> Markup {
    let pages = [
        ("/admin", "Overview"),
        ("/admin/people", "People"),
        ("/admin/activity", "Activity"),
        ("/admin/rules", "Rules"),
        ("/admin/shared", "Shared account"),
    ];
    document(
        title,
        "wide",
        &html! {
            div.top {
                nav aria-label="Pages" {
                    @for (path, label) in pages {
                        a href=(path) aria-current=[(path == here).then_some("page")] { (label) }
                    }
                }
                form.plain method="post" action="/admin/sign-out" {
                    (token(csrf))
                    span.small { (admin.name) " in " (admin.team_name) }
                    button type="submit" { "Sign out" }
                }
            }
            h1 { (title) }
            (content)
        },
    )
}

fn token(csrf: &str) -> Markup {
    html! { input type="hidden" name="csrf" value=(csrf); }
}

pub(super) fn overview(
    admin: &Admin,
    csrf: &str,
    people: i64,
    troubled: i64,
    warnings: &[LinkedUser],
    last: &[Entry],
) -> Markup {
    let content = html! {
        @if people == 0 {
            p.note { "Nobody is linked yet. Everybody who starts livestreams types " code.typed { "connect" } " after the command in Slack." }
        } @else if troubled == 0 {
            p.good { strong { "All " (people) " linked accounts look healthy." } " What was never used or tested may still surprise: test it under People." }
        } @else {
            p.note { strong { (troubled) " of " (people) " linked accounts need attention before the next show." } }
            table {
                thead { tr { th scope="col" { "Who" } th scope="col" { "Zoom account" } th scope="col" { "What is wrong, and what to do" } } }
                tbody {
                    @for row in warnings.iter().take(10) {
                        tr {
                            td data-label="Who" { (who(row)) }
                            td data-label="Zoom account" { (row.email) }
                            td data-label="What is wrong, and what to do" { (health(row.health)) ". " (remedy(row.health)) }
                        }
                    }
                }
            }
            @if troubled > 10 {
                p { a href="/admin/people?only=trouble" { "All " (troubled) " of them" } }
            }
        }
        h2 { "The last that happened" }
        (entries(last))
        p { a href="/admin/activity" { "Everything that happened" } }
    };
    layout(
        admin,
        csrf,
        "/admin",
        "Will the next show go live?",
        &content,
    )
}

pub(super) fn people(
    admin: &Admin,
    csrf: &str,
    wanted: &linked_users::Query,
    count: i64,
    rows: &[LinkedUser],
) -> Markup {
    let pages = (count + linked_users::PAGE - 1) / linked_users::PAGE;
    let sort = match wanted.sort {
        Sort::Name => "name",
        Sort::Linked => "linked",
        Sort::Used => "used",
    };
    let only = if wanted.needs_attention {
        "trouble"
    } else {
        ""
    };
    let link = |page: i64| {
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("q", &wanted.search)
            .append_pair("sort", sort)
            .append_pair("only", only)
            .append_pair("page", &page.to_string())
            .finish();
        format!("/admin/people?{query}")
    };
    let content = html! {
        form.filter method="get" action="/admin/people" role="search" {
            label { "Name, e-mail or id " input type="search" name="q" value=(wanted.search); }
            label { "Order "
                select name="sort" {
                    @for (value, label) in [("name", "by name"), ("linked", "last linked first"), ("used", "last used first")] {
                        option value=(value) selected[value == sort] { (label) }
                    }
                }
            }
            label.check { input type="checkbox" name="only" value="trouble" checked[wanted.needs_attention]; " need attention" }
            button type="submit" { "Show" }
        }
        p.small { (count) @if count == 1 { " person" } @else { " people" } }
        @if rows.is_empty() {
            p { "Nobody like that is linked here." }
        } @else {
            table {
                thead { tr {
                    th scope="col" { "Who" } th scope="col" { "Zoom account" } th scope="col" { "Health" }
                    th scope="col" { "Linked" } th scope="col" { "Last used" } th scope="col" { "Last refreshed" }
                } }
                tbody {
                    @for row in rows {
                        tr {
                            td data-label="Who" { (who(row)) }
                            td data-label="Zoom account" { (row.email) }
                            td data-label="Health" { (health(row.health)) }
                            td data-label="Linked" { (time(Some(row.linked_at))) }
                            td data-label="Last used" { (time(row.used_at)) }
                            td data-label="Last refreshed" { (time(row.refreshed_at)) }
                        }
                    }
                }
            }
            @if pages > 1 {
                nav.pages aria-label="More people" {
                    @if wanted.page > 0 { a href=(link(wanted.page - 1)) rel="prev" { "Before" } }
                    span { "Page " (wanted.page + 1) " of " (pages) }
                    @if wanted.page + 1 < pages { a href=(link(wanted.page + 1)) rel="next" { "Next" } }
                }
            }
        }
    };
    layout(admin, csrf, "/admin/people", "People", &content)
}

pub(super) fn person(
    admin: &Admin,
    csrf: &str,
    row: &LinkedUser,
    last: &[Entry],
    tested: Option<&TestResult>,
) -> Markup {
    let path = format!("/admin/people/{}", row.user_id);
    let content = html! {
        @if let Some(tested) = tested {
            @match tested {
                TestResult::Works => p.good role="status" { "Zoom answered: the account works." },
                TestResult::Trouble => p.note role="status" { "Zoom answered, and there is something to do first: see below." },
                TestResult::Dead => p.note role="status" { "Zoom no longer takes this permission." },
                TestResult::NoAnswer => p.note role="status" { "Zoom did not answer as it should. That says nothing of the account; test it again in a minute." },
                TestResult::Misconfigured => p.note role="status" { "This bot's own access to Zoom is broken. Whoever runs it can mend it." },
            }
        }
        dl {
            div { dt { "Slack" } dd { @if let Some(name) = &row.slack_name { strong { (name) } " " } code { (row.user_id) } } }
            div { dt { "Zoom" } dd { strong { (row.email) } } }
            div { dt { "Health" } dd { (health(row.health)) @if row.health != Health::Healthy { ". " (remedy(row.health)) } } }
            div { dt { "Linked" } dd { (time(Some(row.linked_at))) } }
            div { dt { "Last used" } dd { (time(row.used_at)) } }
            div { dt { "Refreshed" } dd { (time(row.refreshed_at)) } }
            div { dt { "TestResult" } dd { (time(row.checked_at)) } }
            div { dt { "Scopes" } dd { @for scope in row.scope.split_whitespace() { code { (scope) } " " } } }
        }
        div.actions {
            form.plain method="post" action={ (path) "/test" } {
                (token(csrf))
                button.primary type="submit" { "Test it at Zoom" }
            }
            a.quiet href={ (path) "/disconnect" } { "Disconnect …" }
        }
        @if !last.is_empty() {
            h2 { "Their last" }
            (entries(last))
        }
    };
    layout(admin, csrf, "/admin/people", &name(row), &content)
}

pub(super) fn ask_disconnect(admin: &Admin, csrf: &str, row: &LinkedUser) -> Markup {
    let path = format!("/admin/people/{}", row.user_id);
    let content = html! {
        p { strong { (name(row)) } " will no longer act as Zoom account " strong { (row.email) } ". If nobody else uses it, \
            the permission at Zoom is withdrawn and its tokens are deleted. They are told, and can link it again." }
        form method="post" action={ (path) "/disconnect" } {
            (token(csrf))
            input type="hidden" name="linked_at" value=(row.linked_at.timestamp_micros());
            button.primary type="submit" { "Disconnect " (name(row)) }
            a.quiet href=(path) { "Cancel" }
        }
    };
    layout(
        admin,
        csrf,
        "/admin/people",
        &format!("Disconnect {}?", name(row)),
        &content,
    )
}

pub(super) fn disconnected(
    admin: &Admin,
    csrf: &str,
    row: &LinkedUser,
    unlinked: &Unlinked,
) -> Markup {
    let content = html! {
        p.good role="status" { strong { (name(row)) } " is no longer linked to " (row.email) "." }
        p { (match unlinked {
            Unlinked::Revoked => "The permission at Zoom is withdrawn.",
            Unlinked::Shared => "Others here still use this Zoom account, so its permission stays.",
            Unlinked::NotRevoked => "Its tokens are deleted here, but Zoom did not confirm that the permission is \
                withdrawn. Its user can remove the app under Added Apps at marketplace.zoom.us.",
            Unlinked::NotLinked => "They had ended the link themselves meanwhile.",
        }) }
        p { a href="/admin/people" { "People" } }
    };
    layout(admin, csrf, "/admin/people", "Disconnected", &content)
}

pub(super) fn activity(
    admin: &Admin,
    csrf: &str,
    filter: &Filter,
    meeting: &str,
    found: &[Entry],
    has_more: bool,
) -> Markup {
    let query = |before: Option<i64>| {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("kind", filter.kind.map_or("", AuditKind::as_str));
        query.append_pair("user", filter.user.as_deref().unwrap_or_default());
        query.append_pair("meeting", meeting);
        query.append_pair("only", if filter.failed_only { "failed" } else { "" });
        if let Some(before) = before {
            query.append_pair("before", &before.to_string());
        }
        query.finish()
    };
    let content = html! {
        form.filter method="get" action="/admin/activity" role="search" {
            label { "What "
                select name="kind" {
                    option value="" { "everything" }
                    @for kind in AuditKind::ALL {
                        option value=(kind.as_str()) selected[filter.kind == Some(*kind)] { (what(*kind)) }
                    }
                }
            }
            label { "Slack id " input name="user" value=(filter.user.as_deref().unwrap_or_default()); }
            label { "Meeting " input name="meeting" value=(meeting); }
            label.check { input type="checkbox" name="only" value="failed" checked[filter.failed_only]; " failed only" }
            button type="submit" { "Show" }
        }
        p.small { "As a file: "
            a href={ "/admin/activity.csv?" (query(None)) } { "CSV" } ", "
            a href={ "/admin/activity.json?" (query(None)) } { "JSON" }
        }
        (entries(found))
        @if has_more && let Some(entry) = found.last() {
            nav.pages aria-label="Older" {
                a href={ "/admin/activity?" (query(Some(entry.audit_id))) } rel="next" { "Older" }
            }
        }
    };
    layout(admin, csrf, "/admin/activity", "Activity", &content)
}

fn entries(entries: &[Entry]) -> Markup {
    html! {
        @if entries.is_empty() {
            p { "Nothing yet." }
        } @else {
            table {
                thead { tr {
                    th scope="col" { "When" } th scope="col" { "What" } th scope="col" { "Who" }
                    th scope="col" { "Meeting" } th scope="col" { "Zoom account" } th scope="col" { "Outcome" }
                    th scope="col" { "Took" } th scope="col" { "Reference" }
                } }
                tbody {
                    @for entry in entries {
                        tr {
                            td data-label="When" { (time(Some(entry.happened_at))) }
                            td data-label="What" { (what(entry.kind)) @if let Some(detail) = &entry.detail { br; span.small { (detail) } }
                                @if !entry.people.is_empty() {
                                    br; span.small { @for user in &entry.people { (person_name(user)) " " } }
                                } }
                            td data-label="Who" {
                                @match &entry.person {
                                    Some(user) => (person_name(user)),
                                    None => "–",
                                }
                                @if let Some(actor) = &entry.actor {
                                    br;
                                    span.small { "by " (person_name(actor)) @if let Some(team) = &entry.actor_team_id { " of " (team) } }
                                }
                            }
                            td.number data-label="Meeting" { @if let Some(meeting) = entry.meeting_id { (meeting) } }
                            td data-label="Zoom account" { @if let Some(email) = &entry.email { (email) } }
                            td data-label="Outcome" {
                                @if let Some(outcome) = &entry.outcome { (outcome.replace('_', " ")) }
                                @if let Some(code) = entry.zoom_code { " (" (code) ")" }
                            }
                            td.number data-label="Took" { @if let Some(duration) = entry.duration { (format!("{duration:.1} s")) } }
                            td.number data-label="Reference" { @if let Some(command) = entry.command_id { (command) } }
                        }
                    }
                }
            }
        }
    }
}

/// `named` are the admins, where Slack does not say who is one.
pub(super) fn rules(
    admin: &Admin,
    csrf: &str,
    rules: &Rules,
    named: Option<&[String]>,
    problems: &[&str],
) -> Markup {
    let content = html! {
        (complaints(problems))
        p { "They hold for commands and for buttons, from the moment you save them. Whoever is refused is told why, and by whom." }
        form.sheet method="post" action="/admin/rules" {
            (token(csrf))
            input type="hidden" name="version" value=(rules.version);
            fieldset {
                legend { "Who may run it" }
                (radio("who", "linked", "everybody who is linked", rules.who == Who::Linked))
                (radio("who", "named", "only these people", rules.who == Who::Named))
                label { "Ids of people, like U0123ABCD" textarea name="people" rows="2" { (rules.people.join(" ")) } }
                (radio("who", "group", "only members of a user group", rules.who == Who::Group))
                label { "Id of the user group, like S0123ABCD" input name="group" value=(rules.group_id.as_deref().unwrap_or_default()); }
                label.check { input type="checkbox" name="guests_allowed" checked[rules.guests_allowed];
                    " guests and people from other organisations too" }
            }
            fieldset {
                legend { "ChannelPolicy" }
                (radio("place", "anywhere", "in all channels", rules.channel_policy == ChannelPolicy::Anywhere))
                (radio("place", "only", "only in these channels", rules.channel_policy == ChannelPolicy::Only))
                (radio("place", "except", "in all but these channels", rules.channel_policy == ChannelPolicy::Except))
                label { "Ids of channels, like C0123ABCD" textarea name="channels" rows="2" { (rules.channels.join(" ")) } }
            }
            fieldset {
                legend { "Ask before going live" }
                label { "in channels with more members than" input name="confirm_over" inputmode="numeric" value=[rules.confirm_over]; }
                label.check { input type="checkbox" name="confirm_shared" checked[rules.confirm_shared];
                    " in channels that are shared with other organisations" }
                p.small { "ChannelPolicy Slack does not say who reads in a channel, such as a private one without this app, it is asked as well." }
            }
            button.primary type="submit" { "Save the rules" }
            @if let Some(by) = &rules.changed_by {
                p.small { "Changed last by " code { (by) } "." }
            }
        }
        @if let Some(named) = named {
            h2 { "Who may open these pages" }
            p { "This app may not ask Slack who is an admin here. So whoever installed it may, and these people:" }
            form.sheet method="post" action="/admin/admins" {
                (token(csrf))
                label { "Ids of people, like U0123ABCD" textarea name="people" rows="2" { (named.join(" ")) } }
                button type="submit" { "Save the names" }
            }
        }
    };
    layout(admin, csrf, "/admin/rules", "Rules", &content)
}

fn complaints(problems: &[&str]) -> Markup {
    html! {
        @if !problems.is_empty() {
            div.note role="alert" {
                p { strong { "Nothing was saved." } }
                ul { @for problem in problems { li { (problem) } } }
            }
        }
    }
}

fn radio(name: &str, value: &str, label: &str, is_checked: bool) -> Markup {
    html! { label.check { input type="radio" name=(name) value=(value) checked[is_checked]; " " (label) } }
}

pub(super) fn shared(
    admin: &Admin,
    csrf: &str,
    is_on: bool,
    shared: Option<&SharedAccount>,
    problems: &[&str],
) -> Markup {
    let content = html! {
        (complaints(problems))
        p { "One Zoom account for several people of this workspace: whoever is listed and has linked no account of their own \
            acts as this one. The channel and the activity always name the real person and the account." }
        p.note { "Slack's marketplace forbids listed apps to let people share accounts of other services. \
            It is for apps that a company runs for itself." }
        @match (is_on, shared) {
            (false, None) => {
                p { "It is switched off here. Whoever runs this bot can switch it on." }
            }
            (true, None) => {
                form method="post" action="/admin/shared/link" {
                    (token(csrf))
                    button.primary type="submit" { "Link a Zoom account for the workspace" }
                }
            }
            (_, Some(shared)) => {
                dl {
                    div { dt { "Zoom" } dd { strong { (shared.email) } @if shared.is_dead { " – Zoom no longer takes it: link it again" } } }
                    div { dt { "Linked by" } dd { code { (shared.linked_by) } } }
                }
                @if is_on {
                    form.sheet method="post" action="/admin/shared" {
                        (token(csrf))
                        label { "Who may use it: ids of people, like U0123ABCD" textarea name="people" rows="3" { (shared.people.join(" ")) } }
                        button.primary type="submit" { "Save the list" }
                    }
                    form.plain method="post" action="/admin/shared/link" {
                        (token(csrf))
                        button type="submit" { "Link another account instead" }
                    }
                }
                form.plain method="post" action="/admin/shared/unlink" {
                    (token(csrf))
                    button type="submit" { "End the sharing" }
                }
            }
        }
    };
    layout(
        admin,
        csrf,
        "/admin/shared",
        "A shared Zoom account",
        &content,
    )
}

/// A link and no redirect: browsers let a form lead to no other site, not even by the way.
pub(super) fn link_shared(admin: &Admin, csrf: &str, url: &str) -> Markup {
    let content = html! {
        p { "You sign in with Slack once more, then with the Zoom account that is to be shared, and confirm. \
            The link is yours alone and works for 10 minutes." }
        p { a.button href=(url) { "Go on to Slack" } }
    };
    layout(
        admin,
        csrf,
        "/admin/shared",
        "Link a Zoom account for the workspace",
        &content,
    )
}

fn who(row: &LinkedUser) -> Markup {
    html! { a href={ "/admin/people/" (row.user_id) } { (name(row)) } }
}

fn name(row: &LinkedUser) -> String {
    row.slack_name
        .clone()
        .unwrap_or_else(|| row.user_id.to_string())
}

/// Somebody in an entry of the activity.
fn person_name(person: &Person) -> Markup {
    html! {
        @match person {
            Person::Known { name: Some(name), .. } => (name),
            Person::Known { id, name: None } => code { (id) },
            Person::Erased => (person.id()),
        }
    }
}

/// What happened, in words.
fn what(kind: AuditKind) -> &'static str {
    match kind {
        AuditKind::Start => "start",
        AuditKind::Stop => "stop",
        AuditKind::Refused => "refused",
        AuditKind::Linked => "linked",
        AuditKind::Unlinked => "unlinked",
        AuditKind::Deauthorized => "removed at Zoom",
        AuditKind::LinkCancelled => "link cancelled",
        AuditKind::LinkWrongUser => "link opened by somebody else",
        AuditKind::LinkTested => "link tested",
        AuditKind::RulesChanged => "rules changed",
        AuditKind::AdminsNamed => "admins named",
        AuditKind::AdminSignedIn => "admin signed in",
        AuditKind::SharedAccountLinked => "shared account linked",
        AuditKind::SharedAccountUnlinked => "shared account unlinked",
        AuditKind::SharedAccountUsersChanged => "users of the shared account changed",
        AuditKind::Installed => "installed",
        AuditKind::Uninstalled => "uninstalled",
        AuditKind::KeysRotated => "keys rotated",
    }
}

fn health(health: Health) -> &'static str {
    match health {
        Health::Healthy => "Healthy",
        Health::Dead => "Dead: Zoom no longer takes it",
        Health::ScopeMissing => "A permission is missing",
        Health::BasicPlan => "Zoom's Basic plan",
        Health::StreamingOff => "Livestreaming is off in Zoom",
        Health::CustomStreamingOff => "Custom streaming is off in Zoom",
        Health::Idle => "Not used for long: Zoom may end it soon",
    }
}

fn remedy(health: Health) -> &'static str {
    match health {
        Health::Healthy => "",
        Health::Dead | Health::ScopeMissing => {
            "They type connect after the command, and link it again."
        }
        Health::BasicPlan => {
            "Zoom livestreams no meetings of Basic accounts: give them a Pro plan or better."
        }
        Health::StreamingOff => {
            "Switch on Allow livestreaming of meetings in their Zoom settings, then test it here."
        }
        Health::CustomStreamingOff => {
            "Switch on Custom Live Streaming Service in their Zoom settings, then test it here."
        }
        Health::Idle => "Test it here: that keeps it alive.",
    }
}

fn time(at: Option<DateTime<Utc>>) -> Markup {
    html! {
        @match at {
            None => "–",
            Some(at) => time datetime=(at.to_rfc3339()) { (at.format("%Y-%m-%d %H:%M UTC")) },
        }
    }
}
