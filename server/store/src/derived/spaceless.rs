//! Scripts written without spaces between words, in which any character may begin a word.

/// Code point ranges in ascending order: Thai, Lao, Myanmar, Khmer, Tai Le, New Tai Lue, Tai Tham, kana,
/// Bopomofo, Han and their extensions.
const RANGES: &[(char, char)] = &[
    ('\u{E00}', '\u{EFF}'),
    ('\u{1000}', '\u{109F}'),
    ('\u{1780}', '\u{17FF}'),
    ('\u{1950}', '\u{19FF}'),
    ('\u{1A20}', '\u{1AAF}'),
    ('\u{2E80}', '\u{2FDF}'),
    ('\u{3005}', '\u{3007}'),
    ('\u{3021}', '\u{3029}'),
    ('\u{3038}', '\u{303B}'),
    ('\u{3041}', '\u{312F}'),
    ('\u{31A0}', '\u{31BF}'),
    ('\u{31F0}', '\u{31FF}'),
    ('\u{3400}', '\u{4DBF}'),
    ('\u{4E00}', '\u{9FFF}'),
    ('\u{A9E0}', '\u{A9FF}'),
    ('\u{AA60}', '\u{AADF}'),
    ('\u{F900}', '\u{FAFF}'),
    ('\u{1AFF0}', '\u{1B16F}'),
    ('\u{20000}', '\u{3FFFF}'),
];

/// True if the character belongs to such a script.
pub(super) fn is_spaceless(character: char) -> bool {
    let place = RANGES.partition_point(|(_, last)| *last < character);
    RANGES.get(place).is_some_and(|(first, _)| *first <= character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scripts_are_those_without_spaces() {
        assert!("李々〇あアーㄅสກမខ𠀀".chars().all(is_spaceless));
        assert!(!"aéжαאبक한😀１·".chars().any(is_spaceless));
        assert!(RANGES.windows(2).all(|pair| pair[0].1 < pair[1].0), "in order");
    }
}
