"""The check of answers, against replies that are written here, right and wrong."""

import json
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from load import answers, payloads

NAMES = tuple(payloads.PAYLOADS)
OWN, TENSORS = ("json", "png"), ("v2", "v2-binary")
LENGTH = "Inference-Header-Content-Length"


def asked(name, labels=(7, 2)):
    return payloads.Request(name, "POST", "/", {}, b"", labels)


def certain(*digits):
    """Return probabilities ``[n, 10]`` of so many digits: 0.91 each, the others 0.01."""
    return np.full((len(digits), 10), 0.01) + 0.9 * np.eye(10)[list(digits)]


def reply(name, rows, digits=None):
    """Return a dialect's reply, as its specification has it: headers and body."""
    if name == "raw":
        return {}, rows.astype("<f4").tobytes()
    if name == "v1":
        return {}, json.dumps({"predictions": rows.tolist()}).encode()
    if name in OWN:
        predictions = [
            {"digit": int(digit), "confidence": max(row), "probabilities": row}
            for digit, row in zip(
                rows.argmax(axis=1) if digits is None else digits, rows.tolist()
            )
        ]
        model = {"name": "mnist", "version": "2"}
        return {}, json.dumps({"predictions": predictions, "model": model}).encode()
    output = {"name": "probabilities", "datatype": "FP32", "shape": list(rows.shape)}
    if name == "v2":
        output["data"] = rows.ravel().tolist()
        return {}, json.dumps({"model_name": "mnist", "outputs": [output]}).encode()
    tensor = rows.astype("<f4").tobytes()
    output["parameters"] = {"binary_data_size": len(tensor)}
    head = json.dumps({"model_name": "mnist", "outputs": [output]}).encode()
    return {LENGTH: str(len(head))}, head + tensor


def problem(name, headers, body, labels=(7, 2)):
    return answers.problem(asked(name, labels), 200, headers, body)


@pytest.mark.parametrize("name", NAMES)
def test_a_right_answer_is_none(name):
    assert problem(name, *reply(name, certain(7, 2))) is None


@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_digit_is_named_with_the_right_one(name):
    assert problem(name, *reply(name, certain(7, 3))) == "read a 2 as 3"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("count", "digits"), [(1, (7,)), (3, (7, 2, 2))])
def test_too_few_and_too_many_predictions_are_counted(name, count, digits):
    found = problem(name, *reply(name, certain(*digits)))
    assert found == f"{count} predictions, expected 2"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("column", "value"), [(0, 0.02), (0, -0.01), (0, np.nan), (5, np.nan)]
)
def test_what_does_not_add_up_to_one_is_no_probabilities(name, column, value):
    rows = certain(7, 2)
    rows[1, column] = value
    found = problem(name, *reply(name, rows))
    assert found == "not ten probabilities that add up to 1"


@pytest.mark.parametrize("name", NAMES)
def test_a_negative_number_is_no_probability_even_if_the_sum_is_one(name):
    rows = certain(7, 2)
    rows[1, :2] = -0.01, 0.03
    found = problem(name, *reply(name, rows))
    assert found == "not ten probabilities that add up to 1"


@pytest.mark.parametrize("name", NAMES)
def test_a_sum_that_is_one_but_for_rounding_is_right(name):
    assert problem(name, *reply(name, certain(7, 2) + 0.00009)) is None


@pytest.mark.parametrize("name", NAMES)
def test_nine_probabilities_are_not_an_answer(name):
    rows = np.delete(certain(7, 2), 9, axis=1) + 0.01 / 9
    assert problem(name, *reply(name, rows)) in (
        "not ten probabilities that add up to 1",
        f"not an answer to {name}",
    )


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("lost", [1, 4, 200])
def test_a_truncated_answer_is_none(name, lost):
    headers, body = reply(name, certain(7, 2))
    assert problem(name, headers, body[:-lost]) in (
        f"not an answer to {name}",
        "0 predictions, expected 2",
    )


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("body", [b"", b"<html>Bad Gateway</html>", b"null", b"[" * 99_999])
def test_what_is_no_answer_is_a_failure(name, body):
    found = problem(name, {LENGTH: str(len(body))}, body)
    assert found in (f"not an answer to {name}", "0 predictions, expected 2")


@pytest.mark.parametrize(
    ("name", "other"), [pair for pair in permutations(NAMES, 2) if set(pair) != set(OWN)]
)
def test_an_answer_in_another_dialect_is_none(name, other):
    assert problem(name, *reply(other, certain(7, 2))) is not None


def test_a_binary_tensor_that_is_cut_or_goes_on_is_no_answer():
    headers, body = reply("v2-binary", certain(7, 2))
    for other in (body[:-40], body + bytes(40)):
        assert problem("v2-binary", headers, other) == "not an answer to v2-binary"


