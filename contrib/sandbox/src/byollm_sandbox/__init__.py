"""The providers' wire formats on 127.0.0.1: twins to develop and test against, without keys or spend.

with serve() as twin:
    twin.script("hello", RateLimitError("slow down", retry_after=7))
    client = byollm.Client({"provider": "openai", "model": "gpt-5.4", "endpoint": twin.url("openai-responses"), …})
"""

from byollm_sandbox.answers import Answer, Raw
from byollm_sandbox.batches import Batch, BatchItem, StoredFile
from byollm_sandbox.dialects import (
    AnthropicMessages,
    Dialect,
    OpenAIChat,
    OpenAIResponses,
    Prompt,
    Rejection,
    ToolOffer,
    dialect_named,
    dialects,
)
from byollm_sandbox.faults import KINDS, Fault
from byollm_sandbox.plans import BatchPlan
from byollm_sandbox.requests import Recorded
from byollm_sandbox.server import Twins, serve

__all__ = [
    "KINDS",
    "Answer",
    "AnthropicMessages",
    "Batch",
    "BatchItem",
    "BatchPlan",
    "Dialect",
    "Fault",
    "OpenAIChat",
    "OpenAIResponses",
    "Prompt",
    "Raw",
    "Recorded",
    "Rejection",
    "StoredFile",
    "ToolOffer",
    "Twins",
    "dialect_named",
    "dialects",
    "serve",
]
