//! The last administrator and a group's last owner cannot be removed, even by 64 concurrent requests. The
//! test replays the audit trail, which contains the order of the changes, to show that exactly one of them
//! removed someone.

use futures::future::join_all;
use rollcall_client::{Client, Error, ResponseValue, Session, types};
use rollcall_server::config::LogLevel;
use serde_json::Value;
use uuid::Uuid;

use crate::support::{Person, TestServer};

/// Number of concurrent requests.
const CROWD: usize = 64;
/// Number of rounds.
const ROUNDS: usize = 200;

/// Result of one call: the user it affected, and the status.
type Outcome = (Uuid, u16);

fn status<T>(response: Result<ResponseValue<T>, Error>) -> u16 {
    let status = response.as_ref().map_or_else(Error::status, |response| Some(response.status()));
    status.unwrap_or_else(|| panic!("no response: {:?}", response.err())).as_u16()
}

/// Two users with sessions directly at the server.
async fn two(server: &TestServer, client: &Client, round: usize) -> [(Person, Session); 2] {
    let mut pair = Vec::new();
    for name in ["ada", "eve"] {
        let person = server.quick_user(&format!("{name}{round}")).await;
        let session = client.with_token(person.token());
        pair.push((person, session));
    }
    pair.try_into().unwrap()
}

/// A server with minimal logging and a client connected directly to it, to keep 12,800 requests cheap.
async fn quiet() -> (TestServer, Client) {
    let server = TestServer::builder().config(|config| config.log.level = LogLevel::Error).start().await;
    let client = Client::builder().url(&format!("http://{}", server.direct)).retries(0).build().unwrap();
    (server, client)
}

/// Deletes, suspends, demotes, or removes the role's permissions: of the other user or of the caller.
async fn topple(number: usize, who: &Session, whom: Uuid) -> Outcome {
    let user = whom.to_string();
    let nothing = types::RoleUpdate { permissions: Some(vec![]), ..types::RoleUpdate::default() };
    let none = types::UserRoles { roles: vec![] };
    let status = match number % 5 {
        0 => status(who.user_delete().user(user).send().await),
        1 => status(who.user_suspend().user(user).body(types::UserSuspend::default()).send().await),
        2 => status(who.user_role_remove().user(user).role("@administrator").send().await),
        3 => status(who.user_role_replace().user(user).body(none).send().await),
        _ => {
            let status = status(who.role_update().role("@administrator").body(nothing).send().await);
            assert!(status >= 400, "a built-in role was robbed of its permissions");
            status
        }
    };
    (whom, status)
}

/// Removes, demotes, leaves: the other owner or the caller.
async fn unseat(number: usize, who: &Session, group: Uuid, whom: Uuid) -> Outcome {
    let (group, user) = (group.to_string(), whom.to_string());
    let member = types::GroupMemberUpdate { roles: vec!["@member".parse().unwrap()] };
    let status = match number % 2 {
        0 => status(who.group_member_remove().group(group).user(user).send().await),
        _ => status(who.group_member_update().group(group).user(user).body(member).send().await),
    };
    (whom, status)
}

/// The users removed by recorded changes, without duplicates, in the order of the changes.
async fn fallen(server: &TestServer, place: &str, takes: fn(&Value, &str) -> bool) -> Vec<Uuid> {
    let query = format!(
        "SELECT operation, coalesce((detail->>'user')::uuid, target_id), detail FROM audit_events \
         WHERE result = 'done' AND {place} ORDER BY id"
    );
    let mut fallen: Vec<Uuid> = Vec::new();
    for row in server.db().await.query(&query, &[]).await.unwrap() {
        let (operation, whom, detail): (String, Uuid, Value) = (row.get(0), row.get(1), row.get(2));
        if takes(&detail, &operation) && !fallen.contains(&whom) {
            fallen.push(whom);
        }
    }
    fallen
}

/// Asserts that every success affected the removed user and was recorded once.
async fn hold(server: &TestServer, place: &str, outcomes: &[Outcome], fallen: &[Uuid]) {
    let [loser] = fallen else { panic!("{} fell, not one: {outcomes:?}", fallen.len()) };
    let done: Vec<&Outcome> = outcomes.iter().filter(|(_, status)| *status < 300).collect();
    assert!(done.iter().all(|(whom, _)| whom == loser), "{loser} fell: {outcomes:?}");
    assert!(outcomes.iter().all(|(_, status)| *status < 500), "{outcomes:?}");
    let recorded =
        server.count(&format!("SELECT count(*) FROM audit_events WHERE result = 'done' AND {place}")).await;
    assert_eq!(recorded, i64::try_from(done.len()).unwrap(), "{outcomes:?}");
}

