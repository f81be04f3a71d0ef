//! Responses: what they say, and how they get to the wire.

pub mod clock;
mod content;
mod cookie;
pub mod html;
#[cfg(feature = "json")]
mod json;
mod page;
mod response;
mod send;
pub mod types;

pub use self::content::{Content, Part, Parts, Stored};
pub use self::cookie::{Cookie, SameSite};
#[cfg(feature = "json")]
pub use self::json::Json;
pub use self::page::{Form, page};
pub use self::response::{IntoResponse, Response, field_line, has_field};
pub use self::send::{Cors, Frame, Sent, send, send_last};
