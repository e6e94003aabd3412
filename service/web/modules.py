"""ES modules: which of them a module needs, and all of those as one file.

A request per module costs more bytes in headers than a small module has, and what is
compressed by itself is compressed less. The bundler knows only the forms of import and
export that this project uses, and refuses others; what is served one by one may use any.
"""

import re
from collections.abc import Mapping
from graphlib import TopologicalSorter
from posixpath import dirname, join, normpath

NEEDED = re.compile(r"^(?:import|export)\b[^\"';]*[\"'](\.[^\"']+)[\"']", re.MULTILINE)
IMPORT = re.compile(r'^import \{([^}]*)\} from "(\.[^"]+)";\n', re.MULTILINE)
EXPORT = re.compile(r"^export ((?:async )?(?:const|function|class) (\w+))", re.MULTILINE)
OTHER = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)
# Comments have lines of their own here; elsewhere it could be a part of a string.
COMMENT = re.compile(r"^[ \t]*(?://.*|/\*(?:[^*]|\*(?!/))*\*/)\n", re.MULTILINE)


def needed(files: Mapping[str, bytes], name: str) -> list[str]:
    """Return the modules that a module imports statically."""
    return [_path(name, found) for found in NEEDED.findall(files[name].decode())]


def closure(files: Mapping[str, bytes], name: str) -> list[str]:
    """Return the modules that a module needs to start, itself first, each once."""
    found = [name]
    for module in found:  # grows on the way
        found += [it for it in dict.fromkeys(needed(files, module)) if it not in found]
    return found


def bundle(files: Mapping[str, bytes], name: str) -> bytes:
    """Return a module and all that it needs as one module, without comments.

    Each becomes a block, where its names are its own, after the blocks of those that it
    needs; ``$`` has what they export.

    Args:
        files: the modules by their paths.
        name: the one that is run; what it exports is lost.

    Raises:
        ValueError: modules need each other in a circle, or one imports or exports in a form
            that is not known here.
    """
    graph = {module: needed(files, module) for module in closure(files, name)}
    ordered = TopologicalSorter(graph).static_order()
    blocks = [_block(files[module].decode(), module) for module in ordered]
    return "".join(["const $ = {};\n", *blocks]).encode()


def _block(text: str, name: str) -> str:
    def take(found: re.Match[str]) -> str:
        names = found[1].replace(" as ", ": ")
        return f'const {{{names}}} = $["{_path(name, found[2])}"];\n'

    body = IMPORT.sub(take, COMMENT.sub("", text))
    exported = ", ".join(found for _, found in EXPORT.findall(body))
    body = EXPORT.sub(r"\1", body)
    if other := OTHER.search(body):
        raise ValueError(f"{name} has {other[0]!r}, expected the forms that bundles know")
    return f'{{\n{body}$["{name}"] = {{ {exported} }};\n}}\n'


def _path(name: str, relative: str) -> str:
    return normpath(join(dirname(name), relative))
