//! The real server in this process: on a free port, with a database of its own and a clock that tests can move, behind
//! the proxy that validates every response.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use chrono::TimeDelta;
use reqwest::{Method, RequestBuilder};
use rollcall_client::Client;
use rollcall_server::clock::{Clock, MovableClock};
use rollcall_server::config::{Config, LogLevel};
use rollcall_server::context::App;
use rollcall_server::{commands, erase, sweep};
use tokio::sync::{OnceCell, oneshot};

use super::cluster::{Database, apart, through};
use super::log::Captured;
use super::proxy::{self, Shared};

/// A server that runs as long as this value lives. Its drop fails the test if a response violated the document.
#[derive(Debug)]
pub struct TestServer {
    /// Address of the proxy, for clients.
    pub address: SocketAddr,
    /// Address of the server itself, for requests that a proxy would change.
    pub direct: SocketAddr,
    /// The server's clock.
    pub clock: Arc<MovableClock>,
    /// The server's log.
    pub log: Captured,
    /// The server's database.
    pub database: Database,
    app: Arc<App>,
    pub(super) http: reqwest::Client,
    db: OnceCell<tokio_postgres::Client>,
    notes: Shared,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    owns_database: bool,
}

/// Settings of a [`TestServer`].
pub struct Builder {
    config: Config,
    database: Option<Database>,
    owns_database: bool,
    ports: Vec<u16>,
    clock: Arc<MovableClock>,
}

/// Makes password hashing cheap.
pub fn make_cheap(config: &mut Config) {
    config.password.memory_kib = 64;
    config.password.iterations = 1;
    config.password.hash_threads = 2;
    config.password.hash_queue = 1000;
}

impl Builder {
    /// Changes the configuration.
    pub fn config(mut self, change: impl FnOnce(&mut Config)) -> Self {
        change(&mut self.config);
        self
    }

    /// Uses the database and the clock of another server: a second replica.
    pub fn beside(mut self, other: &TestServer) -> Self {
        self.database = Some(other.database.clone());
        self.clock = Arc::clone(&other.clock);
        self
    }

    /// Uses an existing database, and drops it at the end.
    pub fn on(mut self, database: Database) -> Self {
        self.database = Some(database);
        self.owns_database = true;
        self
    }

    /// Uses an existing database, and keeps it at the end.
    pub fn database(mut self, url: &str) -> Self {
        self.database = Some(Database::at(url));
        self
    }

    /// Makes the server connect to its database through these loopback ports, in this order.
    pub fn through(mut self, ports: impl IntoIterator<Item = u16>) -> Self {
        self.ports = ports.into_iter().collect();
        self
    }

    /// Sets timeouts of the database near the defaults: twice the statement and lock timeouts and four times the wait for
    /// the pool, for machines that are busy with tests.
    pub fn impatient(mut self) -> Self {
        let usual = rollcall_server::config::Database::default();
        self.config.database.pool_wait_milliseconds = 4 * usual.pool_wait_milliseconds;
        self.config.database.statement_timeout_milliseconds = 2 * usual.statement_timeout_milliseconds;
        self.config.database.lock_timeout_milliseconds = 2 * usual.lock_timeout_milliseconds;
        self
    }

    /// Starts the server.
    pub async fn start(self) -> TestServer {
        let owns_database = self.owns_database || self.database.is_none();
        let database = self.database.unwrap_or_else(Database::migrated);
        let (log, notes) = (Captured::default(), Shared::default());
        let (stop, stopped) = oneshot::channel::<()>();
        let (started, ready) = oneshot::channel();
        let clock = Arc::clone(&self.clock);
        let url = match &self.ports[..] {
            [] => database.server_url(),
            ports => through(&database.server_url(), ports),
        };
        let (config, logger, shared) = (self.config, log.logger(), Arc::clone(&notes));
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let running = commands::start(config, &url, clock as Arc<dyn Clock>, logger).await.unwrap();
                let direct = running.address();
                let address = proxy::start(direct, shared).await;
                // The receiver is gone where the test has failed already.
                let _unheard = started.send((address, direct, Arc::clone(running.app())));
                let _dropped = stopped.await;
            });
            runtime.shutdown_timeout(Duration::from_millis(200));
        });
        let (address, direct, app) = ready.await.expect("the server starts");
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(60))
            .build()
            .unwrap();
        TestServer {
            address,
            direct,
            clock: self.clock,
            log,
            database,
            app,
            http,
            db: OnceCell::new(),
            notes,
            stop: Some(stop),
            thread: Some(thread),
            owns_database,
        }
    }
}

impl TestServer {
    /// Starts a server with the default settings of tests.
    pub async fn start() -> Self {
        Self::builder().start().await
    }

