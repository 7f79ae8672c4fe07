//! The one implementation of the contract: a few lines for each operation, which hand over to `app`.

mod handle;
mod request_log;

use dropshot::RequestContext;
use rollcall_api::extract::{
    Bearer, IdempotencyKey, IfMatch, IfNoneMatch, JsonBody, OptionalBody, PathParams, QueryParams,
};
use rollcall_api::reply::{Created, NoContent, Ok200};
use rollcall_api::types::{
    AccessCheck, AccessDecision, AuditEventListQuery, AuditEventPage, CurrentSession, CustomData,
    EffectivePermissions, Group, GroupCreate, GroupMember, GroupMemberAdd, GroupMemberPage, GroupMemberPath,
    GroupMemberUpdate, GroupPage, GroupPath, GroupUpdate, Health, InvitationAccept, InvitationCreate,
    InvitationCreated, InvitationPage, InvitationPath, JsonObject, ListQuery, Login, LoginChangePassword,
    Logout, PageQuery, PermissionListQuery, Preferences, Readiness, Register, Role, RoleCreate,
    RoleDeleteQuery, RolePage, RolePath, RoleUpdate, ServerVersion, SessionCreated, SessionPage, SessionPath,
    SessionReauthenticate, User, UserCreate, UserGroup, UserGroupPage, UserListQuery, UserPage,
    UserPasswordChange, UserPasswordSet, UserPasswordVerify, UserPath, UserRolePath, UserRoles,
    UserRolesChanged, UserSuspend, UserUpdate,
};
use rollcall_api::{Answer, RollcallApi};

use crate::app::{
    access, audit, documents, groups, invitations, login, members, passwords, register, roles, session,
    sessions, system, user_roles, users,
};
use handle::{Shared, handle};
pub use request_log::RequestLog;

/// The contract, kept by this server.
#[derive(Debug)]
pub enum Server {}

type Rqctx = RequestContext<Shared>;

impl RollcallApi for Server {
    type Context = Shared;

    async fn login(rqctx: Rqctx, body: JsonBody<Login>) -> Answer<Ok200<SessionCreated>> {
        handle(&rqctx, "login", |op| login::login(op, body.value)).await
    }

    async fn login_change_password(
        rqctx: Rqctx,
        body: JsonBody<LoginChangePassword>,
    ) -> Answer<Ok200<SessionCreated>> {
        handle(&rqctx, "login_change_password", |op| login::login_change_password(op, body.value)).await
    }

    async fn register(rqctx: Rqctx, key: IdempotencyKey, body: JsonBody<Register>) -> Answer<Created<User>> {
        handle(&rqctx, "register", |op| register::register(op, key, body)).await
    }

    async fn logout(rqctx: Rqctx, credential: Bearer, body: OptionalBody<Logout>) -> Answer<NoContent> {
        handle(&rqctx, "logout", |op| session::logout(op, credential, body.0.value)).await
    }

    async fn session_view(rqctx: Rqctx, credential: Bearer) -> Answer<Ok200<CurrentSession>> {
        handle(&rqctx, "session_view", |op| session::session_view(op, credential)).await
    }

    async fn session_reauthenticate(
        rqctx: Rqctx,
        credential: Bearer,
        body: JsonBody<SessionReauthenticate>,
    ) -> Answer<Ok200<SessionCreated>> {
        handle(&rqctx, "session_reauthenticate", |op| {
            session::session_reauthenticate(op, credential, body.value)
        })
        .await
    }

    async fn user_list(
        rqctx: Rqctx,
        credential: Bearer,
        query: QueryParams<UserListQuery>,
    ) -> Answer<Ok200<UserPage>> {
        handle(&rqctx, "user_list", |op| users::user_list(op, credential, query.0)).await
    }

    async fn user_create(
        rqctx: Rqctx,
        credential: Bearer,
        key: IdempotencyKey,
        body: JsonBody<UserCreate>,
    ) -> Answer<Created<User>> {
        handle(&rqctx, "user_create", |op| register::user_create(op, credential, key, body)).await
    }

    async fn user_view(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<UserPath>,
        known: IfNoneMatch,
    ) -> Answer<Ok200<User>> {
        handle(&rqctx, "user_view", |op| users::user_view(op, credential, path.0.user, known)).await
    }

