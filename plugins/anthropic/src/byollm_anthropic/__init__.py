"""Anthropic for byollm: the Messages API.

`provider` is what the entry point names; hosts of Claude import `byollm_anthropic.dialect`.
"""

from byollm_anthropic.plugin import Anthropic

provider = Anthropic()

__all__ = ["Anthropic", "provider"]
