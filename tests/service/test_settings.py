import dataclasses
import re
from pathlib import Path

import pytest

from service.errors import SettingsError
from service.settings import MOST, Settings, unknown


def test_defaults_are_used_where_nothing_is_set(root):
    settings = Settings.from_environment({"MNIST_MODEL_NAME": ""})
    assert settings == Settings()
    assert settings.model_root == root / "models"


def test_every_setting_is_read():
    settings = Settings.from_environment(
        {
            "MNIST_MODEL_ROOT": "/x",
            "MNIST_MODEL_NAME": "other-1.2",
            "MNIST_MODEL_VERSION": "3",
            "MNIST_MAX_BODY_BYTES": "5",
            "MNIST_MAX_IMAGES": "6",
            "MNIST_MAX_PIXELS": "7",
            "MNIST_CLIENT_SECONDS": "9",
            "MNIST_MAX_WAIT_MS": "10",
            "MNIST_DRAIN_SECONDS": "11",
            "MNIST_FAST_PATH": "0",
            "MNIST_API_KEYS": "/y",
            "MNIST_TRUSTED_HOSTS": "A.example, .b.example",
            "MNIST_METRICS_BIND": "[0:0::1]:090",
            "MNIST_GRPC_BIND": "127.0.0.1:9000",
            "MNIST_LOG_FORMAT": "json",
            "MNIST_TRACING": "1",
            "MNIST_PREDICT_ROUTE": "/a:b",
            "AIP_HEALTH_ROUTE": "/c/d",
            "MNIST_TRAFFIC": "/z",
            "MNIST_SAMPLES": "/s",
            "MNIST_SAMPLES_MB": "12",
            "MNIST_SAMPLES_PERCENT": "0",
        }
    )
    expected = [Path("/x"), "other-1.2", 3, 5, 6, 7, 9, 10, 11, False]
    expected += [Path("/y"), ("a.example", ".b.example"), "[::1]:90", "127.0.0.1:9000"]
    expected += ["json", True]
    expected += ["/a:b", "/c/d", Path("/z"), Path("/s"), 12, 0]
    assert list(dataclasses.astuple(settings)) == expected


@pytest.mark.parametrize("value", ["x", "0", "-1", "1.5", "1e3", "٣", " 1"])
def test_a_number_that_cannot_work_is_refused(value):
    expected = "expected a whole number from 1 to 100000"
    message = f"MNIST_MAX_IMAGES has value {value!r}, {expected}"
    with pytest.raises(SettingsError, match=re.escape(message)):
        Settings.from_environment({"MNIST_MAX_IMAGES": value})


@pytest.mark.parametrize("value", ["x", "-1", "1.5"])
def test_a_number_that_may_be_0_is_no_other(value):
    with pytest.raises(SettingsError, match="expected a whole number from 0 to 3600"):
        Settings.from_environment({"MNIST_DRAIN_SECONDS": value})


@pytest.mark.parametrize(
    ("name", "most"),
    [
        ("MNIST_MODEL_VERSION", 9223372036854775807),
        ("MNIST_MAX_BODY_BYTES", 1073741824),
        ("MNIST_MAX_IMAGES", 100000),
        ("MNIST_MAX_PIXELS", 67108864),
        ("MNIST_CLIENT_SECONDS", 3600),
        ("MNIST_MAX_WAIT_MS", 60000),
        ("MNIST_DRAIN_SECONDS", 3600),
        ("MNIST_SAMPLES_MB", 100000),
        ("MNIST_SAMPLES_PERCENT", 100),
    ],
)
def test_a_number_of_absurd_size_is_refused(name, most):
    field = name.removeprefix("MNIST_").lower()
    assert getattr(Settings.from_environment({name: str(most)}), field) == most
    for value in (str(most + 1), "9" * 400, "9" * 5000):
        with pytest.raises(SettingsError, match=f"{name} has .* to {most}$") as caught:
            Settings.from_environment({name: value})
        assert len(str(caught.value)) < 250


def test_every_number_has_a_bound():
    fields = dataclasses.fields(Settings)
    assert {f.name for f in fields if type(f.default) is int} | {"model_version"} == {*MOST}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("MNIST_API_KEY", "MNIST_API_KEYS"),
        ("MNIST_TRUSTED_HOST", "MNIST_TRUSTED_HOSTS"),
        ("MNIST_CLIENT_SECOND", "MNIST_CLIENT_SECONDS"),
        ("MNIST_XYZ", "MNIST_MODEL_ROOT or MNIST_MODEL_NAME or "),
    ],
)
def test_a_variable_that_is_no_setting_is_told_without_its_value(name, expected):
    (message,) = unknown({name: "secret-of-the-test", "MNIST_LOG_FORMAT": "json"})
    assert f"{name} is no setting and has no effect, expected {expected}" in message
    assert "secret" not in message


@pytest.mark.parametrize(
    "name",
    [
        "MNIST_SERVICE_HOST",
        "MNIST_SERVICE_PORT",
        "MNIST_SERVICE_PORT_HTTP",
        "MNIST_PORT",
        "MNIST_PORT_8000_TCP",
        "MNIST_PORT_8000_TCP_PROTO",
        "MNIST_PORT_8000_TCP_ADDR",
        "MNIST_CANARY_SERVICE_HOST",
        "MNIST_CANARY_PORT_8000_TCP_PORT",
        "MNIST_DIR",
        "PATH",
    ],
)
def test_what_kubernetes_and_the_training_set_needs_no_word(name):
    assert unknown({name: "x"}) == []


def test_a_switch_is_1_or_0():
    with pytest.raises(SettingsError, match="MNIST_FAST_PATH has value 'no', expected 1"):
        Settings.from_environment({"MNIST_FAST_PATH": "no"})


def test_a_format_of_the_log_is_text_or_json():
    with pytest.raises(SettingsError, match="LOG_FORMAT has value 'xml', expected text or"):
        Settings.from_environment({"MNIST_LOG_FORMAT": "xml"})


@pytest.mark.parametrize("value", ["x", "/", "/x/", "/<x>", "/x?y", "/é", "/" + 100 * "x"])
def test_what_is_no_path_is_refused(value):
    with pytest.raises(SettingsError, match="AIP_PREDICT_ROUTE .* expected a path such"):
        Settings.from_environment({"AIP_PREDICT_ROUTE": value})


@pytest.mark.parametrize("value", ["../x", "a/b", ".", "-x", "a b"])
def test_a_name_that_could_leave_the_folder_is_refused(value):
    with pytest.raises(SettingsError, match="expected a name of letters, digits and"):
        Settings.from_environment({"MNIST_MODEL_NAME": value})


def test_kubernetes_variables_are_left_alone():
    Settings.from_environment({"MNIST_PORT": "tcp://10.0.0.1:80", "MNIST_DIR": "/data"})
