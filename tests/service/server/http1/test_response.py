from service.http import Reply
from service.server.http1.response import Writer


def test_a_reply_that_is_written_again_differs_only_in_its_id(monkeypatch):
    monkeypatch.setattr("gunicorn.util.http_date", lambda: "Thu, 26 Nov 2026 04:00:00 GMT")
    writer, reply = Writer(), Reply(503, b"no", "text/plain")
    for used_id, keep in (("a", True), ("b", True), ("c", False)):
        expected = Writer().write(reply, used_id, keep)
        assert writer.write(reply, used_id, keep) == expected
        assert f"X-Request-ID: {used_id}\r\n\r\nno".encode() in expected


def test_the_date_is_that_of_the_last_tick(monkeypatch):
    date = ["one"]
    monkeypatch.setattr("gunicorn.util.http_date", lambda: date[0])
    writer, reply = Writer(), Reply(503, b"", "text/plain")
    for now in ("one", "two"):
        date[0] = now
        writer.tick()
        assert f"Date: {now}\r\n".encode() in writer.write(reply, "x", True)
