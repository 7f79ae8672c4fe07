//! Conversions for the arguments of setters, which take more than the exact type of a field: `&str` and `String` for texts,
//! ids for references to users, groups and roles, builders for what they build, [`Clear`] and [`Set`] for fields of an
//! update. The generated file lists the types of each kind at its end, and the macros here turn the lists into conversions.

use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use progenitor_client::ResponseValue;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::secret::{Password, Token};
use crate::types;

/// Clears a field in an update: it has no value afterwards.
///
/// ```
/// use rollcall_client::{Clear, types};
///
/// let update = types::UserUpdate::builder().phone(Clear).name("Ada King");
/// let update = types::UserUpdate::try_from(update).unwrap();
/// assert_eq!(serde_json::to_string(&update).unwrap(), r#"{"name":"Ada King","phone":null}"#);
/// ```
///
/// `None` doesn't compile, because it could mean either.
///
/// ```compile_fail,E0277
/// rollcall_client::types::UserUpdate::builder().phone(None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clear;

/// Sets a field in an update, as the value alone does. [`Set::or_clear`] sets or clears it depending on an `Option`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Set<V>(pub V);

impl<V> Set<V> {
    /// Sets the field to this value, or clears it where there is none.
    ///
    /// ```
    /// use rollcall_client::{Set, types};
    ///
    /// let nickname: Option<String> = None;
    /// let profile = types::ProfileUpdate::builder().nickname(Set::or_clear(nickname));
    /// let profile = types::ProfileUpdate::try_from(profile).unwrap();
    /// assert_eq!(serde_json::to_string(&profile).unwrap(), r#"{"nickname":null}"#);
    /// ```
    pub fn or_clear(value: Option<V>) -> SetOrClear<V> {
        SetOrClear(value)
    }
}

/// Result of [`Set::or_clear`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetOrClear<V>(Option<V>);

/// A value that a setter takes for a field or parameter of type `T`. Where it doesn't follow the rule, `send` returns an
/// [`Error`](crate::Error) that names the field and the rule, and sends nothing.
#[diagnostic::on_unimplemented(message = "`{Self}` can't be given for `{T}`")]
pub trait Input<T> {
    /// Converts the value to the type of the field.
    fn input(self) -> Result<T, Invalid>;
}

/// A value that doesn't follow the rule of its field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    value: Option<String>,
    rule: String,
}

/// Number of characters of an invalid value that an error shows.
const SHOWN: usize = 80;

impl Invalid {
    /// Takes the value as text, and the rule as the end of a sentence that begins with the field and the value: "must be …".
    pub fn new(value: &str, rule: impl fmt::Display) -> Self {
        let mut shown: String = value.chars().take(SHOWN).collect();
        if shown.len() < value.len() {
            shown.push('…');
        }
        Self { value: Some(shown), rule: rule.to_string() }
    }
}

/// Converts the argument of a setter. The error names the field, the argument and the rule.
pub(crate) fn read<T>(field: &str, value: impl Input<T>) -> Result<T, String> {
    value.input().map_err(|Invalid { value, rule }| match value {
        // A builder's error begins with the name of the field inside it.
        None if field.is_empty() => rule,
        None => format!("{field}.{rule}"),
        // A token is a secret, also one with a typing error.
        Some(_) if field.ends_with("token") => format!("{field}: {rule}"),
        Some(value) => format!("{field}: {value:?} {rule}"),
    })
}

/// Reads the entity tag of an earlier response for a conditional request.
pub(crate) fn tag<T>(parameter: &str, before: &ResponseValue<T>) -> Result<types::EntityTags, String> {
    match crate::etag(before) {
        Some(tag) => read(parameter, tag),
        None => Err(format!(
            "{parameter}: the earlier response has no entity tag, so nothing can be compared with it"
        )),
    }
}

/// A type that texts are converted to.
pub trait FromText: Sized {
    /// Parses a text.
    fn from_text(text: &str) -> Result<Self, Invalid>;
}

impl<T: FromText> FromText for Option<T> {
    fn from_text(text: &str) -> Result<Self, Invalid> {
        T::from_text(text).map(Some)
    }
}

