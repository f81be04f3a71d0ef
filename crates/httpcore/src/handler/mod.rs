//! What a handler is given, what it returns, and which one answers.

mod request;
mod route;

pub use self::request::Request;
pub use self::route::{AtOnce, Handler, Router, other_method};
