# Try to get out
#
# Python's own client speaks to the server of a folder.
# Write `status`: ask for `path` and return the number of the status.
#
# Hint: `http.client.HTTPConnection("127.0.0.1", port)`, then `request("GET", path)`.
#
# Hint: `getresponse().status` is the number.
#
# Server: site
#
# Prints:
# /: 200
# /nothing: 404
# /../Cargo.toml leaves the folder: False
import http.client
import sys


def status(path):
    # Solution:
    conn = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]))
    conn.request("GET", path)
    return conn.getresponse().status
    # End.


for path in ("/", "/nothing"):
    print(f"{path}: {status(path)}")
print("/../Cargo.toml leaves the folder:", status("/../Cargo.toml") == 200)
