"""What models take by way of OpenRouter. Which of its hosts answers decides the rest: `refine` asks for the list.

Sources, read 2026-11-21: windows from genai-prices 0.2.3's table and a recorded list of OpenRouter's models; answers
and features from litellm 1.109.0's rows of the models' owners. What stands in neither is unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

from byollm.plugin import Capabilities, Frame, Head, ProtocolError
from byollm_openai_compatible.dialect import table

# name, window, longest answer, letters (see `table`): tools, schemas, pictures ("v"), documents, reasoning
MODELS: Final[dict[str, dict[str, Any]]] = table("""
amazon/nova-2-lite-v1 1000000 - -
amazon/nova-lite-v1 300000 - -
amazon/nova-micro-v1 128000 - -
amazon/nova-premier-v1 1000000 - -
amazon/nova-pro-v1 300000 - -
anthropic/claude-3-haiku 200000 - -
anthropic/claude-3.5-haiku 200000 8192 tvd
anthropic/claude-3.7-sonnet 200000 64000 tvrd
anthropic/claude-fable-5 1000000 128000 tsvr
anthropic/claude-fable-5.1 1000000 128000 tsvr
anthropic/claude-haiku-4.5 200000 64000 tsvr
anthropic/claude-haiku-5.5 1000000 128000 tsvr
anthropic/claude-opus-4 200000 32000 tvrd
anthropic/claude-opus-4.1 200000 32000 tvrd
anthropic/claude-opus-4.5 200000 64000 tsvr
anthropic/claude-opus-4.6 1000000 128000 tsvr
anthropic/claude-opus-4.7 1000000 128000 tsvr
anthropic/claude-opus-4.7-fast 1000000 - -
anthropic/claude-opus-4.8 1000000 128000 tsvr
anthropic/claude-opus-4.8-fast 1000000 - -
anthropic/claude-opus-5 1000000 128000 tsvr
anthropic/claude-opus-5-fast 1000000 - -
anthropic/claude-opus-5.5 1000000 128000 tsvr
anthropic/claude-sonnet-4 1000000 64000 tvrd
anthropic/claude-sonnet-4.5 1000000 64000 tsvr
anthropic/claude-sonnet-4.6 1000000 128000 tsvr
anthropic/claude-sonnet-5 1000000 128000 tsvr
anthropic/claude-sonnet-5.5 1000000 128000 tsvr
cohere/command-a 256000 - -
cohere/command-a-plus 192000 - -
cohere/command-r-08-2024 128000 4096 t
cohere/command-r-plus-08-2024 128000 4096 t
cohere/command-r7b-12-2024 128000 4096 t
deepseek/deepseek-chat 163840 - tR
deepseek/deepseek-chat-v3-0324 163840 - -
deepseek/deepseek-r1 64000 8192 tr
deepseek/deepseek-r1-0528 163840 - r
deepseek/deepseek-r1-distill-llama-70b 8192 - -
deepseek/deepseek-v3.1-terminus 163840 - -
deepseek/deepseek-v3.2-exp 163840 - -
deepseek/deepseek-v4-flash-0731 1048576 - -
deepseek/deepseek-v4-flash-vision-exp 1048576 393216 tsvr
deepseek/deepseek-v4-pro-0813 1048576 - -
deepseek/deepseek-v4.1-flash 1048576 - -
google/gemini-2.0-flash-001 1048576 8192 tsvd
google/gemini-2.5-flash 1048576 65535 tsvr
google/gemini-2.5-flash-image 32768 32768 tsv
google/gemini-2.5-flash-lite 1048576 65535 tsvr
google/gemini-2.5-pro 1048576 65535 tsvr
google/gemini-3-flash-preview 1048576 65535 tsvr
google/gemini-3-pro-image 131072 32768 Tsv
google/gemini-3-pro-image-preview 65536 32768 Tsv
google/gemini-3.1-flash-image 131072 32768 Tsv
google/gemini-3.1-flash-image-preview 65536 32768 Tsv
google/gemini-3.1-flash-lite 1048576 65536 tsvr
google/gemini-3.1-flash-lite-image 65536 4096 TSvR
google/gemini-3.1-flash-lite-preview 1048576 65536 tsvdr
google/gemini-3.1-pro-preview 1048576 65536 tsvr
google/gemini-3.5-flash 1048576 65535 tsvr
google/gemini-3.5-flash-lite 1048576 65536 tsvr
google/gemini-3.6-flash 1048576 65536 tsvr
google/gemini-3.7-flash 1048576 65536 tsvr
google/gemini-3.8-flash 1048576 65536 tsvr
google/gemini-4-argon 1048576 1048576 tsvr
google/gemini-nano-banana-2.1 65536 32768 TSvr
google/gemini-omni-1.1-flash 131072 65536 vr
google/gemini-omni-1.2-flash 131072 - -
google/gemma-2-27b-it 8192 - -
google/gemma-3-12b-it 131072 - -
google/gemma-3-4b-it 131072 - -
google/gemma-4-31b-it 262144 32768 tsvr
google/lyria-3-clip-preview 1048576 8192 TSV
google/lyria-3-pro-preview 1048576 8192 TSV
meta-llama/llama-3.1-70b-instruct 131072 - -
meta-llama/llama-3.2-1b-instruct 60000 - -
meta-llama/llama-3.3-70b-instruct 131072 - t
meta-llama/llama-guard-4-12b 163840 - -
minimax/minimax-01 1000192 - -
minimax/minimax-m1 1000000 - -
minimax/minimax-m2-her 65536 - -
minimax/minimax-m2.1 204800 - -
mistralai/codestral-2508 256000 128000 ts
mistralai/devstral-2512 262144 - -
mistralai/ministral-14b-2512 262144 262144 tsv
mistralai/ministral-3b-2512 131072 131072 tsv
mistralai/ministral-8b-2512 262144 262144 tsv
mistralai/mistral-large 128000 - -
mistralai/mistral-large-2512 262144 262144 tsv
mistralai/mistral-medium-3 131072 262144 tsvr
mistralai/mistral-medium-3-5 262144 262144 tsvr
mistralai/mistral-medium-3.1 131072 - -
mistralai/mistral-saba 32768 - -
mistralai/mistral-small-24b-instruct-2501 32768 - -
mistralai/mistral-small-3.1-24b-instruct 128000 - -
mistralai/mixtral-8x22b-instruct 65536 - -
mistralai/voxtral-small-24b-2507 32000 - -
moonshotai/kimi-k2 131072 - -
moonshotai/kimi-k2-0905 262144 - -
moonshotai/kimi-k2-thinking 262144 - -
moonshotai/kimi-k2.5 262144 - tvr
moonshotai/kimi-k2.7-code 262144 - -
moonshotai/kimi-k3 1048576 - -
moonshotai/kimi-k3.1-pro 1048576 - -
openai/gpt-3.5-turbo 16385 4096 t
openai/gpt-3.5-turbo-0613 4095 - -
openai/gpt-3.5-turbo-16k 16385 4096 -
openai/gpt-3.5-turbo-instruct 4095 4096 -
openai/gpt-4 8191 4096 t
openai/gpt-4-turbo 128000 4096 tv
openai/gpt-4.1 1047576 32768 tsv
openai/gpt-4.1-mini 1047576 32768 tsv
openai/gpt-4.1-nano 1047576 32768 tsv
openai/gpt-4o 128000 16384 tsv
openai/gpt-4o-2024-05-13 128000 4096 tv
openai/gpt-4o-mini 128000 16384 tsv
openai/gpt-4o-mini-2024-07-18 128000 16384 tsvdR
openai/gpt-5 400000 128000 tsvr
openai/gpt-5-image 400000 - -
openai/gpt-5-image-mini 400000 - -
openai/gpt-5-mini 400000 128000 tsvr
openai/gpt-5-nano 400000 128000 tsvr
openai/gpt-5-pro 400000 272000 tsvr
openai/gpt-5.1 400000 128000 tsvr
openai/gpt-5.1-codex-mini 400000 128000 tsvr
openai/gpt-5.2 400000 128000 tsvr
openai/gpt-5.2-pro 400000 128000 tsvr
openai/gpt-5.3-codex 400000 128000 tsvr
openai/gpt-5.4 1050000 128000 tsvr
openai/gpt-5.4-image-2 272000 - -
openai/gpt-5.4-mini 400000 128000 tsvr
openai/gpt-5.4-nano 400000 128000 tsvr
openai/gpt-5.4-pro 1050000 128000 tSvr
openai/gpt-5.5 1050000 128000 tsvr
openai/gpt-5.5-pro 1050000 128000 tSvr
openai/gpt-5.6-luna 1050000 128000 tsvr
openai/gpt-5.6-luna-pro 1050000 - -
openai/gpt-5.6-sol 1050000 128000 tsvr
openai/gpt-5.6-sol-pro 1050000 - -
openai/gpt-5.6-terra 1050000 128000 tsvr
openai/gpt-5.6-terra-pro 1050000 - -
openai/gpt-6-astra 1050000 128000 tsvr
openai/gpt-6-luna 1050000 128000 tsvr
openai/gpt-6-sol 1050000 128000 tsvr
openai/gpt-6.1-sol 1050000 128000 tsvr
openai/gpt-6.1-terra 1050000 128000 tsvr
openai/gpt-audio 128000 16384 tSVR
openai/gpt-audio-mini 128000 16384 tSVR
openai/gpt-chat-latest 400000 - -
openai/gpt-oss-120b 131072 - tr
openai/gpt-oss-20b 131072 - tr
openai/gpt-oss-safeguard-20b 131072 - -
openai/o1 200000 100000 tsvrd
openai/o1-pro 200000 100000 tsvr
openai/o3 200000 100000 tsvr
openai/o3-mini 200000 100000 tsVr
openai/o3-pro 200000 100000 tsvr
openai/o4-mini 200000 100000 tsvr
qwen/qwen-2.5-7b-instruct 32768 - -
qwen/qwen-2.5-coder-32b-instruct 32768 - -
qwen/qwen-plus 1000000 - -
qwen/qwen-plus-2025-07-28 1000000 - -
qwen/qwen3-235b-a22b 131072 - -
qwen/qwen3-30b-a3b-thinking-2507 81920 - -
qwen/qwen3-8b 131072 - -
qwen/qwen3-coder 262144 - tR
qwen/qwen3-coder-flash 1000000 - -
qwen/qwen3-coder-plus 1000000 - -
qwen/qwen3-max 262144 - -
qwen/qwen3-max-thinking 262144 - -
qwen/qwen3-vl-235b-a22b-thinking 131072 - -
qwen/qwen3-vl-32b-instruct 131072 - -
qwen/qwen3-vl-8b-thinking 131072 - -
qwen/qwen3.5-122b-a10b 262144 - -
qwen/qwen3.5-27b 262144 - -
qwen/qwen3.5-flash-02-23 1000000 - -
qwen/qwen3.5-plus-02-15 1000000 - -
qwen/qwen3.5-plus-20260420 1000000 - -
qwen/qwen3.6-flash 1000000 - -
qwen/qwen3.6-max-preview 262144 - -
qwen/qwen3.6-plus 1000000 - -
qwen/qwen3.7-flash 1000000 - -
qwen/qwen3.7-max 1000000 - -
qwen/qwen3.7-plus 1000000 - -
qwen/qwen3.8-2.4t-a95b 1048576 - -
qwen/qwen3.8-27b 1000000 - -
qwen/qwen3.8-flash 1000000 - -
qwen/qwen3.8-max-0902 1000000 - -
qwen/qwen3.8-max-prime 1000000 - -
qwen/qwen3.8-omni-flash 1000000 - -
x-ai/grok-3-mini 131072 - tsr
x-ai/grok-4-fast 2000000 - -
x-ai/grok-4.1-fast 2000000 - tsv
x-ai/grok-4.20 2000000 1000000 tsvr
x-ai/grok-4.20-multi-agent 2000000 1000000 Tsvr
x-ai/grok-4.3 1000000 1000000 tsvr
x-ai/grok-4.5 500000 500000 tsvr
x-ai/grok-4.6 500000 500000 tsvr
x-ai/grok-4.7 500000 500000 tsvr
x-ai/grok-build-0.1 256000 256000 tsvr
x-ai/grok-code-fast-1 256000 256000 tsvr
z-ai/glm-4.5 131072 - -
z-ai/glm-4.5-air 131072 - -
z-ai/glm-4.5v 65536 - -
z-ai/glm-4.6v 131072 - -
z-ai/glm-5-turbo 202752 - -
z-ai/glm-5.2 1048576 - -
z-ai/glm-5.3 1048576 - -
z-ai/glm-5.3-flash 1310720 - -
z-ai/glm-5.3-flashx 1048576 - -
z-ai/glm-5.3-flashx-legal 1048576 - -
z-ai/glm-5.3-prime 1000000 - -
z-ai/glm-5v-turbo 202752 - -
""")


@lru_cache(maxsize=256)
def facts_of(model: str) -> Mapping[str, Any]:
    """What the table says of a model: `~` and a variant (`:free`, `:nitro`) lead to the same one."""
    return MODELS.get(model.removeprefix("~").partition(":")[0], {})


_PARAMETERS: Final = {
    "tools": "tools", "tool_choice_required": "tool_choice", "tool_choice_named": "tool_choice",
    "structured_output": "structured_outputs", "reasoning": "reasoning", "temperature": "temperature",
    "top_p": "top_p", "top_k": "top_k", "seed": "seed", "stop": "stop", "logit_bias": "logit_bias",
    "logprobs": "logprobs", "frequency_penalty": "frequency_penalty", "presence_penalty": "presence_penalty",
}  # fmt: skip
"""Our capability and the word for it in `supported_parameters`."""
_INPUTS: Final = {"images": "image", "documents": "file", "audio": "audio"}


def list_reader(model: str, known: Capabilities) -> Callable[[Head], Callable[[Frame], list[Capabilities]]]:
    """Reads the answer of `GET /models`: the row of one model, over what is bundled; unchanged when it has none.

    Documents are read for every model by OpenRouter itself, so that a row without files says nothing against them.
    """

    def read(frame: Frame) -> list[Capabilities]:
        rows = frame.data.get("data") if isinstance(frame.data, dict) else None
        if not isinstance(rows, list):
            raise ProtocolError("the list of models is not shaped as known")
        row = next((row for row in rows if isinstance(row, dict) and row.get("id") == model), {})
        return [known.merged(_told(row), "GET /models")]

    return lambda head: read


def _told(row: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    top = row.get("top_provider")
    for field, value in (
        ("context_window", row.get("context_length")),
        ("max_output_tokens", top.get("max_completion_tokens") if isinstance(top, Mapping) else None),
    ):
        if type(value) is int and value > 0:
            found[field] = value
    parameters = row.get("supported_parameters")
    if isinstance(parameters, list):
        found |= {name: word in parameters for name, word in _PARAMETERS.items()}
    about = row.get("architecture")
    inputs = about.get("input_modalities") if isinstance(about, Mapping) else None
    if isinstance(inputs, list):
        found |= {name: word in inputs for name, word in _INPUTS.items() if name != "documents" or word in inputs}
    return found
