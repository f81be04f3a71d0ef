//! The door: what a datagram has to show before it is believed.
//!
//! The address that a datagram comes from can be forged. So each of ours brings a token,
//! made of a key that nobody else has and of the address that it goes to, and whoever
//! answers sends it back. Who cannot has not received ours: it gets a token, which is no
//! longer than what it has sent, and nothing else.
//!
//! With a secret, each datagram is sealed as well (HMAC-SHA256), and one without the seal
//! gets no answer at all.
//!
//! ```text
//! ann  knock, token for bob        ->  bob
//! ann  <-  token for ann, and ann's  bob
//! ann  ask, bob's token, digest    ->  bob
//! ann  <-  answer, ann's token       bob
//! ```

use std::collections::HashMap;
use std::net::SocketAddr;

use ring::hmac::{self, HMAC_SHA256, Key};
use ring::rand::SystemRandom;

use crate::wire::{Body, HEAD, Kind, SEAL};

const MAGIC: &[u8; 4] = b"NLG1";

/// Set in the kind of a sealed datagram, so that who has no secret can say why it
/// understands nothing.
const SEALED: u8 = 0x80;

const KNOCK: u8 = 0;
const TOKEN: u8 = 1;

/// Addresses whose tokens are remembered. When there are more, all are forgotten, which
/// costs each one more round trip.
const REMEMBERED: usize = 4_000;

/// What an address sends back to show that it has received ours: not to be guessed, and
/// short.
pub type Token = [u8; 8];

const NO_TOKEN: Token = [0; 8];

/// What became of a datagram.
#[derive(Debug, PartialEq, Eq)]
pub enum Opened {
    /// It is from where it says, and this is in it.
    Body(Body),
    /// It has not shown that; this goes back to it.
    Challenge(Vec<u8>),
    /// We may ask there now.
    Admitted,
    /// It is none, and nothing goes back: why.
    Refused(&'static str),
}

/// The keys of this node, and the tokens that others have given it.
#[derive(Debug)]
pub struct Proofs {
    key: Key,
    secret: Option<Key>,
    tokens: HashMap<SocketAddr, Token>,
}

impl Proofs {
    /// With a new key, and the secret of the board where it has one. `None` where the
    /// system has no random numbers.
    pub fn new(secret: Option<&[u8]>) -> Option<Proofs> {
        let key = Key::generate(HMAC_SHA256, &SystemRandom::new()).ok()?;
        let secret = secret.map(|secret| Key::new(HMAC_SHA256, secret));
        Some(Proofs { key, secret, tokens: HashMap::new() })
    }

    /// The datagram for `to` that carries `body`; or, where `to` has not let us in yet, one
    /// that knocks, and `body` is for nothing.
    pub fn close(&self, to: SocketAddr, body: &Body) -> Vec<u8> {
        let Some(token) = self.tokens.get(&to) else { return self.seal(KNOCK, NO_TOKEN, to, None) };
        let kind = match body.kind {
            Kind::Ask => 2,
            Kind::Answer => 3,
            Kind::Push => 4,
        };
        self.seal(kind, *token, to, Some(body))
    }

    /// What is in a datagram that has come from `from`.
    pub fn open(&mut self, from: SocketAddr, datagram: &[u8]) -> Opened {
        let Some((kind, theirs, token, body)) = self.unseal(datagram) else {
            return Opened::Refused(self.why_not(datagram));
        };
        let is_theirs = theirs == self.token(from);
        if is_theirs && kind != KNOCK {
            if self.tokens.len() >= REMEMBERED && !self.tokens.contains_key(&from) {
                self.tokens.clear();
            }
            self.tokens.insert(from, token);
        }
        let kind = match kind {
            TOKEN if is_theirs => return Opened::Admitted,
            // An answer to nothing: answering it could go on for ever.
            TOKEN => return Opened::Refused("a token that nobody has asked for"),
            2 if is_theirs => Kind::Ask,
            3 if is_theirs => Kind::Answer,
            4 if is_theirs => Kind::Push,
            KNOCK | 2..=4 => return Opened::Challenge(self.seal(TOKEN, token, from, None)),
            _ => return Opened::Refused("it is of no kind that there is"),
        };
        Body::decode(kind, body).map_or(Opened::Refused("it is cut or garbled"), Opened::Body)
    }

    /// Forgets the token of an address that answers no more: from now on we knock there.
    pub fn forget(&mut self, address: SocketAddr) {
        self.tokens.remove(&address);
    }

    fn seal(&self, kind: u8, theirs: Token, to: SocketAddr, body: Option<&Body>) -> Vec<u8> {
        let kind = kind | if self.secret.is_some() { SEALED } else { 0 };
        let mut datagram = [MAGIC, &[kind][..], &theirs, &self.token(to)].concat();
        if let Some(body) = body {
            body.encode(&mut datagram);
        }
        if let Some(secret) = &self.secret {
            let seal = hmac::sign(secret, &datagram);
            datagram.extend(seal.as_ref());
        }
        datagram
    }

    /// Its kind, the token that it shows, the one that it brings, and its body.
    fn unseal<'a>(&self, datagram: &'a [u8]) -> Option<(u8, Token, Token, &'a [u8])> {
        let bare = match &self.secret {
            None => datagram,
            Some(secret) => {
                let (bare, seal) = datagram.split_at_checked(datagram.len().checked_sub(SEAL)?)?;
                hmac::verify(secret, bare, seal).ok()?;
                bare
            }
        };
        let (head, body) = bare.split_first_chunk::<HEAD>()?;
        let (magic, rest) = head.split_first_chunk()?;
        let (kind, rest) = rest.split_first()?;
        let (theirs, rest) = rest.split_first_chunk()?;
        let is_sealed = kind & SEALED != 0;
        let is_ours = magic == MAGIC && is_sealed == self.secret.is_some();
        is_ours.then_some((kind & !SEALED, *theirs, *rest.first_chunk()?, body))
    }

    fn why_not(&self, datagram: &[u8]) -> &'static str {
        let is_sealed = datagram.get(4).is_some_and(|kind| kind & SEALED != 0);
        match (datagram.starts_with(MAGIC), is_sealed, &self.secret) {
            (true, true, None) => "its board has a secret, and this node was given none",
            (true, false, Some(_)) => "it has no secret, and this board has one",
            (true, true, Some(_)) => "it has another secret, or was changed on the way",
            _ => "it is no gossip",
        }
    }

    fn token(&self, address: SocketAddr) -> Token {
        let tag = hmac::sign(&self.key, address.to_string().as_bytes());
        tag.as_ref().first_chunk().copied().unwrap_or(NO_TOKEN)
    }
}

#[cfg(test)]
mod tests;
