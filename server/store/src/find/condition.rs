//! From the typed tree to SQL. Every value is a bound parameter.

use diesel::expression::{
    AppearsOnTable, AsExpression, Expression, TypedExpressionType, ValidGrouping, is_aggregate,
};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{Bool, Nullable, SingleValue, Text};
use rollcall_api::types::fold;
use rollcall_query::pattern::{Part, escaped};
use rollcall_query::{Case, Filter, Order, Pattern, Test, TextTest};
use serde_json::{Value, json};
use uuid::Uuid;

use super::columns::{BytesColumn, Column, IdColumn, JsonColumn, TextColumn};
use super::ids::Ids;
use super::resources::{Resource, Source};
use super::words::{self, Words};
use crate::derived::{plain, sort_key};

diesel::infix_operator!(MatchesRegex, " ~ ", backend: Pg);

/// A condition of a `WHERE`.
pub enum Condition {
    /// All of these.
    All(Vec<Condition>),
    /// Any of these.
    Any(Vec<Condition>),
    /// Not, in the logic of two values: what isn't known isn't true.
    Not(Box<Condition>),
    /// An expression of Diesel's, out of a caller's filter.
    Leaf(Box<dyn QueryFragment<Pg> + Send>),
    /// The same that is never null. The planner sees through its negation.
    Certain(Box<dyn QueryFragment<Pg> + Send>),
    /// What all rows pass that pass what stands beside it: an index finds those.
    Helper(Box<dyn QueryFragment<Pg> + Send>),
    /// An expression of which there are few: its statement may be kept.
    Fixed(Box<dyn QueryFragment<Pg> + Send>),
}

impl std::fmt::Debug for Condition {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Condition(…)")
    }
}

impl Condition {
    /// A condition out of an expression.
    pub fn leaf<E>(expression: E) -> Self
    where
        E: QueryFragment<Pg> + Send + 'static,
    {
        Self::Leaf(Box::new(expression))
    }

    /// A condition out of an expression that is never null.
    pub fn certain<E>(expression: E) -> Self
    where
        E: QueryFragment<Pg> + Send + 'static,
    {
        Self::Certain(Box::new(expression))
    }

    /// A condition that only helps to find an index.
    pub fn helper<E>(expression: E) -> Self
    where
        E: QueryFragment<Pg> + Send + 'static,
    {
        Self::Helper(Box::new(expression))
    }

    /// The same, of columns that always have a value.
    fn of_values(self) -> Self {
        let each = |parts: Vec<Self>| parts.into_iter().map(Self::of_values).collect();
        match self {
            Self::All(parts) => Self::All(each(parts)),
            Self::Any(parts) => Self::Any(each(parts)),
            Self::Leaf(expression) => Self::Certain(expression),
            other => other,
        }
    }

    fn is_certain(&self) -> bool {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().all(Self::is_certain),
            Self::Not(_) | Self::Certain(_) => true,
            Self::Leaf(_) | Self::Helper(_) | Self::Fixed(_) => false,
        }
    }

    /// The same without what only helps to find an index. That looks into texts that the caller may not see: it narrows
    /// nothing, but a planner that counts by it tells of them.
    pub fn without_helpers(self) -> Self {
        let each = |parts: Vec<Self>| parts.into_iter().map(Self::without_helpers).collect();
        match self {
            Self::All(parts) => Self::All(each(parts)),
            Self::Any(parts) => Self::Any(each(parts)),
            Self::Not(part) => Self::Not(Box::new(part.without_helpers())),
            Self::Helper(_) => Self::everything(),
            other => other,
        }
    }

    /// What everything passes.
    pub fn everything() -> Self {
        Self::All(Vec::new())
    }

    fn join<'b>(parts: &'b [Self], word: &str, none: &str, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        if parts.is_empty() {
            out.push_sql(none);
        }
        for (index, part) in parts.iter().enumerate() {
            out.push_sql(if index == 0 { "(" } else { word });
            part.walk_ast(out.reborrow())?;
        }
        if !parts.is_empty() {
            out.push_sql(")");
        }
        Ok(())
    }
}

impl QueryFragment<Pg> for Condition {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        match self {
            Self::All(parts) => Self::join(parts, " AND ", "TRUE", &mut out),
            Self::Any(parts) => Self::join(parts, " OR ", "FALSE", &mut out),
            Self::Not(part) => {
                let (before, behind) =
                    if part.is_certain() { ("NOT (", ")") } else { ("(", ") IS NOT TRUE") };
                out.push_sql(before);
                part.walk_ast(out.reborrow())?;
                out.push_sql(behind);
                Ok(())
            }
            Self::Leaf(expression) | Self::Certain(expression) | Self::Helper(expression) => {
                // Callers make up as many statements as they like: kept ones would fill the memory, and a plan for
                // unknown values misses the indexes.
                out.unsafe_to_cache_prepared();
                out.push_sql("(");
                expression.walk_ast(out.reborrow())?;
                out.push_sql(")");
                Ok(())
            }
            Self::Fixed(expression) => expression.walk_ast(out),
        }
    }
}

