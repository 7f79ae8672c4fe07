//! Text without diacritics, and the beginnings of its words, for word search.

use unicode_normalization::char::{decompose_canonical, is_combining_mark};

use super::spaceless::is_spaceless;

/// Precedes each beginning of a word in the column `search` and occurs in no text.
pub const MARK: char = '\u{1}';

/// Removes the diacritics of a folded text. Each character is replaced independently of its neighbours, so
/// that a substring of the text becomes a substring of the result. Control characters become spaces: the
/// column `search` uses them as separators.
pub fn plain(folded: &str) -> String {
    let mut plain = String::with_capacity(folded.len());
    for character in folded.chars() {
        match character {
            control if control.is_ascii_control() => plain.push(' '),
            ascii if ascii.is_ascii() => plain.push(ascii),
            // Letters that are typed in another way on keyboards without them.
            'æ' => plain.push_str("ae"),
            'œ' => plain.push_str("oe"),
            'þ' => plain.push_str("th"),
            'ø' => plain.push('o'),
            'ł' => plain.push('l'),
            'đ' | 'ð' => plain.push('d'),
            'ħ' => plain.push('h'),
            'ŧ' => plain.push('t'),
            'ı' => plain.push('i'),
            character if is_diacritic(character) => {}
            character if has_diacritics(character) => {
                decompose_canonical(character, |part| {
                    if !is_diacritic(part) {
                        plain.push(part);
                    }
                });
            }
            character => plain.push(character),
        }
    }
    plain
}

/// Marks that people omit when typing: accents, and the vowel points of Hebrew and Arabic. Marks that form
/// another letter, as in the scripts of India or in kana, are kept.
fn is_diacritic(character: char) -> bool {
    matches!(character,
        '\u{300}'..='\u{36F}' | '\u{1AB0}'..='\u{1AFF}' | '\u{1DC0}'..='\u{1DFF}' | '\u{20D0}'..='\u{20FF}'
        | '\u{FE20}'..='\u{FE2F}' | '\u{591}'..='\u{5BD}' | '\u{5BF}' | '\u{5C1}' | '\u{5C2}' | '\u{5C4}' | '\u{5C5}'
        | '\u{5C7}' | '\u{610}'..='\u{61A}' | '\u{640}' | '\u{64B}'..='\u{65F}' | '\u{670}')
}

/// Letters that contain such marks: of the Latin, Greek and Arabic scripts, and the Cyrillic ё. Other letters
/// that Unicode decomposes, such as й and が, are letters of their own.
fn has_diacritics(character: char) -> bool {
    matches!(character, '\u{C0}'..='\u{24F}' | '\u{370}'..='\u{3FF}' | '\u{451}' | '\u{620}'..='\u{6FF}'
        | '\u{1E00}'..='\u{1FFF}')
}

/// True if the character can be part of a word.
pub fn is_in_word(character: char) -> bool {
    character.is_alphanumeric() || is_combining_mark(character)
}

/// True if `character` starts a word after the character `before`.
pub fn begins_word(before: Option<char>, character: char) -> bool {
    let alone = |character: char| !is_in_word(character) || is_spaceless(character);
    alone(character) || before.is_none_or(alone)
}

/// The first one or two characters of every word of a plain text, without duplicates. Characters outside of
/// words are omitted: they are searched for at any position.
pub(super) fn beginnings(plain: &str) -> String {
    let mut found: Vec<(char, Option<char>)> = Vec::new();
    let mut before = None;
    let mut characters = plain.chars().peekable();
    while let Some(character) = characters.next() {
        let beginning = (character, characters.peek().copied());
        if is_in_word(character) && begins_word(before, character) && !found.contains(&beginning) {
            found.push(beginning);
        }
        before = Some(character);
    }
    let mut text = String::new();
    for (first, second) in found {
        text.push(MARK);
        text.push(first);
        text.extend(second);
    }
    text
}

#[cfg(test)]
mod tests {
    use rollcall_api::types::fold;

    use super::*;

    #[test]
    fn diacritics_go_and_letters_stay() {
        for (text, expected) in [
            ("Ångström", "angstrom"),
            ("A\u{30A}ngstro\u{308}m", "angstrom"),
            ("ŁUKASZ Żółć", "lukasz zolc"),
            ("Søren Ærø", "soren aero"),
            ("Þórður Ðæ", "thordur dae"),
            ("İstanbul Işık", "istanbul isik"),
            ("GROẞE Straße", "grosse strasse"),
            ("Nguyễn Đức", "nguyen duc"),
            ("Ἀθῆναι", "αθηναι"),
            ("Алёна Йо", "алена йо"),
            ("أَحْمَد", "احمد"),
            ("שָׁלוֹם", "שלום"),
            ("がぎ カ\u{3099}", "がぎ ガ"),
            ("कुमार", "कुमार"),
            ("한국", "한국"),
            ("x\u{302}\u{323}y", "xy"),
            ("two\nlines\u{1}", "two lines "),
        ] {
            assert_eq!(plain(&fold(text)), expected, "{text}");
        }
    }

    #[test]
    fn a_part_of_a_text_becomes_a_part() {
        let texts = ["Ångström Łódź", "e\u{301}\u{323}x Æ", "أَحْمَد", "がx\u{302}", "한국 é"];
        for text in texts.map(fold) {
            let places: Vec<usize> =
                text.char_indices().map(|(place, _)| place).chain([text.len()]).collect();
            for (index, from) in places.iter().enumerate() {
                for to in &places[index..] {
                    let (before, part, behind) = (&text[..*from], &text[*from..*to], &text[*to..]);
                    assert_eq!(plain(before) + &plain(part) + &plain(behind), plain(&text), "{text}: {part}");
                }
            }
        }
    }

    #[test]
    fn words_begin_behind_what_is_no_letter_and_anywhere_without_spaces() {
        for (text, expected) in [
            ("wei ng", "we ng"),
            ("anna-bo o'brien", "an bo o' br"),
            ("ada.b+c@x.org", "ad b+ c@ x. or"),
            ("smith, jr 3rd", "sm jr 3r"),
            ("a", "a"),
            ("李小明", "李小 小明 明"),
            ("สมชาย", "สม มช ชา าย ย"),
            ("bob李x1", "bo 李x x1"),
            ("😀ada 👍", "ad"),
            ("कुमार", "कु"),
            ("ng ng", "ng"),
            ("", ""),
        ] {
            let found: Vec<String> = beginnings(text).split(MARK).skip(1).map(str::to_owned).collect();
            let expected: Vec<String> =
                expected.split(' ').filter(|part| !part.is_empty()).map(str::to_owned).collect();
            assert_eq!(found, expected, "{text}");
        }
    }
}
