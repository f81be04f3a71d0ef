//! Responses: what they say, and how they get to the wire.

pub mod clock;
mod content;
pub mod html;
mod outgoing;
mod page;
mod response;
mod send;
pub mod types;

pub use self::content::{Content, Part, Parts, Stored};
pub use self::outgoing::Outgoing;
pub use self::page::{Form, page};
pub use self::response::{IntoResponse, Response, field_line, has_field};
pub use self::send::{Cors, Frame, Sent, send, send_last};
