//! Handlers of one's own beside files: `cargo run -p http-server --example handlers`,
//! and then `curl 127.0.0.1:8000/hello/world` and `curl --data hello
//! 127.0.0.1:8000/echo`.

use std::error::Error;

use http_server::{AccessLog, Files, Server};

fn main() -> Result<(), Box<dyn Error>> {
    Server::bind("127.0.0.1:8000")?
        .get("/hello/{name}", |req| format!("hi {}\n", req.param("name")))
        .post("/echo", |req| req.body_text())
        .mount("/", Files::new(".")?)
        .access_log(AccessLog::Shown)
        .run()?;
    Ok(())
}
