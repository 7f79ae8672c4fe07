//! Permission checks for applications: may this user do this, and why. All data is loaded with the credential, in one
//! round trip.

use std::sync::Arc;

use rollcall_api::access::Permission;
use rollcall_api::error;
use rollcall_api::extract::Bearer;
use rollcall_api::reply::Ok200;
use rollcall_api::types::{
    AccessCheck, AccessDecision, EffectivePermission, EffectivePermissions, GroupRef, PermissionListQuery,
    RoleScope, UserRef,
};
use rollcall_policy::Resource;
use rollcall_store::grants::{self, Grant, Place, Question, Subject};
use rollcall_store::groups::GroupKey;
use rollcall_store::users::UserKey;
use rollcall_store::{Conn, StoreError};

use crate::error::{AppResult, not_found, reject};
use crate::operation::{Fetch, Fetched, Operation};
use crate::secrets::token::TokenHash;
use crate::views::is_suspended;

/// The user and the group of a permission query.
struct Scope {
    user: UserRef,
    group: Option<GroupRef>,
}

impl Scope {
    fn question<'a>(&'a self, hash: &'a TokenHash) -> Question<'a> {
        Question {
            user: UserKey::of(&self.user, &hash.0),
            group: self.group.as_ref().map(GroupKey::from),
            asker: &hash.0,
        }
    }
}

/// The user, the group if one is named, and the result for the user's roles.
type Found<T> = Option<(Subject, Option<Place>, T)>;

/// Loads the decision about one permission.
struct CheckPermission {
    about: Scope,
    permission: String,
}

impl Fetch for CheckPermission {
    type Found = Found<Option<Grant>>;

    async fn fetch(&self, conn: &Conn, hash: &TokenHash) -> Result<Self::Found, StoreError> {
        grants::why(conn, self.about.question(hash), &self.permission).await
    }
}

/// Loads all permissions.
struct ListPermissions(Scope);

impl Fetch for ListPermissions {
    type Found = Found<Vec<Grant>>;

    async fn fetch(&self, conn: &Conn, hash: &TokenHash) -> Result<Self::Found, StoreError> {
        let question = self.0.question(hash);
        let (standing, held) =
            futures::try_join!(grants::standing(conn, question), grants::of_user(conn, question))?;
        Ok(standing.map(|(subject, place)| (subject, place, held)))
    }
}

/// Authorizes the result, and checks that the caller may see the group: through `groups:read`, as a member, or
/// because the queried user is a member.
fn authorize_visible<T>(fetched: Fetched<'_, Found<T>>) -> AppResult<Option<(Subject, T)>> {
    let (caller, found) = fetched.authorize(|_, found| match found {
        Some((subject, ..)) => Resource::User(subject.id.into()),
        None => Resource::Directory,
    })?;
    let Some((subject, place, result)) = found else { return Ok(None) };
    let seen = place.is_none_or(|place| {
        let known =
            caller.actor.holds(Permission::GroupsRead) || place.asker_is_member || place.user_is_member;
        place.id.is_some() && known
    });
    if !seen {
        return reject(error::NOT_FOUND, "group: there is no such group, or none that you may see");
    }
    Ok(Some((subject, result)))
}

/// Checks if a user has a permission.
pub async fn access_check(
    op: Arc<Operation>,
    credential: Bearer,
    body: AccessCheck,
) -> AppResult<Ok200<AccessDecision>> {
    let about = Scope { user: body.user.unwrap_or(UserRef::Me), group: body.group };
    let asked = CheckPermission { about, permission: body.permission.into_string() };
    let Some((subject, grant)) = authorize_visible(op.read(&credential, &asked).await?)? else {
        return reject(error::NOT_FOUND, "user: there is no such user, or none that you may see");
    };
    let permission = asked.permission;
    if is_suspended(subject.suspended, subject.suspended_until, op.now()) {
        return Ok(Ok200::new(denied("the user is suspended")));
    }
    let Some(grant) = grant else {
        return Ok(Ok200::new(denied(&format!("no role of the user gives {permission} here"))));
    };
    let scope = scope_of(&grant);
    Ok(Ok200::new(AccessDecision {
        allowed: true,
        reason: format!("the {} role {} gives {permission}", scope.0, grant.role),
        role: Some(grant.role),
        scope: Some(scope),
    }))
}

fn denied(reason: &str) -> AccessDecision {
    AccessDecision { allowed: false, reason: reason.to_owned(), role: None, scope: None }
}

fn scope_of(grant: &Grant) -> RoleScope {
    RoleScope(if grant.group_id.is_some() { "group" } else { "global" }.to_owned())
}

/// Lists a user's permissions.
pub async fn user_permission_list(
    op: Arc<Operation>,
    credential: Bearer,
    user: UserRef,
    query: PermissionListQuery,
) -> AppResult<Ok200<EffectivePermissions>> {
    let asked = ListPermissions(Scope { user, group: query.group });
    let Some((subject, held)) = authorize_visible(op.read(&credential, &asked).await?)? else {
        return not_found();
    };
    if is_suspended(subject.suspended, subject.suspended_until, op.now()) {
        return Ok(Ok200::new(EffectivePermissions { permissions: Vec::new() }));
    }
    let permissions = held
        .into_iter()
        .map(|grant| EffectivePermission {
            scope: scope_of(&grant),
            permission: grant.permission,
            role: grant.role,
        })
        .collect();
    Ok(Ok200::new(EffectivePermissions { permissions }))
}
