"""The border: hooks, manifests, discovery, deployments, and `fit()`."""
