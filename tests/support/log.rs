//! A log in memory, for assertions about its content.

use std::io::Write;
use std::sync::{Arc, Mutex};

use slog::{Drain, Logger, o};

/// The log so far, as lines of JSON.
#[derive(Clone, Debug, Default)]
pub struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    /// A logger that writes here.
    pub fn logger(&self) -> Logger {
        let drain = slog_bunyan::with_name("rollcall", self.clone()).build();
        Logger::root(Mutex::new(drain).fuse(), o!())
    }

    /// The text so far.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
