//! Translation of the typed filter tree to SQL. Every value is a bound parameter.

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

/// A condition of a `WHERE` clause.
pub enum Condition {
    /// Conjunction.
    All(Vec<Condition>),
    /// Disjunction.
    Any(Vec<Condition>),
    /// Negation in two-valued logic: null counts as false.
    Not(Box<Condition>),
    /// A Diesel expression that comes from a caller's filter.
    Leaf(Box<dyn QueryFragment<Pg> + Send>),
    /// The same, but never null, so that the planner can see through its negation.
    NonNull(Box<dyn QueryFragment<Pg> + Send>),
    /// A condition implied by the one beside it, which lets the planner use an index.
    IndexHint(Box<dyn QueryFragment<Pg> + Send>),
    /// An expression with few variants, whose statement may be cached.
    Cacheable(Box<dyn QueryFragment<Pg> + Send>),
}

impl std::fmt::Debug for Condition {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Condition(…)")
    }
}

impl Condition {
    /// Wraps an expression that may be null.
    pub fn leaf<E>(expression: E) -> Self
    where
        E: QueryFragment<Pg> + Send + 'static,
    {
        Self::Leaf(Box::new(expression))
    }

    /// Wraps an expression that is never null.
    pub fn non_null<E>(expression: E) -> Self
    where
        E: QueryFragment<Pg> + Send + 'static,
    {
        Self::NonNull(Box::new(expression))
    }

    /// Wraps an expression that is only there to make an index usable.
    pub fn index_hint<E>(expression: E) -> Self
    where
        E: QueryFragment<Pg> + Send + 'static,
    {
        Self::IndexHint(Box::new(expression))
    }

    /// The same condition over columns that always have a value.
    fn assume_non_null(self) -> Self {
        let each = |parts: Vec<Self>| parts.into_iter().map(Self::assume_non_null).collect();
        match self {
            Self::All(parts) => Self::All(each(parts)),
            Self::Any(parts) => Self::Any(each(parts)),
            Self::Leaf(expression) => Self::NonNull(expression),
            other => other,
        }
    }

    fn is_non_null(&self) -> bool {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().all(Self::is_non_null),
            Self::Not(_) | Self::NonNull(_) => true,
            Self::Leaf(_) | Self::IndexHint(_) | Self::Cacheable(_) => false,
        }
    }

    /// The same condition without index hints. Those match texts that the caller may not see. They do not
    /// narrow the result, but a planner's estimate that takes them into account would reveal such texts.
    pub fn without_index_hints(self) -> Self {
        let each = |parts: Vec<Self>| parts.into_iter().map(Self::without_index_hints).collect();
        match self {
            Self::All(parts) => Self::All(each(parts)),
            Self::Any(parts) => Self::Any(each(parts)),
            Self::Not(part) => Self::Not(Box::new(part.without_index_hints())),
            Self::IndexHint(_) => Self::everything(),
            other => other,
        }
    }

    /// The condition that every row meets.
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
                    if part.is_non_null() { ("NOT (", ")") } else { ("(", ") IS NOT TRUE") };
                out.push_sql(before);
                part.walk_ast(out.reborrow())?;
                out.push_sql(behind);
                Ok(())
            }
            Self::Leaf(expression) | Self::NonNull(expression) | Self::IndexHint(expression) => {
                // Callers can produce any number of different statements: cached ones would fill the memory,
                // and a generic plan misses the indexes.
                out.unsafe_to_cache_prepared();
                out.push_sql("(");
                expression.walk_ast(out.reborrow())?;
                out.push_sql(")");
                Ok(())
            }
            Self::Cacheable(expression) => expression.walk_ast(out),
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

/// Translates a filter.
pub fn of<F: Resource>(filter: &Filter<F>, ids: &Ids) -> Condition {
    let each = |parts: &[Filter<F>]| parts.iter().map(|part| of(part, ids)).collect();
    match filter {
        Filter::All(parts) => Condition::All(each(parts)),
        Filter::Any(parts) => Condition::Any(each(parts)),
        Filter::Not(part) => Condition::Not(Box::new(of(part, ids))),
        Filter::Test(field, tested) => {
            let source = field.source();
            let condition = test(source, tested, ids);
            // Folded text may be missing while an older server writes the row.
            let non_null = !field.is_nullable() && !matches!(source, Source::Text(_));
            match tested {
                Test::Present if non_null && !matches!(source, Source::Relation(_)) => {
                    Condition::everything()
                }
                _ if non_null => condition.assume_non_null(),
                _ => condition,
            }
        }
        Filter::Word(fields, pattern) => words::condition(fields, pattern),
    }
}

