"""What the service may use: cores, files, memory, addresses, and gunicorn's settings."""

import contextlib
import ctypes
import errno
import mmap
import os
import resource
import socket
import struct
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from gunicorn.config import Config
from gunicorn.util import is_ipv6, parse_address

from service.errors import SettingsError

# gunicorn's settings that would do nothing, or harm, with any worker, by what to do
# instead. Those of a worker class are in its attribute `refused`.
REFUSED = {
    "the model is loaded after the fork, and its bytes are shared": ("preload_app",),
    "a stop empties the one queue that all workers accept from": ("reuse_port",),
    "scrape /metrics": (
        *("statsd_host", "statsd_prefix", "dogstatsd_tags", "enable_backlog_metric"),
    ),
    "there is no control socket; send signals": ("control_socket", "control_socket_mode"),
    "nothing uses dirty workers": (
        *("dirty_apps", "dirty_workers", "dirty_timeout", "dirty_threads"),
        *("dirty_graceful_timeout", "on_dirty_starting", "dirty_post_fork"),
        *("dirty_worker_init", "dirty_worker_exit"),
    ),
    "a body stays in memory": ("tmp_upload_dir",),
}
# What gunicorn.conf.py sets itself of the refused ones.
OWN = {"threads": 4, "http_parser": "python"}
# They are read before gunicorn sets what --env says.
EARLY = ("MNIST_", "WEB_CONCURRENCY=", "PORT=", "SCRIPT_NAME=")
# With none of these, a service would start and serve nobody.
LEAST = {"workers": 1, "worker_connections": 1, "threads": 1}
# WEB_CONCURRENCY's; the largest number of a user.
MOST = {"workers": 1000, "user": (1 << 32) - 2, "group": (1 << 32) - 2}
MOST_OF_ALL = (1 << 31) - 1  # the system's calls take an int of C
# Between the last connection that the kernel lets in and the end of listening: a handshake
# that has begun needs one more round trip.
HANDSHAKE_S = 0.1
SO_ATTACH_FILTER = 26  # Linux
# A filter program for the kernel, for a segment from its TCP header on: load byte 13 (the
# flags); if SYN is set drop, else keep all of it. Source: Linux, networking/filter.rst.
NO_SYN = ((0x30, 0, 0, 13), (0x45, 0, 1, 0x02), (0x06, 0, 0, 0), (0x06, 0, 0, 0xFFFFFFFF))


def check_settings(cfg: Any) -> None:
    """Refuse settings of gunicorn that would have no effect, or cannot work.

    Raises:
        SettingsError: names the first one, and what to do instead.
    """
    usual = Config().settings
    tables = REFUSED, getattr(cfg.worker_class, "refused", {})
    advice = {
        name: text for table in tables for text, names in table.items() for name in names
    }
    for name, setting in cfg.settings.items():
        value, flag = setting.get(), (setting.cli or [name])[-1]
        start = f"found gunicorn's setting {flag}"
        if name in advice and value not in (usual[name].get(), OWN.get(name)):
            raise SettingsError(f"{start}, expected none: {advice[name]}")
        least, most = LEAST.get(name, 0), MOST.get(name, MOST_OF_ALL)
        if isinstance(value, int) and not least <= value <= most:
            raise SettingsError(f"{start} {value!s:.30}, expected {least} to {most}")
    for entry in cfg.raw_env:
        if entry.startswith(EARLY):
            raise SettingsError(
                f"found {entry.partition('=')[0]} in gunicorn's setting --env, expected it "
                "in the environment"
            )
    if str(cfg.pidfile).isdigit():
        found = f"found gunicorn's setting -p {cfg.pidfile}, a file for its process id"
        raise SettingsError(f"{found}, expected --port {cfg.pidfile}")
    # gunicorn would go on without a word.
    if cfg.logconfig_json and not os.path.exists(cfg.logconfig_json):
        found = f"found no file {cfg.logconfig_json!r:.100}"
        raise SettingsError(f"{found}, expected one for gunicorn's --log-config-json")
    # A configuration that replaces the service's own would have none of its hooks.
    if cfg.on_starting.__module__ != "service.server.lifecycle":
        raise SettingsError(
            f"found gunicorn's setting --config {cfg.config}, expected none: the service "
            "has its own; use flags or GUNICORN_CMD_ARGS"
        )


def check_grpc(cfg: Any) -> None:
    """Refuse to serve gRPC where that cannot work.

    Raises:
        SettingsError: says what it takes.
    """
    if not getattr(cfg.worker_class, "serves_grpc", False):
        found = f"MNIST_GRPC_BIND and gunicorn's worker {cfg.worker_class_str}"
        raise SettingsError(f"found {found}, expected the service's own worker")
    for package in ("grpc", "grpc_health", "grpc_reflection"):
        if find_spec(package) is None:  # not imported: gRPC must see no fork
            raise SettingsError(
                f"MNIST_GRPC_BIND is set, and the package {package} is missing, expected "
                "those of requirements/grpc.txt"
            )


