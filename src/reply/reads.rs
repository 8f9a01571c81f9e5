//! Why something could not be read at Zoom.

use chrono::{DateTime, Utc};

use crate::command::request::Options;
use crate::reply::{Replies, date};
use crate::slack::message::{Button, cap, escape};

/// Why something could not be read at Zoom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotRead {
    /// The link was made without the permission for it.
    ScopeMissing,
    /// Zoom accepts the link no more.
    LinkDead,
    /// Zoom refuses it: with this code, and these words, in which there is no secret.
    Refused { code: Option<i64>, said: String },
    /// Zoom gets too many requests just now.
    Limited,
    /// The Zoom account has used up its requests for today; until then, if Zoom says it.
    DailyLimit { until: Option<DateTime<Utc>> },
    /// Not in time, or with an error that may pass.
    NoAnswer,
    /// The bot's own access to Zoom is broken.
    Misconfigured,
}

/// The user may not host meetings.
const MAY_NOT_HOST: i64 = 3161;
/// There is no such user.
const NO_SUCH_USER: i64 = 1001;
/// The account does not let anybody see meetings that were scheduled for others.
const HIDDEN: i64 = 2306;

impl NotRead {
    /// Whether it is said of the user, for whom nothing will be started either.
    pub(super) fn is_of_user(&self) -> bool {
        let code = match self {
            Self::Refused { code, .. } => *code,
            _ => None,
        };
        matches!(code, Some(NO_SUCH_USER | MAY_NOT_HOST))
    }

    /// The reason and who can mend it, behind "because"; `whose` link it is: "your", or "its".
    pub(super) fn because(&self, whose: &str) -> String {
        match self {
            Self::ScopeMissing => format!("{whose} link was made without the permission for that"),
            Self::LinkDead => format!("Zoom no longer accepts {whose} link"),
            Self::Refused {
                code: Some(MAY_NOT_HOST),
                ..
            } => "this Zoom user may not host meetings, which a Zoom administrator can change"
                .to_owned(),
            Self::Refused {
                code: Some(HIDDEN), ..
            } => "the Zoom account does not let meetings be seen that were scheduled for others, which a Zoom \
                  administrator can change"
                .to_owned(),
            Self::Refused { said, .. } => {
                format!("Zoom refuses it: “{}”", escape(&cap(said.trim(), 200)))
            }
            Self::Limited => "Zoom gets too many requests just now".to_owned(),
            Self::DailyLimit { until: Some(until) } => format!(
                "the Zoom account has used up its requests for today, until {}",
                date(*until, "{date_short_pretty} {time}", "%Y-%m-%d %H:%M UTC")
            ),
            Self::DailyLimit { until: None } => "the Zoom account has used up its requests for today. Zoom does not say \
                                                 until when, but its days end at midnight UTC"
                .to_owned(),
            Self::NoAnswer => "Zoom did not answer in time, or not as it should".to_owned(),
            Self::Misconfigured => {
                "this bot's own access to Zoom is broken, which whoever runs it can mend".to_owned()
            }
        }
    }
}

impl Replies<'_> {
    /// What to do where something that is asked for with these options could not be read, and the
    /// button for it. A new link keeps the options.
    pub(super) fn after_not_read(
        &self,
        why: &NotRead,
        options: &Options,
    ) -> (&'static str, Option<Button>) {
        let link = || {
            Some(Button::typing(
                "Link it again",
                format!("connect {options}"),
            ))
        };
        let again = || Some(Button::typing("Look again", options.to_string()));
        match (why, self.can_link()) {
            (NotRead::LinkDead, true) => ("Link it again; it takes a minute.", link()),
            (NotRead::ScopeMissing, true) => (
                "Link it again, if whoever runs this bot has added that permission to the Zoom app.",
                link(),
            ),
            (NotRead::ScopeMissing | NotRead::LinkDead, false) => {
                ("Ask whoever runs this bot to link it again.", None)
            }
            (NotRead::Refused { .. } | NotRead::Misconfigured, _) => {
                ("Once that is mended, press *Look again*.", again())
            }
            (NotRead::DailyLimit { .. }, _) => ("After that, press *Look again*.", again()),
            (NotRead::Limited | NotRead::NoAnswer, _) => {
                ("In a moment, press *Look again*.", again())
            }
        }
    }
}
