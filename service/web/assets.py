"""Folders of files that clients may keep for good.

`/static/HASH/draw.js` never changes, so it is sent as immutable. The hash is that of the
whole folder: modules and styles find each other by relative URLs. Below another hash, or
none, the same file is sent with no-cache, since during a rolling update a page of one
release asks the servers of another.
"""

from collections.abc import Mapping
from functools import cached_property, lru_cache
from hashlib import sha256
from pathlib import Path

from flask import Response
from werkzeug.exceptions import NotFound
from werkzeug.routing import BaseConverter

from service.web import modules
from service.web.responses import Kept, kept, squeeze

# Not the host's table (`mimetypes`), which differs from one to the next.
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".woff2": "font/woff2",
}
OTHER = "application/octet-stream"
DIGITS = 16  # of a hash in a URL: 64 bits tell releases apart


class Hash(BaseConverter):
    """A segment of a path that is the hash of some release's folder."""

    regex = f"[0-9a-f]{{{DIGITS}}}"


class Assets:
    """The files of a folder, read and hashed when the first is needed, then kept.

    Args:
        folder: all that is in it is public.
        bundles: files that are made of its modules, and the module that each starts with.
    """

    def __init__(self, folder: Path, bundles: Mapping[str, str] | None = None) -> None:
        self._folder = folder
        self._bundles = bundles or {}
        # A method's cache would outlive the object.
        self._represent = lru_cache(maxsize=None)(self._make)

    @cached_property
    def _files(self) -> dict[str, bytes]:
        paths = sorted(path for path in self._folder.rglob("*") if path.is_file())
        files = {
            path.relative_to(self._folder).as_posix(): path.read_bytes() for path in paths
        }
        # In the hash too: another release may make another bundle of the same modules.
        made = {name: modules.bundle(files, start) for name, start in self._bundles.items()}
        return files | made

    @cached_property
    def hash(self) -> str:
        """The hash of all names and contents, as URLs have it."""
        digest = sha256()
        for name, content in self._files.items():
            digest.update(f"{name}\0{len(content)}\0".encode() + content)
        return digest.hexdigest()[:DIGITS]

    def send(self, name: str, asked: str = "") -> Response:
        """Return the reply to a request for a file.

        Args:
            name: its path in the folder.
            asked: the hash in the URL.

        Raises:
            NotFound: there is no such file.
        """
        if name not in self._files:
            raise NotFound
        return kept(self._represent(name), for_good=asked == self.hash)

    def modules(self, name: str) -> list[str]:
        """Return the modules that a module needs to start, itself first, each once."""
        return modules.closure(self._files, name)

    def _make(self, name: str) -> Kept:
        kind = TYPES.get(Path(name).suffix, OTHER)
        return squeeze(self._files[name], kind)