def check_addresses(cfg: Any, grpc_bind: str = "") -> None:
    """Refuse an address that is in use, which gunicorn would try for 5 s.

    Args:
        cfg: gunicorn's settings.
        grpc_bind: the setting of that name.

    Raises:
        SettingsError: names the first one.
    """
    if {"GUNICORN_FD", "LISTEN_FDS"} & os.environ.keys():
        return  # the listeners come from systemd, or from the master that is replaced
    grpc = [parse_address(grpc_bind)] if grpc_bind else []
    for address in [*cfg.address, *grpc]:
        if not isinstance(address, tuple):
            continue  # a socket file or a descriptor
        family = socket.AF_INET6 if is_ipv6(address[0]) else socket.AF_INET
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as gunicorn does
            try:
                probe.bind(address)
            except OSError as error:
                if error.errno == errno.EADDRINUSE:
                    host, port = address
                    way = "MNIST_GRPC_BIND" if address in grpc else f"--port {port + 1}"
                    raise SettingsError(
                        f"{host}:{port} is in use, expected a free address; try {way}"
                    ) from None


def drop_handshakes(listeners: Iterable[socket.socket]) -> None:
    """Make the kernel ignore new handshakes at these sockets from now on.

    Whoever tries again after they are closed reaches another socket at their address, or
    none.
    """
    steps = b"".join(struct.pack("HBBI", *step) for step in NO_SYN)
    memory = ctypes.create_string_buffer(steps)
    program = struct.pack("HL", len(NO_SYN), ctypes.addressof(memory))
    for listener in listeners:
        if listener.family in (socket.AF_INET, socket.AF_INET6):
            with contextlib.suppress(OSError):  # not on Linux: it may be reset there
                listener.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)


def listening(port: int) -> Iterator[socket.socket]:
    """Yield this process's sockets that listen at a port, whichever library made them."""
    files = "/proc/self/fd"
    for name in os.listdir(files) if os.path.isdir(files) else []:  # macOS has none
        with contextlib.suppress(OSError):  # the folder's own has been closed
            if not os.readlink(f"{files}/{name}").startswith("socket:"):
                continue
            with socket.socket(fileno=os.dup(int(name))) as found:
                tcp = found.family in (socket.AF_INET, socket.AF_INET6)
                accepts = found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
                if tcp and accepts and found.getsockname()[1] == port:
                    yield found


def cores(cgroup: Path | None = None) -> int:
    """Return the cores that the affinity mask and the cgroup's quota allow, at least 1.

    A quota is rounded down: a worker without a whole core of its own only makes the
    others pause when the quota is used up.

    Args:
        cgroup: the process's cgroup folder; found by itself if not given.
    """
    if hasattr(os, "sched_getaffinity"):
        count = len(os.sched_getaffinity(0))
    else:  # macOS
        count = os.cpu_count() or 1
    folder = cgroup or _own_cgroup()
    # A limit further up binds as well; without the files there is no limit.
    for level in (folder, *folder.parents):
        quota = _quota(level)
        if quota is not None:
            count = min(count, int(quota))
    return max(count, 1)


def open_files() -> int:
    """Raise the limit of open files as far as allowed, and return it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(
        ValueError, OSError
    ):  # macOS: no limit, but not for the soft one
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def resident_bytes() -> int:
    """Return the resident memory of this process; 0 if the system does not say."""
    try:
        pages = Path("/proc/self/statm").read_text().split()[1]
    except OSError:  # macOS
        return 0
    return int(pages) * resource.getpagesize()


def release_code() -> None:
    """Unmap machine code; what runs again is mapped again from the page cache.

    To make a session ONNX Runtime runs 13 MB of code, and 2 MB to predict. Only mappings
    that cannot be written are released: they hold what is in their files.
    """
    madvise = getattr(ctypes.CDLL(None), "madvise", None)
    advice = mmap.MADV_DONTNEED
    with contextlib.suppress(OSError):  # macOS has no such file
        for line in Path("/proc/self/maps").read_text().splitlines():
            places, permissions, _, _, inode, *_ = line.split()
            if madvise is not None and permissions == "r-xp" and inode != "0":
                start, end = (int(place, 16) for place in places.split("-"))
                madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), advice)


def _own_cgroup() -> Path:
    """Return this process's folder in the cgroup file system, version 2 or 1."""
    root = Path("/sys/fs/cgroup")
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return root
    paths = {controllers: path for _, controllers, path in (x.split(":", 2) for x in lines)}
    for controllers, path in paths.items():
        if "cpu" in controllers.split(","):  # version 1
            return root / "cpu" / path.lstrip("/")
    return root / paths.get("", "/").lstrip("/")


def _quota(folder: Path) -> float | None:
    """Return the cores that a cgroup may use, None for no limit.

    ``cpu.max`` of version 2 holds quota and period in µs, or ``max``; version 1 has a
    file for each, with -1 for no limit.
    """
    try:
        if (folder / "cpu.max").exists():
            quota, period = (folder / "cpu.max").read_text().split()
        else:
            quota = (folder / "cpu.cfs_quota_us").read_text()
            period = (folder / "cpu.cfs_period_us").read_text()
        return int(quota) / int(period) if int(quota) > 0 else None
    except (OSError, ValueError, ZeroDivisionError):
        return None
