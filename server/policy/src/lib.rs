//! Authorization policy: [`decide`], a pure function from an operation, an actor and a resource to a decision, and [`grant`], the
//! rule for granting roles. No database, no clock, no HTTP. `matrix.txt` beside this crate's manifest shows all decisions; a test
//! keeps it up to date.

pub mod grant;

use rollcall_api::access::{Access, Permission};
use rollcall_api::types::{GroupId, UserId};
use rollcall_api::{OperationSpec, Protects};

/// The authenticated caller of a request.
#[derive(Clone, Debug)]
pub struct Actor {
    /// The user.
    pub user: UserId,
    /// The permissions that the user holds globally, limited to those that the credential may use.
    pub permissions: Vec<String>,
    /// True if the password was checked recently enough for sensitive operations.
    pub fresh: bool,
}

impl Actor {
    /// Returns true if the actor globally holds the permission, or one that includes it.
    pub fn holds(&self, permission: Permission) -> bool {
        let included_in = permission.included_in().map(Permission::as_str);
        self.permissions.iter().any(|held| held == permission.as_str() || Some(held.as_str()) == included_in)
    }
}

/// The target of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// The directory itself: lists, new users, and everything else that belongs to no user or group.
    Directory,
    /// A user, or something that belongs to the user.
    User(UserId),
    /// The target of a change: a user who holds permissions that the actor lacks. Without this case, a holder of
    /// `users:credentials` could become an administrator by setting a password.
    Superior(UserId),
    /// The target of a change: a user who holds a permission in a group that the actor may not grant there. Affects only the
    /// operations that could let the actor sign in as the user; without this case, a holder of `users:credentials` could
    /// take over any group.
    GroupSuperior(UserId),
    /// A group, with the actor's rights in it.
    Group {
        /// The group.
        group: GroupId,
        /// True if the actor is a member.
        member: bool,
        /// True if the actor holds `group:admin` in the group.
        admin: bool,
        /// True if the actor holds `group:own` in the group.
        owner: bool,
        /// True if the target is the actor's own membership.
        own: bool,
    },
}

/// Outcome of the policy for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The request is allowed.
    Allow,
    /// A credential is required: 401.
    Identify,
    /// The caller may not learn that the resource exists: 404.
    Hide,
    /// The caller may see the resource but may not do this: 403. Holds the missing permission, if there is one.
    Forbid(Option<Permission>),
    /// The target user holds permissions that the caller lacks: 403.
    Outranked,
    /// The operation is for other users; there is a different one for the caller's own account: 403.
    OthersOnly,
    /// The caller must re-authenticate first: 403.
    Reauthenticate,
}

/// Decides if an actor may call an operation on a resource. `None` is a caller without a credential.
pub fn decide(spec: &OperationSpec, actor: Option<&Actor>, resource: Resource) -> Decision {
    if spec.access == Access::Public {
        return Decision::Allow;
    }
    let Some(actor) = actor else { return Decision::Identify };
    let own = matches!(
        resource,
        Resource::User(user) | Resource::Superior(user) | Resource::GroupSuperior(user) if user == actor.user
    );
    let open = match spec.access {
        Access::Public | Access::SignedIn => true,
        Access::OwnOnly => own,
        Access::OwnOr(permission) => own || actor.holds(permission),
        Access::Holders(permission) | Access::OthersWith(permission) => actor.holds(permission),
        Access::MemberOr(permission) => {
            actor.holds(permission) || matches!(resource, Resource::Group { member: true, .. })
        }
        Access::GroupAdminOr(permission) => {
            actor.holds(permission) || matches!(resource, Resource::Group { admin: true, .. })
        }
        Access::GroupOwnerOr(permission) => {
            actor.holds(permission) || matches!(resource, Resource::Group { owner: true, .. })
        }
        Access::OwnOrGroupAdminOr(permission) => {
            actor.holds(permission)
                || matches!(
                    resource,
                    Resource::Group { admin: true, .. } | Resource::Group { member: true, own: true, .. }
                )
        }
    };
    let unseen = match resource {
        Resource::Group { member, .. } => !member && !actor.holds(Permission::GroupsRead),
        Resource::Directory | Resource::User(_) | Resource::Superior(_) | Resource::GroupSuperior(_) => false,
    };
    let outranked = !own
        && match (resource, spec.access.permission()) {
            (Resource::Superior(_), Some(_)) => true,
            (Resource::GroupSuperior(_), Some(_)) => spec.protects == Protects::Account,
            _ => false,
        };
    match (open, spec.access) {
        (true, _) if spec.recent_auth && own && !actor.fresh => Decision::Reauthenticate,
        (true, Access::OthersWith(_)) if own => Decision::OthersOnly,
        (true, _) if outranked => Decision::Outranked,
        (true, _) => Decision::Allow,
        // Only members see a group; any signed-in user sees the cards of users.
        (false, _) if unseen => Decision::Hide,
        (false, access) => Decision::Forbid(access.permission()),
    }
}

