//! Columns chosen at run time: a column of the schema behind its SQL type, with all of Diesel's methods for
//! that type.

use std::marker::PhantomData;

use diesel::expression::{
    AppearsOnTable, Expression, SelectableExpression, TypedExpressionType, ValidGrouping, is_aggregate,
};
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::sql_types::{Binary, Bool, Jsonb, Nullable, SingleValue, Text, Timestamptz, Uuid};

/// A column of an SQL type. The type is always nullable: a comparison with null yields null, which is not
/// true.
pub struct Column<ST: 'static> {
    fragment: &'static (dyn QueryFragment<Pg> + Sync),
    sql_type: PhantomData<fn() -> ST>,
}

/// A column of type `text`.
pub type TextColumn = Column<Nullable<Text>>;
/// A column of type `bytea`.
pub type BytesColumn = Column<Nullable<Binary>>;
/// A column of type `uuid`.
pub type IdColumn = Column<Nullable<Uuid>>;
/// A column of type `boolean`.
pub type BoolColumn = Column<Nullable<Bool>>;
/// A column of type `timestamptz`.
pub type TimeColumn = Column<Nullable<Timestamptz>>;
/// A column of type `jsonb`.
pub type JsonColumn = Column<Nullable<Jsonb>>;

impl<ST: SingleValue> Column<Nullable<ST>> {
    /// Erases everything about the column but its SQL type.
    pub fn of<C>(column: &'static C) -> Self
    where
        C: Expression + QueryFragment<Pg> + Sync,
        C::SqlType: diesel::sql_types::IntoNullable<Nullable = Nullable<ST>>,
    {
        Self { fragment: column, sql_type: PhantomData }
    }

    /// A column or expression that is not part of the schema.
    pub fn named(name: &'static Named) -> Self {
        Self { fragment: name, sql_type: PhantomData }
    }
}

/// A fixed piece of SQL.
#[derive(Debug)]
pub struct Named(pub &'static str);

impl QueryFragment<Pg> for Named {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(self.0);
        Ok(())
    }
}

impl<ST> Clone for Column<ST> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<ST> Copy for Column<ST> {}

impl<ST> std::fmt::Debug for Column<ST> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Column(…)")
    }
}

impl<ST: TypedExpressionType> Expression for Column<ST> {
    type SqlType = ST;
}

impl<ST> QueryFragment<Pg> for Column<ST> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.fragment.walk_ast(out)
    }
}

impl<ST> QueryId for Column<ST> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<ST, GB> ValidGrouping<GB> for Column<ST> {
    type IsAggregate = is_aggregate::No;
}

// The table of a column is known where the column is chosen; the plan test runs a statement with each of
// them.
impl<ST, QS> AppearsOnTable<QS> for Column<ST> where Self: Expression {}
impl<ST, QS> SelectableExpression<QS> for Column<ST> where Self: Expression {}
