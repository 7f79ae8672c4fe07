//! The contract of Rollcall: one trait whose methods are the operations, the types that they speak, the table of
//! who may call them, and the published document that is made from all this. No database, no logic.
//!
//! A new operation starts here: its types in `types/<tag>.rs`, its method in [`RollcallApi`], its line in
//! [`access::TABLE`]; then `cargo xtask generate`.

pub mod access;
pub mod document;
pub mod error;
pub mod extract;
mod query_string;
pub mod reply;
pub mod types;

use dropshot::{HttpError, RequestContext};
pub use uuid::Uuid;

use extract::{
    Bearer, IdempotencyKey, IfMatch, IfNoneMatch, JsonBody, OptionalBody, PathParams, QueryParams,
};
use reply::{Created, NoContent, Ok200};
use types::{
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

/// The largest body of a request, in bytes, where an operation doesn't say otherwise.
pub const BODY_MAX_BYTES: usize = 64 * 1024;

/// What every operation returns.
pub type Answer<T> = Result<T, HttpError>;

/// The operations. A method's name is the operation's id; its comment is its text in the published document.
#[dropshot::api_description {
    tag_config = {
        allow_other_tags = false,
        policy = dropshot::EndpointTagPolicy::ExactlyOne,
        tags = {
            "auth" = { description = "Signing in and out, registering, and the current session." },
            "users" = { description = "People and machines in the directory: their records, custom data and preferences." },
            "passwords" = { description = "Setting and changing passwords." },
            "sessions" = { description = "The sign-ins of a user that have not ended." },
            "groups" = { description = "Groups (teams, organizations) and their members." },
            "roles" = { description = "Named sets of permissions, and who holds them." },
            "access" = { description = "Questions about who may do what, asked by applications." },
            "audit" = { description = "Who did what, to whom, when, with which result." },
            "system" = { description = "What the server says of itself." },
        },
    },
}]
pub trait RollcallApi {
    /// The server's state.
    type Context: dropshot::ServerContext;

    /// Sign in
    ///
    /// Checks an identifier and a password and starts a session. The answer to an unknown identifier, a wrong
    /// password, an account without a password and a suspended account is the same 401 `invalid_credentials`,
    /// after the same time. A right password that has expired or must be changed is a 403 `password_expired`: change
    /// it with `login_change_password`. Attempts are counted for each account and each source address before
    /// the password is checked; too many are a 429 with `Retry-After`.
    #[endpoint { method = POST, path = "/v1/login", tags = ["auth"] }]
    async fn login(
        rqctx: RequestContext<Self::Context>,
        body: JsonBody<Login>,
    ) -> Answer<Ok200<SessionCreated>>;

    /// Change a password without a session
    ///
    /// The way out of an expired password, and as good for any other: checks the old password as `login` does, sets
    /// the new one, ends all of the user's sessions and starts a fresh one.
    #[endpoint { method = POST, path = "/v1/login/change-password", tags = ["auth"] }]
    async fn login_change_password(
        rqctx: RequestContext<Self::Context>,
        body: JsonBody<LoginChangePassword>,
    ) -> Answer<Ok200<SessionCreated>>;

    /// Register an account
    ///
    /// Makes an account for the person who calls, where the server's configuration lets people register
    /// (`registration.mode`); otherwise a 403 `registration_closed`. The user joins the group `public`. It doesn't sign in.
    #[endpoint { method = POST, path = "/v1/register", tags = ["auth"] }]
    async fn register(
        rqctx: RequestContext<Self::Context>,
        key: IdempotencyKey,
        body: JsonBody<Register>,
    ) -> Answer<Created<User>>;

    /// Sign out
    ///
    /// Ends the current session, or with `everywhere` all sessions of the caller. They are dead on the next request.
    #[endpoint { method = POST, path = "/v1/logout", tags = ["auth"] }]
    async fn logout(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        body: OptionalBody<Logout>,
    ) -> Answer<NoContent>;

    /// View the current session
    ///
    /// The session of the request, its user and the permissions that the user holds.
    #[endpoint { method = GET, path = "/v1/session", tags = ["auth"] }]
    async fn session_view(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
    ) -> Answer<Ok200<CurrentSession>>;

