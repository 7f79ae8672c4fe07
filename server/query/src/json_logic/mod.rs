//! JSON Logic: the operators that test a record.
//!
//! The JSON parser keeps no positions, so errors name the member by a JSON pointer.

mod operand;

use serde_json::Value;

use crate::DEPTH_MAX;
use crate::error::{Place, QueryError, QueryResult};
use crate::filter::{Case, Order};
use crate::json_text;
use crate::syntax::{Operator, Path, Spanned, Syntax};
use operand::Operand;

const OPERATORS: &str = "and, or, !, !!, var, ==, ===, !=, !==, <, <=, >, >=, in";

/// Parses a filter.
pub fn parse(text: &str) -> QueryResult<Syntax> {
    let document: Value = serde_json::from_str(text).map_err(|error| {
        let (passed, _) = text.split_at(json_text::byte(text, &error));
        QueryError::at(passed.chars().count(), json_text::message(&error))
    })?;
    rule(&document, "", 0)
}

fn rule(value: &Value, at: &str, depth: usize) -> QueryResult<Syntax> {
    if depth > DEPTH_MAX {
        return wrong(at, format!("must not be nested deeper than {DEPTH_MAX}"));
    }
    let (name, argument) = operand::only_member(value, at)?;
    let place = format!("{at}/{name}");
    match name {
        "and" => Ok(Syntax::all(rules(argument, &place, depth)?)),
        "or" => Ok(Syntax::any(rules(argument, &place, depth)?)),
        "!" => Ok(Syntax::Not(Box::new(inner(argument, &place, depth)?))),
        "!!" => inner(argument, &place, depth),
        "var" => {
            let field = Spanned::new(member(&place), operand::path(argument, &place)?);
            Ok(Syntax::Test(field, Spanned::new(member(&place), Operator::Truthy)))
        }
        "==" | "===" => equal(argument, &place),
        "!=" | "!==" => Ok(Syntax::Not(Box::new(equal(argument, &place)?))),
        "<" => compare(Order::Less, argument, &place),
        "<=" => compare(Order::LessOrEqual, argument, &place),
        ">" => compare(Order::Greater, argument, &place),
        ">=" => compare(Order::GreaterOrEqual, argument, &place),
        "in" => within(argument, &place),
        _ => wrong(at, format!("there is no operator {name:?}; allowed: {OPERATORS}")),
    }
}

/// Parses the operands of `and` and `or`.
fn rules(argument: &Value, at: &str, depth: usize) -> QueryResult<Vec<Syntax>> {
    match argument.as_array().map(Vec::as_slice) {
        None | Some([]) => wrong(at, "expected a list of at least one condition"),
        Some(parts) => parts
            .iter()
            .enumerate()
            .map(|(index, part)| rule(part, &format!("{at}/{index}"), depth + 1))
            .collect(),
    }
}

/// Parses the operand of `!` and `!!`, which may be in a list.
fn inner(argument: &Value, at: &str, depth: usize) -> QueryResult<Syntax> {
    match argument.as_array().map(Vec::as_slice) {
        None => rule(argument, at, depth + 1),
        Some([part]) => rule(part, &format!("{at}/0"), depth + 1),
        Some(_) => wrong(at, "expected one condition"),
    }
}

fn equal(argument: &Value, at: &str) -> QueryResult<Syntax> {
    match operand::operands(argument, at)?.as_slice() {
        [Operand::Field(field), Operand::Value(value)] | [Operand::Value(value), Operand::Field(field)] => {
            Ok(test(field, at, Operator::Equal(vec![value.clone()], Case::Exact)))
        }
        _ => wrong(at, "expected a field and a value: [{\"var\": field}, value]"),
    }
}

fn compare(order: Order, argument: &Value, at: &str) -> QueryResult<Syntax> {
    let between = matches!(order, Order::Less | Order::LessOrEqual);
    match operand::operands(argument, at)?.as_slice() {
        [Operand::Field(field), Operand::Value(value)] => {
            Ok(test(field, at, Operator::Compare(order, value.clone())))
        }
        [Operand::Value(value), Operand::Field(field)] => {
            Ok(test(field, at, Operator::Compare(flipped(order), value.clone())))
        }
        [Operand::Value(least), Operand::Field(field), Operand::Value(most)] if between => {
            Ok(Syntax::All(vec![
                test(field, at, Operator::Compare(flipped(order), least.clone())),
                test(field, at, Operator::Compare(order, most.clone())),
            ]))
        }
        _ if between => wrong(
            at,
            "expected a field and a value, or a field between two values: [least, {\"var\": field}, most]",
        ),
        _ => wrong(at, "expected a field and a value: [{\"var\": field}, value]"),
    }
}

/// Returns the operator for swapped operands.
fn flipped(order: Order) -> Order {
    match order {
        Order::Less => Order::Greater,
        Order::LessOrEqual => Order::GreaterOrEqual,
        Order::Greater => Order::Less,
        Order::GreaterOrEqual => Order::LessOrEqual,
    }
}

fn within(argument: &Value, at: &str) -> QueryResult<Syntax> {
    match operand::operands(argument, at)?.as_slice() {
        [Operand::Field(field), Operand::List(values)] if !values.is_empty() => {
            Ok(test(field, at, Operator::Equal(values.clone(), Case::Exact)))
        }
        [Operand::Value(value), Operand::Field(field)] => {
            Ok(test(field, at, Operator::Contains(value.clone(), Case::Exact)))
        }
        _ => wrong(at, "expected [{\"var\": field}, [value, …]] or [value, {\"var\": field}]"),
    }
}

fn test(field: &Spanned<Path>, at: &str, operator: Operator) -> Syntax {
    Syntax::Test(field.clone(), Spanned::new(member(at), operator))
}

fn member(at: &str) -> Place {
    Place::Member(at.to_owned())
}

fn wrong<T>(at: &str, message: impl Into<String>) -> QueryResult<T> {
    Err(QueryError::at(member(at), message))
}
