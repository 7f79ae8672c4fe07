//! The implementation of the contract: a few lines for each operation, which call `app`.

mod error;
mod handle;
mod request_log;

use dropshot::RequestContext;
use rollcall_api::extract::{
    Bearer, IdempotencyKey, IfMatch, IfNoneMatch, JsonBody, OptionalBody, PathParams, QueryParams,
};
use rollcall_api::reply::{Created, NoContent, Ok200};
use rollcall_api::types;
use rollcall_api::{HttpResult, RollcallApi};

use crate::app::auth::{login, register, session};
use crate::app::groups::{self, invitations, members};
use crate::app::users::{self, create, data};
use crate::app::{audit, passwords, permissions, roles, sessions, system};
use handle::{Shared, handle};
pub use request_log::RequestLog;

/// The implementation of the contract by this server.
#[derive(Debug)]
pub enum Server {}

type Rqctx = RequestContext<Shared>;

impl RollcallApi for Server {
    type Context = Shared;

    async fn login(rqctx: Rqctx, body: JsonBody<types::Login>) -> HttpResult<Ok200<types::SessionCreated>> {
        handle(&rqctx, |op| login::login(op, body.value)).await
    }

    async fn login_change_password(
        rqctx: Rqctx,
        body: JsonBody<types::LoginChangePassword>,
    ) -> HttpResult<Ok200<types::SessionCreated>> {
        handle(&rqctx, |op| login::login_change_password(op, body.value)).await
    }

    async fn register(
        rqctx: Rqctx,
        key: IdempotencyKey,
        body: JsonBody<types::Register>,
    ) -> HttpResult<Created<types::User>> {
        handle(&rqctx, |op| register::register(op, key, body)).await
    }

    async fn logout(
        rqctx: Rqctx,
        credential: Bearer,
        body: OptionalBody<types::Logout>,
    ) -> HttpResult<NoContent> {
        handle(&rqctx, |op| session::logout(op, credential, body.0.value)).await
    }

    async fn session_view(rqctx: Rqctx, credential: Bearer) -> HttpResult<Ok200<types::CurrentSession>> {
        handle(&rqctx, |op| session::session_view(op, credential)).await
    }

    async fn session_reauthenticate(
        rqctx: Rqctx,
        credential: Bearer,
        body: JsonBody<types::SessionReauthenticate>,
    ) -> HttpResult<Ok200<types::SessionCreated>> {
        handle(&rqctx, |op| session::session_reauthenticate(op, credential, body.value)).await
    }

    async fn user_list(
        rqctx: Rqctx,
        credential: Bearer,
        query: QueryParams<types::UserListQuery>,
    ) -> HttpResult<Ok200<types::UserPage>> {
        handle(&rqctx, |op| users::user_list(op, credential, query.0)).await
    }

    async fn user_create(
        rqctx: Rqctx,
        credential: Bearer,
        key: IdempotencyKey,
        body: JsonBody<types::UserCreate>,
    ) -> HttpResult<Created<types::User>> {
        handle(&rqctx, |op| create::user_create(op, credential, key, body)).await
    }

    async fn user_view(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<types::UserPath>,
        known: IfNoneMatch,
    ) -> HttpResult<Ok200<types::User>> {
        handle(&rqctx, |op| users::user_view(op, credential, path.0.user, known)).await
    }

    async fn user_update(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<types::UserPath>,
        expected: IfMatch,
        body: JsonBody<types::UserUpdate>,
    ) -> HttpResult<Ok200<types::User>> {
        handle(&rqctx, |op| users::user_update(op, credential, path.0.user, expected, body.value)).await
    }

    async fn user_delete(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<types::UserPath>,
        expected: IfMatch,
    ) -> HttpResult<NoContent> {
        handle(&rqctx, |op| users::user_delete(op, credential, path.0.user, expected)).await
    }

    async fn user_suspend(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<types::UserPath>,
        body: OptionalBody<types::UserSuspend>,
    ) -> HttpResult<Ok200<types::User>> {
        handle(&rqctx, |op| users::user_suspend(op, credential, path.0.user, body.0.value)).await
    }

    async fn user_reactivate(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<types::UserPath>,
    ) -> HttpResult<Ok200<types::User>> {
        handle(&rqctx, |op| users::user_reactivate(op, credential, path.0.user)).await
    }

    async fn user_custom_data_view(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<types::UserPath>,
        known: IfNoneMatch,
    ) -> HttpResult<Ok200<types::CustomData>> {
        handle(&rqctx, |op| data::user_custom_data_view(op, credential, path.0.user, known)).await
    }

    async fn user_custom_data_update(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<types::UserPath>,
        expected: IfMatch,
        body: JsonBody<types::CustomData>,
    ) -> HttpResult<Ok200<types::CustomData>> {
        handle(&rqctx, |op| data::user_custom_data_update(op, credential, path.0.user, expected, body.value))
            .await
    }

    async fn user_custom_data_replace(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<types::UserPath>,
        expected: IfMatch,
        body: JsonBody<types::CustomData>,
    ) -> HttpResult<Ok200<types::CustomData>> {
        handle(&rqctx, |op| data::user_custom_data_replace(op, credential, path.0.user, expected, body.value))
            .await
    }

