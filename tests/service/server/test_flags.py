"""gunicorn's settings: each has its effect, or the start refuses it and says what to do."""

import pytest
from gunicorn.config import Config

from service.errors import SettingsError
from service.server import lifecycle, limits, worker

# What has its effect, by who gives it.
WORKS = {
    "gunicorn's application": (
        *("config", "wsgi_app", "chdir", "daemon", "pythonpath", "paste"),
        *("raw_paste_global_conf", "default_proc_name", "proc_name", "raw_env"),
        *("check_config", "print_config", "spew", "enable_stdio_inheritance"),
    ),
    "gunicorn's master": (
        *("bind", "backlog", "workers", "worker_class", "timeout"),
        *("graceful_timeout", "pidfile", "user", "group", "umask", "initgroups"),
        *("worker_tmp_dir", "on_starting", "on_reload", "when_ready", "pre_fork"),
        *("post_fork", "pre_exec", "child_exit", "worker_exit", "nworkers_changed"),
        *("on_exit", "control_socket_disable"),
    ),
    "gunicorn's worker, from which the service's is made": (
        *("max_requests", "max_requests_jitter", "reload", "reload_engine"),
        *("reload_extra_files", "post_worker_init", "worker_int", "worker_abort"),
    ),
    "the service's worker": (
        *("worker_connections", "keepalive", "limit_request_line"),
        *("limit_request_fields", "limit_request_field_size"),
        "sendfile",  # never used, which nobody sees
    ),
    "gunicorn's policy for headers": (
        *("secure_scheme_headers", "forwarded_allow_ips", "forwarder_headers"),
        "header_map",
    ),
    "gunicorn's logger": (
        *("accesslog", "access_log_format", "errorlog", "loglevel", "capture_output"),
        *("logger_class", "logconfig", "logconfig_dict", "logconfig_json"),
        *("syslog", "syslog_addr", "syslog_prefix", "syslog_facility"),
        "disable_redirect_access_to_syslog",
    ),
}
# A value of each refused setting that its validator takes.
VALUES = {
    "ssl_version": "TLSv1_2",
    "suppress_ragged_eofs": False,
    "http_protocols": "h2,h1",
    "protocol": "uwsgi",
    "http2_cleartext": "upgrade",
    "http_parser": "fast",
    "asgi_loop": "asyncio",
    "asgi_lifespan": "off",
    "proxy_protocol": "v1",
    "statsd_host": "127.0.0.1:8125",
    "control_socket_mode": 0o666,
    "dirty_apps": ["a:B"],
    "proxy_allow_ips": "10.0.0.1",
    "uwsgi_allow_ips": "10.0.0.1",
    "tmp_upload_dir": "/tmp",
}


def names(tables):
    return [name for table in tables for group in table.values() for name in group]


IN_ANY = names([limits.REFUSED])
IN_OURS = names([worker.REFUSED])


def config(worker_class="service.server.worker.Worker", **values):
    made = Config()
    made.set("on_starting", lifecycle.on_starting)
    made.set("worker_class", worker_class)
    for name, value in values.items():
        made.set(name, value)
    return made


def another_value(name):
    """Return a value that is not the default."""
    default = Config().settings[name].get()
    if name in VALUES:
        return VALUES[name]
    if callable(default):
        arguments = ", ".join("abcdefgh"[: default.__code__.co_argcount])
        return eval(f"lambda {arguments}: None")
    if isinstance(default, bool):
        return not default
    return default + 1 if isinstance(default, int) else "x"


def test_every_setting_has_its_effect_or_is_refused():
    known = [*names([WORKS]), *IN_ANY, *IN_OURS]
    assert sorted(known) == sorted(Config().settings)


