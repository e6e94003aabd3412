"""The rooms of the service: who may import whom, and which library lives where."""

import ast
import graphlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
GROUND = {"errors", "settings", "http"}
# docs/architecture.md quotes this table.
MAY_IMPORT = {
    "errors": set(),
    "settings": {"errors"},
    "http": {"errors"},
    "port": set(),
    "pictures": {"errors"},
    "model": GROUND | {"pictures"},
    "protocols": {"errors", "http", "pictures"},
    "monitoring": GROUND,
    "inference": GROUND | {"monitoring", "model", "protocols"},
    "web": GROUND | {"monitoring", "model", "inference"},
    "server": GROUND | {"monitoring", "model", "inference"},
    "rpc": GROUND | {"monitoring", "protocols", "inference"},
}
WIRING = {"__init__", "__main__", "wsgi", "gunicorn"}  # gunicorn.conf; may import all
ONLY_IN = {
    "flask": {"web"},
    "flask_openapi3_swagger": {"web"},
    "gunicorn": {"server"},
    "uvloop": {"server"},
    "httptools": {"server"},
    "onnxruntime": {"model"},
    "PIL": {"pictures"},
    "prometheus_client": {"monitoring"},
    "opentelemetry": {"monitoring"},
    "grpc": {"rpc"},
    "grpc_health": {"rpc"},
    "grpc_reflection": {"rpc"},
    "google": {"rpc"},
}
# Libraries of the wiring: the application's type, and gunicorn's error for one line.
WIRING_LIBRARIES = {"__init__": {"flask"}, "wsgi": {"flask", "gunicorn"}}
MOST_MODULES, MOST_LINES, MOST_FUNCTION_LINES = 12, 300, 60


def module_name(path):
    """Return the dotted name of a file of a package."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = sorted((ROOT / "service").rglob("*.py"))
MODULES = {module_name(path): path for path in FILES}


def imported(path):
    """Return every name that a file imports, also in functions and for types alone."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def modules_imported(path):
    """Return the modules of the service that a file imports."""
    found = set()
    for name in imported(path):
        while name and name not in MODULES:
            name = name.rpartition(".")[0]
        if name:
            found.add(name)
    return found


def room_of(name):
    """Return the room, or the ground module, of a module; the wiring's own name."""
    parts = name.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def tops(path):
    return {name.partition(".")[0] for name in imported(path)}


def python_files(root, package):
    return sorted((root / package).rglob("*.py"))


def test_every_file_stands_in_a_room():
    assert {room_of(name) for name in MODULES} == {*MAY_IMPORT, *WIRING}


@pytest.mark.parametrize("name", MODULES)
def test_a_room_imports_only_what_stands_below_it(name):
    room = room_of(name)
    if room not in WIRING:
        found = {room_of(other) for other in modules_imported(MODULES[name])}
        assert found <= MAY_IMPORT[room] | {room}


@pytest.mark.parametrize("name", MODULES)
def test_a_library_lives_in_one_room(name):
    room = room_of(name)
    for library in tops(MODULES[name]) & ONLY_IN.keys():
        allowed = {"__init__", "wsgi"} & {room}
        if allowed:
            assert library in WIRING_LIBRARIES[room]
        else:
            assert room in ONLY_IN[library]


def test_no_file_stands_in_a_circle():
    # A package's own __init__ runs before its modules, which is no import of theirs.
    graph = {name: modules_imported(path) for name, path in MODULES.items()}
    graphlib.TopologicalSorter(graph).prepare()  # raises CycleError


def test_no_room_has_too_many_modules():
    folders = {path.parent for path in FILES}
    counts = {folder: len(list(folder.glob("*.py"))) for folder in folders}
    counts = {
        folder: count - (folder / "__init__.py").exists()
        for folder, count in counts.items()
    }
    assert {f: n for f, n in counts.items() if n > MOST_MODULES} == {}


@pytest.mark.parametrize("name", MODULES)
def test_no_file_or_function_is_too_long(name):
    text = MODULES[name].read_text()
    assert len(text.splitlines()) <= MOST_LINES
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno - node.lineno < MOST_FUNCTION_LINES, node.name


def test_service_imports_nothing_of_training(root):
    foreign = {"training", "load", "tensorflow", "keras", "onnx", "tf2onnx"}
    for path in python_files(root, "service"):
        assert not tops(path) & foreign


def test_load_imports_neither_service_nor_training(root):
    for path in python_files(root, "load"):
        assert not tops(path) & {"service", "training"}


# Training on pictures, and the report on them, take the way into the frame that users meet.
USE_PICTURES = {"training.own", "training.best.pen", "training.report.frames"}


def test_training_imports_nothing_of_service_but_pictures(root):
    for path in python_files(root, "training"):
        assert not tops(path) & {"load", "flask"}
        if module_name(path) in USE_PICTURES:
            assert {room_of(name) for name in modules_imported(path)} <= {
                "errors",
                "pictures",
            }
        else:
            assert "service" not in tops(path)


@pytest.mark.parametrize("package", ["training", "service"])
def test_importing_a_package_does_no_work(root, package):
    assert not {"numpy", "flask", "onnxruntime", "tensorflow"} & loaded(
        root, f"import {package}"
    )


def test_the_master_loads_neither_the_model_nor_flask(root):
    script = "import service.server.master, service.server.lifecycle"
    assert not {"numpy", "flask", "onnxruntime", "PIL"} & loaded(root, script)


def test_opentelemetry_is_imported_only_if_it_is_wanted(root):
    script = "from service import create_app; create_app()"
    found = loaded(root, script)
    assert "service.web" in found
    assert "service.monitoring.spans" not in found


def loaded(root, script):
    """Return the modules that are loaded after a script."""
    command = [sys.executable, "-c", f"import sys; {script}; print(*sys.modules)"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    return {*done.stdout.split()}


def test_the_page_on_architecture_quotes_the_table(root):
    page = (root / "docs" / "architecture.md").read_text()
    table = page.partition("| room | may import |")[2].partition("\n\n")[0]
    rows = [row.split("|")[1:3] for row in table.splitlines() if "`" in row]
    quoted = {name.strip(" `"): {*re.findall(r"`(\w+)`", cell)} for name, cell in rows}
    assert quoted == MAY_IMPORT


def test_the_page_on_architecture_names_files_that_exist(root):
    page = (root / "docs" / "architecture.md").read_text()
    named = {*re.findall(r"`((?:[a-z0-9_]+/)+[a-z0-9_.]*)`", page)}
    missing = {
        name
        for name in named
        if not ((root / name).exists() or (root / "service" / name).exists())
    }
    assert missing == set()


def test_the_glossary_is_short(root):
    page = (root / "docs" / "architecture.md").read_text()
    table = page.partition("| word | meaning |")[2].partition("\n\n")[0]
    assert len(table.strip().splitlines()) - 1 <= 20


def test_the_page_on_architecture_names_every_module(root):
    page = (root / "docs" / "architecture.md").read_text()
    table = page.partition("| room | what it does")[2].partition("\n\n")[0]
    modules = {path.stem for path in FILES if path.parent != root / "service"}
    assert {name for name in modules if f"`{name}`" not in table} <= {"__init__"}
