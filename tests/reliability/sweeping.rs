//! Expired rows are deleted in short transactions, and a failing part does not block the rest of a sweep.

use chrono::TimeDelta;
use http::Method;
use serde_json::json;

use crate::support::{Answer, TestServer};

/// Number of expired rows in each swept table.
const EXPIRED: i64 = 2500;

async fn fill(server: &TestServer) {
    let admin = server.admin().await;
    server
        .sql(&format!(
            "INSERT INTO attempts SELECT sha256(n::text::bytea), now(), 1 FROM generate_series(1, {EXPIRED}) n;
             INSERT INTO sessions (id, user_id, token_hash, created_at, authenticated_at, last_used_at, expires_at)
                SELECT gen_random_uuid(), '{id}', sha256(n::text::bytea), now(), now(), now(), now()
                FROM generate_series(1, {EXPIRED}) n;
             INSERT INTO invitations (id, group_id, token_hash, created_at, expires_at)
                SELECT gen_random_uuid(), (SELECT id FROM groups WHERE is_default), sha256(n::text::bytea), now(), now()
                FROM generate_series(1, {EXPIRED}) n;
             INSERT INTO idempotency_keys
                SELECT 'anonymous', n::text, 'register', '', gen_random_uuid(), '{{}}', '/', '\"1\"', now()
                FROM generate_series(1, {EXPIRED}) n",
            id = admin.id
        ))
        .await;
    server.advance(TimeDelta::hours(1));
}

const TABLES: [&str; 4] = ["attempts", "sessions", "invitations", "idempotency_keys"];

async fn left(server: &TestServer, table: &str) -> i64 {
    server.count(&format!("SELECT count(*) FROM {table}")).await
}

/// Records the number of rows that each statement deletes.
const WATCH: &str = "CREATE TABLE watched (name text, deleted bigint);
    GRANT ALL ON watched TO PUBLIC;
    CREATE FUNCTION watch() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN INSERT INTO watched SELECT TG_TABLE_NAME, count(*) FROM gone; RETURN NULL; END $$;";

#[tokio::test]
async fn register_and_login_leftovers_are_swept_in_batches() {
    let server = TestServer::start().await;
    fill(&server).await;
    server.sql(WATCH).await;
    for table in TABLES {
        server
            .sql(&format!(
                "CREATE TRIGGER watch AFTER DELETE ON {table} REFERENCING OLD TABLE AS gone
                 FOR EACH STATEMENT EXECUTE FUNCTION watch()"
            ))
            .await;
    }
    server.sweep().await;
    let most = server.count("SELECT max(deleted) FROM watched").await;
    assert!(most <= 1000, "{most} rows in one statement");
    for table in TABLES {
        let deleted = server
            .count(&format!("SELECT coalesce(sum(deleted), 0)::bigint FROM watched WHERE name = '{table}'"))
            .await;
        assert!(deleted >= EXPIRED, "{table}: {deleted}");
        // The administrator's session of this test is live.
        assert!(left(&server, table).await <= 1, "{table}");
    }
}

#[tokio::test]
async fn login_attempts_that_cannot_be_swept_do_not_block_the_rest() {
    let server = TestServer::start().await;
    fill(&server).await;
    for table in ["sessions", "attempts"] {
        server
            .sql(&format!(
                "CREATE OR REPLACE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS $$
                 BEGIN RAISE EXCEPTION 'broken'; END $$;
                 CREATE TRIGGER broken BEFORE DELETE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION broken()"
            ))
            .await;
    }
    assert_eq!(server.sweep_failing().await, ["sessions", "attempts"]);
    for (table, swept) in
        [("attempts", false), ("sessions", false), ("invitations", true), ("idempotency_keys", true)]
    {
        assert_eq!(left(&server, table).await == 0, swept, "{table}");
    }
    let log = server.log.text();
    for part in ["sessions", "attempts"] {
        let error = log.lines().find(|line| line.contains(&format!("\"part\":\"{part}\"")));
        let error = error.unwrap_or_else(|| panic!("the log says nothing of {part}"));
        assert!(error.contains("\"level\":50") && error.contains("broken"), "{error}");
    }
}

/// Also beyond the first batch of a hundred: a round continues until none are left.
#[tokio::test]
async fn user_suspend_ends_for_everybody_in_one_sweep() {
    let server = TestServer::start().await;
    server
        .sql(
            "INSERT INTO users (id, username, username_folded, suspended, suspended_until, created_via, created_at, updated_at)
             SELECT gen_random_uuid(), 'u' || n, 'u' || n, true, now(), 'admin', now(), now()
             FROM generate_series(1, 350) n",
        )
        .await;
    server.advance(TimeDelta::minutes(1));
    server.sweep().await;
    assert_eq!(server.count("SELECT count(*) FROM users WHERE suspended").await, 0);
    let events = "SELECT count(*) FROM audit_events WHERE operation = 'user_reactivate'";
    assert_eq!(server.count(events).await, 350);
}

#[tokio::test]
async fn user_create_responses_stored_for_retries_are_swept() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let create = server.request(Method::POST, "/v1/users").bearer_auth(admin.token());
    let create = create.header("idempotency-key", "the-key").json(&json!({ "username": "ada" }));
    assert_eq!(Answer::of(create).await.code(), 201);
    server.advance(TimeDelta::hours(24) - TimeDelta::minutes(1));
    server.sweep().await;
    assert_eq!(left(&server, "idempotency_keys").await, 1, "for a day it is kept");
    server.advance(TimeDelta::minutes(2));
    server.sweep().await;
    assert_eq!(left(&server, "idempotency_keys").await, 0);
}
