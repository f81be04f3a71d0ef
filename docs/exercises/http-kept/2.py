# Two requests, one connection
#
# Connecting costs a round trip, so a client keeps its connection.
# Write `get_all`: ask for every path over one `HTTPConnection` and return the statuses.
#
# Hint: A response has to be read to its end before the next request: `response.read()`.
#
# Hint: Make the connection once, before the loop.
#
# Server: site
#
# Prints:
# [200, 404, 200] over 1 connection
import http.client
import sys


class Counted(http.client.HTTPConnection):
    made = 0

    def connect(self):
        Counted.made += 1
        super().connect()


def get_all(paths):
    # Solution:
    conn = Counted("127.0.0.1", int(sys.argv[1]))
    statuses = []
    for path in paths:
        conn.request("GET", path)
        response = conn.getresponse()
        response.read()
        statuses.append(response.status)
    return statuses
    # End.


print(get_all(["/", "/nothing", "/"]), "over", Counted.made, "connection")
