"""An application with a fault in it, as gunicorn loads it; what fault, a file says.

The faults of the tests of the tests: `source` goes into a folder of the test's own, beside
a file called ``fault``.
"""

# A wrapper around all of the application: without its metrics, it has no short way past it.
source = """
import os, pathlib
from service import connection
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


app.extensions = {k: v for k, v in inner.extensions.items() if k != "metrics"}
whole = connection.Connection.send


def send(self, content):
    if fault.read_text() == "drop" and seen % 20 == 0:
        self.transport.abort()
    else:
        whole(self, content)


connection.Connection.send = send
"""
