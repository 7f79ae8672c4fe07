//! Regular expressions.

use rollcall_query::error::Place;
use rollcall_query::regex::Regex;

fn parse(text: &str) -> Result<Option<String>, String> {
    let read = Regex::parse(&Place::Character(7), text);
    read.map(|regex| {
        if !text.contains("[:") {
            assert_eq!(regex.pattern, text);
        }
        regex.needle
    })
    .map_err(|error| {
        assert_eq!(error.position, Some(7), "{text}");
        error.message
    })
}

#[test]
fn portable_syntax_is_accepted() {
    let accepted = [
        "a",
        "é]}#&~-@ ",
        r"\.\*\?\+\(\)\[\]\{\}\^\$\|\\\-\/\_\ \t\n",
        ".",
        "^a$",
        "a^b",
        r"\d\D\s\S\w\W",
        r"[\d\s\w][\D][^\S\W]",
        "[a-z0-9]",
        "[^a-z]",
        "[]a]",
        "[^]a]",
        "[-a]",
        "[a-]",
        r"[a\-z]",
        r"[\w.-]",
        r"[\]\[\\]",
        r"[+-]",
        "[a^]",
        "[é-ü]",
        "[[:xdigit:][:blank:]]",
        "(a)(?:b)",
        "a|b|(c|d)",
        "a*b+c?d*?e+?f??",
        "a{2}b{2,}c{2,3}d{0,255}e{2}?",
        "(a{10}){100}",
        "(?i)a",
        "(?i)a|b",
        "(?i)^(a|b)$",
        "((((a))))",
        "(a{0,255}){0,3}",
        r"^([a-z0-9-]{1,63}\.){1,10}[a-z]{2,63}$",
        "(a?b*c{0,9}){6}",
        "^a$|^b$|^c$",
    ];
    for text in accepted {
        assert!(parse(text).is_ok(), "{text}: {:?}", parse(text));
    }
}

