//! The operations: a trait whose methods are the endpoints and, below it in the same order, the table of facts that their
//! signatures can't express.

use dropshot::{HttpError, RequestContext};

use crate::access::{Access, Permission};
use crate::error::{
    ALREADY_MEMBER, BUILT_IN_ROLE, DEFAULT_GROUP, DOCUMENT_TOO_LARGE, EMAIL_TAKEN, FORBIDDEN,
    IDENTIFIER_REQUIRED, INVALID_CREDENTIALS, INVITATION_INVALID, LAST_ADMINISTRATOR, LAST_OWNER, NOT_FOUND,
    NOTHING_TO_VERIFY, PASSWORD_BLOCKED, PASSWORD_EXPIRED, PASSWORD_MISMATCH, PASSWORD_TOO_SHORT,
    PASSWORD_UNCHANGED, PHONE_TAKEN, REGISTRATION_CLOSED, ROLE_IN_USE, ROLE_NAME_TAKEN, SLUG_TAKEN,
    TIME_IN_PAST, UNKNOWN_PERMISSION, USERNAME_NOT_ALLOWED, USERNAME_NOT_OWN_EMAIL, USERNAME_TAKEN,
    WRONG_ROLE_TYPE,
};
use crate::extract::{
    Bearer, IdempotencyKey, IfMatch, IfNoneMatch, JsonBody, OptionalBody, PathParams, QueryParams,
};
use crate::reply::{Created, NoContent, Ok200};
use crate::spec::{Listed, OperationSpec, Protects, read, write};
use crate::types;

/// Result of an operation: a typed response, or an error with a code of the registry.
pub type HttpResult<T> = Result<T, HttpError>;

/// The operations. A method's name is its operation id, and its doc comment becomes the summary and description in the
/// published document.
#[dropshot::api_description {
    tag_config = {
        allow_other_tags = false,
        policy = dropshot::EndpointTagPolicy::ExactlyOne,
        tags = {
            "auth" = { description = "Signing in and out, registering, and the current session." },
            "users" = { description = "People and machines in the directory: their records, custom data and preferences." },
            "passwords" = { description = "Setting and changing passwords." },
            "sessions" = { description = "The active sessions of a user." },
            "groups" = { description = "Groups (teams, organizations) and their members." },
            "roles" = { description = "Named sets of permissions, and who holds them." },
            "access" = { description = "Permission checks for applications." },
            "audit" = { description = "The audit trail: each recorded call with its caller, target, time and result." },
            "system" = { description = "Health, version and this document." },
        },
    },
}]
pub trait RollcallApi {
    /// The state that the server shares between requests.
    type Context: dropshot::ServerContext;

    /// Sign in
    ///
    /// Checks an identifier and a password and starts a session. An unknown identifier, a wrong password, an account
    /// without a password and a suspended account all get the same 401 `invalid_credentials`, after the same time. A
    /// correct password that has expired or must be changed gets a 403 `password_expired`: change it with
    /// `login_change_password`. Attempts are counted per account and per source address before the password is
    /// checked; too many get a 429 with `Retry-After`. All operations that check an account's password share one
    /// count: `login`, `login_change_password`, `session_reauthenticate`, `user_password_change` and
    /// `user_password_verify`. A success and `user_password_set` reset it.
    #[endpoint { method = POST, path = "/v1/login", tags = ["auth"] }]
    async fn login(
        rqctx: RequestContext<Self::Context>,
        body: JsonBody<types::Login>,
    ) -> HttpResult<Ok200<types::SessionCreated>>;

    /// Change a password without a session
    ///
    /// For an expired password, and for any other: checks the old password as `login` does, sets the new one, ends
    /// all of the user's sessions and starts a new one.
    #[endpoint { method = POST, path = "/v1/login/change-password", tags = ["auth"] }]
    async fn login_change_password(
        rqctx: RequestContext<Self::Context>,
        body: JsonBody<types::LoginChangePassword>,
    ) -> HttpResult<Ok200<types::SessionCreated>>;

    /// Register an account
    ///
    /// Creates an account for the caller if the server's configuration allows registration (`registration.mode`);
    /// otherwise returns 403 `registration_closed`. The user joins the group `public`. This does not sign the user
    /// in. With an `invitation`, the user also joins its group, under the same rules as `invitation_accept`,
    /// including the rule for when the address counts as verified.
    #[endpoint { method = POST, path = "/v1/register", tags = ["auth"] }]
    async fn register(
        rqctx: RequestContext<Self::Context>,
        key: IdempotencyKey,
        body: JsonBody<types::Register>,
    ) -> HttpResult<Created<types::User>>;

    /// Sign out
    ///
    /// Ends the current session, or with `everywhere` all sessions of the caller. Their tokens stop working
    /// immediately.
    #[endpoint { method = POST, path = "/v1/logout", tags = ["auth"] }]
    async fn logout(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        body: OptionalBody<types::Logout>,
    ) -> HttpResult<NoContent>;

    /// View the current session
    ///
    /// Returns the session of the request, its user and the permissions that the user holds.
    #[endpoint { method = GET, path = "/v1/session", tags = ["auth"] }]
    async fn session_view(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
    ) -> HttpResult<Ok200<types::CurrentSession>>;

