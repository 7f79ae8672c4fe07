//! The operations: one trait whose methods are the endpoints, and below it, in the same order, what their signatures can't say.

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
    /// the password is checked; too many are a 429 with `Retry-After`. An account's attempts are those of all operations that
    /// check its password together: `login`, `login_change_password`, `session_reauthenticate`, `user_password_change` and
    /// `user_password_verify`. They are counted anew after a success, and after `user_password_set`.
    #[endpoint { method = POST, path = "/v1/login", tags = ["auth"] }]
    async fn login(
        rqctx: RequestContext<Self::Context>,
        body: JsonBody<types::Login>,
    ) -> Answer<Ok200<types::SessionCreated>>;

    /// Change a password without a session
    ///
    /// The way out of an expired password, and as good for any other: checks the old password as `login` does, sets
    /// the new one, ends all of the user's sessions and starts a fresh one.
    #[endpoint { method = POST, path = "/v1/login/change-password", tags = ["auth"] }]
    async fn login_change_password(
        rqctx: RequestContext<Self::Context>,
        body: JsonBody<types::LoginChangePassword>,
    ) -> Answer<Ok200<types::SessionCreated>>;

    /// Register an account
    ///
    /// Makes an account for the person who calls, where the server's configuration lets people register
    /// (`registration.mode`); otherwise a 403 `registration_closed`. The user joins the group `public`. It doesn't sign in.
    /// With an `invitation` the user joins its group, too, and the rules of `invitation_accept` hold, also for whether the
    /// address is verified.
    #[endpoint { method = POST, path = "/v1/register", tags = ["auth"] }]
    async fn register(
        rqctx: RequestContext<Self::Context>,
        key: IdempotencyKey,
        body: JsonBody<types::Register>,
    ) -> Answer<Created<types::User>>;

    /// Sign out
    ///
    /// Ends the current session, or with `everywhere` all sessions of the caller. They are dead on the next request.
    #[endpoint { method = POST, path = "/v1/logout", tags = ["auth"] }]
    async fn logout(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        body: OptionalBody<types::Logout>,
    ) -> Answer<NoContent>;

    /// View the current session
    ///
    /// The session of the request, its user and the permissions that the user holds.
    #[endpoint { method = GET, path = "/v1/session", tags = ["auth"] }]
    async fn session_view(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
    ) -> Answer<Ok200<types::CurrentSession>>;

    /// Prove again who you are
    ///
    /// Checks the caller's password and answers with a fresh token of the same session; the old token is dead. For
    /// the next five minutes (`session.reauthentication_seconds`) sensitive operations are open. A right password that has expired
    /// or must be changed is a 403 `password_expired`: change it with `user_password_change`.
    #[endpoint { method = POST, path = "/v1/session/reauthenticate", tags = ["auth"] }]
    async fn session_reauthenticate(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        body: JsonBody<types::SessionReauthenticate>,
    ) -> Answer<Ok200<types::SessionCreated>>;

    /// List users
    ///
    /// In the order in which they were made. Everybody who is signed in sees everybody's card, holders of `users:read`
    /// the whole records. Users that exist throughout a walk over the pages are seen exactly once.
    #[endpoint { method = GET, path = "/v1/users", tags = ["users"] }]
    async fn user_list(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        query: QueryParams<types::UserListQuery>,
    ) -> Answer<Ok200<types::UserPage>>;

    /// Create a user
    ///
    /// The user joins the group `public`. A name, address or number that another account uses is a 409.
    #[endpoint { method = POST, path = "/v1/users", tags = ["users"] }]
    async fn user_create(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        key: IdempotencyKey,
        body: JsonBody<types::UserCreate>,
    ) -> Answer<Created<types::User>>;

    /// View a user
    ///
    /// The whole record for the user itself and for holders of `users:read`, the card for others.
    #[endpoint { method = GET, path = "/v1/users/{user}", tags = ["users"] }]
    async fn user_view(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::UserPath>,
        known: IfNoneMatch,
    ) -> Answer<Ok200<types::User>>;

    /// Update a user
    ///
    /// JSON Merge Patch (RFC 7396): an absent field keeps its value, `null` clears it. A name, address or number that
    /// another account uses is a 409, one that would leave the user without any identifier a 422. Changing the username, the
    /// e-mail address or the telephone number of somebody else, or setting whether they are verified, could let the caller
    /// sign in as the user: it is protected as `user_password_set` is.
    #[endpoint { method = PATCH, path = "/v1/users/{user}", tags = ["users"] }]
    async fn user_update(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::UserPath>,
        expected: IfMatch,
        body: JsonBody<types::UserUpdate>,
    ) -> Answer<Ok200<types::User>>;

    /// Delete a user
    ///
    /// Erases the user's personal data, credentials, sessions and memberships; the id is never used again, the
    /// identifiers may be. Deleting oneself needs a recent password check. The last administrator can't be deleted.
    #[endpoint { method = DELETE, path = "/v1/users/{user}", tags = ["users"] }]
    async fn user_delete(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::UserPath>,
        expected: IfMatch,
    ) -> Answer<NoContent>;

    /// Suspend a user
    ///
    /// Bars the user from signing in and ends all of their sessions, at once and everywhere, until reactivated or until the time
    /// that is given. The invitations that the user sent are void for good. Repeating it changes reason and time. The last
    /// administrator can't be suspended; the last owner of a group can, and then holders of `groups:write` can make another.
    #[endpoint { method = POST, path = "/v1/users/{user}/suspend", tags = ["users"] }]
    async fn user_suspend(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::UserPath>,
        body: OptionalBody<types::UserSuspend>,
    ) -> Answer<Ok200<types::User>>;

    /// Reactivate a user
    ///
    /// Lets a suspended user sign in again; no old session comes back. A user who isn't suspended stays as they are.
    #[endpoint { method = POST, path = "/v1/users/{user}/reactivate", tags = ["users"] }]
    async fn user_reactivate(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::UserPath>,
    ) -> Answer<Ok200<types::User>>;

    /// View a user's custom data
    ///
    /// What applications keep with the user.
    #[endpoint { method = GET, path = "/v1/users/{user}/custom-data", tags = ["users"] }]
    async fn user_custom_data_view(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::UserPath>,
        known: IfNoneMatch,
    ) -> Answer<Ok200<types::CustomData>>;

    /// Update a user's custom data
    ///
    /// JSON Merge Patch (RFC 7396), at every depth: an absent member keeps its value, `null` removes it. The response shows the
    /// whole object to a caller who may view it (`user_custom_data_view`). To others it shows only the members that the
    /// request names, at every depth, and so does its `ETag`; their `If-Match` may only be `*`, tags are a 403.
    #[endpoint { method = PATCH, path = "/v1/users/{user}/custom-data", tags = ["users"] }]
    async fn user_custom_data_update(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::UserPath>,
        expected: IfMatch,
        body: JsonBody<types::CustomData>,
    ) -> Answer<Ok200<types::CustomData>>;

    /// Replace a user's custom data
    ///
    /// The new object stands in place of the old one. The `If-Match` of a caller who may not view it
    /// (`user_custom_data_view`) may only be `*`; tags are a 403.
    #[endpoint { method = PUT, path = "/v1/users/{user}/custom-data", tags = ["users"] }]
    async fn user_custom_data_replace(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::UserPath>,
        expected: IfMatch,
        body: JsonBody<types::CustomData>,
    ) -> Answer<Ok200<types::CustomData>>;

    /// View one's preferences
    ///
    /// What the user's own programs keep with the user, such as a theme. Nobody else sees it.
    #[endpoint { method = GET, path = "/v1/users/{user}/preferences", tags = ["users"] }]
    async fn user_preferences_view(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::UserPath>,
        known: IfNoneMatch,
    ) -> Answer<Ok200<types::Preferences>>;

    /// Update one's preferences
    ///
    /// JSON Merge Patch (RFC 7396), at every depth: an absent member keeps its value, `null` removes it. Answers with the
    /// whole object.
    #[endpoint { method = PATCH, path = "/v1/users/{user}/preferences", tags = ["users"] }]
    async fn user_preferences_update(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::UserPath>,
        expected: IfMatch,
        body: JsonBody<types::Preferences>,
    ) -> Answer<Ok200<types::Preferences>>;

    /// Set a user's password
    ///
    /// Ends all of the user's sessions, voids the invitations that they sent and forgets the attempts to sign in. With `must_change` the user has to change it
    /// before the next sign-in. For one's own password there is `user_password_change`.
    #[endpoint { method = PUT, path = "/v1/users/{user}/password", tags = ["passwords"] }]
    async fn user_password_set(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::UserPath>,
        body: JsonBody<types::UserPasswordSet>,
    ) -> Answer<NoContent>;

    /// Change one's password
    ///
    /// Checks the current password, sets the new one, ends all other sessions and answers with a fresh token of this
    /// session; the old token is dead.
    #[endpoint { method = POST, path = "/v1/users/{user}/password/change", tags = ["passwords"] }]
    async fn user_password_change(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::UserPath>,
        body: JsonBody<types::UserPasswordChange>,
    ) -> Answer<Ok200<types::SessionCreated>>;

    /// Check a user's password
    ///
    /// For applications that sign people in by themselves: 204 where the password is right, 422 `password_mismatch` where it
    /// isn't, where there is none or the user is suspended, after the same time; 403 `password_expired` where it is right but
    /// must be changed first. Starts no session. Counted as an attempt, as every check of a password.
    #[endpoint { method = POST, path = "/v1/users/{user}/password/verify", tags = ["passwords"] }]
    async fn user_password_verify(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::UserPath>,
        body: JsonBody<types::UserPasswordVerify>,
    ) -> Answer<NoContent>;

    /// List a user's sessions
    ///
    /// The sign-ins that have neither ended nor expired, newest first.
    #[endpoint { method = GET, path = "/v1/users/{user}/sessions", tags = ["sessions"] }]
    async fn user_session_list(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::UserPath>,
        query: QueryParams<types::PageQuery>,
    ) -> Answer<Ok200<types::SessionPage>>;

    /// End a session
    ///
    /// Its token is dead on the next request.
    #[endpoint { method = DELETE, path = "/v1/users/{user}/sessions/{session}", tags = ["sessions"] }]
    async fn user_session_delete(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::SessionPath>,
    ) -> Answer<NoContent>;

    /// End all of a user's sessions
    ///
    /// The current one too, where it is one's own.
    #[endpoint { method = DELETE, path = "/v1/users/{user}/sessions", tags = ["sessions"] }]
    async fn user_session_delete_all(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::UserPath>,
    ) -> Answer<NoContent>;

    /// List groups
    ///
    /// The groups that the caller is a member of; holders of `groups:read` or `groups:write` see all.
    #[endpoint { method = GET, path = "/v1/groups", tags = ["groups"] }]
    async fn group_list(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        query: QueryParams<types::ListQuery>,
    ) -> Answer<Ok200<types::GroupPage>>;

    /// Create a group
    ///
    /// The owner, by default the caller, becomes its first member.
    #[endpoint { method = POST, path = "/v1/groups", tags = ["groups"] }]
    async fn group_create(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        key: IdempotencyKey,
        body: JsonBody<types::GroupCreate>,
    ) -> Answer<Created<types::Group>>;

    /// View a group
    ///
    /// For its members and holders of `groups:read` or `groups:write`; for others there is no such group. Only that a user is
    /// in it is also seen by holders of `users:read`: `user_group_list` shows them the user's groups.
    #[endpoint { method = GET, path = "/v1/groups/{group}", tags = ["groups"] }]
    async fn group_view(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::GroupPath>,
        known: IfNoneMatch,
    ) -> Answer<Ok200<types::Group>>;

    /// Update a group
    ///
    /// JSON Merge Patch (RFC 7396), in `custom_data` at every depth.
    #[endpoint { method = PATCH, path = "/v1/groups/{group}", tags = ["groups"] }]
    async fn group_update(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::GroupPath>,
        expected: IfMatch,
        body: JsonBody<types::GroupUpdate>,
    ) -> Answer<Ok200<types::Group>>;

    /// Delete a group
    ///
    /// Its memberships and invitations go with it, at once, however many there are. The default group can't be deleted.
    #[endpoint { method = DELETE, path = "/v1/groups/{group}", tags = ["groups"] }]
    async fn group_delete(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::GroupPath>,
        expected: IfMatch,
    ) -> Answer<NoContent>;

    /// List a group's members
    ///
    /// In the order in which their accounts were made; their cards, or whole records for holders of `users:read`.
    #[endpoint { method = GET, path = "/v1/groups/{group}/members", tags = ["groups"] }]
    async fn group_member_list(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::GroupPath>,
        query: QueryParams<types::ListQuery>,
    ) -> Answer<Ok200<types::GroupMemberPage>>;

    /// Add a member
    ///
    /// Nobody grants what they don't hold: the caller must hold in the group every permission of the roles, or `group:own`, or
    /// `groups:write` globally.
    #[endpoint { method = POST, path = "/v1/groups/{group}/members", tags = ["groups"] }]
    async fn group_member_add(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::GroupPath>,
        key: IdempotencyKey,
        body: JsonBody<types::GroupMemberAdd>,
    ) -> Answer<Created<types::GroupMember>>;

    /// Change a member's roles
    ///
    /// The new roles stand in place of the old ones, in one transaction. The caller must hold in the group every permission of the
    /// roles that are given or taken, or `group:own`, or `groups:write` globally. A group keeps at least one owner.
    #[endpoint { method = PATCH, path = "/v1/groups/{group}/members/{user}", tags = ["groups"] }]
    async fn group_member_update(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::GroupMemberPath>,
        body: JsonBody<types::GroupMemberUpdate>,
    ) -> Answer<Ok200<types::GroupMember>>;

    /// Remove a member
    ///
    /// Members may leave by themselves. A group keeps at least one owner; nobody leaves the default group.
    #[endpoint { method = DELETE, path = "/v1/groups/{group}/members/{user}", tags = ["groups"] }]
    async fn group_member_remove(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::GroupMemberPath>,
    ) -> Answer<NoContent>;

    /// List a group's invitations
    ///
    /// Those that can still be accepted, in the order in which they were made.
    #[endpoint { method = GET, path = "/v1/groups/{group}/invitations", tags = ["groups"] }]
    async fn group_invitation_list(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::GroupPath>,
        query: QueryParams<types::PageQuery>,
    ) -> Answer<Ok200<types::InvitationPage>>;

    /// Invite somebody
    ///
    /// Answers with a token that works once and is shown once; Rollcall sends no mail, the caller delivers it. The rules of
    /// `group_member_add` hold for the roles, now and when the invitation is accepted: it is void while its sender may not invite
    /// or give these roles, and counts again when they may. It is void for good once the sender has left the group, was
    /// suspended or deleted, or had a password set by an administrator. With an `email` only a user with that address can
    /// accept it; that proves the address only where the sender holds `users:write` (`invitation_accept`).
    #[endpoint { method = POST, path = "/v1/groups/{group}/invitations", tags = ["groups"] }]
    async fn group_invitation_create(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::GroupPath>,
        key: IdempotencyKey,
        body: OptionalBody<types::InvitationCreate>,
    ) -> Answer<Created<types::InvitationCreated>>;

    /// Withdraw an invitation
    ///
    /// Its token is dead at once.
    #[endpoint { method = DELETE, path = "/v1/groups/{group}/invitations/{invitation}", tags = ["groups"] }]
    async fn group_invitation_delete(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::InvitationPath>,
    ) -> Answer<NoContent>;

    /// Accept an invitation
    ///
    /// Makes the caller a member with the roles of the invitation. An unknown, used, expired or void token, and one for another
    /// address, is a 422 `invitation_invalid`; a member gets a 409 and the invitation stays. For an invitation to an address the
    /// caller's `email` must be that address. It is verified from then on where its sender could say so now (`email_verified`
    /// in `user_update`): the sender has the token, too, so it proves nothing of a sender without `users:write`, or of the
    /// caller. And only where the two addresses differ in nothing but the case of ASCII letters.
    #[endpoint { method = POST, path = "/v1/invitations/accept", tags = ["groups"] }]
    async fn invitation_accept(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        body: JsonBody<types::InvitationAccept>,
    ) -> Answer<Ok200<types::UserGroup>>;

    /// List a user's groups
    ///
    /// With the roles that the user holds in each, in the order in which the groups were made.
    #[endpoint { method = GET, path = "/v1/users/{user}/groups", tags = ["groups"] }]
    async fn user_group_list(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::UserPath>,
        query: QueryParams<types::PageQuery>,
    ) -> Answer<Ok200<types::UserGroupPage>>;

    /// List roles
    ///
    /// In the order in which they were made, global ones and those of groups.
    #[endpoint { method = GET, path = "/v1/roles", tags = ["roles"] }]
    async fn role_list(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        query: QueryParams<types::ListQuery>,
    ) -> Answer<Ok200<types::RolePage>>;

    /// Create a role
    ///
    /// Permissions of Rollcall's own must be known ones that the caller holds; `group:` ones belong to group roles and need
    /// `groups:write`, all others belong to global roles. Applications define the rest by using them.
    #[endpoint { method = POST, path = "/v1/roles", tags = ["roles"] }]
    async fn role_create(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        key: IdempotencyKey,
        body: JsonBody<types::RoleCreate>,
    ) -> Answer<Created<types::Role>>;

    /// View a role
    ///
    /// With its permissions.
    #[endpoint { method = GET, path = "/v1/roles/{role}", tags = ["roles"] }]
    async fn role_view(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::RolePath>,
        known: IfNoneMatch,
    ) -> Answer<Ok200<types::Role>>;

    /// Update a role
    ///
    /// JSON Merge Patch (RFC 7396). Its holders have the new permissions on their next request. The caller must hold each of
    /// Rollcall's own permissions that the role has before or after the change; roles with `group:` ones need `groups:write`.
    /// To make a role a default one, or change the permissions of one that stays one, the caller must be allowed to give it to
    /// every new user: with `roles:assign`, by the rule of `user_role_add`. Built-in roles can't be changed.
    #[endpoint { method = PATCH, path = "/v1/roles/{role}", tags = ["roles"] }]
    async fn role_update(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::RolePath>,
        expected: IfMatch,
        body: JsonBody<types::RoleUpdate>,
    ) -> Answer<Ok200<types::Role>>;

    /// Delete a role
    ///
    /// One that somebody holds is a 409 `role_in_use`; with `force` they lose it, at once, however many they are. The caller
    /// must hold each of Rollcall's own permissions that the role has; roles with `group:` ones need `groups:write`.
    /// Built-in roles can't be deleted.
    #[endpoint { method = DELETE, path = "/v1/roles/{role}", tags = ["roles"] }]
    async fn role_delete(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::RolePath>,
        query: QueryParams<types::RoleDeleteQuery>,
        expected: IfMatch,
    ) -> Answer<NoContent>;

    /// List a user's roles
    ///
    /// The global ones, in the order in which the roles were made.
    #[endpoint { method = GET, path = "/v1/users/{user}/roles", tags = ["roles"] }]
    async fn user_role_list(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::UserPath>,
        query: QueryParams<types::ListQuery>,
    ) -> Answer<Ok200<types::RolePage>>;

    /// Give roles to a user
    ///
    /// All of them or none; those that the user holds already stay. Nobody grants what they don't hold: the caller must hold every
    /// permission of the roles; holders of `roles:write` only those of Rollcall's own. An unknown role is a 404 that names it.
    #[endpoint { method = POST, path = "/v1/users/{user}/roles", tags = ["roles"] }]
    async fn user_role_add(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::UserPath>,
        body: JsonBody<types::UserRoles>,
    ) -> Answer<Ok200<types::UserRolesChanged>>;

    /// Replace a user's roles
    ///
    /// In one transaction; an empty list takes all. The caller must hold every permission of the roles that are given or taken. The
    /// last administrator stays one.
    #[endpoint { method = PUT, path = "/v1/users/{user}/roles", tags = ["roles"] }]
    async fn user_role_replace(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::UserPath>,
        body: JsonBody<types::UserRoles>,
    ) -> Answer<Ok200<types::UserRolesChanged>>;

    /// Take a role from a user
    ///
    /// A role that the user doesn't hold is a 404. The last administrator stays one.
    #[endpoint { method = DELETE, path = "/v1/users/{user}/roles/{role}", tags = ["roles"] }]
    async fn user_role_remove(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::UserRolePath>,
    ) -> Answer<NoContent>;

    /// May this user do this?
    ///
    /// For applications that let Rollcall decide. Answers from the roles that the user holds now, globally and, where a group is
    /// named, in that group; a suspended user may do nothing.
    #[endpoint { method = POST, path = "/v1/check", tags = ["access"] }]
    async fn access_check(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        body: JsonBody<types::AccessCheck>,
    ) -> Answer<Ok200<types::AccessDecision>>;

    /// List what a user may do
    ///
    /// The effective permissions, each with the role that gives it.
    #[endpoint { method = GET, path = "/v1/users/{user}/permissions", tags = ["access"] }]
    async fn user_permission_list(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        path: PathParams<types::UserPath>,
        query: QueryParams<types::PermissionListQuery>,
    ) -> Answer<Ok200<types::EffectivePermissions>>;

    /// List audit events
    ///
    /// Newest first. Everybody sees the events of their own calls and those about themselves; holders of `audit:read` see all.
    /// Every change leaves an event, so does every change that was refused, and every read that was forbidden. Malformed requests
    /// and requests without a token leave none, and of refused calls with a token that isn't valid only so many are kept in a minute.
    #[endpoint { method = GET, path = "/v1/audit-events", tags = ["audit"] }]
    async fn audit_event_list(
        rqctx: RequestContext<Self::Context>,
        credential: Bearer,
        query: QueryParams<types::AuditEventListQuery>,
    ) -> Answer<Ok200<types::AuditEventPage>>;

    /// Which server this is
    ///
    /// The versions of the server and of the document that it serves.
    #[endpoint { method = GET, path = "/v1/version", tags = ["system"] }]
    async fn system_version(rqctx: RequestContext<Self::Context>) -> Answer<Ok200<types::ServerVersion>>;

    /// Whether the process answers
    ///
    /// Asks nothing of the database; for liveness probes.
    #[endpoint { method = GET, path = "/healthz", tags = ["system"] }]
    async fn system_health(rqctx: RequestContext<Self::Context>) -> Answer<Ok200<types::Health>>;

    /// Whether the server can work
    ///
    /// For readiness probes and load balancers: 200 while both reads and changes work, that is while a primary database is
    /// reachable and takes writes; otherwise, and while the server shuts down, 503. The response comes within a second and
    /// may be up to a second old: however often it is requested, the database is asked once a second.
    #[endpoint { method = GET, path = "/readyz", tags = ["system"] }]
    async fn system_ready(rqctx: RequestContext<Self::Context>) -> Answer<Ok200<types::Readiness>>;

    /// This document
    ///
    /// The published OpenAPI document of this server, byte by byte.
    #[endpoint { method = GET, path = "/openapi.json", tags = ["system"] }]
    async fn document_view(rqctx: RequestContext<Self::Context>) -> Answer<Ok200<types::JsonObject>>;

    // `HEAD` for what probes and caches ask: the status and headers of `GET`; hyper leaves the body out. Not published,
    // because RFC 9110 says all there is to it.

    /// The headers of [`RollcallApi::system_version`].
    #[endpoint { method = HEAD, path = "/v1/version", tags = ["system"], unpublished = true }]
    async fn system_version_head(
        rqctx: RequestContext<Self::Context>,
    ) -> Answer<Ok200<types::ServerVersion>> {
        Self::system_version(rqctx).await
    }

    /// The headers of [`RollcallApi::system_health`].
    #[endpoint { method = HEAD, path = "/healthz", tags = ["system"], unpublished = true }]
    async fn system_health_head(rqctx: RequestContext<Self::Context>) -> Answer<Ok200<types::Health>> {
        Self::system_health(rqctx).await
    }

    /// The headers of [`RollcallApi::system_ready`].
    #[endpoint { method = HEAD, path = "/readyz", tags = ["system"], unpublished = true }]
    async fn system_ready_head(rqctx: RequestContext<Self::Context>) -> Answer<Ok200<types::Readiness>> {
        Self::system_ready(rqctx).await
    }

    /// The headers of [`RollcallApi::document_view`].
    #[endpoint { method = HEAD, path = "/openapi.json", tags = ["system"], unpublished = true }]
    async fn document_view_head(rqctx: RequestContext<Self::Context>) -> Answer<Ok200<types::JsonObject>> {
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
        .returns("The session of the request, its user and the permissions that the user holds."),
    write("session_reauthenticate", Access::SignedIn)
        .counts_attempts()
        .returns("The same session with a fresh token.")
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
        .returns("The new session with its token and its user.")
        .rejects(&[PASSWORD_MISMATCH, PASSWORD_TOO_SHORT, PASSWORD_BLOCKED, PASSWORD_UNCHANGED]),
    write("user_password_verify", Access::Holders(Permission::UsersCredentials))
        .protects(Protects::Account)
        .counts_attempts()
        .returns("The password is right; there is no body.")
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
        .returns("The member with its roles.")
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
        .returns("The group and your roles in it.")
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
        .returns("Whether the user may do it, and what decided that.")
        .rejects(&[NOT_FOUND]),
    read("user_permission_list", Access::OwnOr(Permission::UsersRead))
        .returns("The permissions that the user has, and the roles that give them."),
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
    read("system_health", Access::Public).without_database().returns("The process responds."),
    read("system_ready", Access::Public).returns("The server can work."),
    read("document_view", Access::Public).without_database().returns("This document."),
];

/// The rule for `email_verified` and `phone_verified` in `user_create` and `user_update`: a proof is for somebody else to
/// confirm, so not even administrators set them for themselves.
pub const VERIFICATION: OperationSpec =
    write("user_update, verified", Access::OthersWith(Permission::UsersWrite)).protects(Protects::Account);
