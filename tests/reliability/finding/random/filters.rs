//! Random SCIM filters with values that users have or nearly have.

use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use serde_json::{Value, json};

use super::expression::{Expression, Kind, found, kind};
use super::people::Someone;

const PATHS: &[&[&str]] = &[
    &["id"],
    &["username"],
    &["email"],
    &["phone"],
    &["name"],
    &["given_name"],
    &["family_name"],
    &["suspended"],
    &["has_password"],
    &["roles"],
    &["groups"],
    &["created_via"],
    &["created_at"],
    &["updated_at"],
    &["last_sign_in_at"],
    &["custom_data", "plan"],
    &["custom_data", "seats"],
    &["custom_data", "active"],
    &["custom_data", "tags"],
    &["custom_data", "tags", "0"],
    &["custom_data", "a", "b"],
    &["custom_data", "a", "b", "c"],
    &["custom_data", "a"],
    &["custom_data", "odd key"],
    &["custom_data", "a.b"],
    &["custom_data", "Straße"],
    &["custom_data", "level"],
    &["custom_data", "nothing"],
    &["profile", "given_name"],
    &["profile", "nickname"],
];
const TEXT: &[&str] = &["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le", "matches"];
const ORDERED: &[&str] = &["eq", "ne", "gt", "ge", "lt", "le"];

/// A filter of the given depth.
pub fn random(random: &mut StdRng, people: &[Someone], depth: u32) -> Expression {
    let shape = if depth == 0 { 9 } else { random.random_range(0..10) };
    let parts = |random: &mut StdRng| {
        (0..random.random_range(2..=3)).map(|_| self::random(random, people, depth - 1)).collect()
    };
    match shape {
        0..=2 => Expression::All(parts(random)),
        3..=5 => Expression::Any(parts(random)),
        6 => Expression::Not(Box::new(self::random(random, people, depth - 1))),
        7 => Expression::Entry(Box::new(entry(random, depth.min(2)))),
        _ => leaf(random, people),
    }
}

/// A condition on one of a user's groups.
fn entry(random: &mut StdRng, depth: u32) -> Expression {
    let shape = if depth == 0 { 9 } else { random.random_range(0..10) };
    let slugs = ["qa", "ops", "public", "empty", "nobody"];
    let roles = ["owner", "admin", "member", "nobody"];
    let (name, values) = if random.random() { ("slug", &slugs[..]) } else { ("role", &roles[..]) };
    let path = vec![name.to_owned()];
    match shape {
        0..=3 => Expression::All(vec![entry(random, depth - 1), entry(random, depth - 1)]),
        4 => Expression::Any(vec![entry(random, depth - 1), entry(random, depth - 1)]),
        5 => Expression::Not(Box::new(entry(random, depth - 1))),
        6 => Expression::In { path, values: (0..2).map(|_| json!(values.choose(random).unwrap())).collect() },
        7 => Expression::Present { path },
        _ => {
            let operator = if some(random) { "eq" } else { "ne" };
            Expression::Compare { path, operator, value: json!(values.choose(random).unwrap()) }
        }
    }
}

/// True three times in four.
fn some(random: &mut StdRng) -> bool {
    random.random_range(0..4) > 0
}

fn leaf(random: &mut StdRng, people: &[Someone]) -> Expression {
    let path: Vec<String> = PATHS.choose(random).unwrap().iter().map(|part| (*part).to_owned()).collect();
    let kind = kind(&path);
    match random.random_range(0..10) {
        0 => return Expression::Present { path },
        1 | 2 if kind != Kind::Bool => {
            let values = (0..random.random_range(1..=4)).map(|_| value(random, people, &path)).collect();
            return Expression::In { path, values };
        }
        _ => {}
    }
    let operator = match kind {
        Kind::Text | Kind::Name => TEXT.choose(random).unwrap(),
        Kind::Id | Kind::Time => ORDERED.choose(random).unwrap(),
        _ => ORDERED[..2].choose(random).unwrap(),
    };
    let value = match *operator {
        "co" | "sw" | "ew" => {
            let text = value(random, people, &path);
            json!(piece(random, text.as_str().unwrap(), operator))
        }
        "matches" => {
            let text = value(random, people, &path);
            json!(pattern(random, text.as_str().unwrap()))
        }
        "eq" | "ne" if random.random_range(0..20) == 0 => Value::Null,
        _ => value(random, people, &path),
    };
    Expression::Compare { path, operator, value }
}

/// A value of some user's field, often in another case; occasionally one that no user has.
pub fn value(random: &mut StdRng, people: &[Someone], path: &[String]) -> Value {
    let kind = kind(path);
    let someone =
        people.iter().filter_map(|person| found(person, path)).collect::<Vec<_>>().choose(random).copied();
    let mut value = someone.cloned().unwrap_or_else(|| json!("nobody"));
    // For a list, one of its items if that is a value.
    if let Value::Array(items) = &value {
        value = items.choose(random).cloned().unwrap_or_else(|| json!("math"));
    }
    if value.is_object() || value.is_array() || value.is_null() {
        value = json!(1);
    }
    match (kind, random.random_range(0..6)) {
        (Kind::Text | Kind::Name, 0) => json!(value.as_str().unwrap().to_lowercase()),
        (Kind::Text | Kind::Name, 1) => json!(value.as_str().unwrap().to_uppercase()),
        (Kind::Text | Kind::Name, 2) => json!(["nobody", "m", "", "~", "ß"].choose(random).unwrap()),
        (Kind::Word | Kind::Names, 0) => json!(value.as_str().unwrap().to_uppercase()),
        (Kind::Json, 0) => json!(["pro", "5", "", "math"].choose(random).unwrap()),
        (Kind::Json, 1) => [json!(1.0), json!(5), json!(true), json!(0)].choose(random).unwrap().clone(),
        (Kind::Time, 0) => json!("2026-01-05T01:00:00+01:00"),
        _ => value,
    }
}

/// A part of a text, at the position that an operator compares.
pub fn piece(random: &mut StdRng, text: &str, operator: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let length = random.random_range(0..=characters.len().min(5));
    let start = match operator {
        "sw" => 0,
        "ew" => characters.len() - length,
        _ => random.random_range(0..=characters.len() - length),
    };
    characters[start..start + length].iter().collect()
}

/// A regular expression that contains a part of a text.
fn pattern(random: &mut StdRng, text: &str) -> String {
    let part = regex::escape(&piece(random, text, "co").replace(' ', "x"));
    // Regular expressions for an empty match are not tested.
    let part = if part.is_empty() { "a".to_owned() } else { part };
    let ascii = if part.is_ascii() { part.clone() } else { "ada".to_owned() };
    let class =
        ["alnum", "alpha", "digit", "lower", "print", "punct", "upper", "word"].choose(random).unwrap();
    match random.random_range(0..9) {
        0 => format!("^{part}"),
        1 => format!("{part}$"),
        2 => format!("(?i){ascii}"),
        3 => format!("{part}.*[0-9a-e]"),
        4 => format!("^(?:{part}|a)+"),
        5 => format!("[^a-z]{{1,3}}{part}"),
        6 => format!("^[[:{class}:]]+$"),
        7 => format!("{part}[^[:{class}:]]"),
        _ => part,
    }
}
