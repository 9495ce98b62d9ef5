"""Azure OpenAI: the v1 surface by default, classic deployment addresses by `api_version`."""

from byollm_azure.entra import Entra
from byollm_azure.plugin import Azure, provider

__all__ = ["Azure", "Entra", "provider"]
