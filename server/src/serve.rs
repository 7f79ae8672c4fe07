//! Assembles a server and runs it: migrations, keys, the first administrator, listening, and graceful shutdown.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use dropshot::{ConfigDropshot, HandlerTaskMode, HttpServer, ServerBuilder};
use rollcall_api::types::Username;
use rollcall_api::{BODY_MAX_BYTES, rollcall_api_mod};
use rollcall_store::connect::ConnectOptions;
use rollcall_store::{PoolOptions, Store, StoreError, keys, migrate as migrations, privileges, users};
use slog::{Drain, Logger, info, o, warn};
use tokio::net::TcpSocket;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;
use uuid::ContextV7;

use crate::app::users::create::bootstrap_administrator;
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, LogLevel};
use crate::connections::Touching;
use crate::context::App;
use crate::erase;
use crate::http::{RequestLog, Server};
use crate::listen::{self, Listener, Peers};
use crate::ration::Ration;
use crate::secrets::page_token::PageSealer;
use crate::secrets::password::{HashParams, Hasher};
use crate::secrets::token::{fresh_key, generated_password};
use crate::share::{Shares, TokenOwners};
use crate::slow_searches::SlowSearches;
pub use crate::start_error::StartError;
use crate::start_error::{cannot_listen, reach, with_migration_advice};
use crate::sweep;
use rollcall_embedded_postgres::EmbeddedPostgres;

/// Interval between checks of the private database.
const WATCH_EVERY: Duration = Duration::from_secs(1);

/// The database to use.
#[derive(Clone, Debug)]
pub enum DatabaseSource {
    /// A Postgres server of the operator.
    Url(String),
    /// The private Postgres.
    Embedded(Arc<EmbeddedPostgres>),
}

impl DatabaseSource {
    fn url(&self) -> String {
        match self {
            Self::Url(url) => url.clone(),
            Self::Embedded(postgres) => postgres.url(),
        }
    }

    /// URL of the role that owns the tables, if known.
    fn owner_url(&self, config: &Config) -> Option<String> {
        match self {
            Self::Url(_) => config.database.migration_url.as_ref().map(|url| url.expose().to_owned()),
            Self::Embedded(postgres) => Some(postgres.owner_url()),
        }
    }
}

/// An administrator that was created.
#[derive(Clone)]
pub struct CreatedAdmin {
    /// The username.
    pub username: String,
    /// The password, if it was generated. It is not shown again.
    pub password: Option<String>,
}

impl fmt::Debug for CreatedAdmin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("CreatedAdmin").field("username", &self.username).finish_non_exhaustive()
    }
}

/// Facts about a server that listens.
#[derive(Debug)]
pub struct Ready {
    /// The address that it listens on.
    pub address: SocketAddr,
    /// The first administrator, if this start created one.
    pub first_admin: Option<CreatedAdmin>,
    /// True for the private Postgres.
    pub private_database: bool,
    /// True if there are no users yet.
    pub is_empty: bool,
}

/// Parameters of [`serve`].
pub struct ServeOptions {
    /// The configuration.
    pub config: Config,
    /// The bound address, from [`bind`].
    pub address: TcpSocket,
    /// The database.
    pub database: DatabaseSource,
    /// The log.
    pub log: Logger,
    /// Called once the server listens.
    pub on_ready: Box<dyn FnOnce(&Ready) + Send>,
}

impl fmt::Debug for ServeOptions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ServeOptions").field("config", &self.config).finish_non_exhaustive()
    }
}

/// A server that listens.
pub struct Running {
    app: Arc<App>,
    listener: Listener,
    server: HttpServer<Arc<App>>,
    sweeper: tokio::task::JoinHandle<((), ())>,
}

impl fmt::Debug for Running {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Running").field("address", &self.address()).finish_non_exhaustive()
    }
}

impl Running {
    /// The address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.listener.address()
    }

    /// The server's state.
    pub fn app(&self) -> &Arc<App> {
        &self.app
    }

    /// Turns readiness off and keeps serving for a while, so that load balancers notice before any request fails.
    /// From now on each response is the last of its connection.
    pub async fn drain(&self, delay: Duration) {
        self.app.draining.store(true, Ordering::Release);
        tokio::time::sleep(delay).await;
    }

    /// Stops listening, waits for running requests up to the configured grace period, and closes.
    pub async fn stop(self) {
        self.app.draining.store(true, Ordering::Release);
        self.sweeper.abort();
        let grace = Duration::from_secs(self.app.config.http.shutdown_grace_seconds);
        let closed = self.listener.close().await;
        let finished = async {
            let outcome = self.server.close().await;
            // Dropshot's last bytes may not have reached the client yet.
            closed.ended().await;
            outcome
        };
        match tokio::time::timeout(grace, finished).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => warn!(self.app.log, "the server failed to close"; "reason" => error),
            Err(_) => warn!(self.app.log, "some requests were aborted"; "grace_seconds" => grace.as_secs()),
        }
    }
}

