# A file for an address
#
# The address of this server is a file, which your program is given.
# Write `ask`: connect to it, send `message`, end your direction, return all that comes.
#
# Hint: `socket.socket(socket.AF_UNIX)`, then `connect(path)` with the path alone.
#
# Hint: From there on everything is as over TCP.
#
# Server: --upper
#
# Prints:
# HELLO
import socket
import sys


def ask(path, message):
    # Solution:
    with socket.socket(socket.AF_UNIX) as conn:
        conn.connect(path)
        conn.sendall(message)
        conn.shutdown(socket.SHUT_WR)
        reply = b""
        while data := conn.recv(1024):
            reply += data
        return reply
    # End.


print(ask(sys.argv[1], b"hello").decode())
