"""The provider `openai`: Responses first, Chat Completions by `api: chat`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit, urlunsplit

from pydantic import StringConstraints

from byollm.plugin import Capabilities, ConfigError, Exchange, Request, Target, TokenCount, join_url
from byollm_openai.capabilities import capabilities_of
from byollm_openai.models import family_of
from byollm_openai.retired import NOTES
from byollm_openai_compatible.dialect import OpenAICompatible, Quirks, count_reader, responses_body

ENDPOINT: Final = "https://api.openai.com"
REGIONS: Final = ("us", "eu", "ae", "au", "in", "jp")
"""Where OpenAI keeps and processes data on request; each has its own host (openai SDK 3.54.0, read 2026-11-21)."""
_IMAGES: Final = ("image/png", "image/jpeg", "image/webp", "image/gif")
_NO_FILES: Final = ("image/", "audio/", "video/", "application/octet-stream", "application/zip", "binary/")
"""Read and not read, by recorded refusals of 2025 and 2026 (read 2026-11-21)."""
_HEADER = Annotated[str, StringConstraints(pattern="^[ -~]*$")]
"""A text that fits into a header."""
_COUNTED: Final = ("model", "instructions", "input", "tools", "tool_choice", "parallel_tool_calls", "text", "reasoning")


class OpenAI(OpenAICompatible):
    """OpenAI's own habits, where they are more than data.

    Options: `organization` and `project` (headers), `reasoning_summary` (auto, concise or detailed: ask for a summary
    of the reasoning over Responses), `counting` (endpoint, the default, or offline: tokens are counted here, with the
    extra `tokens`), and every quirk. `region: eu` moves the request to that region's host.
    """

    def __init__(self) -> None:
        super().__init__(
            name="openai",
            base_url=ENDPOINT,
            base_path="/v1",
            hosts=("api.openai.com", *(f"{region}.api.openai.com" for region in REGIONS)),
            apis=("responses", "chat"),
            docs="https://developers.openai.com/api/docs",
            notes=NOTES,
            batch_endpoints=("/v1/responses", "/v1/chat/completions"),
            file_expiry=True,
            options={
                "organization": _HEADER,
                "project": _HEADER,
                "reasoning_summary": Literal["auto", "concise", "detailed"],
                "counting": Literal["endpoint", "offline"],
            },
            max_tokens_field="max_completion_tokens",
            least_output=16,  # documented for Responses; read on 2026-11-21, seen in no recording
            system_role="keep",
            strict_schemas=True,
            end_user_field="safety_identifier",
            send_store=True,
            image_types=_IMAGES,
            refused_files=_NO_FILES,
            encrypted_reasoning=True,
        )

    def describe(self, target: Target) -> Capabilities:
        """From the table of model families."""
        return capabilities_of(target.model, target.api)

    def quirks(self, target: Target) -> Quirks:
        """Explicit cache breakpoints exist from gpt-5.6 on; older models refuse them."""
        family = family_of(target.model)
        if family is not None and family.cache_marks and not target.options.get("cache_field"):
            return self.base_quirks.with_options({**target.options, "cache_field": "prompt_cache_breakpoint"})
        return super().quirks(target)

    def reasons(self, request: Request, target: Target) -> bool | None:
        """By the effort asked for, else by the model's default; of an unknown name nothing is assumed."""
        family = family_of(target.model)
        if family is None or family.thinking == "never":
            return False
        return (request.reasoning_effort or family.default_effort or "medium") != "none"

    def headers(self, target: Target) -> Mapping[str, str]:
        """Organization and project, where they are set."""
        found = {
            "openai-organization": target.options.get("organization"),
            "openai-project": target.options.get("project"),
        }
        return {name: value for name, value in found.items() if value}

    def url(self, target: Target, path: str) -> str:
        """The region's own host. Raises ConfigError for an unknown region, or one that the endpoint contradicts."""
        return join_url(_placed(target), path, base_path=self.manifest.base_path)

    def amended(self, body: dict[str, Any], target: Target) -> dict[str, Any]:
        """With the summary of the reasoning, if the file asks for one and the model reasons."""
        summary = target.options.get("reasoning_summary")
        if summary and target.api == "responses" and "include" in body:
            body["reasoning"] = {"summary": summary, **body.get("reasoning", {})}
        return body

    def count(self, request: Request, target: Target) -> TokenCount | Exchange[TokenCount]:
        """Asks `/v1/responses/input_tokens`: exact for Responses; for Chat, which has no such endpoint, an estimate.

        With `counting: offline` nothing is asked: see `offline`. Raises ConfigError when its extra is missing.
        """
        if target.options.get("counting") == "offline":
            from byollm_openai.offline import offline

            return offline(request, target)
        quirks = self.settled(target)
        wanted = request.with_(stream=False, stop=None, prefill=None, logit_bias=None, logprobs=None, n=None)
        body = responses_body(wanted, target.model, quirks, self.manifest.name, None)
        asked: dict[str, Any] = {name: body[name] for name in _COUNTED if name in body}
        exactness = "exact" if target.api == "responses" else "estimate"
        return self.exchange(target, quirks, "/responses/input_tokens", asked, count_reader("openai", exactness))


def _placed(target: Target) -> str:
    if target.region in (None, "global"):
        return target.endpoint
    if target.region not in REGIONS:
        raise ConfigError(f"openai has no region {target.region!r}", hint=f"known: {', '.join(REGIONS)}")
    parts = urlsplit(target.endpoint)
    host = f"{target.region}.api.openai.com"
    if parts.hostname not in ("api.openai.com", host):
        raise ConfigError(
            f"region {target.region!r} and endpoint {target.endpoint!r} contradict each other",
            hint="name only one of them",
        )
    return urlunsplit((parts.scheme, host, parts.path, parts.query, ""))


provider = OpenAI()
"""The plugin."""
