//! The table, with each thing's limits beside it.

use self::Is::{Data, Flag, List, Mrkdwn, Object, OneOf, Text, TextObject, Unique};
use self::Need::{May, Must, Without};

/// An object: what it is called in `type`, if it has one, and its keys.
pub(super) struct Shape {
    pub(super) kind: Option<&'static str>,
    pub(super) keys: &'static [Key],
    /// One of these is there, if there are any.
    pub(super) one_of: &'static [&'static str],
}

/// A key, whether it must be there, and what it holds.
pub(super) struct Key(pub(super) &'static str, pub(super) Need, pub(super) Is);

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    Must,
    May,
    /// It may be there, and not beside this other key.
    Without(&'static str),
}

/// What a key holds. Every number is the most of something; the least is one.
pub(super) enum Is {
    Flag,
    /// So many characters, or none at all.
    Data(usize),
    Text(usize),
    /// The same, where mentions are read as such.
    Mrkdwn(usize),
    /// The same, and no other key of this name holds it.
    Unique(usize),
    /// An address that a browser can open.
    Url(usize),
    OneOf(&'static [&'static str]),
    /// <https://docs.slack.dev/reference/block-kit/composition-objects/text-object>, of one of
    /// these kinds.
    TextObject(&'static [&'static str], usize),
    List(usize, &'static Is),
    Object(&'static [Shape]),
}

const PLAIN: &[&str] = &["plain_text"];
const ANY: &[&str] = &["plain_text", "mrkdwn"];
const STYLES: Is = OneOf(&["primary", "danger"]);
const BLOCK_ID: Key = Key("block_id", May, Unique(255));

/// <https://docs.slack.dev/interactivity/handling-user-interaction#message_responses>. Beyond
/// 4,000 characters of text Slack may cut.
pub(super) const MESSAGE: Shape = Shape {
    kind: None,
    keys: &[
        Key("response_type", May, OneOf(&["in_channel", "ephemeral"])),
        Key("text", Must, Mrkdwn(4000)),
        Key("blocks", May, List(50, &Object(BLOCKS))),
        Key("replace_original", May, Flag),
        Key("delete_original", May, Flag),
        Key("thread_ts", May, Text(255)),
        Key("mrkdwn", May, Flag),
    ],
    one_of: &[],
};

/// <https://docs.slack.dev/reference/views/home-tab-views>
pub(super) const HOME: Shape = Shape {
    kind: Some("home"),
    keys: &[
        Key("blocks", Must, List(100, &Object(BLOCKS))),
        Key("private_metadata", May, Data(3000)),
        Key("callback_id", May, Data(255)),
        Key("external_id", May, Data(255)),
    ],
    one_of: &[],
};
/// A view is no larger, in bytes.
pub(super) const VIEW_MAX: usize = 250_000;

const BLOCKS: &[Shape] = &[
    Shape {
        kind: Some("section"),
        keys: &[
            BLOCK_ID,
            Key("text", May, TextObject(ANY, 3000)),
            Key("fields", May, List(10, &TextObject(ANY, 2000))),
            Key("accessory", May, Object(ELEMENTS)),
            Key("expand", May, Flag),
        ],
        one_of: &["text", "fields"],
    },
    Shape {
        kind: Some("header"),
        keys: &[BLOCK_ID, Key("text", Must, TextObject(PLAIN, 150))],
        one_of: &[],
    },
    Shape {
        kind: Some("context"),
        keys: &[
            BLOCK_ID,
            Key("elements", Must, List(10, &TextObject(ANY, 3000))),
        ],
        one_of: &[],
    },
    Shape {
        kind: Some("divider"),
        keys: &[BLOCK_ID],
        one_of: &[],
    },
    Shape {
        kind: Some("actions"),
        keys: &[BLOCK_ID, Key("elements", Must, List(25, &Object(ELEMENTS)))],
        one_of: &[],
    },
];

const ELEMENTS: &[Shape] = &[BUTTON, SELECT];

/// <https://docs.slack.dev/reference/block-kit/block-elements/button-element>
const BUTTON: Shape = Shape {
    kind: Some("button"),
    keys: &[
        Key("text", Must, TextObject(PLAIN, 75)),
        Key("action_id", Must, Unique(255)),
        Key("value", May, Text(2000)),
        Key("url", May, Is::Url(3000)),
        Key("style", May, STYLES),
        Key("confirm", May, Object(CONFIRM)),
        Key("accessibility_label", May, Text(75)),
    ],
    one_of: &[],
};

/// <https://docs.slack.dev/reference/block-kit/block-elements/select-menu-element#static_select>
const SELECT: Shape = Shape {
    kind: Some("static_select"),
    keys: &[
        Key("action_id", Must, Unique(255)),
        Key("placeholder", May, TextObject(PLAIN, 150)),
        Key("options", Without("option_groups"), List(100, &OPTION)),
        Key("option_groups", May, List(100, &Object(GROUP))),
        Key("initial_option", May, OPTION),
        Key("confirm", May, Object(CONFIRM)),
        Key("focus_on_load", May, Flag),
    ],
    one_of: &["options", "option_groups"],
};

/// <https://docs.slack.dev/reference/block-kit/composition-objects/option-object>
const OPTION: Is = Object(&[Shape {
    kind: None,
    keys: &[
        Key("text", Must, TextObject(PLAIN, 75)),
        Key("value", Must, Text(150)),
        Key("description", May, TextObject(PLAIN, 75)),
    ],
    one_of: &[],
}]);

/// <https://docs.slack.dev/reference/block-kit/composition-objects/option-group-object>
const GROUP: &[Shape] = &[Shape {
    kind: None,
    keys: &[
        Key("label", Must, TextObject(PLAIN, 75)),
        Key("options", Must, List(100, &OPTION)),
    ],
    one_of: &[],
}];

/// <https://docs.slack.dev/reference/block-kit/composition-objects/confirmation-dialog-object>
const CONFIRM: &[Shape] = &[Shape {
    kind: None,
    keys: &[
        Key("title", Must, TextObject(PLAIN, 100)),
        Key("text", Must, TextObject(ANY, 300)),
        Key("confirm", Must, TextObject(PLAIN, 30)),
        Key("deny", Must, TextObject(PLAIN, 30)),
        Key("style", May, STYLES),
    ],
    one_of: &[],
}];
