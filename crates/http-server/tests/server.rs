//! The server in the test's own process, on a port of its own: what a user of the
//! library relies on.

use std::io::{self, Cursor, Read, Write};
use std::net::{Shutdown as Side, TcpStream};
use std::time::{Duration, Instant};

use http_server::{
    Cors, IntoResponse, Limits, Refusal, Request, Response, Running, Server, Status,
};
use socket2::{Domain, Socket, Type};

/// Ends a test that would otherwise hang; no correct run comes near it.
const GENEROUS: Duration = Duration::from_secs(30);

/// Short beside [`GENEROUS`], so that a limit which did not work could not be mistaken
/// for a slow machine.
const SHORT: Duration = Duration::from_millis(300);

fn server() -> Server {
    Server::bind("127.0.0.1:0").unwrap()
}

fn connect(server: &Running) -> TcpStream {
    let stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(GENEROUS)).unwrap();
    stream
}

/// Sends `request` and reads until the server closes.
fn exchange(server: &Running, request: &str) -> String {
    let mut stream = connect(server);
    stream.write_all(request.as_bytes()).unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    response
}

/// Sends one request of several and reads how its response begins.
fn ask(stream: &mut TcpStream) -> String {
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut response = [0; 12];
    stream.read_exact(&mut response).unwrap();
    String::from_utf8_lossy(&response).into_owned()
}

fn get(server: &Running, path: &str) -> String {
    exchange(
        server,
        &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"),
    )
}

fn post(server: &Running, path: &str, body: &str) -> String {
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {length}"
    );
    exchange(server, &format!("{head}\r\n\r\n{body}"))
}

fn content(response: &str) -> &str {
    response.split_once("\r\n\r\n").unwrap().1
}

#[track_caller]
fn assert_status(response: &str, status: u16) {
    assert!(response.starts_with(&format!("HTTP/1.1 {status} ")), "{response}");
}

#[test]
fn a_closure_that_returns_text_is_a_handler() {
    let server =
        server().get("/hello/{name}", |req| format!("hi {}\n", req.param("name"))).spawn().unwrap();
    let response = get(&server, "/hello/%D0%BC%D0%B8%D1%80");
    assert_status(&response, 200);
    assert!(
        response.contains("\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 10\r\n"),
        "{response}"
    );
    assert_eq!(content(&response), "hi мир\n");
}

#[test]
fn text_bytes_statuses_and_responses_are_answers() {
    let server = server()
        .get("/bytes", |_| vec![0xff, 0x00])
        .get("/status", |_| Status::NO_CONTENT)
        .get("/csv", |_| Response::text("a,b\n").header("Content-Type", "text/csv"))
        .get("/twice", |_| Response::text("a").header("Content-Length", "9"))
        .spawn()
        .unwrap();
    let mut stream = connect(&server);
    stream.write_all(b"GET /bytes HTTP/1.0\r\n\r\n").unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    assert!(bytes.ends_with(b"\r\n\r\n\xff\x00"));
    assert!(String::from_utf8_lossy(&bytes).contains("Content-Type: application/octet-stream\r\n"));
    let status = get(&server, "/status");
    assert_status(&status, 204);
    assert!(!status.contains("Content-Length"), "{status}");
    let csv = get(&server, "/csv");
    assert!(csv.contains("Content-Type: text/csv\r\n") && !csv.contains("text/plain"), "{csv}");
    // Two lengths would be two ends.
    let twice = get(&server, "/twice");
    assert_status(&twice, 500);
    assert_eq!(twice.matches("Content-Length").count(), 1, "{twice}");
}

#[test]
fn routes_go_before_mounts_and_the_longest_prefix_before_others() {
    let name = |name: &'static str| move |_: &mut Request<'_>| name;
    let server = server()
        .mount("/", name("root"))
        .mount("/a/b", name("a/b"))
        .mount("/a", name("a"))
        .get("/a/b/route", name("route"))
        .get("/all/{rest..}", |req| req.param("rest").to_string())
        .spawn()
        .unwrap();
    for (path, answer) in [
        ("/", "root"),
        ("/ab", "root"),
        ("/a", "a"),
        ("/a/", "a"),
        ("/a/bc", "a"),
        ("/a/b/c", "a/b"),
        ("/a/%62/c", "a/b"),
        ("/a/b/route", "route"),
        ("/all/x/y%2Dz", "x/y-z"),
        ("/all", ""),
    ] {
        assert_eq!(content(&get(&server, path)), answer, "{path}");
    }
}

