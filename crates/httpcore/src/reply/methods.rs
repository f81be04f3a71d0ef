//! What is answered where a resource does not have a method.

use super::response::{IntoResponse, Response};
use crate::head::Method;
use crate::refusal::Refusal;
use crate::status::Status;

/// The answer to a method that a resource does not have, where it has `present` ones:
/// OPTIONS is a question about them, everything else a 405.
pub fn other_method(method: Method, present: &[Method]) -> Response {
    let allow = allow(present);
    if method == Method::Options {
        return Response::new(Status::NO_CONTENT).header("Allow", &allow);
    }
    let why = format!("only {allow} can be used here");
    Refusal::by("RFC 9110 section 15.5.6", Status::METHOD_NOT_ALLOWED, why)
        .into_response()
        .header("Allow", &allow)
}

/// The value of Allow, with the methods that come for free.
fn allow(present: &[Method]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for method in present {
        names.push(method.name());
        if *method == Method::Get {
            names.push(Method::Head.name());
        }
    }
    names.push(Method::Options.name());
    let mut seen = Vec::new();
    names.retain(|name| {
        !seen.contains(name) && {
            seen.push(*name);
            true
        }
    });
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allow_names_head_and_options_too() {
        assert_eq!(allow(&[Method::Get]), "GET, HEAD, OPTIONS");
        assert_eq!(allow(&[Method::Post, Method::Get]), "POST, GET, HEAD, OPTIONS");
    }
}
