# Exactly as many bytes
#
# The length says how many bytes a message has, and `recv` may bring fewer.
# Write `read_exactly`, which returns `n` bytes and not one more: what follows belongs to the
# next message.
#
# Hint: `recv(n - len(data))` never takes more than is missing.
#
# Hint: `b""` in the middle of a message is an error: raise `EOFError`, or it loops for ever.
#
# Prints:
# hi
# Привет
import socket
import struct
import sys


def read_exactly(conn, n):
    # Solution:
    data = b""
    while len(data) < n:
        more = conn.recv(n - len(data))
        if not more:
            raise EOFError("cut short")
        data += more
    return data
    # End.


class Narrow(socket.socket):
    """A network that brings three bytes at once, as any may."""

    def recv(self, size):
        return super().recv(min(size, 3))


socket.socket = Narrow

with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as conn:
    for text in ("hi", "Привет"):
        message = text.encode()
        conn.sendall(struct.pack(">I", len(message)) + message)
    for _ in range(2):
        (length,) = struct.unpack(">I", read_exactly(conn, 4))
        print(read_exactly(conn, length).decode())
