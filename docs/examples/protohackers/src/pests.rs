//! Problem 11: visitors tell what lives at a site, and the authority of that site is told what
//! to do about it. The server of the one is a client of the other, once for each site.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use netcore::connection::Connection;
use netcore::deadline::Deadline;
use netcore::error::reason;

use self::wire::{Message, Policy, Range, wrong};
use crate::server::{IDLE, has_more};

pub mod wire;

/// Sites at most: each has a connection to its authority.
const MOST: usize = 1000;

/// How long an authority may take for one answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// All sites, and where their authorities are asked for.
#[derive(Debug)]
pub struct Sites {
    upstream: SocketAddr,
    sites: Mutex<HashMap<u32, Arc<Mutex<Site>>>>,
}

/// What is known of a site.
#[derive(Debug, Default)]
struct Site {
    authority: Option<Authority>,
    /// What is done about whom, and under which number: it goes on while nobody is connected.
    policies: BTreeMap<Vec<u8>, (Policy, u32)>,
}

/// An authority that has been dialled.
#[derive(Debug)]
struct Authority {
    stream: BufReader<Connection>,
    /// How many there should be of what.
    targets: BTreeMap<Vec<u8>, Range>,
}

impl Sites {
    /// Those whose authorities are at `upstream`.
    pub fn new(upstream: SocketAddr) -> Sites {
        Sites { upstream, sites: Mutex::default() }
    }

    /// One visitor.
    ///
    /// # Errors
    /// What either connection says, and what the visitor did wrong, which it is told.
    pub fn talk(&self, stream: &mut Connection, _: SocketAddr) -> io::Result<()> {
        stream.set_deadline(Deadline::after(IDLE));
        stream.write_all(&Message::hello().encode())?;
        let mut reader = BufReader::new(stream);
        let done = self.listen(&mut reader);
        if let Err(error) = &done {
            // Fails where the visitor has gone, which the error above says.
            let _ = reader.get_mut().write_all(&Message::Error(error.to_string()).encode());
        }
        done
    }

    fn listen(&self, reader: &mut BufReader<&mut Connection>) -> io::Result<()> {
        if has_more(reader) {
            Message::read(reader)?.expect_hello()?;
        }
        while has_more(reader) {
            match Message::read(reader)? {
                Message::SiteVisit(site, counts) => {
                    // The visitor has done nothing wrong.
                    if let Err(error) = self.visit(site, &counts) {
                        log::warn!("site {site}: {}", reason(&error));
                    }
                }
                _ => return Err(wrong("only visits are told here")),
            }
            reader.get_mut().set_deadline(Deadline::after(IDLE));
        }
        reader.get_mut().check_deadline()
    }

    fn visit(&self, number: u32, counts: &BTreeMap<Vec<u8>, u32>) -> io::Result<()> {
        let site = {
            let mut sites = self.sites.lock().unwrap_or_else(PoisonError::into_inner);
            if sites.len() >= MOST && !sites.contains_key(&number) {
                return Err(wrong("there are too many sites"));
            }
            sites.entry(number).or_default().clone()
        };
        // One visit of a site after the other; those of other sites do not wait.
        let mut site = site.lock().unwrap_or_else(PoisonError::into_inner);
        let mut authority = match site.authority.take() {
            Some(authority) => authority,
            None => Authority::dial(self.upstream, number)?,
        };
        site.adjust(&mut authority, counts)?;
        // Where anything has failed, it is dialled anew next time.
        site.authority = Some(authority);
        Ok(())
    }
}

impl Authority {
    fn dial(upstream: SocketAddr, number: u32) -> io::Result<Authority> {
        let stream = TcpStream::connect_timeout(&upstream, PATIENCE)?;
        let stream = BufReader::new(Connection::of_client(stream)?);
        let mut authority = Authority { stream, targets: BTreeMap::new() };
        authority.ask(&Message::hello())?.expect_hello()?;
        match authority.ask(&Message::DialAuthority(number))? {
            Message::TargetPopulations(same, it) if same == number => authority.targets = it,
            _ => return Err(wrong("the authority does not say how many there should be")),
        }
        Ok(authority)
    }

    fn ask(&mut self, message: &Message) -> io::Result<Message> {
        self.stream.get_mut().set_deadline(Deadline::after(PATIENCE));
        self.stream.get_mut().write_all(&message.encode())?;
        Message::read(&mut self.stream)
    }
}

impl Site {
    /// Whoever was not seen is not there; whoever has no target is nobody's business.
    fn adjust(
        &mut self,
        authority: &mut Authority,
        counts: &BTreeMap<Vec<u8>, u32>,
    ) -> io::Result<()> {
        for (species, target) in authority.targets.clone() {
            let count = counts.get(&species).copied().unwrap_or(0);
            let wanted = match count {
                few if few < target.min => Some(Policy::Conserve),
                many if many > target.max => Some(Policy::Cull),
                _ => None,
            };
            let has = self.policies.get(&species).copied();
            if has.map(|(policy, _)| policy) == wanted {
                continue;
            }
            if let Some((_, number)) = has {
                match authority.ask(&Message::DeletePolicy(number))? {
                    Message::Ok => self.policies.remove(&species),
                    _ => return Err(wrong("the authority does not end a policy")),
                };
            }
            if let Some(policy) = wanted {
                match authority.ask(&Message::CreatePolicy(species.clone(), policy))? {
                    Message::PolicyResult(number) => {
                        self.policies.insert(species, (policy, number));
                    }
                    _ => return Err(wrong("the authority does not begin a policy")),
                }
            }
        }
        Ok(())
    }
}
