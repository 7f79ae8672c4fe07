//! Users of the directory under test, inserted by SQL, with names, addresses and profiles. Each has three roles and is a
//! member of the group `public` and, with two roles, of a team. The n-th user's id is computed from n, here and in
//! `pgbench`'s scripts; so are a team's id and a permission's name.

use std::path::Path;

use anyhow::Context;
use tokio_postgres::{Client, NoTls};

/// Number of users, from the first on, that have the administrator's password, to sign in with.
pub const WITH_PASSWORD: u64 = 64;

/// Number of teams; the n-th user is in the team `n % TEAMS`.
pub const TEAMS: u64 = 1000;

/// Number of permissions of each kind.
pub const PERMISSIONS: u64 = 20;

/// The n-th user's id: a UUIDv7 whose time grows with n.
pub fn user_id(n: u64) -> String {
    id("0190", n)
}

/// [`user_id`] as SQL. `n` must be an expression of the type text.
pub fn user_id_sql(n: &str) -> String {
    id_sql("0190", n)
}

/// The n-th team's id.
pub fn team_id(n: u64) -> String {
    id("0180", n)
}

/// [`team_id`] as SQL.
pub fn team_id_sql(n: &str) -> String {
    id_sql("0180", n)
}

fn id(prefix: &str, n: u64) -> String {
    format!("{prefix}{:04}-{:04}-7000-8000-000000000000", n / 10_000, n % 10_000)
}

fn id_sql(prefix: &str, n: &str) -> String {
    format!("('{prefix}' || lpad({n}, 8, '0') || '70008000000000000000')::uuid")
}

/// A permission of the n-th application: global roles grant `read`, the teams' roles grant `write`.
pub fn permission(n: u64, what: &str) -> String {
    format!("app-{n:02}:{what}")
}

/// [`permission`] as SQL; `pgbench` would take a colon before a word for a variable.
pub fn permission_sql(n: &str, what: &str) -> String {
    format!("('app-' || lpad({n}, 2, '0') || chr(58) || '{what}')")
}

/// The n-th user's family name.
pub fn family(n: u64) -> &'static str {
    pick(FAMILY, n / GIVEN.len() as u64)
}

/// The n-th user's username.
pub fn username(n: u64) -> String {
    format!("{}.{}.{n}", pick(GIVEN, n), family(n)).to_lowercase()
}

fn pick(names: &[&'static str], n: u64) -> &'static str {
    usize::try_from(n % names.len() as u64).map_or("", |index| names[index])
}

const GIVEN: &[&str] = &[
    "Ada", "Amina", "Anders", "Beatriz", "Bogdan", "Carlos", "Chidi", "Daniel", "Elena", "Emre", "Fatima",
    "Felix", "Grace", "Hana", "Hiroshi", "Ingrid", "Ivan", "Jamal", "Jana", "Kavya", "Kofi", "Laura",
    "Leila", "Lin", "Lucas", "Maria", "Mateo", "Mei", "Milan", "Nadia", "Noah", "Olga", "Omar", "Paula",
    "Priya", "Rafael", "Rosa", "Samuel", "Sofia", "Tomas", "Yara", "Yusuf", "Zoe",
];

const FAMILY: &[&str] = &[
    "Abe",
    "Adeyemi",
    "Ali",
    "Andersson",
    "Bauer",
    "Berg",
    "Brown",
    "Chen",
    "Costa",
    "Diaz",
    "Dubois",
    "Evans",
    "Fischer",
    "Garcia",
    "Haddad",
    "Hansen",
    "Ivanova",
    "Jensen",
    "Kaya",
    "Khan",
    "Kim",
    "Kowalski",
    "Kumar",
    "Larsen",
    "Lopez",
    "Martin",
    "Mensah",
    "Moreau",
    "Murphy",
    "Nakamura",
    "Nguyen",
    "Novak",
    "Okafor",
    "Olsen",
    "Patel",
    "Pereira",
    "Petrov",
    "Rossi",
    "Sato",
    "Schmidt",
    "Silva",
    "Singh",
    "Smith",
    "Suzuki",
    "Tanaka",
    "Vega",
    "Wang",
    "Weber",
    "Yilmaz",
    "Zhang",
    "Zielinski",
];

/// Statement that drops the indexes that serve lists only.
const DROP_INDEXES: &str = "DO $$ DECLARE name text; BEGIN \
     FOR name IN SELECT indexname FROM pg_indexes WHERE tablename = 'users' AND indexname LIKE 'users\\_%\\_index' LOOP \
         EXECUTE 'DROP INDEX ' || name; END LOOP; END $$";

/// Adds the users `from..to` and brings the database's statistics up to date.
pub fn seed(socket: &Path, from: u64, to: u64) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let client = connect(socket).await?;
        // Built once, after the inserts, indexes take a tenth of the time. The server builds missing ones when it starts.
        client.batch_execute(DROP_INDEXES).await?;
        insert(&client, from, to).await.with_context(|| format!("seeding the users {from} to {to}"))?;
        client.batch_execute("VACUUM (ANALYZE)").await?;
        client.batch_execute("CHECKPOINT").await?;
        Ok(())
    })
}

/// The hash of some live session's token, an administrator's, in hexadecimal.
pub fn token_hash(socket: &Path) -> anyhow::Result<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let client = connect(socket).await?;
        let sql = "SELECT encode(token_hash, 'hex') FROM sessions JOIN users ON users.id = user_id \
                   WHERE username_folded = 'admin' ORDER BY sessions.id DESC LIMIT 1";
        Ok(client.query_one(sql, &[]).await.context("the administrator has no session")?.get(0))
    })
}

