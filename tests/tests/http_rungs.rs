//! What every rung of HTTP below `http-server` does for the clients that there are: its
//! own, `curl`, and whoever sends less than a request.

use std::process::Command;

use ladder_tests::http::HttpServer;
use ladder_tests::{Process, Rung, rungs_in};

/// The servers, each with what its manifest says that it serves.
fn servers() -> impl Iterator<Item = (&'static Rung, HttpServer)> {
    rungs_in("http-rungs").into_iter().map(|rung| {
        let args: Vec<&str> = rung.server_args.iter().map(String::as_str).collect();
        (rung, HttpServer::of_rung(rung, &args, &rung.folder()))
    })
}

#[test]
fn its_own_client_gets_what_the_demo_shows() {
    for (rung, server) in servers() {
        for run in &rung.demo {
            let port = server.address.port().to_string();
            let mut command = rung.command(&["client", "--port", &port]);
            let client = Process::start(&rung.name, command.args(&run.args));
            let printed: String = run.expect.iter().map(|line| format!("{line}\n")).collect();
            client.wait().expect_code(0).expect_stdout(&printed);
        }
    }
}

#[test]
fn curl_gets_it_too_where_it_is_installed() {
    for (rung, server) in servers() {
        let Some(run) = rung.demo.first() else { continue };
        let url = format!("http://{}{}", server.address, run.args[0]);
        let Ok(curl) = Command::new("curl").args(["-sS", "--max-time", "30", &url]).output() else {
            return;
        };
        let got = String::from_utf8_lossy(&curl.stdout);
        assert_eq!(got.trim_end(), run.expect[0], "{}", rung.name);
    }
}

#[test]
fn a_response_says_its_type_and_its_length_and_ends_there() {
    for (rung, server) in servers() {
        let path = &rung.demo[0].args[0];
        // It takes the response apart by its length.
        let response = server.get(path).expect_status(200);
        assert_eq!(response.text().trim_end(), rung.demo[0].expect[0], "{}", rung.name);
        response.expect_field("content-type", "text/plain; charset=utf-8");
    }
}
