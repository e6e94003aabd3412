"""Faults on purpose, against a real gunicorn: ``python -m bench chaos``."""