    async fn user_update(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<UserPath>,
        expected: IfMatch,
        body: JsonBody<UserUpdate>,
    ) -> Answer<Ok200<User>> {
        handle(&rqctx, "user_update", |op| {
            users::user_update(op, credential, path.0.user, expected, body.value)
        })
        .await
    }

    async fn user_delete(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<UserPath>,
        expected: IfMatch,
    ) -> Answer<NoContent> {
        handle(&rqctx, "user_delete", |op| users::user_delete(op, credential, path.0.user, expected)).await
    }

    async fn user_custom_data_view(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<UserPath>,
        known: IfNoneMatch,
    ) -> Answer<Ok200<CustomData>> {
        handle(&rqctx, "user_custom_data_view", |op| {
            documents::user_custom_data_view(op, credential, path.0.user, known)
        })
        .await
    }

    async fn user_custom_data_update(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<UserPath>,
        expected: IfMatch,
        body: JsonBody<CustomData>,
    ) -> Answer<Ok200<CustomData>> {
        handle(&rqctx, "user_custom_data_update", |op| {
            documents::user_custom_data_update(op, credential, path.0.user, expected, body.value)
        })
        .await
    }

    async fn user_custom_data_replace(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<UserPath>,
        expected: IfMatch,
        body: JsonBody<CustomData>,
    ) -> Answer<Ok200<CustomData>> {
        handle(&rqctx, "user_custom_data_replace", |op| {
            documents::user_custom_data_replace(op, credential, path.0.user, expected, body.value)
        })
        .await
    }

    async fn user_preferences_view(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<UserPath>,
        known: IfNoneMatch,
    ) -> Answer<Ok200<Preferences>> {
        handle(&rqctx, "user_preferences_view", |op| {
            documents::user_preferences_view(op, credential, path.0.user, known)
        })
        .await
    }

    async fn user_preferences_update(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<UserPath>,
        expected: IfMatch,
        body: JsonBody<Preferences>,
    ) -> Answer<Ok200<Preferences>> {
        handle(&rqctx, "user_preferences_update", |op| {
            documents::user_preferences_update(op, credential, path.0.user, expected, body.value)
        })
        .await
    }

    async fn user_password_set(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<UserPath>,
        body: JsonBody<UserPasswordSet>,
    ) -> Answer<NoContent> {
        handle(&rqctx, "user_password_set", |op| {
            passwords::user_password_set(op, credential, path.0.user, body.value)
        })
        .await
    }

    async fn user_password_change(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<UserPath>,
        body: JsonBody<UserPasswordChange>,
    ) -> Answer<Ok200<SessionCreated>> {
        handle(&rqctx, "user_password_change", |op| {
            passwords::user_password_change(op, credential, path.0.user, body.value)
        })
        .await
    }

    async fn user_password_verify(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<UserPath>,
        body: JsonBody<UserPasswordVerify>,
    ) -> Answer<NoContent> {
        handle(&rqctx, "user_password_verify", |op| {
            passwords::user_password_verify(op, credential, path.0.user, body.value)
        })
        .await
    }

    async fn user_session_list(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<UserPath>,
        query: QueryParams<PageQuery>,
    ) -> Answer<Ok200<SessionPage>> {
        handle(&rqctx, "user_session_list", |op| {
            sessions::user_session_list(op, credential, path.0.user, query.0)
        })
        .await
    }

    async fn user_session_delete(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<SessionPath>,
    ) -> Answer<NoContent> {
        handle(&rqctx, "user_session_delete", |op| sessions::user_session_delete(op, credential, path.0))
            .await
    }

    async fn user_session_delete_all(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<UserPath>,
    ) -> Answer<NoContent> {
        handle(&rqctx, "user_session_delete_all", |op| {
            sessions::user_session_delete_all(op, credential, path.0.user)
        })
        .await
    }

    async fn group_list(
        rqctx: Rqctx,
        credential: Bearer,
        query: QueryParams<ListQuery>,
    ) -> Answer<Ok200<GroupPage>> {
        handle(&rqctx, "group_list", |op| groups::group_list(op, credential, query.0)).await
    }

