"""``python -m bench``: every name is a program."""

import pytest

from bench.__main__ import PROGRAMS, main


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_name_is_a_program_that_lists_its_options(name, capsys):
    try:
        code = main([name, "--help"])
    except SystemExit as end:  # argparse's
        code = end.code
    assert not code
    assert "".join(capsys.readouterr()).startswith("usage: ")


def test_help_has_a_line_for_each(capsys):
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(f"  {name} " in shown for name in PROGRAMS)


def test_another_name_is_an_error(capsys):
    assert main(["nothing"]) == 2
    assert "found 'nothing'" in capsys.readouterr().err
