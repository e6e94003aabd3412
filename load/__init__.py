"""The load test, and the comparison with other servers."""
