//! The table `users` and the view that user records are read from.

use chrono::{DateTime, Utc};
use diesel::dsl::{auto_type, exists, not};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use rollcall_api::types::{NameKey, fold};
use rollcall_query::fields::UserField;
use serde_json::Value;
use uuid::Uuid;

use crate::cached::Cache;
use crate::derived::{UserColumns, UserNames};
use crate::error::{StoreError, StoreResult};
use crate::find::{self, Find, Position, Rows, Total};
use crate::schema::{deleted_users, group_members, sessions, user_records, user_roles, users};
use crate::sorted::Sorted;

/// A user's fields as responses present them.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = user_records, check_for_backend(Pg))]
pub struct UserRecord {
    pub id: Uuid,
    pub username: Option<String>,
    pub email: Option<String>,
    pub email_verified: bool,
    pub phone: Option<String>,
    pub phone_verified: bool,
    pub name: Option<String>,
    pub avatar_url: Option<String>,
    pub profile: Value,
    pub custom_data: Value,
    pub suspended: bool,
    pub suspended_reason: Option<String>,
    pub suspended_until: Option<DateTime<Utc>>,
    pub has_password: bool,
    pub password_changed_at: Option<DateTime<Utc>>,
    pub password_expires_at: Option<DateTime<Utc>>,
    pub created_via: String,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub last_sign_in_at: Option<DateTime<Utc>>,
    #[diesel(deserialize_as = Sorted)]
    pub roles: Vec<String>,
    #[diesel(deserialize_as = Sorted)]
    pub groups: Vec<String>,
    pub is_staff: bool,
}

/// Identifies a user.
#[derive(Clone, Copy, Debug)]
pub enum UserKey<'a> {
    /// By id.
    Id(Uuid),
    /// By username.
    Name(&'a NameKey),
    /// As the owner of the session with this token hash: the caller, resolved in the same round trip as the
    /// credential.
    Session(&'a [u8]),
}

/// Loads a user.
pub async fn find(mut conn: &AsyncPgConnection, key: UserKey<'_>) -> StoreResult<Option<UserRecord>> {
    let record = match key {
        UserKey::Id(id) => {
            let query = user_records::table.filter(user_records::id.eq(id));
            query.select(UserRecord::as_select()).get_result(&mut conn).await
        }
        UserKey::Name(name) => {
            let query = user_records::table.filter(user_records::username_folded.eq_any(name.forms()));
            let query = query.order(user_records::username_folded.eq(&name.folded)).limit(1);
            query.select(UserRecord::as_select()).get_result(&mut conn).await
        }
        UserKey::Session(hash) => {
            let owner = sessions::table.filter(sessions::token_hash.eq(hash)).select(sessions::user_id);
            let query = user_records::table.filter(user_records::id.nullable().eq(owner.single_value()));
            query.select(UserRecord::as_select()).get_result(&mut conn).await
        }
    };
    Ok(record.optional()?)
}

/// A user's preferences. They are not part of the record: only the user sees them, and lists need not carry
/// them.
pub async fn preferences(mut conn: &AsyncPgConnection, id: Uuid) -> StoreResult<Option<Value>> {
    let query = users::table.filter(users::id.eq(id)).select(users::preferences);
    Ok(query.get_result(&mut conn).await.optional()?)
}

/// Loads a user and locks the row until the transaction ends.
pub async fn lock(conn: &AsyncPgConnection, key: UserKey<'_>) -> StoreResult<Option<UserRecord>> {
    match lock_id(conn, key).await? {
        Some(id) => find(conn, UserKey::Id(id)).await,
        None => Ok(None),
    }
}

/// Locks a user's row without loading the record; later reads in the transaction see a stable state.
pub async fn lock_id(mut conn: &AsyncPgConnection, key: UserKey<'_>) -> StoreResult<Option<Uuid>> {
    let lock = users::table.select(users::id).for_no_key_update();
    let id = match key {
        UserKey::Id(id) => lock.filter(users::id.eq(id)).get_result(&mut conn).await,
        UserKey::Name(name) => {
            let query = lock.filter(users::username_folded.eq_any(name.forms()));
            query.order(users::username_folded.eq(&name.folded)).limit(1).get_result(&mut conn).await
        }
        UserKey::Session(hash) => {
            let owner = sessions::table.filter(sessions::token_hash.eq(hash)).select(sessions::user_id);
            lock.filter(users::id.nullable().eq(owner.single_value())).get_result(&mut conn).await
        }
    };
    Ok(id.optional()?)
}

/// Restrictions on the users of a list, applied beside the caller's own filter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UserFilter {
    /// Only members of this group.
    pub group: Option<Uuid>,
    /// Only users who are not members of this group.
    pub not_group: Option<Uuid>,
    /// Only holders of this role.
    pub role: Option<Uuid>,
    /// Only users who do not hold this role.
    pub not_role: Option<Uuid>,
}

