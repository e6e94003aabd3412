import concurrent.futures
import re

import pytest
from prometheus_client.parser import text_string_to_metric_families

RAW = "application/octet-stream"


def read(server):
    """Return the value of every sample, by name and labels."""
    text = server.request("GET", "/metrics").body.decode()
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(samples, name, **labels):
    return samples.get((name, *sorted(labels.items())), 0)


@pytest.fixture
def fresh(start):
    return start().wait_ready()


def test_counts_are_summed_over_the_workers(fresh, served, frames):
    def post(_):
        return fresh.post(frames[:3].tobytes(), RAW).status

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert set(pool.map(post, range(80))) == {200}
    # Whichever worker answers says the same.
    for _ in range(6):
        samples = read(fresh)
        assert value(samples, "mnist_request_images_sum") == 240
        of_version = {"version": served}
        count = "mnist_stage_duration_seconds_count"
        assert value(samples, count, stage="infer", **of_version) == 80
        for digit in "012":
            assert (
                value(samples, "mnist_predictions_total", digit=digit, **of_version) == 80
            )


def test_requests_are_counted_by_route_and_status(fresh, frames):
    fresh.post(frames[0].tobytes(), RAW)
    fresh.post(b"x", RAW)
    fresh.request("GET", "/livez")
    fresh.request("INVENTED", "/somewhere")
    samples = read(fresh)
    counts = {
        (
            labels["http_request_method"],
            labels["http_route"],
            labels["http_response_status_code"],
        ): n
        for (name, *pairs), n in samples.items()
        if name == "http_server_request_duration_seconds_count"
        for labels in [dict(pairs)]
    }
    assert counts == {
        ("POST", "/predict", "200"): 1,
        ("POST", "/predict", "400"): 1,
        ("other", "unmatched", "404"): 1,
    }


def test_versions_are_shown_with_their_state(start, models, add_version):
    add_version(2)
    add_version(3, lambda content: b"broken")
    samples = read(start(MNIST_MODEL_ROOT=str(models)).wait_ready())
    states = {
        (dict(pairs)["version"], dict(pairs)["state"])
        for (name, *pairs) in samples
        if name == "mnist_model_version"
    }
    assert states == {("1", "served"), ("2", "default"), ("3", "refused")}


def test_every_metric_has_a_help_text(server):
    text = server.request("GET", "/metrics").body.decode()
    for name in re.findall(r"^# TYPE (\S+)", text, re.MULTILINE):
        assert re.search(rf"^# HELP {name} \S.*\.$", text, re.MULTILINE), name
