"""The recipe best: the same network, fitted on the soft targets of teachers."""