/// Users that match `filter` and the caller's query, up to the page's limit.
pub async fn list(
    mut conn: &AsyncPgConnection,
    filter: UserFilter,
    find: &Find<UserField>,
    limit: i64,
) -> StoreResult<Vec<(UserRecord, Position)>> {
    let mut rows = Rows::new(limit);
    for phase in find.resolve_names(conn).await?.phases()? {
        if rows.wanted() > 0 {
            let query = base_query(filter).filter(phase.condition).order(phase.order).limit(rows.wanted());
            let query = query.select((UserRecord::as_select(), phase.keys));
            rows.add(query.load(&mut conn).await?, |record: &UserRecord| record.id);
        }
    }
    Ok(rows.all())
}

/// Number of matching users.
pub async fn count(
    mut conn: &AsyncPgConnection,
    filter: UserFilter,
    find: &Find<UserField>,
    how: Total,
) -> StoreResult<i64> {
    let query = base_query(filter).filter(find.resolve_names(conn).await?.count_condition(how));
    match how {
        Total::Exact => Ok(query.count().get_result(&mut conn).await?),
        Total::Estimate => find::estimate(conn, query.select(user_records::id)).await,
    }
}

fn base_query(filter: UserFilter) -> user_records::BoxedQuery<'static, Pg> {
    let in_group = |group: Uuid| {
        exists(
            group_members::table
                .filter(group_members::user_id.eq(user_records::id))
                .filter(group_members::group_id.eq(group)),
        )
    };
    let in_role = |role: Uuid| {
        exists(
            user_roles::table
                .filter(user_roles::user_id.eq(user_records::id))
                .filter(user_roles::role_id.eq(role)),
        )
    };
    let mut query = user_records::table.into_boxed();
    if let Some(group) = filter.group {
        query = query.filter(in_group(group));
    }
    if let Some(group) = filter.not_group {
        query = query.filter(not(in_group(group)));
    }
    if let Some(role) = filter.role {
        query = query.filter(in_role(role));
    }
    if let Some(role) = filter.not_role {
        query = query.filter(not(in_role(role)));
    }
    query
}

