"""A datagram at a time in Python."""

import socket

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
    server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    server.bind(("127.0.0.1", 0))
    print("listening on %s:%d" % server.getsockname(), flush=True)
    while True:
        data, peer = server.recvfrom(65536)
        server.sendto(data, peer)