impl<T: FromText> Input<T> for &str {
    fn input(self) -> Result<T, Invalid> {
        T::from_text(self)
    }
}

impl<T: FromText> Input<T> for String {
    fn input(self) -> Result<T, Invalid> {
        T::from_text(&self)
    }
}

impl<T: FromText> Input<T> for &String {
    fn input(self) -> Result<T, Invalid> {
        T::from_text(self)
    }
}

/// A type whose values setters take without conversion.
pub trait Plain {}

impl<T: Plain> Input<T> for T {
    fn input(self) -> Result<T, Invalid> {
        Ok(self)
    }
}

impl<T: Plain> Input<Option<T>> for T {
    fn input(self) -> Result<Option<T>, Invalid> {
        Ok(Some(self))
    }
}

impl<T: Plain + Clone> Input<T> for &T {
    fn input(self) -> Result<T, Invalid> {
        Ok(self.clone())
    }
}

impl<T: Plain + Clone> Input<Option<T>> for &T {
    fn input(self) -> Result<Option<T>, Invalid> {
        Ok(Some(self.clone()))
    }
}

/// A type of an optional field that can't be `null`: `None` leaves the field out.
#[diagnostic::on_unimplemented(
    message = "`None` would leave the field as it is and clear nothing",
    note = "clear it with `Clear`, set it with `Set(value)` or the value alone"
)]
pub trait Omittable {}

impl<T: Omittable> Input<Option<T>> for Option<T> {
    fn input(self) -> Result<Option<T>, Invalid> {
        Ok(self)
    }
}

impl<T, V: Input<T>> Input<Vec<T>> for Vec<V> {
    fn input(self) -> Result<Vec<T>, Invalid> {
        self.into_iter().map(Input::input).collect()
    }
}

impl<T, V: Input<T>> Input<Option<Vec<T>>> for Vec<V> {
    fn input(self) -> Result<Option<Vec<T>>, Invalid> {
        Input::<Vec<T>>::input(self).map(Some)
    }
}

impl<T, V: Input<T>, const N: usize> Input<Vec<T>> for [V; N] {
    fn input(self) -> Result<Vec<T>, Invalid> {
        self.into_iter().map(Input::input).collect()
    }
}

impl<T, V: Input<T>, const N: usize> Input<Option<Vec<T>>> for [V; N] {
    fn input(self) -> Result<Option<Vec<T>>, Invalid> {
        Input::<Vec<T>>::input(self).map(Some)
    }
}

impl<T, V: Input<T> + Clone> Input<Vec<T>> for &[V] {
    fn input(self) -> Result<Vec<T>, Invalid> {
        self.iter().cloned().map(Input::input).collect()
    }
}

impl<T, V: Input<T> + Clone> Input<Option<Vec<T>>> for &[V] {
    fn input(self) -> Result<Option<Vec<T>>, Invalid> {
        Input::<Vec<T>>::input(self).map(Some)
    }
}

/// A value of an update, or `null` to clear the field.
pub trait Nullable: From<Option<Self::Value>> {
    /// Type of the value.
    type Value;
}

impl<N: Nullable> Input<Option<N>> for Clear {
    fn input(self) -> Result<Option<N>, Invalid> {
        Ok(Some(None.into()))
    }
}

impl<N: Nullable, V: Input<N::Value>> Input<Option<N>> for Set<V> {
    fn input(self) -> Result<Option<N>, Invalid> {
        Ok(Some(Some(self.0.input()?).into()))
    }
}

impl<N: Nullable, V: Input<N::Value>> Input<Option<N>> for SetOrClear<V> {
    fn input(self) -> Result<Option<N>, Invalid> {
        Ok(Some(self.0.map(Input::input).transpose()?.into()))
    }
}

/// A reference to a resource, by id or in another way.
pub trait Names<I> {
    /// Creates a reference by id.
    fn name(id: I) -> Self;
}

impl<I, T: Names<I>> Names<I> for Option<T> {
    fn name(id: I) -> Self {
        Some(T::name(id))
    }
}

