# Talk to the handlers
#
# The server has two handlers: `GET /hello/NAME` and `POST /echo`.
# Write `ask`: it sends any method and body and returns the text of the response.
# Other methods get 405, which is for you to see: raise `ValueError` with the status.
#
# Hint: `urllib.request.Request(url, data=body, method=method)` is a request, and
# `urlopen(request).read()` the body of its response.
#
# Hint: `urlopen` raises `urllib.error.HTTPError`, whose `code` is the status.
#
# Server: site
#
# Prints:
# hi ann
# ping
# 405
import sys
import urllib.error
import urllib.request

base = f"http://127.0.0.1:{sys.argv[1]}"


def ask(method, path, body=None):
    # Solution:
    request = urllib.request.Request(base + path, data=body, method=method)
    try:
        return urllib.request.urlopen(request).read().decode()
    except urllib.error.HTTPError as error:
        raise ValueError(error.code)
    # End.


print(ask("GET", "/hello/ann").strip())
print(ask("POST", "/echo", b"ping"))
try:
    ask("DELETE", "/echo")
except ValueError as error:
    print(error)
