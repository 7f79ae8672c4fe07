//! Operands of JSON Logic: fields, values and lists of values.

use serde_json::Value;

use super::{member, wrong};
use crate::error::QueryResult;
use crate::syntax::{Literal, Path, Spanned};

/// One operand of an operator.
pub(super) enum Operand {
    /// `{"var": "username"}`
    Field(Spanned<Path>),
    /// A text, a number, true, false or null.
    Value(Spanned<Literal>),
    /// A list of values.
    List(Vec<Spanned<Literal>>),
}

/// Parses all operands of an operator.
pub(super) fn operands(argument: &Value, at: &str) -> QueryResult<Vec<Operand>> {
    let Some(items) = argument.as_array() else { return wrong(at, "expected a list") };
    items.iter().enumerate().map(|(index, item)| operand(item, &format!("{at}/{index}"))).collect()
}

fn operand(value: &Value, at: &str) -> QueryResult<Operand> {
    Ok(match value {
        Value::Object(_) => match only_member(value, at)? {
            ("var", argument) => {
                Operand::Field(Spanned::new(member(at), path(argument, &format!("{at}/var"))?))
            }
            _ => return wrong(at, "expected {\"var\": field} or a value"),
        },
        Value::Array(items) => Operand::List(
            items
                .iter()
                .enumerate()
                .map(|(index, item)| literal(item, &format!("{at}/{index}")))
                .collect::<QueryResult<_>>()?,
        ),
        _ => Operand::Value(literal(value, at)?),
    })
}

fn literal(value: &Value, at: &str) -> QueryResult<Spanned<Literal>> {
    if value.as_str().is_some_and(|text| text.contains('\0')) {
        return wrong(at, "must not contain the NUL character");
    }
    match Literal::of(value.clone()) {
        Some(literal) => Ok(Spanned::new(member(at), literal)),
        None => wrong(at, "expected a text, a number, true, false or null"),
    }
}

/// Returns the name and the value of an object's only member.
pub(super) fn only_member<'a>(value: &'a Value, at: &str) -> QueryResult<(&'a str, &'a Value)> {
    let Some(members) = value.as_object() else {
        return wrong(at, "expected an object, such as {\"==\": [{\"var\": \"username\"}, \"ada\"]}");
    };
    let mut members = members.iter();
    match (members.next(), members.next()) {
        (Some((name, value)), None) => Ok((name, value)),
        _ => wrong(at, "expected an object with one operator"),
    }
}

/// Parses the path of `var`: `"username"`, `["username"]`, `"custom_data.plan"`.
pub(super) fn path(argument: &Value, at: &str) -> QueryResult<Path> {
    let name = match argument {
        Value::String(name) => name,
        Value::Array(items) => match items.as_slice() {
            [Value::String(name)] => name,
            [_, _] => return wrong(at, "a field has no default"),
            _ => return wrong(at, "expected the name of a field"),
        },
        _ => return wrong(at, "expected the name of a field"),
    };
    let mut parts = name.split('.').map(str::to_owned);
    let field = parts.next().unwrap_or_default();
    let path = Path { field, below: parts.collect() };
    if path.field.is_empty() || path.below.iter().any(String::is_empty) || name.contains('\0') {
        return wrong(at, "expected the name of a field, and names behind its dots");
    }
    Ok(path)
}