#[test]
fn other_syntax_is_rejected_with_its_position() {
    let letters = "the only letters behind a backslash are d, s, w, D, S, W, t, n";
    let rejected = [
        ("", 1, "expected something to match"),
        ("(?i)", 1, "expected something to match"),
        ("(?i)|a", 1, "expected something to match"),
        ("é()", 3, "expected something to match"),
        ("a|", 3, "expected something to match"),
        ("|a", 1, "expected something to match"),
        ("a||b", 3, "expected something to match"),
        ("(?:|a)", 4, "expected something to match"),
        ("é(", 2, "unclosed group"),
        ("a)", 2, "unopened group"),
        ("[a", 1, "unclosed character class"),
        ("*a", 1, "missing"),
        ("***:a", 1, "missing"),
        ("a**", 3, "can't be repeated without a group"),
        ("a{2}{3}", 5, "can't be repeated without a group"),
        ("a+?+", 4, "can't be repeated without a group"),
        ("^*a", 2, "^ and $ can't be repeated"),
        ("$+", 2, "^ and $ can't be repeated"),
        ("a{ 2}", 2, "must not have spaces"),
        ("a{2,256}", 2, "more than 255 times"),
        ("a{256,}", 2, "more than 255 times"),
        ("a{3,2}", 2, "range"),
        ("a{,2}", 3, "valid decimal"),
        ("a{", 2, "unclosed"),
        ("(a{200}){200}", 3, "too costly"),
        ("((a{10}){10}){11}", 4, "too costly"),
        // Postgres 15 rejects the first as too complex and compiles the second for more than twenty seconds.
        (r"(\w\d[^a][a-z]){255}", 1, "it has 1020 characters, more than 1000"),
        ("((a?){0,30}){0,30}", 1, "it has 931 optional parts (?, *, {0,…}), more than 20"),
        ("(^a|b$){20}", 1, "it has 38 optional parts"),
        ("(a*){21}", 1, "it has 21 optional parts"),
        (r"\bx", 1, "the only places to ask for are ^ and $"),
        (r"\Aa", 1, "the only places to ask for are ^ and $"),
        (r"a\z", 2, "the only places to ask for are ^ and $"),
        (r"\<a", 1, "the only places to ask for are ^ and $"),
        (r"\x41", 1, letters),
        (r"\u0041", 1, letters),
        (r"[\x{41}-z]", 2, letters),
        (r"a\f", 2, letters),
        (r"(a)\1", 4, "backreferences"),
        (r"\e", 1, "unrecognized escape"),
        (r"a\", 2, "incomplete escape"),
        (r"\pL", 1, "classes are written"),
        (r"[\p{L}]", 2, "classes in brackets are"),
        ("[[:^xdigit:]]", 2, "a class is negated by ^"),
        ("[[:letter:]]", 2, r"written \["),
        ("[+-[:alpha:]]", 4, r"written \["),
        ("[a[b]]", 3, r"written \["),
        ("[a&&b]", 1, "can't be used in brackets"),
        ("[a--b]", 1, "can't be used in brackets"),
        ("[a-c-e]", 5, r"written \-"),
        ("[--a]", 2, r"written \-"),
        ("[]-a]", 3, r"written \-"),
        ("[z-a]", 2, "range"),
        (r"[a-\d]", 4, "range"),
        ("a(?i)b", 2, "the only option is (?i), at the very start"),
        ("(?i)(?i)b", 5, "the only option is (?i), at the very start"),
        ("(?s)a", 1, "the only option is (?i), at the very start"),
        ("(?-i)a", 1, "the only option is (?i), at the very start"),
        ("(?i:a)", 1, "groups are written"),
        ("(?P<n>a)", 1, "groups are written"),
        ("(?=a)", 1, "look-around"),
        ("(((((((((((a)))))))))))", 11, "nested"),
    ];
    for (text, character, message) in rejected {
        let error = parse(text).expect_err(text);
        assert!(
            error.starts_with(&format!("in the regular expression, character {character}: ")),
            "{text}: {error}"
        );
        assert!(error.contains(message), "{text}: {error}");
    }
    assert_eq!(
        parse(&"é".repeat(201)).unwrap_err(),
        "a regular expression must not have more than 200 characters, has 201"
    );
    assert!(parse(&"é".repeat(200)).is_ok());
}

#[test]
fn posix_classes_are_expanded() {
    let written = [
        ("[[:alpha:]]", "[A-Za-z]"),
        ("^[[:upper:]][[:lower:]]+$", "^[A-Z][a-z]+$"),
        ("é[[:alnum:]_.-]{2}ü", "é[0-9A-Za-z_.-]{2}ü"),
        ("[^[:space:][:cntrl:]]", r"[^ \t\n\v\f\r\u0001-\u001F\u007F]"),
        ("[[:punct:]]", r"[!-/:-@\[\\\]\^_`{-~]"),
        ("[-[:digit:]]", "[-0-9]"),
        ("[[:blank:][:xdigit:]x]", r"[ \t0-9A-Fa-fx]"),
        ("[[:graph:]]|[[:print:]]|[[:word:]]|[[:ascii:]]", r"[!-~]|[ -~]|[0-9A-Za-z_]|[\u0001-\u007F]"),
        (r"\[:alpha:\]", r"\[:alpha:\]"),
    ];
    for (text, expected) in written {
        let regex = Regex::parse(&Place::Character(0), text).unwrap();
        assert_eq!(regex.pattern, expected, "{text}");
    }
}

#[test]
fn every_match_contains_the_needle() {
    let needles = [
        ("ab", None),
        ("abc", Some("abc")),
        ("^abc$", Some("abc")),
        ("(?i)Abc", Some("Abc")),
        (r"a\.b\-c", Some("a.b-c")),
        ("abc.defg", Some("defg")),
        ("abc[x]def", Some("abc")),
        ("abc|def", None),
        ("xyz(abc|defg)", Some("xyz")),
        ("(abc)(?:def)", Some("abcdef")),
        ("(ab(cd))?xyz", Some("xyz")),
        ("abcd*", Some("abc")),
        ("abcd?", Some("abc")),
        ("abcd{0,5}efg", Some("abc")),
        ("abcd{0}", Some("abc")),
        ("abc+de", Some("abc")),
        ("ab(cd)+ef", Some("abcd")),
        ("(abcd){2}", Some("abcd")),
        ("(abc|d)+xyz", Some("xyz")),
        ("(a?bcd)+", Some("bcd")),
        ("Joséph", Some("Jos")),
        ("Réné", None),
        ("José Garcia", Some(" Garcia")),
        (r"\w+@example\.org", Some("@example.org")),
    ];
    for (text, needle) in needles {
        assert_eq!(parse(text).unwrap().as_deref(), needle, "{text}");
    }
}