/// Binds the address. Nobody can connect yet, but a second server with this address fails.
pub fn bind(config: &Config) -> Result<TcpSocket, StartError> {
    let address = config.http.address;
    listen::bind(address).map_err(|error| cannot_listen(address, &error))
}

/// Starts a server on a database with a current schema; returns once it listens.
pub async fn start(
    config: Config,
    database_url: &str,
    clock: Arc<dyn Clock>,
    log: Logger,
) -> Result<Running, StartError> {
    let socket = bind(&config)?;
    start_at(socket, config, database_url, clock, log).await
}

async fn start_at(
    socket: TcpSocket,
    config: Config,
    database_url: &str,
    clock: Arc<dyn Clock>,
    log: Logger,
) -> Result<Running, StartError> {
    let app = Arc::new(app(config, database_url, clock, log).await?);
    let api = rollcall_api_mod::api_description::<Server>()
        .map_err(|error| StartError(format!("the contract is inconsistent: {error}")))?;
    let dropshot = ConfigDropshot {
        bind_address: loopback(),
        default_request_body_max_bytes: BODY_MAX_BYTES,
        // A disconnecting client must not cancel a write.
        default_handler_task_mode: HandlerTaskMode::Detached,
        ..ConfigDropshot::default()
    };
    let server = ServerBuilder::new(api, Arc::clone(&app), request_log(&app))
        .config(dropshot)
        .start()
        .map_err(|error| StartError(format!("can't listen on the loopback: {error}")))?;
    let listener = Listener::start(socket, server.local_addr(), &app)
        .map_err(|error| cannot_listen(app.config.http.address, &error))?;
    let (sweeping, erasing) =
        (sweep::run_periodically(Arc::clone(&app)), erase::run_periodically(Arc::clone(&app)));
    let sweeper = tokio::spawn(async { tokio::join!(sweeping, erasing) });
    Ok(Running { app, listener, server, sweeper })
}

/// Dropshot's address: a free port on the loopback, unreachable from other machines.
fn loopback() -> SocketAddr {
    let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    match std::net::TcpListener::bind(loopback) {
        Ok(_) => loopback,
        Err(_) => SocketAddr::from((Ipv6Addr::LOCALHOST, 0)),
    }
}

/// Dropshot's logger. Its two lines per request have level `info`: they are shown at `debug` only, and without query
/// strings.
fn request_log(app: &App) -> Logger {
    let level = match app.config.log.level {
        LogLevel::Trace | LogLevel::Debug => slog::Level::Info,
        _ => slog::Level::Warning,
    };
    let drain = RequestLog::new(app.log.clone(), Arc::clone(&app.peers));
    Logger::root(drain.filter_level(level).fuse(), o!())
}

async fn app(config: Config, url: &str, clock: Arc<dyn Clock>, log: Logger) -> Result<App, StartError> {
    let connect = connect_options(&config, url)?.logged(&log);
    let pools = PoolOptions {
        shared: config.database.shared_connections as usize,
        size: config.database.pool_size as usize,
        search: config.database.search_pool_size as usize,
        search_timeout: Duration::from_millis(config.database.search_timeout_milliseconds),
        wait: Duration::from_millis(config.database.pool_wait_milliseconds),
    };
    let params = HashParams {
        memory_kib: config.password.memory_kib,
        iterations: config.password.iterations,
        parallelism: config.password.parallelism,
    };
    let hasher = Hasher::start(params, config.password.hash_threads, config.password.hash_queue)
        .map_err(StartError)?;
    let key = {
        let connection = reach(&connect, "database.url").await?;
        keys::get_or_insert(&connection, "page_token", &fresh_key(), clock.now()).await?
    };
    let store = Store::new(connect, pools)?;
    let key = key.try_into().map_err(|_| StartError("the key of page tokens is damaged".to_owned()))?;
    Ok(App {
        unknown: Ration::new(config.throttle.recorded_refusals_per_minute),
        changes: Shares::new(config.database.changes_per_caller()),
        searches: Shares::new(config.database.searches_per_caller()),
        slow_searches: SlowSearches::new(
            config.database.search_pool_size as usize,
            Duration::from_millis(config.database.search_timeout_milliseconds),
        ),
        hashes: Shares::new(config.password.hash_queue / 4),
        owners: TokenOwners::default(),
        touching: Touching::default(),
        config,
        store,
        hasher,
        clock,
        pages: PageSealer::new(key),
        peers: Arc::new(Peers::default()),
        log,
        draining: AtomicBool::new(false),
        erasing: Notify::new(),
        ids: std::sync::Mutex::new(ContextV7::new()),
    })
}

