"""Real servers that nobody here wrote, built on the spot and driven through our providers."""
