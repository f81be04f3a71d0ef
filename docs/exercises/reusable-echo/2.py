# More than the buffers hold
#
# The message has eight million bytes, and the server sends each back while it still reads.
# If you send everything before you read anything, both ends wait for ever.
# Write `exchange`, which sends and reads at once.
#
# Hint: A thread sends while the main program reads.
#
# Hint: `threading.Thread(target=conn.sendall, args=(message,))`, then `start()`, then read as
# many bytes as were sent.
#
# Prints:
# 8000000 bytes came back
import socket
import sys
import threading


def exchange(conn, message):
    # Solution:
    sender = threading.Thread(target=conn.sendall, args=(message,))
    sender.start()
    reply = b""
    while len(reply) < len(message):
        reply += conn.recv(1 << 20)
    sender.join()
    return reply
    # End.


with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as conn:
    print(len(exchange(conn, b"x" * 8_000_000)), "bytes came back")