    /// Re-authenticate
    ///
    /// Checks the caller's password and returns a new token for the same session; the old token stops working
    /// immediately. For the next five minutes (`session.reauthentication_seconds`) the session may call sensitive
    /// operations. A correct password that has expired or must be changed gets a 403 `password_expired`: change it
    /// with `user_password_change`.
    #[endpoint { method = POST, path = "/v1/session/reauthenticate", tags = ["auth"] }]
    async fn session_reauthenticate(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        body: JsonBody<types::SessionReauthenticate>,
    ) -> HttpResult<Ok200<types::SessionCreated>>;

    /// List users
    ///
    /// Oldest first. Any signed-in user sees every user's card; holders of `users:read` see full records. A user that
    /// exists the whole time a client walks through the pages is returned exactly once.
    #[endpoint { method = GET, path = "/v1/users", tags = ["users"] }]
    async fn user_list(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        query: QueryParams<types::UserListQuery>,
    ) -> HttpResult<Ok200<types::UserPage>>;

    /// Create a user
    ///
    /// The user joins the group `public`. Returns 409 if the username, e-mail address or telephone number is already
    /// in use.
    /// The user gets the default roles as well, whatever the caller holds: a holder of `users:write` can sign in as a user
    /// whom they create. Make a role a default one only if everybody may have its permissions.
    #[endpoint { method = POST, path = "/v1/users", tags = ["users"] }]
    async fn user_create(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        key: IdempotencyKey,
        body: JsonBody<types::UserCreate>,
    ) -> HttpResult<Created<types::User>>;

    /// View a user
    ///
    /// Returns the full record to the user themselves and to holders of `users:read`, and the card to others.
    #[endpoint { method = GET, path = "/v1/users/{user}", tags = ["users"] }]
    async fn user_view(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::UserPath>,
        known: IfNoneMatch,
    ) -> HttpResult<Ok200<types::User>>;

    /// Update a user
    ///
    /// JSON Merge Patch (RFC 7396): an absent field keeps its value, `null` clears it. Returns 409 if the username,
    /// e-mail address or telephone number is already in use, and 422 if the user would have no identifier left. A
    /// caller who changes another user's username, e-mail address or telephone number, or sets whether they are
    /// verified, could then sign in as that user: such a request is protected in the same way as `user_password_set`.
    #[endpoint { method = PATCH, path = "/v1/users/{user}", tags = ["users"] }]
    async fn user_update(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::UserPath>,
        expected: IfMatch,
        body: JsonBody<types::UserUpdate>,
    ) -> HttpResult<Ok200<types::User>>;

    /// Delete a user
    ///
    /// Erases the user's personal data, credentials, sessions and memberships. The id is never reused; the username,
    /// e-mail address and telephone number may be. Deleting your own account requires a recent password check. The
    /// last administrator can't be deleted.
    #[endpoint { method = DELETE, path = "/v1/users/{user}", tags = ["users"] }]
    async fn user_delete(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::UserPath>,
        expected: IfMatch,
    ) -> HttpResult<NoContent>;

    /// Suspend a user
    ///
    /// Prevents the user from signing in and ends all of their sessions immediately, until the user is reactivated or
    /// the given time has passed. Invitations that the user sent become void permanently. Suspending a suspended user
    /// again changes the reason and the time. The last administrator can't be suspended. The last owner of a group
    /// can; holders of `groups:write` can then make another member an owner.
    #[endpoint { method = POST, path = "/v1/users/{user}/suspend", tags = ["users"] }]
    async fn user_suspend(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::UserPath>,
        body: OptionalBody<types::UserSuspend>,
    ) -> HttpResult<Ok200<types::User>>;

    /// Reactivate a user
    ///
    /// Lets a suspended user sign in again; ended sessions stay ended. A user who isn't suspended is left unchanged.
    #[endpoint { method = POST, path = "/v1/users/{user}/reactivate", tags = ["users"] }]
    async fn user_reactivate(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::UserPath>,
    ) -> HttpResult<Ok200<types::User>>;

    /// View a user's custom data
    ///
    /// Returns the JSON object that applications store with the user.
    #[endpoint { method = GET, path = "/v1/users/{user}/custom-data", tags = ["users"] }]
    async fn user_custom_data_view(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::UserPath>,
        known: IfNoneMatch,
    ) -> HttpResult<Ok200<types::CustomData>>;

    /// Update a user's custom data
    ///
    /// JSON Merge Patch (RFC 7396), applied at every depth: an absent member keeps its value, `null` removes it. The
    /// response is the whole object for callers who may view it (`user_custom_data_view`). For others, the response
    /// and its `ETag` cover only the members that the request names, at every depth; their `If-Match` may only be
    /// `*`, and entity tags get a 403.
    #[endpoint { method = PATCH, path = "/v1/users/{user}/custom-data", tags = ["users"] }]
    async fn user_custom_data_update(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::UserPath>,
        expected: IfMatch,
        body: JsonBody<types::CustomData>,
    ) -> HttpResult<Ok200<types::CustomData>>;

