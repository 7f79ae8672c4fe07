//! Keyset pagination: a page ends with the keys of its last row, and the next page starts after them. Nothing
//! is counted or skipped, so a page deep in the list costs as much as the first one, and inserted or deleted
//! rows shift no others.

use chrono::{DateTime, Utc};
use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate};
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::sql_types::{Binary, Bool, Jsonb, Text, Timestamptz, Uuid as SqlUuid};
use rollcall_query::{Direction, SortKey};
use serde_json::Value;
use uuid::Uuid;

use super::Find;
use super::columns::{BoolColumn, BytesColumn, IdColumn, TextColumn, TimeColumn};
use super::condition::Condition;
use super::resources::{Resource, Source};
use crate::error::{StoreError, StoreResult};

/// A row's position in an order: its sort keys, as Postgres writes them in JSON, and its id.
#[derive(Clone, Debug, PartialEq)]
pub struct Position {
    /// The sort keys.
    pub keys: Vec<Value>,
    /// The id.
    pub id: Uuid,
}

/// One statement of a list: its condition, its order and the keys to select with each row.
#[derive(Debug)]
pub struct Phase {
    /// The rows of this page and all that follow.
    pub condition: Condition,
    /// Orders it.
    pub order: Ordering,
    /// The row's sort keys.
    pub keys: Keys,
}

/// A field of an order with its column.
#[derive(Clone, Copy, Debug)]
struct Key {
    column: KeyColumn,
    direction: Direction,
    nullable: bool,
}

#[derive(Clone, Copy, Debug)]
enum KeyColumn {
    Text(TextColumn),
    Bytes(BytesColumn),
    Id(IdColumn),
    Bool(BoolColumn),
    Time(TimeColumn),
}

#[derive(Clone, Debug)]
enum KeyValue {
    Text(String),
    Bytes(Vec<u8>),
    Id(Uuid),
    Bool(bool),
    Time(DateTime<Utc>),
}

impl Key {
    fn of<F: Resource>(sorted: SortKey<F>) -> StoreResult<Self> {
        let column = match sorted.field.source() {
            Source::Text(columns) => columns.key.map_or(KeyColumn::Text(columns.folded), KeyColumn::Bytes),
            Source::Id(column) => KeyColumn::Id(column),
            Source::Bool(column) => KeyColumn::Bool(column),
            Source::Time(column) => KeyColumn::Time(column),
            Source::Json(_) | Source::Relation(_) => {
                return Err(StoreError::Defect(format!("lists can't be sorted by {:?}", sorted.field)));
            }
        };
        Ok(Self { column, direction: sorted.direction, nullable: sorted.field.is_nullable() })
    }

    fn value(self, json: &Value) -> StoreResult<Option<KeyValue>> {
        let text = json.as_str();
        let value = match self.column {
            KeyColumn::Text(_) => text.map(|text| KeyValue::Text(text.to_owned())),
            KeyColumn::Bytes(_) => text.and_then(bytes).map(KeyValue::Bytes),
            KeyColumn::Id(_) => text.and_then(|text| Uuid::try_parse(text).ok()).map(KeyValue::Id),
            KeyColumn::Bool(_) => json.as_bool().map(KeyValue::Bool),
            KeyColumn::Time(_) => text
                .and_then(|text| DateTime::parse_from_rfc3339(text).ok())
                .map(|time| KeyValue::Time(time.to_utc())),
        };
        match value {
            None if !json.is_null() => Err(StoreError::Defect("a position of another order".to_owned())),
            value => Ok(value),
        }
    }
}

/// Decodes the hexadecimal digits that [`Keys`] writes.
fn bytes(digits: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    let pair = |pair: &[u8; 2]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    if rest.is_empty() { pairs.iter().map(pair).collect() } else { None }
}

impl KeyColumn {
    fn push<'b>(&'b self, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        match self {
            Self::Text(column) => column.walk_ast(out.reborrow()),
            Self::Bytes(column) => column.walk_ast(out.reborrow()),
            Self::Id(column) => column.walk_ast(out.reborrow()),
            Self::Bool(column) => column.walk_ast(out.reborrow()),
            Self::Time(column) => column.walk_ast(out.reborrow()),
        }
    }
}

impl KeyValue {
    fn push<'b>(&'b self, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        match self {
            Self::Text(value) => out.push_bind_param::<Text, _>(value),
            Self::Bytes(value) => out.push_bind_param::<Binary, _>(value),
            Self::Id(value) => out.push_bind_param::<SqlUuid, _>(value),
            Self::Bool(value) => out.push_bind_param::<Bool, _>(value),
            Self::Time(value) => out.push_bind_param::<Timestamptz, _>(value),
        }
    }
}

fn beyond(direction: Direction) -> &'static str {
    match direction {
        Direction::Ascending => " > ",
        Direction::Descending => " < ",
    }
}

