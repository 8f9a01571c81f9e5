//! The scopes that a grant must have, and those that more can be said and done with.

/// What a grant must have, in the granular family.
pub const NEEDED: &str = "meeting:update:livestream_status user:read:user";
/// The scope without which no livestream can be started.
const LIVESTREAM: &str = "meeting:update:livestream_status";
/// The one that Zoom's reports of livestreams take, and a look at where a meeting's livestream goes:
/// <https://developers.zoom.us/docs/api/meetings/events/>.
pub const REPORTS: &str = "meeting:read:livestream";
/// The one that a user's meetings are listed with.
const LIST: &str = "meeting:read:list_meetings";

/// The one that sets where a meeting's livestream goes.
pub const DESTINATION: &str = "meeting:update:livestream";
/// The ones that say who a user is, what a meeting is like, and what a user's settings are.
pub const USER: &str = "user:read:user";
pub const MEETING: &str = "meeting:read:meeting";
pub const SETTINGS: &str = "user:read:settings";

/// Every scope that is used, with the others that hold it: apps made since 2024 have granular
/// ones. The first two a grant must have.
const USED: [(&str, &[&str]); 7] = [
    (
        LIVESTREAM,
        &[
            "meeting:write",
            "meeting:write:admin",
            "meeting:update:livestream_status:admin",
        ],
    ),
    (
        USER,
        &[
            "user:read",
            "user:read:admin",
            "user_info:read",
            "user_profile",
            "user:read:user:admin",
        ],
    ),
    (
        REPORTS,
        &[
            "meeting:read:livestream:admin",
            "meeting:read",
            "meeting:read:admin",
            "meeting:write",
            "meeting:write:admin",
        ],
    ),
    (
        MEETING,
        &[
            "meeting:read:meeting:admin",
            "meeting:read",
            "meeting:read:admin",
        ],
    ),
    (
        LIST,
        &[
            "meeting:read:list_meetings:admin",
            "meeting:read",
            "meeting:read:admin",
        ],
    ),
    (
        DESTINATION,
        &[
            "meeting:update:livestream:admin",
            "meeting:write",
            "meeting:write:admin",
        ],
    ),
    (
        SETTINGS,
        &["user:read:settings:admin", "user:read", "user:read:admin"],
    ),
];

/// Which of the scopes that are used these do not hold, separated by spaces.
pub fn lacking(granted: &str) -> Vec<&'static str> {
    let has = |scope: &str| granted.split_whitespace().any(|granted| granted == scope);
    let lacking = USED
        .into_iter()
        .filter(|(scope, others)| !has(scope) && !others.iter().any(|other| has(other)));
    lacking.map(|(scope, _)| scope).collect()
}

/// Whether livestreams cannot be started with these scopes, separated by spaces.
pub fn lacks_livestream_scope(granted: &str) -> bool {
    lacking(granted).contains(&LIVESTREAM)
}

/// Whether Zoom tells us nothing of the livestreams of whoever granted these scopes, separated by
/// spaces.
pub fn lacks_reports(granted: &str) -> bool {
    lacking(granted).contains(&REPORTS)
}

/// Whether Zoom does not list the meetings of whoever granted these scopes, separated by spaces.
pub fn lacks_list(granted: &str) -> bool {
    lacking(granted).contains(&LIST)
}

/// One that a grant must have, and these do not hold.
pub fn missing_scope(granted: &str) -> Option<&'static str> {
    let mut lacking = lacking(granted).into_iter();
    lacking.find(|scope| NEEDED.split(' ').any(|needed| needed == *scope))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_take_a_scope_of_either_family() {
        assert!(lacks_reports(
            "meeting:update:livestream_status user:read:user"
        ));
        assert!(!lacks_reports("user:read:user meeting:read:livestream"));
        assert!(!lacks_reports("meeting:write user:read"));
    }

    #[test]
    fn either_family_of_scopes_will_do() {
        assert_eq!(
            missing_scope("user:read:user meeting:update:livestream_status"),
            None
        );
        assert_eq!(missing_scope("meeting:write user:read"), None);
        assert_eq!(
            missing_scope("user:read"),
            Some("meeting:update:livestream_status")
        );
        assert_eq!(missing_scope("meeting:write"), Some("user:read:user"));
        assert_eq!(
            missing_scope("meeting:write2 user:read"),
            Some("meeting:update:livestream_status")
        );
    }
}