impl<T: Names<Self>> Input<T> for Uuid {
    fn input(self) -> Result<T, Invalid> {
        Ok(T::name(self))
    }
}

macro_rules! references {
    ($($reference:ident: $id:ident of $record:ident),* $(,)?) => {$(
        impl Names<Uuid> for types::$reference {
            fn name(id: Uuid) -> Self {
                id.to_string().parse().expect("an id is a reference")
            }
        }

        impl Names<types::$id> for types::$reference {
            fn name(id: types::$id) -> Self {
                Self::name(id.0)
            }
        }

        impl<T: Names<Self>> Input<T> for types::$id {
            fn input(self) -> Result<T, Invalid> {
                Ok(T::name(self))
            }
        }

        impl<T: Names<types::$id>> Input<T> for &types::$id {
            fn input(self) -> Result<T, Invalid> {
                Ok(T::name(*self))
            }
        }

        impl<T: Names<types::$id>> Input<T> for &types::$record {
            fn input(self) -> Result<T, Invalid> {
                Ok(T::name(self.id))
            }
        }
    )*};
}

references!(UserRef: UserId of User, GroupRef: GroupId of Group, RoleRef: RoleId of Role);

macro_rules! plain {
    ($($name:ty),* $(,)?) => {$(
        impl Plain for $name {}
        impl Omittable for $name {}
    )*};
}

plain!(bool, u32, u64, DateTime<Utc>, IpAddr, Uuid, Password, Token);

impl Omittable for String {}
impl<T> Omittable for Vec<T> {}

impl FromText for String {
    fn from_text(text: &str) -> Result<Self, Invalid> {
        Ok(text.to_owned())
    }
}

impl FromText for DateTime<Utc> {
    fn from_text(text: &str) -> Result<Self, Invalid> {
        let time = DateTime::parse_from_rfc3339(text);
        let rule = "must be a time as in RFC 3339, such as 2026-11-24T09:30:00Z";
        time.map(|time| time.to_utc()).map_err(|_| Invalid::new(text, rule))
    }
}

impl FromText for Uuid {
    fn from_text(text: &str) -> Result<Self, Invalid> {
        text.parse().map_err(|_| Invalid::new(text, "must be an id: a UUID"))
    }
}

macro_rules! secrets {
    ($($name:ident),*) => {$(
        impl FromText for $name {
            fn from_text(text: &str) -> Result<Self, Invalid> {
                Ok(text.into())
            }
        }
    )*};
}

secrets!(Password, Token);

impl Input<NonZeroU32> for u32 {
    fn input(self) -> Result<NonZeroU32, Invalid> {
        Self::try_into(self).map_err(|_| Invalid::new("0", "must be at least 1"))
    }
}

impl Input<NonZeroU32> for NonZeroU32 {
    fn input(self) -> Result<NonZeroU32, Invalid> {
        Ok(self)
    }
}

/// A type that JSON objects are converted to.
pub trait Object: From<Map<String, Value>> {}

impl<T: Object> Input<T> for Map<String, Value> {
    fn input(self) -> Result<T, Invalid> {
        Ok(self.into())
    }
}

impl<T: Object> Input<Option<T>> for Map<String, Value> {
    fn input(self) -> Result<Option<T>, Invalid> {
        Ok(Some(self.into()))
    }
}

impl<T: Object> Input<T> for Value {
    fn input(self) -> Result<T, Invalid> {
        match self {
            Self::Object(members) => Ok(members.into()),
            other => Err(Invalid::new(&other.to_string(), "must be a JSON object")),
        }
    }
}

impl<T: Object> Input<Option<T>> for Value {
    fn input(self) -> Result<Option<T>, Invalid> {
        Input::<T>::input(self).map(Some)
    }
}

/// Parses a text with the type's `FromStr`, whose errors are the rules.
pub(crate) fn parse<T: FromStr<Err: fmt::Display>>(text: &str) -> Result<T, Invalid> {
    text.parse().map_err(|rule| Invalid::new(text, rule))
}