    /// Replace a user's custom data
    ///
    /// Replaces the whole object. For callers who may not view it (`user_custom_data_view`), `If-Match` may only be
    /// `*`; entity tags get a 403.
    #[endpoint { method = PUT, path = "/v1/users/{user}/custom-data", tags = ["users"] }]
    async fn user_custom_data_replace(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::UserPath>,
        expected: IfMatch,
        body: JsonBody<types::CustomData>,
    ) -> HttpResult<Ok200<types::CustomData>>;

    /// View your preferences
    ///
    /// Returns the JSON object that the user's own programs store with the user, such as a theme. Nobody else can see
    /// it.
    #[endpoint { method = GET, path = "/v1/users/{user}/preferences", tags = ["users"] }]
    async fn user_preferences_view(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::UserPath>,
        known: IfNoneMatch,
    ) -> HttpResult<Ok200<types::Preferences>>;

    /// Update your preferences
    ///
    /// JSON Merge Patch (RFC 7396), applied at every depth: an absent member keeps its value, `null` removes it.
    /// Returns the whole object.
    #[endpoint { method = PATCH, path = "/v1/users/{user}/preferences", tags = ["users"] }]
    async fn user_preferences_update(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::UserPath>,
        expected: IfMatch,
        body: JsonBody<types::Preferences>,
    ) -> HttpResult<Ok200<types::Preferences>>;

    /// Set a user's password
    ///
    /// Ends all of the user's sessions, voids the invitations that they sent and resets the count of their sign-in
    /// attempts. With `must_change`, the user has to change the password before the next sign-in. To change your own
    /// password, use `user_password_change`.
    #[endpoint { method = PUT, path = "/v1/users/{user}/password", tags = ["passwords"] }]
    async fn user_password_set(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::UserPath>,
        body: JsonBody<types::UserPasswordSet>,
    ) -> HttpResult<NoContent>;

    /// Change your own password
    ///
    /// Checks the current password, sets the new one, ends all other sessions and returns a new token for this
    /// session; the old token stops working immediately.
    #[endpoint { method = POST, path = "/v1/users/{user}/password/change", tags = ["passwords"] }]
    async fn user_password_change(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::UserPath>,
        body: JsonBody<types::UserPasswordChange>,
    ) -> HttpResult<Ok200<types::SessionCreated>>;

    /// Check a user's password
    ///
    /// For applications that sign people in themselves. Returns 204 if the password is correct; 422
    /// `password_mismatch`, after the same time, if it is wrong, if the user has none or if the user is suspended;
    /// and 403 `password_expired` if it is correct but must be changed first. Starts no session. Counts as an
    /// attempt, like every password check.
    #[endpoint { method = POST, path = "/v1/users/{user}/password/verify", tags = ["passwords"] }]
    async fn user_password_verify(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::UserPath>,
        body: JsonBody<types::UserPasswordVerify>,
    ) -> HttpResult<NoContent>;

    /// List a user's sessions
    ///
    /// Sessions that have neither ended nor expired, newest first.
    #[endpoint { method = GET, path = "/v1/users/{user}/sessions", tags = ["sessions"] }]
    async fn user_session_list(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::UserPath>,
        query: QueryParams<types::PageQuery>,
    ) -> HttpResult<Ok200<types::SessionPage>>;

    /// End a session
    ///
    /// Its token stops working immediately.
    #[endpoint { method = DELETE, path = "/v1/users/{user}/sessions/{session}", tags = ["sessions"] }]
    async fn user_session_delete(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::SessionPath>,
    ) -> HttpResult<NoContent>;

    /// End all of a user's sessions
    ///
    /// Includes the current session if the user is the caller.
    #[endpoint { method = DELETE, path = "/v1/users/{user}/sessions", tags = ["sessions"] }]
    async fn user_session_delete_all(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::UserPath>,
    ) -> HttpResult<NoContent>;

    /// List groups
    ///
    /// Returns the groups that the caller is a member of; holders of `groups:read` or `groups:write` see all groups.
    /// Oldest first.
    #[endpoint { method = GET, path = "/v1/groups", tags = ["groups"] }]
    async fn group_list(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        query: QueryParams<types::ListQuery>,
    ) -> HttpResult<Ok200<types::GroupPage>>;

    /// Create a group
    ///
    /// The owner, by default the caller, becomes its first member.
    #[endpoint { method = POST, path = "/v1/groups", tags = ["groups"] }]
    async fn group_create(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        key: IdempotencyKey,
        body: JsonBody<types::GroupCreate>,
    ) -> HttpResult<Created<types::Group>>;

    /// View a group
    ///
    /// Visible to its members and to holders of `groups:read` or `groups:write`; others get a 404. Holders of
    /// `users:read` can still see that a user is a member: `user_group_list` shows them the user's groups.
    #[endpoint { method = GET, path = "/v1/groups/{group}", tags = ["groups"] }]
    async fn group_view(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::GroupPath>,
        known: IfNoneMatch,
    ) -> HttpResult<Ok200<types::Group>>;

