//! Responses: what they say, and how they get to the wire.

pub mod clock;
mod content;
mod cookie;
mod frame;
pub mod html;
#[cfg(feature = "json")]
mod json;
mod methods;
mod outgoing;
mod page;
mod response;
mod rest;
mod send;
pub mod types;

pub use self::content::{Content, Part, Parts, Stored};
pub use self::cookie::{Cookie, SameSite};
pub use self::frame::{Cors, Frame};
#[cfg(feature = "json")]
pub use self::json::Json;
pub use self::methods::other_method;
pub use self::outgoing::Outgoing;
pub use self::page::{Form, page};
pub use self::response::{IntoResponse, Response, field_line, has_field};
pub use self::send::{Sent, send, send_last};
