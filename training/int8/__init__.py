"""The network with weights of 8 bits beside the one of 32, measured."""