    async fn group_view(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<GroupPath>,
        known: IfNoneMatch,
    ) -> Answer<Ok200<Group>> {
        handle(&rqctx, "group_view", |op| groups::group_view(op, credential, path.0.group, known)).await
    }

    async fn group_member_list(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<GroupPath>,
        query: QueryParams<ListQuery>,
    ) -> Answer<Ok200<GroupMemberPage>> {
        handle(&rqctx, "group_member_list", |op| {
            groups::group_member_list(op, credential, path.0.group, query.0)
        })
        .await
    }

    async fn user_group_list(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<UserPath>,
        query: QueryParams<PageQuery>,
    ) -> Answer<Ok200<UserGroupPage>> {
        handle(&rqctx, "user_group_list", |op| groups::user_group_list(op, credential, path.0.user, query.0))
            .await
    }

    async fn user_suspend(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<UserPath>,
        body: OptionalBody<UserSuspend>,
    ) -> Answer<Ok200<User>> {
        handle(&rqctx, "user_suspend", |op| users::user_suspend(op, credential, path.0.user, body.0.value))
            .await
    }

    async fn user_reactivate(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<UserPath>,
    ) -> Answer<Ok200<User>> {
        handle(&rqctx, "user_reactivate", |op| users::user_reactivate(op, credential, path.0.user)).await
    }

    async fn group_create(
        rqctx: Rqctx,
        credential: Bearer,
        key: IdempotencyKey,
        body: JsonBody<GroupCreate>,
    ) -> Answer<Created<Group>> {
        handle(&rqctx, "group_create", |op| groups::group_create(op, credential, key, body)).await
    }

    async fn group_update(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<GroupPath>,
        expected: IfMatch,
        body: JsonBody<GroupUpdate>,
    ) -> Answer<Ok200<Group>> {
        handle(&rqctx, "group_update", |op| {
            groups::group_update(op, credential, path.0.group, expected, body.value)
        })
        .await
    }

    async fn group_delete(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<GroupPath>,
        expected: IfMatch,
    ) -> Answer<NoContent> {
        handle(&rqctx, "group_delete", |op| groups::group_delete(op, credential, path.0.group, expected))
            .await
    }

    async fn group_member_add(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<GroupPath>,
        key: IdempotencyKey,
        body: JsonBody<GroupMemberAdd>,
    ) -> Answer<Created<GroupMember>> {
        handle(&rqctx, "group_member_add", |op| {
            members::group_member_add(op, credential, path.0.group, key, body)
        })
        .await
    }

    async fn group_member_update(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<GroupMemberPath>,
        body: JsonBody<GroupMemberUpdate>,
    ) -> Answer<Ok200<GroupMember>> {
        handle(&rqctx, "group_member_update", |op| {
            members::group_member_update(op, credential, path.0, body.value)
        })
        .await
    }

    async fn group_member_remove(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<GroupMemberPath>,
    ) -> Answer<NoContent> {
        handle(&rqctx, "group_member_remove", |op| members::group_member_remove(op, credential, path.0)).await
    }

    async fn group_invitation_list(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<GroupPath>,
        query: QueryParams<PageQuery>,
    ) -> Answer<Ok200<InvitationPage>> {
        handle(&rqctx, "group_invitation_list", |op| {
            invitations::group_invitation_list(op, credential, path.0.group, query.0)
        })
        .await
    }

    async fn group_invitation_create(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<GroupPath>,
        key: IdempotencyKey,
        body: OptionalBody<InvitationCreate>,
    ) -> Answer<Created<InvitationCreated>> {
        handle(&rqctx, "group_invitation_create", |op| {
            invitations::group_invitation_create(op, credential, path.0.group, key, body.0)
        })
        .await
    }

    async fn group_invitation_delete(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<InvitationPath>,
    ) -> Answer<NoContent> {
        handle(&rqctx, "group_invitation_delete", |op| {
            invitations::group_invitation_delete(op, credential, path.0)
        })
        .await
    }

    async fn invitation_accept(
        rqctx: Rqctx,
        credential: Bearer,
        body: JsonBody<InvitationAccept>,
    ) -> Answer<Ok200<UserGroup>> {
        handle(&rqctx, "invitation_accept", |op| invitations::invitation_accept(op, credential, body.value))
            .await
    }

