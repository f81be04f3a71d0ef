//! A head and a body
//!
//! Write a whole response of HTTP/1.1 with the status 200: the status line, the two fields
//! `Content-Type: text/plain; charset=utf-8` and `Content-Length`, an empty line, the text.
//! Every line of the head ends with `\r\n`.
//!
//! Hint: `HTTP/1.1 200 OK` is the status line.
//!
//! Hint: A length counts bytes: `text.len()`, and not letters.

/// The bytes of a response with this text.
pub fn response(text: &str) -> String {
    // Solution:
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n\r\n{text}",
        text.len()
    )
    // End.
}

// The check. Nothing below is to be changed.
#[cfg(test)]
mod tests {
    use super::*;

    fn parts(response: &str) -> (Vec<&str>, &str) {
        let (head, body) = response.split_once("\r\n\r\n").expect("an empty line ends the head");
        (head.split("\r\n").collect(), body)
    }

    #[test]
    fn the_head_says_what_comes_and_an_empty_line_ends_it() {
        let response = response("hello");
        let (head, body) = parts(&response);
        assert_eq!(head[0], "HTTP/1.1 200 OK", "the status line");
        assert!(head.contains(&"Content-Type: text/plain; charset=utf-8"), "{head:?}");
        assert!(head.contains(&"Content-Length: 5"), "{head:?}");
        assert_eq!(body, "hello");
    }

    #[test]
    fn a_length_counts_bytes() {
        let response = response("Привет");
        assert!(parts(&response).0.contains(&"Content-Length: 12"), "{response}");
    }
}
