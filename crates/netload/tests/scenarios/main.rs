//! Every scenario against servers that are right and servers that are not.

mod command;
mod http;
mod room;
mod server;
mod tcp;
mod udp;
#[cfg(unix)]
mod unix;
