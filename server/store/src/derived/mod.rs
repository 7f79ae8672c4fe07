//! Columns for searching and sorting lists, derived from the names of users, groups and roles. They are
//! derived only here; the database stores and indexes the results.
//!
//! Columns with folded text serve case-insensitive comparisons. `sort_keys` and `name_key` serve orders
//! ([`sort_key`]). `search` serves words. It consists of lines, each terminated by a newline: the
//! [`VERSION`], then one line for each text in its [`plain`] form, then one line for each text with the
//! [`beginnings`] of its words. The last line is a digest of the texts, so that the column changes whenever a
//! text does: a trigger clears the column where an older server changes only a text.

mod plain;
mod refresh;
mod sort_key;
mod spaceless;

use diesel::prelude::*;
use rollcall_api::types::fold;
use serde_json::Value;

pub use plain::{MARK, begins_word, is_in_word, plain};
pub use refresh::refresh;
pub use sort_key::sort_key;

use crate::schema::{groups, roles, users};

/// Version of the derivation. Increase it whenever the same names would produce different columns, for
/// example after an update of the Unicode data or of a table of letters. Rows of other versions are derived
/// again at the next start and by the sweeper.
pub const VERSION: &str = "1";

/// SQL condition: the row's columns are missing or of another version, written by an older server.
macro_rules! stale {
    () => {
        "(search IS NULL OR split_part(search, E'\\n', 1) <> '1')"
    };
}
pub(crate) use stale;

/// Value of the column `search` for a row with these folded texts.
fn search(texts: &[Option<&str>]) -> String {
    let plain: Vec<String> = texts.iter().map(|text| text.map(plain).unwrap_or_default()).collect();
    let mut search = format!("{VERSION}\n");
    for line in plain.iter().cloned().chain(plain.iter().map(|text| plain::beginnings(text))) {
        search.push_str(&line);
        search.push('\n');
    }
    search.push_str(&digest(texts));
    search
}

/// A digest of the texts in control characters, which no search term contains.
fn digest(texts: &[Option<&str>]) -> String {
    let mut hash: u32 = 0x811c_9dc5;
    for text in texts {
        for byte in text.unwrap_or_default().bytes().chain([u8::from(text.is_some())]) {
            hash = (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
        }
    }
    hash.to_be_bytes()
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| char::from(0x10 + digit))
        .collect()
}

/// The names of a user.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = users, check_for_backend(diesel::pg::Pg))]
pub(crate) struct UserNames {
    pub username_folded: Option<String>,
    pub email_folded: Option<String>,
    pub phone: Option<String>,
    pub name: Option<String>,
    pub profile: Value,
}

/// The columns that are derived from a user's names.
#[derive(Clone, Debug, Insertable, AsChangeset)]
#[diesel(table_name = users, treat_none_as_null = true, treat_none_as_default_value = false)]
pub(crate) struct UserColumns {
    pub name_folded: Option<String>,
    pub given_name_folded: Option<String>,
    pub family_name_folded: Option<String>,
    /// Sort keys of the username, the name, the given name and the family name.
    pub sort_keys: Vec<Option<Vec<u8>>>,
    pub search: String,
}

impl UserColumns {
    pub(crate) fn of(names: &UserNames) -> Self {
        let claim = |claim: &str| names.profile[claim].as_str().map(fold);
        let name = names.name.as_deref().map(fold);
        let (given, family) = (claim("given_name"), claim("family_name"));
        let sorted = [&names.username_folded, &name, &given, &family];
        let searched = [&names.username_folded, &names.email_folded, &names.phone, &name, &given, &family];
        Self {
            sort_keys: sorted.map(|text| text.as_deref().map(sort_key)).to_vec(),
            search: search(&searched.map(Option::as_deref)),
            name_folded: name,
            given_name_folded: given,
            family_name_folded: family,
        }
    }
}

/// The columns that are derived from a group's names.
#[derive(Clone, Debug, Insertable, AsChangeset)]
#[diesel(table_name = groups)]
pub(crate) struct GroupColumns {
    pub name_folded: String,
    pub name_key: Vec<u8>,
    pub search: String,
}

impl GroupColumns {
    pub(crate) fn of(slug: &str, name: &str) -> Self {
        let name = fold(name);
        Self { name_key: sort_key(&name), search: search(&[Some(slug), Some(&name)]), name_folded: name }
    }
}

/// The columns that are derived from a role's name and description.
#[derive(Clone, Debug, Insertable, AsChangeset)]
#[diesel(table_name = roles, treat_none_as_null = true, treat_none_as_default_value = false)]
pub(crate) struct RoleColumns {
    pub description_folded: Option<String>,
    pub search: String,
}

impl RoleColumns {
    pub(crate) fn of(name: &str, description: Option<&str>) -> Self {
        let description = description.map(fold);
        Self { search: search(&[Some(name), description.as_deref()]), description_folded: description }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_the_one_in_the_condition() {
        assert!(stale!().contains(&format!("<> '{VERSION}'")));
    }

    #[test]
    fn a_search_has_its_lines() {
        let search = search(&[Some("wei ng"), None, Some("李小")]);
        let (lines, digest) = search.rsplit_once('\n').unwrap();
        assert_eq!(lines, "1\nwei ng\n\n李小\n\u{1}we\u{1}ng\n\n\u{1}李小\u{1}小");
        assert!(digest.len() == 8 && digest.bytes().all(|byte| (0x10..0x20).contains(&byte)), "{digest:?}");
    }

    #[test]
    fn a_search_changes_with_each_text() {
        let texts: [&[Option<&str>]; 5] = [
            &[Some("angstrom"), None],
            &[Some("ångström"), None],
            &[Some("angstrom"), Some("")],
            &[None, None],
            &[None, Some("")],
        ];
        let searches: std::collections::HashSet<String> = texts.iter().map(|texts| search(texts)).collect();
        assert_eq!(searches.len(), texts.len());
    }

    /// If this fails, the data or the code behind the columns has changed: increase [`VERSION`], here and in
    /// the condition, so that rows are derived again, then update the digest here.
    #[test]
    fn what_is_derived_stays_the_same_in_one_version() {
        let corpus: String = (' '..='\u{24F}')
            .chain('\u{370}'..='\u{58F}')
            .chain('\u{5D0}'..='\u{64A}')
            .chain('\u{905}'..='\u{939}')
            .chain('\u{E01}'..='\u{E2E}')
            .chain('\u{1EA0}'..='\u{1EFF}')
            .chain('\u{3041}'..='\u{3096}')
            .chain([
                '李',
                '小',
                '明',
                '가',
                '한',
                '😀',
                '👍',
                '\u{FDFA}',
                '㍿',
                'ﬁ',
                'Ａ',
                '\u{1F469}',
                '\u{200D}',
            ])
            .collect();
        let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
        let mut add = |bytes: &[u8]| {
            for byte in bytes {
                hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
            }
        };
        for character in corpus.chars() {
            for text in [character.to_string(), format!("a{character}b {character}")] {
                let folded = fold(&text);
                add(&sort_key(&folded));
                add(search(&[Some(&folded)]).as_bytes());
            }
        }
        assert_eq!(hash, 7_524_964_470_683_461_740, "the digest of version {VERSION}");
    }
}
