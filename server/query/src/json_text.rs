//! What the JSON parser says is wrong with a text: where and why.

use serde_json::Error;
use serde_json::error::Category;

/// The byte of the text where it went wrong.
pub(crate) fn byte(text: &str, error: &Error) -> usize {
    if error.classify() == Category::Eof {
        return text.len();
    }
    let before: usize = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    // Its columns are bytes, and count the one that it stumbled over.
    text.floor_char_boundary((before + error.column()).saturating_sub(1))
}

/// What is wrong, without the place.
pub(crate) fn message(error: &Error) -> String {
    let message = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    message.strip_suffix(&place).unwrap_or(&message).to_owned()
}
