//! One way to open a connection: the URL (libpq style, also several hosts with `target_session_attrs`), TLS by rustls
//! when it asks for it, and limits on statements, locks and idle transactions.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use diesel_async::AsyncPgConnection;
use diesel_async::pooled_connection::PoolableConnection;
use tokio_postgres::config::SslMode;
use tokio_postgres::{Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::error::{StoreError, StoreResult};

/// How to reach the database and how long its statements may take.
#[derive(Clone)]
pub struct ConnectOptions {
    config: Config,
    /// What the URL itself says in `options`, such as a search path.
    own: String,
    tls: Option<MakeRustlsConnect>,
}

impl std::fmt::Debug for ConnectOptions {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("ConnectOptions").field("tls", &self.tls.is_some()).finish_non_exhaustive()
    }
}

impl ConnectOptions {
    /// Reads a URL. `sslmode=require` encrypts and checks the server's certificate against the system's roots.
    pub fn new(url: &str, statement_timeout: Duration, lock_timeout: Duration) -> StoreResult<Self> {
        // The parser's message may quote the URL; it holds a password.
        let mut config: Config = url
            .parse()
            .map_err(|_| StoreError::Defect("the database URL is not a Postgres URL".to_owned()))?;
        let own = config.get_options().unwrap_or_default().to_owned();
        let limits = format!(
            "-c statement_timeout={} -c lock_timeout={} -c idle_in_transaction_session_timeout=15000 -c timezone=UTC {own}",
            statement_timeout.as_millis(),
            lock_timeout.as_millis()
        );
        config.options(limits).application_name("rollcall");
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(Duration::from_secs(3));
        }
        config.keepalives_idle(Duration::from_secs(30)).tcp_user_timeout(Duration::from_secs(10));
        let tls = if config.get_ssl_mode() == SslMode::Require { Some(tls()?) } else { None };
        Ok(Self { config, own, tls })
    }

    /// The same without a limit on statements, for migrations.
    pub fn unlimited(&self) -> Self {
        let mut patient = self.clone();
        let limits = format!("-c statement_timeout=0 -c lock_timeout=30000 -c timezone=UTC {}", self.own);
        patient.config.options(limits);
        patient
    }

    /// The same for searches: each is planned for its own values, because a plan for any values misses the indexes;
    /// nothing is compiled for the few rows of a page; and nobody reads a whole table for them, which looks cheap where
    /// few rows are expected and all others would have to be walked past.
    pub fn searching(&self, statement_timeout: Duration) -> Self {
        let mut searching = self.clone();
        let own = self.config.get_options().unwrap_or_default();
        // So that whoever looks at the database's connections knows these.
        searching.config.application_name("rollcall search");
        searching
            .config
            .options(format!(
                "{own} -c statement_timeout={} -c plan_cache_mode=force_custom_plan -c jit=off -c enable_seqscan=off",
                statement_timeout.as_millis()
            ));
        searching
    }

    /// Opens a connection.
    pub async fn connect(&self) -> StoreResult<Connection> {
        let unavailable = |error: tokio_postgres::Error| StoreError::Unavailable(describe(&error));
        let closed = Arc::new(AtomicBool::new(false));
        let client = match &self.tls {
            Some(tls) => {
                let (client, driver) = self.config.connect(tls.clone()).await.map_err(unavailable)?;
                spawn_driver(driver, &closed);
                client
            }
            None => {
                let (client, driver) = self.config.connect(NoTls).await.map_err(unavailable)?;
                spawn_driver(driver, &closed);
                client
            }
        };
        let inner = AsyncPgConnection::try_from(client)
            .await
            .map_err(|error| StoreError::Unavailable(error.to_string()))?;
        Ok(Connection { inner, closed })
    }
}

fn spawn_driver<D>(driver: D, closed: &Arc<AtomicBool>)
where
    D: Future<Output = Result<(), tokio_postgres::Error>> + Send + 'static,
{
    let closed = Arc::clone(closed);
    tokio::spawn(async move {
        // Whatever ended it, the statements on it have been told; here only the end counts.
        let _ended = driver.await;
        closed.store(true, Ordering::Release);
    });
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
        // A certificate of the system that rustls can't read is no root for us.
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

/// An open connection that knows whether it still is.
pub struct Connection {
    pub(crate) inner: AsyncPgConnection,
    closed: Arc<AtomicBool>,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Connection").field("closed", &self.is_closed()).finish_non_exhaustive()
    }
}

impl Connection {
    /// Whether the database has gone away from it.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Whether it must not be used again: closed, or left inside a transaction by a request that was given up.
    pub(crate) fn is_spoilt(&mut self) -> bool {
        self.is_closed() || self.inner.is_broken()
    }
}

impl std::ops::Deref for Connection {
    type Target = AsyncPgConnection;

    fn deref(&self) -> &AsyncPgConnection {
        &self.inner
    }
}
