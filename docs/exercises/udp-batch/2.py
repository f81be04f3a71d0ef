# A burst
#
# Send 32 datagrams before you read one reply.
# How many of them the server gets with one call is its own affair; each has its own reply.
# Write `burst`, which returns the set of all replies.
#
# Hint: First a loop of `sendto`, then a loop of `recv`, as often.
#
# Hint: Replies may come in another order: a `set` does not mind.
#
# Server: --prefix '>'
#
# Prints:
# 32 replies, all different
import socket
import sys

place = ("127.0.0.1", int(sys.argv[1]))


def burst(sock, messages):
    # Solution:
    for message in messages:
        sock.sendto(message, place)
    return {sock.recv(65536) for _ in messages}
    # End.


with socket.socket(type=socket.SOCK_DGRAM) as sock:
    replies = burst(sock, [f"number {number}".encode() for number in range(32)])
    if all(reply.startswith(b">number ") for reply in replies):
        print(len(replies), "replies, all different")
