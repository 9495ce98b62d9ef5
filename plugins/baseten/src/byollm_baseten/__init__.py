"""Baseten: Model APIs by default, dedicated deployments by their endpoint."""

from byollm_baseten.plugin import Baseten, provider

__all__ = ["Baseten", "provider"]
