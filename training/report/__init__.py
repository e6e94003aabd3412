"""The report of a version: what it can do, measured, as one page and as Markdown."""
