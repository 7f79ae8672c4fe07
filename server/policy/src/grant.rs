//! The rule for granting roles: nobody can grant what they don't hold. It applies to every request after which somebody holds a
//! role: an assignment, a default flag, a change of a role, an invitation, a membership.

use rollcall_api::Protects;
use rollcall_api::access::Permission;

/// The way in which a role is granted.
#[derive(Clone, Copy, Debug)]
pub enum Giving<'a> {
    /// Globally, to a user.
    Everywhere,
    /// In a group, to a member. The granting user holds these permissions in the group.
    InGroup(&'a [String]),
    /// To all present and future holders of the role, by defining its permissions.
    ByDefinition,
}

/// Returns the first of a user's global permissions that forbids a caller who holds `held` to change that user.
///
/// - For a change that could let the caller sign in as the user ([`Protects::Account`]): a permission that the caller may not
///   grant to users, because the caller would gain it.
/// - For any other change: one of Rollcall's own permissions that the caller doesn't hold. Permissions of applications give no
///   power over the directory.
pub fn first_above<'a>(held: &[String], protects: Protects, theirs: &'a [String]) -> Option<&'a str> {
    let giving = match protects {
        Protects::Account => Giving::Everywhere,
        Protects::Rank | Protects::Nobody => Giving::ByDefinition,
    };
    first_missing(held, giving, theirs)
}

/// Returns the first of a role's permissions that a caller who globally holds `held` may not grant.
///
/// - [`Giving::Everywhere`]: the caller must hold each permission. Holders of `roles:write` may also grant permissions of
///   applications, since they can define roles with them anyway.
/// - [`Giving::InGroup`]: holders of `groups:write`, or of `group:own` in the group, may grant any group role; others may grant
///   what they hold in the group or globally.
/// - [`Giving::ByDefinition`]: the caller must hold each of Rollcall's own permissions; `group:` ones need `groups:write`.
pub fn first_missing<'a>(held: &[String], giving: Giving<'_>, permissions: &'a [String]) -> Option<&'a str> {
    let holds = |permission: &str| held.iter().any(|held| held == permission);
    let any_group = holds(Permission::GroupsWrite.as_str());
    let may_give = |permission: &String| match giving {
        Giving::Everywhere => {
            holds(permission) || (!Permission::is_own(permission) && holds(Permission::RolesWrite.as_str()))
        }
        Giving::InGroup(in_group) => {
            any_group
                || in_group.iter().any(|held| held == Permission::GroupOwn.as_str() || held == permission)
                || holds(permission)
        }
        Giving::ByDefinition => match Permission::parse(permission) {
            Some(own) if own.in_group() => any_group,
            _ => holds(permission) || !Permission::is_own(permission),
        },
    };
    permissions.iter().find(|permission| !may_give(permission)).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    fn missing(held: &[&str], giving: Giving<'_>, permissions: &[&str]) -> Option<String> {
        first_missing(&texts(held), giving, &texts(permissions)).map(str::to_owned)
    }

    #[test]
    fn global_grants_need_each_permission() {
        let give = |held: &[&str], permissions: &[&str]| missing(held, Giving::Everywhere, permissions);
        assert_eq!(give(&["users:read", "a:b"], &["users:read", "a:b"]), None);
        assert_eq!(give(&["users:read"], &["users:read", "a:b"]).as_deref(), Some("a:b"));
        assert_eq!(give(&["roles:write"], &["a:b"]), None);
        assert_eq!(give(&["roles:write"], &["users:read"]).as_deref(), Some("users:read"));
    }

    #[test]
    fn group_owners_grant_every_group_role() {
        let own = texts(&["group:own"]);
        let admin = texts(&["group:admin", "a:b"]);
        let all = ["group:admin", "group:own", "a:c"];
        assert_eq!(missing(&[], Giving::InGroup(&own), &all), None);
        assert_eq!(missing(&["groups:write"], Giving::InGroup(&[]), &all), None);
        assert_eq!(missing(&[], Giving::InGroup(&admin), &["group:admin", "a:b"]), None);
        assert_eq!(missing(&["a:c"], Giving::InGroup(&admin), &["a:c"]), None);
        assert_eq!(missing(&[], Giving::InGroup(&admin), &all).as_deref(), Some("group:own"));
    }

    #[test]
    fn nobody_takes_over_an_account_with_more_permissions() {
        let above = |held: &[&str], protects, theirs: &[&str]| {
            first_above(&texts(held), protects, &texts(theirs)).map(str::to_owned)
        };
        let clerk = ["users:credentials"];
        assert_eq!(above(&clerk, Protects::Account, &["billing:refund"]).as_deref(), Some("billing:refund"));
        assert_eq!(above(&["roles:write"], Protects::Account, &["billing:refund"]), None);
        assert_eq!(above(&clerk, Protects::Rank, &["billing:refund"]), None);
        for protects in [Protects::Account, Protects::Rank] {
            assert_eq!(above(&clerk, protects, &["users:read"]).as_deref(), Some("users:read"));
            assert_eq!(above(&clerk, protects, &clerk), None);
        }
    }

    #[test]
    fn definitions_need_the_own_permissions_only() {
        let define = |held: &[&str], permissions: &[&str]| missing(held, Giving::ByDefinition, permissions);
        assert_eq!(define(&[], &["a:b"]), None);
        assert_eq!(define(&["users:read"], &["users:read"]), None);
        assert_eq!(define(&["roles:write"], &["users:read"]).as_deref(), Some("users:read"));
        assert_eq!(define(&["roles:write"], &["group:own"]).as_deref(), Some("group:own"));
        assert_eq!(define(&["groups:write"], &["group:own", "group:admin"]), None);
        assert_eq!(
            define(&[], &["users:fly"]).as_deref(),
            Some("users:fly"),
            "unknown, but with a reserved prefix"
        );
    }
}
