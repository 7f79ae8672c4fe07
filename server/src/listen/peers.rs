//! The clients behind the connections that Dropshot sees, which all come from the loopback. Only connections opened
//! by the listener are in this table, so that nobody can pass for another address.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// Client addresses, by the loopback addresses that Dropshot sees.
#[derive(Debug, Default)]
pub struct Peers(Mutex<HashMap<SocketAddr, SocketAddr>>);

/// An entry of the table, removed when dropped.
#[derive(Debug)]
pub(super) struct Entry {
    peers: Arc<Peers>,
    loopback: SocketAddr,
}

impl Peers {
    /// The client behind a loopback address; `None` if the listener did not open the connection.
    pub fn of(&self, loopback: SocketAddr) -> Option<SocketAddr> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&loopback).copied()
    }

    /// Adds a client to the table.
    pub(super) fn enter(self: &Arc<Self>, loopback: SocketAddr, client: SocketAddr) -> Entry {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(loopback, client);
        Entry { peers: Arc::clone(self), loopback }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.peers.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.loopback);
    }
}