    /// Update a group
    ///
    /// JSON Merge Patch (RFC 7396), applied at every depth of `custom_data`.
    #[endpoint { method = PATCH, path = "/v1/groups/{group}", tags = ["groups"] }]
    async fn group_update(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::GroupPath>,
        expected: IfMatch,
        body: JsonBody<types::GroupUpdate>,
    ) -> HttpResult<Ok200<types::Group>>;

    /// Delete a group
    ///
    /// Deletes its memberships and invitations with it, in one step, however many there are. The default group can't
    /// be deleted.
    #[endpoint { method = DELETE, path = "/v1/groups/{group}", tags = ["groups"] }]
    async fn group_delete(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::GroupPath>,
        expected: IfMatch,
    ) -> HttpResult<NoContent>;

    /// List a group's members
    ///
    /// Ordered by the age of their accounts, oldest first. Shows each member's card, or the full record to holders of
    /// `users:read`.
    #[endpoint { method = GET, path = "/v1/groups/{group}/members", tags = ["groups"] }]
    async fn group_member_list(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::GroupPath>,
        query: QueryParams<types::ListQuery>,
    ) -> HttpResult<Ok200<types::GroupMemberPage>>;

    /// Add a member
    ///
    /// Nobody can grant what they don't hold: the caller must hold, in the group, every permission of the roles, or
    /// `group:own`, or hold `groups:write` globally.
    #[endpoint { method = POST, path = "/v1/groups/{group}/members", tags = ["groups"] }]
    async fn group_member_add(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::GroupPath>,
        key: IdempotencyKey,
        body: JsonBody<types::GroupMemberAdd>,
    ) -> HttpResult<Created<types::GroupMember>>;

    /// Change a member's roles
    ///
    /// Replaces the member's roles in one transaction. The caller must hold, in the group, every permission of the
    /// roles that are added or removed, or `group:own`, or hold `groups:write` globally. A group must keep at least
    /// one owner.
    #[endpoint { method = PATCH, path = "/v1/groups/{group}/members/{user}", tags = ["groups"] }]
    async fn group_member_update(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::GroupMemberPath>,
        body: JsonBody<types::GroupMemberUpdate>,
    ) -> HttpResult<Ok200<types::GroupMember>>;

    /// Remove a member
    ///
    /// Members may remove themselves. A group must keep at least one owner, and nobody can leave the default group.
    #[endpoint { method = DELETE, path = "/v1/groups/{group}/members/{user}", tags = ["groups"] }]
    async fn group_member_remove(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::GroupMemberPath>,
    ) -> HttpResult<NoContent>;

    /// List a group's invitations
    ///
    /// Invitations that can still be accepted, oldest first.
    #[endpoint { method = GET, path = "/v1/groups/{group}/invitations", tags = ["groups"] }]
    async fn group_invitation_list(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::GroupPath>,
        query: QueryParams<types::PageQuery>,
    ) -> HttpResult<Ok200<types::InvitationPage>>;

    /// Invite somebody
    ///
    /// Returns a token that works once and is shown once. Rollcall sends no mail; the caller delivers the token. The
    /// rules of `group_member_add` apply to the roles, both now and when the invitation is accepted: the invitation
    /// is void while its sender may not invite members or grant these roles, and valid again once they may. It
    /// becomes void permanently when its sender leaves the group, is suspended or deleted, or has a password set by
    /// an administrator. With an `email`, only a user with that address can accept it; accepting proves the address
    /// only if the sender holds `users:write` (see `invitation_accept`).
    #[endpoint { method = POST, path = "/v1/groups/{group}/invitations", tags = ["groups"] }]
    async fn group_invitation_create(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::GroupPath>,
        key: IdempotencyKey,
        body: OptionalBody<types::InvitationCreate>,
    ) -> HttpResult<Created<types::InvitationCreated>>;

    /// Withdraw an invitation
    ///
    /// Its token stops working immediately.
    #[endpoint { method = DELETE, path = "/v1/groups/{group}/invitations/{invitation}", tags = ["groups"] }]
    async fn group_invitation_delete(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::InvitationPath>,
    ) -> HttpResult<NoContent>;

    /// Accept an invitation
    ///
    /// Makes the caller a member with the roles of the invitation. An unknown, used, expired or void token, and a
    /// token for another address, gets a 422 `invitation_invalid`. A caller who is already a member gets a 409, and
    /// the invitation stays valid. An invitation to an address requires the caller's `email` to be that address.
    /// Accepting it marks the address as verified only if the sender could now do so themselves (`email_verified` in
    /// `user_update`): the sender has the token too, so it proves nothing if the sender lacks `users:write` or is the
    /// caller. The two addresses must also be equal except for the case of ASCII letters.
    #[endpoint { method = POST, path = "/v1/invitations/accept", tags = ["groups"] }]
    async fn invitation_accept(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        body: JsonBody<types::InvitationAccept>,
    ) -> HttpResult<Ok200<types::UserGroup>>;

