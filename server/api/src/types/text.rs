//! Validated text in requests. Each kind of text has a rule, whose constants define both the check of lengths and the published
//! schema; `pattern()` and `accepts()` state the characters separately. Response types never use these types.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use schemars::JsonSchema;
use schemars::r#gen::SchemaGenerator;
use schemars::schema::{InstanceType, Metadata, Schema, SchemaObject, StringValidation};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use unicode_normalization::UnicodeNormalization;

use super::fold::{fold, is_invisible};
use super::username::{self, joins};

/// Length and characters of one kind of text.
pub trait TextRule: Send + Sync + 'static {
    /// The schema's name in the document.
    const NAME: &'static str;
    /// The schema's description in the document.
    const DESCRIPTION: &'static str;
    /// Minimum length, in code points.
    const MIN: u32 = 1;
    /// Maximum length, in code points.
    const MAX: u32;
    /// The `format` in the document.
    const FORMAT: Option<&'static str> = None;
    /// True if the text is converted to Unicode NFC; otherwise it is kept as sent.
    const COMPOSED: bool = true;
    /// Query parameter of this type, for its errors: errors of query strings don't name the parameter.
    const PARAMETER: Option<&'static str> = None;
    /// Completes the sentence "must …" of errors about characters or length; empty if all characters are allowed.
    const EXPECTED: &'static str;

    /// Returns the pattern of the published schema.
    fn pattern() -> Option<String>;

    /// Returns true if the characters are valid. Called after the check of the length.
    fn accepts(text: &str) -> bool;
}

/// Text that satisfies the rule `R`, in Unicode NFC unless [`TextRule::COMPOSED`] is false.
pub struct Text<R>(String, PhantomData<R>);

impl<R: TextRule> Text<R> {
    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the text without copying it.
    pub fn into_string(self) -> String {
        self.0
    }
}

impl<R: TextRule> TryFrom<String> for Text<R> {
    type Error = String;

    fn try_from(raw: String) -> Result<Self, String> {
        let text: String = if R::COMPOSED { raw.nfc().collect() } else { raw.clone() };
        let length = u32::try_from(raw.chars().count()).unwrap_or(u32::MAX);
        if length < R::MIN || length > R::MAX {
            let expected = if R::EXPECTED.is_empty() { "" } else { &format!("{}, and ", R::EXPECTED) };
            return Err(format!("must {expected}have {} to {} characters, has {length}", R::MIN, R::MAX));
        }
        if !R::accepts(&text) {
            return Err(format!("must {}", R::EXPECTED));
        }
        Ok(Self(text, PhantomData))
    }
}

impl<R: TextRule> FromStr for Text<R> {
    type Err = String;

    fn from_str(raw: &str) -> Result<Self, String> {
        Self::try_from(raw.to_owned())
    }
}

impl<R> fmt::Debug for Text<R> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, formatter)
    }
}

impl<R> Clone for Text<R> {
    fn clone(&self) -> Self {
        Self(self.0.clone(), PhantomData)
    }
}

impl<R> PartialEq for Text<R> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<R> Eq for Text<R> {}

impl<R> Serialize for Text<R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de, R: TextRule> Deserialize<'de> for Text<R> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::try_from(String::deserialize(deserializer)?).map_err(|error| match R::PARAMETER {
            Some(parameter) => serde::de::Error::custom(format_args!("{parameter}: {error}")),
            None => serde::de::Error::custom(error),
        })
    }
}

impl<R: TextRule> JsonSchema for Text<R> {
    fn schema_name() -> String {
        R::NAME.to_owned()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        SchemaObject {
            metadata: Some(Box::new(Metadata {
                description: Some(R::DESCRIPTION.to_owned()),
                ..Default::default()
            })),
            instance_type: Some(InstanceType::String.into()),
            format: R::FORMAT.map(str::to_owned),
            string: Some(Box::new(StringValidation {
                // A minimum of 0 would make generated code compare an unsigned number with 0.
                min_length: (R::MIN > 0).then_some(R::MIN),
                max_length: Some(R::MAX),
                pattern: R::pattern(),
            })),
            extensions: [in_words(R::EXPECTED)].into(),
            ..Default::default()
        }
        .into()
    }
}

/// Returns the schema extension with the pattern in words, for the client's errors: it completes the sentence "must …". The
/// published document doesn't have it.
pub(crate) fn in_words(expected: &str) -> (String, serde_json::Value) {
    (crate::document::RULE.to_owned(), expected.into())
}

