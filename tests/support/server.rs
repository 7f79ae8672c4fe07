//! The real server in this process: on a free port, on a database of its own, with a clock that can be moved, behind
//! the proxy that checks every answer.

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
use rollcall_server::{erase, serve, sweep};
use tokio::sync::{OnceCell, oneshot};

use super::cluster::{Database, apart, through};
use super::log::Captured;
use super::proxy::{self, Shared};

/// A server that runs as long as this value lives. When it goes, the test fails if an answer was against the document.
#[derive(Debug)]
pub struct TestServer {
    /// Where the proxy listens: what clients are given.
    pub address: SocketAddr,
    /// Where the server itself listens, for what a proxy would spoil.
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

/// How a server is to be.
pub struct Builder {
    config: Config,
    database: Option<Database>,
    owns_database: bool,
    ports: Vec<u16>,
    clock: Arc<MovableClock>,
}

/// Settings under which passwords cost next to nothing.
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

    /// Uses a database that is made already, and takes it over.
    pub fn on(mut self, database: Database) -> Self {
        self.database = Some(database);
        self.owns_database = true;
        self
    }

    /// Uses a database of the test's own, which stays.
    pub fn database(mut self, url: &str) -> Self {
        self.database = Some(Database::at(url));
        self
    }

    /// Has the server reach its database through these ports of this machine, in this order.
    pub fn through(mut self, ports: impl IntoIterator<Item = u16>) -> Self {
        self.ports = ports.into_iter().collect();
        self
    }

    /// Waits for the database about as long as a server does that serves people; twice as long as by default, for machines
    /// that are busy with tests.
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
                let running = serve::start(config, &url, clock as Arc<dyn Clock>, logger).await.unwrap();
                let direct = running.address();
                let address = proxy::start(direct, shared).await;
                // Nobody waits any more where the test has failed already.
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
    /// A server as most tests want it.
    pub async fn start() -> Self {
        Self::builder().start().await
    }

    /// A server with other settings. Limits that would make tests slow or fragile are raised; a test that is about one
    /// sets it.
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

    /// Where the server is, as clients are told.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The generated client without a credential. It repeats nothing.
    pub fn client(&self) -> Client {
        Client::builder().url(&self.url()).retries(0).http_client(self.http.clone()).build().unwrap()
    }

    /// A request over the wire; the path is sent as it is.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url()))
    }

    /// The client of [`TestServer::request`], for what must not go through the proxy.
    pub fn http(&self) -> &reqwest::Client {
        &self.http
    }

    /// Moves the server's clock on.
    pub fn advance(&self, by: TimeDelta) {
        self.clock.advance(by);
    }

    /// Has the server take away what time has ended, as it does now and then.
    pub async fn sweep(&self) {
        assert_eq!(self.sweep_failing().await, Vec::<&str>::new());
    }

    /// The same; gives the parts that failed.
    pub async fn sweep_failing(&self) -> Vec<&'static str> {
        sweep::once(&self.app).await
    }

    /// Has the server erase what deletions have left, as it does beside its requests; says whether nothing is left.
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

    /// Asks the server's database for one number.
    pub async fn count(&self, query: &str) -> i64 {
        self.db().await.query_one(query, &[]).await.unwrap().get(0)
    }

    /// What every table holds, but for what a refused call may leave: audit rows, counted attempts, the time of a session's
    /// last use.
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

    /// Which operation answered which status so far.
    pub fn answers(&self) -> BTreeSet<(String, u16)> {
        self.notes.lock().unwrap().answers.clone()
    }

    /// What was against the document so far; the test that asks answers for it.
    pub fn take_violations(&self) -> Vec<String> {
        std::mem::take(&mut self.notes.lock().unwrap().violations)
    }

    /// Puts what the run has seen into a file, for `contract::coverage` and for people.
    fn note_answers(&self) {
        use std::io::Write;
        let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("answers.txt");
        let lines: String =
            self.answers().iter().map(|(operation, status)| format!("{operation} {status}\n")).collect();
        let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
        // Only a note: a full disk is no fault of the server's.
        let _written = file.and_then(|mut file| file.write_all(lines.as_bytes()));
    }
}

#[expect(clippy::print_stdout, reason = "the test runner shows it with the failure")]
impl Drop for TestServer {
    fn drop(&mut self) {
        drop(self.stop.take());
        let ended = self.thread.take().map(JoinHandle::join);
        self.note_answers();
        let violations = self.take_violations();
        let found = violations.join("\n");
        if std::thread::panicking() {
            if !found.is_empty() {
                println!("against the document:\n{found}");
            }
            println!("the database of the failed test stays for some hours: {}", self.database.url);
            return;
        }
        if self.owns_database {
            self.database.drop_now();
        }
        assert!(violations.is_empty(), "answers against the document:\n{found}");
        assert!(!matches!(ended, Some(Err(_))), "the server's thread panicked");
    }
}

/// Waits for something, and gives up with a message.
pub async fn eventually<T, F: Future<Output = Option<T>>>(
    what: &str,
    patience: Duration,
    mut look: impl FnMut() -> F,
) -> T {
    let begun = std::time::Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(begun.elapsed() < patience, "{what}: not within {patience:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A server's thread without a test, so that an assertion in a drop is seen where it belongs.
#[test]
fn a_database_can_be_made_and_dropped() {
    let database = Database::migrated();
    let users: i64 = apart(async {
        let db = database.connect().await;
        db.query_one("SELECT count(*) FROM users", &[]).await.unwrap().get(0)
    });
    assert_eq!(users, 1);
    database.drop_now();
}
