//! Clients that are not who they say.

use super::{LOGIN, fault, logins};
use crate::Fault;
use crate::Proof::Refused;

/// Proves something, and not the secret.
pub const WRONG_SECRET: Fault = fault(
    "wrong-secret",
    "a client that does not know the secret",
    LOGIN,
    Refused,
    logins::wrong_secret,
);

/// Says word for word what a good client has said before.
pub const REPLAYED_LOGIN: Fault = fault(
    "replayed-login",
    "a client that says what it has recorded of another's login",
    LOGIN,
    Refused,
    logins::replayed_login,
);
