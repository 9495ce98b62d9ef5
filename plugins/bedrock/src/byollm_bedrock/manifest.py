"""The plugin's passport."""

from __future__ import annotations

from typing import Final

from byollm.plugin import Bearer, Manifest, ModelNote, NoAuth
from byollm_bedrock.auth import CREDENTIALS, Aws, Chain
from byollm_bedrock.options import Options
from byollm_bedrock.places import DEFAULT_ENDPOINT, HOSTS

_LITE, _PRO = "us.amazon.nova-2-lite-v1:0", "us.amazon.nova-pro-v1:0"
_OPUS, _SONNET, _HAIKU = (f"global.anthropic.claude-{line}-5-5" for line in ("opus", "sonnet", "haiku"))
_LLAMA, _LARGE = "us.meta.llama4-maverick-17b-instruct-v1:0", "mistral.mistral-large-3-675b-instruct"

RETIRED: Final[dict[str, tuple[str | None, str]]] = {
    **dict.fromkeys(
        ("amazon.titan-tg1-large", "amazon.titan-text-lite-v1", "amazon.titan-text-express-v1"), (None, _LITE)
    ),
    "amazon.titan-text-premier-v1:0": (None, _PRO),
    **dict.fromkeys(("ai21.j2-mid-v1", "ai21.j2-ultra-v1", "ai21.j2-jumbo-instruct"), (None, _LITE)),
    "ai21.jamba-instruct-v1:0": (None, _PRO),
    "ai21.jamba-1-5-large-v1:0": ("2026-11-26", _PRO),
    "ai21.jamba-1-5-mini-v1:0": ("2026-11-26", _LITE),
    **dict.fromkeys(("anthropic.claude-v2", "anthropic.claude-v2:1"), (None, _SONNET)),
    "anthropic.claude-instant-v1": (None, _HAIKU),
    "anthropic.claude-3-haiku-20240307-v1:0": (None, _HAIKU),
    "anthropic.claude-3-sonnet-20240229-v1:0": (None, _SONNET),
    "anthropic.claude-3-opus-20240229-v1:0": (None, _OPUS),
    "anthropic.claude-3-5-sonnet-20240620-v1:0": (None, _SONNET),
    "anthropic.claude-3-5-sonnet-20241022-v2:0": (None, _SONNET),
    "anthropic.claude-3-5-haiku-20241022-v1:0": (None, _HAIKU),
    "anthropic.claude-3-7-sonnet-20250219-v1:0": (None, _SONNET),
    "anthropic.claude-sonnet-4-20250514-v1:0": ("2026-10-14", _SONNET),
    "anthropic.claude-opus-4-1-20250805-v1:0": ("2027-01-08", _OPUS),
    "anthropic.claude-sonnet-4-5-20250929-v1:0": ("2027-04-08", _SONNET),
    "meta.llama2-13b-chat-v1": (None, _LLAMA),
    "meta.llama2-70b-chat-v1": (None, _LLAMA),
    **dict.fromkeys(
        (
            "meta.llama3-1-405b-instruct-v1:0", "meta.llama3-2-1b-instruct-v1:0", "meta.llama3-2-3b-instruct-v1:0",
            "meta.llama3-2-11b-instruct-v1:0", "meta.llama3-2-90b-instruct-v1:0",
        ),
        ("2026-07-07", _LLAMA),
    ),
    **dict.fromkeys(("cohere.command-text-v14", "cohere.command-light-text-v14"), (None, _LITE)),
    **dict.fromkeys(("mistral.mistral-large-2402-v1:0", "mistral.mistral-large-2407-v1:0"), (None, _LARGE)),
}  # fmt: skip
"""End of life by model id: `deprecation_date` in litellm 1.109.1, read 2026-11-21. None: gone from AWS's current lists
(wire facts of the same day), so the day is not known. The replacement is a current model of the same size."""
_GEOGRAPHIES: Final = ("us.", "eu.", "apac.", "global.")

MANIFEST: Final = Manifest(
    name="bedrock",
    aliases=("aws_bedrock",),
    default_endpoint=DEFAULT_ENDPOINT,
    hosts=HOSTS,
    credentials=CREDENTIALS,
    authentication={
        "aws": Aws(),
        "sigv4": Aws(bearer=False, name="sigv4"),
        "bearer-token": Bearer(),
        "chain": Chain(),
        "none": NoAuth(),
    },
    apis=("converse", "invoke", "chat", "responses", "messages"),
    options=Options,
    docs="https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html",
    models={
        f"{geography}{name}": ModelNote(*note) for name, note in RETIRED.items() for geography in ("", *_GEOGRAPHIES)
    },
)
