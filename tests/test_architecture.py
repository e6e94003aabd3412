"""The rules of the four rooms: who imports whom."""

import ast
import subprocess
import sys

import pytest


def imported(path):
    """Return the first two parts of every module that a file imports."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def tops(path):
    return {name.partition(".")[0] for name in imported(path)}


def files(root, package):
    return sorted((root / package).rglob("*.py"))


def test_service_imports_nothing_of_training(root):
    for path in files(root, "service"):
        assert not tops(path) & {
            "training",
            "load",
            "tensorflow",
            "keras",
            "onnx",
            "tf2onnx",
        }


def test_load_imports_neither_service_nor_training(root):
    for path in files(root, "load"):
        assert not tops(path) & {"service", "training"}


def test_training_does_not_import_service(root):
    for path in files(root, "training"):
        if path != root / "training" / "report" / "frames.py":
            assert not tops(path) & {"service", "load", "flask"}


def test_only_the_reports_frames_use_the_services_pictures_and_pen(root):
    """A picture's way into the frame is measured with the code that users meet."""
    path = root / "training" / "report" / "frames.py"
    inside = {name for name in imported(path) if name.partition(".")[0] == "service"}
    assert inside <= {
        "service",
        "service.errors",
        "service.errors.RequestError",
        "service.images",
        "service.pictures",
    }
    assert not tops(path) & {"load", "flask"}


def test_protocols_know_no_flask_no_model_and_no_socket(root):
    foreign = {
        "flask",
        "werkzeug",
        "gunicorn",
        "socket",
        "onnxruntime",
        "prometheus_client",
    }
    for path in files(root, "service/protocols"):
        assert not tops(path) & foreign
        inside = {name for name in imported(path) if name.startswith("service.")}
        assert all(
            name.startswith(
                (
                    "service.errors",
                    "service.layers",
                    "service.protocols",
                    "service.pictures",
                )
            )
            for name in inside
        )


def test_model_knows_no_http(root):
    for name in ("model", "layers", "images", "pictures", "digits", "gallery"):
        found = tops(root / "service" / f"{name}.py") | imported(
            root / "service" / f"{name}.py"
        )
        assert not found & {"flask", "werkzeug", "service.protocols", "service.routes"}


@pytest.mark.parametrize("package", ["training", "service"])
def test_importing_a_package_does_no_work(root, package):
    script = f"import sys, {package}; print(*sys.modules)"
    command = [sys.executable, "-c", script]
    loaded = subprocess.run(
        command, cwd=root, capture_output=True, text=True, check=True
    ).stdout
    assert not {"numpy", "flask", "onnxruntime", "tensorflow"} & set(loaded.split())


def test_only_one_module_knows_opentelemetry_and_it_is_imported_where_it_is_wanted(root):
    knowing = [
        path.name for path in files(root, "service") if "opentelemetry" in tops(path)
    ]
    assert knowing == ["tracing.py"]
    script = "import sys; from service import create_app; create_app(); print(*sys.modules)"
    command = [sys.executable, "-c", script]
    loaded = subprocess.run(
        command, cwd=root, capture_output=True, text=True, check=True
    ).stdout
    assert "service.routes" in loaded.split()
    assert "service.tracing" not in loaded.split()
