//! A site with routes of its own beside a folder of files: the place for yours.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

use http_server::{AccessLog, Files, Server};
use netcore::Error;

/// Where the site listens, unless told otherwise.
pub const ADDRESS: &str = "127.0.0.1:8000";

/// The site on a server that has none yet. Its files are those of the folder `public`, looked
/// for where the program is started.
///
/// # Errors
/// That the folder is not there.
pub fn site(server: Server) -> Result<Server, Error> {
    let files = Files::new("public").map_err(Error::failed("serve the folder public"))?;
    Ok(server
        .get("/hello/{name}", |req| format!("hi {}\n", req.param("name")))
        .post("/echo", |req| req.body_text()) // an error becomes 400 or 413
        .get("/healthz", |_| "ok\n")
        .mount("/", files)
        .access_log(AccessLog::Shown))
}