def test_a_binary_tensor_that_announces_another_size_is_no_answer():
    headers, body = reply("v2-binary", certain(7, 2))
    other = body.replace(b'"binary_data_size": 80', b'"binary_data_size": 40')
    assert other != body
    assert problem("v2-binary", headers, other) == "not an answer to v2-binary"


@pytest.mark.parametrize("name", ["json", "png", "v1", "v2"])
def test_a_number_past_every_float_is_no_answer(name):
    headers, body = reply(name, certain(7, 2))
    other = body.replace(b"0.01", b"1" + b"0" * 400, 1)
    assert problem(name, headers, other) == f"not an answer to {name}"


@pytest.mark.parametrize("length", [None, "", "x", "-1", "0", "9" * 5000])
def test_a_binary_tensor_whose_beginning_is_not_told_is_no_answer(length):
    _, body = reply("v2-binary", certain(7, 2))
    headers = {} if length is None else {LENGTH: length}
    assert problem("v2-binary", headers, body) == "not an answer to v2-binary"


@pytest.mark.parametrize(
    ("key", "value"),
    [("name", "other"), ("datatype", "FP64"), ("shape", [10, 2]), ("shape", [20])],
)
def test_another_tensor_is_no_answer(key, value):
    _, body = reply("v2", certain(7, 2))
    document = json.loads(body)
    document["outputs"][0][key] = value
    assert problem("v2", {}, json.dumps(document).encode()) == "not an answer to v2"


@pytest.mark.parametrize("name", OWN)
@pytest.mark.parametrize("digits", [(7, 3), (7, 11), (7, None)])
def test_the_digit_must_be_that_of_the_probabilities(name, digits):
    rows = certain(7, 2)
    _, body = reply(name, rows)
    document = json.loads(body)
    for prediction, digit in zip(document["predictions"], digits):
        prediction["digit"] = digit
    found = problem(name, {}, json.dumps(document).encode())
    assert found == "a digit that is not the most probable one"


@pytest.mark.parametrize(("status", "reason"), [(503, "status 503"), (0, "no answer")])
def test_another_status_is_a_failure_whatever_the_body(status, reason):
    headers, body = reply("json", certain(7, 2))
    assert answers.problem(asked("json"), status, headers, body) == reason


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=10)
        | st.dictionaries(
            st.sampled_from(
                ["predictions", "outputs", "probabilities", "digit", "data", "shape"]
            ),
            inner,
        )
    ),
)


@settings(max_examples=30)  # one is long in the making
@given(name=st.sampled_from(NAMES), key=st.sampled_from(["predictions", "x"]), value=values)
def test_no_json_breaks_the_check(name, key, value):
    body = json.dumps({key: value, "outputs": value}).encode()
    assert problem(name, {LENGTH: str(len(body))}, body) is not None


@given(name=st.sampled_from(NAMES), body=st.binary(), length=st.integers(0, 20))
def test_no_bytes_break_the_check(name, body, length):
    assert problem(name, {LENGTH: str(length)}, body) is not None


@pytest.mark.parametrize("name", NAMES)
def test_a_known_answer_is_still_wrong_for_another_request(name):
    headers, body = reply(name, certain(7, 2))
    assert problem(name, headers, body) is None
    assert problem(name, headers, body, labels=(7, 1)) == "read a 1 as 2"
    assert problem(name, headers, body, labels=(7,)) == "2 predictions, expected 1"


@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_digit_is_no_failure_where_the_right_ones_are_counted(name):
    headers, body = reply(name, certain(7, 3, 2))
    assert answers.score(asked(name, (7, 2, 2)), 200, headers, body) == 2


@pytest.mark.parametrize("name", NAMES)
def test_what_is_no_answer_is_not_counted_as_wrong_digits(name):
    headers, body = reply(name, certain(7))
    with pytest.raises(answers.AnswerError, match="1 predictions, expected 2"):
        answers.score(asked(name), 200, headers, body)


def test_a_known_answer_is_not_parsed_again():
    headers, body = reply("json", certain(7, 2, 9))
    before = answers._read.cache_info().misses
    for _ in range(3):
        assert problem("json", headers, bytes(bytearray(body)), (7, 2, 9)) is None
    assert answers._read.cache_info().misses == before + 1


def test_known_answers_are_bounded():
    for number in range(answers.KEPT + 10):
        _, body = reply("raw", certain(7) + number * 1e-7)
        assert problem("raw", {}, body, labels=(7,)) is None
    assert answers._read.cache_info().currsize == answers.KEPT


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("decode;dur=0.05, infer;dur=2", {"decode": 5e-5, "infer": 2e-3}),
        ('cache;desc="a hit";dur=20, db;dur=5;desc="of two"', {"cache": 0.02, "db": 5e-3}),
        ("miss, total;dur=nan", {}),
        ("", {}),
    ],
)
def test_stages_are_read_from_any_server(text, found):
    assert answers.stages(text) == found
