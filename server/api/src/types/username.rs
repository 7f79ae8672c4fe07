//! The characters of usernames: RFC 8265's profile UsernameCaseMapped, with less punctuation and a few more letters.
//!
//! The class of identifiers (RFC 8264, section 4.2) is computed from the tables of ICU4X. The crate `precis-profiles` uses
//! Unicode 6.3, which lacks Adlam and other living scripts, and rejects marks in the middle of right-to-left words, such as
//! every vowel of Dhivehi. A test compares the two over all of Unicode.

use icu_properties::props::{
    BidiClass, CanonicalCombiningClass, GeneralCategory, HangulSyllableType, JoiningType,
    NoncharacterCodePoint, Script,
};
use icu_properties::{CodePointMapData, CodePointSetData};
use unicode_normalization::UnicodeNormalization;

use super::fold::is_invisible;

const ZWNJ: char = '\u{200C}';
const ZWJ: char = '\u{200D}';

/// Characters that the pattern allows in addition to letters and digits. The hyphen is last, so that no dialect parses it as a
/// range.
const PUNCTUATION: &str = "._+@-";

/// Body of a negated character class (ECMA-262): the ASCII and control characters that no username has. No regular expression
/// can express the rule for other characters.
pub(crate) const EXCLUDED: &str = r"\u0000-*,/:-?\[-\^`{-\u009F";

/// Compatibility characters that the class excludes but that occur in names: Armenian `և`, Thai `ำ`, Lao `ຳ`, `ໜ` and `ໝ`.
/// Folding makes them equal to their decompositions.
const LETTERS: [char; 5] = ['\u{587}', '\u{E33}', '\u{EB3}', '\u{EDC}', '\u{EDD}'];

/// Returns true if the text has only characters that the pattern allows.
pub(crate) fn is_shaped(text: &str) -> bool {
    text.chars()
        .all(|c| c.is_ascii_alphanumeric() || PUNCTUATION.contains(c) || !(c.is_ascii() || c.is_control()))
}

/// Validates a username and returns it in its stored form: Unicode NFC, with characters of normal width. The error completes a
/// sentence that begins with the field's name.
pub fn username(written: &str) -> Result<String, String> {
    let name: String = written.chars().flat_map(of_normal_width).nfc().collect();
    if !is_shaped(&name) {
        return Err("must contain only letters, digits and . _ - + @".to_owned());
    }
    let characters: Vec<char> = name.chars().collect();
    for (place, character) in characters.iter().enumerate() {
        check(*character, &characters, place)?;
    }
    if let Some(mark) = characters.first().filter(|first| is_mark(**first)) {
        return Err(format!("must not begin with the mark {}", shown(*mark)));
    }
    let mixes = |one: [char; 2], other: [char; 2]| {
        let has = |[first, last]: [char; 2]| characters.iter().any(|c| (first..=last).contains(c));
        has(one) && has(other)
    };
    if mixes(['\u{660}', '\u{669}'], ['\u{6F0}', '\u{6F9}']) {
        return Err("must not mix Arabic-Indic digits with extended ones".to_owned());
    }
    if !follows_bidi_rule(&characters) {
        let message = "must be written in one direction: a name with right-to-left letters begins and ends with one \
             or a digit behind it, and has no left-to-right letters (RFC 5893)";
        return Err(message.to_owned());
    }
    Ok(name)
}

/// Maps full-width and half-width characters to their normal forms (RFC 8265, section 3.3.1).
fn of_normal_width(character: char) -> impl Iterator<Item = char> {
    let wide = matches!(character, '\u{3000}' | '\u{FF01}'..='\u{FFEE}');
    let plain = (!wide).then_some(character);
    plain.into_iter().chain(wide.then(|| character.nfkc()).into_iter().flatten())
}

/// Validates one character in its position.
fn check(character: char, name: &[char], place: usize) -> Result<(), String> {
    let fits = match character {
        ZWNJ | ZWJ => joins(name, place),
        _ => match class(character) {
            Class::Valid => return Ok(()),
            Class::InContext => in_context(character, name, place),
            Class::Invisible => {
                return Err(format!("must not contain the invisible character {}", shown(character)));
            }
            Class::Other => {
                let message = "must contain only letters, digits and . _ - + @, which";
                return Err(format!("{message} {} is not", shown(character)));
            }
        },
    };
    if fits { Ok(()) } else { Err(format!("must not contain {} in this place (RFC 5892)", shown(character))) }
}

fn shown(character: char) -> String {
    format!("U+{:04X}", u32::from(character))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Valid,
    InContext,
    Invisible,
    Other,
}

