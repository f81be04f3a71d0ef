//! The solutions of the exercises in the chapters. Each chapter shows its own from
//! here.

mod http;
mod many_clients;
mod messages;
mod one_client;
mod python;
mod taken;
mod typed;
mod udp;
#[cfg(unix)]
mod unix;
