//! Creation of users: by a holder of `users:write`, by the person (`register`), or from the command line.

use std::sync::Arc;

use rollcall_api::extract::{Bearer, IdempotencyKey, JsonBody};
use rollcall_api::reply::Created;
use rollcall_api::types::{
    CreatedVia, CustomData, DisplayName, Email, NewPassword, Phone, ProfileInput, User, UserCreate, UserView,
    Username, WebUrl, fold,
};
use rollcall_policy::Resource;
use rollcall_store::users::{self, NewUser, UserKey, UserRecord};
use rollcall_store::{Conn, StoreError, groups, roles, seed};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::app::users::data::check_size;
use crate::app::users::identifiers;
use crate::conditions::Representation;
use crate::error::{AppResult, Error};
use crate::idempotency::{Attempt, Made};
use crate::operation::{Operation, Target};
use crate::views;

/// The input for a new user, for every way of creating one.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) username: Option<Username>,
    pub(crate) email: Option<Email>,
    pub(crate) phone: Option<Phone>,
    pub(crate) name: Option<DisplayName>,
    pub(crate) avatar_url: Option<WebUrl>,
    pub(crate) profile: Option<ProfileInput>,
    pub(crate) custom_data: Option<CustomData>,
    pub(crate) password: Option<NewPassword>,
    pub(crate) must_change_password: bool,
    pub(crate) email_verified: bool,
    pub(crate) phone_verified: bool,
    pub(crate) created_via: CreatedVia,
}

/// Creates a user.
pub async fn user_create(
    op: Arc<Operation>,
    credential: Bearer,
    key: IdempotencyKey,
    body: JsonBody<UserCreate>,
) -> AppResult<Created<User>> {
    // A caller who may not create users must not make the server hash either.
    let (caller, ()) = op.authenticate(&credential).await?.authorize(|_, ()| Resource::Directory)?;
    let attempt = Attempt::new(&op, Made::User, Some(&caller), key, &body.raw);
    let new = body.value;
    let draft = Draft {
        username: new.username,
        email: new.email,
        phone: new.phone,
        name: new.name,
        avatar_url: new.avatar_url,
        profile: new.profile,
        custom_data: new.custom_data,
        password: new.password,
        must_change_password: new.must_change_password,
        email_verified: new.email_verified,
        phone_verified: new.phone_verified,
        created_via: CreatedVia::Admin,
    };
    let row = prepare(&op, draft).await?;
    let mut change = op.begin(&credential).await?;
    change.authorize(Resource::Directory)?;
    if let Some(replay) = attempt.claim(&op, &change).await? {
        return Ok(replay);
    }
    insert(change.conn(), &row).await?;
    // A caller who may create users but not read them gets a card.
    let view = views::view_of(&change.caller()?.actor, row.id);
    created_response(op, change, attempt, row.id, view).await
}

/// Validates everything that needs no database, and hashes the password.
pub(crate) async fn prepare(op: &Operation, draft: Draft) -> AppResult<NewUser> {
    let username = draft.username.map(identifiers::username).transpose()?;
    identifiers::username_is_no_reference(username.as_deref())?;
    let email = draft.email.map(Email::into_string);
    let phone = draft.phone.map(Phone::into_string);
    let name = draft.name.map(DisplayName::into_string);
    identifiers::at_least_one(username.as_deref(), email.as_deref(), phone.as_deref())?;
    identifiers::username_is_own(username.as_deref(), email.as_deref(), phone.as_deref())?;
    identifiers::can_be_verified("email", Some(draft.email_verified), email.as_deref())?;
    identifiers::can_be_verified("phone", Some(draft.phone_verified), phone.as_deref())?;
    let custom_data = Value::Object(draft.custom_data.unwrap_or_default().0);
    check_size("custom_data", &custom_data)?;
    let profile = serde_json::to_value(draft.profile.unwrap_or_default())
        .map_err(|e| Error::internal(e.to_string()))?;
    let now = op.now();
    let password_hash = match &draft.password {
        None => None,
        Some(password) => {
            let own = [&username, &email, &phone, &name].into_iter().flatten().cloned().collect();
            Some(op.hash("password", password.expose(), own).await?)
        }
    };
    let expires = if draft.must_change_password { Some(now) } else { op.app.password_expiry(now) };
    Ok(NewUser {
        id: op.app.new_id(),
        username_folded: username.as_deref().map(fold),
        username,
        email_folded: email.as_deref().map(fold),
        email,
        phone,
        name,
        avatar_url: draft.avatar_url.map(WebUrl::into_string),
        email_verified: draft.email_verified,
        phone_verified: draft.phone_verified,
        profile,
        custom_data,
        password_changed_at: password_hash.is_some().then_some(now),
        password_expires_at: password_hash.as_ref().and(expires),
        password_hash,
        created_via: draft.created_via.as_str(),
        created_at: now,
        updated_at: now,
    })
}