impl Expression for Condition {
    type SqlType = Nullable<Bool>;
}

impl QueryId for Condition {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<GB> ValidGrouping<GB> for Condition {
    type IsAggregate = is_aggregate::No;
}

impl<QS> AppearsOnTable<QS> for Condition {}

/// The condition of a filter.
pub fn of<F: Resource>(filter: &Filter<F>, ids: &Ids) -> Condition {
    let each = |parts: &[Filter<F>]| parts.iter().map(|part| of(part, ids)).collect();
    match filter {
        Filter::All(parts) => Condition::All(each(parts)),
        Filter::Any(parts) => Condition::Any(each(parts)),
        Filter::Not(part) => Condition::Not(Box::new(of(part, ids))),
        Filter::Test(field, tested) => {
            let source = field.source();
            let condition = test(source, tested, ids);
            // Folded texts may be missing for as long as an older server writes them.
            let certain = !field.is_nullable() && !matches!(source, Source::Text(_));
            match tested {
                Test::Present if certain && !matches!(source, Source::Relation(_)) => Condition::everything(),
                _ if certain => condition.of_values(),
                _ => condition,
            }
        }
        Filter::Word(fields, pattern) => words::condition(fields, pattern),
    }
}

/// A field passes a test. The filter was checked: the test is one for the field's kind.
fn test(source: Source, test: &Test, ids: &Ids) -> Condition {
    match (source, test) {
        (Source::Text(columns), Test::Present) => Condition::certain(columns.raw.is_not_null()),
        (Source::Text(columns), Test::Text(test)) => text(columns, test),
        (Source::Id(column), Test::Present) => Condition::certain(column.is_not_null()),
        (Source::Id(column), Test::Ids(ids)) => one_of_ids(column, ids.clone()),
        (Source::Id(column), Test::Id(order, id)) => compare(column, *order, *id),
        (Source::Bool(column), Test::Present) => Condition::certain(column.is_not_null()),
        (Source::Bool(column), Test::Is(value)) => Condition::leaf(column.eq(*value)),
        (Source::Time(column), Test::Present) => Condition::certain(column.is_not_null()),
        (Source::Time(column), Test::Times(times)) => Condition::leaf(column.eq_any(times.clone())),
        (Source::Time(column), Test::Time(order, time)) => compare(column, *order, *time),
        (Source::Json(column), Test::Json(path, values)) => {
            Condition::Any(values.iter().flat_map(|value| holds(column, path, value)).collect())
        }
        (Source::Json(column), Test::JsonPresent(path)) => {
            Condition::certain(HasMember { column, path: path.clone() })
        }
        (Source::Relation(related), test) => related(test, ids),
        _ => {
            debug_assert!(false, "a checked filter has {test:?} for another kind of field");
            Condition::Any(Vec::new())
        }
    }
}

/// The value stands at the path, or in a list there.
fn holds(column: JsonColumn, path: &[String], value: &Value) -> [Condition; 2] {
    [value.clone(), json!([value])].map(|value| {
        let object = path.iter().rev().fold(value, |inner, name| json!({ name.as_str(): inner }));
        Condition::leaf(column.contains(object))
    })
}

/// Something else than null stands at the path. Names are those of objects' members only: `#>` would take a number for a
/// place in a list.
#[derive(Debug)]
struct HasMember {
    column: JsonColumn,
    path: Vec<String>,
}

impl QueryFragment<Pg> for HasMember {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("(");
        self.column.walk_ast(out.reborrow())?;
        for (index, name) in self.path.iter().enumerate() {
            // Only as text, JSON's null is SQL's.
            out.push_sql(if index + 1 == self.path.len() { " ->> " } else { " -> " });
            out.push_bind_param::<Text, _>(name)?;
        }
        out.push_sql(") IS NOT NULL");
        Ok(())
    }
}

/// The columns of a text.
#[derive(Clone, Copy, Debug)]
pub struct TextColumns {
    /// As it was written.
    pub raw: TextColumn,
    /// Folded: what is compared where case doesn't count.
    pub folded: TextColumn,
    /// Where it stands in an order; without it, by its folded form's code points.
    pub key: Option<BytesColumn>,
    /// Where the search bar looks for its words.
    pub words: Option<Words>,
    /// The column that has its plain form among others', each a line with its end behind it, behind an index of trigrams.
    pub indexed: Option<TextColumn>,
}

