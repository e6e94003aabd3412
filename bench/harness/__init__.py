"""What the measuring programs share.

- `server`, `service`: start a server on given cores, wait for it, measure it, stop it
- `openloop`, `timed`: send requests when they are due, and what became of them
- `closedloop`: send requests as fast as they are answered (wrk)
- `wire`: write a request, read a reply
- `cores`, `digits`, `results`: who runs where, what is sent, what is written
"""
