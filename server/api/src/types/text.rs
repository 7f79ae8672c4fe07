//! Validated text: what a request may carry in a string. Each kind of text is a rule; the rule's constants
//! make both the check and the published schema, so the two cannot drift. Response types never use these.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use schemars::JsonSchema;
use schemars::r#gen::SchemaGenerator;
use schemars::schema::{InstanceType, Metadata, Schema, SchemaObject, StringValidation};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use unicode_normalization::UnicodeNormalization;

/// What one kind of text must look like.
pub trait TextRule: Send + Sync + 'static {
    /// The schema's name in the document.
    const NAME: &'static str;
    /// The schema's description in the document.
    const DESCRIPTION: &'static str;
    /// The least number of code points.
    const MIN: u32 = 1;
    /// The greatest number of code points.
    const MAX: u32;
    /// The `format` in the document.
    const FORMAT: Option<&'static str> = None;
    /// Whether it is kept in Unicode NFC; else as it was sent.
    const COMPOSED: bool = true;
    /// The query parameter that holds it, for its errors: those of queries don't say which one they are about.
    const PARAMETER: Option<&'static str> = None;
    /// Finishes the sentence "must …" where the characters are wrong.
    const EXPECTED: &'static str;

    /// The published pattern.
    fn pattern() -> Option<String>;

    /// Whether the characters are as the pattern says; the length has been checked before.
    fn accepts(text: &str) -> bool;
}

/// A text that follows its rule, in Unicode NFC unless the rule says otherwise.
pub struct Text<R>(String, PhantomData<R>);

impl<R: TextRule> Text<R> {
    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text itself, owned.
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
            return Err(format!("must have {} to {} characters, has {length}", R::MIN, R::MAX));
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
                // Generated code would compare with it, and be warned that it needn't.
                min_length: (R::MIN > 0).then_some(R::MIN),
                max_length: Some(R::MAX),
                pattern: R::pattern(),
            })),
            ..Default::default()
        }
        .into()
    }
}

/// The letters, marks and digits of a [`Username`], beside ASCII: the living scripts' letter ranges, none of
/// them a compatibility form. Published in the pattern, checked from the same table.
const LETTERS: &[(char, char)] = &[
    ('\u{00C0}', '\u{00D6}'),
    ('\u{00D8}', '\u{00F6}'),
    ('\u{00F8}', '\u{02AF}'),
    ('\u{0300}', '\u{036F}'),
    ('\u{0388}', '\u{03FF}'),
    ('\u{0400}', '\u{0481}'),
    ('\u{048A}', '\u{052F}'),
    ('\u{0531}', '\u{0556}'),
    ('\u{0561}', '\u{0587}'),
    ('\u{05D0}', '\u{05EA}'),
    ('\u{0620}', '\u{0669}'),
    ('\u{0671}', '\u{06D3}'),
    ('\u{0900}', '\u{0963}'),
    ('\u{0966}', '\u{096F}'),
    ('\u{0980}', '\u{09F1}'),
    ('\u{0A00}', '\u{0AEF}'),
    ('\u{0B80}', '\u{0BEF}'),
    ('\u{0C00}', '\u{0C6F}'),
    ('\u{0E01}', '\u{0E3A}'),
    ('\u{0E40}', '\u{0E4E}'),
    ('\u{10D0}', '\u{10FA}'),
    ('\u{1E00}', '\u{1EFF}'),
    ('\u{3041}', '\u{3096}'),
    ('\u{30A1}', '\u{30FA}'),
    ('\u{30FC}', '\u{30FC}'),
    ('\u{3400}', '\u{4DBF}'),
    ('\u{4E00}', '\u{9FFF}'),
    ('\u{AC00}', '\u{D7A3}'),
];

/// The inside of the character class of a username, as a regular expression (ECMA-262).
pub(crate) fn username_class() -> String {
    let mut class = String::from("0-9A-Za-z._+@");
    for (from, to) in LETTERS {
        class.push_str(&format!("\\u{:04X}-\\u{:04X}", u32::from(*from), u32::from(*to)));
    }
    // The hyphen stays last, where no dialect reads it as a range.
    class + "-"
}

pub(crate) fn is_username(text: &str) -> bool {
    text.chars().all(|c| {
        c.is_ascii_alphanumeric()
            || "._+@-".contains(c)
            || LETTERS.iter().any(|(from, to)| (*from..=*to).contains(&c))
    })
}

fn is_printable(text: &str) -> bool {
    !text.chars().any(|c| c.is_ascii_control())
}

const PRINTABLE: &str = r"^[^\u0000-\u001F\u007F]+$";

/// The rule of [`Username`].
#[derive(Debug)]
pub struct UsernameRule;

impl TextRule for UsernameRule {
    const NAME: &'static str = "Username";
    const DESCRIPTION: &'static str = "A user's sign-in name: letters, digits and `. _ - + @`. Compared without regard to case or Unicode form (NFKC, then \
         full case folding), and unique in that folded form. A name shaped like an e-mail address must be the \
         user's own address.";
    const MAX: u32 = 128;
    const EXPECTED: &'static str = "contain only letters, digits and . _ - + @";

