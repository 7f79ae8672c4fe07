use precis_core::{DerivedPropertyValue, IdentifierClass, StringClass};

use super::*;
use crate::types::Username;
use crate::types::text::TextRule;

/// Real names, script by script.
const NAMES: &[(&str, &str)] = &[
    ("Latin", "Jos\u{e9}_Wei\u{df}-3"),
    ("Latin, decomposed", "jose\u{301}"),
    ("Latin with a Catalan point", "gal\u{b7}la"),
    ("Hawaiian", "\u{2bb}Iolani"),
    ("Greek", "Ωμέγας"),
    ("Cyrillic", "Жанна"),
    ("Armenian", "Սևակ"),
    ("Hebrew", "אברהם"),
    ("Hebrew with vowels", "דָּוִד"),
    ("Arabic", "محمد٣"),
    ("Arabic with vowels", "مُحَمَّد"),
    ("Persian", "علی\u{200c}رضا"),
    ("Syriac", "ܐܦܪܝܡ"),
    ("Thaana", "އިބްރާހީމް"),
    ("N'Ko", "ߛߏߟߏߡߊ߫ߣ"),
    ("Devanagari", "श्री_लक्ष्मी"),
    ("Bengali", "শ্রেয়া"),
    ("Gurmukhi", "ਗੁਰਪ੍ਰੀਤ"),
    ("Gujarati", "કૃષ્ણ"),
    ("Odia", "ସୁଭାଷ"),
    ("Tamil", "ஸ்ரீராம்"),
    ("Telugu", "కృష్ణ"),
    ("Kannada", "ಕೃಷ್ಣ"),
    ("Malayalam", "ശ്രീജ"),
    ("Sinhala", "ශ\u{dca}\u{200d}රියාණි"),
    ("Thai", "สำราญ"),
    ("Lao", "ຄຳພູ"),
    ("Lao with a digraph", "ໝອນ"),
    ("Tibetan", "བསྟན་འཛིན"),
    ("Burmese", "အောင်ဆန်း"),
    ("Khmer", "សុខា"),
    ("Georgian", "გიორგი"),
    ("Georgian capitals", "ᲒᲘᲝᲠᲒᲘ"),
    ("Amharic", "አበበ"),
    ("Cherokee", "ᏣᎳᎩ"),
    ("Cherokee, small", "ꭰꮃ"),
    ("Mongolian", "ᠪᠠᠲᠤ"),
    ("Ol Chiki", "ᱥᱟᱱᱛᱟᱲ"),
    ("Tifinagh", "ⵎⵓⵃⵎⵎⴷ"),
    ("Javanese", "ꦱꦸꦏꦂꦤ"),
    ("Adlam", "𞤀𞤣𞤤𞤢𞤥"),
    ("Hanifi Rohingya", "𐴀𐴞𐴕𐴐𐴝"),
    ("Chinese", "李小明"),
    ("Chinese beyond the basic plane", "𠮷田"),
    ("Japanese", "山田・たろう"),
    ("Katakana", "ジョン・スミス"),
    ("Korean", "김철수"),
    ("an address", "ada+work@example.org"),
];

#[test]
fn names_in_every_living_script_are_accepted() {
    for (script, name) in NAMES {
        let composed: String = name.nfc().collect();
        assert_eq!(username(name), Ok(composed), "{script}");
    }
}

#[test]
fn invisible_characters_are_rejected() {
    for hidden in [
        '\u{AD}',
        '\u{34F}',
        '\u{61C}',
        '\u{115F}',
        '\u{1160}',
        '\u{17B4}',
        '\u{17B5}',
        '\u{180B}',
        '\u{180E}',
        '\u{200B}',
        '\u{200C}',
        '\u{200D}',
        '\u{200E}',
        '\u{200F}',
        '\u{202E}',
        '\u{2060}',
        '\u{2066}',
        '\u{206F}',
        '\u{3164}',
        '\u{FE0F}',
        '\u{FEFF}',
        '\u{FFA0}',
        '\u{1D173}',
        '\u{E0001}',
        '\u{E0061}',
        '\u{E0100}',
        '\u{2800}',
        '\u{A0}',
        '\u{2003}',
        '\u{3000}',
        '\u{85}',
        '\u{2028}',
        '\u{F8FF}',
        '\u{FFFE}',
        '\u{378}',
    ] {
        for name in
            [format!("ad{hidden}a"), format!("ada{hidden}"), format!("{hidden}ada"), format!("ש{hidden}ש")]
        {
            assert!(username(&name).is_err(), "{name:?}");
        }
    }
}

