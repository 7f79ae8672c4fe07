//! New users: made by somebody with `users:write`, or by the person.

use std::sync::Arc;

use rollcall_api::error;
use rollcall_api::extract::{Bearer, IdempotencyKey, JsonBody};
use rollcall_api::reply::Created;
use rollcall_api::types::{
    CreatedVia, CustomData, DisplayName, Email, NewPassword, Phone, ProfileInput, Register, User, UserCreate,
    UserView, Username, WebUrl, fold,
};
use rollcall_policy::Resource;
use rollcall_store::users::{self, NewUser, UserKey, UserRecord};
use rollcall_store::{Conn, StoreError, groups, roles, seed};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::app::conditions::Representation;
use crate::app::documents::check_size;
use crate::app::idempotency::{Attempt, Made};
use crate::app::invitations::Joining;
use crate::app::{identifiers, invitations, throttle, views};
use crate::config::RegistrationMode;
use crate::error::{AppResult, Error, reject};
use crate::operation::{Operation, Target};

/// What a new user is made of, whoever makes it.
struct Draft {
    username: Option<Username>,
    email: Option<Email>,
    phone: Option<Phone>,
    name: Option<DisplayName>,
    avatar_url: Option<WebUrl>,
    profile: Option<ProfileInput>,
    custom_data: Option<CustomData>,
    password: Option<NewPassword>,
    must_change_password: bool,
    email_verified: bool,
    phone_verified: bool,
    created_via: CreatedVia,
}

/// Create a user.
pub async fn user_create(
    op: Arc<Operation>,
    credential: Bearer,
    key: IdempotencyKey,
    body: JsonBody<UserCreate>,
) -> AppResult<Created<User>> {
    // Who may not create users must not make us hash either.
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
    // Whoever may make users but not read them still sees what they made.
    let view = views::view_for(&change.caller()?.actor, row.id);
    answer(op, change, attempt, row.id, view).await
}

/// Register.
pub async fn register(
    op: Arc<Operation>,
    key: IdempotencyKey,
    body: JsonBody<Register>,
) -> AppResult<Created<User>> {
    let mode = op.app.config.registration.mode;
    let invited = body.value.invitation.is_some();
    if mode == RegistrationMode::Closed || (mode == RegistrationMode::Invite && !invited) {
        let message = if mode == RegistrationMode::Closed {
            "this server does not let people register themselves"
        } else {
            "registration needs an invitation"
        };
        return reject(error::REGISTRATION_CLOSED, message);
    }
    throttle::count(&op, None).await?;
    let attempt = Attempt::new(&op, Made::User, None, key, &body.raw);
    let new = body.value;
    let email = new.email.as_ref().map(|email| fold(email.as_str()));
    // Without a live invitation nobody makes the server hash, or learns which names are taken.
    if let Some(token) = &new.invitation {
        let (op, attempt, token, email) = (&op, &attempt, token.as_str(), email.as_deref());
        let reading = op.reading(|conn| async move {
            let replay = attempt.find(op, &conn).await?;
            if replay.is_none() {
                invitations::ensure_live(op, &conn, token, email).await?;
            }
            Ok(replay)
        });
        if let Some(replay) = reading.await? {
            return Ok(replay);
        }
    }
    let invitation = new.invitation;
    let draft = Draft {
        username: new.username,
        email: new.email,
        phone: new.phone,
        name: new.name,
        avatar_url: None,
        profile: new.profile,
        custom_data: None,
        password: Some(new.password),
        must_change_password: false,
        email_verified: false,
        phone_verified: false,
        created_via: CreatedVia::Registration,
    };
    let row = prepare(&op, draft).await?;
    let mut change = op.begin_public().await?;
    change.authorize(Resource::Directory)?;
    if let Some(replay) = attempt.claim(&op, &change).await? {
        return Ok(replay);
    }
    let claimed = match &invitation {
        Some(token) => Some(invitations::claim(&op, change.conn(), token.as_str(), email.as_deref()).await?),
        None => None,
    };
    insert(change.conn(), &row).await?;
    if let Some(claimed) = claimed {
        let user = Joining { id: row.id, email: row.email.as_deref(), email_verified: row.email_verified };
        invitations::join(&op, &change, user, claimed).await?;
    }
    answer(op, change, attempt, row.id, UserView::Own).await
}

/// Checks what can be checked without the database, and hashes the password.
async fn prepare(op: &Operation, draft: Draft) -> AppResult<NewUser> {
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

/// Inserts a user and what every user has, but for the role in the default group.
async fn insert(conn: &Conn, row: &NewUser) -> AppResult<()> {
    users::insert(conn, row).await?;
    let joined = groups::add_member(conn, seed::PUBLIC, row.id, row.created_at);
    futures::try_join!(joined, roles::grant_defaults(conn, row.id, row.created_at))?;
    Ok(())
}

/// Gives an inserted user the role in the default group; returns the user's record.
async fn finish(conn: &Conn, id: Uuid) -> Result<UserRecord, StoreError> {
    let role = groups::add_roles(conn, seed::PUBLIC, id, &[seed::MEMBER]);
    // The record shows no roles in groups, so the two may go together.
    let (record, ()) = futures::try_join!(users::find(conn, UserKey::Id(id)), role)?;
    record.ok_or_else(|| StoreError::Defect("a new user is not there".to_owned()))
}

async fn answer(
    op: Arc<Operation>,
    change: crate::operation::Change,
    attempt: Attempt,
    id: Uuid,
    view: UserView,
) -> AppResult<Created<User>> {
    let (record, recorded) = change.record(finish(change.conn(), id), Target::User(id), json!({})).await?;
    let location = format!("/v1/users/{id}");
    let user = views::user_in(view, record, op.now());
    let shown = Representation::of_user(user.clone())?;
    attempt.keep(&op, &change, id, &location, shown.tag(), &user).await?;
    change.commit_recorded(recorded).await?;
    Ok(shown.reply().located(&location))
}

/// The first administrator, and every one that the command line makes; gives the username as it is kept.
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
