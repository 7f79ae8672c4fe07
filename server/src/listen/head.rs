//! Finds where the head of an HTTP/1 request ends, in bytes that come in pieces.

/// The most bytes that the head of a request may have.
pub(super) const HEAD_MAX: usize = 32 * 1024;

/// The beginning of an HTTP/2 connection without TLS (RFC 9113, section 3.4), as far as it looks like a head.
const HTTP2: &[u8] = b"PRI * HTTP/2";

/// What the bytes so far are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Only a part of a head.
    Part,
    /// A whole head; `fields` is where further header fields can be put in.
    Whole { fields: usize },
    /// More than a head may have.
    TooLarge,
    /// The beginning of an HTTP/2 connection.
    Http2,
}

/// The bytes of a head that has not come whole yet.
#[derive(Debug, Default)]
pub(super) struct Head {
    bytes: Vec<u8>,
    /// How many of them were looked at.
    seen: usize,
}

impl Head {
    /// Adds what came and looks at the whole. Line breaks before a head mean nothing (RFC 9112, section 2.2).
    pub fn push(&mut self, bytes: &[u8]) -> Found {
        let blank = if self.bytes.is_empty() {
            bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count()
        } else {
            0
        };
        self.bytes.extend_from_slice(&bytes[blank..]);
        // The end may begin in what was looked at before.
        let from = self.seen.saturating_sub(3);
        self.seen = self.bytes.len();
        match end(&self.bytes[from..]) {
            _ if self.bytes.starts_with(HTTP2) => Found::Http2,
            Some(fields) if from + fields <= HEAD_MAX => Found::Whole { fields: from + fields },
            None if self.bytes.len() <= HEAD_MAX => Found::Part,
            _ => Found::TooLarge,
        }
    }

    /// Gives everything that came.
    pub fn take(&mut self) -> Vec<u8> {
        self.seen = 0;
        std::mem::take(&mut self.bytes)
    }
}

/// Where the empty line begins that ends a head. A line may end with LF alone, as for the parser behind.
fn end(bytes: &[u8]) -> Option<usize> {
    let mut rest = 0;
    while let Some(place) = bytes[rest..].iter().position(|byte| *byte == b'\n') {
        let next = rest + place + 1;
        match &bytes[next..] {
            [b'\n', ..] | [b'\r', b'\n', ..] => return Some(next),
            _ => rest = next,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_found_however_it_is_cut() {
        let text = b"\r\n\nGET / HTTP/1.1\r\nhost: x\r\n\r\nrest";
        let whole = Found::Whole { fields: "GET / HTTP/1.1\r\nhost: x\r\n".len() };
        assert_eq!(Head::default().push(text), whole);
        for cut in 1..text.len() - "rest".len() {
            let mut head = Head::default();
            assert_eq!(head.push(&text[..cut]), Found::Part, "{cut}");
            assert_eq!(head.push(&text[cut..]), whole, "{cut}");
            assert_eq!(head.take(), &text[3..]);
        }
        let mut head = Head::default();
        let pieces = text[..text.len() - 4].chunks(1).map(|byte| head.push(byte)).collect::<Vec<_>>();
        assert_eq!(pieces.last(), Some(&whole));
        assert!(pieces[..pieces.len() - 1].iter().all(|found| *found == Found::Part));
        assert_eq!(Head::default().push(b"GET / HTTP/1.0\nx: y\n\n"), Found::Whole { fields: 20 });
    }

    #[test]
    fn what_is_no_head_is_seen() {
        assert_eq!(Head::default().push(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), Found::Http2);
        assert_eq!(Head::default().push(b"\r\n\r\n\r\n"), Found::Part);
        let mut head = Head::default();
        assert_eq!(head.push(&[b'x'; HEAD_MAX]), Found::Part);
        assert_eq!(head.push(b"x"), Found::TooLarge);
        // What follows a head is not part of it.
        let body = [b"POST / HTTP/1.1\r\n\r\n".as_slice(), &[b'x'; 2 * HEAD_MAX]].concat();
        assert_eq!(Head::default().push(&body), Found::Whole { fields: 17 });
    }
}
