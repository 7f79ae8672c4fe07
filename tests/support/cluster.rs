//! The Postgres of a run, and its databases. The first process that needs it starts a keeper (`src/keeper.rs`), which runs
//! a few seconds longer than the tests. A database is migrated once per build and copied for each test.

use std::fs::{File, OpenOptions};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime};

use rollcall_server::commands::{self, DatabaseSource};
use rollcall_server::config::{Config, DatabaseUrl};
use slog::{Discard, Logger, o};
use tokio_postgres::{Client, NoTls};

/// The server's program, which also runs as the keeper of the database.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_rollcall-under-test");

/// Timeout of Postgres' start.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Age in seconds above which a later run drops a database.
const STALE: u64 = 3 * 3600;

/// The cluster as used by this process. The keeper runs while a process holds one.
struct Cluster {
    url: String,
    template: String,
    _user: File,
}

static CLUSTER: OnceLock<Cluster> = OnceLock::new();

/// Role that servers run as; the private Postgres creates it.
const SERVER_ROLE: &str = "rollcall_server";
/// Role that owns everything; tests set up their data with it.
const OWNER: &str = "rollcall";

/// A database on the cluster; dropped with [`Database::drop_now`].
#[derive(Clone, Debug)]
pub struct Database {
    pub name: String,
    /// URL for the owner.
    pub url: String,
}

impl Database {
    /// Creates a copy of the migrated template, with its administrator.
    pub fn migrated() -> Self {
        let cluster = cluster();
        Self::create(cluster, &format!(" TEMPLATE {}", cluster.template))
    }

    /// Creates an empty database, to migrate.
    pub fn empty() -> Self {
        Self::create(cluster(), "")
    }

    /// An existing database, by a URL for any role.
    pub fn at(url: &str) -> Self {
        Self { name: String::new(), url: as_role(url, OWNER) }
    }

    /// URL for the server's role.
    pub fn server_url(&self) -> String {
        as_role(&self.url, SERVER_ROLE)
    }

    /// The database as an argument of the server's functions.
    pub fn source(&self) -> DatabaseSource {
        DatabaseSource::Url(self.server_url())
    }

    /// The default configuration, with the owner for migrations.
    pub fn config(&self) -> Config {
        let mut config = Config::default();
        config.database.migration_url = Some(DatabaseUrl::new(&self.url));
        config
    }

    fn create(cluster: &Cluster, how: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("t_{}_{}_{number}", std::process::id(), seconds_now());
        admin(&format!("CREATE DATABASE {name}{how}"));
        Self { url: on(&cluster.url, &name), name }
    }

    /// Drops the database and ends its connections. A later run drops databases that are left.
    pub fn drop_now(&self) {
        admin(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
    }

    /// Connects as the owner.
    pub async fn connect(&self) -> Client {
        connect(&self.url).await.unwrap()
    }
}

/// Connects to a database.
pub async fn connect(url: &str) -> Result<Client, tokio_postgres::Error> {
    let (client, driver) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(driver);
    Ok(client)
}

/// Runs async work to its end on a thread and a runtime of its own, so that it works inside of a runtime too.
pub fn apart<T: Send>(work: impl Future<Output = T> + Send) -> T {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(work)
        });
        thread.join().unwrap()
    })
}

fn cluster() -> &'static Cluster {
    CLUSTER.get_or_init(|| {
        let folder = folder();
        let (url, user) = start(&folder);
        let template = apart(template(&url, &folder));
        Cluster { url, template, _user: user }
    })
}

/// Runs a statement on the cluster's own database.
fn admin(sql: &str) {
    let url = cluster().url.clone();
    apart(async move { connect(&url).await.unwrap().batch_execute(sql).await.unwrap() });
}

/// Creates a folder that is removed when the value is dropped.
pub fn temporary_folder() -> tempfile::TempDir {
    tempfile::Builder::new().prefix("t-").tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("postgres");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn open(path: &Path) -> File {
    OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path).unwrap()
}

