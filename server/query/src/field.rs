//! The table of fields: one line says what a field is called, what it holds, who may use it and what makes it fast. The
//! parsers, the store and the documentation all read it.

use std::fmt::Debug;

/// A field that lists can be narrowed or ordered by.
#[derive(Clone, Copy, Debug)]
pub struct Field<F: 'static> {
    /// The field.
    pub id: F,
    /// Its name in queries, as in answers.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether every caller may use it; else only those who see whole records.
    pub everyone: bool,
    /// Whether the search bar's bare words look into it.
    pub searched: bool,
    /// Whether lists can be sorted by it.
    pub sorted: bool,
    /// What keeps it fast, for the documentation.
    pub index: &'static str,
}

impl<F> Field<F> {
    /// A field that only those may use who see whole records.
    pub const fn new(id: F, name: &'static str, kind: Kind, index: &'static str) -> Self {
        Self { id, name, kind, everyone: false, searched: false, sorted: false, index }
    }

    /// Every caller may use it.
    #[must_use]
    pub const fn everyone(mut self) -> Self {
        self.everyone = true;
        self
    }

    /// The search bar looks into it.
    #[must_use]
    pub const fn searched(mut self) -> Self {
        self.searched = true;
        self
    }

    /// Lists can be sorted by it.
    #[must_use]
    pub const fn sorted(mut self) -> Self {
        self.sorted = true;
        self
    }
}

/// The fields of a resource.
pub trait Fields: Copy + Debug + PartialEq + Send + Sync + 'static {
    /// The table, in the order of the documentation.
    const TABLE: &'static [Field<Self>];

    /// The field with this name, whatever its case (RFC 7644, section 3.4.2.2).
    fn named(name: &str) -> Option<&'static Field<Self>> {
        Self::TABLE.iter().find(|field| field.name.eq_ignore_ascii_case(name))
    }

    /// Its line in the table.
    fn line(self) -> &'static Field<Self> {
        Self::TABLE.iter().find(|field| field.id == self).expect("every field has its line, a test says so")
    }
}

/// What a field holds, which decides how it can be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An id.
    Id,
    /// Text that people write: compared without regard to case.
    Text,
    /// Text out of a fixed set, or a machine's: only equality, and case counts.
    Word,
    /// True or false.
    Bool,
    /// A time, RFC 3339.
    Time,
    /// An object; a path leads to a value in it.
    Json,
    /// Several names.
    Names,
    /// Several groups, each with its slug and the roles in it.
    Groups,
}

impl Kind {
    /// The operators that it takes, as `filter` writes them.
    pub fn operators(self) -> &'static str {
        match self {
            Self::Id => "eq, ne, gt, ge, lt, le, in, pr",
            Self::Text => "eq, ne, co, sw, ew, gt, ge, lt, le, in, matches, pr",
            Self::Word | Self::Json | Self::Names => "eq, ne, in, pr",
            Self::Bool => "eq, ne, pr",
            Self::Time => "eq, ne, gt, ge, lt, le, in, pr",
            Self::Groups => "eq, ne, in, pr, and [slug eq … and role eq …]",
        }
    }

    /// What its values look like.
    pub fn values(self) -> &'static str {
        match self {
            Self::Id => "an id (a UUID) in quotes",
            Self::Text | Self::Word | Self::Names => "a text in quotes",
            Self::Bool => "true or false",
            Self::Time => {
                "a time in quotes (RFC 3339), such as \"2026-01-31T12:00:00Z\"; by gt, ge, lt and le also with a date, \
                 which means its midnight in UTC"
            }
            Self::Json => "a text in quotes, a number, true, false or null",
            Self::Groups => "a group's slug in quotes",
        }
    }
}
