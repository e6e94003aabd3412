"""Modules that are imported once a test needs them."""

import importlib.util
import sys


def lazy(name):
    """Return a module that is imported at the first use of it.

    For TensorFlow, three seconds of CPU, and SciPy's statistics, one: each process collects
    all tests, and one of them runs those that need it.
    """
    if name not in sys.modules:
        spec = importlib.util.find_spec(name)
        spec.loader = importlib.util.LazyLoader(spec.loader)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]