    async fn role_list(
        rqctx: Rqctx,
        credential: Bearer,
        query: QueryParams<ListQuery>,
    ) -> Answer<Ok200<RolePage>> {
        handle(&rqctx, "role_list", |op| roles::role_list(op, credential, query.0)).await
    }

    async fn role_create(
        rqctx: Rqctx,
        credential: Bearer,
        key: IdempotencyKey,
        body: JsonBody<RoleCreate>,
    ) -> Answer<Created<Role>> {
        handle(&rqctx, "role_create", |op| roles::role_create(op, credential, key, body)).await
    }

    async fn role_view(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<RolePath>,
        known: IfNoneMatch,
    ) -> Answer<Ok200<Role>> {
        handle(&rqctx, "role_view", |op| roles::role_view(op, credential, path.0.role, known)).await
    }

    async fn role_update(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<RolePath>,
        expected: IfMatch,
        body: JsonBody<RoleUpdate>,
    ) -> Answer<Ok200<Role>> {
        handle(&rqctx, "role_update", |op| {
            roles::role_update(op, credential, path.0.role, expected, body.value)
        })
        .await
    }

    async fn role_delete(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<RolePath>,
        query: QueryParams<RoleDeleteQuery>,
        expected: IfMatch,
    ) -> Answer<NoContent> {
        handle(&rqctx, "role_delete", |op| roles::role_delete(op, credential, path.0.role, query.0, expected))
            .await
    }

    async fn user_role_list(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<UserPath>,
        query: QueryParams<ListQuery>,
    ) -> Answer<Ok200<RolePage>> {
        handle(&rqctx, "user_role_list", |op| {
            user_roles::user_role_list(op, credential, path.0.user, query.0)
        })
        .await
    }

    async fn user_role_add(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<UserPath>,
        body: JsonBody<UserRoles>,
    ) -> Answer<Ok200<UserRolesChanged>> {
        handle(&rqctx, "user_role_add", |op| {
            user_roles::user_role_add(op, credential, path.0.user, body.value)
        })
        .await
    }

    async fn user_role_replace(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<UserPath>,
        body: JsonBody<UserRoles>,
    ) -> Answer<Ok200<UserRolesChanged>> {
        handle(&rqctx, "user_role_replace", |op| {
            user_roles::user_role_replace(op, credential, path.0.user, body.value)
        })
        .await
    }

    async fn user_role_remove(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<UserRolePath>,
    ) -> Answer<NoContent> {
        handle(&rqctx, "user_role_remove", |op| user_roles::user_role_remove(op, credential, path.0)).await
    }

    async fn access_check(
        rqctx: Rqctx,
        credential: Bearer,
        body: JsonBody<AccessCheck>,
    ) -> Answer<Ok200<AccessDecision>> {
        handle(&rqctx, "access_check", |op| access::access_check(op, credential, body.value)).await
    }

    async fn user_permission_list(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<UserPath>,
        query: QueryParams<PermissionListQuery>,
    ) -> Answer<Ok200<EffectivePermissions>> {
        handle(&rqctx, "user_permission_list", |op| {
            access::user_permission_list(op, credential, path.0.user, query.0)
        })
        .await
    }

    async fn audit_event_list(
        rqctx: Rqctx,
        credential: Bearer,
        query: QueryParams<AuditEventListQuery>,
    ) -> Answer<Ok200<AuditEventPage>> {
        handle(&rqctx, "audit_event_list", |op| audit::audit_event_list(op, credential, query.0)).await
    }

    async fn system_version(rqctx: Rqctx) -> Answer<Ok200<ServerVersion>> {
        handle(&rqctx, "system_version", system::system_version).await
    }

    async fn system_health(rqctx: Rqctx) -> Answer<Ok200<Health>> {
        handle(&rqctx, "system_health", system::system_health).await
    }

    async fn system_ready(rqctx: Rqctx) -> Answer<Ok200<Readiness>> {
        handle(&rqctx, "system_ready", system::system_ready).await
    }

    async fn document_view(rqctx: Rqctx) -> Answer<Ok200<JsonObject>> {
        handle(&rqctx, "document_view", system::document_view).await
    }
}
