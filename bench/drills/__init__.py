"""What docker-compose.yml starts, on an engine, under load: ``python -m bench drills``."""
