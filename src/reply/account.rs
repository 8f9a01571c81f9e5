//! Linking a Zoom account, and what is linked.

use crate::command::Command;
use crate::command::outcome::Refusal;
use crate::command::request::LivestreamRequest;
use crate::command::verb::Verb;
use crate::db::grants::UNOPENED;
use crate::db::jobs::LinkEnd;
use crate::db::links::Link;
use crate::db::streams::Stream;
use crate::ids::SlackUserId;
use crate::reply::help::Standing;
use crate::reply::{LINK_DEAD, Replies, date, ephemeral};
use crate::slack::message::{Button, Message, cap, escape};
use crate::zoom::scopes::lacks_reports;

/// Goes with a one-time link.
pub(super) const OFFER: &str = "Link your Zoom account: you sign in with Slack, then with Zoom, and confirm. \
                     This link is yours alone and works for 10 minutes. Don't pass it on.";

/// What unlinking led to.
#[derive(Debug, PartialEq, Eq, strum::VariantArray)]
pub enum Unlinked {
    NotLinked,
    /// Others still use the Zoom account.
    UsedByOthers,
    /// The workspace still shares the Zoom account, with others.
    UsedByWorkspace,
    /// The workspace still shares the Zoom account, with the person too.
    SharedWithThem,
    /// Zoom withdrew the permission.
    Revoked,
    /// Zoom had ended the permission before.
    Ended,
    /// Zoom has not confirmed yet; the user can remove the app there.
    NotRevoked,
}

