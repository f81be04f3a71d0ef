//! TLS over a connection: encryption, who is at the other end, and a goodbye
//! ([RFC 8446](https://www.rfc-editor.org/rfc/rfc8446); feature `tls`).
//!
//! rustls does the work, with the ciphers of ring; what is here joins it to a stream that
//! has a deadline and that a stop ends, and says in plain words what went wrong.
//!
//! | file | idea |
//! |---|---|
//! | `session.rs` | one end of an encrypted conversation, whatever carries its bytes |
//! | `stream.rs` | a session over a [`Connection`](crate::connection::Connection): handshake, half-close, goodbye |
//! | `server.rs`, `client.rs` | what each shows of itself, and whom it believes |
//! | `pem.rs` | certificates and keys as they are in files |
//! | `authority.rs` | an authority of one's own, and the certificates that it signs |
//! | `folder.rs` | the files that these are kept in |
//! | `fingerprint.rs` | a server that is known by its certificate alone |
//! | `refusal.rs` | why there is no agreement, in words, and what to do about it |
//! | `args.rs` | what a command line says of all this |

mod args;
mod authority;
mod client;
mod fingerprint;
mod folder;
mod pem;
mod refusal;
mod server;
mod session;
mod stream;

pub use args::{CERTS, CertsArgs, ClientTlsArgs, ServerTlsArgs};
pub use authority::{Authority, Purpose, Signed, Validity};
pub use client::ClientSide;
pub use fingerprint::Fingerprint;
pub use folder::Folder;
pub use refusal::{failed, hint};
pub use server::ServerSide;
pub use session::Session;
pub use stream::{Peer, TlsStream};
