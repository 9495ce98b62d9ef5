"""LM Studio."""

from byollm_lmstudio.plugin import provider

__all__ = ["provider"]