    /// Prove again who you are
    ///
    /// Checks the caller's password and answers with a fresh token of the same session; the old token is dead. For
    /// the next five minutes (`session.reauthentication_seconds`) sensitive operations are open.
    #[endpoint { method = POST, path = "/v1/session/reauthenticate", tags = ["auth"] }]
    async fn session_reauthenticate(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        body: JsonBody<SessionReauthenticate>,
    ) -> Answer<Ok200<SessionCreated>>;

    /// List users
    ///
    /// In the order in which they were made. Everybody who is signed in sees everybody's card, holders of `users:read`
    /// the whole records. Users that exist throughout a walk over the pages are seen exactly once.
    #[endpoint { method = GET, path = "/v1/users", tags = ["users"] }]
    async fn user_list(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        query: QueryParams<UserListQuery>,
    ) -> Answer<Ok200<UserPage>>;

    /// Create a user
    ///
    /// The user joins the group `public`. A name, address or number that another account uses is a 409.
    #[endpoint { method = POST, path = "/v1/users", tags = ["users"] }]
    async fn user_create(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        key: IdempotencyKey,
        body: JsonBody<UserCreate>,
    ) -> Answer<Created<User>>;

    /// View a user
    ///
    /// The whole record for the user itself and for holders of `users:read`, the card for others.
    #[endpoint { method = GET, path = "/v1/users/{user}", tags = ["users"] }]
    async fn user_view(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<UserPath>,
        known: IfNoneMatch,
    ) -> Answer<Ok200<User>>;

    /// Update a user
    ///
    /// JSON Merge Patch (RFC 7396): an absent field keeps its value, `null` clears it. A name, address or number that
    /// another account uses is a 409, one that would leave the user without any identifier a 422. Changing the username, the
    /// e-mail address or the telephone number of somebody else who administers or owns a group, or setting whether they are
    /// verified, needs the same power in that group, or `groups:write`.
    #[endpoint { method = PATCH, path = "/v1/users/{user}", tags = ["users"] }]
    async fn user_update(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<UserPath>,
        expected: IfMatch,
        body: JsonBody<UserUpdate>,
    ) -> Answer<Ok200<User>>;

    /// Delete a user
    ///
    /// Erases the user's personal data, credentials, sessions and memberships; the id is never used again, the
    /// identifiers may be. Deleting oneself needs a recent password check. The last administrator can't be deleted.
    #[endpoint { method = DELETE, path = "/v1/users/{user}", tags = ["users"] }]
    async fn user_delete(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<UserPath>,
        expected: IfMatch,
    ) -> Answer<NoContent>;

    /// Suspend a user
    ///
    /// Bars the user from signing in and ends all of their sessions, at once and everywhere, until reactivated or until the time
    /// that is given. The invitations that the user sent are void for good. Repeating it changes reason and time. The last administrator can't be suspended.
    #[endpoint { method = POST, path = "/v1/users/{user}/suspend", tags = ["users"] }]
    async fn user_suspend(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<UserPath>,
        body: OptionalBody<UserSuspend>,
    ) -> Answer<Ok200<User>>;

    /// Reactivate a user
    ///
    /// Lets a suspended user sign in again; no old session comes back. A user who isn't suspended stays as they are.
    #[endpoint { method = POST, path = "/v1/users/{user}/reactivate", tags = ["users"] }]
    async fn user_reactivate(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<UserPath>,
    ) -> Answer<Ok200<User>>;

    /// View a user's custom data
    ///
    /// What applications keep with the user.
    #[endpoint { method = GET, path = "/v1/users/{user}/custom-data", tags = ["users"] }]
    async fn user_custom_data_view(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<UserPath>,
        known: IfNoneMatch,
    ) -> Answer<Ok200<CustomData>>;

    /// Update a user's custom data
    ///
    /// JSON Merge Patch (RFC 7396), at every depth: an absent member keeps its value, `null` removes it. Answers with the
    /// whole object.
    #[endpoint { method = PATCH, path = "/v1/users/{user}/custom-data", tags = ["users"] }]
    async fn user_custom_data_update(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<UserPath>,
        expected: IfMatch,
        body: JsonBody<CustomData>,
    ) -> Answer<Ok200<CustomData>>;

