"""AWS Bedrock for byollm: Converse, InvokeModel, and the surfaces of OpenAI and Anthropic that it serves.

`provider` is what the entry point names.
"""

from byollm_bedrock.plugin import Bedrock

provider = Bedrock()

__all__ = ["Bedrock", "provider"]
