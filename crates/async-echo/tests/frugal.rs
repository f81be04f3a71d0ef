//! An exercise of the chapter: tasks that own no buffer while they wait.

use std::cell::RefCell;
use std::io::{self, ErrorKind};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::time::timeout;

/// Ends a test that would otherwise hang; no correct run comes near it.
const GENEROUS: Duration = Duration::from_secs(30);

thread_local! {
    /// One buffer for each thread of the runtime.
    static BUF: RefCell<Vec<u8>> = RefCell::new(vec![0; 64 << 10]);
}

async fn echo(stream: &mut TcpStream) -> io::Result<()> {
    loop {
        stream.readable().await?;
        let unsent = BUF.with_borrow_mut(|buf| {
            let n = match stream.try_read(buf) {
                Ok(0) => return Ok(None),
                Ok(n) => n,
                // It was announced, and is not there after all.
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Some(vec![])),
                Err(error) => return Err(error),
            };
            let sent = match stream.try_write(&buf[..n]) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
                sent => sent?,
            };
            // Only what did not fit is copied, and the task owns it while it waits for room.
            Ok(Some(buf[sent..n].to_vec()))
        })?;
        match unsent {
            Some(unsent) => stream.write_all(&unsent).await?,
            None => return Ok(()),
        }
    }
}

#[test]
fn tasks_that_own_no_buffer_lose_no_byte() {
    Runtime::new().unwrap().block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move { echo(&mut stream).await });
            }
        });
        let mut clients = Vec::new();
        for number in 0..16_u32 {
            clients.push(tokio::spawn(async move {
                let stream = TcpStream::connect(address).await.unwrap();
                let (mut reader, mut writer) = stream.into_split();
                // More than the buffers on the way hold, and another one for each client.
                let message: Vec<u8> =
                    (0..1 << 20).map(|i: u32| (i / 251 + number) as u8).collect();
                let expected = message.clone();
                let sending = tokio::spawn(async move { writer.write_all(&message).await });
                let mut reply = vec![0; expected.len()];
                timeout(GENEROUS, reader.read_exact(&mut reply)).await.unwrap().unwrap();
                sending.await.unwrap().unwrap();
                assert!(reply == expected, "client {number}");
            }));
        }
        for client in clients {
            client.await.unwrap();
        }
    });
}
