//! Privileges of the server's database role: it reads and writes rows, but can neither change nor delete audit events, whatever
//! the server's code tries.

use std::collections::BTreeMap;

use rollcall_embedded_postgres::{EmbeddedPostgres, Options};
use rollcall_server::commands::{self, DatabaseSource};
use rollcall_server::config::{Config, DatabaseUrl};
use slog::{Discard, Logger, o};
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use crate::support::TestServer;
use crate::support::cluster::{Database, connect, temporary_folder};
use crate::support::log::Captured;
use crate::support::server::make_cheap;

const INSERT: &str = "INSERT INTO audit_events (id, at, operation, result, request_id) \
    VALUES (gen_random_uuid(), now(), 'test', 'done', 'test')";

/// Statements that the server's role must not be able to run.
const DENIED: &[&str] = &[
    "UPDATE audit_events SET operation = 'x'",
    "UPDATE audit_events SET detail = '{}' WHERE false",
    "DELETE FROM audit_events",
    "TRUNCATE audit_events",
    "SELECT * FROM audit_events FOR UPDATE",
    "ALTER TABLE audit_events DISABLE TRIGGER audit_events_append_only",
    "ALTER TABLE audit_events DISABLE TRIGGER ALL",
    "ALTER TABLE audit_events DROP COLUMN detail",
    "ALTER TABLE audit_events OWNER TO CURRENT_USER",
    "DROP TRIGGER audit_events_append_only ON audit_events",
    "DROP TABLE audit_events",
    "DROP FUNCTION refuse_audit_change() CASCADE",
    "CREATE RULE hide AS ON INSERT TO audit_events DO INSTEAD NOTHING",
    "CREATE TABLE of_my_own (id int)",
    "SET session_replication_role = replica",
    "SET ROLE rollcall",
    "UPDATE __diesel_schema_migrations SET version = 'x'",
    "UPDATE user_records SET name = 'x'",
];

fn quiet() -> Logger {
    Logger::root(Discard, o!())
}

/// Asserts that every statement of [`DENIED`] fails with a permission error, before any trigger runs.
async fn assert_denied(db: &Client) {
    for statement in DENIED {
        let Err(error) = db.batch_execute(statement).await else { panic!("it was allowed: {statement}") };
        assert_eq!(error.code(), Some(&SqlState::INSUFFICIENT_PRIVILEGE), "{statement}: {error:?}");
    }
}

#[tokio::test]
async fn the_servers_role_can_add_audit_events_and_nothing_else() {
    let server = TestServer::start().await;
    server.admin().await;
    let db = connect(&server.database.server_url()).await.unwrap();
    let count = "SELECT count(*) FROM audit_events";
    let before: i64 = db.query_one(count, &[]).await.unwrap().get(0);
    assert!(before > 0, "the server has written events");
    assert_denied(&db).await;
    // The role has no grant option, so this only produces a warning.
    let _warned = db.batch_execute("GRANT UPDATE, DELETE ON audit_events TO CURRENT_USER").await;
    assert_denied(&db).await;
    db.batch_execute(INSERT).await.unwrap();
    assert_eq!(db.query_one(count, &[]).await.unwrap().get::<_, i64>(0), before + 1);
}

#[tokio::test]
async fn the_trigger_also_rejects_the_owner() {
    let database = Database::migrated();
    let db = database.connect().await;
    for change in
        ["UPDATE audit_events SET operation = 'x'", "DELETE FROM audit_events", "TRUNCATE audit_events"]
    {
        let error = db.batch_execute(change).await.unwrap_err();
        assert_eq!(error.code(), Some(&SqlState::RAISE_EXCEPTION), "{change}");
    }
    database.drop_now();
}

/// Privileges of the server's role on each table and view.
async fn granted(database: &Database) -> BTreeMap<String, String> {
    let query = "SELECT relname::text, relkind::text, string_agg(privilege_type, ' ' ORDER BY privilege_type) \
        FROM pg_class CROSS JOIN LATERAL aclexplode(relacl) \
        WHERE relnamespace = 'public'::regnamespace AND grantee = 'rollcall_server'::regrole GROUP BY relname, relkind";
    let rows = database.connect().await.query(query, &[]).await.unwrap();
    rows.iter()
        .map(|row| (format!("{} {}", row.get::<_, &str>(1), row.get::<_, &str>(0)), row.get(2)))
        .collect()
}