/// A test of one field. The filter was validated, so the test matches the field's type.
fn test(source: Source, test: &Test, ids: &Ids) -> Condition {
    match (source, test) {
        (Source::Text(columns), Test::Present) => Condition::non_null(columns.raw.is_not_null()),
        (Source::Text(columns), Test::Text(test)) => text(columns, test),
        (Source::Id(column), Test::Present) => Condition::non_null(column.is_not_null()),
        (Source::Id(column), Test::Ids(ids)) => one_of_ids(column, ids.clone()),
        (Source::Id(column), Test::Id(order, id)) => compare(column, *order, *id),
        (Source::Bool(column), Test::Present) => Condition::non_null(column.is_not_null()),
        (Source::Bool(column), Test::Is(value)) => Condition::leaf(column.eq(*value)),
        (Source::Time(column), Test::Present) => Condition::non_null(column.is_not_null()),
        (Source::Time(column), Test::Times(times)) => Condition::leaf(column.eq_any(times.clone())),
        (Source::Time(column), Test::Time(order, time)) => compare(column, *order, *time),
        (Source::Json(column), Test::Json(path, values)) => {
            Condition::Any(values.iter().flat_map(|value| holds(column, path, value)).collect())
        }
        (Source::Json(column), Test::JsonPresent(path)) => {
            Condition::non_null(HasMember { column, path: path.clone() })
        }
        (Source::Relation(related), test) => related(test, ids),
        _ => {
            debug_assert!(false, "a checked filter has {test:?} for another kind of field");
            Condition::Any(Vec::new())
        }
    }
}

/// The value is at the path, or is an element of a list there.
fn holds(column: JsonColumn, path: &[String], value: &Value) -> [Condition; 2] {
    [value.clone(), json!([value])].map(|value| {
        let object = path.iter().rev().fold(value, |inner, name| json!({ name.as_str(): inner }));
        Condition::leaf(column.contains(object))
    })
}

/// A non-null value is at the path. Path segments are member names only: `#>` would take a number as an index
/// into a list.
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
            // JSON's null becomes SQL's null only as text.
            out.push_sql(if index + 1 == self.path.len() { " ->> " } else { " -> " });
            out.push_bind_param::<Text, _>(name)?;
        }
        out.push_sql(") IS NOT NULL");
        Ok(())
    }
}

/// The columns of a text field.
#[derive(Clone, Copy, Debug)]
pub struct TextColumns {
    /// The original text.
    pub raw: TextColumn,
    /// The folded text, for case-insensitive comparison.
    pub folded: TextColumn,
    /// The sort key; without one the folded text orders by code points.
    pub key: Option<BytesColumn>,
    /// The columns that word search uses.
    pub words: Option<Words>,
    /// The trigram-indexed column that contains the plain form of all the row's texts, each on a line
    /// terminated by a newline.
    pub indexed: Option<TextColumn>,
}

/// A test of a text field.
pub fn text(columns: TextColumns, test: &TextTest) -> Condition {
    let TextColumns { raw, folded, key, indexed, .. } = columns;
    let like = |pattern: String| Condition::leaf(folded.like(pattern));
    // A pattern that the combined texts of every matching row contain, which the trigram index can find. The
    // line terminator counts as a character there. A substring of the folded text, made plain, is a substring
    // of the plain text.
    let near = |found: bool, pattern: String| {
        indexed.filter(|_| found).map(|indexed| Condition::index_hint(indexed.like(pattern)))
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
            // Beyond ASCII the folded form of a substring may differ from the substring of the folded text.
            let needle = regex.needle.as_deref().filter(|needle| needle.is_ascii()).map(fold);
            let matches = Condition::leaf(MatchesRegex::new(raw, regex.pattern.clone().into_sql::<Text>()));
            found(needle.and_then(|needle| has(&needle)), vec![matches])
        }
    }
}

/// The pattern with `%` in place of each single-character wildcard: a character may become two in a plain
/// text, or none.
fn loosened(pattern: &Pattern) -> Pattern {
    let parts = pattern.0.iter().map(|part| if *part == Part::One { Part::Many } else { part.clone() });
    Pattern(parts.collect())
}

/// The column equals one of the ids. A single id is compared with `=`, which preserves the order of an index.
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

/// The column compares to the value in the given order.
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