    /// Returns a builder for a server with other settings. Limits that would make tests slow or fragile are raised; the
    /// test of a limit sets it.
    pub fn builder() -> Builder {
        let mut config = Config::default();
        make_cheap(&mut config);
        config.http.address = SocketAddr::from(([127, 0, 0, 1], 0));
        config.http.request_timeout_seconds = 30;
        config.http.max_connections = 2000;
        config.http.max_connections_per_source = 2000;
        config.database.shared_connections = 2;
        config.database.pool_size = 8;
        config.database.pool_wait_milliseconds = 20_000;
        config.database.statement_timeout_milliseconds = 20_000;
        config.database.search_timeout_milliseconds = 20_000;
        config.database.lock_timeout_milliseconds = 20_000;
        config.throttle.account_attempts = 100_000;
        config.throttle.source_attempts = 1_000_000;
        config.throttle.recorded_refusals_per_minute = 1_000_000;
        config.log.level = LogLevel::Trace;
        Builder { config, database: None, owns_database: false, ports: Vec::new(), clock: Arc::default() }
    }

    /// URL of the server, through the proxy.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The generated client without a credential and without retries.
    pub fn client(&self) -> Client {
        Client::builder().url(&self.url()).retries(0).http_client(self.http.clone()).build().unwrap()
    }

    /// Creates a request; the path is sent unchanged.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url()))
    }

    /// The HTTP client of [`TestServer::request`], for requests that must not go through the proxy.
    pub fn http(&self) -> &reqwest::Client {
        &self.http
    }

    /// Advances the server's clock.
    pub fn advance(&self, by: TimeDelta) {
        self.clock.advance(by);
    }

    /// Runs the server's periodic cleanup, and asserts that no part of it fails.
    pub async fn sweep(&self) {
        assert_eq!(self.sweep_failing().await, Vec::<&str>::new());
    }

    /// Runs the server's periodic cleanup; returns the parts that failed.
    pub async fn sweep_failing(&self) -> Vec<&'static str> {
        sweep::once(&self.app).await
    }

    /// Runs one step of the server's erasure of deleted data; returns true when nothing is left.
    pub async fn erase(&self) -> bool {
        erase::once(&self.app).await.unwrap()
    }

    /// The test's connection to the server's database.
    pub async fn db(&self) -> &tokio_postgres::Client {
        self.db.get_or_init(|| self.database.connect()).await
    }

    /// Runs statements on the server's database.
    pub async fn sql(&self, statements: &str) {
        self.db().await.batch_execute(statements).await.unwrap();
    }

    /// Queries one number from the server's database.
    pub async fn count(&self, query: &str) -> i64 {
        self.db().await.query_one(query, &[]).await.unwrap().get(0)
    }

    /// The rows of every table, except data that a rejected request may change: audit events, counted attempts, the time of
    /// a session's last use.
    pub async fn dump(&self) -> Vec<(String, String)> {
        let db = self.db().await;
        let tables = "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' ORDER BY 1";
        let mut dump = Vec::new();
        for row in db.query(tables, &[]).await.unwrap() {
            let table: String = row.get(0);
            if matches!(table.as_str(), "audit_events" | "attempts") {
                continue;
            }
            let query = format!(
                "SELECT coalesce(string_agg(line, E'\\n' ORDER BY line), '') FROM (SELECT (to_jsonb(t) - 'last_used_at')::text AS line FROM {table} t) lines"
            );
            dump.push((table, db.query_one(&query, &[]).await.unwrap().get(0)));
        }
        dump
    }

    /// Pairs of operation and status of the responses so far.
    pub fn answers(&self) -> BTreeSet<(String, u16)> {
        self.notes.lock().unwrap().answers.clone()
    }

    /// Takes the violations of the document so far; the drop no longer reports them.
    pub fn take_violations(&self) -> Vec<String> {
        std::mem::take(&mut self.notes.lock().unwrap().violations)
    }

    /// Appends the pairs of operation and status to a file, for `contract::coverage`.
    fn record_responses(&self) {
        use std::io::Write;
        let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("answers.txt");
        let lines: String =
            self.answers().iter().map(|(operation, status)| format!("{operation} {status}\n")).collect();
        let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
        // Best effort: a full disk must not fail the test.
        let _written = file.and_then(|mut file| file.write_all(lines.as_bytes()));
    }
}

#[expect(clippy::print_stdout, reason = "the test runner shows it with the failure")]
impl Drop for TestServer {
    fn drop(&mut self) {
        drop(self.stop.take());
        let ended = self.thread.take().map(JoinHandle::join);
        self.record_responses();
        let violations = self.take_violations();
        let found = violations.join("\n");
        if std::thread::panicking() {
            if !found.is_empty() {
                println!("violations of the document:\n{found}");
            }
            println!("the database of the failed test is kept for some hours: {}", self.database.url);
            return;
        }
        if self.owns_database {
            self.database.drop_now();
        }
        assert!(violations.is_empty(), "responses that violate the document:\n{found}");
        assert!(!matches!(ended, Some(Err(_))), "the server's thread panicked");
    }
}

/// Polls until a value is there; panics with a message after a timeout.
pub async fn eventually<T, F: Future<Output = Option<T>>>(
    what: &str,
    timeout: Duration,
    mut look: impl FnMut() -> F,
) -> T {
    let started_at = std::time::Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(started_at.elapsed() < timeout, "{what}: not within {timeout:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[test]
fn a_database_is_created_and_dropped() {
    let database = Database::migrated();
    let users: i64 = apart(async {
        let db = database.connect().await;
        db.query_one("SELECT count(*) FROM users", &[]).await.unwrap().get(0)
    });
    assert_eq!(users, 1);
    database.drop_now();
}
