# mypy: disallow-untyped-decorators=False
"""Locust's own users: each sends again once it is answered, until ``-t`` is over.

``locust -f load/locustfile.py JsonImage PngPicture`` runs some of them, ``--tags v2`` those
with a tag.
"""

from typing import Any

from gevent.event import Event
from locust import FastHttpUser, User, between, constant, tag, task

from load import answers, payloads

ANSWER_S = 10.0  # without an answer for longer, a request has failed
BATCH = 64  # images a request, where there are several


class Client(FastHttpUser):  # type: ignore[misc]
    """A client on a connection of its own, which is kept alive; each answer is checked."""

    abstract = True
    network_timeout = connection_timeout = ANSWER_S
    payload, images = "json", 1  # images a request
    environment: Any

    def ask(self) -> None:
        """Send the next request, and check the answer."""
        request = next(self.environment.requests[self.payload, self.images])
        with self.client.request(
            request.method,
            request.path,
            name=self.payload if self.images == 1 else f"{self.payload} × {self.images}",
            data=request.body,
            headers={**request.headers, **self.environment.headers},
            catch_response=True,
            context={"users": self.environment.generator, "images": self.images},
        ) as response:
            if not response.status_code:
                response.failure(f"no answer: {type(response.error).__name__}")
                return
            headers, content = response.headers, response.content or b""
            found = answers.problem(request, response.status_code, headers, content)
            if found:
                response.failure(found)


class Programs(Client):
    """Programs that ask for one image after the other, without a pause."""

    abstract = True
    wait_time = constant(0)


class JsonImage(Programs):
    """A program that sends one image as JSON, the usual way."""

    weight = 5

    @tag("json", "one")
    @task
    def predict(self) -> None:
        """Ask for one image."""
        self.ask()


class JsonBatch(Programs):
    """A program that sends 64 images at once as JSON."""

    weight = 1
    images = BATCH

    @tag("json", "batch")
    @task
    def predict(self) -> None:
        """Ask for 64 images."""
        self.ask()


class RawBytes(Programs):
    """A program that sends the pixels as they are, and gets floats back."""

    weight = 3
    payload = "raw"

    @tag("binary", "one")
    @task
    def predict(self) -> None:
        """Ask for one image."""
        self.ask()


class V1Rows(Programs):
    """A client of TensorFlow Serving."""

    weight = 1
    payload = "v1"

    @tag("v1", "json", "one")
    @task
    def predict(self) -> None:
        """Ask for one image."""
        self.ask()


class V2Json(Programs):
    """A client of the Open Inference Protocol that sends JSON."""

    weight = 1
    payload = "v2"

    @tag("v2", "json", "one")
    @task
    def infer(self) -> None:
        """Ask for one image."""
        self.ask()


class V2Binary(Programs):
    """A client of the Open Inference Protocol that sends 64 images as a binary tensor."""

    weight = 2
    payload, images = "v2-binary", BATCH

    @tag("v2", "binary", "batch")
    @task
    def infer(self) -> None:
        """Ask for 64 images."""
        self.ask()


class PngPicture(Client):
    """Somebody who draws digits: a picture, then one to three seconds to look and draw."""

    weight = 3
    payload = "png"
    wait_time = between(1, 3)

    @tag("png", "one")
    @task
    def predict(self) -> None:
        """Ask for a picture."""
        self.ask()


class Connection(User):  # type: ignore[misc]
    """In a scenario, a connection of the process that sends; it does nothing itself."""

    abstract = True  # it comes with --scenario alone
    environment: Any

    def on_start(self) -> None:
        """Add a connection."""
        self.environment.generator.users += 1

    @task
    def wait(self) -> None:
        """Wait until the run is over."""
        Event().wait()


def wanted(user: Any, asked: Any) -> bool:
    """Tell whether users of a class have something to do for the tags and pictures."""
    tags, without = set(asked.tags or ()), set(asked.exclude_tags or ())
    if asked.images and user.payload not in payloads.OWN:
        return False
    return any(
        (not tags or each.locust_tag_set & tags) and not each.locust_tag_set & without
        for each in user.tasks
    )
