//! The only way to open a connection: libpq-style URLs, also with several hosts, TLS by rustls on request,
//! and limits on statements, locks and idle transactions. Only a database that accepts writes is used: a
//! standby lags behind, and a revoked credential would stay valid there.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use diesel_async::AsyncPgConnection;
use diesel_async::pooled_connection::PoolableConnection;
use slog::{Discard, Logger, o, warn};
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio::time::timeout;
use tokio_postgres::config::{SslMode, TargetSessionAttrs};
use tokio_postgres::tls::{MakeTlsConnect, TlsStream};
use tokio_postgres::{Client, Config, NoTls, SimpleQueryMessage};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::error::{StoreError, StoreResult};
use crate::hosts::{Hosts, Place, race};
use crate::traffic::{Counted, CountedTls, End, Traffic, drive};

/// Time that the client waits beyond the statement timeout, so that the database's own cancellation comes
/// first.
const GRACE: Duration = Duration::from_millis(200);

/// Time limit for opening a connection at startup, where no request waits for it.
const STARTING: Duration = Duration::from_secs(10);

/// Longest time that a request waits for a connection to be opened.
const OPENING: Duration = Duration::from_secs(3);

/// Idle time after which a TCP keepalive probe is sent, and the longest time that data may stay
/// unacknowledged.
const KEEPALIVE: Duration = Duration::from_secs(5);
const UNACKNOWLEDGED: Duration = Duration::from_secs(5);

/// The database's address and the time limits of its statements.
#[derive(Clone)]
pub struct ConnectOptions {
    config: Config,
    hosts: Arc<Hosts>,
    /// The `options` of the URL itself, such as a search path.
    url_options: String,
    tls: Option<MakeRustlsConnect>,
    /// The statement timeout; none for migrations.
    limit: Option<Duration>,
    log: Logger,
}

impl std::fmt::Debug for ConnectOptions {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("ConnectOptions").field("tls", &self.tls.is_some()).finish_non_exhaustive()
    }
}

impl ConnectOptions {
    /// Parses a URL. `sslmode=require` encrypts the connection and checks the server's certificate against
    /// the system's root certificates.
    pub fn new(url: &str, statement_timeout: Duration, lock_timeout: Duration) -> StoreResult<Self> {
        // The parser's message may quote the URL, which contains a password.
        let mut config: Config = url
            .parse()
            .map_err(|_| StoreError::Defect("the database URL is not a Postgres URL".to_owned()))?;
        if config.get_target_session_attrs() == TargetSessionAttrs::ReadOnly {
            return Err(StoreError::Defect(
                "the database URL says target_session_attrs=read-only, but the server writes: leave it out"
                    .to_owned(),
            ));
        }
        let url_options = config.get_options().unwrap_or_default().to_owned();
        // A severed connection leaves a backend behind that holds its locks until one of the last two
        // settings ends it.
        let limits = format!(
            "-c statement_timeout={} -c lock_timeout={} -c idle_in_transaction_session_timeout={} \
             -c client_connection_check_interval=2000 -c timezone=UTC {url_options}",
            statement_timeout.as_millis(),
            lock_timeout.as_millis(),
            (2 * statement_timeout).max(Duration::from_secs(5)).as_millis()
        );
        config.options(limits).application_name("rollcall");
        let tls = if config.get_ssl_mode() == SslMode::Require { Some(tls()?) } else { None };
        let hosts = Arc::new(Hosts::of(&config)?);
        Ok(Self {
            config,
            hosts,
            url_options,
            tls,
            limit: Some(statement_timeout),
            log: Logger::root(Discard, o!()),
        })
    }

    /// The same options with a logger that reports abandoned connections.
    pub fn logged(self, log: &Logger) -> Self {
        Self { log: log.clone(), ..self }
    }

    /// The same options without a statement timeout, for migrations.
    pub fn unlimited(&self) -> Self {
        let mut patient = self.clone();
        let limits =
            format!("-c statement_timeout=0 -c lock_timeout=30000 -c timezone=UTC {}", self.url_options);
        patient.config.options(limits);
        patient.limit = None;
        patient
    }