/// Inserts a user and its dependent rows, except the role in the default group.
pub(crate) async fn insert(conn: &Conn, row: &NewUser) -> AppResult<()> {
    users::insert(conn, row).await?;
    let joined = groups::add_member(conn, seed::PUBLIC, row.id, row.created_at);
    futures::try_join!(joined, roles::grant_defaults(conn, row.id, row.created_at))?;
    Ok(())
}

/// Grants an inserted user the role in the default group; returns the user's record.
async fn finish(conn: &Conn, id: Uuid) -> Result<UserRecord, StoreError> {
    let role = groups::add_roles(conn, seed::PUBLIC, id, &[seed::MEMBER]);
    // The record has no group roles, so both statements may run together.
    let (record, ()) = futures::try_join!(users::find(conn, UserKey::Id(id)), role)?;
    record.ok_or_else(|| StoreError::Defect("a new user is missing".to_owned()))
}

pub(crate) async fn created_response(
    op: Arc<Operation>,
    change: crate::operation::Change,
    attempt: Attempt,
    id: Uuid,
    view: UserView,
) -> AppResult<Created<User>> {
    let (record, recorded) = change.record(finish(change.conn(), id), Target::User(id), json!({})).await?;
    let location = format!("/v1/users/{id}");
    let user = views::user_with_view(view, record, op.now());
    let shown = Representation::of_user(user.clone())?;
    attempt.keep(&op, &change, id, &location, shown.tag(), &user).await?;
    change.commit_recorded(recorded).await?;
    Ok(shown.reply().located(&location))
}

/// Creates the first administrator, or one from the command line; returns the username as it is stored.
pub async fn bootstrap_administrator(
    app: &crate::context::App,
    conn: &Conn,
    username: Username,
    password: &str,
) -> AppResult<String> {
    let now = app.clock.now();
    let username = identifiers::username(username)?;
    identifiers::username_is_no_reference(Some(&username))?;
    identifiers::username_is_own(Some(&username), None, None)?;
    let own = vec![username.clone()];
    let hash = app.hasher.hash("password", password, app.config.password.min_length, own).await?;
    let row = NewUser {
        id: app.new_id(),
        username: Some(username.clone()),
        username_folded: Some(fold(&username)),
        email: None,
        email_folded: None,
        phone: None,
        name: None,
        avatar_url: None,
        email_verified: false,
        phone_verified: false,
        profile: json!({}),
        custom_data: json!({}),
        password_hash: Some(hash),
        password_changed_at: Some(now),
        password_expires_at: app.password_expiry(now),
        created_via: CreatedVia::Bootstrap.as_str(),
        created_at: now,
        updated_at: now,
    };
    insert(conn, &row).await?;
    finish(conn, row.id).await?;
    roles::grant(conn, row.id, seed::ADMINISTRATOR, now).await?;
    let event = rollcall_store::audit::NewEvent {
        id: app.new_id(),
        at: now,
        operation: "create_admin",
        actor_id: None,
        session_id: None,
        target_kind: Some("user"),
        target_id: Some(row.id),
        result: "done",
        error_code: None,
        address: None,
        request_id: "command line".to_owned(),
        detail: json!({}),
    };
    rollcall_store::audit::insert(conn, &event).await?;
    Ok(username)
}
