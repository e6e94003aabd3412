"""Multipart forms: read as other programs write them, refused as werkzeug refuses them."""

from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from urllib3.filepost import encode_multipart_formdata
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import FormDataParser
from werkzeug.http import parse_options_header

from service.errors import RequestError
from service.protocols import Limits, explain, predict
from service.protocols.forms import MAX_HEAD, read_boundary, read_files

TYPE = "multipart/form-data; boundary="
MOST = 4
PIECE = 64 * 1024  # that werkzeug's own parser reads at a time


def part(content=b"x", field='name="image"; filename="../../x"'):
    return b"--B\r\nContent-Disposition: form-data; %b\r\n\r\n%b\r\n" % (
        field.encode(),
        content,
    )


def refusal(body, content_type=TYPE + "B"):
    """Return status and message of the error for a form that is not accepted."""
    with pytest.raises(RequestError) as caught:
        read_files(body, read_boundary(content_type), MOST)
    return caught.value.status, caught.value.message


# Contents longer than a piece, too, with what separates parts at every place in it.
lengths = st.integers(0, 20) | st.integers(PIECE - 200, PIECE + 20)
contents = st.builds(
    lambda length, end: bytes(length) + end,
    lengths,
    st.text("\r\n-B", max_size=12).map(str.encode) | st.binary(max_size=12),
)
boundaries = st.text("ABab09'()+_,./:=? -", min_size=1, max_size=70).filter(
    lambda text: text == text.rstrip()
)
# Without backslashes: urllib3 follows HTML and does not escape them, werkzeug follows HTTP.
characters = st.characters(
    codec="ascii", exclude_categories=["Cc"], exclude_characters="\\"
)
filenames = st.text(characters, max_size=8)


@given(
    st.lists(st.tuples(filenames, contents), min_size=1, max_size=MOST),
    boundaries,
    st.booleans(),
)
def test_files_that_urllib3_writes_come_back(files, boundary, quoted):
    if any(f"--{boundary}".encode() in content for _, content in files):
        return  # a client draws another boundary then
    fields = [("image", (name, content, "image/png")) for name, content in files]
    body, content_type = encode_multipart_formdata(fields, boundary)
    if quoted or not boundary.isalnum():
        content_type = f'{TYPE}"{boundary}"'
    assert read_boundary(content_type) == boundary
    assert read_files(body, boundary, MOST) == [content for _, content in files]


class Whole(BytesIO):
    """A stream read in one piece: with a boundary in two, a file gets a CR more."""

    def read(self, size=-1):
        return super().read()


def read_by_werkzeug(body, content_type):
    """Return the files, or status and message, by werkzeug's own parser of forms."""
    parser = FormDataParser(lambda *_, **__: BytesIO(), max_form_parts=MOST)
    media_type, parameters = parse_options_header(content_type)
    try:
        _, fields, found = parser.parse(Whole(body), media_type, len(body), parameters)
    except RequestEntityTooLarge:
        return 413, "form has too many parts or too long a field"
    if "image" in fields:
        return no_filename()
    names = sorted({name or "" for name in (*fields, *(found.keys() - {"image"}))})
    if names or not found:
        expected = "expected files in the field 'image'"
        return 400, f"form has the fields {names!r:.100}, {expected}"
    return [file.read() for file in found.getlist("image")]


def no_filename():
    return 400, (
        "form has a part 'image' without a filename, expected a file: "
        'Content-Disposition: form-data; name="image"; filename="..."'
    )


headers = st.sampled_from(
    [
        b'Content-Disposition: form-data; name="image"; filename="x"',
        b'content-disposition: form-data; name=image; filename=""',
        b'Content-Disposition: form-data; name="image"',
        b'Content-Disposition: form-data; name="other"; filename="x"',
        b"Content-Disposition: form-data; name*=utf-8''%e2%82%ac",
        b"Content-Disposition: form-data; filename=x",
        b"Content-Disposition: form-data",
        b"Content-Type: text/plain; charset=utf-7",
        b"Content-Length: x",
        b"\xff: x",
        b" continued",
        b"",
    ]
)
marks = st.sampled_from(
    [b"--B", b"--B--", b"--B \t", b"--BB", b"-", b"\r\n", b"\r", b"\n", bytes(PIECE)]
)
types = st.sampled_from(
    [f"{TYPE}B", f'{TYPE}"B"', f"{TYPE}b", f"{TYPE}-", TYPE, f"{TYPE}\xe9", TYPE[:19]]
) | st.text(max_size=5).map(lambda text: TYPE + text)


