//! A chat of the design that tokio's own example has, in our words: a task for each
//! connection, which waits for a line of its own or one of the others; a queue without a
//! bound for each; one map of all queues behind a lock.
#![forbid(unsafe_code)]

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, mpsc};

type Others = Arc<Mutex<HashMap<SocketAddr, mpsc::UnboundedSender<String>>>>;

fn main() -> io::Result<()> {
    tokio::runtime::Builder::new_multi_thread().enable_io().build()?.block_on(serve())
}

async fn serve() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on {}", listener.local_addr()?);
    let others = Others::default();
    loop {
        let (stream, peer) = listener.accept().await?;
        tokio::spawn(visit(stream, peer, others.clone()));
    }
}

async fn visit(mut stream: TcpStream, peer: SocketAddr, others: Others) -> io::Result<()> {
    // Its example does not; without it, what is measured is the wait of the system.
    stream.set_nodelay(true)?;
    let (reader, mut writer) = stream.split();
    let mut lines = BufReader::new(reader).lines();
    let Some(name) = lines.next_line().await? else { return Ok(()) };
    let (sender, mut queue) = mpsc::unbounded_channel();
    others.lock().await.insert(peer, sender);
    tell(&others, peer, &format!("{name} has joined the chat\n")).await;
    let ended = loop {
        tokio::select! {
            Some(line) = queue.recv() => {
                if let Err(error) = writer.write_all(line.as_bytes()).await {
                    break Err(error);
                }
            }
            line = lines.next_line() => match line {
                Ok(Some(line)) => tell(&others, peer, &format!("{name}: {line}\n")).await,
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            },
        }
    };
    others.lock().await.remove(&peer);
    tell(&others, peer, &format!("{name} has left the chat\n")).await;
    ended
}

/// Queues a line for all but the one who says it.
async fn tell(others: &Others, peer: SocketAddr, line: &str) {
    for (other, queue) in others.lock().await.iter() {
        if *other != peer {
            // Fails where it is leaving.
            let _ = queue.send(line.into());
        }
    }
}
