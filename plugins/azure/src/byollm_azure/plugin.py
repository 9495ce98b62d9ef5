"""The provider `azure`: OpenAI's dialects under Azure's addresses and keys.

Facts: Azure's reference, the openai SDK 3.54.0's Azure client, recorded traffic, read 2026-11-21.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Final, Literal

from pydantic import StringConstraints

from byollm.plugin import (
    Bearer,
    Capabilities,
    Event,
    Exchange,
    HeaderKey,
    NoAuth,
    Request,
    Target,
    TokenCount,
    hookimpl,
)
from byollm_azure.address import address, surface_of, version_of
from byollm_azure.chain import Chain
from byollm_azure.entra import TOKEN_HOST, Entra
from byollm_azure.filters import with_reports
from byollm_azure.models import MISTRAL, family, known
from byollm_openai_compatible.dialect import OpenAICompatible, Quirks, count_reader, refuse_media, responses_body

HOSTS: Final = ("*.openai.azure.com", "*.services.ai.azure.com", "*.cognitiveservices.azure.com", TOKEN_HOST)
USAGE_SINCE: Final = "2024-09-01"
"""Classic versions before this one do not know `stream_options` (read 2026-11-21, not recorded)."""
_VERSION = Annotated[str, StringConstraints(pattern="^[A-Za-z0-9.-]+$")]
_COUNTED: Final = ("model", "instructions", "input", "tools", "tool_choice", "parallel_tool_calls", "text", "reasoning")
_IMAGES: Final = ("image/png", "image/jpeg", "image/webp", "image/gif")
_NO_FILES: Final = ("image/", "audio/", "video/", "application/octet-stream", "application/zip", "binary/")
"""The kinds of pictures that OpenAI's models read, and what is no document to them (read 2026-11-21)."""
_MEDIA: Final = ("images", "documents", "audio")


class Azure(OpenAICompatible):
    """Azure's own habits, where they are more than data. `model` is the name of the deployment.

    Options: `surface` (v1 or classic; by default classic where `api_version` is a date), `api_version`, `base_model`
    (the model behind the deployment, e.g. gpt-5.4: its limits and habits hold), and every quirk.
    """

    def __init__(self) -> None:
        super().__init__(
            name="azure",
            aliases=("azure_openai",),
            base_url=None,
            hosts=HOSTS,
            credentials={
                "api_key": ("AZURE_OPENAI_API_KEY",),
                "tenant_id": ("AZURE_TENANT_ID",),
                "client_id": ("AZURE_CLIENT_ID",),
                "client_secret": ("AZURE_CLIENT_SECRET",),
            },
            authentication={
                "api-key": HeaderKey("api-key"),
                "entra": Entra(),
                "chain": Chain(),
                "bearer-token": Bearer(),
                "none": NoAuth(),
            },
            apis=("responses", "chat"),
            docs="https://learn.microsoft.com/azure/ai-foundry/openai/reference",
            options={"api_version": _VERSION, "surface": Literal["v1", "classic"], "base_model": str},
            max_tokens_field="max_completion_tokens",
            least_output=16,  # as OpenAI's own Responses
            system_role="keep",
            strict_schemas=True,
            encrypted_reasoning=True,
            error_codes={"OperationNotSupported": "InvalidRequestError"},
        )

    @hookimpl
    def complete(self, request: Request, target: Target) -> Exchange[Event]:
        """The exchange of one request; over Chat its reader keeps what the content filters report."""
        exchange: Exchange[Event] = super().complete(request, target)
        if target.api == "responses":
            return exchange
        return replace(exchange, reader=with_reports(exchange.reader))

    def describe(self, target: Target) -> Capabilities:
        """Those of the model behind the deployment; where nobody says which, what the dialect alone tells."""
        found = known(target.model, target.options.get("base_model"), target.api, surface_of(target) == "classic")
        return super().describe(target) if found is None else found

    def quirks(self, target: Target) -> Quirks:
        """By the model behind the deployment and, on the classic surface, by its version."""
        base_model = target.options.get("base_model")
        behind, classic = family(target.model, base_model), surface_of(target) == "classic"
        own: dict[str, Any] = {}
        if str(base_model or target.model).lower().startswith(MISTRAL):
            own["max_tokens_field"] = "max_tokens"
        if classic and version_of(target) < USAGE_SINCE:
            own["stream_usage"] = False
        if behind is not None:
            own |= {"image_types": _IMAGES, "refused_files": _NO_FILES}
        if behind is not None and behind.cache_marks and not classic:
            own["cache_field"] = "prompt_cache_breakpoint"
        return self.base_quirks.with_options(own).with_options(target.options)

    def reasons(self, request: Request, target: Target) -> bool | None:
        """By the effort asked for, else by the model's default; of an unknown deployment nothing is assumed."""
        behind = family(target.model, target.options.get("base_model"))
        if behind is None or behind.thinking == "never":
            return False
        return (request.reasoning_effort or behind.default_effort or "medium") != "none"

    def amended(self, body: dict[str, Any], target: Target) -> dict[str, Any]:
        """Without `store: false` over Chat, where it is the default and older versions do not know the word."""
        found = known(target.model, target.options.get("base_model"), target.api, surface_of(target) == "classic")
        if found is not None:
            refuse_media(body, [name for name in _MEDIA if found.supports(name).refused], f"azure/{target.model}")
        if target.api != "responses" and body.get("store") is False:
            del body["store"]
        return body

    def url(self, target: Target, path: str) -> str:
        """On the target's surface. Raises ConfigError for a classic address without an `api_version`."""
        return address(target, path)

    def count(self, request: Request, target: Target) -> TokenCount | Exchange[TokenCount] | None:
        """Asks `/openai/v1/responses/input_tokens` for Responses on v1; elsewhere the core estimates."""
        if target.api != "responses" or surface_of(target) == "classic":
            return None
        quirks = self.settled(target)
        wanted = request.with_(stream=False, stop=None, prefill=None, logit_bias=None, logprobs=None, n=None)
        body = responses_body(wanted, target.model, quirks, self.manifest.name, None)
        asked: dict[str, Any] = {name: body[name] for name in _COUNTED if name in body}
        return self.exchange(target, quirks, "/responses/input_tokens", asked, count_reader("azure", "exact"))


provider = Azure()
"""The plugin."""
