"""The older families of InvokeModel, which complete a text: how a prompt is written, what a body is called, as data.

Every family has words of its own. AWS no longer lists most of these models; their rows are kept for what runs on them.
Source: AWS's parameters of inference as the wire facts and recordings show them, read 2026-11-21.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final


@dataclass(frozen=True, slots=True, kw_only=True)
class TextFamily:
    """One family, whose model ids begin with `name`.

    `turns`: the templates of a system text, a user's, and an assistant's turn; `ending` invites the answer. `prompt`:
    where the text goes. `fields`: neutral parameter → the body's own, with a dot for an object inside. `plain`: a
    single question goes out as it is, without its template. `streams`: may it be streamed?
    """

    name: str
    turns: tuple[str, str, str] = ("{}\n\n", "{}\n", "{}\n")
    beginning: str = ""
    ending: str = ""
    prompt: str = "prompt"
    fields: dict[str, str] = field(default_factory=dict)
    always: dict[str, Any] = field(default_factory=dict)
    plain: bool = True
    streams: bool = True
    default_max_tokens: int | None = None


_USER_BOT: Final = ("{}\n\n", "User: {}\n", "Bot: {}\n")
_LLAMA_2: Final = ("<<SYS>>\n{}\n<</SYS>>\n\n", "{} [/INST]", " {} </s><s>[INST] ")
_LLAMA_3: Final = tuple(
    f"<|start_header_id|>{role}<|end_header_id|>\n\n{{}}<|eot_id|>" for role in ("system", "user", "assistant")
)
ROWS: Final = (
    TextFamily(
        name="amazon.titan-",
        turns=_USER_BOT,
        ending="Bot:",
        prompt="inputText",
        fields={
            "max_tokens": "textGenerationConfig.maxTokenCount", "temperature": "textGenerationConfig.temperature",
            "top_p": "textGenerationConfig.topP",
        },
    ),
    TextFamily(
        name="ai21.j2",
        turns=("{}\n\n", "{}\n\n", "{}\n##\n\n"),
        fields={
            "max_tokens": "maxTokens", "temperature": "temperature", "top_p": "topP", "stop": "stopSequences",
            "frequency_penalty": "frequencyPenalty.scale", "presence_penalty": "presencePenalty.scale",
        },
        streams=False,
        default_max_tokens=2_048,
    ),
    TextFamily(
        name="meta.llama2",
        turns=_LLAMA_2,
        beginning="<s>[INST] ",
        fields={"max_tokens": "max_gen_len", "temperature": "temperature", "top_p": "top_p"},
        plain=False,
        default_max_tokens=2_048,
    ),
    TextFamily(
        name="meta.llama",
        turns=(_LLAMA_3[0], _LLAMA_3[1], _LLAMA_3[2]),
        beginning="<|begin_of_text|>",
        ending="<|start_header_id|>assistant<|end_header_id|>\n\n",
        fields={"max_tokens": "max_gen_len", "temperature": "temperature", "top_p": "top_p"},
        plain=False,
        default_max_tokens=2_048,
    ),
    TextFamily(
        name="mistral.",
        turns=("{}\n\n", "{} [/INST]", "{}</s>[INST] "),
        beginning="<s>[INST] ",
        fields={
            "max_tokens": "max_tokens", "temperature": "temperature", "top_p": "top_p", "top_k": "top_k",
            "stop": "stop",
        },
        plain=False,
    ),
    TextFamily(
        name="cohere.command-r",
        prompt="message",
        fields={
            "max_tokens": "max_tokens", "temperature": "temperature", "top_p": "p", "top_k": "k",
            "stop": "stop_sequences", "seed": "seed", "frequency_penalty": "frequency_penalty",
            "presence_penalty": "presence_penalty",
        },
    ),
    TextFamily(
        name="cohere.command",
        fields={
            "max_tokens": "max_tokens", "temperature": "temperature", "top_p": "p", "top_k": "k",
            "stop": "stop_sequences",
        },
    ),
    TextFamily(
        name="anthropic.claude-v",
        turns=("{}", "\n\nHuman: {}", "\n\nAssistant: {}"),
        ending="\n\nAssistant:",
        fields={
            "max_tokens": "max_tokens_to_sample", "temperature": "temperature", "top_p": "top_p", "top_k": "top_k",
            "stop": "stop_sequences",
        },
        plain=False,
        default_max_tokens=2_048,
    ),
)  # fmt: skip
"""The first row whose name begins a model's id holds."""


def text_family(base: str) -> TextFamily | None:
    """The row of a foundation model's id; None for a model that takes messages, or that nobody knows."""
    if base.startswith("anthropic.claude-instant"):
        base = "anthropic.claude-v1"
    return next((row for row in ROWS if base.startswith(row.name)), None)
