"""The provider `baseten`.

Facts: Baseten's inference API description, recorded traffic and litellm 1.109.0, read 2026-11-21.
"""

from __future__ import annotations

from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from pydantic import StringConstraints

from byollm.plugin import Bearer, Capabilities, NoAuth, Target, join_url
from byollm_baseten.models import MODELS, NOTES
from byollm_openai_compatible.dialect import OpenAICompatible, refuse_media

ENDPOINT: Final = "https://inference.baseten.co/v1"
DEDICATED: Final = ".api.baseten.co"
_NAME = Annotated[str, StringConstraints(pattern="^[A-Za-z0-9_-]+$")]
"""One segment of a path."""
_SOURCE: Final = "litellm 1.109.0's parameters and model table, read 2026-11-21"


class Baseten(OpenAICompatible):
    """Baseten's own habits, where they are more than data.

    Option `environment`: which environment of a dedicated model answers, where `endpoint` names its host only; default
    `production`.
    """

    def __init__(self) -> None:
        super().__init__(
            name="baseten",
            base_url=ENDPOINT,
            hosts=("inference.baseten.co", f"*{DEDICATED}"),
            authentication={
                "api-key": Bearer(scheme="Api-Key", name="api-key"),
                "bearer-token": Bearer(),
                "none": NoAuth(),
            },
            docs="https://docs.baseten.co/inference/model-apis/overview",
            source=_SOURCE,
            notes=NOTES,
            options={"environment": _NAME},
            cache_key_field="",
            error_codes={"ModelNotReady": "OverloadedError"},
            capabilities={
                **dict.fromkeys(("metadata", "verbosity", "service_tier", "documents"), "unsupported"),
                **dict.fromkeys(("streaming", "system", "temperature", "top_p", "max_tokens", "stop", "seed"), "full"),
                **dict.fromkeys(("frequency_penalty", "presence_penalty", "end_user_id"), "full"),
            },
        )

    def describe(self, target: Target) -> Capabilities:
        """By the table for Model APIs; of a dedicated deployment only what every one of them shares is known."""
        facts = {} if _is_dedicated(target) else MODELS.get(target.model, {})
        return super().describe(target).merged(facts, _SOURCE)

    def amended(self, body: dict[str, Any], target: Target) -> dict[str, Any]:
        """As it stands, once no part of it is known to be refused."""
        blind = not _is_dedicated(target) and MODELS.get(target.model, {}).get("images") == "unsupported"
        refuse_media(body, ("documents", "images") if blind else ("documents",), f"baseten/{target.model}")
        return body

    def url(self, target: Target, path: str) -> str:
        """Below the endpoint's own path; for the bare host of a dedicated model below the path that serves it.

        A regional host names its environment already and has no paths to choose among.
        """
        base = self.manifest.base_path
        if _is_dedicated(target):
            label = (urlsplit(target.endpoint).hostname or "").removesuffix(DEDICATED)
            regional = label.removeprefix("model-").count("-") > 0
            environment = target.options.get("environment") or "production"
            base = "/sync/v1" if regional else f"/environments/{environment}/sync/v1"
        return join_url(target.endpoint, path, base_path=base)


def _is_dedicated(target: Target) -> bool:
    return (urlsplit(target.endpoint).hostname or "").lower().endswith(DEDICATED)


provider = Baseten()
"""The plugin."""