    async fn user_preferences_view(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<types::UserPath>,
        known: IfNoneMatch,
    ) -> HttpResult<Ok200<types::Preferences>> {
        handle(&rqctx, |op| data::user_preferences_view(op, credential, path.0.user, known)).await
    }

    async fn user_preferences_update(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<types::UserPath>,
        expected: IfMatch,
        body: JsonBody<types::Preferences>,
    ) -> HttpResult<Ok200<types::Preferences>> {
        handle(&rqctx, |op| data::user_preferences_update(op, credential, path.0.user, expected, body.value))
            .await
    }

    async fn user_password_set(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<types::UserPath>,
        body: JsonBody<types::UserPasswordSet>,
    ) -> HttpResult<NoContent> {
        handle(&rqctx, |op| passwords::user_password_set(op, credential, path.0.user, body.value)).await
    }

    async fn user_password_change(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<types::UserPath>,
        body: JsonBody<types::UserPasswordChange>,
    ) -> HttpResult<Ok200<types::SessionCreated>> {
        handle(&rqctx, |op| passwords::user_password_change(op, credential, path.0.user, body.value)).await
    }

    async fn user_password_verify(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<types::UserPath>,
        body: JsonBody<types::UserPasswordVerify>,
    ) -> HttpResult<NoContent> {
        handle(&rqctx, |op| passwords::user_password_verify(op, credential, path.0.user, body.value)).await
    }

    async fn user_session_list(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<types::UserPath>,
        query: QueryParams<types::PageQuery>,
    ) -> HttpResult<Ok200<types::SessionPage>> {
        handle(&rqctx, |op| sessions::user_session_list(op, credential, path.0.user, query.0)).await
    }

    async fn user_session_delete(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<types::SessionPath>,
    ) -> HttpResult<NoContent> {
        handle(&rqctx, |op| sessions::user_session_delete(op, credential, path.0)).await
    }

    async fn user_session_delete_all(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<types::UserPath>,
    ) -> HttpResult<NoContent> {
        handle(&rqctx, |op| sessions::user_session_delete_all(op, credential, path.0.user)).await
    }

    async fn group_list(
        rqctx: Rqctx,
        credential: Bearer,
        query: QueryParams<types::ListQuery>,
    ) -> HttpResult<Ok200<types::GroupPage>> {
        handle(&rqctx, |op| groups::group_list(op, credential, query.0)).await
    }

    async fn group_create(
        rqctx: Rqctx,
        credential: Bearer,
        key: IdempotencyKey,
        body: JsonBody<types::GroupCreate>,
    ) -> HttpResult<Created<types::Group>> {
        handle(&rqctx, |op| groups::group_create(op, credential, key, body)).await
    }

    async fn group_view(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<types::GroupPath>,
        known: IfNoneMatch,
    ) -> HttpResult<Ok200<types::Group>> {
        handle(&rqctx, |op| groups::group_view(op, credential, path.0.group, known)).await
    }

    async fn group_update(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<types::GroupPath>,
        expected: IfMatch,
        body: JsonBody<types::GroupUpdate>,
    ) -> HttpResult<Ok200<types::Group>> {
        handle(&rqctx, |op| groups::group_update(op, credential, path.0.group, expected, body.value)).await
    }

    async fn group_delete(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<types::GroupPath>,
        expected: IfMatch,
    ) -> HttpResult<NoContent> {
        handle(&rqctx, |op| groups::group_delete(op, credential, path.0.group, expected)).await
    }

    async fn group_member_list(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<types::GroupPath>,
        query: QueryParams<types::ListQuery>,
    ) -> HttpResult<Ok200<types::GroupMemberPage>> {
        handle(&rqctx, |op| groups::group_member_list(op, credential, path.0.group, query.0)).await
    }

    async fn group_member_add(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<types::GroupPath>,
        key: IdempotencyKey,
        body: JsonBody<types::GroupMemberAdd>,
    ) -> HttpResult<Created<types::GroupMember>> {
        handle(&rqctx, |op| members::group_member_add(op, credential, path.0.group, key, body)).await
    }

    async fn group_member_update(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<types::GroupMemberPath>,
        body: JsonBody<types::GroupMemberUpdate>,
    ) -> HttpResult<Ok200<types::GroupMember>> {
        handle(&rqctx, |op| members::group_member_update(op, credential, path.0, body.value)).await
    }

    async fn group_member_remove(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<types::GroupMemberPath>,
    ) -> HttpResult<NoContent> {
        handle(&rqctx, |op| members::group_member_remove(op, credential, path.0)).await
    }

    async fn group_invitation_list(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<types::GroupPath>,
        query: QueryParams<types::PageQuery>,
    ) -> HttpResult<Ok200<types::InvitationPage>> {
        handle(&rqctx, |op| invitations::group_invitation_list(op, credential, path.0.group, query.0)).await
    }

