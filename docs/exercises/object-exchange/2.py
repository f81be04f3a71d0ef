# No pickle, and still a value
#
# A Python program speaks to the server without our codec: the bytes are written down.
# Every message is a length (four bytes, the highest first) and so many bytes: the version 1,
# then the value. A text is its length in one byte, and its letters in UTF-8.
# Write `upper`: send the request `Upper(text)`, which is the variant 1, and return the text of
# the reply, which has the same shape.
#
# Hint: The value is `bytes([1, 1, len(data)]) + data`: version, variant, length, text.
#
# Hint: `receive(conn)` brings the whole message of the reply; its text begins at the fourth byte.
#
# Prints:
# HI
# ПРИВЕТ
import socket
import struct
import sys


def read_exactly(conn, n):
    data = b""
    while len(data) < n:
        data += conn.recv(n - len(data)) or sys.exit("the server has hung up")
    return data


def receive(conn):
    (length,) = struct.unpack(">I", read_exactly(conn, 4))
    return read_exactly(conn, length)


def upper(conn, text):
    # Solution:
    data = text.encode()
    message = bytes([1, 1, len(data)]) + data
    conn.sendall(struct.pack(">I", len(message)) + message)
    return receive(conn)[3:].decode()
    # End.


with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as conn:
    receive(conn)  # what the server says first: the greeting
    print(upper(conn, "hi"))
    print(upper(conn, "привет"))
