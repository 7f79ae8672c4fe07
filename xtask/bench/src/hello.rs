//! A Dropshot server with one constant response: the limit of the framework alone on this machine. It runs in a process
//! of its own, built with the same release profile as Rollcall's server.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use anyhow::Context;
use dropshot::{
    ApiDescription, ConfigDropshot, HandlerTaskMode, HttpError, HttpResponseOk, RequestContext,
    ServerBuilder, endpoint,
};

#[endpoint { method = GET, path = "/hello" }]
async fn hello(_: RequestContext<()>) -> Result<HttpResponseOk<&'static str>, HttpError> {
    Ok(HttpResponseOk("hello"))
}

/// Serves until it is killed. The first line of its output is its address.
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

/// The bare server as a child process, killed when dropped.
#[derive(Debug)]
pub struct Hello {
    child: Child,
    /// Address that it listens on.
    pub address: SocketAddr,
}

impl Hello {
    /// Starts the process and reads its address.
    pub fn start() -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("the path of this program is unknown")?;
        let mut child = Command::new(program)
            .arg("hello-server")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("the bare server does not start")?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("no standard output")?).read_line(&mut line)?;
        let address = line.trim().parse();
        // `Self` before the address is parsed, so that the child is killed where that fails.
        let mut started = Self { child, address: SocketAddr::from(([127, 0, 0, 1], 0)) };
        started.address = address.context("the bare server did not say where it listens")?;
        Ok(started)
    }

    /// Process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Hello {
    fn drop(&mut self) {
        // Fails only where the child has ended.
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
    }
}
