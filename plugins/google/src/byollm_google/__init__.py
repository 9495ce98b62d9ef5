"""Google for byollm: Gemini over the Gemini API of AI Studio.

`provider` is what the entry point names; other hosts of Gemini import `byollm_google.dialect`.
"""

from byollm_google.plugin import Google

provider = Google()

__all__ = ["Google", "provider"]
