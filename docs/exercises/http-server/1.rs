//! A handler of your own
//!
//! `GET /double?n=21` is to answer `42`, and a request without a number, or with one that is
//! none, the status 400 with a word about it.
//! Write the handler.
//!
//! Hint: `request.query("n")` is the value as it was sent, where there is one.
//!
//! Hint: `Refusal::new(Status::BAD_REQUEST, "?n= takes a number")` is an error that `?` returns.
//!
//! Hint: Twice the largest `u32` is no `u32`: compute with `u64`.

use http_server::{Refusal, Request, Status};

/// Twice the number.
pub fn double(request: &mut Request<'_>) -> Result<String, Refusal> {
    // Solution:
    let n: Option<u32> = request.query("n").and_then(|n| n.parse().ok());
    let n = n.ok_or_else(|| Refusal::new(Status::BAD_REQUEST, "?n= takes a number"))?;
    Ok((u64::from(n) * 2).to_string())
    // End.
}

// The check. Nothing below is to be changed.
#[cfg(test)]
mod tests {
    use super::*;
    use http_server::Server;

    fn ask(path: &str) -> (Status, String) {
        let server = Server::bind("127.0.0.1:0").unwrap().get("/double", double).spawn().unwrap();
        let reply = server.client().get(path).send().unwrap();
        (reply.status(), reply.text().into_owned())
    }

    #[test]
    fn a_number_is_doubled() {
        assert_eq!(ask("/double?n=21"), (Status::OK, "42".into()));
        assert_eq!(ask("/double?n=4294967295").1, "8589934590");
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for path in ["/double", "/double?n=", "/double?n=two"] {
            assert_eq!(ask(path).0, Status::BAD_REQUEST, "{path}");
        }
    }
}
