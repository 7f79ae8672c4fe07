//! A Dropshot server that answers one constant: what the framework alone reaches on this machine. It runs in a process
//! of its own, made from the same release profile as Rollcall's server.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use anyhow::Context;
use dropshot::{
    ApiDescription, ConfigDropshot, HandlerTaskMode, HttpError, HttpResponseOk, RequestContext,
    ServerBuilder, endpoint,
};

/// Answers.
#[endpoint { method = GET, path = "/hello" }]
async fn hello(_: RequestContext<()>) -> Result<HttpResponseOk<&'static str>, HttpError> {
    Ok(HttpResponseOk("hello"))
}

/// Serves until it is killed; the first line of its output says where.
pub fn serve() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut api = ApiDescription::new();
        api.register(hello).map_err(|error| anyhow::anyhow!("{error}"))?;
        let config = ConfigDropshot {
            bind_address: SocketAddr::from(([127, 0, 0, 1], 0)),
            default_handler_task_mode: HandlerTaskMode::Detached,
            ..ConfigDropshot::default()
        };
        let log = slog::Logger::root(slog::Discard, slog::o!());
        let server = ServerBuilder::new(api, (), log).config(config).start()?;
        println!("{}", server.local_addr());
        server.await.map_err(|error| anyhow::anyhow!("{error}"))
    })
}

/// The same, run as a child and killed when dropped.
#[derive(Debug)]
pub struct Hello {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Hello {
    /// Starts it.
    pub fn start() -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("our own program is unknown")?;
        let mut child = Command::new(program)
            .arg("hello-server")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("the bare server does not start")?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("no standard output")?).read_line(&mut line)?;
        let address = line.trim().parse();
        // From here on it is killed when dropped, also where the address is no address.
        let mut started = Self { child, address: SocketAddr::from(([127, 0, 0, 1], 0)) };
        started.address = address.context("the bare server did not say where it listens")?;
        Ok(started)
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Hello {
    fn drop(&mut self) {
        // Fails only where it has ended already.
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
    }
}
