//! The indexes of lists are independent of the data: missing, broken or outdated ones are rebuilt at the next
//! start, and a database without the privileges for them works without.

use http::Method;
use rollcall_client::{Paged, types};
use rollcall_server::commands;
use rollcall_server::config::DatabaseUrl;
use serde_json::json;

use crate::support::cluster::{Database, as_role};
use crate::support::log::Captured;
use crate::support::people::{ADMINISTRATOR, new_user};
use crate::support::server::make_cheap;
use crate::support::{Answer, PASSWORD, TestServer};

/// Every index: name, definition and validity.
const INDEXES: &str = "SELECT string_agg(indexdef || ' ' || indisvalid::text, E'\n' ORDER BY indexname) FROM pg_indexes \
    JOIN pg_index ON indexrelid = indexname::regclass WHERE schemaname = 'public'";

async fn indexes(database: &Database) -> String {
    database.connect().await.query_one(INDEXES, &[]).await.unwrap().get(0)
}

async fn migrate(database: &Database) -> Captured {
    let log = Captured::default();
    let mut config = database.config();
    make_cheap(&mut config);
    commands::migrate(&config, &database.source(), &log.logger()).await.unwrap();
    log
}

#[tokio::test]
async fn user_list_works_after_migrating_from_an_older_server() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    for (username, name) in [("zoe", "ZOË"), ("aethelred", "ÆTHELRED")] {
        let given: types::ProfileText = name.parse().unwrap();
        let family: types::ProfileText = format!("of {name}").parse().unwrap();
        let profile: types::ProfileInput =
            types::ProfileInput::builder().given_name(given).family_name(family).try_into().unwrap();
        let name: types::DisplayName = name.parse().unwrap();
        admin.user_create().body(new_user(username).name(name).profile(profile)).send().await.unwrap();
    }
    let before = indexes(&server.database).await;
    // Simulates columns that have just been added, a missing index and an interrupted index build.
    server
        .sql(
            "UPDATE users SET name_folded = NULL, given_name_folded = NULL, family_name_folded = NULL, \
                 sort_keys = NULL, search = NULL; \
             UPDATE groups SET name_folded = NULL, name_key = NULL, search = NULL; \
             UPDATE roles SET description_folded = NULL, search = NULL; \
             CREATE INDEX users_search_index ON users (id); \
             DROP INDEX users_words_index, users_name_index; \
             UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'users_email_null_index'::regclass",
        )
        .await;
    let found = async |filter: &str| {
        let users = admin.user_list().filter(filter).stream().collect().await.unwrap();
        users.into_iter().filter_map(|user| user.name).collect::<Vec<_>>()
    };
    assert!(found("name eq \"zoë\"").await.is_empty());
    let log = migrate(&server.database).await;
    assert!(log.text().contains("users_words_index"), "{}", log.text());
    assert_eq!(indexes(&server.database).await, before);
    assert_eq!(found("name eq \"zoë\" and given_name eq \"Zoë\"").await, ["ZOË"]);
    assert_eq!(found("family_name ew \"æthelred\"").await, ["ÆTHELRED"]);
    for missing in [
        "groups WHERE name_folded IS NULL OR name_key IS NULL OR search IS NULL",
        "roles WHERE (description IS NOT NULL AND description_folded IS NULL) OR search IS NULL",
        "users WHERE search IS NULL OR sort_keys IS NULL",
    ] {
        assert_eq!(server.count(&format!("SELECT count(*) FROM {missing}")).await, 0, "{missing}");
    }
    // Nothing is left to do.
    assert!(!migrate(&server.database).await.text().contains("users_words_index"));
}

