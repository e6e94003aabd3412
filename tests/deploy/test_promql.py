"""The reader of expressions, which other tests trust."""

from tests.deploy import promql

SHARE = (
    'sum by (job, le) (rate(some_bucket{route=~"/a|(x)", code!="on (y)"}[5m] offset 1h))'
    " / on (job) group_left () job:all:rate5m"
)


def test_metrics_are_found_with_the_labels_that_choose_them():
    assert promql.selectors(SHARE) == [
        ("some_bucket", {"route", "code"}),
        ("job:all:rate5m", set()),
    ]


def test_functions_numbers_and_words_are_no_metrics():
    expr = (
        "clamp_min(a, 1e-3) * 14.4 > bool 2 and on (x) absent(b == 1) unless time() - 2^20"
    )
    assert [name for name, _ in promql.selectors(expr)] == ["a", "b"]


def test_labels_to_group_by_are_found():
    assert promql.grouping(SHARE) == {"job", "le"}


def test_sides_are_cut_where_no_bracket_is_open():
    expr = (
        'a{x="1 > 0"} > 2 and on (job) (b == 1 or c) unless sum(d != 0) / e < f offset 1h'
    )
    assert promql.sides(expr) == [
        'a{x="1 > 0"}',
        "(b == 1 or c)",
        "sum(d != 0) / e",
        "f offset 1h",
    ]
