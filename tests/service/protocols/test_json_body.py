"""Keys that stand twice in one object of JSON."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.protocols import Limits, json_body, oip, predict, tfserving

ONE = [0, 255] * 392
# Keys and strings of what JSON itself is made of.
text = st.text('{}:," \\\n[]aé', max_size=3)


class Pairs(list):
    """An object as it is written: its pairs in their order, which may have a key twice."""

    def write(self, space, escape):
        inner = f",{space}".join(
            f"{json.dumps(k, ensure_ascii=escape)}{space}:{write(v, space, escape)}"
            for k, v in self
        )
        return f"{{{space}{inner}{space}}}"

    @property
    def twice(self):
        keys = [key for key, _ in self]
        return len(set(keys)) < len(keys) or any(twice(v) for _, v in self)


def write(value, space, escape):
    if isinstance(value, Pairs):
        return value.write(space, escape)
    if isinstance(value, list):
        return f"[{space}{','.join(write(v, space, escape) for v in value)}]"
    return json.dumps(value, ensure_ascii=escape)


def twice(value):
    if isinstance(value, Pairs):
        return value.twice
    return isinstance(value, list) and any(twice(v) for v in value)


values = st.recursive(
    st.none() | st.integers() | text,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(st.tuples(text, inner), max_size=4).map(Pairs)
    ),
    max_leaves=12,
)


@given(values, st.sampled_from(["", " ", "\n\t "]), st.booleans())
def test_a_key_is_found_where_it_stands_twice_in_one_object(value, space, escape):
    body = write(value, space, escape).encode()
    found = json_body.find_duplicate_key(body)
    assert (found is not None) == twice(value)


def test_a_body_that_came_in_pieces_is_read_too():
    assert json_body.find_duplicate_key(bytearray(b'{"a": 1, "a": 2}')) == "a"
    assert json_body.find_duplicate_key(bytearray(b'{"a": 1, "b": 2}')) is None


def test_two_ways_to_write_a_key_are_one_key():
    assert json_body.find_duplicate_key(rb'{"a": 1, "\u0061": 2}') == "a"


PARTS = {
    "pictures": b'{"instances": [%b]}' % b",".join([b'{"b64":""}'] * 381_296),
    "lists": b'{"instances": [%b]}' % b" , ".join([b"[]"] * 100_000),
    "keys": b"{%b}" % b",".join(b'"%d":0' % n for n in range(200_000)),
    "strings": b'{"instances": [%b]}' % b",".join([b'""'] * 200_000),
}


@pytest.mark.parametrize("kind", PARTS)
def test_far_more_parts_than_images_have_are_refused_before_they_are_built(kind):
    for dialect in (predict, tfserving, oip):
        options = dialect.read_head({"content-type": "application/json"}, {})
        (error,) = dialect.decode(options, [PARTS[kind]], Limits()).refused.values()
        assert (error.status, error.message.startswith("body has ")) == (413, True)


def test_brackets_that_only_nest_are_the_parsers_to_refuse():
    body = b'{"instances": ' + b"[" * 100_000
    options = predict.read_head({"content-type": "application/json"}, {})
    (error,) = predict.decode(options, [body], Limits()).refused.values()
    assert error.status == 422


def test_images_of_rows_are_within_the_parts():
    rows = json.dumps([[0, 255] * 14] * 28)
    body = f'{{"instances": [{", ".join([rows] * 64)}]}}'.encode()
    options = predict.read_head({"content-type": "application/json"}, {})
    assert predict.decode(options, [body], Limits(64)).counts == [64]


image = json.dumps(ONE)
tensor = f'"name": "image", "datatype": "UINT8", "shape": [1, 784], "data": {image}'
TWICE = {
    "predict": (predict, f'{{"instances": [], "instances": [{image}]}}', "instances"),
    "predict b64": (predict, '{"instances": [{"b64": "", "b64": ""}]}', "b64"),
    "v1": (tfserving, f'{{"instances": [{image}], "instances": [{image}]}}', "instances"),
    "v1 row": (tfserving, f'{{"instances": [{{"image": [], "image": {image}}}]}}', "image"),
    "v2": (oip, f'{{"inputs": [], "inputs": [{{{tensor}}}]}}', "inputs"),
    "v2 tensor": (oip, f'{{"inputs": [{{"datatype": "FP32", {tensor}}}]}}', "datatype"),
    "v2 unread": (oip, f'{{"inputs": [{{{tensor}}}], "x": {{"y": 1, "y": 2}}}}', "y"),
}


@pytest.mark.parametrize("name", TWICE)
def test_every_dialect_refuses_it(name):
    dialect, body, key = TWICE[name]
    options = dialect.read_head({"content-type": "application/json"}, {})
    found = dialect.decode(options, [body.encode()], Limits())
    assert found.refused[0].status == 400
    assert f"an object has the key {key!r} twice" in found.refused[0].message


@pytest.mark.parametrize("dialect", [predict, tfserving, oip], ids=lambda d: d.NAME)
@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b" [%b]" % b",".join([b"0.5"] * 784), "a list of 784 numbers"),
        (b'[{"b64": ""}]', "a list"),
        (b"[1, 2", "a list"),
    ],
    ids=["numbers", "pictures", "torn"],
)
def test_a_list_in_place_of_the_request_is_told_as_one(dialect, body, found):
    head = {"content-type": "application/json"}
    options = dialect.read_head(head, {})
    error = dialect.decode(options, [body], Limits()).refused[0]
    assert (error.status, str(error)) == (
        400,
        f"found {found}, expected {dialect.EXPECTED}",
    )