    /// List a user's groups
    ///
    /// Includes the roles that the user holds in each group. Oldest group first.
    #[endpoint { method = GET, path = "/v1/users/{user}/groups", tags = ["groups"] }]
    async fn user_group_list(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::UserPath>,
        query: QueryParams<types::PageQuery>,
    ) -> HttpResult<Ok200<types::UserGroupPage>>;

    /// List roles
    ///
    /// Global roles and group roles, oldest first.
    #[endpoint { method = GET, path = "/v1/roles", tags = ["roles"] }]
    async fn role_list(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        query: QueryParams<types::ListQuery>,
    ) -> HttpResult<Ok200<types::RolePage>>;

    /// Create a role
    ///
    /// Rollcall's own permissions must be known ones that the caller holds. `group:` permissions belong to group
    /// roles and need `groups:write`; all others belong to global roles. Applications define their own permissions by
    /// using them.
    #[endpoint { method = POST, path = "/v1/roles", tags = ["roles"] }]
    async fn role_create(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        key: IdempotencyKey,
        body: JsonBody<types::RoleCreate>,
    ) -> HttpResult<Created<types::Role>>;

    /// View a role
    ///
    /// Includes the role's permissions.
    #[endpoint { method = GET, path = "/v1/roles/{role}", tags = ["roles"] }]
    async fn role_view(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::RolePath>,
        known: IfNoneMatch,
    ) -> HttpResult<Ok200<types::Role>>;

    /// Update a role
    ///
    /// JSON Merge Patch (RFC 7396). Changed permissions apply to the role's holders from their next request. The
    /// caller must hold each of Rollcall's own permissions that the role has before or after the change; roles with
    /// `group:` permissions need `groups:write`. Making a role a default role, or changing the permissions of one
    /// that stays a default role, grants it to every new user: this needs `roles:assign`, under the rule of
    /// `user_role_add`. Built-in roles can't be changed.
    #[endpoint { method = PATCH, path = "/v1/roles/{role}", tags = ["roles"] }]
    async fn role_update(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::RolePath>,
        expected: IfMatch,
        body: JsonBody<types::RoleUpdate>,
    ) -> HttpResult<Ok200<types::Role>>;

    /// Delete a role
    ///
    /// Returns 409 `role_in_use` if anybody holds the role. With `force`, the role is also taken from all of its
    /// holders, in one step, however many there are. The caller must hold each of Rollcall's own permissions that the
    /// role has; roles with `group:` permissions need `groups:write`. Built-in roles can't be deleted.
    #[endpoint { method = DELETE, path = "/v1/roles/{role}", tags = ["roles"] }]
    async fn role_delete(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::RolePath>,
        query: QueryParams<types::RoleDeleteQuery>,
        expected: IfMatch,
    ) -> HttpResult<NoContent>;

    /// List a user's roles
    ///
    /// The user's global roles, oldest role first.
    #[endpoint { method = GET, path = "/v1/users/{user}/roles", tags = ["roles"] }]
    async fn user_role_list(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::UserPath>,
        query: QueryParams<types::ListQuery>,
    ) -> HttpResult<Ok200<types::RolePage>>;

    /// Assign roles to a user
    ///
    /// Assigns all of the roles or none; roles that the user already holds stay. Nobody can grant what they don't
    /// hold: the caller must hold every permission of the roles, or, with `roles:write`, only those of Rollcall's
    /// own. An unknown role gets a 404 that names it.
    #[endpoint { method = POST, path = "/v1/users/{user}/roles", tags = ["roles"] }]
    async fn user_role_add(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::UserPath>,
        body: JsonBody<types::UserRoles>,
    ) -> HttpResult<Ok200<types::UserRolesChanged>>;

    /// Replace a user's roles
    ///
    /// Runs in one transaction; an empty list removes all roles. The caller must hold every permission of the roles
    /// that are added or removed. The last administrator must stay one.
    #[endpoint { method = PUT, path = "/v1/users/{user}/roles", tags = ["roles"] }]
    async fn user_role_replace(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::UserPath>,
        body: JsonBody<types::UserRoles>,
    ) -> HttpResult<Ok200<types::UserRolesChanged>>;

    /// Remove a role from a user
    ///
    /// Returns 404 if the user doesn't hold the role. The last administrator must stay one.
    #[endpoint { method = DELETE, path = "/v1/users/{user}/roles/{role}", tags = ["roles"] }]
    async fn user_role_remove(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::UserRolePath>,
    ) -> HttpResult<NoContent>;

    /// Check a permission
    ///
    /// For applications that leave the decision to Rollcall. Considers the roles that the user holds now: the global
    /// ones and, if a group is given, those in that group. A suspended user is allowed nothing.
    #[endpoint { method = POST, path = "/v1/check", tags = ["access"] }]
    async fn access_check(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        body: JsonBody<types::AccessCheck>,
    ) -> HttpResult<Ok200<types::AccessDecision>>;

    /// List a user's effective permissions
    ///
    /// Each permission is listed with the role that grants it.
    #[endpoint { method = GET, path = "/v1/users/{user}/permissions", tags = ["access"] }]
    async fn user_permission_list(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::UserPath>,
        query: QueryParams<types::PermissionListQuery>,
    ) -> HttpResult<Ok200<types::EffectivePermissions>>;