    fn pattern() -> Option<String> {
        Some(format!("^[{}]+$", username_class()))
    }

    fn accepts(text: &str) -> bool {
        is_username(text)
    }
}

/// A sign-in name.
pub type Username = Text<UsernameRule>;

/// The rule of [`Email`].
#[derive(Debug)]
pub struct EmailRule;

impl TextRule for EmailRule {
    const NAME: &'static str = "Email";
    const DESCRIPTION: &'static str =
        "An e-mail address (RFC 5321). Compared without regard to case, and unique in that form.";
    const MIN: u32 = 3;
    const MAX: u32 = 254;
    const FORMAT: Option<&'static str> = Some("email");
    const EXPECTED: &'static str = "be an e-mail address such as ada@example.org";

    fn pattern() -> Option<String> {
        None
    }

    fn accepts(text: &str) -> bool {
        // The folded form is what is compared: it must be an address too, or it could be somebody's odd username.
        is_printable(text)
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
    const DESCRIPTION: &'static str = "A name as people read it. Any characters but control characters.";
    const MAX: u32 = 128;
    const EXPECTED: &'static str = "contain no control characters";

    fn pattern() -> Option<String> {
        Some(PRINTABLE.to_owned())
    }

    fn accepts(text: &str) -> bool {
        is_printable(text)
    }
}

/// A name as people read it.
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
    const DESCRIPTION: &'static str = "A value of the profile. Any characters but control characters.";
    const MAX: u32 = 256;
    const EXPECTED: &'static str = "contain no control characters";

    fn pattern() -> Option<String> {
        Some(PRINTABLE.to_owned())
    }

    fn accepts(text: &str) -> bool {
        is_printable(text)
    }
}

/// A value of the profile.
pub type ProfileText = Text<ProfileTextRule>;

/// The rule of [`AddressText`].
#[derive(Debug)]
pub struct AddressTextRule;

impl TextRule for AddressTextRule {
    const NAME: &'static str = "AddressText";
    const DESCRIPTION: &'static str =
        "A part of a postal address; line feeds are allowed, other control characters are not.";
    const MAX: u32 = 1024;
    const EXPECTED: &'static str = "contain no control characters but line feeds";

    fn pattern() -> Option<String> {
        Some(r"^[^\u0000-\u0009\u000B-\u001F\u007F]+$".to_owned())
    }

    fn accepts(text: &str) -> bool {
        !text.chars().any(|c| c.is_ascii_control() && c != '\n')
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
        "What a person types to say who they are: a username, an e-mail address or a telephone number.";
    const MAX: u32 = 254;
    const EXPECTED: &'static str = "contain no control characters";

    fn pattern() -> Option<String> {
        Some(PRINTABLE.to_owned())
    }

    fn accepts(text: &str) -> bool {
        is_printable(text)
    }
}

/// What a person types to say who they are.
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
         `roles:` and `users:` are Rollcall's own; all others are the applications'.";
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

/// A permission, of Rollcall's own or an application's.
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
    const DESCRIPTION: &'static str =
        "Some words for people; line feeds are allowed, other control characters are not.";
    const MAX: u32 = 1024;
    const EXPECTED: &'static str = "contain no control characters but line feeds";

    fn pattern() -> Option<String> {
        AddressTextRule::pattern()
    }

    fn accepts(text: &str) -> bool {
        AddressTextRule::accepts(text)
    }
}

/// Some words for people.
pub type Description = Text<DescriptionRule>;

/// Folds a name for comparison: NFKC, then full case folding, then NFC of the result. The one place where
/// this happens; the database stores the result and never folds by itself.
pub fn fold(text: &str) -> String {
    let compatible: String = text.nfkc().collect();
    let folded = icu_casemap::CaseMapper::new().fold_string(&compatible).into_owned();
    folded.nfkc().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usernames_accept_living_scripts_and_refuse_the_rest() {
        for good in ["ada", "josé", "jose\u{301}", "Ωmega", "Жанна", "山田太郎", "a.b_c-d+e@f", "0"]
        {
            assert!(good.parse::<Username>().is_ok(), "{good}");
        }
        for bad in ["", "a b", "a/b", "a\u{0}b", "<a>", "＠home", "a\nb", &"a".repeat(129)] {
            assert!(bad.parse::<Username>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn nfc_and_nfd_are_one_name() {
        let (composed, decomposed): (Username, Username) =
            ("josé".parse().unwrap(), "jose\u{301}".parse().unwrap());
        assert_eq!(composed, decomposed);
    }

    #[test]
    fn folding_is_full_and_stable() {
        assert_eq!(fold("STRASSE"), fold("straße"));
        assert_eq!(fold("ＡＤＡ"), "ada");
        assert_eq!(fold("\u{0130}"), fold(&fold("\u{0130}")));
        assert_eq!(fold("ΣΊΣΥΦΟΣ"), fold("σίσυφος"));
    }

    #[test]
    fn an_address_stays_one_when_it_is_folded() {
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
