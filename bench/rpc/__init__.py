"""What a call by gRPC costs, beside servers of a few lines with the same library."""
