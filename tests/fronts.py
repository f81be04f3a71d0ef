#!/usr/bin/env python3
"""Whether http-server and what stands in front of it see the same requests.

Where a proxy and the server behind it disagree about where a request ends, one client's
bytes become another one's request. Each case is sent through nginx and through HAProxy to
http-server, and the requests that the proxy says it has passed on are held against those
that http-server has seen. Then each is sent to http-server and to nginx as a server of
files: nothing that nginx refuses may be a request here, and no bytes may hold more
requests here than there, but where a case says why.

    cargo build --release -p http-server
    python3 tests/fronts.py target/release/http-server

Needs nginx and haproxy; everything stays on this machine.
"""

import contextlib
import pathlib
import re
import socket
import subprocess
import sys
import tempfile

# Far longer than any of them waits for the rest of what never comes.
PATIENCE = 20

HOST = b"Host: localhost\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
# A request where there should be none. The number of its case takes the place of 00.
HIDDEN = b"GET /c00-hidden HTTP/1.1\r\nHost: localhost\r\n\r\n"


def get(path=b"/c00-a", fields=b"", version=b"HTTP/1.1"):
    return b"GET " + path + b" " + version + b"\r\n" + HOST + fields + b"\r\n"


def post(fields, body=b""):
    return b"POST /c00-a HTTP/1.1\r\n" + HOST + fields + b"\r\n" + body


