//! Files that a browser or curl sends, kept in a folder and shown again.
//!
//! ```console
//! $ cargo run -p http-server --example upload
//! listening on http://127.0.0.1:8000/
//! $ curl -T photo.jpg 127.0.0.1:8000/upload/
//! 48213 bytes are kept: /files/photo.jpg
//! ```
//!
//! A file is the body of its request, so that it is written as it comes and never held in
//! memory; the page sends it so with three lines of script. Whoever reaches the port may
//! fill the folder: `Guarded` puts a password before it.

use std::error::Error;
use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use http_server::{
    AccessLog, Files, Handler, IntoResponse, Limits, Refusal, Request, Response, Server, Status,
};
use tempfile::NamedTempFile;

/// Bytes of one file. Past it, 413, and nothing of it is kept.
const MOST: u64 = 100 << 20;

/// Bytes of a name. File systems take 255.
const LONGEST_NAME: usize = 200;

/// For one file to come in.
const PATIENCE: Duration = Duration::from_secs(10 * 60);

const PAGE: &str = r#"<!DOCTYPE html>
<meta charset="utf-8">
<title>Upload</title>
<input type="file" id="file">
<p id="said"></p>
<p><a href="files/">What is there</a></p>
<script>
document.getElementById("file").onchange = async (event) => {
    const file = event.target.files[0];
    const reply = await fetch("upload/" + encodeURIComponent(file.name), { method: "PUT", body: file });
    document.getElementById("said").textContent = await reply.text();
};
</script>
"#;

/// Keeps the body under `name`, all of it or nothing. PUT is sent by no page of another site
/// unless this server allows it, as a form would be.
fn keep(folder: &Path, req: &mut Request<'_>) -> Result<Response, Refusal> {
    let name = req.param("name").to_string();
    let is_plain = |c: char| c.is_alphanumeric() || " ._-()".contains(c);
    if name.starts_with('.')
        || !(1..=LONGEST_NAME).contains(&name.len())
        || !name.chars().all(is_plain)
    {
        let why =
            "a name is of letters, digits, spaces, dots, hyphens and parentheses, and not long";
        return Err(Refusal::new(Status::BAD_REQUEST, why));
    }
    if req.body().remaining().is_some_and(|length| length > MOST) {
        return Err(too_large());
    }
    // It is gone again unless it gets its name.
    let mut file = NamedTempFile::with_prefix_in(".upload", folder).map_err(io::Error::other)?;
    let length = io::copy(&mut req.body().take(MOST + 1), &mut file)?;
    if length > MOST {
        return Err(too_large());
    }
    // Or a crash could leave the name without the bytes.
    file.as_file().sync_all()?;
    file.persist(folder.join(&name)).map_err(|error| error.error)?;
    let said = format!("{length} bytes are kept: /files/{name}\n");
    Ok((Status::CREATED, said).into_response())
}

fn too_large() -> Refusal {
    let why = format!("a file has {MOST} bytes at most");
    Refusal::by("RFC 9110 section 15.5.14", Status::CONTENT_TOO_LARGE, why)
}

fn server(address: &str, folder: &Path) -> Result<Server, Box<dyn Error>> {
    let files = Files::new(folder)?;
    let folder = folder.to_path_buf();
    Ok(Server::bind(address)?
        .limits(Limits { body_time: PATIENCE, ..Limits::default() })
        .get("/", |_| Response::html(PAGE))
        .put("/upload/{name}", move |req| keep(&folder, req))
        // A page among them would run its scripts as one of ours, so none of them runs any.
        .mount("/files", move |req: &mut Request<'_>| {
            files.respond(req).header("Content-Security-Policy", "sandbox")
        }))
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new("uploads");
    std::fs::create_dir_all(folder)?;
    server("127.0.0.1:8000", folder)?.access_log(AccessLog::Shown).run()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sent_is_listed_and_sent_back_byte_by_byte() {
        let folder = tempfile::tempdir().unwrap();
        let running = server("127.0.0.1:0", folder.path()).unwrap().spawn().unwrap();
        let client = running.client();
        // More than a handler reads into memory.
        let bytes: Vec<u8> = (0..3_000_000_u32).map(|n| n as u8).collect();
        let reply = client.put("/upload/a%20(1).bin").body(bytes.clone()).send().unwrap();
        assert_eq!(reply.status(), Status::CREATED);
        assert_eq!(reply.text(), "3000000 bytes are kept: /files/a (1).bin\n");
        assert!(client.get("/files/").send().unwrap().text().contains("a (1).bin"));
        let reply = client.get("/files/a%20(1).bin").send().unwrap();
        assert!(reply.bytes() == bytes);
        assert_eq!(reply.field("Content-Security-Policy"), Some("sandbox"));
        assert!(client.get("/").send().unwrap().text().contains("<input type=\"file\""));
    }

    #[test]
    fn a_name_that_leads_elsewhere_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let running = server("127.0.0.1:0", folder.path()).unwrap().spawn().unwrap();
        for name in ["..%2fa", "%2e%2e", ".hidden", "a%5cb", "a:b", "a%00b", "", &"x".repeat(300)] {
            let reply = running.client().put(&format!("/upload/{name}")).body("x").send().unwrap();
            assert!((400..500).contains(&reply.status().0), "{name}: {reply:?}");
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_file_that_is_cut_short_leaves_nothing() {
        use std::io::Write;
        use std::net::{Shutdown, TcpStream};
        let folder = tempfile::tempdir().unwrap();
        let running = server("127.0.0.1:0", folder.path()).unwrap().spawn().unwrap();
        let mut stream = TcpStream::connect(running.address()).unwrap();
        let head = "PUT /upload/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhel";
        stream.write_all(head.as_bytes()).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        assert!(reply.starts_with("HTTP/1.1 400 "), "{reply}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_file_that_says_that_it_is_too_large_is_refused_before_it_comes() {
        let folder = tempfile::tempdir().unwrap();
        let running = server("127.0.0.1:0", folder.path()).unwrap().spawn().unwrap();
        let mut stream = std::net::TcpStream::connect(running.address()).unwrap();
        let head = format!(
            "PUT /upload/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n",
            MOST + 1
        );
        io::Write::write_all(&mut stream, head.as_bytes()).unwrap();
        let mut start = [0; 13];
        stream.read_exact(&mut start).unwrap();
        assert_eq!(&start, b"HTTP/1.1 413 ");
    }
}
