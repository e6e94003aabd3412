"""Fuzzers of the decoders and of the running service."""
