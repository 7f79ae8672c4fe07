//! Diesel's tables compared with a migrated database, and migrations that run twice, concurrently, or too late.

use std::collections::BTreeMap;

use diesel_schema::Column;
use rollcall_server::commands;
use slog::{Discard, Logger, o};

use crate::support::cluster::Database;

/// Parses `server/store/src/schema.rs` as text: Diesel's tables don't expose their columns' types at run time.
mod diesel_schema {
    use std::collections::BTreeMap;

    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Column {
        pub name: String,
        pub kind: String,
        pub nullable: bool,
    }

    /// Tables and views with their columns, in order.
    pub fn tables() -> BTreeMap<String, Vec<Column>> {
        let text = include_str!("../../server/store/src/schema.rs");
        let mut tables = BTreeMap::new();
        for block in text.split("\ntable! {").skip(1) {
            let mut lines =
                block.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//"));
            let name = lines.next().unwrap().split_whitespace().next().unwrap();
            let columns =
                lines.map_while(|line| line.trim_end_matches(',').split_once(" -> ")).map(|(name, kind)| {
                    let inner = kind.strip_prefix("Nullable<").and_then(|rest| rest.strip_suffix('>'));
                    Column {
                        name: name.to_owned(),
                        kind: sql(inner.unwrap_or(kind)),
                        nullable: inner.is_some(),
                    }
                });
            tables.insert(name.to_owned(), columns.collect());
        }
        tables
    }

    /// Converts Diesel's name of a type to the one of Postgres.
    fn sql(kind: &str) -> String {
        if let Some(item) = kind.strip_prefix("Array<").and_then(|rest| rest.strip_suffix('>')) {
            // Postgres can't forbid null elements in an array.
            let item = item.strip_prefix("Nullable<").and_then(|rest| rest.strip_suffix('>')).unwrap_or(item);
            return format!("{}[]", sql(item));
        }
        match kind {
            "Int8" => "bigint",
            "Int4" => "integer",
            "Bool" => "boolean",
            "Timestamptz" => "timestamp with time zone",
            "Text" | "Uuid" | "Jsonb" | "Bytea" => return kind.to_lowercase(),
            other => panic!("a type that this test doesn't know: {other}"),
        }
        .to_owned()
    }
}

fn log() -> Logger {
    Logger::root(Discard, o!())
}

/// Tables and views of a database with their columns; second, the names of the views.
async fn real(database: &Database) -> (BTreeMap<String, Vec<Column>>, Vec<String>) {
    let query = "SELECT c.relname::text, c.relkind = 'v', a.attname::text, format_type(a.atttypid, a.atttypmod), \
            NOT a.attnotnull \
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid \
        WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p', 'v') AND a.attnum > 0 AND NOT a.attisdropped \
        ORDER BY c.relname, a.attnum";
    let mut tables: BTreeMap<String, Vec<Column>> = BTreeMap::new();
    let mut views = Vec::new();
    for row in database.connect().await.query(query, &[]).await.unwrap() {
        let table: String = row.get(0);
        if row.get(1) {
            views.push(table.clone());
        }
        tables.entry(table).or_default().push(Column {
            name: row.get(2),
            kind: row.get(3),
            nullable: row.get(4),
        });
    }
    tables.remove("__diesel_schema_migrations");
    (tables, views)
}

#[tokio::test]
async fn diesels_tables_are_those_of_the_database() {
    let database = Database::migrated();
    let (real, views) = real(&database).await;
    let diesel = diesel_schema::tables();
    assert!(diesel.len() > 10, "the schema is read");
    assert_eq!(diesel.keys().collect::<Vec<_>>(), real.keys().collect::<Vec<_>>(), "tables and views");
    for (table, columns) in &diesel {
        // Postgres reports every column of a view as nullable, and their order doesn't matter.
        if views.contains(table) {
            let plain = |columns: &[Column]| -> BTreeMap<String, String> {
                columns.iter().map(|column| (column.name.clone(), column.kind.clone())).collect()
            };
            let (mine, theirs) = (plain(columns), plain(&real[table]));
            assert_eq!(mine, theirs, "the view {table}");
        } else {
            assert_eq!(columns, &real[table], "the table {table}");
        }
    }
    database.drop_now();
}

#[tokio::test]
async fn migrating_again_changes_nothing() {
    let database = Database::empty();
    let config = database.config();
    commands::migrate(&config, &database.source(), &log()).await.unwrap();
    let seeds = "SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM \
        (SELECT roles::text FROM roles UNION ALL SELECT role_permissions::text FROM role_permissions \
         UNION ALL SELECT groups::text FROM groups UNION ALL SELECT version FROM __diesel_schema_migrations) t";
    let db = database.connect().await;
    let state = async || db.query_one(seeds, &[]).await.unwrap().get::<_, String>(0);
    let (schema, rows) = (real(&database).await.0, state().await);
    commands::migrate(&config, &database.source(), &log()).await.unwrap();
    assert_eq!((schema, rows), (real(&database).await.0, state().await));
    database.drop_now();
}

#[tokio::test]
async fn two_servers_may_migrate_at_once() {
    let database = Database::empty();
    let config = database.config();
    let (source, log) = (database.source(), log());
    let runs = (0..4).map(|_| commands::migrate(&config, &source, &log));
    for outcome in futures::future::join_all(runs).await {
        outcome.unwrap();
    }
    database.drop_now();
}

#[tokio::test]
async fn a_newer_schema_is_rejected() {
    let database = Database::migrated();
    let newer = "INSERT INTO __diesel_schema_migrations (version, run_on) VALUES ('20991231000001', now())";
    database.connect().await.batch_execute(newer).await.unwrap();
    let config = database.config();
    let error = commands::migrate(&config, &database.source(), &log()).await.unwrap_err().to_string();
    assert!(error.contains("20991231000001") && error.contains("newer server"), "{error}");
    for migrate_on_start in [true, false] {
        let mut config = config.clone();
        config.database.migrate_on_start = migrate_on_start;
        let options = commands::ServeOptions {
            address: commands::bind(&config).unwrap(),
            config,
            database: database.source(),
            log: log(),
            on_ready: Box::new(|_| panic!("it must not start")),
        };
        let error = commands::serve(options).await.unwrap_err().to_string();
        assert!(error.contains("newer server"), "{error}");
    }
    database.drop_now();
}

#[tokio::test]
async fn an_old_schema_is_rejected_if_migrating_is_off() {
    let database = Database::empty();
    let mut config = database.config();
    config.database.migrate_on_start = false;
    let options = commands::ServeOptions {
        address: commands::bind(&config).unwrap(),
        config,
        database: database.source(),
        log: log(),
        on_ready: Box::new(|_| panic!("it must not start")),
    };
    let error = commands::serve(options).await.unwrap_err().to_string();
    assert!(error.contains("migrate"), "{error}");
    database.drop_now();
}
