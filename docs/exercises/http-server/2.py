# The head alone
#
# `HEAD` asks for what `GET` would answer, without the content.
# Write `length`: the length that the server names, and how many bytes came.
#
# Hint: `http.client.HTTPConnection(...).request("HEAD", "/")`.
#
# Hint: `response.getheader("Content-Length")` is a text, and `response.read()` is what came.
#
# Server: --hello
#
# Prints:
# HEAD names 21 bytes and sends 0
# GET names 21 bytes and sends 21
import http.client
import sys


def length(method):
    # Solution:
    conn = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]))
    conn.request(method, "/")
    response = conn.getresponse()
    return int(response.getheader("Content-Length")), len(response.read())
    # End.


for method in ("HEAD", "GET"):
    named, sent = length(method)
    print(f"{method} names {named} bytes and sends {sent}")
