//! Conditions for the words of the search language.

use diesel::prelude::*;
use diesel::sql_types::Text;
use rollcall_api::types::fold;
use rollcall_query::Pattern;
use rollcall_query::pattern::{Part, escaped};

use super::columns::TextColumn;
use super::condition::{Condition, MatchesRegex};
use super::resources::{Resource, Source};
use crate::derived::{MARK, is_in_word, plain};

/// The locations of a field's words: lines of the column `search` (see [`crate::derived`]).
#[derive(Clone, Copy, Debug)]
pub struct Words {
    /// The column with the lines of all fields.
    pub whole: TextColumn,
    /// The line with the field's text.
    pub plain: TextColumn,
    /// The line with the beginnings of the field's words.
    pub beginnings: TextColumn,
}

/// The [`Words`] of a field, from its table, its position in `search`, counted from one, and the number of
/// fields there.
macro_rules! words {
    ($table:literal, $plain:literal, $beginnings:literal) => {
        $crate::find::words::Words {
            whole: $crate::find::columns::Column::named(&$crate::find::columns::Named(concat!(
                "\"",
                $table,
                "\".\"search\""
            ))),
            plain: $crate::find::columns::Column::named(&$crate::find::columns::Named(concat!(
                "split_part(\"",
                $table,
                "\".\"search\", E'\\n', ",
                $plain,
                ")"
            ))),
            beginnings: $crate::find::columns::Column::named(&$crate::find::columns::Named(concat!(
                "split_part(\"",
                $table,
                "\".\"search\", E'\\n', ",
                $beginnings,
                ")"
            ))),
        }
    };
}
pub(super) use words;

/// A word in the form in which it is searched.
#[derive(Debug)]
enum Wanted {
    /// A short word: matches the beginning of a word.
    Beginning(String),
    /// Matches at any position.
    Anywhere(Pattern),
}

impl Wanted {
    fn of(pattern: &Pattern) -> Self {
        let mut pattern = pattern.folded(fold).folded(plain);
        // More characters may follow a word anyway.
        if matches!(pattern.0.as_slice(), [_, .., Part::Many]) {
            pattern.0.pop();
        }
        match pattern.plain() {
            Some(text) if text.chars().count() < 3 && text.starts_with(is_in_word) => {
                Self::Beginning(text.to_owned())
            }
            _ => Self::Anywhere(pattern),
        }
    }

    /// The condition on the lines of one field.
    fn in_field(&self, words: &Words) -> Condition {
        match self {
            Self::Beginning(_) => Condition::leaf(words.beginnings.like(self.like())),
            Self::Anywhere(_) => Condition::leaf(words.plain.like(self.like())),
        }
    }

    fn like(&self) -> String {
        match self {
            Self::Beginning(text) => format!("%{MARK}{}%", escaped(text)),
            Self::Anywhere(pattern) => format!("%{}%", pattern.like()),
        }
    }

    /// True if the whole column matches exactly when one of its fields does: wildcards also match line
    /// terminators.
    fn is_within_a_line(&self) -> bool {
        match self {
            Self::Beginning(_) => true,
            Self::Anywhere(pattern) => pattern.plain().is_some(),
        }
    }

    /// The condition on a lowercase ASCII text without a `search` column, such as a slug.
    fn in_name(&self, name: TextColumn) -> Condition {
        match self {
            Self::Anywhere(_) => Condition::leaf(name.like(self.like())),
            Self::Beginning(text) => {
                let escaped: String = text
                    .chars()
                    .flat_map(|character| {
                        let escape = character.is_ascii() && !character.is_ascii_alphanumeric();
                        escape.then_some('\\').into_iter().chain([character])
                    })
                    .collect();
                let beginning = format!("(^|[^a-z0-9]){escaped}");
                Condition::leaf(MatchesRegex::new(name, beginning.into_sql::<Text>()))
            }
        }
    }
}

/// One of the fields contains the word.
pub fn condition<F: Resource>(fields: &[F], pattern: &Pattern) -> Condition {
    let wanted = Wanted::of(pattern);
    let whole = F::search_text();
    // A caller who sees all fields needs no separate condition for each.
    let searched = F::TABLE.iter().filter(|field| field.searched).count();
    if let Some(whole) = whole
        && fields.len() == searched
        && wanted.is_within_a_line()
    {
        return Condition::leaf(whole.like(wanted.like()));
    }
    let field = |field: &F| match field.source() {
        Source::Text(columns) => match &columns.words {
            Some(words) => wanted.in_field(words),
            None => wanted.in_name(columns.folded),
        },
        _ => Condition::Any(Vec::new()),
    };
    let any = Condition::Any(fields.iter().map(field).collect());
    match whole {
        Some(whole) => Condition::All(vec![Condition::index_hint(whole.like(wanted.like())), any]),
        None => any,
    }
}
