"""Drills on a real engine: what docker-compose.yml starts, under load: ``python -m tests.drills``."""
