//! A change and its audit event are atomic: if the event can't be written there is no change, and if the change can't be
//! committed there is no event.

use rollcall_server::config::RegistrationMode;

use super::recipes::Scene;
use crate::support::contract::{OPERATIONS, Operation};
use crate::support::{Answer, Person, TestServer};

/// Trigger that fails every insert of an event with the result `done`.
const NO_EVENTS: &str = "
    CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'out of paper'; END $$;
    CREATE TRIGGER fails BEFORE INSERT ON audit_events FOR EACH ROW WHEN (NEW.result = 'done') EXECUTE FUNCTION fail();
    ALTER TABLE audit_events DISABLE TRIGGER fails";

/// Trigger that fails every commit of a transaction that changed a table other than the audit events.
const NO_COMMITS: &str = "
    CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'out of ink'; END $$;
    DO $$
    DECLARE of_table text;
    BEGIN
        FOR of_table IN SELECT tablename FROM pg_tables
            WHERE schemaname = 'public' AND tablename NOT IN ('audit_events', 'attempts')
        LOOP
            EXECUTE format('CREATE CONSTRAINT TRIGGER fails AFTER INSERT OR UPDATE OR DELETE ON %I
                DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fail()', of_table);
            EXECUTE format('ALTER TABLE %I DISABLE TRIGGER fails', of_table);
        END LOOP;
    END $$";

/// Turns triggers named `fails` on (`ENABLE`) or off (`DISABLE`).
async fn turn(server: &TestServer, state: &str) {
    let turn = format!(
        "DO $$ DECLARE of_table regclass; BEGIN
            FOR of_table IN SELECT tgrelid FROM pg_trigger WHERE tgname = 'fails'
            LOOP EXECUTE format('ALTER TABLE %s {state} TRIGGER fails', of_table); END LOOP;
        END $$"
    );
    server.sql(&turn).await;
}

async fn call(server: &TestServer, operation: &Operation, scene: &Scene, caller: Option<&Person>) -> Answer {
    let mut request = server.request(operation.method.clone(), &scene.path(operation));
    if let Some(caller) = caller {
        request = request.bearer_auth(caller.token());
    }
    if let Some(body) = scene.body(operation) {
        request = request.json(&body);
    }
    Answer::of(request).await
}

/// Calls every writing operation with the triggers on: it fails and leaves no rows. Then calls it with the triggers off: it
/// succeeds, so the triggers caused the failure.
async fn every_change_fails_whole(triggers: &str, but: &[&str]) {
    let open =
        |config: &mut rollcall_server::config::Config| config.registration.mode = RegistrationMode::Open;
    let server = TestServer::builder().config(open).start().await;
    server.sql(triggers).await;
    let changes = OPERATIONS.iter().filter(|operation| operation.writes());
    for (number, operation) in (1..).zip(changes) {
        let place = operation.id.as_str();
        if but.contains(&place) {
            continue;
        }
        let scene = Scene::set(&server, number).await;
        if operation.path.contains("{group}") && operation.path.contains("{user}") {
            scene.join(&server, scene.target.id, "member").await;
        }
        let root = server.quick_user(&format!("root{number}")).await;
        server.make_administrator(root.id).await;
        let caller = match operation.object["x-permission"].as_str().unwrap() {
            "public" => None,
            "self" => Some(&scene.target),
            _ => Some(&root),
        };
        let before = server.dump().await;
        turn(&server, "ENABLE").await;
        let answer = call(&server, operation, &scene, caller).await;
        turn(&server, "DISABLE").await;
        assert!(answer.status.is_server_error(), "{place}: {} {}", answer.code(), answer.message());
        let after = server.dump().await;
        let changed = before.iter().zip(&after).filter(|(before, after)| before != after);
        let changed: Vec<&str> = changed.map(|(before, _)| before.0.as_str()).collect();
        assert_eq!(changed, Vec::<&str>::new(), "{place} has changed tables");
        let events = "SELECT count(*) FROM audit_events WHERE request_id = $1";
        let events = server.db().await.query_one(events, &[&answer.header("x-request-id")]).await.unwrap();
        assert_eq!(events.get::<_, i64>(0), 0, "{place}: an event of a change that was not made");
        let answer = call(&server, operation, &scene, caller).await;
        assert!(answer.status.is_success(), "{place}: {} {}", answer.code(), answer.message());
    }
}

#[tokio::test]
async fn a_change_fails_if_its_event_cannot_be_written() {
    every_change_fails_whole(NO_EVENTS, &[]).await;
}

#[tokio::test]
async fn an_event_is_rolled_back_with_its_change() {
    // A check of a password, and a role that the user already holds, change only the audit events.
    every_change_fails_whole(NO_COMMITS, &["user_password_verify", "user_role_add"]).await;
}