/// Renders every decision as a table: one line for each operation, one column for each kind of caller.
pub fn matrix() -> String {
    use rollcall_api::operations::{OPERATIONS, VERIFICATION};

    let me = UserId::from(uuid(1));
    let other = UserId::from(uuid(2));
    let group = GroupId::from(uuid(3));
    let actor = |permissions: Vec<String>, fresh| Actor { user: me, permissions, fresh };
    let all = || Permission::ALL.iter().map(|permission| permission.as_str().to_owned()).collect::<Vec<_>>();
    let mut text = String::from(
        "# Decisions by operation and caller. `holder` holds exactly the permission of the access rule;\n\
         # `others` holds every other permission. For operations on groups, `self` is a member about their own membership.\n\
         # `on superior`: the holder changes a user who holds a permission that the holder lacks; `on owner`: a user who owns a group\n\
         # in which the holder may not grant ownership; `on oneself`: the holder's own account. The last line is\n\
         # about `email_verified` and `phone_verified`, for which an owner counts as a superior. A test keeps this file true:\n\
         # cargo test -p rollcall-policy\n",
    );
    text.push_str(&line(&[
        "operation",
        "anonymous",
        "self",
        "self, fresh",
        "other user",
        "outsider",
        "member",
        "group admin",
        "group owner",
        "holder",
        "on superior",
        "on owner",
        "on oneself",
        "others",
    ]));
    for spec in OPERATIONS.iter().chain([&VERIFICATION]) {
        let needed = spec.access.permission();
        let holder = needed.map(|permission| vec![permission.as_str().to_owned()]).unwrap_or_default();
        let rest = all()
            .into_iter()
            .filter(|held| needed.is_none_or(|permission| held != permission.as_str()))
            .collect();
        let in_group = |member, admin, owner, own| Resource::Group { group, member, admin, owner, own };
        let about_group = matches!(
            spec.access,
            Access::MemberOr(_)
                | Access::GroupAdminOr(_)
                | Access::GroupOwnerOr(_)
                | Access::OwnOrGroupAdminOr(_)
        );
        let about_other =
            if about_group { in_group(false, false, false, false) } else { Resource::User(other) };
        let about_self = if about_group { in_group(true, false, false, true) } else { Resource::User(me) };
        let cell = |actor: Option<Actor>, resource| word(decide(spec, actor.as_ref(), resource));
        let group_cell = |member, admin, owner| match about_group {
            true => cell(Some(actor(vec![], true)), in_group(member, admin, owner, false)),
            false => "-".to_owned(),
        };
        text.push_str(&line(&[
            spec.id,
            &cell(None, about_other),
            &cell(Some(actor(vec![], false)), about_self),
            &cell(Some(actor(vec![], true)), about_self),
            &cell(Some(actor(vec![], true)), about_other),
            &group_cell(false, false, false),
            &group_cell(true, false, false),
            &group_cell(true, true, false),
            &group_cell(true, true, true),
            &cell(Some(actor(holder.clone(), false)), about_other),
            &cell(Some(actor(holder.clone(), false)), Resource::Superior(other)),
            &cell(Some(actor(holder.clone(), false)), Resource::GroupSuperior(other)),
            &cell(Some(actor(holder, true)), about_self),
            &cell(Some(actor(rest, false)), about_other),
        ]));
    }
    text
}

fn uuid(last: u8) -> rollcall_api::Uuid {
    rollcall_api::Uuid::from_bytes([0, 0, 0, 0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, last])
}

fn word(decision: Decision) -> String {
    match decision {
        Decision::Allow => "allow".to_owned(),
        Decision::Identify => "401".to_owned(),
        Decision::Hide => "404".to_owned(),
        Decision::Forbid(_) | Decision::Outranked | Decision::OthersOnly => "403".to_owned(),
        Decision::Reauthenticate => "403 reauth".to_owned(),
    }
}

fn line(cells: &[&str]) -> String {
    let mut text = format!("{:27}", cells[0]);
    for cell in &cells[1..] {
        text.push_str(&format!("{cell:13}"));
    }
    text.trim_end().to_owned() + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `ROLLCALL_BLESS=1` rewrites the file; its diff is a change of policy and must be reviewed as one.
    #[test]
    fn the_matrix_equals_the_reviewed_file() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/matrix.txt");
        let now = matrix();
        if std::env::var_os("ROLLCALL_BLESS").is_some() {
            std::fs::write(path, &now).unwrap();
        }
        let reviewed = std::fs::read_to_string(path).unwrap_or_default();
        assert_eq!(
            reviewed, now,
            "the policy changed; ROLLCALL_BLESS=1 cargo test -p rollcall-policy writes matrix.txt"
        );
    }

    #[test]
    fn only_public_operations_allow_anonymous_callers() {
        for spec in rollcall_api::operations::OPERATIONS {
            let decision = decide(spec, None, Resource::Directory);
            let expected = if spec.access.needs_credential() { Decision::Identify } else { Decision::Allow };
            assert_eq!(decision, expected, "{}", spec.id);
        }
    }
}
