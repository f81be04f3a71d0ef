//! The way of one client to the server: a proxy, which tells the page what passes.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use ladder::log_line::Time;
use ladder::{Address, Failure, Rung};
use netfault::SEED;
use netfault::proxy::{Fate, Network, Passed, Proxy, Way, record};
use trial::between;

use crate::event::{NetworkNow, What, Who, segment};
use crate::feed::Teller;

pub struct Line {
    proxy: Proxy,
    who: Arc<Mutex<Who>>,
    /// Whether the server has ended the connection that was there last.
    ended: Arc<AtomicBool>,
}

impl Line {
    /// To `server`, from a port of its own or, for a rung on files, from `here`. `look` is
    /// called when something has passed.
    pub fn open(
        rung: &Rung,
        here: &Address,
        server: &Address,
        who: Who,
        teller: &Teller,
        look: impl Fn() + Send + 'static,
    ) -> Result<Line, Failure> {
        let (recorder, recorded) = record::recorder();
        let proxy = between(rung, here, server, &NetworkNow::default().network(), recorder)?;
        let (who, ended) = (Arc::new(Mutex::new(who)), Arc::new(AtomicBool::new(false)));
        let (whose, ends, teller) = (who.clone(), ended.clone(), teller.clone());
        // It ends with the proxy.
        thread::spawn(move || {
            for passed in recorded {
                ends.store(ends_it(&passed), Ordering::Relaxed);
                let who = *whose.lock().unwrap_or_else(PoisonError::into_inner);
                let at = Time::of(passed.at);
                teller.tell(at, &What::Passed(segment(who, &passed)));
                look();
            }
        });
        Ok(Line { proxy, who, ended })
    }

    pub fn address(&self) -> &Address {
        self.proxy.address()
    }

    /// What passes from here on is this one's.
    pub fn give_to(&self, who: Who) {
        *self.who.lock().unwrap_or_else(PoisonError::into_inner) = who;
    }

    pub fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    /// Another client comes.
    pub fn begin(&self) {
        self.ended.store(false, Ordering::Relaxed);
    }

    pub fn change(&self, network: &NetworkNow) {
        self.proxy.change(&network.network());
    }
}

impl NetworkNow {
    fn network(self) -> Network {
        let part = |percent: u8| f64::from(percent.min(100)) / 100.0;
        Network {
            loss: part(self.loss),
            delay: Duration::from_millis(self.delay.into()),
            reorder: part(self.reorder),
            seed: SEED,
            ..Network::default()
        }
    }
}

fn ends_it(passed: &Passed) -> bool {
    matches!(passed.fate, Fate::Reset | Fate::Cut)
        || passed.way == Way::ToClient && passed.fate == Fate::Ended
}
