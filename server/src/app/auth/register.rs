//! Registration: an account that the person creates.

use std::sync::Arc;

use rollcall_api::error;
use rollcall_api::extract::{IdempotencyKey, JsonBody};
use rollcall_api::reply::Created;
use rollcall_api::types::{CreatedVia, Register, User, UserView, fold};
use rollcall_policy::Resource;

use crate::app::groups::invitations;
use crate::app::groups::invitations::Joining;
use crate::config::RegistrationMode;
use crate::credentials::throttle;
use crate::error::{AppResult, reject};
use crate::idempotency::{Attempt, Made};
use crate::operation::Operation;

use crate::app::users::create::{Draft, created_response, insert, prepare};

/// Registers a new user.
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
    // Without a valid invitation, nobody can make the server hash or learn taken names.
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
    created_response(op, change, attempt, row.id, UserView::Own).await
}
