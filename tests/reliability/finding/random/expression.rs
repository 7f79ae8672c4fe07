//! The tests' own model of a filter: its SCIM notation and the users it matches, independent of the server's
//! code.

use std::cmp::Ordering;
use std::sync::LazyLock;

use chrono::DateTime;
use icu_collator::options::CollatorOptions;
use icu_collator::{CollatorBorrowed, CollatorPreferences};
use regex::Regex;
use serde_json::Value;
use unicode_normalization::UnicodeNormalization;
use uuid::Uuid;

use super::people::Someone;

/// A filter.
#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    All(Vec<Expression>),
    Any(Vec<Expression>),
    Not(Box<Expression>),
    Compare { path: Vec<String>, operator: &'static str, value: Value },
    In { path: Vec<String>, values: Vec<Value> },
    Present { path: Vec<String> },
    Entry(Box<Expression>),
}

/// The type of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Id,
    Text,
    /// A name: ordered by Unicode's collation.
    Name,
    Word,
    Bool,
    Time,
    Json,
    Names,
}

/// Unicode's root collation, the same for all languages.
static COLLATOR: LazyLock<CollatorBorrowed<'static>> = LazyLock::new(|| {
    CollatorBorrowed::try_new(CollatorPreferences::default(), CollatorOptions::default()).unwrap()
});

/// The type of the field at the start of a path.
pub fn kind(path: &[String]) -> Kind {
    match path[0].as_str() {
        "id" => Kind::Id,
        "suspended" | "has_password" => Kind::Bool,
        "roles" | "groups" | "role" => Kind::Names,
        "created_via" | "slug" => Kind::Word,
        "created_at" | "updated_at" | "last_sign_in_at" => Kind::Time,
        "custom_data" | "profile" => Kind::Json,
        "username" | "name" | "given_name" | "family_name" => Kind::Name,
        _ => Kind::Text,
    }
}

/// The value at a path; `None` if it is null or empty.
pub fn found<'a>(someone: &'a Value, path: &[String]) -> Option<&'a Value> {
    let mut value = someone;
    for name in path {
        value = value.as_object()?.get(name)?;
    }
    let empty_names = kind(path) == Kind::Names && value.as_array().is_some_and(Vec::is_empty);
    (!value.is_null() && !empty_names).then_some(value)
}

/// Removes differences of case and compatibility forms: NFKC and Unicode's full case folding.
pub fn fold(text: &str) -> String {
    let compatible: String = text.nfkc().collect();
    icu_casemap::CaseMapper::new().fold_string(&compatible).nfkc().collect()
}

impl Expression {
    /// True if the filter matches a user. Logic is two-valued: a comparison with a missing value is false,
    /// and its negation true.
    pub fn finds(&self, someone: &Someone) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.finds(someone)),
            Self::Any(parts) => parts.iter().any(|part| part.finds(someone)),
            Self::Not(part) => !part.finds(someone),
            Self::Compare { path, operator: "ne", value } => !equal(kind(path), found(someone, path), value),
            Self::Compare { path, operator: "eq", value } => equal(kind(path), found(someone, path), value),
            Self::Compare { path, operator, value } => {
                found(someone, path).is_some_and(|found| compare(kind(path), found, operator, value))
            }
            Self::In { path, values } => {
                values.iter().any(|value| equal(kind(path), found(someone, path), value))
            }
            Self::Present { path } => found(someone, path).is_some(),
            Self::Entry(inner) => {
                someone["entries"].as_array().unwrap().iter().any(|entry| inner.finds(entry))
            }
        }
    }

    /// The filter in SCIM notation.
    pub fn scim(&self) -> String {
        let joined = |parts: &[Self], word: &str| {
            let parts: Vec<String> = parts
                .iter()
                .map(|part| match part {
                    Self::All(_) | Self::Any(_) => format!("({})", part.scim()),
                    part => part.scim(),
                })
                .collect();
            parts.join(word)
        };
        match self {
            Self::All(parts) => joined(parts, " and "),
            Self::Any(parts) => joined(parts, " or "),
            Self::Not(part) => format!("not ({})", part.scim()),
            Self::Compare { path, operator, value } => format!("{} {operator} {value}", written(path)),
            Self::In { path, values } => {
                let values: Vec<String> = values.iter().map(Value::to_string).collect();
                format!("{} in ({})", written(path), values.join(", "))
            }
            Self::Present { path } => format!("{} pr", written(path)),
            Self::Entry(inner) => format!("groups[{}]", inner.scim()),
        }
    }

    /// Smaller filters, one of which may still show the failure.
    pub fn smaller(&self) -> Vec<Self> {
        match self {
            Self::All(parts) => smaller_parts(parts, Self::All),
            Self::Any(parts) => smaller_parts(parts, Self::Any),
            Self::Not(part) => {
                let inner = part.smaller().into_iter().map(|part| Self::Not(Box::new(part)));
                std::iter::once((**part).clone()).chain(inner).collect()
            }
            Self::Entry(part) => part.smaller().into_iter().map(|part| Self::Entry(Box::new(part))).collect(),
            Self::In { path, values } if values.len() > 1 => values
                .iter()
                .map(|value| Self::In { path: path.clone(), values: vec![value.clone()] })
                .collect(),
            _ => Vec::new(),
        }
    }
}

