//! Random searches as users type them, and the users they match by the documented rules.

use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use serde_json::json;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::expression::{Kind, equal, fold, found, kind};
use super::filters;
use super::people::Someone;

const SEARCHED: &[&str] = &["username", "email", "phone", "name", "given_name", "family_name"];
const OTHERS: &[&str] = &[
    "suspended",
    "has_password",
    "roles",
    "groups",
    "created_via",
    "custom_data.plan",
    "custom_data.seats",
    "custom_data.tags",
    "custom_data.a.b",
];

/// A conjunction of terms.
#[derive(Clone, Debug)]
pub struct Search(pub Vec<Term>);

#[derive(Clone, Debug)]
pub struct Term {
    negated: bool,
    field: Option<&'static str>,
    pattern: Vec<Piece>,
    quoted: bool,
}

#[derive(Clone, Debug, PartialEq)]
enum Piece {
    Text(String),
    Many,
    One,
}

impl Search {
    pub fn random(random: &mut StdRng, people: &[Someone]) -> Self {
        Self((0..random.random_range(1..=3)).map(|_| Term::random(random, people)).collect())
    }

    pub fn finds(&self, someone: &Someone) -> bool {
        self.0.iter().all(|term| term.finds(someone) != term.negated)
    }

    /// Each term alone.
    pub fn smaller(&self) -> Vec<Self> {
        if self.0.len() == 1 {
            Vec::new()
        } else {
            self.0.iter().map(|term| Self(vec![term.clone()])).collect()
        }
    }

    pub fn written(&self) -> String {
        let terms: Vec<String> = self.0.iter().map(Term::written).collect();
        // A space or a comma with any blanks around it.
        terms.join(if terms.len().is_multiple_of(2) { " , " } else { " " })
    }
}

impl Term {
    fn random(random: &mut StdRng, people: &[Someone]) -> Self {
        let field = match random.random_range(0..4) {
            0 | 1 => None,
            2 => Some(*SEARCHED.choose(random).unwrap()),
            _ => Some(*OTHERS.choose(random).unwrap()),
        };
        let path = |field: &str| field.split('.').map(str::to_owned).collect::<Vec<_>>();
        let looked_at = field.unwrap_or_else(|| SEARCHED.choose(random).unwrap());
        let value = filters::value(random, people, &path(looked_at));
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let plain = field.is_some_and(|field| !SEARCHED.contains(&field));
        let text = if plain {
            text
        } else {
            let whole = field.is_some() && random.random();
            if whole { text } else { filters::piece(random, &text, "co") }
        };
        let text = if text.is_empty() { "al".to_owned() } else { text };
        let mut pattern = Vec::new();
        if plain || random.random_range(0..3) == 0 {
            pattern.push(Piece::Text(text));
        } else {
            for character in text.chars() {
                match random.random_range(0..12) {
                    0 if pattern.last() != Some(&Piece::Many) => pattern.push(Piece::Many),
                    1 => pattern.push(Piece::One),
                    _ => match pattern.last_mut() {
                        Some(Piece::Text(text)) => text.push(character),
                        _ => pattern.push(Piece::Text(character.to_string())),
                    },
                }
            }
            if random.random() && pattern.last() != Some(&Piece::Many) {
                pattern.push(Piece::Many);
            }
            if random.random() && pattern.first() != Some(&Piece::Many) {
                pattern.insert(0, Piece::Many);
            }
        }
        if plain && random.random_range(0..8) == 0 {
            pattern = vec![Piece::Many];
        }
        Self { negated: random.random_range(0..4) == 0, field, pattern, quoted: random.random() }
    }

    fn finds(&self, someone: &Someone) -> bool {
        let path = |field: &str| field.split('.').map(str::to_owned).collect::<Vec<_>>();
        let text = |field: &str| found(someone, &path(field)).and_then(|value| value.as_str()).map(fold);
        let Some(field) = self.field else { return self.pattern == [Piece::Many] || self.word(&text) };
        if self.pattern == [Piece::Many] {
            return found(someone, &path(field)).is_some();
        }
        if SEARCHED.contains(&field) {
            return text(field).is_some_and(|text| self.fits(&text));
        }
        let [Piece::Text(wanted)] = self.pattern.as_slice() else { unreachable!() };
        let value = found(someone, &path(field));
        match kind(&path(field)) {
            Kind::Bool => value.unwrap() == &serde_json::Value::Bool(wanted == "true"),
            Kind::Json => {
                // A value in the form of a number may be one.
                let typed =
                    serde_json::from_str(wanted).ok().filter(|value: &serde_json::Value| !value.is_null());
                value.is_some()
                    && (equal(Kind::Json, value, &json!(wanted))
                        || typed.is_some_and(|typed| equal(Kind::Json, value, &typed)))
            }
            kind => value.is_some() && equal(kind, value, &json!(wanted)),
        }
    }

