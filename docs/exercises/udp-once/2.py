# The reply that was lost
#
# Play the bad network yourself: ask, throw the reply away, and ask again.
# The server counts its runs; one request must be one run.
# Write `ask_twice`: send the request as try 1, drop the reply, send it as try 2 (the number
# stays), and return the text of that reply.
#
# Hint: `request(1, number, text)` and `request(2, number, text)` differ in the try alone.
#
# Hint: `sock.recv(65536)` brings a reply; its text begins at byte 22.
#
# Prints:
# 1: pay
# 2: pay
import socket
import struct
import sys

place = ("127.0.0.1", int(sys.argv[1]))


def request(attempt, number, text):
    return struct.pack("!4sBB8sQ", b"NLR1", 1, attempt, b"exercise", number) + text


def ask_twice(sock, number, text):
    # Solution:
    sock.sendto(request(1, number, text), place)
    sock.recv(65536)
    sock.sendto(request(2, number, text), place)
    return sock.recv(65536)[22:].decode()
    # End.


with socket.socket(type=socket.SOCK_DGRAM) as sock:
    print(ask_twice(sock, 1, b"pay"))
    print(ask_twice(sock, 2, b"pay"))
