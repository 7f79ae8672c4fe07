//! Tables of fields: each line has a field's name, kind, visibility and index. The parsers, the store and the documentation all
//! use them.

use std::fmt::Debug;

/// A field that lists can be filtered or sorted by.
#[derive(Clone, Copy, Debug)]
pub struct Field<F: 'static> {
    /// The field's variant in its enum.
    pub id: F,
    /// Name in queries, the same as in responses.
    pub name: &'static str,
    /// Kind of its values.
    pub kind: Kind,
    /// True if every caller may use it; otherwise only callers who see full records may.
    pub everyone: bool,
    /// True if bare words of `q` search it.
    pub searched: bool,
    /// True if lists can be sorted by it.
    pub sorted: bool,
    /// Index that serves it, for the documentation.
    pub index: &'static str,
}

impl<F> Field<F> {
    /// Creates a field for callers who see full records.
    pub const fn new(id: F, name: &'static str, kind: Kind, index: &'static str) -> Self {
        Self { id, name, kind, everyone: false, searched: false, sorted: false, index }
    }

    /// Makes the field usable by every caller.
    #[must_use]
    pub const fn everyone(mut self) -> Self {
        self.everyone = true;
        self
    }

    /// Lets bare words of `q` search the field.
    #[must_use]
    pub const fn searched(mut self) -> Self {
        self.searched = true;
        self
    }

    /// Lets lists be sorted by the field.
    #[must_use]
    pub const fn sorted(mut self) -> Self {
        self.sorted = true;
        self
    }
}

/// The fields of a resource.
pub trait Fields: Copy + Debug + PartialEq + Send + Sync + 'static {
    /// All fields, in the order of the documentation.
    const TABLE: &'static [Field<Self>];

    /// Returns the field with this name, regardless of case (RFC 7644, section 3.4.2.2).
    fn named(name: &str) -> Option<&'static Field<Self>> {
        Self::TABLE.iter().find(|field| field.name.eq_ignore_ascii_case(name))
    }

    /// Returns the field's line in the table.
    fn line(self) -> &'static Field<Self> {
        Self::TABLE.iter().find(|field| field.id == self).expect("a test checks that every field has a line")
    }
}

/// Kind of a field's values, which decides the operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An id.
    Id,
    /// Text written by people; compared regardless of case.
    Text,
    /// Text from a fixed set or written by programs; equality only, case-sensitive.
    Word,
    /// True or false.
    Bool,
    /// A time, RFC 3339.
    Time,
    /// A JSON object, whose values are addressed by a path.
    Json,
    /// A set of names.
    Names,
    /// A set of groups, each with its slug and the roles held in it.
    Groups,
}

impl Kind {
    /// Operators of this kind in `filter` syntax.
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

    /// Description of its values, for errors and documentation.
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