fn is_printable(text: &str) -> bool {
    !text.chars().any(|c| c.is_ascii_control())
}

const PRINTABLE: &str = r"^[^\u0000-\u001F\u007F]+$";

/// Characters that no display name may contain, as a character class: control characters, invisible characters, and marks that
/// change the direction of the text around them.
const HIDDEN: &str = r"\u0000-\u001F\u007F-\u009F\u00AD\u034F\u061C\u115F\u1160\u17B4\u17B5\u180E\u200B\u200E\u200F\u2028-\u202E\u2060-\u206F\u3164\uFEFF\uFFA0\uFFF0-\uFFFB\uFFFE\uFFFF";

/// Characters that a display name may contain but not consist of: spaces, joiners and variation selectors.
const BLANK: &str =
    r"\u0020\u00A0\u1680\u180B-\u180D\u180F\u2000-\u200A\u200C\u200D\u202F\u205F\u2800\u3000\uFE00-\uFE0F";

const READABLE: &str =
    "contain a visible character, and no control characters, direction marks or other invisible characters";

fn readable() -> Option<String> {
    Some(format!("^[^{HIDDEN}]*[^{HIDDEN}{BLANK}][^{HIDDEN}]*$"))
}

fn is_readable(text: &str) -> bool {
    !text.chars().any(is_hidden) && text.chars().any(|c| !is_blank(c))
}

fn is_hidden(character: char) -> bool {
    match character {
        // Required by several scripts and by emoji.
        '\u{180B}'..='\u{180D}' | '\u{180F}' | '\u{200C}' | '\u{200D}' | '\u{FE00}'..='\u{FE0F}' => false,
        '\u{2028}' | '\u{2029}' | '\u{FFF9}'..='\u{FFFB}' | '\u{FFFE}' | '\u{FFFF}' => true,
        // No pattern that all dialects understand can express characters beyond the basic plane.
        _ => character.is_control() || (is_invisible(character) && character <= '\u{FFFF}'),
    }
}

fn is_blank(character: char) -> bool {
    character.is_whitespace() || character == '\u{2800}' || is_invisible(character)
}

/// Returns true if the text has invisible characters other than joiners that have an effect in their position.
fn has_stray_invisible(text: &str) -> bool {
    let characters: Vec<char> = text.chars().collect();
    let joiner = |c: char| matches!(c, '\u{200C}' | '\u{200D}');
    let stray = |(place, c): (usize, &char)| is_invisible(*c) && !(joiner(*c) && joins(&characters, place));
    characters.iter().enumerate().any(stray)
}

/// The rule of [`Username`].
#[derive(Debug)]
pub struct UsernameRule;

impl TextRule for UsernameRule {
    const NAME: &'static str = "Username";
    const DESCRIPTION: &'static str = "A user's sign-in name: letters, marks and digits of any script, and `. _ - + @`. The characters are those of RFC \
         8265 (UsernameCaseMapped): no symbols, spaces or invisible characters, and no mix of right-to-left with \
         left-to-right letters; names that the pattern allows but that profile doesn't get a 422 `username_not_allowed`. \
         Stored in Unicode NFC; compared without regard to case, Unicode form or joiners (NFKC_Casefold), and unique in \
         that folded form. Letters of different scripts that look alike, such as Latin and Cyrillic `a`, stay \
         different. A name in the form of an e-mail address or a telephone number must be the user's own; a UUID or `me` \
         gets a 422 `username_not_allowed`.";
    const MAX: u32 = 128;
    // Width mapping and the rest of the profile come before NFC.
    const COMPOSED: bool = false;
    const EXPECTED: &'static str = "contain only letters, digits and . _ - + @";

    fn pattern() -> Option<String> {
        Some(format!("^[^{}]+$", username::EXCLUDED))
    }

    fn accepts(text: &str) -> bool {
        username::is_shaped(text)
    }
}

/// A sign-in name.
pub type Username = Text<UsernameRule>;

/// The rule of [`Email`].
#[derive(Debug)]
pub struct EmailRule;

impl TextRule for EmailRule {
    const NAME: &'static str = "Email";
    const DESCRIPTION: &'static str = "An e-mail address (RFC 5321), without invisible characters. Compared without regard to case, and unique in that form.";
    const MIN: u32 = 3;
    const MAX: u32 = 254;
    const FORMAT: Option<&'static str> = Some("email");
    const EXPECTED: &'static str = "be an e-mail address such as ada@example.org";

    fn pattern() -> Option<String> {
        None
    }

