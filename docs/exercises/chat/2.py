# Read lines, not pieces
#
# A room speaks in lines, and `recv` brings half of one or three at once.
# Write `lines`, a generator of whole lines, without their ends.
#
# Hint: Keep what has come in a buffer; while there is a `b"\n"` in it, cut there.
#
# Hint: `line, buffer = buffer.split(b"\n", 1)`, and `yield line.decode()`.
#
# Prints:
# * ann joined
# ann: hello
# ann: how are you?
import socket
import sys


def lines(conn):
    # Solution:
    buffer = b""
    while True:
        while b"\n" in buffer:
            line, buffer = buffer.split(b"\n", 1)
            yield line.decode()
        more = conn.recv(7)
        if not more:
            return
        buffer += more
    # End.


class Narrow(socket.socket):
    """A network that brings three bytes at once, as any may."""

    def recv(self, size):
        return super().recv(min(size, 3))


socket.socket = Narrow

with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as conn:
    conn.sendall(b"ann\nhello\nhow are you?\n")
    heard = lines(conn)
    for _ in range(3):
        print(next(heard))
