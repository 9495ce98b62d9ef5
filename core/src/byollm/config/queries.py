"""What is added to every URL: `query:` of a target, and the query of an endpoint. No secrets: URLs end up in logs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

from byollm.config import schema
from byollm.config.places import KeyPath, name, shown
from byollm.config.settings import Context

_SECRET_NAME: Final = re.compile(r"(?:^|[-_.])(?:\w*key|token|secret|password|authorization|sig|signature)\Z", re.I)
_REFERENCE: Final = re.compile(r"(?:env|file|keyring|cmd|literal):|.*\$\{", re.DOTALL)
_KEY: Final = re.compile(r"(?:sk|pk|rk|gsk|hf|xai|ghp|glpat)[-_].{12,}|AKIA|AIza|eyJ")
_MEND: Final = "send it as a header: `headers: {X-Api-Key: …}`"


def query(context: Context, value: Mapping[str, Any], path: KeyPath) -> dict[str, str]:
    """What `query:` adds, as text. Raises ConfigError for a secret, and for what is no text."""
    found = {}
    for key, text in value.items():
        _no_secret(context, key, text, (*path, key))
        if isinstance(text, bool) or not isinstance(text, str | int | float):
            sentence = f"`{name(key)}` must be a text, not {shown(text)}"
            raise context.document.error((*path, key), sentence, schema.EXAMPLES["query"], value=True)
        found[key] = str(text)
    return found


def no_key_in(context: Context, url: str, path: KeyPath) -> None:
    """Raises ConfigError when an endpoint's query holds what looks like a key."""
    for key, text in parse_qsl(url.partition("?")[2], errors="replace"):
        _no_secret(context, key, text, path)


def _no_secret(context: Context, key: str, text: Any, path: KeyPath) -> None:
    if not isinstance(text, str) or not text:
        return
    if _REFERENCE.match(text) or _KEY.match(text) or _SECRET_NAME.search(key):
        raise context.document.error(path, f"`{name(key)}`: a secret in a URL ends up in logs", _MEND)
