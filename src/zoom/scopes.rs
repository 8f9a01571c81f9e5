//! The scopes that a grant must have, and those that more can be said and done with.

/// What a grant must have, in the granular family.
pub const NEEDED: &str = "meeting:update:livestream_status user:read:user";
/// The scope without which no livestream can be started.
const LIVESTREAM: &str = "meeting:update:livestream_status";

/// Whether livestreams cannot be started with these scopes, separated by spaces.
pub fn lacks_livestream_scope(granted: &str) -> bool {
    missing_scope(granted) == Some(LIVESTREAM)
}

/// Whether Zoom tells us nothing of the livestreams of whoever granted these scopes, separated by
/// spaces: its events take this scope, or one of the older family.
/// <https://developers.zoom.us/docs/api/meetings/events/>
pub fn lacks_reports(granted: &str) -> bool {
    const ENOUGH: [&str; 6] = [
        "meeting:read:livestream",
        "meeting:read:livestream:admin",
        "meeting:read",
        "meeting:read:admin",
        "meeting:write",
        "meeting:write:admin",
    ];
    !granted
        .split_whitespace()
        .any(|scope| ENOUGH.contains(&scope))
}

/// One family of scopes or the other, whole: apps made since 2024 have granular ones.
pub fn missing_scope(granted: &str) -> Option<&'static str> {
    let has = |scope: &str| granted.split_whitespace().any(|granted| granted == scope);
    [
        (
            LIVESTREAM,
            [
                "meeting:write",
                "meeting:write:admin",
                "meeting:update:livestream_status:admin",
            ]
            .as_slice(),
        ),
        (
            "user:read:user",
            [
                "user:read",
                "user:read:admin",
                "user_info:read",
                "user_profile",
                "user:read:user:admin",
            ]
            .as_slice(),
        ),
    ]
    .into_iter()
    .find(|(granular, others)| !has(granular) && !others.iter().any(|scope| has(scope)))
    .map(|(granular, _)| granular)
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