@settings(max_examples=500)
@given(
    st.lists(st.one_of(headers, marks, contents), max_size=20).map(b"".join)
    | st.builds(
        lambda parts, end: (
            b"".join(b"--B\r\n%b\r\n\r\n%b\r\n" % (b"\r\n".join(h), c) for h, c in parts)
            + end
        ),
        st.lists(st.tuples(st.lists(headers, max_size=3), contents), max_size=MOST + 1),
        st.sampled_from([b"--B--\r\n", b"--B--", b"--B", b"", b"--B--\r\nepilogue"]),
    ),
    st.just(f"{TYPE}B") | types,
)
def test_every_form_gets_the_answer_of_werkzeugs_own_parser(body, content_type):
    try:
        found = read_files(body, read_boundary(content_type), MOST)
    except RequestError as error:
        found = error.status, error.message
        if "headers in its parts" in error.message:
            return  # a limit that werkzeug does not have
    assert found == read_by_werkzeug(body, content_type)


@pytest.mark.parametrize("end", range(-20, 1))
def test_a_file_comes_back_wherever_a_piece_of_64_kb_would_end(end):
    head = len(part()) - len(b"x\r\n")
    content = bytes(PIECE - head + end)
    assert read_files(part(content) + b"--B--\r\n", "B", MOST) == [content]


def no_files(names):
    return 400, f"form has the fields {names}, expected files in the field 'image'"


def test_more_parts_than_the_limit_are_refused():
    message = "form has too many parts or too long a field"
    assert refusal(part() * (MOST + 1) + b"--B--\r\n") == (413, message)
    assert len(read_files(part() * MOST + b"--B--\r\n", "B", MOST)) == MOST


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ('name="file"; filename="x"', "file"),
        ('filename="x"', ""),
    ],
)
def test_other_fields_are_refused_beside_an_image_too(field, name):
    body = part() + part(field=field) + b"--B--\r\n"
    assert refusal(body) == no_files([name])


def test_a_part_without_a_filename_is_told_so():
    body = part(field='name="image"') + b"--B--\r\n"
    assert refusal(body) == no_filename()


def test_headers_of_parts_are_bounded():
    """werkzeug's parser takes seconds for 4 MB of them."""
    long = part(field=f'name="image"; filename="{"a" * MAX_HEAD}"')
    many = part(field=f'name="image"; filename="{"a" * 3000}"') * MOST
    for body in (long, many):
        status, message = refusal(body + b"--B--\r\n")
        assert (status, "too long headers in its parts" in message) == (413, True)
    assert read_files(many[: len(many) // 2] + b"--B--\r\n", "B", MOST) == [b"x"] * 2


def test_a_form_without_parts_is_refused():
    assert refusal(b"--B--\r\n") == no_files([])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"x",
        part(),  # no end
        b"--B\r\nContent-Type: image/png\r\n\r\nx\r\n--B--\r\n",  # no name
        part(field='name="\xff"').replace(b"\xc3\xbf", b"\xff") + b"--B--\r\n",
    ],
)
def test_a_damaged_form_is_refused(body):
    assert refusal(body) == no_files([])


@pytest.mark.parametrize(
    "content_type",
    ["multipart/form-data", TYPE, TYPE + '""', TYPE + '"\xe9"', TYPE + '"B'],
)
def test_a_head_without_a_boundary_is_refused(content_type):
    assert refusal(part() + b"--B--\r\n", content_type) == no_files([])


def test_a_boundary_has_upper_and_lower_case():
    assert read_boundary("Multipart/Form-Data; Boundary=aB") == "aB"
    assert refusal(part() + b"--B--\r\n", TYPE + "b") == no_files([])


def test_options_with_another_boundary_are_the_same_options():
    first, second = (predict.read_head({"content-type": TYPE + x}, {}) for x in "AB")
    assert (first, hash(first)) == (second, hash(second))
    assert (first.boundary, second.boundary) == ("A", "B")
    assert first != predict.read_head({"content-type": "image/png"}, {})


@pytest.mark.parametrize(
    ("count", "message"),
    [
        (1, None),
        (2, "found 2 images, expected at most 1"),
        (MOST + 1, "form has too many parts or too long a field"),
    ],
)
def test_explain_counts_the_images_of_a_form_as_predict_counts_its_parts(
    frames, count, message
):
    picture = BytesIO()
    Image.fromarray(frames[7].reshape(28, 28)).save(picture, "PNG")
    body = part(picture.getvalue()) * count + b"--B--\r\n"
    head, limits = {"content-type": TYPE + "B"}, Limits(images=MOST)
    found = explain.decode(explain.read_head(head, {}), [body], limits)
    assert [error.message for error in found.refused.values()] == [message] * (count > 1)
    if count <= MOST:
        predicted = predict.decode(predict.read_head(head, {}), [body], limits)
        assert predicted.counts == [count]
        assert np.abs(predicted.pixels.astype(int) - frames[7]).max() <= 1
