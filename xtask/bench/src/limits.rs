//! Limits of this machine, measured in the same run: a read's two statements by `pgbench`, and argon2 alone. The third
//! limit, a Dropshot server that does nothing, is in [`super::hello`].

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use argon2::{Algorithm, Argon2, Block, Params, Version};

use super::process::Postgres;
use super::seed::{PERMISSIONS, TEAMS, permission_sql, team_id_sql, user_id_sql};

/// Lookup of a credential as Diesel sends it (`rollcall_store::sessions::credential`; seen with `log_statement`).
const CREDENTIAL: &str = r#"SELECT "credentials"."session_id", "credentials"."user_id", "credentials"."created_at", "credentials"."authenticated_at", "credentials"."last_used_at", "credentials"."expires_at", "credentials"."address", "credentials"."user_agent", "credentials"."suspended", "credentials"."suspended_until", "credentials"."permissions" FROM "credentials" WHERE ("credentials"."token_hash" = $1)"#;

/// Read of a user by id as Diesel sends it (`rollcall_store::users::find`).
const USER: &str = r#"SELECT "user_records"."id", "user_records"."username", "user_records"."email", "user_records"."email_verified", "user_records"."phone", "user_records"."phone_verified", "user_records"."name", "user_records"."avatar_url", "user_records"."profile", "user_records"."custom_data", "user_records"."suspended", "user_records"."suspended_reason", "user_records"."suspended_until", "user_records"."has_password", "user_records"."password_changed_at", "user_records"."password_expires_at", "user_records"."created_via", "user_records"."created_at", "user_records"."updated_at", "user_records"."last_sign_in_at", "user_records"."roles", "user_records"."groups", "user_records"."is_staff" FROM "user_records" WHERE ("user_records"."id" = $1)"#;

/// Permission check without a group as Diesel sends it (`rollcall_store::grants::why`): the permission, 1, the user.
const ACCESS: &str = r#"SELECT "users"."id", "users"."suspended", "users"."suspended_until", (SELECT min("global_grants"."role") FROM "global_grants" WHERE (("global_grants"."user_id" = "users"."id") AND ("global_grants"."permission" = $1)) LIMIT $2) FROM "users" WHERE "users"."id" = $3"#;

/// Permission check in a group. Parameters: the token, 1, the permission, 1, the permission, 1, the group, the user.
const ACCESS_IN_GROUP: &str = r#"SELECT "users"."id", "users"."suspended", "users"."suspended_until", "groups"."id", EXISTS (SELECT "group_members"."group_id", "group_members"."user_id", "group_members"."joined_at" FROM "group_members" WHERE (("group_members"."group_id" = "groups"."id") AND ("group_members"."user_id" = (SELECT "sessions"."user_id" FROM "sessions" WHERE ("sessions"."token_hash" = $1) LIMIT $2)))), EXISTS (SELECT "group_members"."group_id", "group_members"."user_id", "group_members"."joined_at" FROM "group_members" WHERE (("group_members"."group_id" = "groups"."id") AND ("group_members"."user_id" = "users"."id"))), (SELECT min("global_grants"."role") FROM "global_grants" WHERE (("global_grants"."user_id" = "users"."id") AND ("global_grants"."permission" = $3)) LIMIT $4), (SELECT min("group_grants"."role") FROM "group_grants" WHERE ((("group_grants"."user_id" = "users"."id") AND ("group_grants"."group_id" = "groups"."id")) AND ("group_grants"."permission" = $5)) LIMIT $6) FROM ("users" LEFT OUTER JOIN "groups" ON ("groups"."id" = $7 AND NOT "groups"."deleted")) WHERE "users"."id" = $8"#;

/// A read whose limit is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// A user by id.
    UserView,
    /// A permission check; half of them name a group.
    AccessCheck,
}

/// Order in which `pgbench` sends the two statements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sending {
    /// The second after the result of the first: two round trips.
    InTurn,
    /// Both at once: one round trip, as the server sends them.
    Pipelined,
}

/// `pgbench` with the read's statements prepared, on the server's own database.
#[derive(Debug)]
pub struct Pgbench {
    program: PathBuf,
    socket: PathBuf,
    folder: PathBuf,
    users: u64,
    token_hash: String,
}

impl Pgbench {
    /// Looks for `pgbench` beside Postgres' other programs, then in the path; `None` without it. `token_hash` is the
    /// hash of a live session's token in hexadecimal.
    pub fn find(
        postgres: &Postgres,
        folder: &Path,
        users: u64,
        token_hash: String,
    ) -> anyhow::Result<Option<Self>> {
        let candidates = [postgres.programs.join("pgbench"), PathBuf::from("pgbench")];
        let works = |program: &PathBuf| {
            Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
        };
        let Some(program) = candidates.into_iter().find(works) else { return Ok(None) };
        let found =
            Self { program, socket: postgres.socket.clone(), folder: folder.to_owned(), users, token_hash };
        for read in [Read::UserView, Read::AccessCheck] {
            for sending in [Sending::InTurn, Sending::Pipelined] {
                for (file, script) in found.scripts(read, sending) {
                    std::fs::write(file, script)?;
                }
            }
        }
        Ok(Some(found))
    }