/// Builds a record from its builder. The error begins with the name of the invalid field.
pub(crate) fn build<T, B>(builder: B) -> Result<T, Invalid>
where
    T: TryFrom<B, Error: fmt::Display>,
{
    T::try_from(builder).map_err(|error| Invalid { value: None, rule: error.to_string() })
}

macro_rules! texts {
    ($($name:ident),* $(,)?) => {$(
        impl $crate::input::Plain for types::$name {}
        impl $crate::input::Omittable for types::$name {}

        impl $crate::input::FromText for types::$name {
            fn from_text(text: &str) -> Result<Self, $crate::input::Invalid> {
                $crate::input::parse(text)
            }
        }
    )*};
}

macro_rules! open_sets {
    ($($name:ident),* $(,)?) => {$(
        $crate::input::texts!($name);

        impl PartialEq<str> for types::$name {
            fn eq(&self, known: &str) -> bool {
                self.0 == known
            }
        }

        impl PartialEq<&str> for types::$name {
            fn eq(&self, known: &&str) -> bool {
                self.0 == *known
            }
        }

        impl PartialEq<types::$name> for str {
            fn eq(&self, value: &types::$name) -> bool {
                value == self
            }
        }

        impl PartialEq<types::$name> for &str {
            fn eq(&self, value: &types::$name) -> bool {
                value == self
            }
        }
    )*};
}

macro_rules! ids {
    ($($name:ident),* $(,)?) => {$(
        impl $crate::input::Plain for types::$name {}
        impl $crate::input::Omittable for types::$name {}

        impl $crate::input::FromText for types::$name {
            fn from_text(text: &str) -> Result<Self, $crate::input::Invalid> {
                <uuid::Uuid as $crate::input::FromText>::from_text(text).map(Self)
            }
        }

        impl $crate::input::Names<uuid::Uuid> for types::$name {
            fn name(id: uuid::Uuid) -> Self {
                Self(id)
            }
        }
    )*};
}

macro_rules! objects {
    ($($name:ident),* $(,)?) => {$(
        impl $crate::input::Plain for types::$name {}
        impl $crate::input::Omittable for types::$name {}
        impl $crate::input::Object for types::$name {}
    )*};
}

macro_rules! records {
    ($($name:ident),* $(,)?) => {$(
        impl $crate::input::Plain for types::$name {}
        impl $crate::input::Omittable for types::$name {}

        impl $crate::input::Input<types::$name> for types::builder::$name {
            fn input(self) -> Result<types::$name, $crate::input::Invalid> {
                $crate::input::build(self)
            }
        }

        impl $crate::input::Input<Option<types::$name>> for types::builder::$name {
            fn input(self) -> Result<Option<types::$name>, $crate::input::Invalid> {
                $crate::input::build(self).map(Some)
            }
        }
    )*};
}

macro_rules! nullables {
    ($($name:ident($value:ident)),* $(,)?) => {$(
        impl $crate::input::Plain for types::$name {}

        impl $crate::input::Nullable for types::$name {
            type Value = types::$value;
        }

        impl $crate::input::Input<Option<types::$name>> for types::$value {
            fn input(self) -> Result<Option<types::$name>, $crate::input::Invalid> {
                Ok(Some(Some(self).into()))
            }
        }
    )*};
}

macro_rules! nullable_texts {
    ($($name:ident($value:ident)),* $(,)?) => {$(
        $crate::input::nullables!($name($value));

        impl $crate::input::FromText for types::$name {
            fn from_text(text: &str) -> Result<Self, $crate::input::Invalid> {
                <types::$value as $crate::input::FromText>::from_text(text).map(Some).map(Into::into)
            }
        }
    )*};
}

macro_rules! nullable_records {
    ($($name:ident($value:ident)),* $(,)?) => {$(
        $crate::input::nullables!($name($value));

        impl $crate::input::Input<Option<types::$name>> for types::builder::$value {
            fn input(self) -> Result<Option<types::$name>, $crate::input::Invalid> {
                Ok(Some(Some($crate::input::build(self)?).into()))
            }
        }
    )*};
}

pub(crate) use texts as choices;
pub(crate) use {ids, nullable_records, nullable_texts, nullables, objects, open_sets, records, texts};