/// The statements of a list, in the order of its rows.
pub(super) fn phases<F: Resource>(find: &Find<F>) -> StoreResult<Vec<Phase>> {
    let id = F::id();
    let mut sort = find.sort.clone();
    // Rows with equal keys are ordered by id in the direction of the last field, so that one index scanned
    // backwards yields the reverse order.
    let mut id_direction = sort.last().map_or(Direction::Ascending, |key| key.direction);
    if let Some(place) = sort.iter().position(|key| key.field.line().name == "id") {
        id_direction = sort[place].direction;
        sort.truncate(place);
    }
    let keys: Vec<Key> = sort.into_iter().map(Key::of).collect::<StoreResult<_>>()?;
    let after = match &find.after {
        None => None,
        Some(position) if position.keys.len() == keys.len() => {
            let values = keys.iter().zip(&position.keys).map(|(key, json)| key.value(json));
            Some((values.collect::<StoreResult<Vec<_>>>()?, position.id))
        }
        Some(_) => return Err(StoreError::Defect("a position of another order".to_owned())),
    };
    let mut phases = Vec::new();
    for part in parts(&keys, after) {
        phases.extend(part.segments().into_iter().map(|first| {
            let keyset = part.keyset(first, id, id_direction);
            let order = Ordering { keys: keyset.ordered().to_vec(), id, id_direction };
            let condition = Condition::All(vec![Condition::Cacheable(Box::new(keyset)), find.condition()]);
            Phase { condition, order, keys: Keys(keys.clone()) }
        }));
    }
    Ok(phases)
}

/// The sort keys and id of the row after which a page starts.
type After = (Vec<Option<KeyValue>>, Uuid);

/// Rows of an order with the same value in a leading Boolean field. Sorting both values together by the
/// remaining fields would read half of the table. Other orders have a single part.
#[derive(Debug)]
struct Part {
    same: Option<(BoolColumn, bool)>,
    keys: Vec<Key>,
    after: Option<After>,
}

/// The parts that earlier pages have not finished, in order.
fn parts(keys: &[Key], after: Option<After>) -> Vec<Part> {
    let (column, direction, rest) = match keys {
        [Key { column: KeyColumn::Bool(column), direction, nullable: false }, rest @ ..]
            if !rest.is_empty() =>
        {
            (*column, direction, rest)
        }
        keys => return vec![Part { same: None, keys: keys.to_vec(), after }],
    };
    let values = if *direction == Direction::Ascending { [false, true] } else { [true, false] };
    let (here, mut after) = match after {
        None => (None, None),
        Some((values, id)) => match values.split_first() {
            Some((Some(KeyValue::Bool(here)), rest)) => (Some(*here), Some((rest.to_vec(), id))),
            _ => (None, None),
        },
    };
    let ahead = values.into_iter().skip_while(|value| here.is_some_and(|here| here != *value));
    // Only the first part continues after a row.
    ahead
        .map(|value| Part { same: Some((column, value)), keys: rest.to_vec(), after: after.take() })
        .collect()
}

impl Part {
    fn segments(&self) -> Vec<First> {
        let past_values =
            self.after.as_ref().is_some_and(|(values, _)| values.first().is_some_and(Option::is_none));
        match self.keys.first() {
            Some(first) if first.nullable && past_values => vec![First::Absent],
            Some(first) if first.nullable => vec![First::Present, First::Absent],
            _ => vec![First::Unconstrained],
        }
    }

    fn keyset(&self, first: First, id: IdColumn, id_direction: Direction) -> Keyset {
        let mut keys = self.keys.clone();
        if let (First::Present, Some(key)) = (first, keys.first_mut()) {
            // These rows always have a value.
            key.nullable = false;
        }
        let after = self.after.clone().filter(|(values, _)| {
            // Rows with a value come before all rows without one: a page without values has no row to
            // continue after.
            !(first == First::Absent && values.first().is_some_and(Option::is_some))
        });
        Keyset { same: self.same, keys, id, id_direction, after, first }
    }
}

/// Restriction of a statement on the order's first field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum First {
    /// The field is never null, or the order has no fields.
    Unconstrained,
    /// Only rows that have a value.
    Present,
    /// Only rows that have no value.
    Absent,
}

/// The condition that a row comes after another one.
#[derive(Clone, Debug)]
struct Keyset {
    same: Option<(BoolColumn, bool)>,
    keys: Vec<Key>,
    id: IdColumn,
    id_direction: Direction,
    after: Option<After>,
    first: First,
}

impl Keyset {
    /// The keys that differ among this statement's rows.
    fn ordered(&self) -> &[Key] {
        if self.first == First::Absent { &self.keys[1..] } else { &self.keys }
    }

