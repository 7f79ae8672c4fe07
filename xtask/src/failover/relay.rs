//! The network between the machines: a relay for each port, so that a machine's link can be cut. As with an unplugged
//! cable, no connection is closed then: bytes are not delivered, and new connections get no reply, not even a reset. When
//! the link is restored, delivery continues.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;

/// Number of connections that the kernel queues for a relay that doesn't accept.
const BACKLOG: u32 = 16;
/// Time without a reply that shows that the kernel's queue is full.
const NO_REPLY: Duration = Duration::from_millis(300);

/// The link of one machine, shared by its relays.
#[derive(Clone, Debug)]
pub struct Link(Arc<watch::Sender<bool>>);

impl Link {
    /// Creates a working link.
    pub fn new() -> Self {
        Self(Arc::new(watch::Sender::new(true)))
    }

    /// Cuts the link.
    pub fn cut(&self) {
        self.0.send_replace(false);
    }

    /// Restores the link.
    pub fn restore(&self) {
        self.0.send_replace(true);
    }

    async fn until(&self, whole: bool) {
        let mut state = self.0.subscribe();
        // The sender outlives this call.
        let _reached = state.wait_for(|now| *now == whole).await;
    }

    /// Relays one loopback port to another until the runtime ends.
    pub fn relay(&self, from: u16, to: u16) -> anyhow::Result<()> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, from));
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket.bind(address).with_context(|| format!("port {from} is taken"))?;
        tokio::spawn(accept(socket.listen(BACKLOG)?, address, to, self.clone()));
        Ok(())
    }
}

async fn accept(listener: TcpListener, address: SocketAddr, to: u16, link: Link) {
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    tokio::spawn(carry(stream, to, link.clone()));
                }
            }
            () = link.until(false) => {
                // The kernel accepts connections by itself until its queue is full.
                let mut queue = Vec::new();
                while let Ok(Ok(stream)) = tokio::time::timeout(NO_REPLY, TcpStream::connect(address)).await {
                    queue.push(stream);
                }
                link.until(true).await;
            }
        }
    }
}

/// Relays bytes in both directions until both end, or one fails.
async fn carry(client: TcpStream, to: u16, link: Link) {
    link.until(true).await;
    let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, to)).await else { return };
    for stream in [&client, &server] {
        // Without `TCP_NODELAY` the relay would delay small packets.
        let _set = stream.set_nodelay(true);
    }
    let (client_reads, client_writes) = client.into_split();
    let (server_reads, server_writes) = server.into_split();
    let there = carry_one_way(client_reads, server_writes, &link);
    let back = carry_one_way(server_reads, client_writes, &link);
    // The drop closes both connections, also after an error.
    let _done = tokio::try_join!(there, back);
}

async fn carry_one_way(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    link: &Link,
) -> std::io::Result<()> {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let read = from.read(&mut buffer).await;
        link.until(true).await;
        match read? {
            0 => return to.shutdown().await,
            count => to.write_all(&buffer[..count]).await?,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::time::timeout;

    use super::Link;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_cut_link_is_silent_and_delivers_later() {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let to = server.local_addr().unwrap().port();
        let from = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
        let link = Link::new();
        link.relay(from, to).unwrap();
        let mut client = TcpStream::connect(("127.0.0.1", from)).await.unwrap();
        let (mut peer, _) = server.accept().await.unwrap();
        client.write_all(b"one").await.unwrap();
        let mut bytes = [0; 3];
        peer.read_exact(&mut bytes).await.unwrap();
        link.cut();
        client.write_all(b"two").await.unwrap();
        assert!(timeout(Duration::from_millis(300), peer.read_exact(&mut bytes)).await.is_err());
        // With a full queue, there is no reply at all.
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(timeout(Duration::from_millis(500), TcpStream::connect(("127.0.0.1", from))).await.is_err());
        link.restore();
        timeout(Duration::from_secs(10), peer.read_exact(&mut bytes)).await.unwrap().unwrap();
        assert_eq!(&bytes, b"two");
    }
}
