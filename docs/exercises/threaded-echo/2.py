# Wait in the queue
#
# The server serves one client at a time here, although it has threads: its limit says so.
# A second client connects and sends; the system keeps what it sends.
# Write `answers`, which says whether a reply comes within two seconds.
#
# Hint: `conn.settimeout(2)` makes `recv` fail when nothing has come by then.
#
# Hint: The error is `TimeoutError` (before Python 3.10: `socket.timeout`).
#
# Server: --max-clients 1
#
# Prints:
# first: True
# second: False
# second, when the first has left: True
import socket
import sys


def answers(conn):
    # Solution:
    conn.settimeout(2)
    try:
        return conn.recv(100) != b""
    except socket.timeout:
        return False
    # End.


place = ("127.0.0.1", int(sys.argv[1]))
first = socket.create_connection(place)
first.sendall(b"one")
print("first:", answers(first))
second = socket.create_connection(place)
second.sendall(b"two")
print("second:", answers(second))
first.close()
while not (served := answers(second)):
    pass
print("second, when the first has left:", served)