impl Replies<'_> {
    /// The asker has no Zoom account linked; nothing was done.
    pub fn not_linked(&self, request: &LivestreamRequest) -> Message {
        if !self.can_link() {
            return ephemeral(
                "Your Zoom account is not linked yet, so I can't act for you and did nothing. \
                 Ask whoever runs this bot in your team to link it, then type the command again.",
            );
        }
        ephemeral("Your Zoom account is not linked yet, so I can't act for you and did nothing. Link it first; it takes a minute.")
            .with_buttons([Button::typing("Link my Zoom account", format!("connect {request}"))])
    }

    /// The asker's grant is dead; nothing was done.
    pub fn link_dead(&self, request: &LivestreamRequest, is_shared: bool) -> Message {
        if is_shared {
            return ephemeral(&format!("{} I did nothing.", self.shared_dead()));
        }
        ephemeral(&format!("{LINK_DEAD} I did nothing.")).with_buttons(
            self.can_link()
                .then(|| Button::typing("Link it again", format!("connect {request}"))),
        )
    }

    /// The grant of the account that somebody's workspace shares is dead, which its admins can mend.
    pub(super) fn shared_dead(&self) -> String {
        format!(
            "Zoom no longer accepts the account that your workspace shares: the permission was withdrawn or has run out. An \
             admin can link it again{}.",
            self.on_admin_page("shared")
        )
    }

    /// A one-time link, for the eyes of one person only.
    /// `refusal` is what a rule refuses them all the same.
    pub fn connect(&self, url: &str, refusal: Option<&Refusal>) -> Message {
        let message = ephemeral(OFFER);
        let message = match refusal {
            Some(refusal) => message.with_context(&self.rule(refusal)),
            None => message,
        };
        message.with_buttons([Button::opening("Link my Zoom account", url)])
    }

    /// Linking takes settings that the operator has not made.
    pub fn linking_not_set_up(&self) -> Message {
        ephemeral(
            "Linking accounts from Slack is not set up here. Ask whoever runs this bot to link your Zoom account.",
        )
    }

    /// The person's link now stands.
    pub fn linked(&self, email: &str, device: &str, typed: Option<&str>) -> Message {
        let message = ephemeral(&format!(
            ":white_check_mark: Your Zoom account *{}* is linked, just now, from {}. Not you? Disconnect it.",
            escape(email),
            escape(device),
        ));
        let message = match typed {
            // All that was typed is the command's name, or as much.
            Some(typed) if typed == Verb::Start.entry().name => message,
            Some(typed) => message.with_context(&format!("You had typed {}", self.command(typed))),
            None => message,
        };
        let run = typed.map(|typed| {
            let label = match Command::from_button(typed) {
                Ok(Command::Pick(_)) => "Choose a meeting",
                _ => "Run what I typed",
            };
            Button::typing(label, typed).primary()
        });
        message.with_buttons(run.into_iter().chain([disconnect(false)]))
    }

    /// Somebody else signed in with the person's link; `typed` is what it was to go on with.
    pub fn link_opened_by_somebody_else(&self, typed: Option<&str>) -> Message {
        let typed = typed.map_or_else(String::new, |typed| format!(" {typed}"));
        ephemeral(
            ":warning: Somebody else signed in with the link I made for you, so I stopped it: nothing was linked. \
             If you passed it on, don't: each person links their own account.",
        )
        .with_buttons([Button::typing("Make a new link", format!("connect{typed}"))])
    }

    /// Which account is linked.
    pub fn whoami(&self, link: Option<&Link>, standing: &Standing) -> Message {
        ephemeral(&self.acts_as(link, standing)).with_buttons(self.link_or_unlink(
            link,
            standing,
            &[],
        ))
    }

    /// The link is gone.
    pub fn disconnected(&self, unlinked: &Unlinked) -> Message {
        ephemeral(match unlinked {
            Unlinked::NotLinked => {
                "No Zoom account is linked for you, so there is nothing to disconnect."
            }
            Unlinked::UsedByOthers => {
                "Your Zoom account is no longer linked to you. Other people still use it, so its permission stays."
            }
            Unlinked::UsedByWorkspace => {
                "Your Zoom account is no longer linked to you. Your workspace still shares it, so its permission stays."
            }
            Unlinked::SharedWithThem => {
                "Your Zoom account is no longer linked to you, but your workspace shares it with you: its permission \
                 stays, and your commands still act as it. An admin can end that."
            }
            Unlinked::Revoked => {
                "Your Zoom account is no longer linked, and the permission at Zoom is withdrawn."
            }
            Unlinked::Ended => {
                "Your Zoom account is no longer linked. Zoom had already ended its permission."
            }
            Unlinked::NotRevoked => {
                "Your Zoom account is no longer linked. Zoom has not confirmed yet that the permission is withdrawn; I keep \
                 trying. To be sure, remove the app under *Added Apps* at https://marketplace.zoom.us."
            }
        })
    }

    /// Zoom ended the permission of the person's link.
    pub fn link_ended(&self, end: LinkEnd) -> Message {
        let why = match end {
            LinkEnd::Dead => {
                "Zoom no longer accepts your linked account: its permission was withdrawn, or has run out."
            }
            LinkEnd::Removed => "The app was removed from your Zoom account.",
        };
        let can_link = self
            .can_link()
            .then(|| Button::typing("Link it again", "connect").primary());
        let what = match end {
            LinkEnd::Dead => "Your link to Zoom no longer works.",
            LinkEnd::Removed => "Your link to Zoom ended.",
        };
        ephemeral(&format!(
            ":warning: *{what}* {why} {}",
            if self.can_link() {
                "Link it again before your next show; it takes a minute."
            } else {
                "Ask whoever runs this bot to link it again before your next show."
            }
        ))
        .with_buttons(can_link)
    }

    /// Zoom ended the permission of the account that an admin linked for the workspace.
    pub fn shared_link_ended(&self, end: LinkEnd) -> Message {
        let why = match end {
            LinkEnd::Dead => {
                "Zoom no longer accepts it: its permission was withdrawn, or has run out."
            }
            LinkEnd::Removed => "The app was removed from it at Zoom.",
        };
        let page = self
            .admin_url
            .map(|url| format!(" Link it again on <{url}/shared|your page>."));
        ephemeral(&format!(
            ":warning: *No livestream will start with the Zoom account that you linked for this workspace.* {why}{}",
            page.unwrap_or_default()
        ))
    }

    /// An admin asks the person to link their Zoom account. `link` is the one that they have.
    pub fn asked_to_link(&self, admin: &SlackUserId, link: Option<&Link>) -> Message {
        let why = match link {
            None => "No Zoom account is linked for you, so you can't go live here.",
            Some(link) if link.is_dead => {
                "Zoom no longer accepts your linked account: its permission was withdrawn, or has run out."
            }
            Some(_) => "Your link lacks a permission that livestreams take.",
        };
        let (again, label) = match link {
            None => ("", "Link my Zoom account"),
            Some(_) => (" again", "Link it again"),
        };
        ephemeral(&format!(
            "<@{}>, an admin of this workspace, asks you to link your Zoom account{again}. {why} It takes a minute: \
             press the button, or type `{} connect`.",
            escape(admin.as_str()),
            self.slash
        ))
        .with_buttons([Button::typing(label, "connect").primary()])
    }

    /// An admin ended the person's link.
    pub fn unlinked_by(&self, admin: &SlackUserId) -> String {
        format!(
            "<@{}>, an admin of this workspace, disconnected your Zoom account. To link it again, type `{} connect`.",
            escape(admin.as_str()),
            self.slash
        )
    }
}

