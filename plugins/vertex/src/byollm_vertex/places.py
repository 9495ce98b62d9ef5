"""Where Vertex AI is: one host for the world, one for each of two continents, one for each region.

A host that is not listed here can be named as `endpoint:` of a target. Sources: google-genai 3.4.0, anthropic 2.12.0,
@ai-sdk/google-vertex 4.0.208 and Google's list of locations, read 2026-11-21.
"""

from __future__ import annotations

from typing import Final

GLOBAL: Final = "global"
_CONTINENTS: Final = ("us", "eu")
REGIONS: Final = (
    "africa-south1", "asia-east1", "asia-east2", "asia-northeast1", "asia-northeast2", "asia-northeast3", "asia-south1",
    "asia-southeast1", "asia-southeast2", "australia-southeast1", "australia-southeast2", "europe-central2",
    "europe-north1", "europe-southwest1", "europe-west1", "europe-west2", "europe-west3", "europe-west4",
    "europe-west6", "europe-west8", "europe-west9", "europe-west12", "me-central1", "me-central2", "me-west1",
    "northamerica-northeast1", "northamerica-northeast2", "southamerica-east1", "southamerica-west1", "us-central1",
    "us-east1", "us-east4", "us-east5", "us-south1", "us-west1", "us-west2", "us-west3", "us-west4",
)  # fmt: skip


def host_of(location: str) -> str:
    """The host of a location."""
    if location == GLOBAL:
        return "aiplatform.googleapis.com"
    if location in _CONTINENTS:
        return f"aiplatform.{location}.rep.googleapis.com"
    return f"{location}-aiplatform.googleapis.com"


def nearest(location: str) -> str | None:
    """The location that was meant, when one is spelt nearly so."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(location, (GLOBAL, *_CONTINENTS, *REGIONS), n=1)), None)


HOSTS: Final = tuple(host_of(location) for location in (GLOBAL, *_CONTINENTS, *REGIONS))