#[tokio::test]
async fn user_delete_and_others_keep_one_of_two_administrators() {
    let (server, client) = quiet().await;
    for round in 0..ROUNDS {
        server
            .sql("DELETE FROM user_roles; DELETE FROM users WHERE username_folded <> 'administrator'")
            .await;
        let pair = two(&server, &client, round).await;
        for (person, _) in &pair {
            server.make_administrator(person.id).await;
        }
        // Each of the five ways by each of the two, three times against the other for each time against
        // oneself.
        let calls = (0..CROWD).map(|number| {
            let (who, whom) = (number % 2, (number + usize::from(number / 10 % 4 != 3)) % 2);
            topple(number, &pair[who].1, pair[whom].0.id)
        });
        let outcomes = join_all(calls).await;
        let place = format!("target_id IN ('{}', '{}')", pair[0].0.id, pair[1].0.id);
        let gone = |detail: &Value, operation: &str| match operation {
            "user_delete" | "user_suspend" => true,
            _ => detail["removed"].as_array().is_some_and(|removed| !removed.is_empty()),
        };
        let fallen = fallen(&server, &place, gone).await;
        hold(&server, &place, &outcomes, &fallen).await;
        let left = "SELECT count(*) FROM user_roles JOIN users ON users.id = user_id \
            JOIN role_permissions USING (role_id) WHERE NOT suspended AND permission = 'roles:assign'";
        assert_eq!(server.count(left).await, 1, "round {round}: {outcomes:?}");
    }
}

/// A group owned by both.
async fn owned(server: &TestServer, round: usize) -> Uuid {
    let group = Uuid::now_v7();
    server
        .sql(&format!(
            "INSERT INTO groups (id, slug, name, created_at, updated_at) \
                VALUES ('{group}', 'engine-{round}', 'Engine', now(), now()); \
             INSERT INTO group_members (group_id, user_id, joined_at) \
                SELECT '{group}', id, now() FROM users WHERE username_folded <> 'administrator'; \
             INSERT INTO group_member_roles (group_id, user_id, role_id) \
                SELECT group_id, user_id, roles.id FROM group_members, roles \
                WHERE group_id = '{group}' AND roles.name = 'owner'"
        ))
        .await;
    group
}

async fn owners(server: &TestServer, group: Uuid) -> i64 {
    let owners =
        "SELECT count(*) FROM group_member_roles JOIN roles ON roles.id = role_id WHERE roles.name = 'owner'";
    server.count(&format!("{owners} AND group_id = '{group}'")).await
}

#[tokio::test]
async fn group_member_remove_and_others_keep_one_of_two_owners() {
    let (server, client) = quiet().await;
    for round in 0..ROUNDS {
        server.sql("DELETE FROM users WHERE username_folded <> 'administrator'").await;
        let pair = two(&server, &client, round).await;
        let group = owned(&server, round).await;
        let calls = (0..CROWD).map(|number| {
            let (who, whom) = (number % 2, (number + usize::from(number / 8 % 2 == 0)) % 2);
            unseat(number / 2, &pair[who].1, group, pair[whom].0.id)
        });
        let outcomes = join_all(calls).await;
        let place = format!("target_id = '{group}'");
        let fallen = fallen(&server, &place, |_, _| true).await;
        hold(&server, &place, &outcomes, &fallen).await;
        assert_eq!(owners(&server, group).await, 1, "round {round}: {outcomes:?}");
    }
}

/// Deleting an owner's account removes an owner as well.
#[tokio::test]
async fn user_delete_by_both_owners_keeps_one() {
    let (server, client) = quiet().await;
    for round in 0..20 {
        server.sql("DELETE FROM users WHERE username_folded <> 'administrator'").await;
        let pair = two(&server, &client, round).await;
        let group = owned(&server, round).await;
        let calls = (0..CROWD).map(|number| pair[number % 2].1.user_delete().user("me").send());
        let mut statuses: Vec<u16> = join_all(calls).await.into_iter().map(status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses[0], 204, "{statuses:?}");
        assert!(statuses[1..].iter().all(|status| matches!(status, 401 | 404 | 409)), "{statuses:?}");
        assert_eq!(owners(&server, group).await, 1, "round {round}: {statuses:?}");
    }
}