    /// Replace a user's custom data
    ///
    /// The new object stands in place of the old one.
    #[endpoint { method = PUT, path = "/v1/users/{user}/custom-data", tags = ["users"] }]
    async fn user_custom_data_replace(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<UserPath>,
        expected: IfMatch,
        body: JsonBody<CustomData>,
    ) -> Answer<Ok200<CustomData>>;

    /// View one's preferences
    ///
    /// What the user's own programs keep with the user, such as a theme. Nobody else sees it.
    #[endpoint { method = GET, path = "/v1/users/{user}/preferences", tags = ["users"] }]
    async fn user_preferences_view(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<UserPath>,
        known: IfNoneMatch,
    ) -> Answer<Ok200<Preferences>>;

    /// Update one's preferences
    ///
    /// JSON Merge Patch (RFC 7396), at every depth: an absent member keeps its value, `null` removes it. Answers with the
    /// whole object.
    #[endpoint { method = PATCH, path = "/v1/users/{user}/preferences", tags = ["users"] }]
    async fn user_preferences_update(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<UserPath>,
        expected: IfMatch,
        body: JsonBody<Preferences>,
    ) -> Answer<Ok200<Preferences>>;

    /// Set a user's password
    ///
    /// Ends all of the user's sessions and voids the invitations that they sent. With `must_change` the user has to change it
    /// before the next sign-in. For one's own password there is `user_password_change`. A user who holds a permission that the
    /// caller lacks, or who administers or owns a group in which the caller has no such power, is a 403; holders of
    /// `groups:write` have it in every group.
    #[endpoint { method = PUT, path = "/v1/users/{user}/password", tags = ["passwords"] }]
    async fn user_password_set(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<UserPath>,
        body: JsonBody<UserPasswordSet>,
    ) -> Answer<NoContent>;

    /// Change one's password
    ///
    /// Checks the current password, sets the new one, ends all other sessions and answers with a fresh token of this
    /// session; the old token is dead.
    #[endpoint { method = POST, path = "/v1/users/{user}/password/change", tags = ["passwords"] }]
    async fn user_password_change(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<UserPath>,
        body: JsonBody<UserPasswordChange>,
    ) -> Answer<Ok200<SessionCreated>>;

    /// Check a user's password
    ///
    /// For applications that sign people in by themselves: 204 where the password is right, 422 `password_mismatch` where it
    /// isn't, where there is none or the user is suspended, after the same time; 403 `password_expired` where it is right but
    /// must be changed first. Starts no session. Counted as an attempt, as every check of a password.
    #[endpoint { method = POST, path = "/v1/users/{user}/password/verify", tags = ["passwords"] }]
    async fn user_password_verify(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<UserPath>,
        body: JsonBody<UserPasswordVerify>,
    ) -> Answer<NoContent>;

    /// List a user's sessions
    ///
    /// The sign-ins that have neither ended nor expired, newest first.
    #[endpoint { method = GET, path = "/v1/users/{user}/sessions", tags = ["sessions"] }]
    async fn user_session_list(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<UserPath>,
        query: QueryParams<PageQuery>,
    ) -> Answer<Ok200<SessionPage>>;

    /// End a session
    ///
    /// Its token is dead on the next request.
    #[endpoint { method = DELETE, path = "/v1/users/{user}/sessions/{session}", tags = ["sessions"] }]
    async fn user_session_delete(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<SessionPath>,
    ) -> Answer<NoContent>;

    /// End all of a user's sessions
    ///
    /// The current one too, where it is one's own.
    #[endpoint { method = DELETE, path = "/v1/users/{user}/sessions", tags = ["sessions"] }]
    async fn user_session_delete_all(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<UserPath>,
    ) -> Answer<NoContent>;

    /// List groups
    ///
    /// The groups that the caller is a member of; holders of `groups:read` see all.
    #[endpoint { method = GET, path = "/v1/groups", tags = ["groups"] }]
    async fn group_list(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        query: QueryParams<ListQuery>,
    ) -> Answer<Ok200<GroupPage>>;

    /// Create a group
    ///
    /// The owner, by default the caller, becomes its first member.
    #[endpoint { method = POST, path = "/v1/groups", tags = ["groups"] }]
    async fn group_create(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        key: IdempotencyKey,
        body: JsonBody<GroupCreate>,
    ) -> Answer<Created<Group>>;