    /// List audit events
    ///
    /// Newest first. Every user sees the events of their own calls and the events about themselves; holders of
    /// `audit:read` see all. Every change, every rejected change and every forbidden read is recorded. Malformed
    /// requests and requests without a token are not. Of the requests with an invalid token that are rejected, only a
    /// limited number per minute is recorded.
    #[endpoint { method = GET, path = "/v1/audit-events", tags = ["audit"] }]
    async fn audit_event_list(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        query: QueryParams<types::AuditEventListQuery>,
    ) -> HttpResult<Ok200<types::AuditEventPage>>;

    /// Server version
    ///
    /// Returns the versions of the server and of the document that it serves.
    #[endpoint { method = GET, path = "/v1/version", tags = ["system"] }]
    async fn system_version(rqctx: RequestContext<Self::Context>) -> HttpResult<Ok200<types::ServerVersion>>;

    /// Liveness check
    ///
    /// Doesn't use the database.
    #[endpoint { method = GET, path = "/healthz", tags = ["system"] }]
    async fn system_health(rqctx: RequestContext<Self::Context>) -> HttpResult<Ok200<types::Health>>;

    /// Readiness check
    ///
    /// For readiness probes and load balancers. Returns 200 while reads and writes both work, that is, while a
    /// primary database is reachable and accepts writes; returns 503 otherwise, and while the server shuts down. The
    /// response arrives within a second and may be up to one second old: however often it is requested, the database
    /// is checked at most once a second.
    #[endpoint { method = GET, path = "/readyz", tags = ["system"] }]
    async fn system_ready(rqctx: RequestContext<Self::Context>) -> HttpResult<Ok200<types::Readiness>>;

    /// This document
    ///
    /// Returns the published OpenAPI document of this server, byte for byte.
    #[endpoint { method = GET, path = "/openapi.json", tags = ["system"] }]
    async fn document_view(rqctx: RequestContext<Self::Context>) -> HttpResult<Ok200<types::JsonObject>>;

    // `HEAD` for probes and caches: the status and headers of `GET`; hyper drops the body. Unpublished, because RFC 9110
    // already defines it.

    /// The headers of [`RollcallApi::system_version`].
    #[endpoint { method = HEAD, path = "/v1/version", tags = ["system"], unpublished = true }]
    async fn system_version_head(
        rqctx: RequestContext<Self::Context>,
    ) -> HttpResult<Ok200<types::ServerVersion>> {
        Self::system_version(rqctx).await
    }

    /// The headers of [`RollcallApi::system_health`].
    #[endpoint { method = HEAD, path = "/healthz", tags = ["system"], unpublished = true }]
    async fn system_health_head(rqctx: RequestContext<Self::Context>) -> HttpResult<Ok200<types::Health>> {
        Self::system_health(rqctx).await
    }

    /// The headers of [`RollcallApi::system_ready`].
    #[endpoint { method = HEAD, path = "/readyz", tags = ["system"], unpublished = true }]
    async fn system_ready_head(rqctx: RequestContext<Self::Context>) -> HttpResult<Ok200<types::Readiness>> {
        Self::system_ready(rqctx).await
    }

    /// The headers of [`RollcallApi::document_view`].
    #[endpoint { method = HEAD, path = "/openapi.json", tags = ["system"], unpublished = true }]
    async fn document_view_head(
        rqctx: RequestContext<Self::Context>,
    ) -> HttpResult<Ok200<types::JsonObject>> {
        Self::document_view(rqctx).await
    }
}