    /// The same options for searches. Each search is planned for its own values, because a generic plan
    /// misses the indexes; nothing is JIT-compiled for the few rows of a page; and sequential scans are
    /// disabled, because they look cheap where few rows are expected although all others have to be read.
    pub fn searching(&self, statement_timeout: Duration) -> Self {
        let mut searching = self.clone();
        let own = self.config.get_options().unwrap_or_default();
        // An operator can tell these connections apart in `pg_stat_activity`.
        searching.config.application_name("rollcall search");
        searching
            .config
            .options(format!(
                "{own} -c statement_timeout={} -c plan_cache_mode=force_custom_plan -c jit=off -c enable_seqscan=off",
                statement_timeout.as_millis()
            ));
        searching.limit = Some(statement_timeout);
        searching
    }

    /// The hosts and ports, for error messages.
    pub fn places(&self) -> String {
        self.hosts.shown()
    }

    /// Longest silence of the database while a statement is in progress: slightly more than the statement
    /// timeout.
    pub(crate) fn patience(&self) -> Option<Duration> {
        self.limit.map(|limit| limit + GRACE)
    }

    /// Longest time that a request waits for a connection to be opened.
    pub(crate) fn opening(&self) -> Duration {
        self.limit.map_or(OPENING, |limit| (limit * 2 / 3).clamp(Duration::from_millis(250), OPENING))
    }

    /// Opens a connection, with the time limit of a program that starts.
    pub async fn connect(&self) -> StoreResult<Connection> {
        self.connect_within(STARTING).await
    }

    /// Opens a connection to the first host that accepts one.
    pub(crate) async fn connect_within(&self, limit: Duration) -> StoreResult<Connection> {
        let limit = self.config.get_connect_timeout().map_or(limit, |wanted| limit.min(*wanted));
        match timeout(limit, self.hosts.first(|host| self.open(host))).await {
            Ok(opened) => opened,
            Err(_) => Err(StoreError::Unavailable(format!("no host took a connection within {limit:?}"))),
        }
    }

    async fn open(&self, host: usize) -> StoreResult<Connection> {
        match self.hosts.place(host) {
            #[cfg(unix)]
            Place::Unix(path) => {
                let stream = UnixStream::connect(path).await.map_err(unreachable)?;
                let traffic = Traffic::new(self.patience());
                let client = self.start(Counted::new(stream, Arc::clone(&traffic)), host, &traffic).await?;
                self.checked(client, host, traffic).await
            }
            Place::Tcp { name, address, port } => {
                let addresses = Place::addresses(name, *address, *port).await?;
                race(addresses, |address| self.open_at(address, name, host)).await
            }
        }
    }

    async fn open_at(&self, address: SocketAddr, name: &str, host: usize) -> StoreResult<Connection> {
        let stream = connect_to(address).await.map_err(unreachable)?;
        let traffic = Traffic::new(self.patience());
        let client = match &self.tls {
            Some(tls) => self.start_encrypted(stream, tls.clone(), name, host, &traffic).await?,
            None => self.start(Counted::new(stream, Arc::clone(&traffic)), host, &traffic).await?,
        };
        self.checked(client, host, traffic).await
    }

    async fn checked(&self, client: Client, host: usize, traffic: Arc<Traffic>) -> StoreResult<Connection> {
        if !takes_writes(&client).await? {
            return Err(StoreError::Unavailable("it takes no writes; it may be a standby".to_owned()));
        }
        let inner = AsyncPgConnection::try_from(client)
            .await
            .map_err(|error| StoreError::Unavailable(error.to_string()))?;
        self.hosts.served(host);
        Ok(Connection { inner, traffic, host, hosts: Arc::clone(&self.hosts), in_transaction: false })
    }

