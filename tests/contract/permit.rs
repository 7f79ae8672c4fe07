//! Who may call an operation, read from the published document and from nothing else: `x-permission`, and for the recent
//! password check the description's `session_reauthenticate`.

use rollcall_client::error_code;

use crate::support::contract::Operation;

/// What the document says.
#[derive(Debug, Default)]
pub struct Permit {
    public: bool,
    signed_in: bool,
    own: bool,
    member: bool,
    group_admin: bool,
    group_owner: bool,
    others_only: bool,
    /// The permission that opens the operation, if one does.
    pub permission: Option<String>,
    fresh: bool,
}

/// Who calls, as far as the document's words go.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    /// The global permissions; `None` for whom the server doesn't know.
    pub permissions: Option<Vec<String>>,
    /// Whether it is about the caller, or the caller's own membership.
    pub own: bool,
    /// Whether the caller is in the group that it is about.
    pub member: bool,
    /// Whether the caller holds `group:admin` in it.
    pub group_admin: bool,
    /// Whether the caller holds `group:own` in it.
    pub group_owner: bool,
    /// Whether the user whom it would change holds a permission that the caller doesn't.
    pub outranked: bool,
    /// Whether the caller's password was checked long ago.
    pub stale: bool,
}

impl Permit {
    /// Reads the document.
    pub fn of(operation: &Operation) -> Self {
        let words = operation.object["x-permission"].as_str().unwrap();
        let description = operation.object["description"].as_str().unwrap();
        let mut permit = Self {
            fresh: description.contains("session_reauthenticate"),
            others_only: description.contains("for other users than themselves"),
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

    /// What becomes of the call: status and code, or `None` for success.
    pub fn expected(&self, operation: &Operation, caller: &Standing) -> Option<(u16, &'static str)> {
        if self.public {
            return None;
        }
        let Some(held) = &caller.permissions else { return Some((401, error_code::UNAUTHENTICATED)) };
        // What the document says of these two.
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
            // A group that the caller may not see is answered like none.
            let hidden = in_group && !caller.member && !holds("groups:read");
            return Some(if hidden { (404, error_code::NOT_FOUND) } else { (403, error_code::FORBIDDEN) });
        }
        if self.others_only && caller.own {
            return Some((403, error_code::FORBIDDEN));
        }
        if self.fresh && caller.own && caller.stale {
            return Some((403, error_code::REAUTHENTICATION_REQUIRED));
        }
        // Only changes of users ask who stands above whom.
        let of_user = operation.path.contains("{user}") && !in_group && operation.method != http::Method::GET;
        (of_user && caller.outranked && !caller.own).then_some((403, error_code::FORBIDDEN))
    }
}
