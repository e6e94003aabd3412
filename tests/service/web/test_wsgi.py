"""The application under a WSGI server that is not gunicorn."""

from wsgiref.util import setup_testing_defaults

import pytest

from service import create_app
from service.monitoring.outcome import OUTCOME


@pytest.mark.parametrize("path", ["/", "/€", "/\x00", "//x", "/[", "/%", ""])
def test_any_path_is_answered(path):
    environ = {"PATH_INFO": path.encode().decode("latin-1")}
    setup_testing_defaults(environ)
    statuses = []
    body = create_app()(environ, lambda status, headers: statuses.append(status))
    assert b"".join(body)
    assert statuses == ["200 OK" if path in ("/", "") else "404 NOT FOUND"]
    assert environ[OUTCOME].head.path == path
