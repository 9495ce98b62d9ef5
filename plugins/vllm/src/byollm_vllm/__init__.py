"""vLLM."""

from byollm_vllm.plugin import provider

__all__ = ["provider"]
