"""What users live through, on real sockets against the twins."""