async fn connect(socket: &Path) -> anyhow::Result<Client> {
    let mut config = tokio_postgres::Config::new();
    config.host_path(socket).user("rollcall").dbname("rollcall");
    let (client, driver) = config.connect(NoTls).await.context("reaching the private database")?;
    tokio::spawn(async move {
        // An error of the connection is returned by the statement that meets it.
        let _ended = driver.await;
    });
    Ok(client)
}

async fn insert(client: &Client, from: u64, to: u64) -> anyhow::Result<()> {
    let list = |names: &[&str]| format!("(ARRAY['{}'])", names.join("','"));
    let (given, family) = (list(GIVEN), list(FAMILY));
    let (givens, families) = (GIVEN.len(), FAMILY.len());
    let id = user_id_sql("n::text");
    let last = to - 1;
    let people = format!(
        "SELECT {id} AS id, n, {given}[n % {givens} + 1] AS given, {family}[(n / {givens}) % {families} + 1] AS family, \
         timestamptz '2026-01-01 00:00:00Z' + n * interval '1 second' AS made FROM generate_series({from}, {last}) AS n"
    );
    let users = format!(
        "INSERT INTO users (id, username, username_folded, email, email_folded, email_verified, name, name_folded, \
             given_name_folded, family_name_folded, profile, custom_data, created_via, created_at, updated_at) \
         SELECT id, name, name, name || '@example.org', name || '@example.org', n % 3 > 0, given || ' ' || family, lower(given || ' ' || family), \
             lower(given), lower(family), \
             jsonb_build_object('given_name', given, 'family_name', family, 'locale', 'en', 'zoneinfo', 'Europe/Oslo'), \
             jsonb_build_object('employee', n, 'department', 'D' || n % 500, 'site', 'S' || n % 7), 'admin', made, made \
         FROM (SELECT *, lower(given || '.' || family || '.' || n) AS name FROM ({people}) AS person) AS named"
    );
    let member = "(SELECT id FROM roles WHERE scope = 'group' AND name = 'member')";
    let public = "(SELECT id FROM groups WHERE slug = 'public')";
    let members = format!(
        "INSERT INTO group_members (group_id, user_id, joined_at) SELECT {public}, id, made FROM ({people}) AS person"
    );
    let roles = format!(
        "INSERT INTO group_member_roles (group_id, user_id, role_id) \
         SELECT {public}, id, {member} FROM ({people}) AS person"
    );
    let passwords = format!(
        "UPDATE users SET (password_hash, password_changed_at) = \
             (SELECT password_hash, password_changed_at FROM users WHERE username_folded = 'admin') \
         FROM generate_series(0, {}) AS n WHERE users.id = {id}",
        WITH_PASSWORD - 1
    );
    if from == 0 {
        client.batch_execute(&applications()).await?;
    }
    for statement in [users, members, roles, passwords, held(from, last)] {
        client.batch_execute(&statement).await?;
    }
    Ok(())
}

/// Statement that inserts the teams and the roles of applications.
fn applications() -> String {
    let (team, read, write) =
        (team_id_sql("n::text"), permission_sql("n::text", "read"), permission_sql("n::text", "write"));
    let (teams, most) = (TEAMS - 1, PERMISSIONS - 1);
    format!(
        "INSERT INTO groups (id, slug, name, name_folded, created_at, updated_at) \
             SELECT {team}, 'team-' || n, 'Team ' || n, 'team ' || n, now(), now() FROM generate_series(0, {teams}) AS n; \
         INSERT INTO roles (id, scope, name, created_at, updated_at) \
             SELECT gen_random_uuid(), scope, kind || '-' || n, now(), now() \
             FROM generate_series(0, {most}) AS n, (VALUES ('global', 'reader'), ('group', 'writer')) AS v (scope, kind); \
         INSERT INTO role_permissions (role_id, permission) \
             SELECT roles.id, permission FROM generate_series(0, {most}) AS n, \
                 LATERAL (VALUES ('reader-' || n, {read}), ('writer-' || n, {write})) AS v (role, permission) \
             JOIN roles ON roles.name = role"
    )
}

/// Statement that inserts each user's roles and team.
fn held(from: u64, last: u64) -> String {
    let (user, team) = (user_id_sql("n::text"), team_id_sql(&format!("(n % {TEAMS})::text")));
    let role =
        |kind: &str| format!("(SELECT id FROM roles WHERE name = '{kind}-' || (n + 7 * k) % {PERMISSIONS})");
    let (reader, writer) = (role("reader"), role("writer"));
    let people = format!("generate_series({from}, {last}) AS n");
    format!(
        "INSERT INTO user_roles (user_id, role_id, granted_at) \
             SELECT {user}, {reader}, now() FROM {people}, generate_series(0, 2) AS k; \
         INSERT INTO group_members (group_id, user_id, joined_at) SELECT {team}, {user}, now() FROM {people}; \
         INSERT INTO group_member_roles (group_id, user_id, role_id) \
             SELECT {team}, {user}, {writer} FROM {people}, generate_series(0, 1) AS k"
    )
}

#[cfg(test)]
mod tests {
    use super::{permission, team_id, user_id, username};

    #[test]
    fn ids_grow_with_their_number() {
        assert_eq!(user_id(12_345), "01900001-2345-7000-8000-000000000000");
        assert!(user_id(9_999) < user_id(10_000));
        assert_eq!(username(43), "ada.adeyemi.43");
        assert_eq!(team_id(7), "01800000-0007-7000-8000-000000000000");
        assert_eq!(permission(7, "read"), "app-07:read");
    }
}
