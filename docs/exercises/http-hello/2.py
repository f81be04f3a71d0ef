# A browser in five lines
#
# Write `get`: send a request for `path` by hand, read to the end, and return the head and the
# body of the response, as text.
# A request is `GET PATH HTTP/1.1`, the field `Host`, and an empty line; lines end with `\r\n`.
#
# Hint: `f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()` is the whole request.
#
# Hint: This server closes after its answer, so `b""` ends the loop of `recv`.
#
# Hint: `text.split("\r\n\r\n", 1)` divides head and body.
#
# Prints:
# HTTP/1.1 200 OK
# True
import socket
import sys


def get(path):
    # Solution:
    with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as conn:
        conn.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        response = b""
        while data := conn.recv(1024):
            response += data
    return response.decode().split("\r\n\r\n", 1)
    # End.


class Narrow(socket.socket):
    """A network that brings three bytes at once, as any may."""

    def recv(self, size):
        return super().recv(min(size, 3))


socket.socket = Narrow

head, body = get("/")
print(head.split("\r\n")[0])
print(f"content-length: {len(body.encode())}" in head.lower())