/// Computes the derived property of RFC 8264, section 8, for identifiers, in the order of the RFC.
fn class(character: char) -> Class {
    match character {
        // Exceptions (section 9.6).
        '\u{DF}' | '\u{3C2}' | '\u{6FD}' | '\u{6FE}' | '\u{F0B}' | '\u{3007}' => return Class::Valid,
        '\u{B7}' | '\u{375}' | '\u{5F3}' | '\u{5F4}' | '\u{30FB}' => return Class::InContext,
        '\u{640}' | '\u{7FA}' | '\u{302E}' | '\u{302F}' | '\u{3031}'..='\u{3035}' | '\u{303B}' => {
            return Class::Other;
        }
        _ if character.is_ascii_graphic() => return Class::Valid,
        _ if LETTERS.contains(&character) => return Class::Valid,
        _ => {}
    }
    let old_hangul =
        [HangulSyllableType::LeadingJamo, HangulSyllableType::VowelJamo, HangulSyllableType::TrailingJamo];
    if is_invisible(character) {
        Class::Invisible
    } else if old_hangul.contains(&CodePointMapData::<HangulSyllableType>::new().get(character))
        || CodePointSetData::new::<NoncharacterCodePoint>().contains(character)
        || character.nfkc().ne([character])
    {
        Class::Other
    } else {
        match CodePointMapData::<GeneralCategory>::new().get(character) {
            GeneralCategory::LowercaseLetter
            | GeneralCategory::UppercaseLetter
            | GeneralCategory::OtherLetter
            | GeneralCategory::ModifierLetter
            | GeneralCategory::DecimalNumber
            | GeneralCategory::NonspacingMark
            | GeneralCategory::SpacingMark => Class::Valid,
            _ => Class::Other,
        }
    }
}

fn is_mark(character: char) -> bool {
    let category = CodePointMapData::<GeneralCategory>::new().get(character);
    matches!(category, GeneralCategory::NonspacingMark | GeneralCategory::SpacingMark)
}

/// Applies the contextual rules of RFC 5892, appendix A.3 to A.7.
fn in_context(character: char, name: &[char], place: usize) -> bool {
    let script = |c: &char| CodePointMapData::<Script>::new().get(*c);
    let before = place.checked_sub(1).and_then(|before| name.get(before));
    let after = name.get(place + 1);
    match character {
        '\u{B7}' => [before, after].into_iter().all(|side| matches!(side, Some('l' | 'L'))),
        '\u{375}' => after.is_some_and(|after| script(after) == Script::Greek),
        '\u{5F3}' | '\u{5F4}' => before.is_some_and(|before| script(before) == Script::Hebrew),
        '\u{30FB}' => {
            name.iter().any(|c| matches!(script(c), Script::Hiragana | Script::Katakana | Script::Han))
        }
        _ => false,
    }
}

/// Returns true if a joiner has an effect in its position: after a virama or, for the non-joiner, between letters that would
/// otherwise join (RFC 5892, appendix A.1 and A.2).
pub(crate) fn joins(name: &[char], place: usize) -> bool {
    let (before, rest) = name.split_at(place);
    let virama = |c: &char| {
        CodePointMapData::<CanonicalCombiningClass>::new().get(*c) == CanonicalCombiningClass::Virama
    };
    if before.last().is_some_and(virama) {
        return true;
    }
    let joining = |c: &&char| CodePointMapData::<JoiningType>::new().get(**c);
    let solid = |c: &&char| joining(c) != JoiningType::Transparent;
    let left = before.iter().rev().find(solid).map(|c| joining(&c));
    let right = rest.iter().skip(1).find(solid).map(|c| joining(&c));
    rest.first() == Some(&ZWNJ)
        && matches!(left, Some(JoiningType::LeftJoining | JoiningType::DualJoining))
        && matches!(right, Some(JoiningType::RightJoining | JoiningType::DualJoining))
}

/// Applies the Bidi Rule (RFC 5893, section 2) to names with right-to-left characters.
fn follows_bidi_rule(name: &[char]) -> bool {
    const R: BidiClass = BidiClass::RightToLeft;
    const AL: BidiClass = BidiClass::ArabicLetter;
    const AN: BidiClass = BidiClass::ArabicNumber;
    const L: BidiClass = BidiClass::LeftToRight;
    const EN: BidiClass = BidiClass::EuropeanNumber;
    let neutral = [
        BidiClass::EuropeanSeparator,
        BidiClass::CommonSeparator,
        BidiClass::EuropeanTerminator,
        BidiClass::OtherNeutral,
        BidiClass::BoundaryNeutral,
        BidiClass::NonspacingMark,
    ];
    let classes: Vec<BidiClass> = name.iter().map(|c| CodePointMapData::<BidiClass>::new().get(*c)).collect();
    if !classes.iter().any(|class| [R, AL, AN].contains(class)) {
        return true;
    }
    let last = classes.iter().rev().find(|class| **class != BidiClass::NonspacingMark);
    let only =
        |strong: &[BidiClass]| classes.iter().all(|class| strong.contains(class) || neutral.contains(class));
    let ends = |with: &[BidiClass]| last.is_some_and(|last| with.contains(last));
    match classes.first() {
        Some(&R | &AL) => {
            let mixed = classes.contains(&EN) && classes.contains(&AN);
            only(&[R, AL, AN, EN]) && ends(&[R, AL, EN, AN]) && !mixed
        }
        Some(&L) => only(&[L, EN]) && ends(&[L, EN]),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
