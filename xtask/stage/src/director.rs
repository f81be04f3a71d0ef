//! Does what the buttons ask for, one thing after the other.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use ladder::Ladder;
use trial::faults;

use crate::feed::Feed;
use crate::order::Order;
use crate::play::Play;

/// Orders that wait. Past it, the page is told to wait.
const WAITING: usize = 32;

/// Between two looks at sockets and processes, while a page is open and while none is.
const LOOKS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// Where orders go. One is refused where too many wait already.
pub type Orders = SyncSender<Order>;

pub fn orders() -> (Orders, Receiver<Order>) {
    sync_channel(WAITING)
}

/// Plays until the page is served no more.
pub fn direct(ladder: &Arc<Ladder>, feed: &Arc<Feed>, orders: &Orders, given: &Receiver<Order>) {
    let mut play: Option<Play> = None;
    while !feed.is_over() {
        let pause = if feed.has_listeners() { LOOKS.0 } else { LOOKS.1 };
        match given.recv_timeout(pause) {
            Ok(Order::Begin { rung, fault }) => {
                // All that the other one has started has ended before this one begins.
                drop(play.take());
                let orders = orders.clone();
                // Where many orders wait, there will be looks without this one.
                let look = move || {
                    let _ = orders.try_send(Order::Look);
                };
                let fault = fault.as_deref().map(faults::find).transpose();
                let begin = |rung| Play::begin(ladder, rung, fault?, feed, look);
                // Why not, the page has been told.
                play = ladder.rung(&rung).and_then(begin).ok();
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
            Ok(order) => {
                if let Some(play) = &mut play {
                    play.follow(order);
                }
            }
        }
        if let Some(play) = &mut play {
            play.look();
        }
    }
}
