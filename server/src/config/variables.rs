//! Environment variables that begin with `ROLLCALL_` and are no settings: typing errors, which must be reported, and
//! variables of other programs, which must not stop the server.

use super::keys::KEYS;
use super::layers::{FILE_VARIABLE, PREFIX};

/// Variables of the client's examples: the server's address and a password.
const EXAMPLES: &[&str] = &["ROLLCALL_URL", "ROLLCALL_PASSWORD"];

/// The meaning of a variable that is no setting.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// A typing error; the value is the likely setting.
    Misspelt(Option<String>),
    /// A variable of an example, or of Kubernetes, which describes each service to each container.
    Others,
    /// Nothing known.
    Unknown,
}

/// Classifies a variable that is no setting.
pub(super) fn meaning(variable: &str, value: &str) -> Meaning {
    if EXAMPLES.contains(&variable) || is_of_kubernetes(variable, value) {
        return Meaning::Others;
    }
    match closest(variable) {
        Some(meant) => Meaning::Misspelt(Some(meant)),
        None if variable.contains("__") => Meaning::Misspelt(None),
        None => Meaning::Unknown,
    }
}

/// Returns true for the variables that Kubernetes sets for a service `rollcall` or `rollcall-…`: `…_SERVICE_HOST`,
/// `…_SERVICE_PORT`, `…_SERVICE_PORT_HTTP`, `…_PORT`, `…_PORT_8080_TCP`, `…_PORT_8080_TCP_ADDR` and the like.
fn is_of_kubernetes(variable: &str, value: &str) -> bool {
    if variable.contains("__") {
        return false;
    }
    let numbered = |rest: &str| {
        let mut words = rest.split('_');
        let number =
            words.next().is_some_and(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit()));
        number && matches!(words.next(), Some("TCP" | "UDP" | "SCTP"))
    };
    variable.ends_with("_SERVICE_HOST")
        || variable.ends_with("_SERVICE_PORT")
        || variable.contains("_SERVICE_PORT_")
        // A plain number was probably meant as a setting.
        || variable.ends_with("_PORT") && value.contains("://")
        || variable.match_indices("_PORT_").any(|(at, port)| numbered(&variable[at + port.len()..]))
}

/// The setting's variable that differs by one or two letters, or in the separators of its words.
fn closest(variable: &str) -> Option<String> {
    let known = KEYS
        .iter()
        .flat_map(|key| [Some(key.variable()), key.file_variable()])
        .flatten()
        .chain([FILE_VARIABLE.to_owned()]);
    let words = |name: &str| name.strip_prefix(PREFIX).unwrap_or(name).replace("__", "_").to_uppercase();
    let written = words(variable);
    known
        .map(|name| (slips(&written, &words(&name)), name))
        .filter(|(slips, name)| *slips <= 2 && slips * 3 < words(name).len())
        .min_by_key(|(slips, _)| *slips)
        .map(|(_, name)| name)
}

/// The edit distance between two names: letters to insert, delete, change or swap with their neighbours.
fn slips(one: &str, other: &str) -> usize {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let width = other.len() + 1;
    let mut table = vec![0; (one.len() + 1) * width];
    let at = |row: usize, column: usize| row * width + column;
    for row in 0..=one.len() {
        for column in 0..=other.len() {
            table[at(row, column)] = match (row, column) {
                (row, 0) => row,
                (0, column) => column,
                _ => {
                    let changed = usize::from(one[row - 1] != other[column - 1]);
                    let mut least = (table[at(row - 1, column)] + 1)
                        .min(table[at(row, column - 1)] + 1)
                        .min(table[at(row - 1, column - 1)] + changed);
                    let swapped = row > 1
                        && column > 1
                        && one[row - 1] == other[column - 2]
                        && one[row - 2] == other[column - 1];
                    if swapped {
                        least = least.min(table[at(row - 2, column - 2)] + 1);
                    }
                    least
                }
            };
        }
    }
    table[at(one.len(), other.len())]
}
