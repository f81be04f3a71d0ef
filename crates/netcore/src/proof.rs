//! A shared secret that both ends prove to each other, and that neither sends: challenge
//! and response, bound to the very session that they are said in (feature `proof`).
//!
//! ```text
//! client                                     server
//!   hello: wish, name, its random number  ->
//!                                         <- its random number
//!   proof of the client                   ->
//!                                         <- verdict, proof of the server
//! ```
//!
//! A proof is an HMAC-SHA256 with the secret over everything that has been said, over the
//! role of who proves, and over the exporter value of the TLS session. So it is of use
//! once, in one direction and in one session.
//!
//! | file | idea |
//! |---|---|
//! | `login.rs` | what is said, and what it proves: no socket and no clock |
//! | `keys.rs` | random numbers, and keys that are made of secrets |
//! | `client.rs` | a client's login over a stream |
//! | `members.rs` | who has a secret, and what it is good for |
//! | `tries.rs` | who has been wrong too often has to wait, and nobody else |
//! | `args.rs` | what a command line says of all this |

mod args;
mod client;
mod keys;
mod login;
mod members;
mod tries;

pub use args::{LoginArgs, SECRETS, SecretsArgs};
pub use client::log_in;
pub use keys::Nonce;
pub use login::{Asked, CHALLENGE, Challenge, HELLO, Login, PROOF, VERDICT, Verdict};
pub use members::{Member, Members, Right};
pub use tries::Tries;
