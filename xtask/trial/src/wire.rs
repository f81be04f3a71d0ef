//! What passes between the two ends, in the words of whoever reads it on the way.

use ladder::Tone;
use netcore::log::{harmless, is_plain};
use netcore::request::Message;
use netfault::Speaks;
use netfault::proxy::{Fate, Passed};

/// Bytes of what is no text that are shown.
const A_LINE: usize = 16;

/// Bytes before what is in a record of TLS.
const RECORD: usize = 5;

/// Lines of HTTP that are shown at length.
const AT_LENGTH: usize = 16;

/// What one segment or datagram says: in its arrow, and below it.
pub struct Words {
    pub label: Vec<(Tone, String)>,
    pub below: Vec<String>,
}

/// The words for `passed` where this is spoken; for nothing that is known, how much it is.
pub fn words(speaks: Option<Speaks>, passed: &Passed, first: bool) -> Words {
    let bytes = &passed.bytes;
    let mut below = Vec::new();
    let mut label = match (end(passed.fate), speaks) {
        (Some(text), _) => {
            let tone = if passed.fate == Fate::Ended { Tone::Dim } else { Tone::Bad };
            vec![(tone, text.into())]
        }
        (_, None) => vec![(Tone::Plain, format!("{} bytes", bytes.len()))],
        (_, Some(Speaks::Frames | Speaks::Objects)) => frames(bytes),
        (_, Some(Speaks::Tls | Speaks::Login)) => record(bytes),
        (_, Some(Speaks::Requests)) => request(bytes),
        (_, Some(speaks)) if speaks.is_http() => {
            let text = String::from_utf8_lossy(bytes).into_owned();
            let mut lines = text.trim_end().lines().map(harmless);
            let start = lines.next().unwrap_or_default();
            below = lines.collect();
            let more = if first || below.is_empty() {
                below.truncate(AT_LENGTH);
                String::new()
            } else {
                below.clear();
                format!(" ... {} bytes", bytes.len())
            };
            vec![(Tone::Plain, start + &more)]
        }
        (_, Some(_)) => vec![(Tone::Plain, quoted(bytes))],
    };
    match passed.fate {
        Fate::Lost => label.insert(0, (Tone::Bad, "lost:".into())),
        Fate::Repeated => label.insert(0, (Tone::Warning, "once more:".into())),
        _ => {}
    }
    Words { label, below }
}

/// How a connection ends, where this is its end.
pub fn end(fate: Fate) -> Option<&'static str> {
    match fate {
        Fate::Ended => Some("end of stream"),
        Fate::Reset => Some("the connection is reset"),
        Fate::Cut => Some("the connection is cut"),
        Fate::Delivered | Fate::Repeated | Fate::Lost => None,
    }
}

/// Frames, each with its length as bytes of their own.
fn frames(mut bytes: &[u8]) -> Vec<(Tone, String)> {
    let mut label = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk() {
        let most = u32::from_be_bytes(*length) as usize;
        let (text, others) = rest.split_at(most.min(rest.len()));
        label.push((Tone::Bold, hex(length)));
        label.push((Tone::Plain, short(text)));
        bytes = others;
    }
    if !bytes.is_empty() {
        label.push((Tone::Plain, short(bytes)));
    }
    label
}

/// Text as it is; of what is none, the beginning as a dump of it has it.
fn short(bytes: &[u8]) -> String {
    let text = quoted(bytes);
    if !text.contains('\\') {
        return text;
    }
    let dots = |byte: &u8| if byte.is_ascii_graphic() { char::from(*byte) } else { '.' };
    let more = if bytes.len() > A_LINE { " ..." } else { "" };
    bytes.iter().take(A_LINE).map(dots).collect::<String>() + more
}

/// What somebody reads who knows how TLS begins each of its records.
fn record(bytes: &[u8]) -> Vec<(Tone, String)> {
    let Some((head, rest)) = bytes.split_at_checked(RECORD) else {
        return vec![(Tone::Plain, short(bytes))];
    };
    let what = match head[0] {
        20 | 22 => "handshake",
        21 => "alert",
        _ => "encrypted",
    };
    let what = format!("{what}, {} bytes", bytes.len());
    vec![(Tone::Plain, what), (Tone::Bold, hex(head)), (Tone::Bad, short(rest))]
}

fn request(bytes: &[u8]) -> Vec<(Tone, String)> {
    match Message::decode(bytes) {
        Some(Message { attempt, id, payload, .. }) => {
            let head = format!("[{id}, try {attempt}]");
            vec![(Tone::Bold, head), (Tone::Plain, quoted(payload))]
        }
        None => vec![(Tone::Plain, short(bytes))],
    }
}

fn hex(bytes: &[u8]) -> String {
    let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("[{}]", hex.join(" "))
}

/// Text as it is, and in numbers what is none: a length before it, say.
pub fn quoted(bytes: &[u8]) -> String {
    let mut text = String::from('"');
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                c if is_plain(c) => text.push(c),
                c if c.is_ascii() => text.push_str(&format!("\\x{:02x}", u32::from(c))),
                c => text.extend(c.escape_unicode()),
            }
        }
        text.extend(chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}")));
    }
    text.push('"');
    text
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use netfault::proxy::Way;

    use super::*;

    fn said(speaks: Speaks, bytes: &[u8], first: bool) -> Vec<String> {
        let (connection, way, fate) = (0, Way::ToServer, Fate::Delivered);
        let passed =
            Passed { at: SystemTime::UNIX_EPOCH, connection, way, fate, bytes: bytes.to_vec() };
        let Words { label, below } = words(Some(speaks), &passed, first);
        label.into_iter().map(|(_, text)| text).chain(below).collect()
    }

    #[test]
    fn text_is_shown_as_text_and_a_length_in_numbers() {
        assert_eq!(quoted("\0\0\0\x0dпривет".as_bytes()), "\"\\x00\\x00\\x00\\x0dпривет\"");
        assert_eq!(quoted(b"\xff<"), "\"\\xff<\"");
        assert_eq!(quoted("\u{9b}2J\u{202e}".as_bytes()), r#""\u{9b}2J\u{202e}""#);
    }

    #[test]
    fn what_passes_is_told_in_the_words_of_what_is_spoken() {
        let frames = b"\0\0\0\x02ab\0\0\0\x09c";
        let told = ["[00 00 00 02]", "\"ab\"", "[00 00 00 09]", "\"c\""];
        assert_eq!(said(Speaks::Frames, frames, true), told);
        let head = b"GET / HTTP/1.1\r\nHost: a\x1b\r\n\r\n";
        assert_eq!(said(Speaks::Http, head, true), ["GET / HTTP/1.1", "Host: a\\u{1b}"]);
        assert_eq!(said(Speaks::Http, head, false), ["GET / HTTP/1.1 ... 28 bytes"]);
        let request = b"NLR1\x01\x02sessions\0\0\0\0\0\0\x01\0again";
        assert_eq!(said(Speaks::Requests, request, true), ["[256, try 2]", "\"again\""]);
        let encrypted = [&[23, 3, 3][..], &[0xf9; 20]].concat();
        let told = ["encrypted, 23 bytes", "[17 03 03 f9 f9]", "................ ..."];
        assert_eq!(said(Speaks::Tls, &encrypted, true), told);
    }
}
