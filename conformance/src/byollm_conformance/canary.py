"""Made-up credentials: what a subject is given for keys, and what is looked for wherever no key belongs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from byollm.providers.manifest import Manifest
from byollm.transports.base import Outgoing
from byollm.types.request import Request
from byollm.wire.auth import Bearer, HeaderKey, NoAuth

if TYPE_CHECKING:
    from byollm_conformance.subject import Subject

KEY: Final = "sk-conformance-0123456789abcdefghijklmnopqrstuvwxyz"
"""The credential of every subject: a canary."""

PLAIN: Final = (Bearer, HeaderKey, NoAuth)
"""Schemes that send a key as it is, or none."""


def usual_scheme(manifest: Manifest) -> str | None:
    """The first scheme that sends a key as it is, where the usual one makes something of it first; else None.

    A made-up key would be refused by a scheme that reads or signs with it, and nothing would be sent.
    """
    schemes = manifest.authentication
    if not schemes or isinstance(next(iter(schemes.values())), PLAIN):
        return None
    return next((word for word, scheme in schemes.items() if isinstance(scheme, Bearer | HeaderKey)), None)


def canaries(manifest: Manifest, word: Any = None) -> dict[str, Any]:
    """Made-up credentials for a word of `authentication`; for None: for the manifest's usual one."""
    scheme = manifest.authentication.get(word) if isinstance(word, str) else None
    if isinstance(scheme, NoAuth) or word == "none":
        return {}
    names = [scheme.secret] if isinstance(scheme, Bearer | HeaderKey) else list(manifest.credentials)
    if names == ["api_key"]:
        return {"api_key": KEY}
    return {"credentials": {name: KEY if len(names) == 1 else f"{KEY}-{name}" for name in names}} if names else {}


def is_for_an_answer(request: Outgoing, subject: Subject) -> bool:
    """It asks for the answer; others are those by which a scheme of authentication gets a token."""
    ways = (False,) if subject.support("streaming").refused else (False, True)
    homes = [subject.exchange(Request("hi", stream=way)).request.url.partition("?")[0] for way in ways]
    return request.url.partition("?")[0] in homes
