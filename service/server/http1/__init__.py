"""HTTP/1.1 as bytes: heads and bodies of requests, heads of replies.

request is one parsed head, known_heads remembers heads that were parsed before, body
collects a body as it arrives, response renders replies.
"""
