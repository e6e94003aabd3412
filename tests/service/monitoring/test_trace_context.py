"""The W3C's header traceparent, by the rules of Trace Context level 2."""

import pytest

from service.monitoring.trace_context import Trace, read_trace

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GOOD = f"00-{TRACE}-{SPAN}-01"


def read(header, state=None):
    headers = {"traceparent": header} | ({} if state is None else {"tracestate": state})
    return read_trace(headers)


def test_the_specification_s_example_is_read():
    assert read(GOOD, "congo=t61rcWkgMzE") == Trace(TRACE, SPAN, 1, "congo=t61rcWkgMzE")


def test_there_is_no_trace_without_the_header():
    assert read_trace({"tracestate": "a=b"}) is None


@pytest.mark.parametrize(
    "header",
    [
        "",
        GOOD.upper(),
        GOOD.replace("4bf9", "4Bf9"),
        GOOD[:-1],
        f"{GOOD} ",
        f"{GOOD}0",
        f"{GOOD}-",
        f"{GOOD}-00",
        f"{GOOD},{GOOD}",
        f"01{GOOD[2:]}-x,{GOOD}",
        f"0-{TRACE}-{SPAN}-01",
        f"ff{GOOD[2:]}",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE[1:]}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}0-01",
        GOOD.replace("-", "_"),
        GOOD.replace("4", "٤"),
        f"01{GOOD[2:]}0",
        f"01{GOOD[2:]}.x",
        f"{GOOD}\n",
    ],
)
def test_what_is_malformed_is_no_trace(header):
    assert read(header) is None


@pytest.mark.parametrize("rest", ["", "-", "-what-will-be"])
def test_of_a_later_version_only_what_is_known_is_read(rest):
    assert read(f"cc-{TRACE}-{SPAN}-ff{rest}") == Trace(TRACE, SPAN, 1, "")


@pytest.mark.parametrize(
    ("flags", "expected"), [("00", 0), ("01", 1), ("03", 3), ("fe", 254)]
)
def test_flags_are_the_bits_that_were_sent(flags, expected):
    assert read(f"00-{TRACE}-{SPAN}-{flags}").flags == expected


def test_a_state_that_is_too_long_is_left_out():
    assert read(GOOD, "a=" + "x" * 510).state
    assert read(GOOD, "a=" + "x" * 511).state == ""
