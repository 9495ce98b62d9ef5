"""What no single room can test: the workspace, layers, scenarios, replay, benchmarks and peers."""
