//! Users: the record, its three views, and the bodies that create and change it.

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

/// Maximum size of `custom_data` or `preferences` as compact JSON, in bytes.
pub const DOCUMENT_MAX: usize = 16 * 1024;
/// Maximum nesting depth of `custom_data` or `preferences`.
pub const DOCUMENT_DEPTH_MAX: usize = 16;

/// The part of a user that a response shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum UserView {
    /// The fields that any signed-in user sees of others.
    Card,
    /// The caller's own record.
    Own,
    /// The full record, for holders of `users:read`.
    Full,
}

impl UserView {
    /// Value in JSON.
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

/// The way in which an account was created.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CreatedVia {
    /// The first administrator, created by the server or its command line.
    Bootstrap,
    /// Created by a holder of `users:write`.
    Admin,
    /// Registered by the person themselves.
    Registration,
}

impl CreatedVia {
    /// Value in JSON and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bootstrap => "bootstrap",
            Self::Admin => "admin",
            Self::Registration => "registration",
        }
    }

    /// Parses a value of [`Self::as_str`].
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

/// An arbitrary JSON object, limited in size and depth.
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
                    "An arbitrary JSON object kept for your applications: at most {DOCUMENT_MAX} bytes as compact JSON and \
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

/// The JSON object that applications store with a user or a group.
pub type CustomData = JsonObject;
/// The JSON object that a user's own programs store with the user.
pub type Preferences = JsonObject;

/// A person, or a machine that signs in like one. Fields without a value, and fields that the view doesn't include, are
/// omitted.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct User {
    /// The user's id.
    pub id: UserId,
    /// The part of the user that the response shows.
    pub view: UserView,
    /// Sign-in name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Display name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// URL of a picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub avatar_url: Option<String>,
    /// E-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// True if somebody has proved that mail to `email` reaches the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_verified: Option<bool>,
    /// Telephone number, E.164.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// True if somebody has proved that `phone` belongs to the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_verified: Option<bool>,
    /// The user's profile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<Profile>,
    /// JSON object that applications store with the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_data: Option<CustomData>,
    /// Names of the roles that the user holds globally, in alphabetical order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roles: Option<Vec<String>>,
    /// Slugs of the groups that the user is a member of, in alphabetical order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<Vec<String>>,
    /// True if the user is suspended and can't sign in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suspended: Option<bool>,
    /// Reason of the suspension.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suspended_reason: Option<String>,
    /// Time when the suspension ends by itself. From then on the user is not suspended, and this field is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suspended_until: Option<DateTime<Utc>>,
    /// True if the user holds the role `administrator`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_superuser: Option<bool>,
    /// True if the user globally holds any of Rollcall's own permissions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_staff: Option<bool>,
    /// True if the user has a password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub has_password: Option<bool>,
    /// Time when the password was last set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_changed_at: Option<DateTime<Utc>>,
    /// Time when the password expires or expired; absent if it doesn't expire.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_expires_at: Option<DateTime<Utc>>,
    /// The way in which the account was created.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_via: Option<CreatedVia>,
    /// Creation time of the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<DateTime<Utc>>,
    /// Time of the last change to the account's own fields. Roles, memberships, preferences and sign-ins don't count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<DateTime<Utc>>,
    /// Time of the last sign-in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_sign_in_at: Option<DateTime<Utc>>,
}

/// One page of users.
pub type UserPage = Page<User>;

/// A new user. At least one of `username`, `email` and `phone` is required.
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
    /// Display name.
    #[serde(default)]
    pub name: Option<DisplayName>,
    /// URL of a picture.
    #[serde(default)]
    pub avatar_url: Option<WebUrl>,
    /// Initial password. Without one, the user can't sign in until one is set.
    #[serde(default)]
    pub password: Option<NewPassword>,
    /// Require the user to change the password before the first sign-in; `false` by default.
    #[serde(default)]
    pub must_change_password: bool,
    /// Set to true if somebody has proved that mail to `email` reaches the user; `false` by default.
    #[serde(default)]
    pub email_verified: bool,
    /// Set to true if somebody has proved that `phone` belongs to the user; `false` by default.
    #[serde(default)]
    pub phone_verified: bool,
    /// The user's profile.
    #[serde(default, deserialize_with = "optional_object")]
    pub profile: Option<ProfileInput>,
    /// JSON object that applications store with the user.
    #[serde(default)]
    pub custom_data: Option<CustomData>,
}

