//! Sort keys of texts in the Unicode collation order, with CLDR's root collation for all languages.

use icu_collator::CollatorBorrowed;
use icu_collator::options::CollatorOptions;

/// Maximum length of a key in bytes: about a hundred letters. Three keys fit into a page token, and each fits
/// into a page of an index. Texts that differ only beyond this length are ordered by id.
pub const SORT_KEY_MAX: usize = 480;

/// Compares letters first, then accents, then what remains of case.
static COLLATOR: CollatorBorrowed<'static> = CollatorBorrowed::new_root(CollatorOptions::default());

/// Sort key of a folded text. Keys are compared byte by byte.
pub fn sort_key(folded: &str) -> Vec<u8> {
    let mut key = Vec::with_capacity(2 * folded.len());
    let Ok(()) = COLLATOR.write_sort_key_to(folded, &mut key);
    key.truncate(SORT_KEY_MAX);
    key
}

#[cfg(test)]
mod tests {
    use rollcall_api::types::fold;

    use super::*;

    #[test]
    fn names_stand_where_people_look_for_them() {
        let ordered = [
            "1",
            "10",
            "2",
            "Ada Lovelace",
            "ada-lovelace",
            "ada.b",
            "adam",
            "Ähnlich",
            "Angstrom",
            "Ångström",
            "Émile",
            "Lukas",
            "Łukasz",
            "Lz",
            "Omer",
            "Ömer",
            "oz",
            "Strasse",
            "strassf",
            "Zed",
            "Жанна",
            "山田",
        ];
        let mut sorted = ordered;
        sorted.reverse();
        sorted.sort_by_key(|text| sort_key(&fold(text)));
        assert_eq!(sorted, ordered);
        assert_eq!(sort_key(&fold("STRASSE")), sort_key(&fold("straße")));
    }

    #[test]
    fn keys_have_an_end() {
        for text in ["\u{FDFA}".repeat(256), "é".repeat(256), "李".repeat(256)] {
            assert_eq!(sort_key(&fold(&text)).len(), SORT_KEY_MAX);
        }
    }
}
