"""FastPySGI with a WSGI application."""

import os

import fastpysgi

from bench.peers.wsgi import app

# As its author has it in public benchmarks.
fastpysgi.server.read_buffer_size = 256 * 1024
fastpysgi.server.backlog = 4096
fastpysgi.run(app, host="127.0.0.1", port=int(os.environ["PORT"]), loglevel=0)