/// Rows derived by another version are derived again: at the next start, or by the sweeper if an older server
/// wrote them beside this one.
#[tokio::test]
async fn user_list_finds_and_sorts_rows_of_another_version() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    for (username, name) in [("anna", "Ängström"), ("zora", "Zora")] {
        let name: types::DisplayName = name.parse().unwrap();
        admin.user_create().body(new_user(username).name(name)).send().await.unwrap();
    }
    let derived = async || {
        let columns = "SELECT string_agg(users.search || users.sort_keys::text, E'\\n' ORDER BY users.id) || (SELECT \
            string_agg(groups.search || groups.name_key::text, '') FROM groups) || (SELECT \
            string_agg(roles.search, '' ORDER BY id) FROM roles) FROM users";
        server.db().await.query_one(columns, &[]).await.unwrap().get::<_, String>(0)
    };
    let found = async || {
        let list = admin.user_list().q("angstrom").stream().collect().await.unwrap();
        let sorted = admin.user_list().sort("name").filter("name pr").stream().collect().await.unwrap();
        (list.len(), sorted.into_iter().filter_map(|user| user.username).collect::<Vec<_>>())
    };
    let before = derived().await;
    assert_eq!(found().await, (1, vec!["anna".to_owned(), "zora".to_owned()]));
    for trigger in ["the sweeper", "a start"] {
        for stale in ["'0' || substr(search, 2)", "NULL", "''"] {
            let sql = format!(
                "UPDATE users SET search = {stale}, sort_keys = ARRAY['\\xff', '\\xff', NULL, NULL]::bytea[]; \
                 UPDATE groups SET search = {stale}, name_key = '\\xff'; UPDATE roles SET search = {stale}"
            );
            server.sql(&sql).await;
            match trigger {
                "the sweeper" => server.sweep().await,
                _ => drop(migrate(&server.database).await),
            }
            assert!(derived().await == before, "{trigger} after {stale}");
            assert_eq!(found().await.0, 1);
        }
    }
    // A server without these columns changes names.
    server
        .sql(
            "UPDATE users SET name = 'Aaron', name_folded = 'aaron' WHERE username = 'zora'; \
             UPDATE groups SET name = 'Böse', name_folded = 'böse'; \
             UPDATE roles SET description = 'Élan', description_folded = 'élan' WHERE name = 'admin'",
        )
        .await;
    server.sweep().await;
    assert_eq!(found().await, (1, vec!["zora".to_owned(), "anna".to_owned()]));
    assert_eq!(admin.user_list().q("aaron").stream().collect().await.unwrap().len(), 1);
    assert_eq!(admin.user_list().q("zora -aaron").stream().collect().await.unwrap().len(), 0);
    assert_eq!(admin.group_list().q("bose").stream().collect().await.unwrap().len(), 1);
    assert_eq!(admin.role_list().q("elan").stream().collect().await.unwrap().len(), 1);
    let stale = "SELECT count(*) FROM users WHERE search IS NULL";
    // A newer server derives them at once, also if only a diacritic differs.
    let renamed = json!({ "name": "Aäron", "profile": { "given_name": "Å" } });
    for body in [renamed.clone(), renamed, json!({ "name": "Aaron", "phone": "+4930123456" })] {
        let request = server.request(Method::PATCH, "/v1/users/@zora").bearer_auth(admin.token()).json(&body);
        assert_eq!(Answer::of(request).await.code(), 200);
        assert_eq!(server.count(stale).await, 0, "{body}");
    }
}

#[tokio::test]
async fn user_list_works_without_the_extension_and_the_log_explains_slow_searches() {
    let database = Database::empty();
    let owner = database.connect().await;
    // A role with all privileges on the schema, but without the right to create anything in the database.
    let role = format!("plain_{}", database.name);
    owner
        .batch_execute(&format!(
            "CREATE ROLE {role} LOGIN; GRANT ALL ON SCHEMA public TO {role} WITH GRANT OPTION"
        ))
        .await
        .unwrap();
    let mut config = database.config();
    make_cheap(&mut config);
    config.database.migration_url = Some(DatabaseUrl::new(as_role(&database.url, &role)));
    let (log, password) = (Captured::default(), PASSWORD.to_owned());
    commands::create_admin(&config, &database.source(), ADMINISTRATOR, Some(password), &log.logger())
        .await
        .unwrap();
    assert!(log.text().contains("pg_trgm"), "{}", log.text());
    let server = TestServer::builder().database(&database.url).start().await;
    let admin = server.admin().await;
    admin.user_create().body(new_user("lovelace")).send().await.unwrap();
    let found = admin.user_list().q("oVELa").stream().collect().await.unwrap();
    assert_eq!(found.len(), 1);
    drop(server);
    owner.batch_execute(&format!("DROP OWNED BY {role} CASCADE; DROP ROLE {role}")).await.unwrap();
    database.drop_now();
}
