//! Problem 3: a room. A member gives a name, is told who is there, and hears what the others
//! say. The queues are those of `chat`: nobody waits for a member that does not read.

use std::collections::BTreeMap;
use std::io::{self, BufReader, Write};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use netcore::connection::Connection;
use netcore::outbox::{Line, Outbox};

use crate::server::next_line;

/// Lines that may wait for a member before it is dropped.
const QUEUE: usize = 1000;

/// Characters of a name at most.
const LONGEST_NAME: usize = 32;

/// Who is there.
#[derive(Debug, Default)]
pub struct Room(Mutex<BTreeMap<String, Arc<Outbox>>>);

impl Room {
    /// One client.
    ///
    /// # Errors
    /// What the connection says.
    pub fn talk(&self, stream: &mut Connection, _: SocketAddr) -> io::Result<()> {
        stream.write_all(b"What are you called?\n")?;
        let outbox = Outbox::new(stream, QUEUE, missed)?;
        let (mut reader, mut line) = (BufReader::new(stream), Vec::new());
        if !next_line(&mut reader, &mut line)? {
            return Ok(());
        }
        let name = String::from_utf8_lossy(&line).trim().to_string();
        if let Err(why) = self.join(&name, &outbox) {
            return reader.get_mut().write_all(format!("{why}\n").as_bytes());
        }
        let heard = self.listen(&name, &mut reader, &outbox);
        self.members().remove(&name);
        self.tell_others(&name, &format!("* {name} has left the room"));
        heard
    }

    fn join(&self, name: &str, outbox: &Arc<Outbox>) -> Result<(), &'static str> {
        let is_name = (1..=LONGEST_NAME).contains(&name.len())
            && name.chars().all(|c| c.is_ascii_alphanumeric());
        let mut members = self.members();
        if !is_name {
            return Err("a name is 1 to 32 letters and digits");
        }
        if members.contains_key(name) {
            return Err("somebody else has this name");
        }
        let names: Vec<&str> = members.keys().map(String::as_str).collect();
        outbox.push(&ended(&format!("* The room contains: {}", names.join(", "))));
        members.insert(name.into(), outbox.clone());
        drop(members);
        outbox.send();
        self.tell_others(name, &format!("* {name} has entered the room"));
        Ok(())
    }

    fn listen(
        &self,
        name: &str,
        reader: &mut BufReader<&mut Connection>,
        outbox: &Outbox,
    ) -> io::Result<()> {
        let mut line = Vec::new();
        while next_line(reader, &mut line)? {
            // Whoever was dismissed says no more.
            outbox.check()?;
            let text = String::from_utf8_lossy(&line);
            self.tell_others(name, &format!("[{name}] {}", text.trim_end()));
        }
        Ok(())
    }

    fn tell_others(&self, name: &str, line: &str) {
        let line = ended(line);
        let members = self.members();
        let others = members.iter().filter(|(other, _)| *other != name);
        let outboxes: Vec<Arc<Outbox>> = others.map(|(_, outbox)| outbox.clone()).collect();
        for outbox in &outboxes {
            if !outbox.push(&line) {
                outbox.dismiss(b"* you do not listen\n");
            }
        }
        // Sent without the lock, so that others can speak meanwhile.
        drop(members);
        outboxes.iter().for_each(Outbox::send);
    }

    fn members(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Outbox>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn ended(line: &str) -> Line {
    format!("{line}\n").into_bytes().into()
}

fn missed(number: u64) -> Line {
    ended(&format!("* you missed {number} lines"))
}
