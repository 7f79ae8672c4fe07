//! Random filters in JSON Logic, compared with an interpreter of JSON Logic.
//!
//! The tests cover only rules on which the server and JSON Logic agree. Excluded because JSON Logic differs:
//! `var` alone on values in `custom_data` that may be false, 0 or empty (the server tests for existence);
//! `==` with a list or with a value of another type in `custom_data` (the server finds values in lists, JSON
//! Logic converts types); `<` and `>` on texts with capitals or beyond ASCII (the server uses the order of
//! `sort`), on times in different notations, and on missing values without a guard (JSON Logic fails, the
//! server matches nothing).

use datalogic_rs::bumpalo::Bump;
use datalogic_rs::{Engine, ParsedData};
use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use serde_json::{Value, json};

use super::expression::{Kind, kind};
use super::filters;
use super::people::Someone;

const TEXTS: &[&str] = &[
    "id",
    "username",
    "email",
    "phone",
    "name",
    "given_name",
    "family_name",
    "created_via",
    "created_at",
    "custom_data.tier",
];
/// Texts that can be compared without regard to case: those that `in` searches.
const SEARCHED: &[&str] = &["username", "email", "phone", "name", "given_name", "family_name"];
const ORDERED: &[&str] = &["id", "phone", "family_name", "created_at"];
const PRESENT: &[&str] = &[
    "id",
    "username",
    "email",
    "phone",
    "name",
    "given_name",
    "family_name",
    "suspended",
    "has_password",
    "roles",
    "groups",
    "last_sign_in_at",
    "custom_data.tier",
    "custom_data.level",
    "custom_data.nothing",
];

/// The interpreter with all users.
pub struct Oracle {
    engine: Engine,
    people: Vec<(String, ParsedData)>,
}

impl Oracle {
    pub fn new(people: &[Someone]) -> Self {
        let parsed = people.iter().map(|person| {
            let id = person["id"].as_str().unwrap().to_owned();
            (id, ParsedData::from_json(&person.to_string()).unwrap())
        });
        Self { engine: Engine::new(), people: parsed.collect() }
    }

    /// The ids of the users that a rule matches.
    pub fn finds(&self, rule: &Value) -> Vec<String> {
        let rule = self.engine.compile(rule.to_string().as_str()).unwrap();
        let mut arena = Bump::new();
        let mut found = Vec::new();
        for (id, person) in &self.people {
            let response =
                self.engine.evaluate(&rule, person, &arena).unwrap_or_else(|error| panic!("{error}"));
            if self.engine.truthy(response) {
                found.push(id.clone());
            }
            arena.reset();
        }
        found
    }
}

/// A rule of the given depth.
pub fn random(random: &mut StdRng, people: &[Someone], depth: u32) -> Value {
    let shape = if depth == 0 { 9 } else { random.random_range(0..10) };
    let parts = |random: &mut StdRng| -> Vec<Value> {
        (0..random.random_range(1..=3)).map(|_| self::random(random, people, depth - 1)).collect()
    };
    match shape {
        0..=2 => json!({ "and": parts(random) }),
        3..=5 => json!({ "or": parts(random) }),
        6 => json!({ "!": self::random(random, people, depth - 1) }),
        7 => json!({ "!!": [self::random(random, people, depth - 1)] }),
        _ => leaf(random, people),
    }
}

/// Smaller rules, one of which may still show the failure.
pub fn smaller(rule: &Value) -> Vec<Value> {
    let (name, argument) = rule.as_object().unwrap().iter().next().unwrap();
    match (name.as_str(), argument) {
        ("and" | "or", Value::Array(parts)) => {
            let mut found = parts.clone();
            for (index, part) in parts.iter().enumerate() {
                for part in smaller(part) {
                    let mut parts = parts.clone();
                    parts[index] = part;
                    found.push(json!({ name: parts }));
                }
                if parts.len() > 1 {
                    let mut parts = parts.clone();
                    parts.remove(index);
                    found.push(json!({ name: parts }));
                }
            }
            found
        }
        ("!" | "!!", argument) => {
            let part = argument.get(0).unwrap_or(argument);
            let inner = smaller(part).into_iter().map(|part| json!({ name: part }));
            std::iter::once(part.clone()).chain(inner).collect()
        }
        _ => Vec::new(),
    }
}