fn connect_options(config: &Config, url: &str) -> Result<ConnectOptions, StartError> {
    let statement = Duration::from_millis(config.database.statement_timeout_milliseconds);
    let lock = Duration::from_millis(config.database.lock_timeout_milliseconds);
    Ok(ConnectOptions::new(url, statement, lock)?)
}

/// Serves until SIGTERM or SIGINT; a second signal ends it at once.
pub async fn serve(options: ServeOptions) -> Result<(), StartError> {
    let ServeOptions { config, address, database, log, on_ready } = options;
    let url = database.url();
    if config.database.migrate_on_start {
        migrate(&config, &database, &log).await?;
    } else if !is_current(&config, &database).await? {
        return Err(StartError(
            "the database's schema is not current; run `rollcall-server migrate`".to_owned(),
        ));
    } else {
        warn_if_audit_mutable(&connect_options(&config, &url)?, &log).await?;
    }
    let running = start_at(address, config, &url, Arc::new(SystemClock), log.clone()).await?;
    let private = match &database {
        DatabaseSource::Embedded(postgres) => Some(Arc::clone(postgres)),
        DatabaseSource::Url(_) => None,
    };
    let first_admin = match &private {
        Some(_) => first_administrator(&running.app).await?,
        None => None,
    };
    let mut signals = Signals::new()?;
    info!(log, "listening"; "address" => %running.address());
    let is_empty = first_admin.is_none() && is_empty(&running.app).await?;
    let (address, private_database) = (running.address(), private.is_some());
    on_ready(&Ready { address, first_admin, private_database, is_empty });
    let watcher = private.map(|postgres| tokio::spawn(watch(postgres, log.clone())));
    let drain = match signals.next().await {
        Told::Terminate => Duration::from_secs(running.app.config.http.drain_seconds),
        // Ctrl-C: somebody is waiting at the terminal.
        Told::Interrupt => Duration::ZERO,
    };
    let stop = async {
        info!(log, "draining"; "drain_seconds" => drain.as_secs());
        running.drain(drain).await;
        info!(log, "stopping");
        running.stop().await;
    };
    tokio::select! {
        () = stop => {}
        _ = signals.next() => warn!(log, "second signal: running requests are aborted"),
    }
    if let Some(watcher) = watcher {
        watcher.abort();
    }
    Ok(())
}

/// Restarts the private database when it was killed.
async fn watch(postgres: Arc<EmbeddedPostgres>, log: Logger) {
    loop {
        tokio::time::sleep(WATCH_EVERY).await;
        let postgres = Arc::clone(&postgres);
        match tokio::task::spawn_blocking(move || postgres.ensure_running()).await {
            Ok(Ok(true)) => warn!(log, "the private database had stopped and was started again"),
            Ok(Ok(false)) => {}
            Ok(Err(error)) => warn!(log, "the private database can't be started"; "reason" => %error),
            Err(_) => return,
        }
    }
}

/// The signals that end the server.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

/// The signal that arrived.
enum Told {
    Terminate,
    Interrupt,
}

impl Signals {
    fn new() -> Result<Self, StartError> {
        let of = |kind| signal(kind).map_err(|error| StartError(format!("can't wait for signals: {error}")));
        Ok(Self { terminate: of(SignalKind::terminate())?, interrupt: of(SignalKind::interrupt())? })
    }

    async fn next(&mut self) -> Told {
        tokio::select! {
            _ = self.terminate.recv() => Told::Terminate,
            _ = self.interrupt.recv() => Told::Interrupt,
        }
    }
}

async fn is_empty(app: &App) -> Result<bool, StartError> {
    let transaction = app.store.begin().await?;
    let any = users::any(&transaction).await?;
    transaction.rollback().await?;
    Ok(!any)
}

