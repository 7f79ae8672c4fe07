//! The words of the search bar: where they are looked for, and how.

use diesel::prelude::*;
use diesel::sql_types::Text;
use rollcall_api::types::fold;
use rollcall_query::Pattern;
use rollcall_query::pattern::{Part, escaped};

use super::columns::TextColumn;
use super::condition::{Condition, MatchesRegex};
use super::resources::{Resource, Source};
use crate::derived::{MARK, is_in_word, plain};

/// Where the words of a field are: in the lines of the column `search` (see [`crate::derived`]).
#[derive(Clone, Copy, Debug)]
pub struct Words {
    /// The column, with those of the other fields.
    pub whole: TextColumn,
    /// The field's text.
    pub plain: TextColumn,
    /// The beginnings of its words.
    pub beginnings: TextColumn,
}

/// The same for a table and the field's place in its `search`, counted from one, and how many fields are there.
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

/// A word as it is looked for.
#[derive(Debug)]
enum Wanted {
    /// A short word: at the beginning of one.
    Beginning(String),
    /// Anywhere.
    Anywhere(Pattern),
}

impl Wanted {
    fn of(pattern: &Pattern) -> Self {
        let mut pattern = pattern.folded(fold).folded(plain);
        // Something may stand behind a word anyway.
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

    /// In the lines of one field.
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

    /// Whether the whole column has it exactly where one of its fields does: wildcards match ends of lines, too.
    fn is_within_a_line(&self) -> bool {
        match self {
            Self::Beginning(_) => true,
            Self::Anywhere(pattern) => pattern.plain().is_some(),
        }
    }

    /// In a text of ASCII in small letters that has no such column: the name of something.
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

/// One of the fields has the word.
pub fn condition<F: Resource>(fields: &[F], pattern: &Pattern) -> Condition {
    let wanted = Wanted::of(pattern);
    let whole = F::gathered();
    // Whoever sees all of the fields needs no look at each.
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
        Some(whole) => Condition::All(vec![Condition::helper(whole.like(wanted.like())), any]),
        None => any,
    }
}