    /// A bare word matches at any position in one of the searched fields, regardless of diacritics. A word of
    /// one or two characters, without wildcards except for a trailing `*`, matches the beginning of a word
    /// only.
    fn word(&self, text: &dyn Fn(&str) -> Option<String>) -> bool {
        let plainly = self.pattern.iter().map(|piece| match piece {
            Piece::Text(text) => Piece::Text(plain(text)),
            wildcard => wildcard.clone(),
        });
        let mut wanted: Vec<Piece> = plainly.filter(|piece| *piece != Piece::Text(String::new())).collect();
        if wanted.len() > 1 && wanted.last() == Some(&Piece::Many) {
            wanted.pop();
        }
        let begins = match wanted.as_slice() {
            [Piece::Text(text)] => text.chars().count() < 3 && text.starts_with(in_word),
            _ => false,
        };
        SEARCHED.iter().filter_map(|field| text(field)).any(|text| {
            let text = plain(&text);
            let mut before = None;
            let mut places = Vec::new();
            for (place, character) in text.char_indices() {
                if !begins || begins_word(before, character) {
                    places.push(place);
                }
                before = Some(character);
            }
            if !begins {
                places.push(text.len());
            }
            places.into_iter().any(|place| is_like(&wanted, &text[place..], true))
        })
    }

    /// True if a folded text matches the pattern.
    fn fits(&self, text: &str) -> bool {
        is_like(&self.pattern, text, false)
    }

    fn written(&self) -> String {
        let mut text = String::new();
        for piece in &self.pattern {
            match piece {
                Piece::Many => text.push('*'),
                Piece::One => text.push('?'),
                Piece::Text(piece) => {
                    for character in piece.chars() {
                        if r#"\*?"':,- "#.contains(character) {
                            text.push('\\');
                        }
                        text.push(character);
                    }
                }
            }
        }
        let pattern = if self.quoted { format!("\"{text}\"") } else { text };
        let minus = if self.negated { "-" } else { "" };
        match self.field {
            Some(field) => format!("{minus}{field}:{pattern}"),
            None => format!("{minus}{pattern}"),
        }
    }
}

/// True if a text starts with a match of the pattern; more text may follow only if `behind` is set.
fn is_like(pattern: &[Piece], text: &str, behind: bool) -> bool {
    let Some((piece, rest)) = pattern.split_first() else { return behind || text.is_empty() };
    match piece {
        Piece::Text(piece) => text.strip_prefix(&fold(piece)).is_some_and(|text| is_like(rest, text, behind)),
        Piece::One => text.chars().next().is_some_and(|c| is_like(rest, &text[c.len_utf8()..], behind)),
        Piece::Many => {
            let mut places = text.char_indices().map(|(place, _)| place).chain([text.len()]);
            places.any(|place| is_like(rest, &text[place..], behind))
        }
    }
}

/// A folded text without diacritics.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    for character in fold(text).chars() {
        match character {
            'æ' => plain.push_str("ae"),
            'ø' => plain.push('o'),
            'ł' => plain.push('l'),
            // In kana these marks form other letters.
            '\u{3040}'..='\u{30FF}' => plain.push(character),
            character => plain.extend(character.nfd().filter(|part| !('\u{300}'..='\u{36F}').contains(part))),
        }
    }
    plain
}

fn in_word(character: char) -> bool {
    character.is_alphanumeric() || is_combining_mark(character)
}

/// After a non-letter, and anywhere in scripts without spaces: Thai, kana, Han.
fn begins_word(before: Option<char>, character: char) -> bool {
    let alone = |character: char| {
        !in_word(character)
            || matches!(character, '\u{E00}'..='\u{E7F}' | '\u{3040}'..='\u{30FF}' | '\u{4E00}'..='\u{9FFF}')
    };
    alone(character) || before.is_none_or(alone)
}
