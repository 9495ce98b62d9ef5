"""The door for hosts of OpenAI's models: what each model takes over each dialect. The wire is openai-compatible's."""

from byollm_openai.capabilities import capabilities_of
from byollm_openai.models import Family, family_of

__all__ = ["Family", "capabilities_of", "family_of"]