/// A user to insert.
#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = users, treat_none_as_default_value = false)]
pub struct NewUser {
    pub id: Uuid,
    pub username: Option<String>,
    pub username_folded: Option<String>,
    pub email: Option<String>,
    pub email_folded: Option<String>,
    pub phone: Option<String>,
    pub name: Option<String>,
    pub avatar_url: Option<String>,
    pub email_verified: bool,
    pub phone_verified: bool,
    pub profile: Value,
    pub custom_data: Value,
    pub password_hash: Option<String>,
    pub password_changed_at: Option<DateTime<Utc>>,
    pub password_expires_at: Option<DateTime<Utc>>,
    pub created_via: &'static str,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// Inserts a user.
pub async fn insert(mut conn: &AsyncPgConnection, user: &NewUser) -> StoreResult<()> {
    let derived = UserColumns::of(&UserNames {
        username_folded: user.username_folded.clone(),
        email_folded: user.email_folded.clone(),
        phone: user.phone.clone(),
        name: user.name.clone(),
        profile: user.profile.clone(),
    });
    diesel::insert_into(users::table).values((user, derived)).execute(&mut conn).await?;
    Ok(())
}

/// Changes to a user: `None` keeps a value, `Some(None)` clears it.
#[derive(Clone, Debug, Default, AsChangeset)]
#[diesel(table_name = users)]
pub struct UserChanges {
    pub username: Option<Option<String>>,
    pub username_folded: Option<Option<String>>,
    pub email: Option<Option<String>>,
    pub email_folded: Option<Option<String>>,
    pub email_verified: Option<bool>,
    pub phone: Option<Option<String>>,
    pub phone_verified: Option<bool>,
    pub name: Option<Option<String>>,
    pub avatar_url: Option<Option<String>>,
    pub profile: Option<Value>,
    pub suspended: Option<bool>,
    pub suspended_reason: Option<Option<String>>,
    pub suspended_until: Option<Option<DateTime<Utc>>>,
    pub password_hash: Option<Option<String>>,
    pub password_changed_at: Option<Option<DateTime<Utc>>>,
    pub password_expires_at: Option<Option<DateTime<Utc>>>,
    /// Time up to which the user's sent invitations are void.
    pub invitations_void_before: Option<Option<DateTime<Utc>>>,
}

/// Updates a user whose row the caller has locked and read; returns the updated record.
pub async fn update(
    conn: &AsyncPgConnection,
    before: UserRecord,
    changes: UserChanges,
    now: DateTime<Utc>,
) -> StoreResult<UserRecord> {
    let derived = changes.named().then(|| UserColumns::of(&changes.names(UserNames::of(&before))));
    Ok(set(conn, before.id, changes, derived, now).await?.record(before))
}

/// Updates a user whose row the caller has locked, except for names.
pub async fn update_state(
    conn: &AsyncPgConnection,
    id: Uuid,
    changes: UserChanges,
    now: DateTime<Utc>,
) -> StoreResult<()> {
    if changes.named() {
        return Err(StoreError::Defect("a name was changed without what is derived from it".to_owned()));
    }
    set(conn, id, changes, None, now).await?;
    Ok(())
}

async fn set(
    mut conn: &AsyncPgConnection,
    id: Uuid,
    changes: UserChanges,
    derived: Option<UserColumns>,
    now: DateTime<Utc>,
) -> StoreResult<UserRow> {
    let query = diesel::update(users::table.find(id))
        .set((changes, derived, users::updated_at.eq(now)))
        .returning(UserRow::as_returning());
    Ok(query.cached().get_result(&mut conn).await?)
}

/// The columns of a user's own row that an update may change.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = users, check_for_backend(Pg))]
struct UserRow {
    username: Option<String>,
    email: Option<String>,
    email_verified: bool,
    phone: Option<String>,
    phone_verified: bool,
    name: Option<String>,
    avatar_url: Option<String>,
    profile: Value,
    suspended: bool,
    suspended_reason: Option<String>,
    suspended_until: Option<DateTime<Utc>>,
    password_hash: Option<String>,
    password_changed_at: Option<DateTime<Utc>>,
    password_expires_at: Option<DateTime<Utc>>,
    updated_at: DateTime<Utc>,
}

impl UserRow {
    /// The record `before` with the values of these columns.
    fn record(self, before: UserRecord) -> UserRecord {
        UserRecord {
            username: self.username,
            email: self.email,
            email_verified: self.email_verified,
            phone: self.phone,
            phone_verified: self.phone_verified,
            name: self.name,
            avatar_url: self.avatar_url,
            profile: self.profile,
            suspended: self.suspended,
            suspended_reason: self.suspended_reason,
            suspended_until: self.suspended_until,
            has_password: self.password_hash.is_some(),
            password_changed_at: self.password_changed_at,
            password_expires_at: self.password_expires_at,
            updated_at: self.updated_at,
            ..before
        }
    }
}

impl UserNames {
    fn of(record: &UserRecord) -> Self {
        Self {
            username_folded: record.username.as_deref().map(fold),
            email_folded: record.email.as_deref().map(fold),
            phone: record.phone.clone(),
            name: record.name.clone(),
            profile: record.profile.clone(),
        }
    }
}

impl UserChanges {
    /// True if the changes include a name.
    fn named(&self) -> bool {
        let Self { username_folded, email_folded, phone, name, profile, .. } = self;
        [username_folded, email_folded, phone, name].iter().any(|change| change.is_some())
            || profile.is_some()
    }