    fn push_id<'b>(&'b self, last: &'b Uuid, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.id.walk_ast(out.reborrow())?;
        out.push_sql(beyond(self.id_direction));
        out.push_bind_param::<SqlUuid, _>(last)
    }

    /// Writes the condition that a row comes after the position, compared by `keys`.
    fn push_after<'b>(
        &'b self,
        keys: &'b [Key],
        values: &'b [Option<KeyValue>],
        last: &'b Uuid,
        out: &mut AstPass<'_, 'b, Pg>,
    ) -> QueryResult<()> {
        let (Some((key, keys)), Some((value, values))) = (keys.split_first(), values.split_first()) else {
            return self.push_id(last, out);
        };
        out.push_sql("(");
        match value {
            Some(value) => {
                key.column.push(out)?;
                out.push_sql(beyond(key.direction));
                value.push(out)?;
                if key.nullable {
                    out.push_sql(" OR ");
                    key.column.push(out)?;
                    out.push_sql(" IS NULL");
                }
                out.push_sql(" OR (");
                key.column.push(out)?;
                out.push_sql(" = ");
                value.push(out)?;
            }
            None => {
                out.push_sql("(");
                key.column.push(out)?;
                out.push_sql(" IS NULL");
            }
        }
        out.push_sql(" AND ");
        self.push_after(keys, values, last, out)?;
        out.push_sql("))");
        Ok(())
    }

    /// Writes a condition that also bounds the first key, so that the index scan starts at the row and not at
    /// the beginning.
    fn push_from<'b>(
        &'b self,
        values: &'b [Option<KeyValue>],
        last: &'b Uuid,
        out: &mut AstPass<'_, 'b, Pg>,
    ) -> QueryResult<()> {
        let keys = self.ordered();
        let values = &values[values.len() - keys.len()..];
        match (keys, values) {
            // A row comparison excludes rows with null.
            ([key], [Some(value)]) if key.direction == self.id_direction && !key.nullable => {
                out.push_sql("(");
                key.column.push(out)?;
                out.push_sql(", ");
                self.id.walk_ast(out.reborrow())?;
                out.push_sql(")");
                out.push_sql(beyond(key.direction));
                out.push_sql("(");
                value.push(out)?;
                out.push_sql(", ");
                out.push_bind_param::<SqlUuid, _>(last)?;
                out.push_sql(")");
                Ok(())
            }
            ([key, ..], [Some(value), ..]) if !key.nullable => {
                key.column.push(out)?;
                out.push_sql(match key.direction {
                    Direction::Ascending => " >= ",
                    Direction::Descending => " <= ",
                });
                value.push(out)?;
                out.push_sql(" AND ");
                self.push_after(keys, values, last, out)
            }
            _ => self.push_after(keys, values, last, out),
        }
    }
}

impl QueryFragment<Pg> for Keyset {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("TRUE");
        if let Some((column, value)) = &self.same {
            out.push_sql(" AND ");
            column.walk_ast(out.reborrow())?;
            out.push_sql(if *value { " = TRUE" } else { " = FALSE" });
        }
        if let Some(key) = self.keys.first() {
            match self.first {
                First::Unconstrained => {}
                First::Present => {
                    out.push_sql(" AND ");
                    key.column.push(&mut out)?;
                    out.push_sql(" IS NOT NULL");
                }
                First::Absent => {
                    out.push_sql(" AND ");
                    key.column.push(&mut out)?;
                    out.push_sql(" IS NULL");
                }
            }
        }
        if let Some((values, last)) = &self.after {
            out.push_sql(" AND ");
            self.push_from(values, last, &mut out)?;
        }
        Ok(())
    }
}

/// The `ORDER BY` clause.
#[derive(Clone, Debug)]
pub struct Ordering {
    keys: Vec<Key>,
    id: IdColumn,
    id_direction: Direction,
}

impl QueryFragment<Pg> for Ordering {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        for key in &self.keys {
            key.column.push(&mut out)?;
            out.push_sql(match (key.direction, key.nullable) {
                (Direction::Ascending, _) => ", ",
                (Direction::Descending, false) => " DESC, ",
                (Direction::Descending, true) => " DESC NULLS LAST, ",
            });
        }
        self.id.walk_ast(out.reborrow())?;
        if self.id_direction == Direction::Descending {
            out.push_sql(" DESC");
        }
        Ok(())
    }
}

/// A row's sort keys as a JSON array.
#[derive(Clone, Debug)]
pub struct Keys(Vec<Key>);

impl QueryFragment<Pg> for Keys {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("jsonb_build_array(");
        for (index, key) in self.0.iter().enumerate() {
            if index > 0 {
                out.push_sql(", ");
            }
            if let KeyColumn::Bytes(column) = &key.column {
                out.push_sql("encode(");
                column.walk_ast(out.reborrow())?;
                out.push_sql(", 'hex')");
            } else {
                key.column.push(&mut out)?;
            }
        }
        out.push_sql(")");
        Ok(())
    }
}

impl Expression for Ordering {
    type SqlType = Bool;
}

impl QueryId for Ordering {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<GB> ValidGrouping<GB> for Ordering {
    type IsAggregate = is_aggregate::No;
}

impl<QS> AppearsOnTable<QS> for Ordering {}

impl Expression for Keys {
    type SqlType = Jsonb;
}

impl QueryId for Keys {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<GB> ValidGrouping<GB> for Keys {
    type IsAggregate = is_aggregate::No;
}

impl<QS> AppearsOnTable<QS> for Keys {}
impl<QS> SelectableExpression<QS> for Keys {}
