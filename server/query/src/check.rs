//! Type checking: looks up every name in the table of fields and converts every value to its field's kind.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::error::{Place, QueryError, QueryResult};
use crate::field::{Field, Fields, Kind};
use crate::fields::GroupEntryField;
use crate::filter::{Case, Filter, Order, Test, TextTest};
use crate::pattern::{Part, Pattern};
use crate::regex::Regex;
use crate::syntax::{Literal, Operator, Path, Spanned, Syntax};
use crate::{REGEXES_MAX, TERMS_MAX, VALUES_MAX};

/// The fields that a caller sees of the listed resources. Callers can't filter or sort by fields that they don't see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// Full records.
    Whole,
    /// The fields that are visible to everybody.
    Card,
}

impl Sight {
    /// Returns true if the field is visible.
    pub fn sees<F>(self, field: &Field<F>) -> bool {
        field.everyone || self == Self::Whole
    }

    /// Returns the names of the visible fields, separated by commas.
    pub fn names<F: Fields>(self) -> String {
        let names: Vec<&str> =
            F::TABLE.iter().filter(|field| self.sees(field)).map(|field| field.name).collect();
        names.join(", ")
    }
}

/// Converts a syntax tree to a typed filter. Fails if a field is unknown or invisible, or if an operator or value doesn't fit.
pub fn filter<F: Fields>(syntax: &Syntax, sight: Sight) -> QueryResult<Filter<F>> {
    let terms = terms(syntax);
    if terms > TERMS_MAX {
        let message = format!("must not have more than {TERMS_MAX} comparisons, has {terms}");
        return Err(QueryError::whole(message));
    }
    let regexes = regexes(syntax);
    if regexes > REGEXES_MAX {
        let message = format!("must not have more than {REGEXES_MAX} regular expressions, has {regexes}");
        return Err(QueryError::whole(message));
    }
    typed(syntax, sight)
}

fn regexes(syntax: &Syntax) -> usize {
    match syntax {
        Syntax::All(parts) | Syntax::Any(parts) => parts.iter().map(regexes).sum(),
        Syntax::Not(part) | Syntax::Entry(_, part) => regexes(part),
        Syntax::Test(_, operator) => usize::from(matches!(operator.value, Operator::Matches(_))),
        Syntax::Word(_) => 0,
    }
}

fn terms(syntax: &Syntax) -> usize {
    match syntax {
        Syntax::All(parts) | Syntax::Any(parts) => parts.iter().map(terms).sum(),
        Syntax::Not(part) | Syntax::Entry(_, part) => terms(part),
        Syntax::Test(..) | Syntax::Word(_) => 1,
    }
}

fn typed<F: Fields>(syntax: &Syntax, sight: Sight) -> QueryResult<Filter<F>> {
    let each = |parts: &[Syntax]| parts.iter().map(|part| typed(part, sight)).collect::<QueryResult<_>>();
    Ok(match syntax {
        Syntax::All(parts) => Filter::All(each(parts)?),
        Syntax::Any(parts) => Filter::Any(each(parts)?),
        Syntax::Not(part) => Filter::Not(Box::new(typed(part, sight)?)),
        Syntax::Word(pattern) => word(pattern, sight)?,
        Syntax::Entry(path, inner) => {
            let field = field::<F>(path, sight)?;
            if field.kind != Kind::Groups || !path.value.below.is_empty() {
                let message = format!("{} is no list of groups; […] goes with those only", field.name);
                return Err(QueryError::at(&path.at, message));
            }
            Filter::Test(field.id, Test::Group(Box::new(typed::<GroupEntryField>(inner, sight)?)))
        }
        Syntax::Test(path, Spanned { value: Operator::Like(value), .. })
            if F::named(&path.value.field).is_none() =>
        {
            no_field(path, value, sight)?
        }
        Syntax::Test(path, operator) => {
            let field = field::<F>(path, sight)?;
            match (field.kind, path.value.below.as_slice()) {
                (Kind::Json, []) => {
                    let message = format!("name what is in {0}, as in {0}.plan", field.name);
                    return Err(QueryError::at(&path.at, message));
                }
                (Kind::Json, below) => json(field, below, operator)?,
                (_, []) => test(field, operator)?,
                // `groups.role` is short for `groups[role …]`.
                (Kind::Groups, [part]) => {
                    let part = Path { field: part.clone(), below: Vec::new() };
                    let inner = Syntax::Test(Spanned::new(&path.at, part), operator.clone());
                    Filter::Test(field.id, Test::Group(Box::new(typed::<GroupEntryField>(&inner, sight)?)))
                }
                _ => return Err(QueryError::at(&path.at, format!("{} has no parts", field.name))),
            }
        }
    })
}