    /// View a group
    ///
    /// For its members and holders of `groups:read`; for others there is no such group.
    #[endpoint { method = GET, path = "/v1/groups/{group}", tags = ["groups"] }]
    async fn group_view(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<GroupPath>,
        known: IfNoneMatch,
    ) -> Answer<Ok200<Group>>;

    /// Update a group
    ///
    /// JSON Merge Patch (RFC 7396), in `custom_data` at every depth.
    #[endpoint { method = PATCH, path = "/v1/groups/{group}", tags = ["groups"] }]
    async fn group_update(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<GroupPath>,
        expected: IfMatch,
        body: JsonBody<GroupUpdate>,
    ) -> Answer<Ok200<Group>>;

    /// Delete a group
    ///
    /// Its memberships and invitations go with it, at once, however many there are. The default group can't be deleted.
    #[endpoint { method = DELETE, path = "/v1/groups/{group}", tags = ["groups"] }]
    async fn group_delete(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<GroupPath>,
        expected: IfMatch,
    ) -> Answer<NoContent>;

    /// List a group's members
    ///
    /// In the order in which their accounts were made; their cards, or whole records for holders of `users:read`.
    #[endpoint { method = GET, path = "/v1/groups/{group}/members", tags = ["groups"] }]
    async fn group_member_list(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<GroupPath>,
        query: QueryParams<ListQuery>,
    ) -> Answer<Ok200<GroupMemberPage>>;

    /// Add a member
    ///
    /// Nobody grants what they don't hold: the caller must hold in the group every permission of the roles, or `group:own`, or
    /// `groups:write` globally.
    #[endpoint { method = POST, path = "/v1/groups/{group}/members", tags = ["groups"] }]
    async fn group_member_add(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<GroupPath>,
        key: IdempotencyKey,
        body: JsonBody<GroupMemberAdd>,
    ) -> Answer<Created<GroupMember>>;

    /// Change a member's roles
    ///
    /// The new roles stand in place of the old ones, in one transaction. The caller must hold in the group every permission of the
    /// roles that are given or taken, or `group:own`, or `groups:write` globally. A group keeps at least one owner.
    #[endpoint { method = PATCH, path = "/v1/groups/{group}/members/{user}", tags = ["groups"] }]
    async fn group_member_update(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<GroupMemberPath>,
        body: JsonBody<GroupMemberUpdate>,
    ) -> Answer<Ok200<GroupMember>>;

    /// Remove a member
    ///
    /// Members may leave by themselves. A group keeps at least one owner; nobody leaves the default group.
    #[endpoint { method = DELETE, path = "/v1/groups/{group}/members/{user}", tags = ["groups"] }]
    async fn group_member_remove(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<GroupMemberPath>,
    ) -> Answer<NoContent>;

    /// List a group's invitations
    ///
    /// Those that can still be accepted, in the order in which they were made.
    #[endpoint { method = GET, path = "/v1/groups/{group}/invitations", tags = ["groups"] }]
    async fn group_invitation_list(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<GroupPath>,
        query: QueryParams<PageQuery>,
    ) -> Answer<Ok200<InvitationPage>>;

    /// Invite somebody
    ///
    /// Answers with a token that works once and is shown once; Rollcall sends no mail, the caller delivers it. The rules of
    /// `group_member_add` hold for the roles, now and when the invitation is accepted: it is void once its sender has left the
    /// group, may not invite or give these roles any more, is suspended or deleted.
    #[endpoint { method = POST, path = "/v1/groups/{group}/invitations", tags = ["groups"] }]
    async fn group_invitation_create(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<GroupPath>,
        key: IdempotencyKey,
        body: OptionalBody<InvitationCreate>,
    ) -> Answer<Created<InvitationCreated>>;

    /// Withdraw an invitation
    ///
    /// Its token is dead at once.
    #[endpoint { method = DELETE, path = "/v1/groups/{group}/invitations/{invitation}", tags = ["groups"] }]
    async fn group_invitation_delete(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<InvitationPath>,
    ) -> Answer<NoContent>;