impl Replies<'_> {
    /// Who somebody acts as, and what their link lacks.
    pub(super) fn acts_as(&self, link: Option<&Link>, standing: &Standing) -> String {
        match link {
            None if standing.is_shared_dead() => self.shared_dead(),
            None if standing.is_shared => {
                "You act with the Zoom account that your workspace shares.".to_owned()
            }
            Some(link) if self.hears_zoom && !link.is_dead && lacks_reports(&link.scope) => {
                format!(
                    "{} Your link is older than the reports of livestreams: *link it again*, which takes a minute, and I \
                 can say when yours are really live.",
                    whoami(Some(link))
                )
            }
            _ => whoami(link),
        }
    }

    /// What somebody can do about the link they have, or have not. `live` are their livestreams.
    pub(super) fn link_or_unlink(
        &self,
        link: Option<&Link>,
        standing: &Standing,
        live: &[Stream],
    ) -> Vec<Button> {
        let can_link = standing.access.can(Verb::Connect);
        let connect = |label| can_link.then(|| Button::typing(label, "connect"));
        let Some(link) = link else {
            if standing.is_shared {
                return Vec::new();
            }
            return connect("Link my Zoom account").into_iter().collect();
        };
        let goes_on = live.iter().any(|stream| stream.zoom_user == link.zoom_user);
        let is_old = self.hears_zoom && lacks_reports(&link.scope);
        let is_unopened = self.can_link() && link.refusal.as_deref() == Some(UNOPENED);
        let again = (link.is_dead || is_old || is_unopened).then(|| connect("Link it again"));
        again
            .flatten()
            .into_iter()
            .chain([disconnect(goes_on && !link.is_dead)])
            .collect()
    }
}

/// Who somebody acts as.
fn whoami(link: Option<&Link>) -> String {
    let Some(link) = link else {
        return "No Zoom account is linked for you.".to_owned();
    };
    let email = escape(&link.email);
    let since = date(link.since, "{date}", "%Y-%m-%d");
    if link.is_dead {
        format!("You are linked to Zoom account *{email}* since {since}. {LINK_DEAD}")
    } else if link.refusal.as_deref() == Some(UNOPENED) {
        format!(
            "You are linked to Zoom account *{email}* since {since}, but commands fail: the bot can no longer open what it \
             stored of that link. Whoever runs the bot may still have the key; otherwise the account has to be linked again."
        )
    } else if let Some(said) = &link.refusal {
        format!(
            "You are linked to Zoom account *{email}* since {since}, but commands fail: Zoom refuses to renew the bot's \
             access to it. Whoever runs the bot or a Zoom administrator can fix that; you need not link it again. Zoom said: “{}”",
            escape(&cap(said, 300))
        )
    } else {
        let worked = match link.worked_at {
            Some(at) => format!(
                "It last worked {}.",
                date(at, "{date_short_pretty} at {time}", "%Y-%m-%d %H:%M UTC")
            ),
            None => {
                "It has not worked yet, as far as I know: I can't say whether it will.".to_owned()
            }
        };
        format!("You act as Zoom account *{email}*, linked since {since}. {worked}")
    }
}

/// `goes_on`: a livestream is on air that nobody here could stop without it.
fn disconnect(goes_on: bool) -> Button {
    if goes_on {
        return Button::typing("Disconnect", "disconnect confirm=yes").asking(
            "A livestream is on air with this account, as far as I know. It goes on without your link, and then you \
             may only be able to end it in Zoom.",
            "Disconnect it",
        );
    }
    Button::typing("Disconnect", "disconnect").asking(
        "Your commands will stop working until you link an account again.",
        "Disconnect it",
    )
}
