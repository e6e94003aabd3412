"""An application with a fault in it, as gunicorn loads it; a file says which fault.

To test the tests: `source` goes into the test's own folder, next to a file called
``fault``. Faults are planted around the application, so the server needs MNIST_FAST_PATH=0.
"""

source = """
import os, pathlib
from service.server import connection
from service.wsgi import load

inner, kept, seen = load(), [], 0
fault = pathlib.Path(__file__).with_name("fault")


def app(environ, start_response):
    global seen
    seen += 1
    planted = fault.read_text()
    if planted == "500" and seen % 20 == 0:
        start_response("500 Internal Server Error", [("Content-Length", "0"),
            ("Content-Type", "text/plain")])
        return [b""]
    if planted == "leak":
        kept.append(os.urandom(20_000))
    parts = list(inner(environ, start_response))
    if planted == "wrong":
        parts = [part.replace(b'"digit":3', b'"digit":8') for part in parts]
    return parts


app.extensions = inner.extensions
whole = connection.Connection.send


def send(self, content):
    if fault.read_text() == "drop" and seen % 20 == 0:
        self.transport.abort()
    else:
        whole(self, content)


connection.Connection.send = send
"""
