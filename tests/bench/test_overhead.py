"""The base of the measurement: a service that counts nothing."""

import re

from bench.harness import wire
from bench.harness.service import service
from bench.overhead.__main__ import BASE
from bench.peers import items
from bench.peers.servers import OWN


def predictions(*options):
    """Return how many predictions a service counts after one of them."""
    with service(*options) as server:
        content, *_ = items.requests(items.ITEMS[1], OWN.binary)
        with wire.Client(server.port) as client:
            assert client.ask(content).status == 200
        text = server.request("GET", "/metrics").body.decode()
    return sum(map(float, re.findall(r"^mnist_predictions_total{.*} (\S+)$", text, re.M)))


def test_the_base_counts_nothing_and_what_is_shipped_does():
    assert predictions() == 1
    assert predictions(*BASE.options) == 0
