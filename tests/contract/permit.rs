//! Allowed callers of an operation, parsed from the published document only: `x-permission` and, for the recent password check,
//! `session_reauthenticate` in the description.

use rollcall_client::error_code;

use crate::support::contract::Operation;

/// Access rule of an operation according to the document.
#[derive(Debug, Default)]
pub struct Permit {
    public: bool,
    signed_in: bool,
    own: bool,
    member: bool,
    group_admin: bool,
    group_owner: bool,
    others_only: bool,
    /// The permission that gives access, if there is one.
    pub permission: Option<String>,
    fresh: bool,
}

/// Facts about the caller that the document's rules depend on.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    /// The global permissions; `None` for a caller without a valid credential.
    pub permissions: Option<Vec<String>>,
    /// True if the target is the caller, or the caller's own membership.
    pub own: bool,
    /// True if the caller is a member of the group.
    pub member: bool,
    /// True if the caller holds `group:admin` in the group.
    pub group_admin: bool,
    /// True if the caller holds `group:own` in the group.
    pub group_owner: bool,
    /// True if the target user holds a permission that the caller lacks.
    pub outranked: bool,
    /// True if the caller's last password check is not recent.
    pub stale: bool,
}

impl Permit {
    /// Parses the rule of an operation.
    pub fn of(operation: &Operation) -> Self {
        let words = operation.object["x-permission"].as_str().unwrap();
        let description = operation.object["description"].as_str().unwrap();
        let mut permit = Self {
            fresh: description.contains("session_reauthenticate"),
            others_only: description.contains("for users other than themselves"),
            ..Self::default()
        };
        for word in words.split(" or ").flat_map(|part| part.split(", ")) {
            match word {
                "public" => permit.public = true,
                "signed in" => permit.signed_in = true,
                "self" => permit.own = true,
                "member" => permit.member = true,
                "group:admin" => permit.group_admin = true,
                "group:own" => permit.group_owner = true,
                other => {
                    assert!(other.contains(':'), "{}: x-permission `{words}`", operation.id);
                    permit.permission = Some(other.to_owned());
                }
            }
        }
        permit
    }

    /// Returns the expected status and code, or `None` for success.
    pub fn expected(&self, operation: &Operation, caller: &Standing) -> Option<(u16, &'static str)> {
        if self.public {
            return None;
        }
        let Some(held) = &caller.permissions else { return Some((401, error_code::UNAUTHENTICATED)) };
        // As documented under "Authentication".
        let includes = |held: &str, permission: &str| held == "groups:write" && permission == "groups:read";
        let holds =
            |permission: &str| held.iter().any(|held| held == permission || includes(held, permission));
        let in_group = operation.path.contains("{group}");
        let open = self.signed_in
            || (self.own && caller.own)
            || (self.member && caller.member)
            || (self.group_admin && caller.group_admin)
            || (self.group_owner && caller.group_owner)
            || self.permission.as_deref().is_some_and(holds);
        if !open {
            // An invisible group gets the same response as a missing one.
            let hidden = in_group && !caller.member && !holds("groups:read");
            return Some(if hidden { (404, error_code::NOT_FOUND) } else { (403, error_code::FORBIDDEN) });
        }
        if self.others_only && caller.own {
            return Some((403, error_code::FORBIDDEN));
        }
        if self.fresh && caller.own && caller.stale {
            return Some((403, error_code::REAUTHENTICATION_REQUIRED));
        }
        // Only changes of users compare permissions.
        let of_user = operation.path.contains("{user}") && !in_group && operation.method != http::Method::GET;
        (of_user && caller.outranked && !caller.own).then_some((403, error_code::FORBIDDEN))
    }
}
