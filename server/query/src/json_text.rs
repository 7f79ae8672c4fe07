//! Position and message of JSON syntax errors.

use serde_json::Error;
use serde_json::error::Category;

/// Byte position of the error in the text.
pub(crate) fn byte(text: &str, error: &Error) -> usize {
    if error.classify() == Category::Eof {
        return text.len();
    }
    let before: usize = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    // Columns of serde_json count bytes, including the one at fault.
    text.floor_char_boundary((before + error.column()).saturating_sub(1))
}

/// Message of the error without the position.
pub(crate) fn message(error: &Error) -> String {
    let message = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    message.strip_suffix(&place).unwrap_or(&message).to_owned()
}
