//! What is said, and what it proves: no socket and no clock in it.
//!
//! Each message has a length of its own that never changes, so nobody makes the other end
//! keep more than it expects, and a refusal is as long as a welcome.

use std::io::{self, ErrorKind};

use ring::hmac::{self, Key, Tag};

use super::keys::{LENGTH, Nonce, nonce};
use super::members::{LONGEST_NAME, Member, Members, Right};

/// The first byte of a hello.
const VERSION: u8 = 1;

/// Bytes of a client's hello: the version, its wish, its name with zeros behind it, and
/// its random number.
pub const HELLO: usize = 2 + LONGEST_NAME + LENGTH;

/// Bytes of a server's random number.
pub const CHALLENGE: usize = LENGTH;

/// Bytes of a client's proof.
pub const PROOF: usize = LENGTH;

/// Bytes of a server's verdict, and of its proof behind it.
pub const VERDICT: usize = 1 + LENGTH;

/// Who proves: without this, the proof of one could be shown as that of the other.
const CLIENT: &[u8] = b"login-echo 1, the client proves";
const SERVER: &[u8] = b"login-echo 1, the server proves";

/// What the first byte of a verdict says.
const REFUSED: u8 = 0;
const WELCOME: u8 = 1;
const NOT_ALLOWED: u8 = 2;

/// The client's end.
#[derive(Debug)]
pub struct Login {
    key: Key,
    hello: [u8; HELLO],
    session: Nonce,
}

impl Login {
    /// `session` is the exporter value of the session that all of this is said in.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub fn new(member: &Member, wish: Right, session: Nonce) -> io::Result<Login> {
        Ok(Login::with(member, wish, session, nonce()?))
    }

    fn with(member: &Member, wish: Right, session: Nonce, own: Nonce) -> Login {
        let mut hello = [0; HELLO];
        hello[0] = VERSION;
        hello[1] = wish as u8;
        hello[2..][..member.name.len()].copy_from_slice(member.name.as_bytes());
        hello[2 + LONGEST_NAME..].copy_from_slice(&own);
        Login { key: member.key.clone(), hello, session }
    }

    /// What the server is told first.
    pub fn hello(&self) -> &[u8; HELLO] {
        &self.hello
    }

    /// What answers the server's challenge.
    pub fn proof(&self, challenge: &[u8; CHALLENGE]) -> [u8; PROOF] {
        bytes(&prove(&self.key, CLIENT, &self.hello, challenge, &self.session, &[]))
    }

    /// Whether the server lets us in, and has proven that it knows the secret itself.
    ///
    /// # Errors
    /// `PermissionDenied` where it does not; `InvalidData` where it has proven nothing.
    pub fn check(&self, challenge: &[u8; CHALLENGE], verdict: &[u8; VERDICT]) -> io::Result<()> {
        let denied = |why| Err(io::Error::new(ErrorKind::PermissionDenied, why));
        let [said, proof @ ..] = verdict;
        if *said == REFUSED {
            return denied("the name or the secret is wrong");
        }
        let heard = parts(SERVER, &self.hello, challenge, &self.session, &[*said]);
        if hmac::verify(&self.key, &heard, proof).is_err() {
            let why = "the server cannot prove that it knows the secret";
            return Err(io::Error::new(ErrorKind::InvalidData, why));
        }
        match *said {
            WELCOME => Ok(()),
            _ => denied("this name may not do that"),
        }
    }
}

/// What a client has asked for. Nothing of it is proven.
#[derive(Debug)]
pub struct Asked<'a> {
    /// Who it says it is.
    pub name: &'a str,
    wish: Right,
    hello: &'a [u8; HELLO],
}

