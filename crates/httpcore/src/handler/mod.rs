//! What a handler is given, what it returns, and which one answers.

mod form;
mod request;
mod route;

pub use self::form::Form;
pub use self::request::Request;
pub use self::route::{AtOnce, Handler, Router};
