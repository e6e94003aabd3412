"""The service beside other Python model servers."""
