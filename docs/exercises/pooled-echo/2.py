# Four clients, two workers
#
# The server has two workers. Four clients come at once, each in a thread, and each is served
# in its turn if it leaves when it has its reply.
# Write `visit`: connect, send `message`, read as many bytes back, leave, return the reply.
#
# Hint: Leaving frees the worker: `with` closes the connection.
#
# Hint: A reply may come in parts: read until it is as long as the message.
#
# Server: --max-clients 2
#
# Prints:
# ['client 0', 'client 1', 'client 2', 'client 3']
import socket
import sys
from concurrent.futures import ThreadPoolExecutor

place = ("127.0.0.1", int(sys.argv[1]))


def visit(message):
    # Solution:
    with socket.create_connection(place) as conn:
        conn.sendall(message)
        reply = b""
        while len(reply) < len(message):
            reply += conn.recv(100)
        return reply
    # End.


with ThreadPoolExecutor(4) as clients:
    replies = clients.map(visit, [f"client {number}".encode() for number in range(4)])
    print([reply.decode() for reply in replies])
