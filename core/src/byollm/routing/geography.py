"""Model ids that say where they are computed, whatever the host: AWS's inference profiles, and Ollama's cloud.

An id of Bedrock with a prefix is asked at one region and computed in any of its geography; `global.` means anywhere.
Prefixes: pydantic-ai 2.68.0 and litellm 1.109.1; regions: AWS's names (read 2026-11-22). A model of Ollama whose tag is
`cloud` or ends so (`gpt-oss:120b-cloud`) is passed on by the server on one's own machine to ollama.com (2026-11-21).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

_COMPUTED: Final[Mapping[str, tuple[str, ...]]] = {
    "us-gov": ("us-gov-",),
    "us": ("us-east-", "us-west-"),
    "eu": ("eu-",),
    "apac": ("ap-",),
    "jp": ("ap-northeast-1", "ap-northeast-3"),
    "au": ("ap-southeast-2", "ap-southeast-4"),
    "ca": ("ca-",),
    "in": ("ap-south-",),
    "kr": ("ap-northeast-2",),
    "global": (),
}
"""Geography → beginnings of its regions' names."""
_PROFILE: Final = re.compile(rf"(?:arn:.*/)?({'|'.join(sorted(_COMPUTED, key=len, reverse=True))})\.")

_CLOUD: Final = re.compile(r":(?:[^:/]*-)?cloud\Z", re.IGNORECASE)


def elsewhere(provider: str, model: str, region: str | None) -> str:
    """Why a model is computed outside the region it is asked at; empty where its id does not say so.

    A geography that holds the region is none: `eu.…` at `eu-central-1` may be computed in Dublin, and is meant to.
    """
    if provider == "ollama" and _CLOUD.search(model):
        return f"`{model}` is passed on to ollama.com"
    found = _PROFILE.match(model) if provider == "bedrock" else None
    if found is None:
        return ""
    if found[1] == "global":
        return f"`{model}` is computed in any region of the world"
    if not (region or "").strip().lower().startswith(_COMPUTED[found[1]]):
        return f"`{model}` is computed in {found[1]}"
    return ""
