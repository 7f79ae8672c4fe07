//! Privileges inside the database. One role owns the tables and runs migrations; the server uses another
//! role, which reads and writes rows but can neither change nor delete audit events.

use diesel::QueryableByName;
use diesel::sql_types::{Bool, Nullable, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};

use crate::error::{StoreError, StoreResult};

/// Statements that leave the role with exactly the privileges the server needs on every existing table and
/// view. Migrations recreate views: the default privileges keep servers of the previous version working
/// meanwhile.
const GRANTS: &str = "
    SELECT format('GRANT USAGE ON SCHEMA %I TO %I', current_schema(), $1) AS text
    UNION ALL
    SELECT format('ALTER DEFAULT PRIVILEGES IN SCHEMA %I GRANT SELECT ON TABLES TO %I', current_schema(), $1)
    UNION ALL
    SELECT format(
        'REVOKE ALL ON %1$I.%2$I FROM %3$I; GRANT %4$s ON %1$I.%2$I TO %3$I', current_schema(), relname, $1,
        CASE
            WHEN relname = 'audit_events' THEN 'SELECT, INSERT'
            WHEN relkind = 'v' OR relname = '__diesel_schema_migrations' THEN 'SELECT'
            ELSE 'SELECT, INSERT, UPDATE, DELETE'
        END
    )
    FROM pg_catalog.pg_class
    WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'v')";

/// Query that returns the statements to transfer the tables to the connected role, if another role owns them.
const REASSIGN: &str = "
    SELECT min(format('REASSIGN OWNED BY %I TO %I', pg_get_userbyid(relowner), current_user)) AS text
    FROM pg_catalog.pg_class
    WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'v')
        AND NOT pg_has_role(relowner, 'USAGE')";

/// Query: true if the connected role may do more to audit events than insert and read them, as their owner or
/// by a grant.
const CHANGEABLE: &str = "
    pg_has_role((SELECT relowner FROM pg_catalog.pg_class WHERE oid = 'audit_events'::regclass), 'MEMBER')
    OR has_table_privilege('audit_events', 'DELETE, TRUNCATE, TRIGGER')
    OR has_any_column_privilege('audit_events', 'UPDATE')";

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Nullable<Text>)]
    text: Option<String>,
}

/// The current role of a connection.
pub async fn role(mut conn: &AsyncPgConnection) -> StoreResult<String> {
    Ok(diesel::select(diesel::dsl::sql::<Text>("current_user::text")).get_result(&mut conn).await?)
}

/// Fails if another role owns the tables: that role could still undo the owner's restrictions.
pub async fn ensure_tables_owned(mut conn: &AsyncPgConnection) -> StoreResult<()> {
    match diesel::sql_query(REASSIGN).get_result::<Line>(&mut conn).await?.text {
        Some(reassign) => Err(StoreError::Defect(format!(
            "the tables are not those of the role that migrates: run `{reassign}` in the database as a superuser, once"
        ))),
        None => Ok(()),
    }
}

/// Grants the server's role the privileges it needs and revokes all others. Inside a transaction no
/// intermediate state is visible.
pub async fn grant(mut conn: &AsyncPgConnection, role: &str) -> StoreResult<()> {
    let statements: Vec<Line> = diesel::sql_query(GRANTS).bind::<Text, _>(role).load(&mut conn).await?;
    let statements: Vec<String> = statements.into_iter().filter_map(|line| line.text).collect();
    Ok(conn.batch_execute(&statements.join(";")).await?)
}

/// True if only a trigger prevents the connected role from changing audit events.
pub async fn can_change_audit_events(mut conn: &AsyncPgConnection) -> StoreResult<bool> {
    Ok(diesel::select(diesel::dsl::sql::<Bool>(CHANGEABLE)).get_result(&mut conn).await?)
}
