"""Both OpenAI dialects, and the provider `custom`."""

from byollm_openai_compatible.custom import custom
from byollm_openai_compatible.plugin import OpenAICompatible
from byollm_openai_compatible.profile import Quirks

__all__ = ["OpenAICompatible", "Quirks", "custom"]
