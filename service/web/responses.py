"""Turn replies into Flask's responses."""

from flask import Response, g

from service.http import Reply


def response(reply: Reply) -> Response:
    """Return a reply as Flask's response; ``g.reply`` keeps it for metrics and log."""
    g.reply = reply
    found = Response(reply.body, reply.status, content_type=reply.content_type)
    found.headers.update(reply.headers)
    return found
