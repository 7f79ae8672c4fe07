//! Case folding: the form in which names are compared, kept unique and searched.

use icu_properties::CodePointSetData;
use icu_properties::props::DefaultIgnorableCodePoint;
use unicode_normalization::UnicodeNormalization;

/// Folds a name for comparison: NFKC and full case folding without invisible characters (Default_Ignorable_Code_Point), as
/// Unicode's NFKC_Casefold does. The only implementation; the database stores the result and never folds by itself.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let visible: String = fold_case(text).chars().filter(|c| !is_invisible(*c)).collect();
    visible.nfkc().collect()
}

/// Folds a name as earlier servers did, keeping invisible characters.
fn fold_case(text: &str) -> String {
    let compatible: String = text.nfkc().collect();
    let folded = icu_casemap::CaseMapper::new().fold_string(&compatible).into_owned();
    folded.nfkc().collect()
}

/// Returns true for a character that has no visible form: a joiner, a filler, a direction mark, a variation selector.
pub fn is_invisible(character: char) -> bool {
    CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(character)
}

/// Lookup key of a username or another identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameKey {
    /// The folded name.
    pub folded: String,
    /// The name as earlier servers folded it, if that differs. Users whose names would collide in the newer folding keep the
    /// older one and are found by it first.
    pub kept: Option<String>,
}

impl NameKey {
    /// Creates the key of a name as written by a caller.
    pub fn of(name: &str) -> Self {
        let kept = (!name.is_ascii() && name.chars().any(is_invisible)).then(|| fold_case(name));
        Self { folded: fold(name), kept }
    }

    /// Returns the folded forms that a row may have, in the order of lookup.
    pub fn forms(&self) -> Vec<&str> {
        self.kept.as_deref().into_iter().chain([self.folded.as_str()]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding_is_full_and_stable() {
        assert_eq!(fold("STRASSE"), fold("straße"));
        assert_eq!(fold("ＡＤＡ"), "ada");
        assert_eq!(fold("\u{0130}"), fold(&fold("\u{0130}")));
        assert_eq!(fold("ΣΊΣΥΦΟΣ"), fold("σίσυφος"));
    }

    #[test]
    fn folding_twice_changes_nothing() {
        // All planes with assigned characters.
        for character in ('\0'..='\u{323AF}').chain('\u{E0000}'..='\u{E0FFF}') {
            for beside in ['\u{301}', '\u{34f}', 'K'] {
                let folded = fold(&format!("{beside}{character}"));
                assert_eq!(
                    fold(&folded),
                    folded,
                    "U+{:04X} behind U+{:04X}",
                    character as u32,
                    beside as u32
                );
                if let Some(hidden) = folded.chars().find(|c| is_invisible(*c)) {
                    panic!("U+{:04X} leaves U+{:04X}", character as u32, hidden as u32);
                }
            }
        }
    }

    #[test]
    fn what_nobody_sees_makes_no_difference() {
        for hidden in [
            "\u{34f}",
            "\u{200b}",
            "\u{2060}",
            "\u{fe0f}",
            "\u{115f}",
            "\u{3164}",
            "\u{ffa0}",
            "\u{180b}",
            "\u{e0061}",
        ] {
            assert_eq!(fold(&format!("ad{hidden}a")), "ada", "{hidden:?}");
        }
        // A mark joins its letter once the invisible character between them is gone.
        assert_eq!(fold("e\u{34f}\u{301}"), "é");
    }

    #[test]
    fn a_key_knows_the_folding_of_earlier_servers() {
        assert_eq!(NameKey::of("Ada").forms(), ["ada"]);
        assert_eq!(NameKey::of("Ａda").forms(), ["ada"]);
        assert_eq!(NameKey::of("A\u{34f}da").forms(), ["a\u{34f}da", "ada"]);
    }
}