    /// Paths and texts of a read's scripts. `pgbench` picks one of them at random for each transaction.
    fn scripts(&self, read: Read, sending: Sending) -> Vec<(PathBuf, String)> {
        let file = |number: usize| self.folder.join(format!("{read:?}-{sending:?}-{number}.sql"));
        statements(read)
            .into_iter()
            .enumerate()
            .map(|(number, statement)| (file(number), script(&statement, sending)))
            .collect()
    }

    /// Runs `pgbench`; returns the transactions per second and their number.
    pub fn run(
        &self,
        read: Read,
        sending: Sending,
        clients: usize,
        time: Duration,
    ) -> anyhow::Result<(f64, f64)> {
        let files = self.scripts(read, sending).into_iter().map(|(file, _)| file);
        let output = Command::new(&self.program)
            .args(["--no-vacuum", "--protocol=prepared", "--jobs=1", "--username=rollcall"])
            .arg(format!("--host={}", self.socket.display()))
            .arg(format!("--client={clients}"))
            // `pgbench` takes whole seconds only.
            .arg(format!("--time={}", time.as_secs_f64().ceil()))
            .arg(format!("--define=last={}", self.users - 1))
            .arg(format!("--define=token=\\x{}", self.token_hash))
            .args(files.flat_map(|file| [OsString::from("--file"), file.into()]))
            .arg("rollcall")
            .env_remove("PGOPTIONS")
            .stdin(Stdio::null())
            .output()
            .context("pgbench does not start")?;
        let (said, errors) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let number = |label: &str| {
            let rest = said.lines().find_map(|line| line.strip_prefix(label))?;
            rest.split([' ', '/']).next()?.parse::<f64>().ok()
        };
        match (number("tps = "), number("number of transactions actually processed: ")) {
            (Some(rate), Some(count)) if output.status.success() && rate > 0.0 => Ok((rate, count)),
            _ => bail!("pgbench failed ({}): {errors}{said}", output.status),
        }
    }
}

/// Statements that a read sends after the lookup of the credential. `pgbench` has only numbers, so the statements build
/// ids and names from them, which takes well under a hundredth of their time.
fn statements(read: Read) -> Vec<String> {
    let user = user_id_sql(":n");
    let filled = |statement: &str, values: &[&str]| {
        // From the last parameter to the first, because `$1` is a prefix of `$10`.
        (1..=values.len())
            .rev()
            .fold(statement.to_owned(), |text, place| text.replace(&format!("${place}"), values[place - 1]))
    };
    match read {
        Read::UserView => vec![filled(USER, &[&user])],
        Read::AccessCheck => {
            let (read, write, team) =
                (permission_sql(":p", "read"), permission_sql(":p", "write"), team_id_sql(":t"));
            vec![
                filled(ACCESS, &[&read, ":one", &user]),
                filled(ACCESS_IN_GROUP, &[":token", ":one", &write, ":one", &write, ":one", &team, &user]),
            ]
        }
    }
}

/// Script with the lookup of the credential and a statement.
fn script(statement: &str, sending: Sending) -> String {
    let numbers = format!(
        "\\set n random(0, :last)\n\\set p random(0, {})\n\\set t :n % {TEAMS}\n\\set one 1\n",
        PERMISSIONS - 1
    );
    let body = format!("{};\n{statement};\n", CREDENTIAL.replace("$1", ":token"));
    match sending {
        Sending::InTurn => format!("{numbers}{body}"),
        Sending::Pipelined => format!("{numbers}\\startpipeline\n{body}\\endpipeline\n"),
    }
}

/// Measures argon2 with the server's default parameters, one thread per core and memory that is reused; returns hashes
/// per second.
pub fn argon2(time: Duration) -> anyhow::Result<f64> {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let begun = Instant::now();
    let workers: Vec<_> = (0..threads).map(|_| std::thread::spawn(move || hash_for(time))).collect();
    let mut hashes = 0;
    for worker in workers {
        hashes += worker.join().map_err(|_| anyhow::anyhow!("a hashing thread panicked"))??;
    }
    Ok(f64::from(hashes) / begun.elapsed().as_secs_f64())
}

fn hash_for(time: Duration) -> anyhow::Result<u32> {
    let params = Params::new(19_456, 2, 1, Some(32)).map_err(|error| anyhow::anyhow!("{error}"))?;
    let mut blocks = vec![Block::default(); params.block_count()];
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let (begun, mut hashes, mut output) = (Instant::now(), 0, [0; 32]);
    while begun.elapsed() < time {
        argon2
            .hash_password_into_with_memory(
                b"correct horse battery staple",
                &[7; 16],
                &mut output,
                &mut blocks,
            )
            .map_err(|error| anyhow::anyhow!("{error}"))?;
        hashes += 1;
    }
    Ok(hashes)
}

#[cfg(test)]
mod tests {
    use super::{Read, Sending, script, statements};

    #[test]
    fn scripts_have_both_statements_and_no_parameter_left() {
        for read in [Read::UserView, Read::AccessCheck] {
            for statement in statements(read) {
                for sending in [Sending::InTurn, Sending::Pipelined] {
                    let script = script(&statement, sending);
                    assert_eq!(script.matches(";\n").count(), 2);
                    assert!(
                        !script.contains('$') && script.contains(":token") && script.contains("lpad(:n, 8")
                    );
                }
            }
        }
    }
}
