//! Typed trees of the languages, and errors of names and values that don't fit.

use rollcall_query::fields::{GroupEntryField, UserField};
use rollcall_query::regex::Regex;
use rollcall_query::{
    Case, Filter, Order, Pattern, QueryError, Sight, TERMS_MAX, Test, TextTest, VALUES_MAX, filter, search,
};

fn read(text: &str) -> Filter<UserField> {
    filter(text, Sight::Whole).unwrap()
}

fn rejected(text: &str) -> QueryError {
    filter::<UserField>(text, Sight::Whole).unwrap_err()
}

#[test]
fn the_languages_produce_the_same_tree() {
    let ada =
        |case| Filter::Test(UserField::Username, Test::Text(TextTest::Equal(vec!["ada".to_owned()], case)));
    assert_eq!(read("username eq \"ada\""), ada(Case::Folded));
    assert_eq!(read(r#"{"==": [{"var": "username"}, "ada"]}"#), ada(Case::Exact));
    let like = Test::Text(TextTest::Like(Pattern::text("ada")));
    assert_eq!(search("username:ada", Sight::Whole), Ok(Filter::Test(UserField::Username, like)));
    assert_eq!(search::<UserField>(" ", Sight::Card), Ok(Filter::All(Vec::new())));
    let suspended = Filter::Test(UserField::Suspended, Test::Is(true));
    assert_eq!(read("suspended eq true"), suspended);
    assert_eq!(read(r#"{"var": "suspended"}"#), suspended);
    assert_eq!(search("suspended:true", Sight::Whole), Ok(suspended));
    let none = Filter::Not(Box::new(Filter::Test(UserField::Email, Test::Present)));
    assert_eq!(read("not email pr"), none);
    assert_eq!(read("email eq null"), none);
    assert_eq!(read(r#"{"==": [{"var": "email"}, null]}"#), none);
    let matches = Regex { pattern: "^ada".to_owned(), needle: Some("ada".to_owned()) };
    assert_eq!(
        read("username matches \"^ada\""),
        Filter::Test(UserField::Username, Test::Text(TextTest::Matches(matches)))
    );
    let after = Test::Time(Order::Greater, "2026-01-31T12:00:00Z".parse().unwrap());
    assert_eq!(
        read("created_at gt \"2026-01-31T13:00:00+01:00\""),
        Filter::Test(UserField::CreatedAt, after)
    );
    let paid = Test::Json(vec!["plan".to_owned()], vec!["pro".into(), 2.into()]);
    assert_eq!(read("custom_data.plan in (\"pro\", 2)"), Filter::Test(UserField::CustomData, paid));
    let roles = Filter::Test(UserField::Roles, Test::Names(vec!["editor".to_owned()]));
    assert_eq!(read("roles eq \"editor\""), roles);
    assert_eq!(read(r#"{"in": ["editor", {"var": "roles"}]}"#), roles);
    let owner = Filter::Test(GroupEntryField::Role, Test::Names(vec!["owner".to_owned()]));
    let owners = Filter::Test(UserField::Groups, Test::Group(Box::new(owner)));
    assert_eq!(read("groups[role eq \"owner\"]"), owners);
    assert_eq!(read("groups.role eq \"owner\""), owners);
}

#[test]
fn type_errors_have_positions() {
    let error = rejected("username pr and color eq 1");
    assert_eq!(error.position, Some(16));
    assert!(
        error.message.starts_with("there is no field \"color\"; allowed: id, username, email"),
        "{error}"
    );
    assert_eq!(error.to_string(), format!("filter: at character 17: {}", error.message));
    let error = filter::<UserField>("é", Sight::Card).unwrap_err();
    assert_eq!(error.to_string(), "filter: at character 1: expected the name of a field, not or (");
    let error = filter::<UserField>("email pr", Sight::Card).unwrap_err();
    assert_eq!(error.message, "you may not see email; allowed: id, username, name");
    assert_eq!(rejected("suspended gt true").position, Some(10));
    assert_eq!(rejected("username eq 5").position, Some(12));
    let error = rejected("username matches \"(\"");
    assert_eq!(error.position, Some(17));
    assert_eq!(error.message, "in the regular expression, character 1: unclosed group");
    let error = rejected(r#"{"and": [{"var": "email"}, {"==": [{"var": "color"}, 1]}]}"#);
    assert_eq!(error.position, None);
    assert!(error.message.starts_with("at /and/1/==/0: there is no field \"color\"; allowed: id"), "{error}");
    let error = rejected(r#"{">": [{"var": "suspended"}, true]}"#);
    assert_eq!(error.to_string(), "filter: at />: suspended takes eq, ne, pr");
    let error = search::<UserField>("é color:x", Sight::Whole).unwrap_err();
    assert!(error.to_string().starts_with("q: at character 3: there is no field \"color\""), "{error}");
}

#[test]
fn a_url_is_a_word_and_other_colons_are_errors() {
    let word = |text: &str| match search::<UserField>(text, Sight::Card) {
        Ok(Filter::Word(fields, pattern)) => {
            assert_eq!(fields, [UserField::Username, UserField::Name]);
            pattern
        }
        other => panic!("{text} means {other:?}"),
    };
    assert_eq!(word("http://x"), Pattern::text("http://x"));
    assert_eq!(word("https://ada.example/~ada?x=\\*"), word("'https://ada.example/~ada?x=\\*'"));
    assert_eq!(word("git.http://*.org"), word("'git.http://*.org'"));
    assert!(matches!(search::<UserField>("-http://x", Sight::Card), Ok(Filter::Not(_))));
    for (text, name) in [("Dr: Who", "Dr"), ("a:b", "a"), ("x :/y", "x"), ("ratio:3:4", "ratio")] {
        let error = search::<UserField>(text, Sight::Card).unwrap_err();
        let expected = format!(
            "there is no field {name:?}; put text with a colon in quotes to search for it; allowed: id, username, name"
        );
        assert_eq!((error.position, error.message), (Some(0), expected), "{text}");
    }
    // An existing field stays a field.
    assert!(matches!(
        search("profile.website:https://x", Sight::Whole),
        Ok(Filter::Test(UserField::Profile, Test::Json(..)))
    ));
    let error = search::<UserField>("email://x", Sight::Card).unwrap_err();
    assert_eq!(error.message, "you may not see email; allowed: id, username, name");
}

#[test]
fn comparisons_and_values_are_counted() {
    let terms = |count| vec!["id pr"; count].join(" and ");
    read(&terms(TERMS_MAX));
    assert_eq!(rejected(&terms(TERMS_MAX + 1)).message, "must not have more than 50 comparisons, has 51");
    let values = |count| format!("username in ({})", vec!["\"a\""; count].join(","));
    read(&values(VALUES_MAX));
    let error = rejected(&values(VALUES_MAX + 1));
    assert_eq!(error.position, Some(13 + 4 * VALUES_MAX));
    assert_eq!(error.message, "a list must not have more than 100 values");
}