async fn first_administrator(app: &App) -> Result<Option<CreatedAdmin>, StartError> {
    let transaction = app.store.begin().await?;
    if users::any(&transaction).await? {
        transaction.rollback().await?;
        return Ok(None);
    }
    let username: Username = "admin".parse().map_err(StartError)?;
    let password = generated_password();
    let username = bootstrap_administrator(app, &transaction, username, &password).await?;
    transaction.commit().await?;
    Ok(Some(CreatedAdmin { username, password: Some(password) }))
}

/// Migrates the schema, as the owner of the tables if that is another role than the server's, which is then granted
/// the privileges that it needs.
pub async fn migrate(config: &Config, database: &DatabaseSource, log: &Logger) -> Result<(), StartError> {
    let server = connect_options(config, &database.url())?;
    let role = privileges::role(&*reach(&server, "database.url").await?).await?;
    let (owner, server_role) = match database.owner_url(config) {
        Some(url) => {
            let owner = connect_options(config, &url)?;
            let connection = reach(&owner, "database.migration_url").await?;
            let other = privileges::role(&connection).await? != role;
            (owner, other.then(|| role.clone()))
        }
        None => (server.clone(), None),
    };
    let alone = server_role.is_none();
    let migrated = block_on_own_runtime(move || async move {
        migrations::run(&owner, server_role.as_deref(), SystemClock.now()).await
    })
    .await
    .map_err(|error| with_migration_advice(error, alone, &role))?;
    for version in migrated.applied {
        info!(log, "migrated"; "version" => version);
    }
    if !migrated.prepared.built.is_empty() {
        info!(log, "built indexes for lists"; "indexes" => migrated.prepared.built.join(", "));
    }
    for user in migrated.prepared.colliding {
        warn!(
            log,
            "the user's username or e-mail address differs from another user's only in characters that nobody sees: \
             both can sign in as before; give one of them another name";
            "user" => %user
        );
    }
    if let Some(why) = migrated.prepared.without_trigrams {
        warn!(
            log,
            "the database has no extension pg_trgm: searches for words read all users, which is slow from some ten \
             thousand on. Let its administrator run CREATE EXTENSION pg_trgm, then start again";
            "error" => why
        );
    }
    warn_if_audit_mutable(&server, log).await
}

/// Warns if the server's role could change its own audit trail.
async fn warn_if_audit_mutable(server: &ConnectOptions, log: &Logger) -> Result<(), StartError> {
    let connection = server.connect().await?;
    if privileges::can_change_audit_events(&connection).await? {
        let role = privileges::role(&connection).await?;
        warn!(log, "only a trigger protects the audit trail, which the server's role could remove: \
            set database.migration_url to another role's URL"; "role" => role);
    }
    Ok(())
}

async fn is_current(config: &Config, database: &DatabaseSource) -> Result<bool, StartError> {
    let url = database.owner_url(config).unwrap_or_else(|| database.url());
    Ok(migrations::is_current(&connect_options(config, &url)?).await?)
}

/// Runs Diesel's migrations on a runtime of their own: they block inside async code, which Tokio allows on its
/// multi-threaded runtime only.
async fn block_on_own_runtime<T, F>(work: impl FnOnce() -> F + Send + 'static) -> Result<T, StartError>
where
    T: Send + 'static,
    F: Future<Output = Result<T, StoreError>>,
{
    let done = tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        runtime.map_err(|error| StartError(error.to_string()))?.block_on(work()).map_err(StartError::from)
    });
    done.await.map_err(|error| StartError(error.to_string()))?
}

/// Creates an administrator from the command line.
pub async fn create_admin(
    config: &Config,
    database: &DatabaseSource,
    username: &str,
    password: Option<String>,
    log: &Logger,
) -> Result<CreatedAdmin, StartError> {
    let username: Username = username.parse().map_err(|rule| StartError(format!("--username: {rule}")))?;
    migrate(config, database, log).await?;
    let app = app(config.clone(), &database.url(), Arc::new(SystemClock), log.clone()).await?;
    let generated = password.is_none();
    let password = match password {
        Some(password) => rollcall_api::types::NewPassword::try_from(password)
            .map_err(|rule| StartError(format!("--password-stdin: {rule}")))?
            .expose()
            .to_owned(),
        None => generated_password(),
    };
    let transaction = app.store.begin().await?;
    let username = bootstrap_administrator(&app, &transaction, username, &password).await?;
    transaction.commit().await?;
    Ok(CreatedAdmin { username, password: generated.then_some(password) })
}
