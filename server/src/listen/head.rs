//! Incremental search for the end of an HTTP/1 request's head.

/// Maximum number of bytes of a request's head.
pub(super) const HEAD_MAX: usize = 32 * 1024;

/// The beginning of an HTTP/2 connection without TLS (RFC 9113, section 3.4), up to the part that looks like an
/// HTTP/1 head.
const HTTP2: &[u8] = b"PRI * HTTP/2";

/// Classification of the bytes so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// An incomplete head.
    Part,
    /// A complete head; `fields` is the offset for inserting further header fields.
    Whole { fields: usize },
    /// More bytes than a head may have.
    TooLarge,
    /// The beginning of an HTTP/2 connection.
    Http2,
}

/// The bytes of a head that is incomplete.
#[derive(Debug, Default)]
pub(super) struct Head {
    bytes: Vec<u8>,
    /// Number of bytes already searched.
    seen: usize,
}

impl Head {
    /// Appends bytes and classifies the whole. Line breaks before a head are ignored (RFC 9112, section 2.2).
    pub fn push(&mut self, bytes: &[u8]) -> Found {
        let blank = if self.bytes.is_empty() {
            bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count()
        } else {
            0
        };
        self.bytes.extend_from_slice(&bytes[blank..]);
        // The end may begin in the bytes searched before.
        let from = self.seen.saturating_sub(3);
        self.seen = self.bytes.len();
        match end(&self.bytes[from..]) {
            _ if self.bytes.starts_with(HTTP2) => Found::Http2,
            Some(fields) if from + fields <= HEAD_MAX => Found::Whole { fields: from + fields },
            None if self.bytes.len() <= HEAD_MAX => Found::Part,
            _ => Found::TooLarge,
        }
    }

    /// Takes all bytes received.
    pub fn take(&mut self) -> Vec<u8> {
        self.seen = 0;
        std::mem::take(&mut self.bytes)
    }
}

/// The offset of the empty line that ends a head. A line may end with LF alone, as in the parser behind.
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
        // Bytes after a head are not part of it.
        let body = [b"POST / HTTP/1.1\r\n\r\n".as_slice(), &[b'x'; 2 * HEAD_MAX]].concat();
        assert_eq!(Head::default().push(&body), Found::Whole { fields: 17 });
    }
}
