"""Faults on purpose, against a real gunicorn: ``python -m tests.chaos``."""