    /// Accept an invitation
    ///
    /// Makes the caller a member with the roles of the invitation. An unknown, used, expired or void token, and one for another
    /// address, is a 422 `invitation_invalid`; a member gets a 409 and the invitation stays. The token of an invitation to an
    /// address proves the address: the caller's `email` must be that address, and is verified from then on where it differs in
    /// nothing but the case of ASCII letters.
    #[endpoint { method = POST, path = "/v1/invitations/accept", tags = ["groups"] }]
    async fn invitation_accept(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        body: JsonBody<InvitationAccept>,
    ) -> Answer<Ok200<UserGroup>>;

    /// List a user's groups
    ///
    /// With the roles that the user holds in each, in the order in which the groups were made.
    #[endpoint { method = GET, path = "/v1/users/{user}/groups", tags = ["groups"] }]
    async fn user_group_list(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<UserPath>,
        query: QueryParams<PageQuery>,
    ) -> Answer<Ok200<UserGroupPage>>;

    /// List roles
    ///
    /// In the order in which they were made, global ones and those of groups.
    #[endpoint { method = GET, path = "/v1/roles", tags = ["roles"] }]
    async fn role_list(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        query: QueryParams<ListQuery>,
    ) -> Answer<Ok200<RolePage>>;

    /// Create a role
    ///
    /// Permissions of Rollcall's own must be known ones that the caller holds; `group:` ones belong to group roles and need
    /// `groups:write`, all others belong to global roles. Applications define the rest by using them.
    #[endpoint { method = POST, path = "/v1/roles", tags = ["roles"] }]
    async fn role_create(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        key: IdempotencyKey,
        body: JsonBody<RoleCreate>,
    ) -> Answer<Created<Role>>;

    /// View a role
    ///
    /// With its permissions.
    #[endpoint { method = GET, path = "/v1/roles/{role}", tags = ["roles"] }]
    async fn role_view(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<RolePath>,
        known: IfNoneMatch,
    ) -> Answer<Ok200<Role>>;

    /// Update a role
    ///
    /// JSON Merge Patch (RFC 7396). Its holders have the new permissions on their next request. The caller must hold each of
    /// Rollcall's own permissions that the role has before or after the change; roles with `group:` ones need `groups:write`.
    /// Built-in roles can't be changed.
    #[endpoint { method = PATCH, path = "/v1/roles/{role}", tags = ["roles"] }]
    async fn role_update(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<RolePath>,
        expected: IfMatch,
        body: JsonBody<RoleUpdate>,
    ) -> Answer<Ok200<Role>>;

    /// Delete a role
    ///
    /// One that somebody holds is a 409 `role_in_use`; with `force` they lose it, at once, however many they are. The caller
    /// must hold each of Rollcall's own permissions that the role has; roles with `group:` ones need `groups:write`.
    /// Built-in roles can't be deleted.
    #[endpoint { method = DELETE, path = "/v1/roles/{role}", tags = ["roles"] }]
    async fn role_delete(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<RolePath>,
        query: QueryParams<RoleDeleteQuery>,
        expected: IfMatch,
    ) -> Answer<NoContent>;

    /// List a user's roles
    ///
    /// The global ones, in the order in which the roles were made.
    #[endpoint { method = GET, path = "/v1/users/{user}/roles", tags = ["roles"] }]
    async fn user_role_list(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<UserPath>,
        query: QueryParams<ListQuery>,
    ) -> Answer<Ok200<RolePage>>;

    /// Give roles to a user
    ///
    /// All of them or none; those that the user holds already stay. Nobody grants what they don't hold: the caller must hold every
    /// permission of the roles; holders of `roles:write` only those of Rollcall's own. An unknown role is a 404 that names it.
    #[endpoint { method = POST, path = "/v1/users/{user}/roles", tags = ["roles"] }]
    async fn user_role_add(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<UserPath>,
        body: JsonBody<UserRoles>,
    ) -> Answer<Ok200<UserRolesChanged>>;

    /// Replace a user's roles
    ///
    /// In one transaction; an empty list takes all. The caller must hold every permission of the roles that are given or taken. The
    /// last administrator stays one.
    #[endpoint { method = PUT, path = "/v1/users/{user}/roles", tags = ["roles"] }]
    async fn user_role_replace(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<UserPath>,
        body: JsonBody<UserRoles>,
    ) -> Answer<Ok200<UserRolesChanged>>;

    /// Take a role from a user
    ///
    /// A role that the user doesn't hold is a 404. The last administrator stays one.
    #[endpoint { method = DELETE, path = "/v1/users/{user}/roles/{role}", tags = ["roles"] }]
    async fn user_role_remove(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<UserRolePath>,
    ) -> Answer<NoContent>;