/// Looks up a field that is visible to the caller.
pub(crate) fn field<F: Fields>(path: &Spanned<Path>, sight: Sight) -> QueryResult<&'static Field<F>> {
    let name = &path.value.field;
    match F::named(name) {
        Some(field) if sight.sees(field) => Ok(field),
        Some(_) => {
            let message = format!("you may not see {name}; allowed: {}", sight.names::<F>());
            Err(QueryError::at(&path.at, message))
        }
        None => {
            let message = format!("there is no field {name:?}; allowed: {}", sight.names::<F>());
            Err(QueryError::at(&path.at, message))
        }
    }
}

/// Handles `field:value` in search text without such a field: a URL such as `https://x` is a word, everything else an error.
fn no_field<F: Fields>(
    path: &Spanned<Path>,
    value: &Spanned<Pattern>,
    sight: Sight,
) -> QueryResult<Filter<F>> {
    let Path { field, below } = &path.value;
    if !matches!(value.value.0.first(), Some(Part::Text(text)) if text.starts_with("//")) {
        let message = format!(
            "there is no field {field:?}; put text with a colon in quotes to search for it; allowed: {}",
            sight.names::<F>()
        );
        return Err(QueryError::at(&path.at, message));
    }
    let scheme = std::iter::once(field).chain(below).map(String::as_str).collect::<Vec<_>>().join(".");
    let mut whole = Pattern::text(format!("{scheme}:"));
    for part in &value.value.0 {
        match part {
            Part::Text(text) => text.chars().for_each(|character| whole.push(character)),
            wildcard => whole.0.push(wildcard.clone()),
        }
    }
    word(&Spanned::new(&path.at, whole), sight)
}

fn word<F: Fields>(pattern: &Spanned<Pattern>, sight: Sight) -> QueryResult<Filter<F>> {
    if pattern.value.0.iter().all(|part| *part == Part::Many) {
        return Ok(Filter::All(Vec::new()));
    }
    let seen = F::TABLE.iter().filter(|field| sight.sees(field));
    let searched: Vec<F> = seen.clone().filter(|field| field.searched).map(|field| field.id).collect();
    if searched.is_empty() {
        let message = format!("write field:value; allowed: {}", sight.names::<F>());
        return Err(QueryError::at(&pattern.at, message));
    }
    let id = pattern.value.plain().and_then(|text| Uuid::try_parse(text).ok());
    let word = Filter::Word(searched, pattern.value.clone());
    // An id is also a word.
    Ok(match (id, seen.clone().find(|field| field.name == "id")) {
        (Some(id), Some(field)) => Filter::Any(vec![word, Filter::Test(field.id, Test::Ids(vec![id]))]),
        _ => word,
    })
}

fn unsupported_operator<T, F>(field: &Field<F>, at: &Place) -> QueryResult<T> {
    let message = format!("{} takes {}", field.name, field.kind.operators());
    Err(QueryError::at(at, message))
}

fn no_value<F>(field: &Field<F>) -> Filter<F>
where
    F: Copy,
{
    Filter::Not(Box::new(Filter::Test(field.id, Test::Present)))
}

