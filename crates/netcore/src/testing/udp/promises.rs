//! What every server of datagrams promises, whatever it answers.

use std::io;
use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use super::{GENEROUS, Running, ask, must, receive};
use crate::shutdown::Shutdown;

/// What the promises have to know of a server.
pub struct Suite {
    question: Vec<u8>,
    serve: Arc<Serve>,
}

/// How a server is run until it ends.
type Serve = dyn Fn(UdpSocket, &Shutdown) -> io::Result<()> + Send + Sync;

impl Suite {
    /// A server that `serve` runs until it ends, and that answers `question`.
    pub fn new(
        question: Vec<u8>,
        serve: impl Fn(UdpSocket, &Shutdown) -> io::Result<()> + Send + Sync + 'static,
    ) -> Suite {
        Suite { question, serve: Arc::new(serve) }
    }

    fn start(&self) -> Running {
        let serve = self.serve.clone();
        Running::start(move |socket, shutdown| serve(socket, shutdown))
    }
}

/// recv(2) would go on waiting.
pub fn a_stop_ends_the_server_while_it_waits_for_a_datagram(suite: &Suite) {
    let server = suite.start();
    ask(&server.connect(), &suite.question);
    must(server.stop());
}

/// A server that looks for a stop only where nothing comes would never see it.
pub fn a_stop_ends_the_server_while_datagrams_keep_coming(suite: &Suite) {
    let server = suite.start();
    ask(&server.connect(), &suite.question);
    let flooding = server.connect();
    let started = Instant::now();
    thread::scope(|scope| {
        let (over, is_over) = mpsc::channel::<()>();
        scope.spawn(move || {
            let going = || is_over.try_recv() == Err(mpsc::TryRecvError::Empty);
            while going() && started.elapsed() < GENEROUS {
                // Once the server has gone, each is refused.
                let _ = flooding.send(&suite.question);
            }
        });
        let stopped = server.stop();
        drop(over);
        must(stopped);
    });
    assert!(started.elapsed() < GENEROUS);
}

/// The reply meets a closed port, which Windows tells the server at its next receive.
pub fn clients_that_are_gone_before_their_reply_do_not_stop_the_server(suite: &Suite) {
    let server = suite.start();
    for _ in 0..100 {
        must(server.connect().send(&suite.question));
    }
    ask(&server.connect(), &suite.question);
}

/// An empty datagram and noise are no end of anything, answered or not.
pub fn what_is_no_question_does_not_stop_the_server(suite: &Suite) {
    let server = suite.start();
    let noise: Vec<u8> = (0..512).map(|i: usize| (i * i / 7) as u8).collect();
    let peer = server.connect();
    let half = &suite.question[..suite.question.len() / 2];
    for datagram in [&b""[..], b"\xff\xfe", &noise, half] {
        must(peer.send(datagram));
    }
    ask(&server.connect(), &suite.question);
}

/// Each at its own address.
pub fn clients_that_interleave_are_each_answered(suite: &Suite) {
    let server = suite.start();
    let clients: Vec<UdpSocket> = (0..10).map(|_| server.connect()).collect();
    for client in &clients {
        must(client.send(&suite.question));
    }
    for client in clients.iter().rev() {
        receive(client);
    }
}