#[tokio::test]
async fn each_migration_run_leaves_exactly_what_the_server_needs() {
    let database = Database::migrated();
    let found = granted(&database).await;
    for (relation, privileges) in &found {
        let expected = match relation.as_str() {
            "r audit_events" => "INSERT SELECT",
            "r __diesel_schema_migrations" => "SELECT",
            view if view.starts_with("v ") => "SELECT",
            _ => "DELETE INSERT SELECT UPDATE",
        };
        assert_eq!(privileges, expected, "{relation}");
    }
    assert!(found.contains_key("r users") && found.contains_key("v user_records"), "{found:?}");
    // Excess privileges, missing ones, and a table that a migration has just created.
    let db = database.connect().await;
    db.batch_execute(
        "GRANT ALL ON ALL TABLES IN SCHEMA public TO rollcall_server; REVOKE ALL ON users FROM rollcall_server; \
         GRANT UPDATE (detail) ON audit_events TO rollcall_server; CREATE TABLE brand_new (id int)",
    )
    .await
    .unwrap();
    let log = Captured::default();
    commands::migrate(&database.config(), &database.source(), &log.logger()).await.unwrap();
    let mut expected = found;
    expected.insert("r brand_new".to_owned(), "DELETE INSERT SELECT UPDATE".to_owned());
    assert_eq!(granted(&database).await, expected);
    assert_denied(&connect(&database.server_url()).await.unwrap()).await;
    assert!(!log.text().contains("trigger"), "{}", log.text());
    database.drop_now();
}

#[tokio::test]
async fn a_recreated_view_stays_readable() {
    let database = Database::migrated();
    let (owner, server) = (database.connect().await, connect(&database.server_url()).await.unwrap());
    let again =
        "DROP VIEW membership_records; CREATE VIEW membership_records AS SELECT group_id FROM group_members";
    owner.batch_execute(again).await.unwrap();
    server.query("SELECT * FROM membership_records", &[]).await.unwrap();
    database.drop_now();
}

#[tokio::test]
async fn where_only_the_trigger_protects_the_log_says_so() {
    let database = Database::migrated();
    let owner = DatabaseSource::Url(database.url.clone());
    // One URL, and two of the same role.
    for config in [Config::default(), database.config()] {
        let log = Captured::default();
        commands::migrate(&config, &owner, &log.logger()).await.unwrap();
        let text = log.text();
        assert!(text.contains("only a trigger") && text.contains("database.migration_url"), "{text}");
    }
    // The owner's URL points to another database, which is migrated.
    let log = Captured::default();
    commands::migrate(&Config::default(), &database.source(), &log.logger()).await.unwrap();
    assert!(!log.text().contains("trigger"), "{}", log.text());
    database.drop_now();
}

#[tokio::test]
async fn the_servers_role_starts_where_migrating_is_off() {
    let database = Database::migrated();
    let mut config = Config::default();
    make_cheap(&mut config);
    config.http.address.set_port(0);
    config.database.migrate_on_start = false;
    let owner = DatabaseSource::Url(database.url.clone());
    for (source, warned) in [(database.source(), false), (owner, true)] {
        let (ready, is_ready) = tokio::sync::oneshot::channel();
        let on_ready = Box::new(move |_: &commands::Ready| ready.send(()).unwrap());
        let log = Captured::default();
        let (config, logger) = (config.clone(), log.logger());
        let address = commands::bind(&config).unwrap();
        let options = commands::ServeOptions { config, address, database: source, log: logger, on_ready };
        let serving = tokio::spawn(commands::serve(options));
        is_ready.await.expect("it starts");
        serving.abort();
        assert_eq!(log.text().contains("only a trigger"), warned, "{}", log.text());
    }
    database.drop_now();
}

/// Creates a role whose name must be quoted. Returns the name for SQL and for a URL.
async fn make_role(admin: &Client, what: &str) -> (String, String) {
    let number = uuid::Uuid::now_v7().simple();
    let quoted = format!("\"{what} {number}\"\"; DROP TABLE users; --\"");
    admin.batch_execute(&format!("CREATE ROLE {quoted} LOGIN")).await.unwrap();
    (quoted, format!("{what}%20{number}%22%3B%20DROP%20TABLE%20users%3B%20--"))
}

/// URL of the database as another role, whose name is already encoded.
fn as_role(database: &Database, role: &str) -> String {
    let (_, place) = database.url.rsplit_once('@').unwrap();
    format!("postgres://{role}@{place}")
}

