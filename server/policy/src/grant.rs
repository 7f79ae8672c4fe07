//! Permission to give a role, by whichever request leads to somebody holding it: a grant, a default flag, a role edit, an
//! invitation, a membership. One rule, asked on every path: nobody gives what they don't hold.

use rollcall_api::Protects;
use rollcall_api::access::Permission;

/// The rights that a role is given with.
#[derive(Clone, Copy, Debug)]
pub enum Giving<'a> {
    /// To a user, everywhere.
    Everywhere,
    /// To a member of a group in which the giver holds these permissions.
    InGroup(&'a [String]),
    /// To whoever holds the role now or later, by deciding what is in it.
    ByDefinition,
}

/// The first of the permissions that a user holds globally that keeps somebody who holds `held` from changing the user.
///
/// - With a change by which one could sign in as the user ([`Protects::Account`]): each that one may not give to users; one
///   would take it.
/// - With any other: each of Rollcall's own that one doesn't hold. Applications' permissions give no power over the directory.
pub fn first_above<'a>(held: &[String], protects: Protects, theirs: &'a [String]) -> Option<&'a str> {
    let giving = match protects {
        Protects::Account => Giving::Everywhere,
        Protects::Rank | Protects::Nobody => Giving::ByDefinition,
    };
    first_missing(held, giving, theirs)
}

/// The first of a role's permissions that somebody who holds `held` everywhere may not give.
///
/// - Everywhere: each permission must be held; those of applications may also be given by holders of `roles:write`, who
///   decide what is in a role anyway.
/// - In a group: holders of `groups:write`, or of `group:own` in the group, give any group role; others what they hold in
///   the group or everywhere.
/// - By definition: each of Rollcall's own permissions must be held, and `group:` ones need `groups:write`.
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
    fn everywhere_one_gives_what_one_holds() {
        let give = |held: &[&str], permissions: &[&str]| missing(held, Giving::Everywhere, permissions);
        assert_eq!(give(&["users:read", "a:b"], &["users:read", "a:b"]), None);
        assert_eq!(give(&["users:read"], &["users:read", "a:b"]).as_deref(), Some("a:b"));
        assert_eq!(give(&["roles:write"], &["a:b"]), None);
        assert_eq!(give(&["roles:write"], &["users:read"]).as_deref(), Some("users:read"));
    }

    #[test]
    fn in_a_group_owners_give_everything() {
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
    fn nobody_takes_over_what_they_may_not_give() {
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
    fn a_definition_gives_to_whoever_holds_the_role() {
        let define = |held: &[&str], permissions: &[&str]| missing(held, Giving::ByDefinition, permissions);
        assert_eq!(define(&[], &["a:b"]), None);
        assert_eq!(define(&["users:read"], &["users:read"]), None);
        assert_eq!(define(&["roles:write"], &["users:read"]).as_deref(), Some("users:read"));
        assert_eq!(define(&["roles:write"], &["group:own"]).as_deref(), Some("group:own"));
        assert_eq!(define(&["groups:write"], &["group:own", "group:admin"]), None);
        assert_eq!(
            define(&[], &["users:fly"]).as_deref(),
            Some("users:fly"),
            "unknown, but in our name space"
        );
    }
}
