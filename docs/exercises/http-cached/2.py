# Nothing is sent twice
#
# The response to `GET /` has a field `ETag`: the name of this version.
# Ask again with `If-None-Match` and that name, and the server says 304 and sends nothing.
# Write `ask_again`, which returns the status and the number of bytes of that second answer.
#
# Hint: `first.getheader("ETag")` is the name, with its quotation marks: they belong to it.
#
# Hint: `conn.request("GET", path, headers={"If-None-Match": tag})`.
#
# Server: site
#
# Prints:
# 304, 0 bytes
import http.client
import sys


def ask_again(conn, path):
    conn.request("GET", path)
    first = conn.getresponse()
    first.read()
    # Solution:
    conn.request("GET", path, headers={"If-None-Match": first.getheader("ETag")})
    second = conn.getresponse()
    return second.status, len(second.read())
    # End.


status, length = ask_again(http.client.HTTPConnection("127.0.0.1", int(sys.argv[1])), "/")
print(f"{status}, {length} bytes")