impl Asked<'_> {
    /// Reads a hello.
    ///
    /// # Errors
    /// `InvalidData` for what is none.
    pub fn read(hello: &[u8; HELLO]) -> io::Result<Asked<'_>> {
        let wrong = || io::Error::new(ErrorKind::InvalidData, "it says no hello that we know");
        let name = &hello[2..2 + LONGEST_NAME];
        let end = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
        let (name, zeros) = name.split_at(end);
        let is_all = zeros.iter().all(|byte| *byte == 0);
        let name = str::from_utf8(name).ok().filter(|name| is_all && Member::is_name(name));
        let wish = Right::of(hello[1]).filter(|_| hello[0] == VERSION);
        let (name, wish) = name.zip(wish).ok_or_else(wrong)?;
        Ok(Asked { name, wish, hello })
    }
}

/// The server's end.
#[derive(Debug)]
pub struct Challenge {
    own: Nonce,
    session: Nonce,
}

/// What comes of it.
#[derive(Debug)]
pub struct Verdict {
    /// To be told to the client.
    pub bytes: [u8; VERDICT],
    /// What it may do.
    ///
    /// `PermissionDenied` where it has not proven that it is who it says, or asks for more
    /// than it may.
    pub right: io::Result<Right>,
}

impl Verdict {
    /// Whether the name is proven, which a client may ask too much with.
    pub(super) fn is_proven(&self) -> bool {
        self.bytes[0] != REFUSED
    }
}

impl Challenge {
    /// A new one, for the session with this exporter value.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub fn new(session: Nonce) -> io::Result<Challenge> {
        Ok(Challenge { own: nonce()?, session })
    }

    /// What the client is to answer.
    pub fn bytes(&self) -> &[u8; CHALLENGE] {
        &self.own
    }

    /// Judges an answer. A name that nobody has is judged by a secret that nobody has, so
    /// that it takes as long, and is told the same.
    pub fn judge(&self, asked: &Asked<'_>, proof: &[u8; PROOF], members: &Members) -> Verdict {
        let denied = |why: &str| Err(io::Error::new(ErrorKind::PermissionDenied, why));
        let member = members.find(asked.name);
        let key = member.map_or(members.nobody(), |member| &member.key);
        let heard = parts(CLIENT, asked.hello, &self.own, &self.session, &[]);
        let proven = hmac::verify(key, &heard, proof).is_ok();
        let may = member.is_some_and(|member| member.rights.contains(&asked.wish));
        let (said, right) = match (member, proven) {
            (Some(_), true) if may => (WELCOME, Ok(asked.wish)),
            (Some(_), true) => (NOT_ALLOWED, denied("its name may not do that")),
            _ => (REFUSED, denied("its name or its secret is wrong")),
        };
        // Made for a refusal as well: it takes its time, and what is sent is nothing.
        let own = prove(key, SERVER, asked.hello, &self.own, &self.session, &[said]);
        let mut bytes = [0; VERDICT];
        if said != REFUSED {
            bytes[0] = said;
            bytes[1..].copy_from_slice(own.as_ref());
        }
        Verdict { bytes, right }
    }
}

/// Everything that a proof is about, in an order that nobody can read in two ways: but for
/// the label and the verdict, all lengths are fixed.
fn parts(role: &[u8], hello: &[u8], challenge: &[u8], session: &[u8], verdict: &[u8]) -> Vec<u8> {
    [role, hello, challenge, session, verdict].concat()
}

fn prove(key: &Key, role: &[u8], hello: &[u8], own: &[u8], session: &[u8], said: &[u8]) -> Tag {
    hmac::sign(key, &parts(role, hello, own, session, said))
}

