//! Users: the record, the three views of it, and what may be changed.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use schemars::r#gen::SchemaGenerator;
use schemars::schema::{InstanceType, Metadata, ObjectValidation, Schema, SchemaObject};
use serde::{Deserialize, Deserializer, Serialize};

use super::find::{FilterText, SearchText, SortText, TotalKind};
use super::id::UserId;
use super::nullable::{Nullable, optional_object, present, present_object};
use super::open_enum;
use super::page::{Page, PageLimit, PageToken};
use super::profile::{Profile, ProfileInput, ProfileUpdate};
use super::reference::{GroupRef, RoleRef};
use super::secret::{NewPassword, PasswordAttempt};
use super::text::{Description, DisplayName, Email, Phone, Username, WebUrl};
use super::time::TimeInput;

/// The most bytes that `custom_data` or `preferences` may have as compact JSON.
pub const DOCUMENT_MAX: usize = 16 * 1024;
/// How deep `custom_data` or `preferences` may be nested.
pub const DOCUMENT_DEPTH_MAX: usize = 16;

/// How much of a user an answer shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum UserView {
    /// What any signed-in person sees of another.
    Card,
    /// One's own record.
    Own,
    /// The record as holders of `users:read` see it.
    Full,
}

impl UserView {
    /// The value on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Card => "card",
            Self::Own => "own",
            Self::Full => "full",
        }
    }
}

impl JsonSchema for UserView {
    fn schema_name() -> String {
        "UserView".to_owned()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let known = [
            ("card", "id, username, name and avatar_url only, as any signed-in person sees another"),
            ("own", "one's own record, with every field that has a value"),
            ("full", "every field that has a value, as holders of `users:read` see it"),
        ];
        open_enum::schema(generator, "The part of the user that the response shows.", &known)
    }
}

/// How an account came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CreatedVia {
    /// The first administrator, made by the server's command line.
    Bootstrap,
    /// Made by somebody with `users:write`.
    Admin,
    /// Registered by the person.
    Registration,
}

impl CreatedVia {
    /// The value on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bootstrap => "bootstrap",
            Self::Admin => "admin",
            Self::Registration => "registration",
        }
    }

    /// The reverse of [`Self::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Bootstrap, Self::Admin, Self::Registration].into_iter().find(|via| via.as_str() == text)
    }
}

impl JsonSchema for CreatedVia {
    fn schema_name() -> String {
        "CreatedVia".to_owned()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let known = [
            ("bootstrap", "the first administrator, created by the server or its command line"),
            ("admin", "created by a holder of `users:write`"),
            ("registration", "registered by the person"),
        ];
        open_enum::schema(generator, "The way in which the account was created.", &known)
    }
}

/// A JSON object of the applications' own making.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct JsonObject(pub serde_json::Map<String, serde_json::Value>);

impl<'de> Deserialize<'de> for JsonObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde_json::Map::deserialize(deserializer).map(Self)
    }
}

impl JsonSchema for JsonObject {
    fn schema_name() -> String {
        "JsonObject".to_owned()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        SchemaObject {
            metadata: Some(Box::new(Metadata {
                description: Some(format!(
                    "A JSON object of the applications' own making: at most {DOCUMENT_MAX} bytes as compact JSON and \
                     {DOCUMENT_DEPTH_MAX} levels deep; strings and names without the NUL character."
                )),
                ..Default::default()
            })),
            instance_type: Some(InstanceType::Object.into()),
            object: Some(Box::new(ObjectValidation {
                additional_properties: Some(Box::new(Schema::Bool(true))),
                ..Default::default()
            })),
            ..Default::default()
        }
        .into()
    }
}

/// What applications keep with a user.
pub type CustomData = JsonObject;
/// What the user's own programs keep with the user.
pub type Preferences = JsonObject;

/// A person, or a machine that signs in like one. Fields without a value, and fields that this view does not
/// show, are left out.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct User {
    /// The user's id.
    pub id: UserId,
    /// How much of the user this answer shows.
    pub view: UserView,
    /// Sign-in name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Name as people read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// URL of a picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub avatar_url: Option<String>,
    /// E-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Whether somebody proved to receive mail at `email`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_verified: Option<bool>,
    /// Telephone number, E.164.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Whether somebody proved to own `phone`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_verified: Option<bool>,
    /// What people tell about themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<Profile>,
    /// What applications keep with the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_data: Option<CustomData>,
    /// Names of the roles that the user holds globally, in alphabetical order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roles: Option<Vec<String>>,
    /// Slugs of the groups that the user is a member of, in alphabetical order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<Vec<String>>,
    /// Whether the account is barred from signing in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suspended: Option<bool>,
    /// Why the account is suspended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suspended_reason: Option<String>,
    /// When the suspension ends by itself. From then on the account is not suspended, and this is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suspended_until: Option<DateTime<Utc>>,
    /// Whether the user holds the role `administrator`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_superuser: Option<bool>,
    /// Whether the user holds any permission of Rollcall's own, globally.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_staff: Option<bool>,
    /// Whether the account has a password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub has_password: Option<bool>,
    /// When the password was last set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_changed_at: Option<DateTime<Utc>>,
    /// When the password expires or expired; absent where it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_expires_at: Option<DateTime<Utc>>,
    /// How the account came to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_via: Option<CreatedVia>,
    /// When the account was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<DateTime<Utc>>,
    /// When one of the account's own fields was last changed. Roles, memberships, preferences and sign-ins don't count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<DateTime<Utc>>,
    /// When the user last signed in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_sign_in_at: Option<DateTime<Utc>>,
}

