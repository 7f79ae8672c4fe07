//! Who may do what in the database itself. One role owns the tables and migrates; the server runs as another, which reads
//! and writes rows but can neither change nor remove audit events.

use diesel::QueryableByName;
use diesel::sql_types::{Bool, Nullable, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};

use crate::error::{StoreError, StoreResult};

/// Statements that leave the role with what the server needs, on every table and view that there is, and nothing else.
/// Views are made anew by migrations: what is granted by default keeps servers of the version before at work meanwhile.
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

/// What gives the tables to the connected role, where they are another's.
const REASSIGN: &str = "
    SELECT min(format('REASSIGN OWNED BY %I TO %I', pg_get_userbyid(relowner), current_user)) AS text
    FROM pg_catalog.pg_class
    WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'v')
        AND NOT pg_has_role(relowner, 'USAGE')";

/// Whether the connected role may do more to audit events than add and read them: as their owner, or because somebody
/// granted it.
const CHANGEABLE: &str = "
    pg_has_role((SELECT relowner FROM pg_catalog.pg_class WHERE oid = 'audit_events'::regclass), 'MEMBER')
    OR has_table_privilege('audit_events', 'DELETE, TRUNCATE, TRIGGER')
    OR has_any_column_privilege('audit_events', 'UPDATE')";

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Nullable<Text>)]
    text: Option<String>,
}

/// The role that a connection acts as.
pub async fn role(mut conn: &AsyncPgConnection) -> StoreResult<String> {
    Ok(diesel::select(diesel::dsl::sql::<Text>("current_user::text")).get_result(&mut conn).await?)
}

/// Refuses to go on where the tables are another role's: it could still undo what the owner denies it.
pub async fn refuse_strangers(mut conn: &AsyncPgConnection) -> StoreResult<()> {
    match diesel::sql_query(REASSIGN).get_result::<Line>(&mut conn).await?.text {
        Some(reassign) => Err(StoreError::Defect(format!(
            "the tables are not those of the role that migrates: run `{reassign}` in the database as a superuser, once"
        ))),
        None => Ok(()),
    }
}

/// Gives the server's role what it needs and takes what else it had. In a transaction nobody sees anything in between.
pub async fn grant(mut conn: &AsyncPgConnection, role: &str) -> StoreResult<()> {
    let statements: Vec<Line> = diesel::sql_query(GRANTS).bind::<Text, _>(role).load(&mut conn).await?;
    let statements: Vec<String> = statements.into_iter().filter_map(|line| line.text).collect();
    Ok(conn.batch_execute(&statements.join(";")).await?)
}

/// Whether only a trigger keeps the connected role from changing audit events.
pub async fn can_change_audit_events(mut conn: &AsyncPgConnection) -> StoreResult<bool> {
    Ok(diesel::select(diesel::dsl::sql::<Bool>(CHANGEABLE)).get_result(&mut conn).await?)
}
