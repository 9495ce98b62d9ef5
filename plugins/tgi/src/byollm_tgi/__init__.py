"""Hugging Face's Text Generation Inference."""

from byollm_tgi.plugin import provider

__all__ = ["provider"]
