# Read until there is no more
#
# `recv` returns what has arrived, which may be one byte of the reply.
# Write `read_all`, which returns everything that comes until the server has closed.
#
# Hint: The end of the stream is the empty `b""`, and nothing else is.
#
# Hint: Add what `recv` returns to what you have, in a loop that ends at `b""`.
#
# Server: --upper
#
# Prints:
# HELLO
import socket
import sys


def read_all(conn):
    # Solution:
    reply = b""
    while data := conn.recv(1024):
        reply += data
    return reply
    # End.


class Narrow(socket.socket):
    """A network that brings three bytes at once, as any may."""

    def recv(self, size):
        return super().recv(min(size, 3))


socket.socket = Narrow

with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as conn:
    for letter in b"hello":
        conn.sendall(bytes([letter]))
    conn.shutdown(socket.SHUT_WR)
    print(read_all(conn).decode())
