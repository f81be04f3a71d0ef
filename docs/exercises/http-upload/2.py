# Wait for leave
#
# A client with a large body asks first: `Expect: 100-continue`, and sends the body when the
# server has said 100.
# Write `upload`: send `head`, read until the server gives leave, send `body`, and return the
# last line of what comes then. (`read_head(conn)` brings one head, to its empty line.)
#
# Hint: The leave is a head of its own: `HTTP/1.1 100 Continue` and an empty line.
#
# Hint: Check that `" 100 "` is in it; then `sendall(body)`, `read_head(conn)` and `recv`.
#
# Server: site
#
# Prints:
# five!
import socket
import sys


def read_head(conn):
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += conn.recv(1) or sys.exit("the server has hung up")
    return head.decode()


def upload(conn, head, body):
    # Solution:
    conn.sendall(head)
    if " 100 " not in read_head(conn):
        return "no leave was given"
    conn.sendall(body)
    read_head(conn)
    return conn.recv(100).decode()
    # End.


with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as conn:
    head = b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
    print(upload(conn, head, b"five!"))
