//! The Postgres of a run, and the databases on it. The first process that needs it starts a keeper (`src/keeper.rs`),
//! which outlives the tests by seconds. A migrated database is made once for each build and copied for each test.

use std::fs::{File, OpenOptions};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime};

use rollcall_server::config::{Config, DatabaseUrl};
use rollcall_server::serve::{self, DatabaseSource};
use slog::{Discard, Logger, o};
use tokio_postgres::{Client, NoTls};

/// The real program, which also keeps the database.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_rollcall-under-test");

/// How long Postgres may take to be there.
const PATIENCE: Duration = Duration::from_secs(60);

/// After how many seconds a database is swept.
const STALE: u64 = 3 * 3600;

/// The cluster, as this process uses it. Holding it keeps the keeper waiting.
struct Cluster {
    url: String,
    template: String,
    _user: File,
}

static CLUSTER: OnceLock<Cluster> = OnceLock::new();

/// The role that servers run as; the private Postgres makes it.
const SERVER_ROLE: &str = "rollcall_server";
/// The role that owns everything; tests arrange what they need with it.
const OWNER: &str = "rollcall";

/// A database of one's own; dropped with [`Database::drop_now`].
#[derive(Clone, Debug)]
pub struct Database {
    pub name: String,
    /// The owner's address.
    pub url: String,
}

impl Database {
    /// A copy of the migrated template, with its administrator.
    pub fn migrated() -> Self {
        let cluster = cluster();
        Self::create(cluster, &format!(" TEMPLATE {}", cluster.template))
    }

    /// An empty database, to migrate.
    pub fn empty() -> Self {
        Self::create(cluster(), "")
    }

    /// A database that is there already, whichever role its address is for.
    pub fn at(url: &str) -> Self {
        Self { name: String::new(), url: as_role(url, OWNER) }
    }

    /// The address for the server.
    pub fn server_url(&self) -> String {
        as_role(&self.url, SERVER_ROLE)
    }

    /// The database as the server takes it.
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

    /// Removes it, whoever is connected. One that isn't removed is swept by a later run.
    pub fn drop_now(&self) {
        admin(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
    }

    /// A connection.
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

/// Runs async work to its end, on a thread and a runtime of its own: also where a runtime is running already.
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

/// A folder that goes when the test ends.
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

/// Joins the users of the running Postgres, or has one started.
fn start(folder: &Path) -> (String, File) {
    let begun = Instant::now();
    let user = open(&folder.join("users.lock"));
    let _old = std::fs::remove_file(folder.join("error"));
    loop {
        // Waits while a keeper that has lost patience stops the database.
        user.lock_shared().unwrap();
        if let Ok(url) = std::fs::read_to_string(folder.join("url"))
            && apart(async { connect(&url).await.is_ok() })
        {
            return (url, user);
        }
        // A second keeper leaves at once, so asking again costs nothing.
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
        assert!(begun.elapsed() < PATIENCE, "the tests' Postgres does not start: see {}", folder.display());
    }
}

/// The same database, another role.
pub fn as_role(url: &str, role: &str) -> String {
    let (_, place) = url.rsplit_once('@').unwrap();
    format!("postgres://{role}@{place}")
}

/// The same database and role, through ports of this machine.
pub fn through(url: &str, ports: &[u16]) -> String {
    let (role, place) = url.rsplit_once('@').unwrap();
    let (_, database) = place.rsplit_once('/').unwrap();
    let hosts: Vec<String> = ports.iter().map(|port| format!("127.0.0.1:{port}")).collect();
    format!("{role}@{}/{database}", hosts.join(","))
}

/// The same server, another database.
fn on(url: &str, database: &str) -> String {
    let (server, _) = url.rsplit_once('/').unwrap();
    format!("{server}/{database}")
}

/// The migrated database of this build; made under a lock by the first who needs it.
async fn template(url: &str, folder: &Path) -> String {
    let lock = open(&folder.join("template.lock"));
    lock.lock().unwrap();
    let client = connect(url).await.unwrap();
    let name = format!("template_{}", build());
    let known = "SELECT datname FROM pg_database WHERE datname LIKE 'template\\__%' OR datname LIKE 't\\_%'";
    let databases: Vec<String> =
        client.query(known, &[]).await.unwrap().iter().map(|row| row.get(0)).collect();
    for stale in databases.iter().filter(|database| is_stale(database, &name)) {
        // Somebody else may sweep the same.
        let _gone = client.batch_execute(&format!("DROP DATABASE IF EXISTS {stale} WITH (FORCE)")).await;
    }
    if !databases.contains(&name) {
        let fresh = format!("t_{}_{}_template", std::process::id(), seconds_now());
        client.batch_execute(&format!("CREATE DATABASE {fresh}")).await.unwrap();
        prepare(&on(url, &fresh)).await;
        // Nobody may be connected to what is copied.
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

/// Migrates, and makes the administrator whom every test has.
pub async fn prepare(url: &str) {
    let log = Logger::root(Discard, o!());
    let database = Database::at(url);
    let mut config = database.config();
    super::server::make_cheap(&mut config);
    let (name, password) = (super::people::ADMINISTRATOR, super::PASSWORD.to_owned());
    serve::create_admin(&config, &database.source(), name, Some(password), &log).await.unwrap();
}

/// Databases of builds and of failed tests that nobody looks at any more.
fn is_stale(database: &str, current: &str) -> bool {
    if database == current {
        return false;
    }
    let part = if database.starts_with("template_") { 1 } else { 2 };
    let made = database.split('_').nth(part).and_then(|made| made.parse::<u64>().ok());
    made.is_none_or(|made| made + STALE < seconds_now())
}

/// Tells builds apart: a new build may have new migrations.
fn build() -> String {
    let program = std::env::current_exe().unwrap();
    let metadata = program.metadata().unwrap();
    let made = metadata.modified().unwrap().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    format!("{}_{}_{}", made.as_secs(), made.subsec_nanos(), metadata.len())
}

fn seconds_now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}
