"""What the pages load: kept for good below a hash, compressed, from nowhere else."""

import gzip
import re

import pytest

from bench.harness.server import ROOT
from service.web.assets import Assets

STATIC = ROOT / "service" / "web" / "static"
OTHER = "0123456789abcdef"  # the hash of no release
COMPRESSED = ["/", "/learn", "/docs", "/static/draw.js", "/static/style.css"]
COMPRESSED += ["/docs/css/swagger-ui.css", "/openapi.json", "/gallery.json", "/lesson.json"]


def tree(server):
    """Where a page has its assets, such as static/60f713a014c9d01a."""
    return re.search(r'"(static/[0-9a-f]{16})/', server.request("GET", "/").body.decode())[
        1
    ]


def ask(server, path, **headers):
    """Ask with headers such as accept_encoding."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return server.request("GET", path, headers=named)


@pytest.mark.parametrize("name", ["draw.js", "learn/bend.js", "style.css", "card.png"])
def test_below_its_hash_a_file_is_kept_for_good(server, name):
    answer = ask(server, f"/{tree(server)}/{name}")
    assert (answer.status, answer.body) == (200, (STATIC / name).read_bytes())
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize("path", ["/static/{}draw.js", "/docs/{}css/swagger-ui.css"])
def test_below_another_hash_it_is_the_same_file_but_not_for_good(server, path):
    """A page of one release may ask a server of another."""
    plain, other = (ask(server, path.format(part)) for part in ("", f"{OTHER}/"))
    assert (other.status, other.body) == (200, plain.body)
    assert other.headers["ETag"] == plain.headers["ETag"]
    assert {it.headers["Cache-Control"] for it in (plain, other)} == {"no-cache"}


@pytest.mark.parametrize("path", COMPRESSED)
def test_who_takes_gzip_gets_it(server, path):
    plain, packed = ask(server, path), ask(server, path, accept_encoding="br, gzip")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert len(packed.body) < 0.6 * len(plain.body)
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["ETag"] != plain.headers["ETag"]
    assert {it.headers["Vary"] for it in (plain, packed)} == {"Accept-Encoding"}


def test_what_gzip_would_not_shorten_is_sent_as_it_is(server):
    answer = ask(server, "/static/card.png", accept_encoding="gzip")
    assert "Content-Encoding" not in answer.headers
    assert answer.body == (STATIC / "card.png").read_bytes()


PACKED = dict(
    [
        *(("gzip", True), ("GZip", True), ("*", True), ("br;q=1, gzip;q=0.1", True)),
        *(("gzip;q=0.5, identity;q=0.4", True), ("gzip;q=0.4, identity;q=0.5", False)),
        *(("gzip;q=0", False), ("gzip;q=0, *", False), ("*;q=0", False), ("br", False)),
        *(("", False), (",", False), ("gzip;q=x", False), ("gzip;q=-1", False)),
        *(("gzip;q=1e9", False), ("identity;q=0, gzip", True), ("gzip" * 900, False)),
    ]
)


def test_gzip_is_sent_to_those_alone_who_prefer_it(server):
    for accepted, packed in PACKED.items():
        answer = ask(server, "/static/draw.js", accept_encoding=accepted)
        assert answer.status == 200, accepted
        assert ("Content-Encoding" in answer.headers) == packed, accepted


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_a_validator_in_a_list_is_found(server, encoding):
    path = f"/{tree(server)}/draw.js"
    tag = ask(server, path, accept_encoding=encoding).headers["ETag"]
    for known in (f'"x", {tag}', f'W/"y",{tag},"z"', f"W/{tag}", "*"):
        again = ask(server, path, accept_encoding=encoding, if_none_match=known)
        assert (again.status, again.body, again.headers["ETag"]) == (304, b"", tag)
        assert again.headers["Vary"] == "Accept-Encoding"
        assert "immutable" in again.headers["Cache-Control"]
    for other in ('"x"', "x", tag[:-2] + '"', '"', ",", ""):
        again = ask(server, path, accept_encoding=encoding, if_none_match=other)
        assert again.status == 200, other


def test_each_encoding_has_its_own_parts(server):
    path = "/static/draw.js"
    packed = ask(server, path, accept_encoding="gzip")
    tag = ask(server, path).headers["ETag"]
    headers = {"accept_encoding": "gzip", "range": "bytes=10-19"}
    part = ask(server, path, **headers, if_range=packed.headers["ETag"])
    assert (part.status, part.body) == (206, packed.body[10:20])
    assert part.headers["Content-Range"] == f"bytes 10-19/{len(packed.body)}"
    whole = ask(server, path, **headers, if_range=tag)  # of the other
    assert (whole.status, whole.body) == (200, packed.body)


RANGES = dict(
    [
        *(("bytes=0-", 206), ("bytes=-1", 206), ("bytes=0-0", 206)),
        *(("bytes=99999999-", 416), ("bytes=5-1", 200), ("lines=1-2", 200)),
        *(("bytes=", 200), ("bytes=a-b", 200), ("bytes=0-1,5-6", 200)),
    ]
)


def test_a_range_is_sent_refused_or_ignored(server):
    found = {asked: ask(server, "/static/draw.js", range=asked).status for asked in RANGES}
    assert found == RANGES


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_a_head_has_the_length_of_its_get_in_each_encoding(server, encoding):
    headers = {"Accept-Encoding": encoding}
    for path in ("/", "/static/draw.js"):
        head, full = (
            server.request(method, path, headers=headers) for method in ("HEAD", "GET")
        )
        assert head.body == b""
        assert head.headers["Content-Length"] == str(len(full.body))


NO_FILES = [
    *("/{}", "/{}/", "/{}//draw.js", "/{}/nope.js", "/{}/learn", "/{}/draw.js/"),
    *("/{}/../draw.css", "/{}/../../pages.py", "/{}/%2e%2e/%2e%2e/pages.py"),
    *("/{}/..%2fpages.py", "/{}/%00", "/{}/draw.js%00", "/{}/\\..\\pages.py"),
    *("/{0}/{0}/draw.js", "/{}/{}", "/{}/DRAW.JS", "/{}/./draw.js", "/{}/%ff"),
    *("/{}//etc/passwd", "/{}/" + "a" * 3000, "/static/" + OTHER, "/static/"),
    *(f"/static/{OTHER.upper()}/draw.js", f"/static/{OTHER}0/draw.js"),
    *(f"/docs/{OTHER}/../plugins.py", f"/docs/{OTHER}/draw.js", "/docs/{}"),
]


def test_there_is_no_other_file(server):
    here = tree(server)
    for path in NO_FILES:
        whole = path.replace("{0}/{0}", "{}/{}").format(here, here.split("/")[1])
        answer = ask(server, whole)
        assert (answer.status, list(answer.json)) == (404, ["error"]), path


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a.js").write_text("one")
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "b.css").write_text("two")
    return tmp_path


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "a.js").write_text("oNe"),
        lambda folder: (folder / "c").write_text(""),
        lambda folder: (folder / "a.js").rename(folder / "c.js"),
        lambda folder: (folder / "below" / "b.css").rename(folder / "b.css"),
        lambda folder: [(folder / "a.js").write_text(""), (folder / "c").write_text("one")],
    ],
    ids=["content", "new", "name", "place", "border"],
)
def test_any_change_is_another_hash(folder, change):
    before = Assets(folder).hash
    assert Assets(folder).hash == before
    change(folder)
    assert Assets(folder).hash != before


def test_another_bundle_of_the_same_files_is_another_hash(folder):
    (folder / "b.js").write_text("two")
    one, two = (Assets(folder, {"all.js": start}) for start in ("a.js", "b.js"))
    assert len({Assets(folder).hash, one.hash, two.hash}) == 3


def test_nothing_is_read_before_it_is_needed(folder):
    assets = Assets(folder)
    (folder / "a.js").write_text("late")
    assert assets.hash == Assets(folder).hash


def test_every_file_has_a_known_type(server):
    for path in STATIC.rglob("*"):
        if path.is_file():
            answer = ask(server, f"/static/{path.relative_to(STATIC)}")
            assert answer.headers["Content-Type"] != "application/octet-stream", path
