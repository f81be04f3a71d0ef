//! What is sent to the server comes back.

use std::io::Read;

use httpcore::body::Body;
use httpcore::reply::Response;
use httpcore::{Refusal, Status};

use crate::BODY_LIMIT;

/// The response to a POST: its body.
///
/// # Errors
/// 413 past [`BODY_LIMIT`]; 400 where it is cut short or its chunks are none; 408 where it
/// does not come in time.
pub fn reply(body: &mut Body<'_>) -> Result<Response, Refusal> {
    // A client that waits for leave to send so much gets none.
    if body.remaining().is_some_and(|length| length > BODY_LIMIT) {
        return Err(too_long());
    }
    let mut content = Vec::new();
    // One byte more than is allowed tells a body of exactly the limit from a longer one.
    body.take(BODY_LIMIT + 1).read_to_end(&mut content)?;
    if content.len() as u64 > BODY_LIMIT {
        return Err(too_long());
    }
    Ok(Response::bytes("application/octet-stream", content))
}

fn too_long() -> Refusal {
    let why = format!("the body is longer than {BODY_LIMIT} bytes");
    Refusal::new(Status::CONTENT_TOO_LARGE, why)
}
