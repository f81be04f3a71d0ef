//! A hundred conversations, one thread
//!
//! Ask every message on a connection of its own, all at once, and return the replies in the
//! order of the messages.
//! `ask` talks to one server and waits with `.await`; nobody needs a thread.
//!
//! Hint: `tokio::spawn` begins a task and returns a handle at once.
//!
//! Hint: Collect the handles first and await them afterwards: awaiting each in the loop would
//! ask one after the other.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// One conversation.
pub async fn ask(server: SocketAddr, message: String) -> io::Result<String> {
    let mut stream = TcpStream::connect(server).await?;
    stream.write_all(message.as_bytes()).await?;
    stream.shutdown().await?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await?;
    Ok(reply)
}

/// All at once.
pub async fn ask_all(server: SocketAddr, messages: Vec<String>) -> io::Result<Vec<String>> {
    // Solution:
    let tasks: Vec<_> =
        messages.into_iter().map(|message| tokio::spawn(ask(server, message))).collect();
    let mut replies = Vec::new();
    for task in tasks {
        replies.push(task.await.map_err(io::Error::other)??);
    }
    Ok(replies)
    // End.
}

// The check. Nothing below is to be changed.
#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use tokio::sync::Barrier;

    #[test]
    fn all_are_there_at_once_and_each_gets_its_own_reply() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            tokio::spawn(async move {
                // Nobody is answered before all are there.
                let all = Arc::new(Barrier::new(100));
                while let Ok((mut stream, _)) = listener.accept().await {
                    let all = all.clone();
                    tokio::spawn(async move {
                        let mut said = Vec::new();
                        stream.read_to_end(&mut said).await.unwrap();
                        all.wait().await;
                        stream.write_all(&said).await.unwrap();
                    });
                }
            });
            let messages: Vec<String> = (0..100).map(|number| format!("task {number}")).collect();
            assert_eq!(ask_all(address, messages.clone()).await.unwrap(), messages);
        });
    }
}