    fn accepts(text: &str) -> bool {
        // The folded form is compared with other names: if it weren't an address too, it could equal a username.
        is_printable(text)
            && !has_stray_invisible(text)
            && email_address::EmailAddress::is_valid(text)
            && email_address::EmailAddress::is_valid(&fold(text))
    }
}

/// An e-mail address.
pub type Email = Text<EmailRule>;

/// The rule of [`Phone`].
#[derive(Debug)]
pub struct PhoneRule;

impl TextRule for PhoneRule {
    const NAME: &'static str = "Phone";
    const DESCRIPTION: &'static str =
        "A telephone number in E.164 form: `+`, country code, number; no spaces.";
    const MIN: u32 = 8;
    const MAX: u32 = 16;
    const EXPECTED: &'static str = "be a telephone number in E.164 form such as +4930123456";

    fn pattern() -> Option<String> {
        Some(r"^\+[1-9][0-9]{6,14}$".to_owned())
    }

    fn accepts(text: &str) -> bool {
        let Some(digits) = text.strip_prefix('+') else { return false };
        !digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit())
    }
}

/// A telephone number.
pub type Phone = Text<PhoneRule>;

/// The rule of [`DisplayName`].
#[derive(Debug)]
pub struct DisplayNameRule;

impl TextRule for DisplayNameRule {
    const NAME: &'static str = "DisplayName";
    const DESCRIPTION: &'static str = "A display name. Any characters except control characters, direction marks and other invisible ones; joiners and \
         variation selectors are allowed, but a name can't consist of them alone.";
    const MAX: u32 = 128;
    const EXPECTED: &'static str = READABLE;

    fn pattern() -> Option<String> {
        readable()
    }

    fn accepts(text: &str) -> bool {
        is_readable(text)
    }
}

/// A display name.
pub type DisplayName = Text<DisplayNameRule>;

/// The rule of [`WebUrl`].
#[derive(Debug)]
pub struct WebUrlRule;

impl TextRule for WebUrlRule {
    const NAME: &'static str = "WebUrl";
    const DESCRIPTION: &'static str = "An `http` or `https` URL (RFC 3986), in ASCII.";
    const MIN: u32 = 10;
    const MAX: u32 = 2048;
    const EXPECTED: &'static str = "be an http or https URL in ASCII, without spaces";

    fn pattern() -> Option<String> {
        Some("^https?://[!-~]+$".to_owned())
    }

    fn accepts(text: &str) -> bool {
        text.strip_prefix("https://")
            .or_else(|| text.strip_prefix("http://"))
            .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_graphic()))
    }
}

/// A web address.
pub type WebUrl = Text<WebUrlRule>;

/// The rule of [`ProfileText`].
#[derive(Debug)]
pub struct ProfileTextRule;

impl TextRule for ProfileTextRule {
    const NAME: &'static str = "ProfileText";
    const DESCRIPTION: &'static str = "A value of the profile. Any characters except control characters, direction marks and other invisible ones; joiners \
         and variation selectors are allowed, but a value can't consist of them alone.";
    const MAX: u32 = 256;
    const EXPECTED: &'static str = READABLE;

    fn pattern() -> Option<String> {
        readable()
    }

    fn accepts(text: &str) -> bool {
        is_readable(text)
    }
}

/// A value of the profile.
pub type ProfileText = Text<ProfileTextRule>;

/// The rule of [`AddressText`].
#[derive(Debug)]
pub struct AddressTextRule;

impl TextRule for AddressTextRule {
    const NAME: &'static str = "AddressText";
    const DESCRIPTION: &'static str = "A part of a postal address; line feeds are allowed, other control characters and embedded direction marks \
         (U+202A to U+202E, U+2066 to U+2069) are not.";
    const MAX: u32 = 1024;
    const EXPECTED: &'static str =
        "contain no control characters except line feeds, and no embedded direction marks";

    fn pattern() -> Option<String> {
        Some(r"^[^\u0000-\u0009\u000B-\u001F\u007F\u202A-\u202E\u2066-\u2069]+$".to_owned())
    }

    fn accepts(text: &str) -> bool {
        !text.chars().any(|c| {
            c.is_ascii_control() && c != '\n'
                || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
        })
    }
}

/// A part of a postal address.
pub type AddressText = Text<AddressTextRule>;

/// The rule of [`Identifier`].
#[derive(Debug)]
pub struct IdentifierRule;

