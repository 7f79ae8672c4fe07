//! Assembles a server and runs it: migrations, keys, the first administrator, listening, and graceful shutdown.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use dropshot::{ConfigDropshot, HandlerTaskMode, HttpServer, ServerBuilder};
use rollcall_api::{BODY_MAX_BYTES, rollcall_api_mod};
use rollcall_store::{PoolOptions, Store, keys, users};
use slog::{Drain, Logger, info, o, warn};
use tokio::net::TcpSocket;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;
use uuid::ContextV7;

use super::create_admin::{CreatedAdmin, first_administrator};
use super::migrate::{is_current, migrate, warn_if_audit_mutable};
use super::{DatabaseSource, connect_options};
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
use crate::secrets::token::fresh_key;
use crate::share::{Shares, TokenOwners};
use crate::slow_searches::SlowSearches;
use crate::start_error::{StartError, cannot_listen, reach};
use crate::sweep;
use rollcall_embedded_postgres::EmbeddedPostgres;

/// Interval between checks of the private database.
const WATCH_EVERY: Duration = Duration::from_secs(1);

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

pub(super) async fn app(
    config: Config,
    url: &str,
    clock: Arc<dyn Clock>,
    log: Logger,
) -> Result<App, StartError> {
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