/// Every operation, in the order of the trait.
pub const OPERATIONS: &[OperationSpec] = &[
    write("login", Access::Public)
        .counts_attempts()
        .returns("The new session with its token and its user.")
        .rejects(&[INVALID_CREDENTIALS, PASSWORD_EXPIRED]),
    write("login_change_password", Access::Public)
        .counts_attempts()
        .returns("The new session with its token and its user.")
        .rejects(&[INVALID_CREDENTIALS, PASSWORD_TOO_SHORT, PASSWORD_BLOCKED, PASSWORD_UNCHANGED]),
    write("register", Access::Public).counts_attempts().returns("The new account.").rejects(&[
        REGISTRATION_CLOSED,
        USERNAME_TAKEN,
        EMAIL_TAKEN,
        PHONE_TAKEN,
        PASSWORD_TOO_SHORT,
        PASSWORD_BLOCKED,
        USERNAME_NOT_OWN_EMAIL,
        USERNAME_NOT_ALLOWED,
        IDENTIFIER_REQUIRED,
        INVITATION_INVALID,
    ]),
    write("logout", Access::SignedIn).body_optional().returns("The session has ended; there is no body."),
    read("session_view", Access::SignedIn)
        .returns("The session of the request, its user and the user's permissions."),
    write("session_reauthenticate", Access::SignedIn)
        .counts_attempts()
        .returns("The same session with a new token.")
        .rejects(&[PASSWORD_EXPIRED, PASSWORD_MISMATCH]),
    read("user_list", Access::SignedIn)
        .lists(
            Listed::User,
            ["q=ada -name:*test*", "filter=username sw \"ada\" and name co \"love\"", "sort=name,-username"],
        )
        .returns("A page of users.")
        .rejects(&[FORBIDDEN, NOT_FOUND]),
    write("user_create", Access::Holders(Permission::UsersWrite)).returns("The new user.").rejects(&[
        USERNAME_TAKEN,
        EMAIL_TAKEN,
        PHONE_TAKEN,
        PASSWORD_TOO_SHORT,
        PASSWORD_BLOCKED,
        USERNAME_NOT_OWN_EMAIL,
        USERNAME_NOT_ALLOWED,
        IDENTIFIER_REQUIRED,
        NOTHING_TO_VERIFY,
        DOCUMENT_TOO_LARGE,
    ]),
    read("user_view", Access::SignedIn).returns("The user."),
    write("user_update", Access::OwnOr(Permission::UsersWrite))
        .protects(Protects::Rank)
        .returns("The updated user.")
        .rejects(&[
            USERNAME_TAKEN,
            EMAIL_TAKEN,
            PHONE_TAKEN,
            USERNAME_NOT_OWN_EMAIL,
            USERNAME_NOT_ALLOWED,
            IDENTIFIER_REQUIRED,
            NOTHING_TO_VERIFY,
        ]),
    write("user_delete", Access::OwnOr(Permission::UsersDelete))
        .protects(Protects::Rank)
        .recent_auth()
        .returns("The user has been deleted; there is no body.")
        .rejects(&[LAST_ADMINISTRATOR, LAST_OWNER]),
    write("user_suspend", Access::Holders(Permission::UsersSuspend))
        .protects(Protects::Rank)
        .body_optional()
        .returns("The suspended user.")
        .rejects(&[LAST_ADMINISTRATOR, TIME_IN_PAST]),
    write("user_reactivate", Access::Holders(Permission::UsersSuspend))
        .protects(Protects::Rank)
        .returns("The reactivated user."),
    read("user_custom_data_view", Access::OwnOr(Permission::UsersRead))
        .returns("The custom data of the user."),
    write("user_custom_data_update", Access::Holders(Permission::UsersWrite))
        .protects(Protects::Rank)
        .returns("The updated custom data.")
        .rejects(&[DOCUMENT_TOO_LARGE]),
    write("user_custom_data_replace", Access::Holders(Permission::UsersWrite))
        .protects(Protects::Rank)
        .returns("The new custom data.")
        .rejects(&[DOCUMENT_TOO_LARGE]),
    read("user_preferences_view", Access::OwnOnly).returns("Your preferences."),
    write("user_preferences_update", Access::OwnOnly)
        .returns("Your updated preferences.")
        .rejects(&[DOCUMENT_TOO_LARGE]),
    write("user_password_set", Access::OthersWith(Permission::UsersCredentials))
        .protects(Protects::Account)
        .returns("The password has been set; there is no body.")
        .rejects(&[PASSWORD_TOO_SHORT, PASSWORD_BLOCKED]),
    write("user_password_change", Access::OwnOnly)
        .counts_attempts()
        .returns("The current session with a new token.")
        .rejects(&[PASSWORD_MISMATCH, PASSWORD_TOO_SHORT, PASSWORD_BLOCKED, PASSWORD_UNCHANGED]),
    write("user_password_verify", Access::Holders(Permission::UsersCredentials))
        .protects(Protects::Account)
        .counts_attempts()
        .returns("The password is correct; there is no body.")
        .rejects(&[PASSWORD_EXPIRED, PASSWORD_MISMATCH]),
    read("user_session_list", Access::OwnOr(Permission::UsersCredentials)).returns("A page of sessions."),
    write("user_session_delete", Access::OwnOr(Permission::UsersCredentials))
        .protects(Protects::Account)
        .returns("The session has ended; there is no body."),
    write("user_session_delete_all", Access::OwnOr(Permission::UsersCredentials))
        .protects(Protects::Account)
        .returns("The sessions have ended; there is no body."),
    read("group_list", Access::SignedIn)
        .lists(
            Listed::Group,
            [
                "q=quality -mfa_required:true",
                "filter=default eq false and custom_data.plan eq \"pro\"",
                "sort=-created_at",
            ],
        )
        .returns("A page of groups."),
    write("group_create", Access::Holders(Permission::GroupsWrite)).returns("The new group.").rejects(&[
        NOT_FOUND,
        SLUG_TAKEN,
        DOCUMENT_TOO_LARGE,
    ]),
    read("group_view", Access::MemberOr(Permission::GroupsRead)).returns("The group."),
    write("group_update", Access::GroupAdminOr(Permission::GroupsWrite))
        .returns("The updated group.")
        .rejects(&[SLUG_TAKEN, DEFAULT_GROUP, DOCUMENT_TOO_LARGE]),
    write("group_delete", Access::GroupOwnerOr(Permission::GroupsWrite))
        .returns("The group has been deleted; there is no body.")
        .rejects(&[DEFAULT_GROUP]),
    read("group_member_list", Access::MemberOr(Permission::GroupsRead))
        .lists(
            Listed::Member,
            [
                "q=ada roles:owner",
                "filter=roles eq \"admin\" and joined_at ge \"2026-01-01T00:00:00Z\"",
                "sort=-joined_at,name",
            ],
        )
        .returns("A page of members."),
    write("group_member_add", Access::GroupAdminOr(Permission::GroupsWrite))
        .returns("The new member.")
        .rejects(&[ALREADY_MEMBER, WRONG_ROLE_TYPE]),
    write("group_member_update", Access::GroupAdminOr(Permission::GroupsWrite))
        .returns("The member with their new roles.")
        .rejects(&[LAST_OWNER, WRONG_ROLE_TYPE]),
    write("group_member_remove", Access::OwnOrGroupAdminOr(Permission::GroupsWrite))
        .returns("The user is no longer a member; there is no body.")
        .rejects(&[DEFAULT_GROUP, LAST_OWNER]),
    read("group_invitation_list", Access::GroupAdminOr(Permission::GroupsWrite))
        .returns("A page of invitations."),
    write("group_invitation_create", Access::GroupAdminOr(Permission::GroupsWrite))
        .body_optional()
        .returns("The new invitation with its token.")
        .rejects(&[DEFAULT_GROUP, WRONG_ROLE_TYPE]),
    write("group_invitation_delete", Access::GroupAdminOr(Permission::GroupsWrite))
        .returns("The invitation has been withdrawn; there is no body."),
    write("invitation_accept", Access::SignedIn)
        .counts_attempts()
        .returns("The group and the caller's roles in it.")
        .rejects(&[ALREADY_MEMBER, INVITATION_INVALID]),
    read("user_group_list", Access::OwnOr(Permission::UsersRead))
        .returns("A page of the groups that the user is a member of."),
    read("role_list", Access::SignedIn)
        .lists(
            Listed::Role,
            [
                "q=edit -built_in:true",
                "filter=scope eq \"global\" and permissions eq \"users:read\"",
                "sort=-created_at,name",
            ],
        )
        .returns("A page of roles."),
    write("role_create", Access::Holders(Permission::RolesWrite)).returns("The new role.").rejects(&[
        ROLE_NAME_TAKEN,
        WRONG_ROLE_TYPE,
        UNKNOWN_PERMISSION,
    ]),
    read("role_view", Access::SignedIn).returns("The role."),
    write("role_update", Access::Holders(Permission::RolesWrite)).returns("The updated role.").rejects(&[
        ROLE_NAME_TAKEN,
        BUILT_IN_ROLE,
        WRONG_ROLE_TYPE,
        UNKNOWN_PERMISSION,
    ]),
    write("role_delete", Access::Holders(Permission::RolesWrite))
        .returns("The role has been deleted; there is no body.")
        .rejects(&[BUILT_IN_ROLE, ROLE_IN_USE]),
    read("user_role_list", Access::OwnOr(Permission::UsersRead))
        .lists(
            Listed::Role,
            ["q=name:edit*", "filter=permissions in (\"users:read\", \"users:write\")", "sort=name"],
        )
        .returns("A page of the roles that the user holds."),
    write("user_role_add", Access::Holders(Permission::RolesAssign))
        .protects(Protects::Rank)
        .returns("The roles that the user holds now, and the changes.")
        .rejects(&[WRONG_ROLE_TYPE]),
    write("user_role_replace", Access::Holders(Permission::RolesAssign))
        .protects(Protects::Rank)
        .returns("The roles that the user holds now, and the changes.")
        .rejects(&[LAST_ADMINISTRATOR, WRONG_ROLE_TYPE]),
    write("user_role_remove", Access::Holders(Permission::RolesAssign))
        .protects(Protects::Rank)
        .returns("The user no longer holds the role; there is no body.")
        .rejects(&[LAST_ADMINISTRATOR]),
    read("access_check", Access::OwnOr(Permission::UsersRead))
        .returns("The decision, with its reason.")
        .rejects(&[NOT_FOUND]),
    read("user_permission_list", Access::OwnOr(Permission::UsersRead))
        .returns("The permissions that the user holds, and the roles that grant them."),
    read("audit_event_list", Access::SignedIn)
        .lists(
            Listed::AuditEvent,
            [
                "q=operation:user_update -result:refused",
                "filter=result eq \"refused\" and at ge \"2026-01-01T00:00:00Z\"",
                "sort=at",
            ],
        )
        .returns("A page of audit events.")
        .rejects(&[NOT_FOUND]),
    read("system_version", Access::Public)
        .without_database()
        .returns("The versions of the server and of this document."),
    read("system_health", Access::Public).without_database().returns("The process is alive."),
    read("system_ready", Access::Public).returns("The server is ready."),
    read("document_view", Access::Public).without_database().returns("This document."),
];

/// The rule for `email_verified` and `phone_verified` in `user_create` and `user_update`: somebody else has to confirm the
/// proof, so not even administrators can set them for themselves.
pub const VERIFICATION: OperationSpec =
    write("user_update, verified", Access::OthersWith(Permission::UsersWrite)).protects(Protects::Account);