/// A text passes a test.
pub fn text(columns: TextColumns, test: &TextTest) -> Condition {
    let TextColumns { raw, folded, key, indexed, .. } = columns;
    let like = |pattern: String| Condition::leaf(folded.like(pattern));
    // What every row that passes has among its texts: the index of trigrams finds those. A line's end counts as a
    // character there. What is in a folded text is, made plain, in the plain one.
    let near = |found: bool, pattern: String| {
        indexed.filter(|_| found).map(|indexed| Condition::helper(indexed.like(pattern)))
    };
    let has = |text: &str| {
        let text = plain(text);
        near(text.chars().count() >= 3, format!("%{}%", escaped(&text)))
    };
    let found = |by_index: Option<Condition>, rest: Vec<Condition>| {
        Condition::All(by_index.into_iter().chain(rest).collect())
    };
    match test {
        TextTest::Equal(values, case) => {
            let equal = one_of(folded, values.iter().map(|value| fold(value)).collect());
            match case {
                Case::Folded => equal,
                Case::Exact => Condition::All(vec![equal, one_of(raw, values.clone())]),
            }
        }
        TextTest::Contains(value, case) => {
            let wanted = fold(value);
            let mut rest = vec![like(format!("%{}%", escaped(&wanted)))];
            if *case == Case::Exact {
                rest.push(Condition::leaf(raw.like(format!("%{}%", escaped(value)))));
            }
            found(has(&wanted), rest)
        }
        TextTest::StartsWith(value) => like(format!("{}%", escaped(&fold(value)))),
        TextTest::EndsWith(value) => {
            let wanted = fold(value);
            let seen = plain(&wanted);
            let last = near(seen.chars().count() >= 2, format!("%{}\n%", escaped(&seen)));
            found(last, vec![like(format!("%{}", escaped(&wanted)))])
        }
        TextTest::Compare(order, value) => match key {
            Some(key) => compare(key, *order, sort_key(&fold(value))),
            None => compare(folded, *order, fold(value)),
        },
        TextTest::Like(pattern) => match pattern.plain() {
            Some(plain) => Condition::leaf(folded.eq(fold(plain))),
            None => {
                let pattern = pattern.folded(fold);
                let seen = loosened(&pattern.folded(plain));
                let ends = matches!(seen.0.last(), Some(Part::Text(text)) if text.chars().count() >= 2);
                let line = format!("%\n{}\n%", seen.like());
                found(near(ends || seen.longest() >= 3, line), vec![like(pattern.like())])
            }
        },
        TextTest::Matches(regex) => {
            // Beyond ASCII, folding a part of a text may differ from the part of the folded text.
            let needle = regex.needle.as_deref().filter(|needle| needle.is_ascii()).map(fold);
            let matches = Condition::leaf(MatchesRegex::new(raw, regex.pattern.clone().into_sql::<Text>()));
            found(needle.and_then(|needle| has(&needle)), vec![matches])
        }
    }
}

/// The pattern with any run of characters for one: a character may become two in a plain text, or none.
fn loosened(pattern: &Pattern) -> Pattern {
    let parts = pattern.0.iter().map(|part| if *part == Part::One { Part::Many } else { part.clone() });
    Pattern(parts.collect())
}

/// A column is one of these ids. One alone is asked for by `=`, which leaves an index in its order.
pub fn one_of_ids(column: IdColumn, ids: Vec<Uuid>) -> Condition {
    match ids.as_slice() {
        [id] => Condition::leaf(column.eq(*id)),
        _ => Condition::leaf(column.eq_any(ids)),
    }
}

fn one_of(column: TextColumn, mut values: Vec<String>) -> Condition {
    match values.pop() {
        Some(value) if values.is_empty() => Condition::leaf(column.eq(value)),
        Some(value) => {
            values.push(value);
            Condition::leaf(column.eq_any(values))
        }
        None => Condition::Any(Vec::new()),
    }
}

/// A column is less or greater.
pub fn compare<ST, V>(column: Column<ST>, order: Order, value: V) -> Condition
where
    ST: SingleValue + TypedExpressionType + 'static,
    V: AsExpression<ST>,
    V::Expression: QueryFragment<Pg> + Send + 'static,
{
    match order {
        Order::Less => Condition::leaf(column.lt(value)),
        Order::LessOrEqual => Condition::leaf(column.le(value)),
        Order::Greater => Condition::leaf(column.gt(value)),
        Order::GreaterOrEqual => Condition::leaf(column.ge(value)),
    }
}
