"""Hours of mixed load with faults in it, every answer checked: ``python -m bench soak``."""
