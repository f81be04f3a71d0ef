//! What the buttons of the page ask for.

use ladder::Ladder;
use serde::Deserialize;
use trial::faults;

use crate::event::NetworkNow;

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

impl Order {
    /// What is wrong with it, if anything is.
    pub fn complaint(&self, ladder: &Ladder) -> Option<String> {
        let unknown = |fault: &str| faults::find(fault).err().map(|failure| failure.to_string());
        match self {
            Order::Begin { rung, fault } => match ladder.find(rung) {
                None => Some(format!("there is no rung called {rung}")),
                Some(_) => fault.as_deref().and_then(unknown),
            },
            Order::Fault { name } => unknown(name),
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