fn leaf(random: &mut StdRng, people: &[Someone]) -> Value {
    match random.random_range(0..8) {
        0 => json!({ "var": PRESENT.choose(random).unwrap() }),
        1 | 2 => {
            let name = *TEXTS.choose(random).unwrap();
            let value =
                if random.random_range(0..10) == 0 { Value::Null } else { text(random, people, name) };
            let operator = ["==", "===", "!=", "!=="].choose(random).unwrap();
            let mut operands = [json!({ "var": name }), value];
            if random.random() {
                operands.reverse();
            }
            json!({ *operator: operands })
        }
        3 => {
            let (name, value) = [
                ("suspended", json!(random.random::<bool>())),
                ("has_password", json!(random.random::<bool>())),
                ("custom_data.level", json!(random.random_range(1..=4))),
                ("custom_data.level", json!(2.0)),
                ("custom_data.active", json!(random.random::<bool>())),
            ]
            .choose(random)
            .unwrap()
            .clone();
            json!({ (if random.random() { "===" } else { "!==" }): [{ "var": name }, value] })
        }
        4 => ordered(random, people),
        5 => {
            let name = *TEXTS.choose(random).unwrap();
            let values: Vec<Value> =
                (0..random.random_range(1..=3)).map(|_| text(random, people, name)).collect();
            json!({ "in": [{ "var": name }, values] })
        }
        6 => {
            let name = *SEARCHED.choose(random).unwrap();
            let text = text(random, people, name);
            let piece = filters::piece(random, text.as_str().unwrap(), "co");
            json!({ "in": [piece, { "var": name }] })
        }
        _ => {
            let names = ["editor", "writer", "rare", "Editor", "qa", "ops", "public", "nobody"];
            let field = ["roles", "groups"].choose(random).unwrap();
            json!({ "in": [names.choose(random).unwrap(), { "var": field }] })
        }
    }
}

fn ordered(random: &mut StdRng, people: &[Someone]) -> Value {
    let name = *ORDERED.choose(random).unwrap();
    let field = json!({ "var": name });
    let mut value = || loop {
        let value = text(random, people, name);
        // The server accepts times in any notation, JSON Logic compares their characters.
        if value.as_str().is_some_and(|text| is_ordered_alike(name, text)) {
            return value;
        }
    };
    let (one, other) = (value(), value());
    let operator = ["<", "<=", ">", ">="].choose(random).unwrap();
    let compared = match random.random_range(0..3) {
        0 => json!({ *operator: [field, one] }),
        1 => json!({ *operator: [one, field] }),
        _ => json!({ (if random.random() { "<" } else { "<=" }): [one, field, other] }),
    };
    json!({ "and": [{ "var": name }, compared] })
}

/// True if JSON Logic, which compares code points, orders the text as the server does.
fn is_ordered_alike(name: &str, text: &str) -> bool {
    match name {
        "family_name" => text.bytes().all(|byte| byte.is_ascii_lowercase()),
        _ => text.is_ascii() && (text == text.to_lowercase() || text.ends_with("00Z")),
    }
}

/// A value of a field, of the field's type.
fn text(random: &mut StdRng, people: &[Someone], name: &str) -> Value {
    let path: Vec<String> = name.split('.').map(str::to_owned).collect();
    loop {
        let value = filters::value(random, people, &path);
        let Some(text) = value.as_str() else { continue };
        // JSON Logic treats a missing value and an empty text as equal.
        if !text.is_empty() && (kind(&path) != Kind::Time || text.ends_with("00Z")) {
            return value;
        }
    }
}
