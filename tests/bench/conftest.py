"""A toy server whose replies a test decides."""

import http.server
import itertools
import threading

import pytest

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
HANG_UP = b""


class Toy:
    """Answers each POST with the next of some replies.

    Attributes:
        bodies: what was asked.
        connections: how many there have been.
    """

    def __init__(self, *replies):
        toy, lock = self, threading.Lock()
        self.bodies, self.connections = [], 0
        following = itertools.cycle(replies or [OK])

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                with lock:
                    toy.connections += 1
                super().setup()

            def do_POST(self):
                content = self.rfile.read(int(self.headers["Content-Length"]))
                with lock:
                    toy.bodies.append(content)
                    reply = next(following)
                reply = reply() if callable(reply) else reply
                self.close_connection = not reply
                self.wfile.write(reply)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            request_queue_size = 64

            def handle_error(self, *_):
                pass  # a client that hung up

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self._thread.start()

    def stop(self):
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()


@pytest.fixture
def toy():
    """Return a function that starts a server: replies are bytes, or functions that wait."""
    made = []

    def start(*replies):
        made.append(Toy(*replies))
        return made[-1]

    yield start
    for each in made:
        each.stop()
