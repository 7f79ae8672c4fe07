//! Free loopback ports and passwords for a run.

use std::io::Read;
use std::net::{Ipv4Addr, TcpListener};

use anyhow::{Context, bail};

/// First port that is tried: below those that the kernel assigns to outgoing connections.
const FIRST_PORT: u16 = 21_000;
const LAST_PORT: u16 = 31_000;

/// Free loopback ports.
#[derive(Debug)]
pub struct Ports(std::vec::IntoIter<u16>);

impl Ports {
    /// Finds this many free ports.
    pub fn find(count: usize) -> anyhow::Result<Self> {
        let mut held = Vec::new();
        // Two runs at once start at different ports.
        let begin = FIRST_PORT + u16::try_from(std::process::id() % 90)? * 100;
        for port in (begin..LAST_PORT).chain(FIRST_PORT..begin) {
            if held.len() == count {
                break;
            }
            if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
                held.push((port, listener));
            }
        }
        if held.len() < count {
            bail!("fewer than {count} ports are free from {FIRST_PORT} to {LAST_PORT}");
        }
        let ports: Vec<u16> = held.into_iter().map(|(port, _)| port).collect();
        Ok(Self(ports.into_iter()))
    }

    /// The next port.
    pub fn next(&mut self) -> anyhow::Result<u16> {
        self.0.next().context("all ports are used: `Ports::find` needs a higher count")
    }

    /// The next three ports.
    pub fn three(&mut self) -> anyhow::Result<[u16; 3]> {
        Ok([self.next()?, self.next()?, self.next()?])
    }
}

/// Creates a random password.
pub fn password() -> anyhow::Result<String> {
    let mut bytes = [0; 16];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::Ports;

    #[test]
    fn ports_are_different() {
        let mut ports = Ports::find(4).unwrap();
        let [one, two, three] = ports.three().unwrap();
        assert!(one != two && two != three && ports.next().is_ok() && ports.next().is_err());
    }
}
