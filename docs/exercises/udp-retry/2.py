# A number on each request
#
# A request is `NLR1`, the kind (1), the number of the try, eight bytes of a session, eight of
# a number, and what is asked; a reply has the kind 2 and is otherwise headed alike.
# Write `request`, which makes one.
#
# Hint: `struct.pack("!4sBB8sQ", ...)` writes the head: four bytes, two small numbers, eight
# bytes, a large number.
#
# Hint: `struct.pack("!4sBB8sQ", b"NLR1", 1, attempt, session, number) + payload`.
#
# Prints:
# 1: hello
# True
import socket
import struct
import sys

place = ("127.0.0.1", int(sys.argv[1]))


def request(attempt, session, number, payload):
    # Solution:
    return struct.pack("!4sBB8sQ", b"NLR1", 1, attempt, session, number) + payload
    # End.


with socket.socket(type=socket.SOCK_DGRAM) as sock:
    sent = request(1, b"exercise", 7, b"hello")
    sock.sendto(sent, place)
    reply = sock.recv(65536)
    print(reply[22:].decode())
    print(reply[5:22] == sent[5:22])
