"""What docker-compose.yml starts, on a real engine, under load: ``python -m tests.drills``."""
