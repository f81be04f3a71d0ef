//! Responses: what they say, and how they get to the wire.

pub mod clock;
mod content;
mod frame;
pub mod html;
mod outgoing;
mod page;
mod response;
mod rest;
mod send;
pub mod types;

pub use self::content::{Content, Part, Parts, Stored};
pub use self::frame::{Cors, Frame};
pub use self::outgoing::Outgoing;
pub use self::page::{Form, page};
pub use self::response::{IntoResponse, Response, field_line, has_field};
pub use self::send::{Sent, send, send_last};
