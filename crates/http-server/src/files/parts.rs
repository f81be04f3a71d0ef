//! Parts of a file as a response ([RFC 9110 section 14](https://www.rfc-editor.org/rfc/rfc9110#section-14)).

use std::fs::File;
use std::ops::Range;
use std::sync::Arc;

use httpcore::reply::{Content, IntoResponse, Part, Parts, Response, html};
use httpcore::{Refusal, Status};

/// One part of a file, or several.
pub fn some(
    file: File,
    length: u64,
    mut fields: Vec<u8>,
    media_type: &str,
    parts: &[Range<u64>],
) -> Response {
    let (lines, list) = match parts {
        [part] => {
            let range = content_range(part, length);
            let lines = format!("Content-Type: {media_type}\r\nContent-Range: {range}\r\n");
            (lines, vec![Part::Slice(part.clone())])
        }
        _ => {
            let boundary = html::nonce();
            let lines = format!("Content-Type: multipart/byteranges; boundary={boundary}\r\n");
            (lines, multipart(parts, length, media_type, &boundary))
        }
    };
    fields.extend_from_slice(lines.as_bytes());
    let content = Content::File(Parts { file: Arc::new(file), list });
    Response::from_parts(Status::PARTIAL_CONTENT, fields, content)
}

/// The answer where none of the parts that are wanted exists.
pub fn not_satisfiable(length: u64) -> Response {
    let why = format!("the file has {length} bytes, and none of them was asked for");
    Refusal::by("RFC 9110 section 15.5.17", Status::RANGE_NOT_SATISFIABLE, why)
        .into_response()
        .header("Content-Range", &format!("bytes */{length}"))
}

fn content_range(part: &Range<u64>, length: u64) -> String {
    format!("bytes {}-{}/{length}", part.start, part.end - 1)
}

/// Each part under a head of its own (RFC 9110 section 14.6).
fn multipart(parts: &[Range<u64>], length: u64, media_type: &str, boundary: &str) -> Vec<Part> {
    let mut list = Vec::new();
    for part in parts {
        let range = content_range(part, length);
        let head = format!(
            "\r\n--{boundary}\r\nContent-Type: {media_type}\r\nContent-Range: {range}\r\n\r\n"
        );
        list.push(Part::Text(head.into_bytes()));
        list.push(Part::Slice(part.clone()));
    }
    list.push(Part::Text(format!("\r\n--{boundary}--\r\n").into_bytes()));
    list
}
