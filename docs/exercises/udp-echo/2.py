# One socket, two conversations
#
# A server of datagrams has one socket for all, and the address that comes with a datagram
# tells it whom to answer.
# Write `ask`: send `message` to `place` and return the text of the reply.
#
# Hint: `sock.sendto(message, place)` needs no connection.
#
# Hint: `data, sender = sock.recvfrom(65536)` brings one whole datagram.
#
# Server: --prefix 'you said '
#
# Prints:
# you said one
# you said two
import socket
import sys

place = ("127.0.0.1", int(sys.argv[1]))


def ask(sock, message):
    # Solution:
    sock.sendto(message, place)
    data, _ = sock.recvfrom(65536)
    return data.decode()
    # End.


with socket.socket(type=socket.SOCK_DGRAM) as one, socket.socket(type=socket.SOCK_DGRAM) as two:
    print(ask(one, b"one"))
    print(ask(two, b"two"))
