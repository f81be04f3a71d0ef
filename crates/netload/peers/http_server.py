"""Python's http.server as `python3 -m http.server` starts it, for the folder that is given, without its log."""

import functools
import http.server
import sys


class Silent(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    # The default of 5 would leave most of 64 clients waiting for seconds.
    request_queue_size = 4096


handler = functools.partial(Silent, directory=sys.argv[1])
with Server(("127.0.0.1", 0), handler) as server:
    print("listening on %s:%d" % server.server_address, flush=True)
    server.serve_forever()