impl TextRule for IdentifierRule {
    const NAME: &'static str = "Identifier";
    const DESCRIPTION: &'static str =
        "An identifier to sign in with: a username, an e-mail address, a telephone number or the user's id.";
    const MAX: u32 = 254;
    const EXPECTED: &'static str = "contain no control characters";

    fn pattern() -> Option<String> {
        Some(PRINTABLE.to_owned())
    }

    fn accepts(text: &str) -> bool {
        is_printable(text)
    }
}

/// An identifier to sign in with, or a token of an invitation.
pub type Identifier = Text<IdentifierRule>;

/// The rule of [`RoleName`].
#[derive(Debug)]
pub struct RoleNameRule;

impl TextRule for RoleNameRule {
    const NAME: &'static str = "RoleName";
    const DESCRIPTION: &'static str =
        "The name of a role: a lower-case letter, then lower-case letters, digits, `_` and `-`. Unique.";
    const MAX: u32 = 64;
    const EXPECTED: &'static str =
        "begin with a lower-case letter and go on with lower-case letters, digits, _ and -";

    fn pattern() -> Option<String> {
        Some("^[a-z][a-z0-9_-]*$".to_owned())
    }

    fn accepts(text: &str) -> bool {
        is_word(text)
    }
}

/// The name of a role.
pub type RoleName = Text<RoleNameRule>;

/// The rule of [`PermissionName`].
#[derive(Debug)]
pub struct PermissionNameRule;

impl TextRule for PermissionNameRule {
    const NAME: &'static str = "PermissionName";
    const DESCRIPTION: &'static str = "A permission: two to four words of lower-case letters, digits, `_` and `-`, each \
         beginning with a letter, joined by `:`. Those that begin with `audit:`, `group:`, `groups:`, `providers:`, \
         `roles:` and `users:` are Rollcall's own; all others are for your applications to define.";
    const MIN: u32 = 3;
    const MAX: u32 = 128;
    const EXPECTED: &'static str =
        "be words of lower-case letters, digits, _ and - joined by colons, such as data:read";

    fn pattern() -> Option<String> {
        Some("^[a-z][a-z0-9_-]*(:[a-z][a-z0-9_-]*){1,3}$".to_owned())
    }

    fn accepts(text: &str) -> bool {
        let words: Vec<&str> = text.split(':').collect();
        (2..=4).contains(&words.len()) && words.iter().all(|word| is_word(word))
    }
}

/// The name of a permission, of Rollcall or of an application.
pub type PermissionName = Text<PermissionNameRule>;

fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'-')
}

/// The rule of [`Slug`].
#[derive(Debug)]
pub struct SlugRule;

impl TextRule for SlugRule {
    const NAME: &'static str = "Slug";
    const DESCRIPTION: &'static str =
        "The short name of a group in URLs: lower-case letters, digits and `-`. Unique.";
    const MAX: u32 = 64;
    const EXPECTED: &'static str = "contain only lower-case letters, digits and -";

    fn pattern() -> Option<String> {
        Some("^[a-z0-9-]+$".to_owned())
    }

    fn accepts(text: &str) -> bool {
        text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    }
}

/// The short name of a group.
pub type Slug = Text<SlugRule>;

/// The rule of [`Description`].
#[derive(Debug)]
pub struct DescriptionRule;

impl TextRule for DescriptionRule {
    const NAME: &'static str = "Description";
    const DESCRIPTION: &'static str = "Free text; line feeds are allowed, other control characters and embedded direction marks \
         (U+202A to U+202E, U+2066 to U+2069) are not.";
    const MAX: u32 = 1024;
    const EXPECTED: &'static str = AddressTextRule::EXPECTED;

    fn pattern() -> Option<String> {
        AddressTextRule::pattern()
    }

    fn accepts(text: &str) -> bool {
        AddressTextRule::accepts(text)
    }
}

/// Free text for people.
pub type Description = Text<DescriptionRule>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_email_address_stays_valid_when_it_is_folded() {
        assert!("Ada@Example.org".parse::<Email>().is_ok());
        for bad in ["a\u{2488}.b@example.org", "ada", "ada@", "a b@example.org"] {
            assert!(bad.parse::<Email>().is_err(), "{bad}");
        }
    }

    #[test]
    fn phones_are_e164() {
        assert!("+4930123456".parse::<Phone>().is_ok());
        for bad in ["4930123456", "+0930123456", "+49 30 123456", "+49", "+12345678901234567"] {
            assert!(bad.parse::<Phone>().is_err(), "{bad}");
        }
    }
}
