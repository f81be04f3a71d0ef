# Stay as long as you can
#
# The server drops a client that is silent for one second, and any client after two.
# Write `drip`, which sends a byte every 50 ms, reads it back, and returns how many came back
# when the server has hung up.
#
# Hint: A server that hangs up makes `recv` return `b""`, or fail with `ConnectionError`.
#
# Hint: A `while True` with `sendall`, `recv` and `time.sleep(0.05)`, inside a `try`.
#
# Server: --idle 1s --total 2s
#
# Prints:
# dropped, although never silent
import socket
import sys
import time


def drip(conn):
    # Solution:
    came = 0
    try:
        while True:
            conn.sendall(b"x")
            if not conn.recv(1):
                return came
            came += 1
            time.sleep(0.05)
    except ConnectionError:
        return came
    # End.


with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as conn:
    if drip(conn) > 1:
        print("dropped, although never silent")