fn bytes(tag: &Tag) -> [u8; PROOF] {
    let mut bytes = [0; PROOF];
    bytes.copy_from_slice(tag.as_ref());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    const SESSION: Nonce = [7; 32];

    fn members() -> Members {
        let file = "ann 0123456789abcdef echo\nbob fedcba9876543210 echo upper\n";
        Members::parse(file).unwrap()
    }

    fn login(members: &Members, name: &str, wish: Right) -> Login {
        Login::new(members.find(name).unwrap(), wish, SESSION).unwrap()
    }

    /// Both ends, one after the other.
    fn meet(client: &Login, server: &Challenge, members: &Members) -> (Verdict, io::Result<()>) {
        let asked = Asked::read(client.hello()).unwrap();
        let verdict = server.judge(&asked, &client.proof(server.bytes()), members);
        let checked = client.check(server.bytes(), &verdict.bytes);
        (verdict, checked)
    }

    #[test]
    fn two_that_have_the_same_secret_believe_each_other_and_each_name_has_its_rights() {
        let members = members();
        let cases = [
            ("ann", Right::Echo, true),
            ("ann", Right::Upper, false),
            ("bob", Right::Echo, true),
            ("bob", Right::Upper, true),
        ];
        for (name, wish, may) in cases {
            let server = Challenge::new(SESSION).unwrap();
            let (verdict, checked) = meet(&login(&members, name, wish), &server, &members);
            assert_eq!((verdict.right.is_ok(), checked.is_ok()), (may, may), "{name} {wish:?}");
        }
    }

    #[test]
    fn a_proof_is_of_no_use_a_second_time() {
        let members = members();
        let client = login(&members, "ann", Right::Echo);
        let recorded = client.proof(Challenge::new(SESSION).unwrap().bytes());
        let again = Challenge::new(SESSION).unwrap();
        let asked = Asked::read(client.hello()).unwrap();
        assert!(again.judge(&asked, &recorded, &members).right.is_err());
    }

    #[test]
    fn a_proof_is_of_no_use_in_another_session() {
        let members = members();
        let client = login(&members, "ann", Right::Echo);
        let elsewhere = Challenge { session: [8; 32], ..Challenge::new(SESSION).unwrap() };
        let (verdict, checked) = meet(&client, &elsewhere, &members);
        assert!(verdict.right.is_err() && checked.is_err());
    }

    /// Whoever has no secret can only say again what it has heard.
    #[test]
    fn the_proof_of_one_end_is_none_of_the_other() {
        let members = members();
        let client = login(&members, "ann", Right::Echo);
        // Even with a challenge that is the client's own random number.
        let own: [u8; CHALLENGE] = client.hello()[HELLO - CHALLENGE..].try_into().unwrap();
        let mut reflected = [WELCOME; VERDICT];
        reflected[1..].copy_from_slice(&client.proof(&own));
        assert_eq!(client.check(&own, &reflected).unwrap_err().kind(), ErrorKind::InvalidData);
    }

    #[test]
    fn a_verdict_that_was_changed_is_none() {
        let members = members();
        let client = login(&members, "ann", Right::Upper);
        let server = Challenge::new(SESSION).unwrap();
        let (verdict, _) = meet(&client, &server, &members);
        let mut changed = verdict.bytes;
        changed[0] = WELCOME;
        assert_eq!(
            client.check(server.bytes(), &changed).unwrap_err().kind(),
            ErrorKind::InvalidData
        );
    }

    #[test]
    fn a_name_that_nobody_has_and_a_wrong_secret_are_told_the_same() {
        let members = members();
        let strangers = Members::parse("ann ................ echo\neve ................ echo");
        let strangers = strangers.unwrap();
        let server = Challenge::new(SESSION).unwrap();
        let told = ["ann", "eve"].map(|name| {
            let client = login(&strangers, name, Right::Echo);
            let (verdict, checked) = meet(&client, &server, &members);
            (
                verdict.bytes,
                verdict.right.unwrap_err().to_string(),
                checked.unwrap_err().to_string(),
            )
        });
        assert_eq!(told[0], told[1]);
        assert_eq!(told[0].0, [0; VERDICT]);
    }

    #[test]
    fn what_is_no_hello_is_refused() {
        let members = members();
        let good = *login(&members, "ann", Right::Echo).hello();
        assert_eq!(Asked::read(&good).unwrap().name, "ann");
        let wrong = [(0, 2), (1, 9), (2, 0), (2, b'\n'), (3, 0xff), (2, b'/'), (6, b'n')];
        for (at, byte) in wrong {
            let mut hello = good;
            hello[at] = byte;
            assert!(Asked::read(&hello).is_err(), "{at}: {byte}");
        }
    }
}
