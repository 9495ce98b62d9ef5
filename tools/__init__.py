"""What the Makefile calls: the environment, the lock, the checks and the lanes."""