/// One page of users.
pub type UserPage = Page<User>;

/// A new user. At least one of `username`, `email` and `phone` is needed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UserCreate {
    /// Sign-in name.
    #[serde(default)]
    pub username: Option<Username>,
    /// E-mail address.
    #[serde(default)]
    pub email: Option<Email>,
    /// Telephone number, E.164.
    #[serde(default)]
    pub phone: Option<Phone>,
    /// Name as people read it.
    #[serde(default)]
    pub name: Option<DisplayName>,
    /// URL of a picture.
    #[serde(default)]
    pub avatar_url: Option<WebUrl>,
    /// First password. Without one the user can't sign in until one is set.
    #[serde(default)]
    pub password: Option<NewPassword>,
    /// Whether the first password must be changed before the first sign-in; `false` by default.
    #[serde(default)]
    pub must_change_password: bool,
    /// Whether somebody proved to receive mail at `email`; `false` by default.
    #[serde(default)]
    pub email_verified: bool,
    /// Whether somebody proved to own `phone`; `false` by default.
    #[serde(default)]
    pub phone_verified: bool,
    /// What the person tells about themselves.
    #[serde(default, deserialize_with = "optional_object")]
    pub profile: Option<ProfileInput>,
    /// What applications keep with the user.
    #[serde(default)]
    pub custom_data: Option<CustomData>,
}

/// Changes of a user, as JSON Merge Patch (RFC 7396): an absent field keeps its value, `null` clears it. Users change
/// their own `name`, `avatar_url`, `profile`, `username`, `email` and `phone`; holders of `users:write` those of anybody.
/// `custom_data` has an operation of its own. Nobody sets `email_verified` and `phone_verified` for themselves: they are for
/// holders of `users:write` to set for others.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UserUpdate {
    /// Sign-in name.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Nullable<Username>")]
    pub username: Option<Nullable<Username>>,
    /// E-mail address. A changed address is unverified, unless `email_verified` comes with it.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Nullable<Email>")]
    pub email: Option<Nullable<Email>>,
    /// Telephone number, E.164. A changed number is unverified, unless `phone_verified` comes with it.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Nullable<Phone>")]
    pub phone: Option<Nullable<Phone>>,
    /// Whether somebody proved to receive mail at `email`. Send the address in the same request, or `If-Match`: the user may
    /// have changed it since it was proved.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "bool")]
    pub email_verified: Option<bool>,
    /// Whether somebody proved to own `phone`. Send the number in the same request, or `If-Match`: the user may have changed
    /// it since it was proved.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "bool")]
    pub phone_verified: Option<bool>,
    /// Name as people read it.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Nullable<DisplayName>")]
    pub name: Option<Nullable<DisplayName>>,
    /// URL of a picture.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Nullable<WebUrl>")]
    pub avatar_url: Option<Nullable<WebUrl>>,
    /// What people tell about themselves, merged field by field.
    #[serde(default, deserialize_with = "present_object")]
    #[schemars(with = "Nullable<ProfileUpdate>")]
    pub profile: Option<Nullable<ProfileUpdate>>,
}

/// Bars a user from signing in.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UserSuspend {
    /// Why.
    #[serde(default)]
    pub reason: Option<Description>,
    /// When the suspension ends by itself (RFC 3339; a date such as `2026-01-31` means its midnight in UTC); it must be in
    /// the future. Without it, `user_reactivate` ends it.
    #[serde(default)]
    pub until: Option<TimeInput>,
}

/// Which users to list.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UserListQuery {
    /// Only members of this group: an id or `@slug`.
    #[serde(default)]
    pub group: Option<GroupRef>,
    /// Only users who are no members of this group: an id or `@slug`.
    #[serde(default)]
    pub not_group: Option<GroupRef>,
    /// Only holders of this global role: an id or `@name`. Needs `users:read`.
    #[serde(default)]
    pub role: Option<RoleRef>,
    /// Only users who don't hold this global role: an id or `@name`. Needs `users:read`.
    #[serde(default)]
    pub not_role: Option<RoleRef>,
    /// A search, as people type it into a search bar: words that must all be there, `field:value` with `*` and `?`, `-`
    /// for what must not.
    #[serde(default)]
    pub q: Option<SearchText>,
    /// A filter, as programs write it: SCIM's language (RFC 7644, section 3.4.2.2), or JSON Logic where it begins with
    /// `{`.
    #[serde(default)]
    pub filter: Option<FilterText>,
    /// The order: up to three fields separated by commas, `-` before those that descend. What has no value comes last;
    /// the id decides between equals.
    #[serde(default)]
    pub sort: Option<SortText>,
    /// Whether the answer says how many there are in all.
    #[serde(default)]
    pub total: Option<TotalKind>,
    /// How many items the page may have: 1 to 200, 50 by default.
    #[serde(default)]
    pub limit: Option<PageLimit>,
    /// Where to go on: the `next_page` of the page before. Bound to the operation, its other parameters and what the
    /// caller may see; an edited or foreign one is a 400.
    #[serde(default)]
    pub page_token: Option<PageToken>,
}

/// A password that an administrator sets.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UserPasswordSet {
    /// The new password.
    pub password: NewPassword,
    /// Whether the user must change it before the next sign-in; `false` by default.
    #[serde(default)]
    pub must_change: bool,
}

/// A password to check for somebody else.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UserPasswordVerify {
    /// What the user typed.
    pub password: PasswordAttempt,
}

/// A password that its user changes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UserPasswordChange {
    /// The password so far.
    pub current_password: PasswordAttempt,
    /// The new password.
    pub new_password: NewPassword,
}
