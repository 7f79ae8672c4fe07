//! The profile: the standard claims of OpenID Connect Core 1.0, section 5.1, that are not identifiers. All of them are
//! optional text.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::nullable::{Nullable, optional_object, present, present_object};
use super::text::{AddressText, ProfileText, WebUrl};

/// A user's profile. Fields without a value are omitted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Profile {
    /// Given name or names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_name: Option<String>,
    /// Surname or surnames.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family_name: Option<String>,
    /// Middle name or names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub middle_name: Option<String>,
    /// Casual name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nickname: Option<String>,
    /// The name that the person likes to be called by. Not unique, and not used to sign in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preferred_username: Option<String>,
    /// URL of the profile page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// URL of the web site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub website: Option<String>,
    /// Gender, in the person's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gender: Option<String>,
    /// Date of birth, preferably YYYY-MM-DD.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub birthdate: Option<String>,
    /// Time zone, preferably a name from the IANA time zone database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zoneinfo: Option<String>,
    /// Language, preferably a BCP 47 tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// Postal address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
}

/// A postal address (OpenID Connect Core 1.0, section 5.1.1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Address {
    /// The full address, formatted as on a letter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub formatted: Option<String>,
    /// Street, house number, box.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub street_address: Option<String>,
    /// City.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locality: Option<String>,
    /// State, province or region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Postal code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// Country.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
}

/// The profile of a new user.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProfileInput {
    /// Given name or names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_name: Option<ProfileText>,
    /// Surname or surnames.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family_name: Option<ProfileText>,
    /// Middle name or names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub middle_name: Option<ProfileText>,
    /// Casual name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nickname: Option<ProfileText>,
    /// The name that the person likes to be called by. Not unique, and not used to sign in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preferred_username: Option<ProfileText>,
    /// URL of the profile page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<WebUrl>,
    /// URL of the web site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub website: Option<WebUrl>,
    /// Gender, in the person's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gender: Option<ProfileText>,
    /// Date of birth, preferably YYYY-MM-DD.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub birthdate: Option<ProfileText>,
    /// Time zone, preferably a name from the IANA time zone database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zoneinfo: Option<ProfileText>,
    /// Language, preferably a BCP 47 tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<ProfileText>,
    /// Postal address.
    #[serde(default, deserialize_with = "optional_object", skip_serializing_if = "Option::is_none")]
    pub address: Option<AddressInput>,
}

/// The postal address of a new user.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddressInput {
    /// The full address, formatted as on a letter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub formatted: Option<AddressText>,
    /// Street, house number, box.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub street_address: Option<AddressText>,
    /// City.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locality: Option<AddressText>,
    /// State, province or region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<AddressText>,
    /// Postal code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<AddressText>,
    /// Country.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<AddressText>,
}

/// Changes to a profile (RFC 7396): an absent field keeps its value, `null` clears it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProfileUpdate {
    /// Given name or names.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Nullable<ProfileText>")]
    pub given_name: Option<Nullable<ProfileText>>,
    /// Surname or surnames.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Nullable<ProfileText>")]
    pub family_name: Option<Nullable<ProfileText>>,
    /// Middle name or names.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Nullable<ProfileText>")]
    pub middle_name: Option<Nullable<ProfileText>>,
    /// Casual name.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Nullable<ProfileText>")]
    pub nickname: Option<Nullable<ProfileText>>,
    /// The name that the person likes to be called by. Not unique, and not used to sign in.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Nullable<ProfileText>")]
    pub preferred_username: Option<Nullable<ProfileText>>,
    /// URL of the profile page.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Nullable<WebUrl>")]
    pub profile: Option<Nullable<WebUrl>>,
    /// URL of the web site.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Nullable<WebUrl>")]
    pub website: Option<Nullable<WebUrl>>,
    /// Gender, in the person's own words.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Nullable<ProfileText>")]
    pub gender: Option<Nullable<ProfileText>>,
    /// Date of birth, preferably YYYY-MM-DD.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Nullable<ProfileText>")]
    pub birthdate: Option<Nullable<ProfileText>>,
    /// Time zone, preferably a name from the IANA time zone database.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Nullable<ProfileText>")]
    pub zoneinfo: Option<Nullable<ProfileText>>,
    /// Language, preferably a BCP 47 tag.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Nullable<ProfileText>")]
    pub locale: Option<Nullable<ProfileText>>,
    /// Postal address.
    #[serde(default, deserialize_with = "present_object", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Nullable<AddressUpdate>")]
    pub address: Option<Nullable<AddressUpdate>>,
}

/// Changes to a postal address (RFC 7396): an absent field keeps its value, `null` clears it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddressUpdate {
    /// The full address, formatted as on a letter.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Nullable<AddressText>")]
    pub formatted: Option<Nullable<AddressText>>,
    /// Street, house number, box.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Nullable<AddressText>")]
    pub street_address: Option<Nullable<AddressText>>,
    /// City.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Nullable<AddressText>")]
    pub locality: Option<Nullable<AddressText>>,
    /// State, province or region.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Nullable<AddressText>")]
    pub region: Option<Nullable<AddressText>>,
    /// Postal code.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Nullable<AddressText>")]
    pub postal_code: Option<Nullable<AddressText>>,
    /// Country.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Nullable<AddressText>")]
    pub country: Option<Nullable<AddressText>>,
}