fn test<F: Fields>(field: &Field<F>, operator: &Spanned<Operator>) -> QueryResult<Filter<F>> {
    let at = &operator.at;
    let test = match &operator.value {
        Operator::Present => Test::Present,
        Operator::Truthy if field.kind == Kind::Bool => Test::Is(true),
        Operator::Truthy => Test::Present,
        Operator::Equal(values, case) => match values.as_slice() {
            [Spanned { value: Literal::Null, .. }] => return Ok(no_value(field)),
            values => equal(field, limit_values(values)?, *case)?,
        },
        Operator::Contains(value, case) => match field.kind {
            Kind::Text => Test::Text(TextTest::Contains(text(field, value)?, *case)),
            // JSON Logic's `in` applies to lists and texts; SCIM's `co` applies to texts only.
            Kind::Names | Kind::Groups if *case == Case::Exact => {
                equal(field, std::slice::from_ref(value), *case)?
            }
            _ => return unsupported_operator(field, at),
        },
        Operator::StartsWith(value) if field.kind == Kind::Text => {
            Test::Text(TextTest::StartsWith(text(field, value)?))
        }
        Operator::EndsWith(value) if field.kind == Kind::Text => {
            Test::Text(TextTest::EndsWith(text(field, value)?))
        }
        Operator::Matches(pattern) if field.kind == Kind::Text => {
            Test::Text(TextTest::Matches(Regex::parse(&pattern.at, &pattern.value)?))
        }
        Operator::Compare(order, value) => compare(field, at, *order, value)?,
        Operator::Like(pattern) => like(field, pattern)?,
        Operator::StartsWith(_) | Operator::EndsWith(_) | Operator::Matches(_) => {
            return unsupported_operator(field, at);
        }
    };
    Ok(Filter::Test(field.id, test))
}

fn limit_values(values: &[Spanned<Literal>]) -> QueryResult<&[Spanned<Literal>]> {
    match values.get(VALUES_MAX) {
        Some(value) => {
            Err(QueryError::at(&value.at, format!("a list must not have more than {VALUES_MAX} values")))
        }
        None => Ok(values),
    }
}

fn equal<F: Copy>(field: &Field<F>, values: &[Spanned<Literal>], case: Case) -> QueryResult<Test> {
    let texts = || values.iter().map(|value| text(field, value)).collect::<QueryResult<Vec<_>>>();
    Ok(match field.kind {
        Kind::Text => Test::Text(TextTest::Equal(texts()?, case)),
        Kind::Word => Test::Text(TextTest::Equal(texts()?, Case::Exact)),
        Kind::Names => Test::Names(texts()?),
        Kind::Groups => {
            let slug = Test::Text(TextTest::Equal(texts()?, Case::Exact));
            Test::Group(Box::new(Filter::Test(GroupEntryField::Slug, slug)))
        }
        Kind::Id => Test::Ids(values.iter().map(|value| id(field, value)).collect::<QueryResult<_>>()?),
        Kind::Time => Test::Times(values.iter().map(|value| time(field, value)).collect::<QueryResult<_>>()?),
        Kind::Bool => match values {
            [Spanned { value: Literal::Bool(value), .. }] => Test::Is(*value),
            [one] => return type_mismatch(field, &one.at),
            [_, second, ..] => return unsupported_operator(field, &second.at),
            [] => return Err(QueryError::whole("a list of values must not be empty")),
        },
        Kind::Json => return Err(QueryError::whole("an object has no value of its own")),
    })
}

fn compare<F: Copy>(
    field: &Field<F>,
    at: &Place,
    order: Order,
    value: &Spanned<Literal>,
) -> QueryResult<Test> {
    Ok(match field.kind {
        Kind::Text => Test::Text(TextTest::Compare(order, text(field, value)?)),
        Kind::Id => Test::Id(order, id(field, value)?),
        Kind::Time => Test::Time(order, midnight(value).map_or_else(|| time(field, value), Ok)?),
        Kind::Word | Kind::Bool | Kind::Json | Kind::Names | Kind::Groups => {
            return unsupported_operator(field, at);
        }
    })
}

