//! The indexes behind lists come and go without the data: what is missing, broken or empty is mended by the next start, and
//! a database that may not have them works without.

use rollcall_client::{Paged, types};
use rollcall_server::config::DatabaseUrl;
use rollcall_server::serve;

use crate::support::cluster::{Database, as_role};
use crate::support::log::Captured;
use crate::support::people::{ADMINISTRATOR, new_user};
use crate::support::server::make_cheap;
use crate::support::{PASSWORD, TestServer};

/// Every index there is: its name and definition, and whether it may be used.
const INDEXES: &str = "SELECT string_agg(indexdef || ' ' || indisvalid::text, E'\n' ORDER BY indexname) FROM pg_indexes \
    JOIN pg_index ON indexrelid = indexname::regclass WHERE schemaname = 'public'";

async fn indexes(database: &Database) -> String {
    database.connect().await.query_one(INDEXES, &[]).await.unwrap().get(0)
}

async fn migrate(database: &Database) -> Captured {
    let log = Captured::default();
    let mut config = database.config();
    make_cheap(&mut config);
    serve::migrate(&config, &database.source(), &log.logger()).await.unwrap();
    log
}

#[tokio::test]
async fn what_an_older_server_left_is_mended() {
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
    // As if the columns had just been added, one index were missing and another had been broken off.
    server
        .sql(
            "UPDATE users SET name_folded = NULL, given_name_folded = NULL, family_name_folded = NULL; \
             UPDATE groups SET name_folded = NULL; \
             DROP INDEX users_search_index, users_name_index; \
             UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'users_email_null_index'::regclass",
        )
        .await;
    let found = async |filter: &str| {
        let users = admin.user_list().filter(filter).stream().collect().await.unwrap();
        users.into_iter().filter_map(|user| user.name).collect::<Vec<_>>()
    };
    assert!(found("name eq \"zoë\"").await.is_empty());
    let log = migrate(&server.database).await;
    assert!(log.text().contains("users_search_index"), "{}", log.text());
    assert_eq!(indexes(&server.database).await, before);
    assert_eq!(found("name eq \"zoë\" and given_name eq \"Zoë\"").await, ["ZOË"]);
    assert_eq!(found("family_name ew \"æthelred\"").await, ["ÆTHELRED"]);
    let groups = "SELECT count(*) FROM groups WHERE name_folded IS NULL";
    assert_eq!(server.count(groups).await, 0);
    // And there is nothing more to do.
    assert!(!migrate(&server.database).await.text().contains("users_search_index"));
}

#[tokio::test]
async fn without_the_extension_searches_work_and_the_log_says_why_they_are_slow() {
    let database = Database::empty();
    let owner = database.connect().await;
    // A role that may do everything in the schema, but create nothing in the database.
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
    serve::create_admin(&config, &database.source(), ADMINISTRATOR, Some(password), &log.logger())
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
