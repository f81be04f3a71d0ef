//! The empty line before a head, which is no part of it.

/// What may come before a head, once: some clients send it behind a body that they do not
/// count (RFC 9112 section 2.2).
pub const EMPTY_LINE: &[u8] = b"\r\n";

/// A head without the empty line before it.
pub fn without_empty_line(head: &[u8]) -> &[u8] {
    head.strip_prefix(EMPTY_LINE).unwrap_or(head)
}