/// Converts `field:value` of search text: a pattern for texts, a value for all other kinds.
fn like<F: Fields>(field: &Field<F>, pattern: &Spanned<Pattern>) -> QueryResult<Test> {
    if pattern.value.0 == [Part::Many] {
        return Ok(Test::Present);
    }
    if field.kind == Kind::Text {
        return Ok(Test::Text(TextTest::Like(pattern.value.clone())));
    }
    let Some(plain) = pattern.value.plain() else {
        let message = format!("{} takes no wildcards but a single *", field.name);
        return Err(QueryError::at(&pattern.at, message));
    };
    let literal = match (field.kind, plain) {
        (Kind::Bool, "true") => Literal::Bool(true),
        (Kind::Bool, "false") => Literal::Bool(false),
        _ => Literal::Text(plain.to_owned()),
    };
    equal(field, &[Spanned::new(&pattern.at, literal)], Case::Folded)
}

fn json<F: Copy>(field: &Field<F>, path: &[String], operator: &Spanned<Operator>) -> QueryResult<Filter<F>> {
    let present = || Filter::Test(field.id, Test::JsonPresent(path.to_vec()));
    let one_of = |values| Filter::Test(field.id, Test::Json(path.to_vec(), values));
    Ok(match &operator.value {
        Operator::Present | Operator::Truthy => present(),
        Operator::Equal(values, _) => match values.as_slice() {
            [Spanned { value: Literal::Null, .. }] => Filter::Not(Box::new(present())),
            values => one_of(limit_values(values)?.iter().map(json_value).collect::<QueryResult<_>>()?),
        },
        Operator::Like(pattern) if pattern.value.0 == [Part::Many] => present(),
        Operator::Like(pattern) => {
            let Some(plain) = pattern.value.plain() else {
                let message = format!("{} takes no wildcards but a single *", field.name);
                return Err(QueryError::at(&pattern.at, message));
            };
            // Quotes in search text don't distinguish a text from a number.
            let mut values = vec![Value::from(plain)];
            if let Ok(value @ (Value::Number(_) | Value::Bool(_))) = serde_json::from_str(plain) {
                values.push(value);
            }
            one_of(values)
        }
        Operator::Contains(..)
        | Operator::StartsWith(_)
        | Operator::EndsWith(_)
        | Operator::Compare(..)
        | Operator::Matches(_) => return unsupported_operator(field, &operator.at),
    })
}

fn json_value(value: &Spanned<Literal>) -> QueryResult<Value> {
    match &value.value {
        Literal::Text(text) => Ok(Value::from(text.as_str())),
        Literal::Number(number) => Ok(Value::Number(number.clone())),
        Literal::Bool(truth) => Ok(Value::from(*truth)),
        Literal::Null => Err(QueryError::at(&value.at, "null can't be in a list of values")),
    }
}

fn type_mismatch<T, F>(field: &Field<F>, at: &Place) -> QueryResult<T> {
    Err(QueryError::at(at, format!("{} is compared with {}", field.name, field.kind.values())))
}

fn text<F>(field: &Field<F>, value: &Spanned<Literal>) -> QueryResult<String> {
    match &value.value {
        Literal::Text(text) => Ok(text.clone()),
        _ => type_mismatch(field, &value.at),
    }
}

fn id<F>(field: &Field<F>, value: &Spanned<Literal>) -> QueryResult<Uuid> {
    match &value.value {
        Literal::Text(text) => Uuid::try_parse(text).or_else(|_| type_mismatch(field, &value.at)),
        _ => type_mismatch(field, &value.at),
    }
}

/// Converts a date to its midnight in UTC, for comparisons with before and after. No time equals a date.
fn midnight(value: &Spanned<Literal>) -> Option<DateTime<Utc>> {
    match &value.value {
        Literal::Text(text) if text.len() == 10 => {
            let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
            Some(date.and_time(NaiveTime::MIN).and_utc())
        }
        _ => None,
    }
}

fn time<F>(field: &Field<F>, value: &Spanned<Literal>) -> QueryResult<DateTime<Utc>> {
    match &value.value {
        Literal::Text(text) => match DateTime::parse_from_rfc3339(text) {
            Ok(time) => Ok(time.to_utc()),
            Err(_) => type_mismatch(field, &value.at),
        },
        _ => type_mismatch(field, &value.at),
    }
}
