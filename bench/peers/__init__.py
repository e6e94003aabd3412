"""The service beside other Python model servers: ``python -m bench.peers``."""