#[test]
fn a_password_guards_one_mount_and_no_other() {
    let secret = http_server::Guarded::new(|_: &mut Request<'_>| "secret", &["ada:engine"]);
    let server = server().mount("/", |_: &mut Request<'_>| "open").mount("/in", secret.unwrap());
    let server = server.spawn().unwrap();
    assert_eq!(content(&get(&server, "/")), "open");
    assert_status(&get(&server, "/in/x"), 401);
    assert_status(&get(&server, "/x/../in/"), 401);
    let head = "GET /in HTTP/1.0\r\nAuthorization: Basic YWRhOmVuZ2luZQ==\r\n\r\n";
    assert_eq!(content(&exchange(&server, head)), "secret");
}

#[test]
fn head_options_and_405_come_with_the_routes() {
    let server = server().get("/", |_| "text").put("/", |_| Status::NO_CONTENT).spawn().unwrap();
    let ask = |method: &str| {
        exchange(
            &server,
            &format!("{method} / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"),
        )
    };
    let head = ask("HEAD");
    assert_status(&head, 200);
    assert!(head.contains("Content-Length: 4\r\n") && head.ends_with("\r\n\r\n"), "{head}");
    let options = ask("OPTIONS");
    assert_status(&options, 204);
    assert!(options.contains("Allow: GET, HEAD, PUT, OPTIONS\r\n"), "{options}");
    assert!(!options.contains("Content-Length"), "{options}");
    let delete = ask("DELETE");
    assert_status(&delete, 405);
    assert!(delete.contains("Allow: GET, HEAD, PUT, OPTIONS\r\n"), "{delete}");
    assert_status(&ask("PUT"), 204);
}

#[test]
fn a_body_is_read_to_its_limit_and_no_further() {
    let limits = Limits { body: 8, ..Limits::default() };
    let server = server().limits(limits).post("/echo", |req| req.body_text()).spawn().unwrap();
    assert_eq!(content(&post(&server, "/echo", "Мир!")), "Мир!");
    assert_eq!(content(&post(&server, "/echo", "12345678")), "12345678");
    assert_status(&post(&server, "/echo", "123456789"), 413);
    let chunked = |body: &str| {
        let head = "POST /echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n";
        exchange(&server, &format!("{head}{body}"))
    };
    assert_eq!(content(&chunked("4\r\n1234\r\n4\r\n5678\r\n0\r\n\r\n")), "12345678");
    assert_status(&chunked("5\r\n12345\r\n4\r\n5678\r\n0\r\n\r\n"), 413);
    assert_status(&chunked("5\n12345\n0\r\n\r\n"), 400);
}

/// RFC 9110 section 15.5.14, without any limit of the test's own.
#[test]
fn a_mebibyte_is_read_and_no_more() {
    let server = server()
        .post("/count", |req| req.body_bytes().map(|body| body.len().to_string()))
        .spawn()
        .unwrap();
    assert_eq!(content(&post(&server, "/count", &"x".repeat(1 << 20))), "1048576");
    assert_status(&post(&server, "/count", &"x".repeat((1 << 20) + 1)), 413);
}

/// RFC 9110 section 10.1.1: 100 asks for the body when the handler wants it, and not
/// before.
#[test]
fn a_client_that_waits_is_asked_for_its_body_at_the_first_read() {
    let server = server()
        .post("/echo", |req| req.body_text())
        .post("/no", |_| Status::FORBIDDEN)
        .spawn()
        .unwrap();
    let ask = |path: &str| {
        let mut stream = connect(&server);
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream
    };
    let mut stream = ask("/echo");
    let mut asked = [0; 25];
    stream.read_exact(&mut asked).unwrap();
    assert_eq!(&asked, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream
        .write_all(b"helloGET /missing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut responses = String::new();
    stream.read_to_string(&mut responses).unwrap();
    assert_status(&responses, 200);
    assert!(responses.contains("\r\n\r\nhelloHTTP/1.1 404 "), "{responses}");

    // Whether the body comes after a refusal is not known; so the connection ends there.
    let mut refused = String::new();
    ask("/no").read_to_string(&mut refused).unwrap();
    assert_status(&refused, 403);
    assert!(
        refused.contains("Connection: close\r\n") && !refused.contains("100 Continue"),
        "{refused}"
    );

    // A client of 1.0 does not know 100.
    let head = "POST /echo HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello";
    let old = exchange(&server, head);
    assert_status(&old, 200);
    assert_eq!(content(&old), "hello");
}

/// Content without end, which tells when nobody wants it any more.
struct Endless(std::sync::mpsc::Sender<()>);

impl Read for Endless {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        buf.fill(b'x');
        Ok(buf.len())
    }
}

impl Drop for Endless {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

#[test]
fn a_client_that_takes_nothing_loses_its_connection() {
    let (sender, ended) = std::sync::mpsc::channel();
    let limits = Limits { write: SHORT, ..Limits::default() };
    let sender = std::sync::Mutex::new(sender);
    let server = server()
        .limits(limits)
        .get("/", move |_| Response::stream(Endless(sender.lock().unwrap().clone())))
        .spawn()
        .unwrap();
    let mut deaf = connect(&server);
    deaf.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    ended.recv_timeout(GENEROUS).expect("the server gives up");
}

#[test]
fn each_method_for_which_there_is_a_word_has_its_route() {
    let server = server()
        .get("/", |_| "GET")
        .post("/", |_| "POST")
        .put("/", |_| "PUT")
        .delete("/", |_| "DELETE")
        .patch("/", |_| "PATCH")
        .spawn()
        .unwrap();
    for method in ["GET", "POST", "PUT", "DELETE", "PATCH"] {
        let request =
            format!("{method} / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        assert_eq!(content(&exchange(&server, &request)), method);
    }
}

/// RFC 9110 section 9.3.7.
#[test]
fn options_about_the_server_name_the_methods_of_its_routes() {
    let allowed = |server: Server| {
        let server = server.spawn().unwrap();
        let asked = "OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        let response = exchange(&server, asked);
        assert_status(&response, 204);
        let allow = response.lines().find_map(|line| line.strip_prefix("Allow: "));
        allow.unwrap().to_string()
    };
    assert_eq!(allowed(server().post("/a", |_| "a").put("/b", |_| "b")), "POST, PUT, OPTIONS");
    assert_eq!(
        allowed(server().post("/a", |_| "a").mount("/", |_: &mut Request<'_>| "b")),
        "POST, GET, HEAD, OPTIONS"
    );
    assert_eq!(allowed(server()), "OPTIONS");
}

#[test]
fn a_server_with_a_pattern_that_makes_no_sense_does_not_start() {
    let error = server().get("/pre-{x}", |_| "a").get("/", |_| "b").spawn().unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot route requests: /pre-{x}: braces stand for a whole name between two slashes"
    );
}

#[test]
fn a_body_without_a_limit_is_read_whole() {
    let limits = Limits { body: usize::MAX, ..Limits::default() };
    let server = server().limits(limits).post("/echo", |req| req.body_text()).spawn().unwrap();
    let response = post(&server, "/echo", "hello");
    assert_status(&response, 200);
    assert_eq!(content(&response), "hello");
}

#[test]
fn a_body_that_is_not_text_is_400() {
    let server = server().post("/", |req| req.body_text()).spawn().unwrap();
    let mut stream = connect(&server);
    let head =
        "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 1\r\n\r\n";
    stream.write_all(&[head.as_bytes(), b"\xff"].concat()).unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    assert_status(&response, 400);
    assert_eq!(content(&response), "400: the body is not UTF-8 text\n");
}

#[test]
fn an_input_error_becomes_a_status_by_question_mark() {
    fn missing() -> Result<String, io::Error> {
        let text = std::fs::read_to_string("/nowhere/at/all")?;
        Ok(text)
    }
    let server = server()
        .get("/missing", |_| missing())
        .get("/denied", |_| -> io::Result<String> { Err(io::ErrorKind::PermissionDenied.into()) })
        .get("/broken", |_| -> io::Result<String> { Err(io::Error::other("a secret")) })
        .get("/refused", |_| -> Result<String, Refusal> {
            Err(Refusal::new(Status::CONFLICT, "no"))
        })
        .spawn()
        .unwrap();
    assert_status(&get(&server, "/missing"), 404);
    assert_status(&get(&server, "/denied"), 403);
    let broken = get(&server, "/broken");
    assert_status(&broken, 500);
    assert!(!broken.contains("secret"), "{broken}");
    assert_status(&get(&server, "/refused"), 409);
}

#[test]
fn a_panic_is_a_500_and_the_server_goes_on() {
    let server = server()
        .get("/bad", |_| -> String { panic!("on purpose") })
        .get("/", |_| "good")
        .spawn()
        .unwrap();
    assert_status(&get(&server, "/bad"), 500);
    assert_eq!(content(&get(&server, "/")), "good");
}

#[test]
fn a_stream_is_chunked_on_1_1_and_ends_with_the_connection_on_1_0() {
    let server = server().get("/", |_| Response::stream(Cursor::new("stream"))).spawn().unwrap();
    let chunked = get(&server, "/");
    assert!(chunked.contains("\r\nTransfer-Encoding: chunked\r\n"), "{chunked}");
    assert_eq!(content(&chunked), "6\r\nstream\r\n0\r\n\r\n");
    let closed = exchange(&server, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    assert!(!closed.contains("chunked") && closed.contains("Connection: close\r\n"), "{closed}");
    assert_eq!(content(&closed), "stream");
}

#[test]
fn requests_that_come_together_are_answered_in_order() {
    let server = server().get("/{n}", |req| format!("<{}>", req.param("n"))).spawn().unwrap();
    let requests: String =
        (0..20).map(|n| format!("GET /{n} HTTP/1.1\r\nHost: localhost\r\n\r\n")).collect();
    let mut stream = connect(&server);
    stream.write_all(requests.as_bytes()).unwrap();
    stream.shutdown(Side::Write).unwrap();
    let mut responses = String::new();
    stream.read_to_string(&mut responses).unwrap();
    let order: Vec<usize> = (0..20).map(|n| responses.find(&format!("<{n}>")).unwrap()).collect();
    assert!(order.is_sorted(), "{responses}");
}

#[test]
fn a_client_that_drips_its_head_gets_408_and_one_that_says_nothing_gets_nothing() {
    let limits = Limits { head: SHORT, ..Limits::default() };
    let server = server().limits(limits).get("/", |_| "ok").spawn().unwrap();
    let mut silent = connect(&server);
    let mut dripping = connect(&server);
    // The pause is the fault itself: a byte now and then. It ends when the server has
    // closed the connection.
    for byte in "GET / HTTP/1.1\r\nX-Long: ".bytes().chain(std::iter::repeat(b'x')).take(1000) {
        if dripping.write_all(&[byte]).is_err() {
            break;
        }
        std::thread::sleep(SHORT / 20);
        dripping.set_nonblocking(true).unwrap();
        let answered = dripping.peek(&mut [0]).is_ok();
        dripping.set_nonblocking(false).unwrap();
        if answered {
            break;
        }
    }
    let mut response = [0; 12];
    dripping.read_exact(&mut response).unwrap();
    assert_eq!(&response, b"HTTP/1.1 408");
    assert_eq!(silent.read(&mut [0]).unwrap(), 0);
}

/// RFC 9112 section 8: the client's fault, whoever reads.
#[test]
fn a_body_that_cannot_be_read_is_a_400_or_408_of_any_handler() {
    let start = |limits: Limits| {
        let drop_all = |request: &mut http_server::Request<'_>| -> io::Result<&'static str> {
            io::copy(request.body(), &mut io::sink())?;
            Ok("whole")
        };
        server().limits(limits).post("/", drop_all).spawn().unwrap()
    };
    let send = |server: &Running, fields: &str, body: &str, end: Option<Side>| {
        let mut stream = connect(server);
        let request = format!("POST / HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n\r\n{body}");
        stream.write_all(request.as_bytes()).unwrap();
        if let Some(side) = end {
            stream.shutdown(side).unwrap();
        }
        let mut response = [0; 12];
        stream.read_exact(&mut response).unwrap();
        String::from_utf8_lossy(&response).into_owned()
    };
    let server = start(Limits::default());
    assert_eq!(send(&server, "Transfer-Encoding: chunked", "-1\r\n", None), "HTTP/1.1 400");
    assert_eq!(send(&server, "Content-Length: 5", "hel", Some(Side::Write)), "HTTP/1.1 400");
    assert_eq!(send(&server, "Content-Length: 5", "hello", None), "HTTP/1.1 200");
    let hasty = start(Limits { body_time: SHORT, ..Limits::default() });
    assert_eq!(send(&hasty, "Content-Length: 5", "hel", None), "HTTP/1.1 408");
}

/// RFC 6454 and the fetch standard: two of them are none.
#[test]
fn the_origins_that_may_read_are_said_once() {
    const NAME: &str = "Access-Control-Allow-Origin";
    let own = |_: &mut http_server::Request<'_>| Response::text("x").header(NAME, "https://a.test");
    let server = server().cors(Cors::AnyOrigin).get("/", |_| "x").get("/own", own);
    let server = server.header("Access-Control-Expose-Headers", "X-A").unwrap().spawn().unwrap();
    for (path, origin) in [("/", "*"), ("/own", "https://a.test")] {
        let response = get(&server, path);
        assert!(response.contains(&format!("{NAME}: {origin}\r\n")), "{response}");
        assert_eq!(response.matches(NAME).count(), 1, "{response}");
    }
}

/// RFC 9112 section 9.6: closing with something unread would be a reset, which takes
/// the rest of the response along.
#[test]
fn a_stray_byte_behind_the_last_request_costs_nothing_of_the_response() {
    const LENGTH: usize = 300_000;
    let server = server().get("/", |_| vec![b'x'; LENGTH]).spawn().unwrap();
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    // So that most of the response is still with the server when it is done.
    socket.set_recv_buffer_size(4096).unwrap();
    socket.connect(&server.address().into()).unwrap();
    let mut stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(GENEROUS)).unwrap();
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    stream.peek(&mut [0; 1]).unwrap();
    stream.write_all(b"\r\n").unwrap();
    let mut response = Vec::new();
    stream.read_to_end(&mut response).unwrap();
    assert!(response.len() > LENGTH && response.ends_with(b"xx"), "{}", response.len());
}

/// RFC 9110 sections 6.4.1 and 8.6, RFC 9112 section 6.1.
#[test]
fn a_status_without_content_has_nothing_that_announces_some() {
    let server = server()
        .get("/stream", |_| {
            Response::stream(Cursor::new("content")).with_status(Status::NO_CONTENT)
        })
        .get("/refusal", |_| Err::<&str, _>(Refusal::new(Status::NOT_MODIFIED, "content")))
        .spawn()
        .unwrap();
    for (path, status) in [("/stream", 204), ("/refusal", 304)] {
        let response = get(&server, path);
        assert_status(&response, status);
        let lower = response.to_ascii_lowercase();
        assert!(
            !lower.contains("content-length") && !lower.contains("transfer-encoding"),
            "{response}"
        );
        assert_eq!(content(&response), "");
    }
}

/// Two of them would be contradictory.
#[test]
fn what_a_handler_says_of_an_error_page_is_said_once() {
    let server = server()
        .get("/", |_| Status::SERVICE_UNAVAILABLE.into_response().header("Retry-After", "120"))
        .get("/kept", |_| Status::NOT_FOUND.into_response().header("Cache-Control", "max-age=60"))
        .spawn()
        .unwrap();
    let busy = get(&server, "/");
    assert!(busy.contains("Retry-After: 120\r\n"), "{busy}");
    assert_eq!(busy.matches("Retry-After").count(), 1, "{busy}");
    let missing = get(&server, "/kept");
    assert!(missing.contains("Cache-Control: max-age=60\r\n"), "{missing}");
    assert_eq!(missing.matches("Cache-Control").count(), 1, "{missing}");
}

/// Limits that end no test: what ends a connection is something else.
const NO_LIMITS: Limits = Limits {
    head: Duration::from_secs(600),
    body_time: Duration::from_secs(600),
    idle: Duration::from_secs(600),
    write: Duration::from_secs(600),
    drain: Duration::from_secs(60),
    body: 1 << 20,
    clients: 9,
};

/// It would hold a seat for as long as a body may take.
#[test]
fn a_refused_body_that_does_not_come_is_not_waited_for() {
    let server = server().limits(NO_LIMITS).get("/", |_| "ok").spawn().unwrap();
    let mut stream = connect(&server);
    stream.write_all(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n").unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    assert_status(&response, 405);
}

/// RFC 9112 section 2.2: the empty line is no request. While one was on its way, a stop
/// would wait for it.
#[test]
fn an_empty_line_behind_a_body_leaves_the_connection_idle() {
    let server = server().limits(NO_LIMITS).post("/", |req| req.body_text()).spawn().unwrap();
    let mut stream = connect(&server);
    let request = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello\r\n";
    stream.write_all(request).unwrap();
    let mut response = Vec::new();
    while !response.ends_with(b"hello") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        response.extend_from_slice(&byte);
    }
    server.shutdown().stop();
    assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0);
}

#[test]
fn a_full_server_closes_an_idle_connection_for_a_new_one() {
    let limits = Limits { clients: 2, ..Limits::default() };
    let server = server().limits(limits).get("/", |_| "ok").spawn().unwrap();
    let mut idle: Vec<TcpStream> = (0..2).map(|_| connect(&server)).collect();
    for stream in &mut idle {
        assert_eq!(ask(stream), "HTTP/1.1 200");
    }
    // A worker may still be between its response and its next wait; then nobody is idle
    // yet.
    let deadline = Instant::now() + GENEROUS;
    while ask(&mut connect(&server)) == "HTTP/1.1 503" {
        assert!(Instant::now() < deadline, "nobody becomes idle");
    }
    // Which of the two had waited longer is not known here; the table's own test knows. One
    // of them has ended.
    let (sender, ended) = std::sync::mpsc::channel();
    for mut stream in idle {
        let sender = sender.clone();
        std::thread::spawn(move || {
            let mut rest = Vec::new();
            let _ = sender.send(stream.read_to_end(&mut rest).is_ok());
        });
    }
    assert!(ended.recv_timeout(GENEROUS).unwrap());
}

#[test]
fn a_stop_ends_idle_connections_and_lets_a_response_end() {
    let (begun_here, begun) = std::sync::mpsc::channel();
    let (go, wait_here) = std::sync::mpsc::channel();
    let gate = std::sync::Mutex::new((begun_here, wait_here));
    let slow = move |_: &mut Request<'_>| {
        let gate = gate.lock().unwrap();
        gate.0.send(()).unwrap();
        gate.1.recv_timeout(GENEROUS).unwrap();
        "whole"
    };
    let server = server().get("/", |_| "ok").get("/slow", slow).spawn().unwrap();
    let address = server.address();
    let mut idle = connect(&server);
    assert_eq!(ask(&mut idle), "HTTP/1.1 200");
    let mut busy = connect(&server);
    busy.write_all(b"GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    begun.recv_timeout(GENEROUS).unwrap();
    server.shutdown().stop();
    idle.read_to_end(&mut Vec::new()).unwrap();
    go.send(()).unwrap();
    let mut response = String::new();
    busy.read_to_string(&mut response).unwrap();
    assert!(response.contains("Connection: close\r\n"), "{response}");
    assert_eq!(content(&response), "whole");
    server.stop().unwrap();
    assert!(TcpStream::connect(address).is_err());
}
