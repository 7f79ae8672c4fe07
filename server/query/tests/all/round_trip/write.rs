//! Serialization of trees in each language.

use rollcall_query::filter::Order;
use rollcall_query::pattern::{Part, Pattern};
use rollcall_query::syntax::{Literal, Operator, Path, Spanned, Syntax};
use serde_json::{Value, json};

/// Serializes a tree as a SCIM filter.
pub fn scim(syntax: &Syntax) -> String {
    let joined = |parts: &[Syntax], word| {
        let parts: Vec<String> = parts
            .iter()
            .map(|part| match part {
                Syntax::All(_) | Syntax::Any(_) => format!("({})", scim(part)),
                part => scim(part),
            })
            .collect();
        parts.join(word)
    };
    match syntax {
        Syntax::All(parts) => joined(parts, " and "),
        Syntax::Any(parts) => joined(parts, " or "),
        Syntax::Not(inner) => format!("not ({})", scim(inner)),
        Syntax::Entry(path, inner) => format!("{}[{}]", scim_path(&path.value), scim(inner)),
        Syntax::Test(path, operator) => {
            format!("{} {}", scim_path(&path.value), scim_operator(&operator.value))
        }
        Syntax::Word(_) => panic!("SCIM has no words"),
    }
}

fn scim_path(path: &Path) -> String {
    let bare =
        |part: &String| part.starts_with(|c: char| c.is_ascii_alphabetic()) && part.chars().all(in_name);
    let mut text = path.field.clone();
    for part in &path.below {
        text.push('.');
        text.push_str(&if bare(part) { part.clone() } else { json!(part).to_string() });
    }
    text
}

fn in_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || "_-$".contains(character)
}

fn scim_operator(operator: &Operator) -> String {
    match operator {
        Operator::Present => "pr".to_owned(),
        Operator::Equal(values, _) => match values.as_slice() {
            [one] => format!("eq {}", value(one)),
            values => format!(
                "in ({})",
                values.iter().map(|one| value(one).to_string()).collect::<Vec<_>>().join(", ")
            ),
        },
        Operator::Contains(text, _) => format!("co {}", value(text)),
        Operator::StartsWith(text) => format!("sw {}", value(text)),
        Operator::EndsWith(text) => format!("ew {}", value(text)),
        Operator::Compare(order, than) => {
            let word = match order {
                Order::Less => "lt",
                Order::LessOrEqual => "le",
                Order::Greater => "gt",
                Order::GreaterOrEqual => "ge",
            };
            format!("{word} {}", value(than))
        }
        Operator::Matches(pattern) => format!("matches {}", json!(pattern.value)),
        Operator::Truthy | Operator::Like(_) => panic!("SCIM has no {operator:?}"),
    }
}

/// Serializes a tree as JSON Logic.
pub fn json_logic(syntax: &Syntax) -> Value {
    let all = |parts: &[Syntax]| Value::from_iter(parts.iter().map(json_logic));
    match syntax {
        Syntax::All(parts) => json!({ "and": all(parts) }),
        Syntax::Any(parts) => json!({ "or": all(parts) }),
        Syntax::Not(inner) => json!({ "!": json_logic(inner) }),
        Syntax::Test(path, operator) => {
            let Path { field, below } = &path.value;
            let names: Vec<&str> = std::iter::once(field).chain(below).map(String::as_str).collect();
            json_test(json!({ "var": names.join(".") }), &operator.value)
        }
        Syntax::Entry(..) | Syntax::Word(_) => panic!("JSON Logic has no {syntax:?}"),
    }
}

fn json_test(field: Value, operator: &Operator) -> Value {
    match operator {
        Operator::Truthy => field,
        Operator::Equal(values, _) => match values.as_slice() {
            [one] => json!({ "==": [field, value(one)] }),
            values => json!({ "in": [field, Value::from_iter(values.iter().map(value))] }),
        },
        Operator::Contains(text, _) => json!({ "in": [value(text), field] }),
        Operator::Compare(Order::Less, than) => json!({ "<": [field, value(than)] }),
        Operator::Compare(Order::LessOrEqual, than) => json!({ "<=": [field, value(than)] }),
        Operator::Compare(Order::Greater, than) => json!({ ">": [field, value(than)] }),
        Operator::Compare(Order::GreaterOrEqual, than) => json!({ ">=": [field, value(than)] }),
        _ => panic!("JSON Logic has no {operator:?}"),
    }
}

fn value(literal: &Spanned<Literal>) -> Value {
    match &literal.value {
        Literal::Text(text) => json!(text),
        Literal::Number(number) => json!(number),
        Literal::Bool(truth) => json!(truth),
        Literal::Null => Value::Null,
    }
}

/// Serializes a tree as search text, with every value in the given quotes, if any.
pub fn search(syntax: &Syntax, quote: Option<char>) -> String {
    match syntax {
        Syntax::All(terms) => terms.iter().map(|term| search(term, quote)).collect::<Vec<_>>().join(" "),
        Syntax::Not(term) => format!("-{}", search(term, quote)),
        Syntax::Word(pattern) => typed(&pattern.value, quote),
        Syntax::Test(path, Spanned { value: Operator::Like(pattern), .. }) => {
            format!("{}:{}", scim_path(&path.value), typed(&pattern.value, quote))
        }
        _ => panic!("the search bar has no {syntax:?}"),
    }
}

fn typed(pattern: &Pattern, quote: Option<char>) -> String {
    let mut text = String::new();
    for part in &pattern.0 {
        match part {
            Part::Many => text.push('*'),
            Part::One => text.push('?'),
            Part::Text(characters) => text.extend(characters.chars().flat_map(escaped)),
        }
    }
    // There is no escape for these.
    match quote.or(text.contains(['\t', '\u{3000}']).then_some('"')) {
        Some(quote) => format!("{quote}{text}{quote}"),
        None => text,
    }
}

fn escaped(character: char) -> Vec<char> {
    match character {
        '\n' => vec!['\\', 'n'],
        '\\' | '?' | '*' | '"' | '\'' | ':' | ',' | '-' | ' ' => vec!['\\', character],
        character => vec![character],
    }
}