/// Registers this process as a user of the running Postgres, or starts a keeper first.
fn start(folder: &Path) -> (String, File) {
    let started_at = Instant::now();
    let user = open(&folder.join("users.lock"));
    let _old = std::fs::remove_file(folder.join("error"));
    loop {
        // Blocks while a keeper without users stops the database.
        user.lock_shared().unwrap();
        if let Ok(url) = std::fs::read_to_string(folder.join("url"))
            && apart(async { connect(&url).await.is_ok() })
        {
            return (url, user);
        }
        // A second keeper ends at once, so starting another one is harmless.
        let mut keeper = Command::new(PROGRAM)
            .arg("keep-postgres")
            .arg(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .unwrap();
        std::thread::spawn(move || keeper.wait());
        std::thread::sleep(Duration::from_millis(200));
        if let Ok(error) = std::fs::read_to_string(folder.join("error")) {
            panic!("the tests' Postgres does not start: {error}");
        }
        assert!(
            started_at.elapsed() < TIMEOUT,
            "the tests' Postgres does not start: see {}",
            folder.display()
        );
    }
}

/// Replaces the role of a URL.
pub fn as_role(url: &str, role: &str) -> String {
    let (_, place) = url.rsplit_once('@').unwrap();
    format!("postgres://{role}@{place}")
}

/// Replaces the host of a URL by loopback ports.
pub fn through(url: &str, ports: &[u16]) -> String {
    let (role, place) = url.rsplit_once('@').unwrap();
    let (_, database) = place.rsplit_once('/').unwrap();
    let hosts: Vec<String> = ports.iter().map(|port| format!("127.0.0.1:{port}")).collect();
    format!("{role}@{}/{database}", hosts.join(","))
}

/// Replaces the database of a URL.
fn on(url: &str, database: &str) -> String {
    let (server, _) = url.rsplit_once('/').unwrap();
    format!("{server}/{database}")
}

/// Name of the migrated database of this build; the first process that needs it creates it, under a lock.
async fn template(url: &str, folder: &Path) -> String {
    let lock = open(&folder.join("template.lock"));
    lock.lock().unwrap();
    let client = connect(url).await.unwrap();
    let name = format!("template_{}", build());
    let known = "SELECT datname FROM pg_database WHERE datname LIKE 'template\\__%' OR datname LIKE 't\\_%'";
    let databases: Vec<String> =
        client.query(known, &[]).await.unwrap().iter().map(|row| row.get(0)).collect();
    for stale in databases.iter().filter(|database| is_stale(database, &name)) {
        // Another process may drop the same database.
        let _gone = client.batch_execute(&format!("DROP DATABASE IF EXISTS {stale} WITH (FORCE)")).await;
    }
    if !databases.contains(&name) {
        let fresh = format!("t_{}_{}_template", std::process::id(), seconds_now());
        client.batch_execute(&format!("CREATE DATABASE {fresh}")).await.unwrap();
        prepare(&on(url, &fresh)).await;
        // A template must have no connections, which the rename checks.
        let rename = format!("ALTER DATABASE {fresh} RENAME TO {name}");
        for attempt in 0.. {
            match client.batch_execute(&rename).await {
                Ok(()) => break,
                Err(error) if attempt == 50 => panic!("{error}"),
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }
    name
}

/// Migrates a database and creates the administrator of all tests.
pub async fn prepare(url: &str) {
    let log = Logger::root(Discard, o!());
    let database = Database::at(url);
    let mut config = database.config();
    super::server::make_cheap(&mut config);
    let (name, password) = (super::people::ADMINISTRATOR, super::PASSWORD.to_owned());
    commands::create_admin(&config, &database.source(), name, Some(password), &log).await.unwrap();
}

/// True for databases of other builds and of failed tests that are older than [`STALE`].
fn is_stale(database: &str, current: &str) -> bool {
    if database == current {
        return false;
    }
    let part = if database.starts_with("template_") { 1 } else { 2 };
    let created = database.split('_').nth(part).and_then(|created| created.parse::<u64>().ok());
    created.is_none_or(|created| created + STALE < seconds_now())
}

/// Identifier of the build, because a new build may have new migrations.
fn build() -> String {
    let program = std::env::current_exe().unwrap();
    let metadata = program.metadata().unwrap();
    let built = metadata.modified().unwrap().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    format!("{}_{}_{}", built.as_secs(), built.subsec_nanos(), metadata.len())
}

fn seconds_now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}
