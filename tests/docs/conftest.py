import pytest


@pytest.fixture(scope="session")
def documents(root):
    """The Markdown files that people write, by their path."""
    made = {"results", "runs", "reports"}
    paths = [*root.glob("*.md"), *root.glob("[!.]*/**/*.md")]
    paths = [path for path in paths if not made & {*path.relative_to(root).parts}]
    return {str(path.relative_to(root)): path.read_text() for path in sorted(paths)}


@pytest.fixture(scope="session")
def pages(documents):
    """The front page and docs/."""
    names = [name for name in documents if name.startswith("docs/")]
    return {name: documents[name] for name in ("README.md", *names)}


@pytest.fixture(scope="session")
def table():
    """Find the rows of the table whose header begins as given, as lists of cells."""

    def find(text, header):
        rows = text.partition(f"\n| {header}")[2].partition("\n\n")[0].splitlines()
        return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[2:]]

    return find