fn smaller_parts(parts: &[Expression], whole: fn(Vec<Expression>) -> Expression) -> Vec<Expression> {
    let mut smaller = parts.to_vec();
    for (index, part) in parts.iter().enumerate() {
        for part in part.smaller() {
            let mut parts = parts.to_vec();
            parts[index] = part;
            smaller.push(whole(parts));
        }
        if parts.len() > 2 {
            let mut parts = parts.to_vec();
            parts.remove(index);
            smaller.push(whole(parts));
        }
    }
    smaller
}

/// A path in filter notation.
fn written(path: &[String]) -> String {
    let plain = |name: &str| {
        name.starts_with(|first: char| first.is_ascii_alphabetic())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '$'))
    };
    let parts: Vec<String> = path
        .iter()
        .map(|name| if plain(name) { name.clone() } else { Value::from(name.as_str()).to_string() })
        .collect();
    parts.join(".")
}

/// True if the value exists and equals another one.
pub fn equal(kind: Kind, found: Option<&Value>, wanted: &Value) -> bool {
    let Some(found) = found else { return wanted.is_null() };
    match kind {
        _ if wanted.is_null() => false,
        Kind::Text | Kind::Name => fold(found.as_str().unwrap()) == fold(wanted.as_str().unwrap()),
        Kind::Id | Kind::Time => order(kind, found, wanted) == Ordering::Equal,
        Kind::Word | Kind::Bool => found == wanted,
        Kind::Names => found.as_array().unwrap().contains(wanted),
        Kind::Json => {
            same(found, wanted)
                || found.as_array().is_some_and(|items| items.iter().any(|item| same(item, wanted)))
        }
    }
}

/// Equality of JSON values: 1 equals 1.0.
fn same(one: &Value, other: &Value) -> bool {
    match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => one == other,
        _ => one == other,
    }
}

/// The order of two values of a type in lists.
pub fn order(kind: Kind, one: &Value, other: &Value) -> Ordering {
    let texts = (one.as_str().unwrap_or_default(), other.as_str().unwrap_or_default());
    match kind {
        Kind::Id => texts.0.parse::<Uuid>().unwrap().cmp(&texts.1.parse().unwrap()),
        Kind::Time => {
            let time = |text| DateTime::parse_from_rfc3339(text).unwrap();
            time(texts.0).cmp(&time(texts.1))
        }
        Kind::Bool => one.as_bool().cmp(&other.as_bool()),
        Kind::Name => COLLATOR.compare(&fold(texts.0), &fold(texts.1)),
        _ => fold(texts.0).cmp(&fold(texts.1)),
    }
}

fn compare(kind: Kind, found: &Value, operator: &str, wanted: &Value) -> bool {
    let (text, part) = (found.as_str().unwrap(), wanted.as_str().unwrap());
    match operator {
        "co" => fold(text).contains(&fold(part)),
        "sw" => fold(text).starts_with(&fold(part)),
        "ew" => fold(text).ends_with(&fold(part)),
        "gt" => order(kind, found, wanted).is_gt(),
        "ge" => order(kind, found, wanted).is_ge(),
        "lt" => order(kind, found, wanted).is_lt(),
        "le" => order(kind, found, wanted).is_le(),
        "matches" => Regex::new(part).unwrap().is_match(text),
        other => panic!("{other}"),
    }
}