    async fn start<S>(&self, stream: Counted<S>, host: usize, traffic: &Arc<Traffic>) -> StoreResult<Client>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (client, driver) = self.config.connect_raw(stream, NoTls).await.map_err(unavailable)?;
        self.spawn_driver(driver, host, traffic);
        Ok(client)
    }

    async fn start_encrypted(
        &self,
        stream: TcpStream,
        mut tls: MakeRustlsConnect,
        name: &str,
        host: usize,
        traffic: &Arc<Traffic>,
    ) -> StoreResult<Client> {
        let tls = MakeTlsConnect::<TcpStream>::make_tls_connect(&mut tls, name)
            .map_err(|error| StoreError::Defect(error.to_string()))?;
        let tls = CountedTls { tls, traffic: Arc::clone(traffic) };
        let (client, driver) = self.config.connect_raw(stream, tls).await.map_err(unavailable)?;
        self.spawn_driver(driver, host, traffic);
        Ok(client)
    }

    fn spawn_driver<S, T>(
        &self,
        driver: tokio_postgres::Connection<S, T>,
        host: usize,
        traffic: &Arc<Traffic>,
    ) where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        T: TlsStream + Unpin + Send + 'static,
    {
        traffic.start();
        let (traffic, hosts, log) = (Arc::clone(traffic), Arc::clone(&self.hosts), self.log.clone());
        tokio::spawn(async move {
            // The statements on the connection receive the cause; here only silence matters.
            if drive(driver, &traffic).await == End::Silent {
                hosts.doubt(host);
                warn!(log, "the database is silent; its connections are replaced";
                    "host" => hosts.place(host).shown());
            }
        });
    }
}

async fn connect_to(address: SocketAddr) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let socket = SockRef::from(&stream);
    socket
        .set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE).with_interval(Duration::from_secs(1)))?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED))?;
    Ok(stream)
}

async fn takes_writes(client: &Client) -> StoreResult<bool> {
    let messages = client.simple_query("SHOW transaction_read_only").await.map_err(unavailable)?;
    Ok(messages.iter().any(
        |message| matches!(message, SimpleQueryMessage::Row(row) if row.try_get(0).ok().flatten() == Some("off")),
    ))
}

fn unreachable(error: std::io::Error) -> StoreError {
    StoreError::Unavailable(error.to_string())
}

fn unavailable(error: tokio_postgres::Error) -> StoreError {
    StoreError::Unavailable(describe(&error))
}

fn describe(error: &tokio_postgres::Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

fn tls() -> StoreResult<MakeRustlsConnect> {
    let mut roots = rustls::RootCertStore::empty();
    for certificate in rustls_native_certs::load_native_certs().certs {
        // A system certificate that rustls cannot parse is not used as a root.
        let _skipped = roots.add(certificate);
    }
    if roots.is_empty() {
        return Err(StoreError::Defect("sslmode=require: this system has no root certificates".to_owned()));
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| StoreError::Defect(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

/// An open connection that tracks its own health.
pub struct Connection {
    pub(crate) inner: AsyncPgConnection,
    traffic: Arc<Traffic>,
    host: usize,
    hosts: Arc<Hosts>,
    /// Set while a transaction is open.
    pub(crate) in_transaction: bool,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Connection").field("closed", &self.is_closed()).finish_non_exhaustive()
    }
}

impl Connection {
    /// True once the connection has ended.
    pub fn is_closed(&self) -> bool {
        self.traffic.is_closed()
    }

    /// True if new statements may be sent: the connection is open, and no newer connection to the same host
    /// was found silent.
    pub(crate) fn is_usable(&self) -> bool {
        !self.is_closed() && !self.hosts.is_doubted(self.host, self.traffic.opened())
    }

    /// Takes the connection out of use after a statement on it failed.
    pub(crate) fn retire(&self) {
        self.traffic.close();
    }

    /// Takes all connections to the same host out of use.
    pub(crate) fn doubt_host(&self) {
        self.hosts.doubt(self.host);
    }

    /// True if the connection must not be reused: unusable, or left inside a transaction by a cancelled
    /// request.
    pub(crate) fn is_broken(&mut self) -> bool {
        self.in_transaction || !self.is_usable() || self.inner.is_broken()
    }
}

impl std::ops::Deref for Connection {
    type Target = AsyncPgConnection;

    fn deref(&self) -> &AsyncPgConnection {
        &self.inner
    }
}