    async fn group_invitation_create(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<types::GroupPath>,
        key: IdempotencyKey,
        body: OptionalBody<types::InvitationCreate>,
    ) -> HttpResult<Created<types::InvitationCreated>> {
        handle(&rqctx, |op| invitations::group_invitation_create(op, credential, path.0.group, key, body.0))
            .await
    }

    async fn group_invitation_delete(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<types::InvitationPath>,
    ) -> HttpResult<NoContent> {
        handle(&rqctx, |op| invitations::group_invitation_delete(op, credential, path.0)).await
    }

    async fn invitation_accept(
        rqctx: Rqctx,
        credential: Bearer,
        body: JsonBody<types::InvitationAccept>,
    ) -> HttpResult<Ok200<types::UserGroup>> {
        handle(&rqctx, |op| invitations::invitation_accept(op, credential, body.value)).await
    }

    async fn user_group_list(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<types::UserPath>,
        query: QueryParams<types::PageQuery>,
    ) -> HttpResult<Ok200<types::UserGroupPage>> {
        handle(&rqctx, |op| groups::user_group_list(op, credential, path.0.user, query.0)).await
    }

    async fn role_list(
        rqctx: Rqctx,
        credential: Bearer,
        query: QueryParams<types::ListQuery>,
    ) -> HttpResult<Ok200<types::RolePage>> {
        handle(&rqctx, |op| roles::role_list(op, credential, query.0)).await
    }

    async fn role_create(
        rqctx: Rqctx,
        credential: Bearer,
        key: IdempotencyKey,
        body: JsonBody<types::RoleCreate>,
    ) -> HttpResult<Created<types::Role>> {
        handle(&rqctx, |op| roles::role_create(op, credential, key, body)).await
    }

    async fn role_view(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<types::RolePath>,
        known: IfNoneMatch,
    ) -> HttpResult<Ok200<types::Role>> {
        handle(&rqctx, |op| roles::role_view(op, credential, path.0.role, known)).await
    }

    async fn role_update(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<types::RolePath>,
        expected: IfMatch,
        body: JsonBody<types::RoleUpdate>,
    ) -> HttpResult<Ok200<types::Role>> {
        handle(&rqctx, |op| roles::role_update(op, credential, path.0.role, expected, body.value)).await
    }

    async fn role_delete(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<types::RolePath>,
        query: QueryParams<types::RoleDeleteQuery>,
        expected: IfMatch,
    ) -> HttpResult<NoContent> {
        handle(&rqctx, |op| roles::role_delete(op, credential, path.0.role, query.0, expected)).await
    }

    async fn user_role_list(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<types::UserPath>,
        query: QueryParams<types::ListQuery>,
    ) -> HttpResult<Ok200<types::RolePage>> {
        handle(&rqctx, |op| users::roles::user_role_list(op, credential, path.0.user, query.0)).await
    }

    async fn user_role_add(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<types::UserPath>,
        body: JsonBody<types::UserRoles>,
    ) -> HttpResult<Ok200<types::UserRolesChanged>> {
        handle(&rqctx, |op| users::roles::user_role_add(op, credential, path.0.user, body.value)).await
    }

    async fn user_role_replace(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<types::UserPath>,
        body: JsonBody<types::UserRoles>,
    ) -> HttpResult<Ok200<types::UserRolesChanged>> {
        handle(&rqctx, |op| users::roles::user_role_replace(op, credential, path.0.user, body.value)).await
    }

    async fn user_role_remove(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<types::UserRolePath>,
    ) -> HttpResult<NoContent> {
        handle(&rqctx, |op| users::roles::user_role_remove(op, credential, path.0)).await
    }

    async fn access_check(
        rqctx: Rqctx,
        credential: Bearer,
        body: JsonBody<types::AccessCheck>,
    ) -> HttpResult<Ok200<types::AccessDecision>> {
        handle(&rqctx, |op| permissions::access_check(op, credential, body.value)).await
    }

    async fn user_permission_list(
        rqctx: Rqctx,
        credential: Bearer,
        path: PathParams<types::UserPath>,
        query: QueryParams<types::PermissionListQuery>,
    ) -> HttpResult<Ok200<types::EffectivePermissions>> {
        handle(&rqctx, |op| permissions::user_permission_list(op, credential, path.0.user, query.0)).await
    }

    async fn audit_event_list(
        rqctx: Rqctx,
        credential: Bearer,
        query: QueryParams<types::AuditEventListQuery>,
    ) -> HttpResult<Ok200<types::AuditEventPage>> {
        handle(&rqctx, |op| audit::audit_event_list(op, credential, query.0)).await
    }

    async fn system_version(rqctx: Rqctx) -> HttpResult<Ok200<types::ServerVersion>> {
        handle(&rqctx, system::system_version).await
    }

    async fn system_health(rqctx: Rqctx) -> HttpResult<Ok200<types::Health>> {
        handle(&rqctx, system::system_health).await
    }

    async fn system_ready(rqctx: Rqctx) -> HttpResult<Ok200<types::Readiness>> {
        handle(&rqctx, system::system_ready).await
    }

    async fn document_view(rqctx: Rqctx) -> HttpResult<Ok200<types::JsonObject>> {
        handle(&rqctx, system::document_view).await
    }
}
