"""How many replicas a load needs: measured service times, and a queueing model."""
