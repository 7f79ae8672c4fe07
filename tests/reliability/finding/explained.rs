//! Query plans of the statements that the server sent, with the settings of its own connections. The
//! extension `auto_explain` writes them to Postgres' log, whatever the statement's parameters.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde_json::Value;
use tokio_postgres::Client;

/// Postgres' log, read from the last position.
#[derive(Debug)]
pub struct Explained {
    log: PathBuf,
    offset: u64,
}

/// The plan of one statement.
#[derive(Debug)]
pub struct Plan {
    pub query: String,
    /// The plan nodes that read tables or indexes, from the top: node type and relation.
    pub reads: Vec<String>,
}

impl Explained {
    /// Enables plan logging on connections that are opened from now on.
    pub async fn begin(db: &Client) -> Self {
        let name: String = db.query_one("SELECT current_database()::text", &[]).await.unwrap().get(0);
        for setting in [
            "session_preload_libraries = 'auto_explain'",
            "auto_explain.log_min_duration = 0",
            "auto_explain.log_format = 'json'",
        ] {
            db.batch_execute(&format!("ALTER DATABASE {name} SET {setting}")).await.unwrap();
        }
        let data: String = db.query_one("SHOW data_directory", &[]).await.unwrap().get(0);
        Self { log: Path::new(&data).with_file_name("postgres.log"), offset: 0 }
    }

    /// The plans since the last call.
    pub fn take(&mut self) -> Vec<Plan> {
        let mut file = File::open(&self.log).unwrap();
        file.seek(SeekFrom::Start(self.offset)).unwrap();
        let mut bytes = Vec::new();
        self.offset += u64::try_from(file.read_to_end(&mut bytes).unwrap()).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        text.split("plan:\n").skip(1).map(read).collect()
    }
}

/// Parses the text after `plan:`; other lines of the log may follow it.
fn read(text: &str) -> Plan {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let document = values.next().unwrap().unwrap();
    let mut reads = Vec::new();
    walk(&document["Plan"], &mut reads);
    Plan { query: document["Query Text"].as_str().unwrap_or_default().to_owned(), reads }
}

fn walk(node: &Value, reads: &mut Vec<String>) {
    let text = |name: &str| node[name].as_str();
    if let (Some(kind), Some(object)) = (text("Node Type"), text("Index Name").or(text("Relation Name"))) {
        reads.push(format!("{kind} on {object}"));
    } else if let Some(kind @ ("Sort" | "Incremental Sort" | "BitmapOr" | "BitmapAnd")) = text("Node Type") {
        reads.push(kind.to_owned());
    }
    for part in node["Plans"].as_array().into_iter().flatten() {
        walk(part, reads);
    }
}