/// The README's statements for production.
#[tokio::test]
async fn two_roles_work_as_the_readme_makes_them() {
    let database = Database::empty();
    let admin = database.connect().await;
    let ((owner, owner_in_url), (server, server_in_url)) =
        (make_role(&admin, "owner").await, make_role(&admin, "server").await);
    let name = &database.name;
    admin
        .batch_execute(&format!(
            "ALTER DATABASE {name} OWNER TO {owner}; ALTER SCHEMA public OWNER TO {owner}; \
             REVOKE CREATE ON SCHEMA public FROM PUBLIC"
        ))
        .await
        .unwrap();
    let mut config = Config::default();
    make_cheap(&mut config);
    let source = DatabaseSource::Url(as_role(&database, &server_in_url));
    let message = commands::migrate(&config, &source, &quiet()).await.unwrap_err().to_string();
    assert!(message.contains("permission denied"), "the server's role can't migrate: {message}");
    config.database.migration_url = Some(DatabaseUrl::new(as_role(&database, &owner_in_url)));
    let log = Captured::default();
    commands::create_admin(&config, &source, "first", None, &log.logger()).await.unwrap();
    assert!(!log.text().contains("trigger"), "{}", log.text());
    config.database.migration_url = None;
    commands::create_admin(&config, &source, "second", None, &quiet()).await.unwrap();
    let db = connect(&as_role(&database, &server_in_url)).await.unwrap();
    assert_denied(&db).await;
    drop(db);
    remove_roles(&database, &admin, &[owner, server]).await;
}

/// Drops the roles, everything that they own, and the database.
async fn remove_roles(database: &Database, admin: &Client, roles: &[String]) {
    admin.batch_execute(&format!("ALTER DATABASE {} OWNER TO rollcall", database.name)).await.unwrap();
    // One at a time: objects of one role are granted to the other.
    for role in roles {
        admin.batch_execute(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await.unwrap();
    }
    database.drop_now();
}

/// Changes from one role to two, as described in the README. Neither is a superuser.
#[tokio::test]
async fn a_database_with_one_role_migrates_to_two() {
    let database = Database::empty();
    let admin = database.connect().await;
    let ((one, one_in_url), (two, two_in_url)) =
        (make_role(&admin, "one").await, make_role(&admin, "two").await);
    admin.batch_execute(&format!("ALTER DATABASE {} OWNER TO {one}", database.name)).await.unwrap();
    let server = DatabaseSource::Url(as_role(&database, &one_in_url));
    let mut config = Config::default();
    make_cheap(&mut config);
    commands::create_admin(&config, &server, "first", None, &quiet()).await.unwrap();

    config.database.migration_url = Some(DatabaseUrl::new(as_role(&database, &two_in_url)));
    let message = commands::migrate(&config, &server, &quiet()).await.unwrap_err().to_string();
    let reassign = format!("REASSIGN OWNED BY {one} TO {two}");
    assert!(message.contains(&reassign), "{message}");
    admin.batch_execute(&reassign).await.unwrap();
    let log = Captured::default();
    commands::create_admin(&config, &server, "second", None, &log.logger()).await.unwrap();
    assert!(!log.text().contains("trigger"), "{}", log.text());
    let db = connect(&as_role(&database, &one_in_url)).await.unwrap();
    assert_denied(&db).await;
    db.batch_execute(INSERT).await.unwrap();
    drop(db);
    remove_roles(&database, &admin, &[one, two]).await;
}

/// A data folder of a version whose server was the superuser continues with two roles.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_private_database_gets_a_role_for_the_server() {
    let folder = temporary_folder();
    let options = Options { fsync: false, ..Options::new(folder.path()) };
    let start = || tokio::task::block_in_place(|| EmbeddedPostgres::start(&options, &quiet()).unwrap());
    let mut config = Config::default();
    make_cheap(&mut config);
    let old = start();
    let as_before = DatabaseSource::Url(old.owner_url());
    commands::create_admin(&config, &as_before, "first", None, &quiet()).await.unwrap();
    let owner = connect(&old.owner_url()).await.unwrap();
    owner.batch_execute("DROP ROLE rollcall_server").await.unwrap();
    drop(owner);
    tokio::task::block_in_place(|| old.stop().unwrap());

    for name in ["second", "third"] {
        let new = std::sync::Arc::new(start());
        let log = Captured::default();
        let source = DatabaseSource::Embedded(std::sync::Arc::clone(&new));
        commands::create_admin(&config, &source, name, None, &log.logger()).await.unwrap();
        assert!(!log.text().contains("trigger"), "{}", log.text());
        let db = connect(&new.url()).await.unwrap();
        assert_denied(&db).await;
        db.batch_execute(INSERT).await.unwrap();
        tokio::task::block_in_place(|| new.stop().unwrap());
    }
}
