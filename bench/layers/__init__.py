"""Where the microseconds go, layer by layer."""