# What each tries, its bytes, and why http-server may take what nginx does not. Behind all of
# them comes a request of their own connection's end.
CASES = {
    "one": (get(), None),
    "two": (get() + get(b"/c00-b"), None),
    "ten": (get() * 10, None),
    "empty line first": (b"\r\n" + get(), None),
    "two empty lines first": (b"\r\n\r\n" + get(), None),
    "a body that is counted": (post(b"Content-Length: 5\r\n", b"hello"), None),
    "a request as a body": (post(b"Content-Length: %d\r\n" % len(HIDDEN), HIDDEN), None),
    "a GET with a body": (get(fields=b"Content-Length: %d\r\n" % len(HIDDEN)) + HIDDEN, None),
    "a length with a sign": (post(b"Content-Length: +5\r\n", b"hello"), None),
    "a length with a space": (post(b"Content-Length: 5 \r\n", b"hello"), None),
    "a length that is none": (post(b"Content-Length: five\r\n", b"hello"), None),
    "a length in hexadecimal": (post(b"Content-Length: 0x5\r\n", b"hello"), None),
    "an empty length": (post(b"Content-Length:\r\n", HIDDEN), None),
    "a length beyond 64 bits": (
        post(b"Content-Length: 18446744073709551621\r\n", b"hello"),
        "a number, and longer than any body: the connection ends behind its answer"),
    "a negative length": (post(b"Content-Length: -1\r\n", HIDDEN), None),
    "two lengths": (post(b"Content-Length: 0\r\nContent-Length: 5\r\n", b"hello"), None),
    "one length twice": (
        post(b"Content-Length: 5\r\nContent-Length: 5\r\n", b"hello"), "RFC 9110 section 8.6"),
    "a list of lengths": (post(b"Content-Length: 5, 5\r\n", b"hello"), None),
    "chunks": (post(CHUNKED, b"5\r\nhello\r\n0\r\n\r\n"), None),
    "chunks with a trailer": (post(CHUNKED, b"5\r\nhello\r\n0\r\nA: b\r\n\r\n"), None),
    "a request in a trailer": (post(CHUNKED, b"0\r\n" + HIDDEN), None),
    "chunks with an extension": (post(CHUNKED, b"5;a=b\r\nhello\r\n0\r\n\r\n"), None),
    "an extension with a bare LF": (post(CHUNKED, b"5;a\nhello\r\n0\r\n\r\n"), None),
    "chunks with a bare LF": (post(CHUNKED, b"5\nhello\n0\n\n"), None),
    "a chunk that is longer than it says": (post(CHUNKED, b"4\r\nhello\r\n0\r\n\r\n"), None),
    "a chunk size with a sign": (post(CHUNKED, b"+5\r\nhello\r\n0\r\n\r\n"), None),
    "a chunk size with 0x": (post(CHUNKED, b"0x5\r\nhello\r\n0\r\n\r\n"), None),
    "a chunk size beyond 64 bits": (post(CHUNKED, b"10000000000000005\r\nhello\r\n0\r\n\r\n"), None),
    "no chunk size": (post(CHUNKED, b"\r\nhello\r\n0\r\n\r\n"), None),
    "chunks and a length": (post(CHUNKED + b"Content-Length: 4\r\n", b"0\r\n\r\n"), None),
    "a length and chunks": (post(b"Content-Length: 6\r\n" + CHUNKED, b"0\r\n\r\nG"), None),
    "chunked, chunked": (post(b"Transfer-Encoding: chunked, chunked\r\n", b"0\r\n\r\n"), None),
    "gzip, chunked": (post(b"Transfer-Encoding: gzip, chunked\r\n", b"0\r\n\r\n"), None),
    "chunked, identity": (post(b"Transfer-Encoding: chunked, identity\r\n", b"0\r\n\r\n"), None),
    "identity": (post(b"Transfer-Encoding: identity\r\nContent-Length: 5\r\n", b"hello"), None),
    "xchunked": (post(b"Transfer-Encoding: xchunked\r\n", b"0\r\n\r\n"), None),
    "chunked twice": (post(CHUNKED + CHUNKED, b"0\r\n\r\n"), None),
    "a coding with a space before its colon": (post(b"Transfer-Encoding : chunked\r\n", HIDDEN), None),
    "a coding with a vertical tab": (post(b"Transfer-Encoding: \x0bchunked\r\n", b"0\r\n\r\n"), None),
    "a coding in a folded line": (post(b"X: y\r\n Transfer-Encoding: chunked\r\n", b""), None),
    "a folded coding": (post(b"Transfer-Encoding:\r\n chunked\r\n", b"0\r\n\r\n"), None),
    "a coding in HTTP/1.0": (
        b"POST /c00-a HTTP/1.0\r\n" + HOST + CHUNKED + b"Connection: keep-alive\r\n\r\n0\r\n\r\n", None),
    "a length with an underscore": (post(b"Content_Length: 5\r\n"), None),
    "a bare LF after a field": (get(fields=b"A: b\nC: d\r\n"), None),
    "bare LFs only": (b"GET /c00-a HTTP/1.1\nHost: localhost\n\n", None),
    "a bare CR in a field": (get(fields=b"A: b\rC: d\r\n"), None),
    "a bare CR before a coding": (post(b"A: b\rTransfer-Encoding: chunked\r\n", b""), None),
    "NUL in a field": (get(fields=b"A: b\0c\r\n"), None),
    "a field without a name": (get(fields=b": b\r\n"), None),
    "a field without a colon": (get(fields=b"Ab\r\n"), None),
    "a name with a space": (get(fields=b"A b: c\r\n"), None),
    "bytes above 127 in a field": (get(fields=b"A: \xff\xfe\r\n"), None),
    "no host": (b"GET /c00-a HTTP/1.1\r\n\r\n", None),
    "two hosts": (get(fields=b"Host: other\r\n"), None),
    "an absolute target": (get(b"http://localhost/c00-a"), None),
    "an absolute target of another host": (get(b"http://other.example/c00-a"), None),
    "a target with a space": (get(b"/c00-a b"), None),
    "a target with a tab": (get(b"/c00-a\tb"), None),
    "a target with a fragment": (get(b"/c00-a#b"), None),
    "no slash": (get(b"c00-a"), None),
    "two spaces": (b"GET  /c00-a HTTP/1.1\r\n" + HOST + b"\r\n", None),
    "a space behind the version": (b"GET /c00-a HTTP/1.1 \r\n" + HOST + b"\r\n", None),
    "HTTP/1.10": (get(version=b"HTTP/1.10"), None),
    "HTTP/2.0": (get(version=b"HTTP/2.0"), None),
    "http/1.1": (get(version=b"http/1.1"), None),
    "no version": (b"GET /c00-a\r\n", None),
    "a method in lower case": (b"get /c00-a HTTP/1.1\r\n" + HOST + b"\r\n", None),
    "a method of no token": (b"G(T /c00-a HTTP/1.1\r\n" + HOST + b"\r\n", None),
    "Expect and no body": (post(b"Expect: 100-continue\r\nContent-Length: 5\r\n", b"hello"), None),
    "Connection: close and more": (get(fields=b"Connection: close\r\n") + HIDDEN, None),
    "Upgrade and more": (
        get(fields=b"Connection: Upgrade\r\nUpgrade: websocket\r\n") + get(b"/c00-b"), None),
    "a head that is cut": (b"GET /c00-a HTTP/1.1\r\nHost: loc", None),
}

# Behind each case, so that what its bytes hold too many or too few of shows.
END = b"GET /c00-end HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def numbered(sent, number):
    """The same bytes, as long as before, whose paths name their case."""
    return sent.replace(b"c00-", b"c%02d-" % number)


def talk(port, sent):
    """Sends it all and returns what comes until the other one's end.

    Our side stays open: to a proxy, its end means that nobody waits for the answer."""
    heard = b""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as stream:
        with contextlib.suppress(ConnectionError):
            stream.sendall(sent)
        with contextlib.suppress(ConnectionError):
            while more := stream.recv(65536):
                heard += more
    return heard


