"""The plugin's passport."""

from __future__ import annotations

from typing import Final

from byollm.plugin import Bearer, Manifest, ModelNote, NoAuth
from byollm_vertex.ambient import Ambient
from byollm_vertex.options import Options
from byollm_vertex.places import HOSTS
from byollm_vertex.service_account import ServiceAccount

MANIFEST: Final = Manifest(
    name="vertex",
    default_endpoint="https://aiplatform.googleapis.com",
    hosts=(*HOSTS, "oauth2.googleapis.com"),
    credentials={"service_account": ("GOOGLE_CREDENTIALS",), "api_key": ("GOOGLE_VERTEX_ACCESS_TOKEN",)},
    authentication={
        "service-account": ServiceAccount(),
        "ambient": Ambient(),
        "bearer-token": Bearer(),
        "none": NoAuth(),
    },
    apis=("gemini", "anthropic"),
    options=Options,
    docs="https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference",
    models={
        "gemini-2.0-flash": ModelNote("2026-06-01", "gemini-3.8-flash"),
        "gemini-2.0-flash-lite": ModelNote("2026-06-01", "gemini-3.5-flash-lite"),
        "gemini-2.5-flash": ModelNote("2026-10-20", "gemini-3.8-flash"),
        "gemini-2.5-flash-lite": ModelNote("2026-10-20", "gemini-3.5-flash-lite"),
        "gemini-2.5-pro": ModelNote("2026-10-20", "gemini-4-argon"),
        "gemini-3.6-flash": ModelNote("2026-11-19", "gemini-3.8-flash"),
    },
)
"""`models`: `deprecation_date` in litellm 1.109.1, read 2026-11-21; the replacement is the newest of the same line."""
