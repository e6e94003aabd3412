"""What every measurement writes."""

import datetime
import json

from bench.harness import results


def test_a_result_says_when_and_on_what_it_was_measured(tmp_path):
    results.write("case", {"rate": 5}, "# Case\n\nTable\n", tmp_path)
    record = json.loads((tmp_path / "case.json").read_text())
    title, machine, rest = (tmp_path / "case.md").read_text().split("\n\n")
    assert (title, rest) == ("# Case", "Table\n")
    assert record["rate"] == 5
    assert record["machine"]["date"] == datetime.date.today().isoformat()
    assert machine == f"{results.describe(record['machine'])}."
    assert f", onnxruntime {record['machine']['packages']['onnxruntime']}" in machine


def test_every_result_says_when_it_was_measured(root):
    for path in (root / "bench" / "results").glob("*.json"):
        found = json.loads(path.read_text())["machine"]
        datetime.date.fromisoformat(found["date"])
        assert f"{found['date']}, {found['cpu']}" in path.with_suffix(".md").read_text()