/// Changes to a user, as JSON Merge Patch (RFC 7396): an absent field keeps its value, `null` clears it. Users may change
/// their own `name`, `avatar_url`, `profile`, `username`, `email` and `phone`; holders of `users:write` may change those of
/// every user. `custom_data` has its own operations. Nobody can set `email_verified` and `phone_verified` for themselves: only
/// holders of `users:write` can, for others.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UserUpdate {
    /// Sign-in name.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Nullable<Username>")]
    pub username: Option<Nullable<Username>>,
    /// E-mail address. A changed address is unverified, unless the request also sets `email_verified`.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Nullable<Email>")]
    pub email: Option<Nullable<Email>>,
    /// Telephone number, E.164. A changed number is unverified, unless the request also sets `phone_verified`.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Nullable<Phone>")]
    pub phone: Option<Nullable<Phone>>,
    /// Set to true if somebody has proved that mail to `email` reaches the user. Send the address in the same request, or
    /// `If-Match`: the user may have changed it since the proof.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "bool")]
    pub email_verified: Option<bool>,
    /// Set to true if somebody has proved that `phone` belongs to the user. Send the number in the same request, or
    /// `If-Match`: the user may have changed it since the proof.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "bool")]
    pub phone_verified: Option<bool>,
    /// Display name.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Nullable<DisplayName>")]
    pub name: Option<Nullable<DisplayName>>,
    /// URL of a picture.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Nullable<WebUrl>")]
    pub avatar_url: Option<Nullable<WebUrl>>,
    /// The user's profile, merged field by field.
    #[serde(default, deserialize_with = "present_object")]
    #[schemars(with = "Nullable<ProfileUpdate>")]
    pub profile: Option<Nullable<ProfileUpdate>>,
}

/// The reason and the end of a suspension.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UserSuspend {
    /// Reason of the suspension.
    #[serde(default)]
    pub reason: Option<Description>,
    /// Time when the suspension ends by itself (RFC 3339; a date such as `2026-01-31` means its midnight in UTC). Must be in
    /// the future. If absent, only `user_reactivate` ends the suspension.
    #[serde(default)]
    pub until: Option<TimeInput>,
}

/// The query of a list of users.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UserListQuery {
    /// Only members of this group: an id or `@slug`.
    #[serde(default)]
    pub group: Option<GroupRef>,
    /// Only users who are not members of this group: an id or `@slug`.
    #[serde(default)]
    pub not_group: Option<GroupRef>,
    /// Only holders of this global role: an id or `@name`. Needs `users:read`.
    #[serde(default)]
    pub role: Option<RoleRef>,
    /// Only users who don't hold this global role: an id or `@name`. Needs `users:read`.
    #[serde(default)]
    pub not_role: Option<RoleRef>,
    /// Search text, as typed into a search bar: words that must all match, `field:value` with `*` and `?`, and `-` before
    /// terms that must not match.
    #[serde(default)]
    pub q: Option<SearchText>,
    /// A filter expression for programs: SCIM filter syntax (RFC 7644, section 3.4.2.2), or JSON Logic if it begins with
    /// `{`.
    #[serde(default)]
    pub filter: Option<FilterText>,
    /// The sort order: up to three fields separated by commas, with `-` before a descending one. Missing values sort last;
    /// ties are broken by id.
    #[serde(default)]
    pub sort: Option<SortText>,
    /// Include the total number of matches in the response.
    #[serde(default)]
    pub total: Option<TotalKind>,
    /// The maximum number of items on the page: 1 to 200, 50 by default.
    #[serde(default)]
    pub limit: Option<PageLimit>,
    /// The `next_page` value of the previous page. Bound to the operation, its other parameters and what the caller may
    /// see; an edited or foreign token gets a 400.
    #[serde(default)]
    pub page_token: Option<PageToken>,
}

/// A password that an administrator sets for a user.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UserPasswordSet {
    /// The new password.
    pub password: NewPassword,
    /// Require the user to change the password before the next sign-in; `false` by default.
    #[serde(default)]
    pub must_change: bool,
}

/// A user's password to check.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UserPasswordVerify {
    /// The password that the user entered.
    pub password: PasswordAttempt,
}

/// A user's change of their own password.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UserPasswordChange {
    /// The current password.
    pub current_password: PasswordAttempt,
    /// The new password.
    pub new_password: NewPassword,
}