#[test]
fn errors_name_the_character_and_the_rule() {
    for (name, why) in [
        ("ad\u{34f}a", "must not contain the invisible character U+034F"),
        ("ada\u{2603}", "must contain only letters, digits and . _ - + @, which U+2603 is not"),
        ("＜ada", "must contain only letters, digits and . _ - + @"),
        ("\u{301}ada", "must not begin with the mark U+0301"),
        ("ad\u{200d}a", "must not contain U+200D in this place (RFC 5892)"),
        ("ada\u{5d0}", "must be written in one direction"),
        ("٣ادا", "must be written in one direction"),
        ("ا٣۴", "must not mix Arabic-Indic digits with extended ones"),
        ("ﬁona", "must contain only letters, digits and . _ - + @, which U+FB01 is not"),
        ("a\u{b7}b", "must not contain U+00B7 in this place (RFC 5892)"),
    ] {
        let error = username(name).unwrap_err();
        assert!(error.starts_with(why), "{name:?}: {error}");
    }
}

#[test]
fn widths_are_mapped_and_forms_composed() {
    assert_eq!(username("Ａｄａ＠ｈｏｍｅ"), Ok("Ada@home".to_owned()));
    assert_eq!(username("ｶﾞｲﾄ"), Ok("ガイト".to_owned()));
    assert_eq!(username("jose\u{301}"), Ok("jos\u{e9}".to_owned()));
    assert_eq!(username("\u{212b}ngstro\u{308}m"), Ok("\u{c5}ngstr\u{f6}m".to_owned()));
}

/// Compares the class with the other implementation of RFC 8264, within its Unicode version, 6.3.
#[test]
fn the_class_equals_that_of_the_reference() {
    let reference = IdentifierClass::default();
    let mut different = Vec::new();
    for character in '\0'..=char::MAX {
        let expected = match reference.get_value_from_char(character) {
            DerivedPropertyValue::Unassigned => continue,
            DerivedPropertyValue::PValid | DerivedPropertyValue::SpecClassPval => true,
            // The rule for Arabic digits applies to the whole name.
            DerivedPropertyValue::ContextJ | DerivedPropertyValue::ContextO => true,
            DerivedPropertyValue::Disallowed | DerivedPropertyValue::SpecClassDis => false,
        };
        let joiner = matches!(character, ZWNJ | ZWJ);
        let allowed = joiner || matches!(class(character), Class::Valid | Class::InContext);
        if allowed != expected && !LETTERS.contains(&character) {
            different.push(format!("U+{:04X}", character as u32));
        }
    }
    assert_eq!(different, Vec::<String>::new());
}

/// The document's pattern accepts every name that the server accepts, in the client's regex engine.
#[test]
fn the_pattern_accepts_every_valid_name() {
    let pattern = <Username as Pattern>::rule();
    let (client, other) = (regress::Regex::new(&pattern).unwrap(), regex::Regex::new(&pattern).unwrap());
    let check = |name: &str| {
        if username(name).is_ok() {
            assert!(client.find(name).is_some() && other.is_match(name), "{name:?}");
            assert!(name.parse::<Username>().is_ok(), "{name:?}");
        }
    };
    // All planes with assigned characters.
    for character in ('\0'..='\u{323AF}').chain('\u{E0000}'..='\u{E0FFF}') {
        for name in [
            format!("{character}"),
            format!("a{character}"),
            format!("ש{character}ש"),
            format!("क्{character}"),
        ] {
            check(&name);
        }
    }
    NAMES.iter().for_each(|(_, name)| check(name));
}

trait Pattern {
    fn rule() -> String;
}

impl<R: TextRule> Pattern for crate::types::Text<R> {
    fn rule() -> String {
        R::pattern().unwrap()
    }
}

#[test]
fn the_pattern_rejects_what_the_server_rejects() {
    for bad in [
        "",
        "a b",
        "a/b",
        "a\u{0}b",
        "<a>",
        "a\nb",
        "a\u{85}b",
        "a,b",
        "a:b",
        "a[b",
        "a`b",
        "a{b",
        &"a".repeat(129),
    ] {
        assert!(bad.parse::<Username>().is_err(), "{bad:?}");
    }
}
