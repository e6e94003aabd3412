"""The service beside other Python model servers: ``python -m load.peers``."""
