//! http-server.

use ladder_tests::http::HttpServer;

#[test]
fn two_requests_in_one_write_get_two_responses_in_order() {
    let server = HttpServer::start(&["--hello"]);
    let mut client = server.connect();
    client.send(
        b"GET /one HTTP/1.1\r\nHost: localhost\r\n\r\nGET /two HTTP/1.1\r\nHost: localhost\r\n\r\n",
    );
    for _ in 0..2 {
        client.response().expect_status(200).expect_body("Привет, мир!");
    }
}

#[test]
fn head_tells_the_length_and_sends_nothing() {
    let server = HttpServer::start(&["--hello"]);
    let mut client = server.connect();
    let head = b"HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    client.send(head);
    // Russian letters have two bytes each: a length counts bytes.
    client
        .response_to(head)
        .expect_status(200)
        .expect_field("Content-Length", "21")
        .expect_body("");
    // Had anything followed, it would stand before this response.
    client.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    client.response().expect_status(200).expect_body("Привет, мир!");
}