    /// The user's names after the changes.
    fn names(&self, before: UserNames) -> UserNames {
        let after = |change: &Option<Option<String>>, before| change.clone().unwrap_or(before);
        UserNames {
            username_folded: after(&self.username_folded, before.username_folded),
            email_folded: after(&self.email_folded, before.email_folded),
            phone: after(&self.phone, before.phone),
            name: after(&self.name, before.name),
            profile: self.profile.clone().unwrap_or(before.profile),
        }
    }
}

/// Replaces the custom data of a user whose row the caller has locked; returns it as later reads see it.
pub async fn set_custom_data(
    mut conn: &AsyncPgConnection,
    id: Uuid,
    whole: &Value,
    now: DateTime<Utc>,
) -> StoreResult<Value> {
    let query = diesel::update(users::table.find(id))
        .set((users::custom_data.eq(whole), users::updated_at.eq(now)))
        .returning(users::custom_data);
    Ok(query.cached().get_result(&mut conn).await?)
}

/// Replaces the preferences of a user whose row the caller has locked. They are not part of the record, and
/// do not update its `updated_at`.
pub async fn set_preferences(mut conn: &AsyncPgConnection, id: Uuid, whole: &Value) -> StoreResult<Value> {
    let query =
        diesel::update(users::table.find(id)).set(users::preferences.eq(whole)).returning(users::preferences);
    Ok(query.cached().get_result(&mut conn).await?)
}

/// Records a sign-in of a user whose row the caller has locked, and stores a rehashed password if there is
/// one. Neither counts as a change of the record.
pub async fn signed_in(
    mut conn: &AsyncPgConnection,
    id: Uuid,
    upgraded_hash: Option<String>,
    now: DateTime<Utc>,
) -> StoreResult<()> {
    let upgrade = upgraded_hash.map(|hash| users::password_hash.eq(hash));
    diesel::update(users::table.find(id))
        .set((users::last_sign_in_at.eq(now), upgrade))
        .cached()
        .execute(&mut conn)
        .await?;
    Ok(())
}

/// Deletes a user whose row the caller has locked and leaves a tombstone. Sessions, roles and memberships are
/// deleted with the row; references to the user elsewhere, and invitations to their address, are left to
/// [`crate::erase`].
pub async fn delete(mut conn: &AsyncPgConnection, id: Uuid, now: DateTime<Utc>) -> StoreResult<()> {
    let address: Option<String> =
        diesel::delete(users::table.find(id)).returning(users::email_folded).get_result(&mut conn).await?;
    diesel::insert_into(deleted_users::table)
        .values((
            deleted_users::id.eq(id),
            deleted_users::deleted_at.eq(now),
            deleted_users::erased.eq(false),
            deleted_users::email_folded.eq(address),
        ))
        .execute(&mut conn)
        .await?;
    Ok(())
}

/// Locks a user against deletion until the transaction ends, for a row that is about to reference them.
pub(crate) async fn keep(mut conn: &AsyncPgConnection, id: Uuid) -> StoreResult<()> {
    let kept = users::table.find(id).select(users::id).for_key_share();
    match kept.get_result::<Uuid>(&mut conn).await.optional()? {
        Some(_) => Ok(()),
        None => Err(StoreError::Collision),
    }
}

/// Condition that a user can sign in: not suspended, and with a password.
#[auto_type(no_type_alias)]
pub(crate) fn can_sign_in(now: DateTime<Utc>) -> _ {
    let free: users::suspended = users::suspended;
    let until: users::suspended_until = users::suspended_until;
    free.eq(false).or(until.le(now).assume_not_null()).and(users::password_hash.is_not_null())
}

/// True if at least one user exists.
pub async fn any(mut conn: &AsyncPgConnection) -> StoreResult<bool> {
    Ok(diesel::select(exists(users::table.select(users::id))).get_result(&mut conn).await?)
}