    /// May this user do this?
    ///
    /// For applications that let Rollcall decide. Answers from the roles that the user holds now, globally and, where a group is
    /// named, in that group; a suspended user may do nothing.
    #[endpoint { method = POST, path = "/v1/check", tags = ["access"] }]
    async fn access_check(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        body: JsonBody<AccessCheck>,
    ) -> Answer<Ok200<AccessDecision>>;

    /// List what a user may do
    ///
    /// The effective permissions, each with the role that gives it.
    #[endpoint { method = GET, path = "/v1/users/{user}/permissions", tags = ["access"] }]
    async fn user_permission_list(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<UserPath>,
        query: QueryParams<PermissionListQuery>,
    ) -> Answer<Ok200<EffectivePermissions>>;

    /// List audit events
    ///
    /// Newest first. Everybody sees the events of their own calls and those about themselves; holders of `audit:read` see all.
    /// Every change leaves an event, so does every change that was refused, and every read that was forbidden. Malformed requests
    /// and requests without a token leave none, and of refused calls with a token that isn't valid only so many are kept in a minute.
    #[endpoint { method = GET, path = "/v1/audit-events", tags = ["audit"] }]
    async fn audit_event_list(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        query: QueryParams<AuditEventListQuery>,
    ) -> Answer<Ok200<AuditEventPage>>;

    /// Which server this is
    ///
    /// The versions of the server and of the document that it serves.
    #[endpoint { method = GET, path = "/v1/version", tags = ["system"] }]
    async fn system_version(rqctx: RequestContext<Self::Context>) -> Answer<Ok200<ServerVersion>>;

    /// Whether the process answers
    ///
    /// Asks nothing of the database; for liveness probes.
    #[endpoint { method = GET, path = "/healthz", tags = ["system"] }]
    async fn system_health(rqctx: RequestContext<Self::Context>) -> Answer<Ok200<Health>>;

    /// Whether the server can work
    ///
    /// For readiness probes and load balancers: 200 while both reads and changes work, that is while a primary database is
    /// reachable and takes writes; otherwise, and while the server shuts down, 503. The response comes within a second and
    /// may be up to a second old: however often it is requested, the database is asked once a second.
    #[endpoint { method = GET, path = "/readyz", tags = ["system"] }]
    async fn system_ready(rqctx: RequestContext<Self::Context>) -> Answer<Ok200<Readiness>>;

    /// This document
    ///
    /// The published OpenAPI document of this server, byte by byte.
    #[endpoint { method = GET, path = "/openapi.json", tags = ["system"] }]
    async fn document_view(rqctx: RequestContext<Self::Context>) -> Answer<Ok200<JsonObject>>;

    // `HEAD` for what probes and caches ask: the status and headers of `GET`; hyper leaves the body out. Not published,
    // because RFC 9110 says all there is to it.

    /// The headers of [`RollcallApi::system_version`].
    #[endpoint { method = HEAD, path = "/v1/version", tags = ["system"], unpublished = true }]
    async fn system_version_head(rqctx: RequestContext<Self::Context>) -> Answer<Ok200<ServerVersion>> {
        Self::system_version(rqctx).await
    }

    /// The headers of [`RollcallApi::system_health`].
    #[endpoint { method = HEAD, path = "/healthz", tags = ["system"], unpublished = true }]
    async fn system_health_head(rqctx: RequestContext<Self::Context>) -> Answer<Ok200<Health>> {
        Self::system_health(rqctx).await
    }

    /// The headers of [`RollcallApi::system_ready`].
    #[endpoint { method = HEAD, path = "/readyz", tags = ["system"], unpublished = true }]
    async fn system_ready_head(rqctx: RequestContext<Self::Context>) -> Answer<Ok200<Readiness>> {
        Self::system_ready(rqctx).await
    }

    /// The headers of [`RollcallApi::document_view`].
    #[endpoint { method = HEAD, path = "/openapi.json", tags = ["system"], unpublished = true }]
    async fn document_view_head(rqctx: RequestContext<Self::Context>) -> Answer<Ok200<JsonObject>> {
        Self::document_view(rqctx).await
    }
}
