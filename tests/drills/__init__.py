"""What docker-compose.yml starts, on an engine, under load: ``python -m tests.drills``."""