@pytest.mark.parametrize("name", [*IN_ANY, *IN_OURS])
def test_a_setting_without_effect_is_refused(name):
    flag = (Config().settings[name].cli or [name])[-1]
    message = f"found gunicorn's setting {flag}, expected none: "
    with pytest.raises(SettingsError) as caught:
        limits.check_settings(config(**{name: another_value(name)}))
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("name", IN_ANY)
def test_what_has_no_effect_in_any_worker_is_refused_with_gthread(name):
    with pytest.raises(SettingsError, match="expected none: "):
        limits.check_settings(config("gthread", **{name: another_value(name)}))


@pytest.mark.parametrize("name", IN_OURS)
def test_what_gthread_can_do_is_left_to_it(name):
    if name != "threads":  # gunicorn reads the class when it is set
        limits.check_settings(config("gthread", **{name: another_value(name)}))


def test_the_service_s_own_settings_are_fine():
    limits.check_settings(
        config(threads=4, http_parser="python", control_socket_disable=True)
    )


@pytest.mark.parametrize("entry", ["MNIST_MAX_IMAGES=5", "WEB_CONCURRENCY=2", "PORT=1"])
def test_what_is_read_before_is_refused_in_env(entry):
    expected = f"found {entry.split('=')[0]} in gunicorn's setting --env, expected it in"
    with pytest.raises(SettingsError, match=expected):
        limits.check_settings(config(raw_env=[entry]))


def test_other_variables_are_fine_in_env():
    limits.check_settings(config(raw_env=["OTEL_SERVICE_NAME=x"]))


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("workers", 0, "--workers 0, expected 1 to 1000"),
        ("workers", 1001, "--workers 1001, expected 1 to 1000"),
        ("worker_connections", 0, "--worker-connections 0, expected 1 to 2147483647"),
        ("backlog", 1 << 31, "--backlog 2147483648, expected 0 to 2147483647"),
        ("timeout", 10**400, "--timeout 1{1}0{29}, expected 0 to 2147483647"),
    ],
)
def test_a_number_that_cannot_work_is_refused(name, value, expected):
    with pytest.raises(SettingsError, match=f"found gunicorn's setting {expected}"):
        limits.check_settings(config(**{name: value}))


def test_a_log_configuration_that_is_not_there_is_refused(tmp_path):
    path = tmp_path / "log.json"
    with pytest.raises(SettingsError, match="found no file .*, expected one for gunicorn"):
        limits.check_settings(config(logconfig_json=str(path)))
    path.write_text("{}")
    limits.check_settings(config(logconfig_json=str(path)))


@pytest.fixture(scope="module")
def ended(start, tmp_path_factory):
    """Servers that end at once, all started together."""
    other = tmp_path_factory.mktemp("config") / "other.py"
    other.write_text("wsgi_app = 'service.wsgi:load()'\n")
    return {
        "proxy": start("--proxy-protocol"),
        "statsd": start("--statsd-host", "127.0.0.1:8125"),
        "gthread": start("--worker-class", "gthread", "--statsd-host", "127.0.0.1:8125"),
        "preload": start("--preload"),
        "env": start("--env", "MNIST_MAX_IMAGES=5"),
        "config": start("--config", str(other)),
        "no worker": start("--workers", "0"),
        "json": start("--proxy-protocol", MNIST_LOG_FORMAT="json"),
    }


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("proxy", "error: found gunicorn's setting --proxy-protocol, expected none: no P"),
        ("statsd", "error: found gunicorn's setting --statsd-host, expected none: scrape "),
        ("gthread", "error: found gunicorn's setting --statsd-host, expected none: scrap"),
        ("preload", "error: found gunicorn's setting --preload, expected none: the model"),
        ("env", "error: found MNIST_MAX_IMAGES in gunicorn's setting --env, expected it "),
        ("config", "error: found gunicorn's setting --config "),
        ("no worker", "error: found gunicorn's setting --workers 0, expected 1 to 1000"),
        ("json", '{"time":'),
    ],
)
def test_the_start_ends_with_one_line(ended, name, line):
    server = ended[name]
    assert server.wait() != 0
    (only,) = server.log.splitlines()
    assert only.startswith(line)
