//! Does what the buttons ask for, one thing after the other.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use ladder::{Failure, Ladder};
use serde::Deserialize;
use trial::faults;

use crate::event::NetworkNow;
use crate::feed::Feed;
use crate::loose::Trials;
use crate::play::Play;
use crate::rungs::BUTTONS;

/// Orders that wait. Past it, the page is told to wait.
const WAITING: usize = 32;

/// Between two looks at sockets and processes, while a page is open and while none is.
const LOOKS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// Bytes of a text that a client is to say.
const TEXT: usize = 1_000;

/// What a button asks for.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Order {
    /// Another rung plays, or this one from the beginning; with a fault, that.
    Begin {
        rung: String,
        fault: Option<String>,
    },
    Say {
        client: usize,
        text: String,
    },
    HangUp {
        client: usize,
    },
    KillClient {
        client: usize,
    },
    StopServer,
    KillServer,
    StartServer,
    /// One of the faults behind buttons, or any other.
    Fault {
        name: String,
    },
    PeersLeave,
    Network(NetworkNow),
    Crowd {
        number: usize,
    },
    CrowdLeaves,
    /// Something may have changed.
    #[serde(skip)]
    Look,
}

/// Where orders go.
#[derive(Clone)]
pub struct Orders(SyncSender<Order>);

impl Orders {
    /// `false` where too many wait already.
    pub fn give(&self, order: Order) -> bool {
        !matches!(self.0.try_send(order), Err(TrySendError::Full(_)))
    }
}

pub fn orders() -> (Orders, Receiver<Order>) {
    let (orders, given) = sync_channel(WAITING);
    (Orders(orders), given)
}

impl Order {
    /// What is wrong with it, if anything is.
    pub fn complaint(&self, ladder: &Ladder) -> Option<String> {
        let unknown = |fault: &str| faults::find(fault).err().map(|failure| failure.to_string());
        match self {
            Order::Begin { rung, fault } => match ladder.find(rung) {
                None => Some(format!("there is no rung called {rung}")),
                Some(_) => fault.as_deref().and_then(unknown),
            },
            Order::Fault { name } => unknown(behind(name)),
            Order::Say { text, .. } if text.len() > TEXT => {
                Some(format!("a text has {TEXT} bytes at most"))
            }
            // It would be several.
            Order::Say { text, .. } if text.contains(['\n', '\r']) => {
                Some("a text is one line".into())
            }
            _ => None,
        }
    }
}

/// The fault behind a button.
fn behind(name: &str) -> &str {
    let found = BUTTONS.iter().find(|(button, _)| *button == name);
    found.map_or(name, |(_, fault)| fault)
}

/// Plays until the page is served no more.
pub fn direct(ladder: &Arc<Ladder>, feed: &Arc<Feed>, orders: &Orders, given: &Receiver<Order>) {
    let mut play: Option<Play> = None;
    let trials = Trials::default();
    while !feed.is_over() {
        let pause = if feed.has_listeners() { LOOKS.0 } else { LOOKS.1 };
        match given.recv_timeout(pause) {
            Ok(Order::Begin { rung, fault }) => {
                // All that the other one has started has ended before this one begins.
                drop(play.take());
                // Why not, the page has been told.
                play = begin(ladder, &rung, fault.as_deref(), feed, orders, &trials).ok();
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
            Ok(order) => {
                if let Some(play) = &mut play {
                    follow(play, order);
                }
            }
        }
        if let Some(play) = &mut play {
            play.look();
        }
    }
}

fn begin(
    ladder: &Arc<Ladder>,
    rung: &str,
    fault: Option<&str>,
    feed: &Arc<Feed>,
    orders: &Orders,
    trials: &Trials,
) -> Result<Play, Failure> {
    let rung = ladder.rung(rung)?;
    let fault = fault.map(faults::find).transpose()?;
    let orders = orders.clone();
    // Where many orders wait, there will be looks without this one.
    let look = move || {
        let _ = orders.give(Order::Look);
    };
    Play::begin(ladder, rung, fault, feed, trials, look)
}

fn follow(play: &mut Play, order: Order) {
    match order {
        Order::Say { client, text } => play.say(client, &text),
        Order::HangUp { client } => play.hang_up(client),
        Order::KillClient { client } => play.kill_client(client),
        Order::StopServer => play.stop_server(),
        Order::KillServer => play.kill_server(),
        Order::StartServer => play.start_server(),
        Order::Fault { name } => {
            if let Ok(fault) = faults::find(behind(&name)) {
                play.let_loose(fault, false);
            }
        }
        Order::PeersLeave => play.peers_leave(),
        Order::Network(network) => play.change_network(network),
        Order::Crowd { number } => play.crowd_comes(number),
        Order::CrowdLeaves => play.crowd_leaves(),
        Order::Begin { .. } | Order::Look => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_done_is_refused_before_it_waits() {
        let ladder = trial::load().unwrap();
        let order = |json: &str| serde_json::from_str::<Order>(json).unwrap();
        let complaint = |json: &str| order(json).complaint(&ladder);
        assert_eq!(complaint(r#"{"do":"begin","rung":"udp"}"#), None);
        assert_eq!(complaint(r#"{"do":"fault","name":"reset"}"#), None);
        assert_eq!(complaint(r#"{"do":"network","loss":5,"delay":0,"reorder":0}"#), None);
        for (json, said) in [
            (r#"{"do":"begin","rung":"x"}"#, "no rung called x"),
            (r#"{"do":"begin","rung":"udp","fault":"x"}"#, "no fault is called x"),
            (r#"{"do":"fault","name":"x"}"#, "no fault is called x"),
            (r#"{"do":"say","client":0,"text":"a\nb"}"#, "one line"),
        ] {
            assert!(complaint(json).unwrap().contains(said), "{json}");
        }
        for wrong in [r#"{"do":"look"}"#, r#"{"do":"x"}"#, r#"{"do":"say","client":0}"#, "{}"] {
            assert!(serde_json::from_str::<Order>(wrong).is_err(), "{wrong}");
        }
    }
}