@contextlib.contextmanager
def started(command, port, **options):
    process = subprocess.Popen(command, **options)
    try:
        while True:
            if process.poll() is not None:
                sys.exit(f"{command[0]} has ended: {process.returncode}")
            with contextlib.suppress(ConnectionError), socket.create_connection(("127.0.0.1", port)):
                break
        yield
    finally:
        process.terminate()
        process.wait(PATIENCE)


def nginx(folder, port, behind):
    where = f"root {folder}/files;" if behind is None else f"""
        location / {{
            proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host localhost;
            proxy_request_buffering off; proxy_pass http://127.0.0.1:{behind};
        }}"""
    (folder / "nginx.conf").write_text(f"""
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.err;
events {{ worker_connections 64; }}
http {{
    client_header_timeout 1s; client_body_timeout 1s; lingering_close off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    log_format passed '$request_method $request_uri $upstream_status';
    access_log {folder}/nginx.log passed;
    server {{
        listen 127.0.0.1:{port};
        {where}
    }}
}}
""")
    return ["nginx", "-c", str(folder / "nginx.conf"), "-e", str(folder / "nginx.err")]


def haproxy(folder, port, behind):
    (folder / "haproxy.cfg").write_text(f"""
global
    log stdout format raw local0
defaults
    mode http
    timeout connect 5s
    timeout client 1s
    timeout http-request 1s
    timeout server 10s
    http-reuse always
frontend front
    bind 127.0.0.1:{port}
    log global
    log-format "%HM %HU %s %ST"
    default_backend back
backend back
    server behind 127.0.0.1:{behind}
""")
    return ["haproxy", "-f", str(folder / "haproxy.cfg")]


def request_lines(text):
    """By case: method and path of each line that has one."""
    found = {}
    for method, case, path in re.findall(r"(\S+) (?:http://[^/]*)?/c(\d+)-(\S*)", text):
        found.setdefault(int(case), []).append(f"{method.lstrip(chr(34))} /{path}")
    return found


def in_front(name, command, server, folder):
    """Plays all cases through a proxy and returns what it has passed on and we have not seen,
    or the other way."""
    behind, front = free_port(), free_port()
    log = folder / "server.log"
    with open(log, "w") as seen, open(folder / "front.log", "w") as out:
        site = [server, "--head", "1s", "-d", str(folder / "files"), "-b", "127.0.0.1", "-p", str(behind)]
        with started(site, behind, stderr=seen, stdout=subprocess.DEVNULL):
            with started(command(folder, front, behind), front, stdout=out):
                for number, (sent, _) in enumerate(CASES.values()):
                    talk(front, numbered(sent + END, number))
    told = {"nginx": "nginx.log", "HAProxy": "front.log"}[name]
    lines = (folder / told).read_text(errors="replace").splitlines()
    # Those that the proxy has answered by itself are not passed on.
    passed = request_lines("\n".join(x for x in lines if not re.search(r"( -|<NOSRV> \d+)$", x)))
    seen = request_lines(log.read_text(errors="replace"))
    wrong = []
    for number, case in enumerate(CASES):
        ours, theirs = seen.get(number, []), passed.get(number, [])
        if ours != theirs:
            wrong.append(f"{name} in front, {case}: passed on {theirs}, seen {ours}")
    print(f"{name} in front: {sum(map(len, seen.values()))} requests of {len(CASES)} cases")
    return wrong


def answers(heard):
    """The statuses of the responses, interim ones left out; "cut" without any."""
    return [int(status) for status in re.findall(rb"(?:^|\n)HTTP/1\.[01] ([2-5]\d\d) ", heard)]


def beside(server, folder):
    """The same bytes to both as servers of files."""
    ours, theirs = free_port(), free_port()
    wrong = []
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    site = [server, "-q", "--head", "1s", "-d", str(folder / "files"), "-b", "127.0.0.1", "-p", str(ours)]
    with started(site, ours, **quiet), started(nginx(folder, theirs, None), theirs, **quiet):
        for number, (case, (sent, why)) in enumerate(CASES.items()):
            sent = numbered(sent + END, number)
            here, there = answers(talk(ours, sent)), answers(talk(theirs, sent))
            taken = [sum(status not in (400, 408, 411, 413, 414, 421, 431, 501, 505) for status in some)
                     for some in (here, there)]
            if here != there:
                print(f"    {case:42} http-server {here}, nginx {there}")
            if taken[0] > taken[1] and not why:
                wrong.append(f"beside nginx, {case}: {here} here, {there} there")
    return wrong


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    server = str(pathlib.Path(sys.argv[1]).resolve())
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        # nginx gives its workers to another user.
        folder.chmod(0o755)
        (folder / "files").mkdir()
        wrong += in_front("nginx", nginx, server, folder)
        wrong += in_front("HAProxy", haproxy, server, folder)
        wrong += beside(server, folder)
    for line in wrong:
        print(line)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
