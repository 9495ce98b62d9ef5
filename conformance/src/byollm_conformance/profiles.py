"""Profiles: what a plugin may call itself, computed from what it declares and what held."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from byollm_conformance.model import Check, Result

FEATURES: Final[Mapping[str, tuple[str, ...]]] = {
    "core": (),
    "stream": ("streaming",),
    "tools": (
        "tools", "tool_choice_required", "tool_choice_named", "parallel_tool_calls", "parallel_tool_calls_off",
        "tools_while_reasoning", "tool_error_flag", "tool_result_media", "strict_tools",
    ),
    "structured": ("structured_output", "strict_tools"),
    "vision": ("images", "image_urls"),
    "documents": ("documents", "document_urls", "citations"),
    "audio": ("audio",),
    "reasoning": ("reasoning", "reasoning_effort", "tools_while_reasoning"),
    "caching": ("cache_hints", "cache_key"),
    "count_tokens": ("count_tokens",),
}  # fmt: skip
"""Profile → the capabilities it is about; the first one must be declared. Checks that need one of them belong to it."""
IN_PROCESS: Final = "an in-process model has no wire: it was asked in every way, and nothing was to be sent"
"""Why a check that needs a wire is n/a for a plugin without one."""
_SAID: Final = ("full", "partial")


def profiles(subject: Mapping[str, Any], results: Sequence[Result], registry: Mapping[str, Check]) -> dict[str, str]:
    """Profile → pass, fail, unknown or unsupported, for one API as `targets.describe` tells it.

    `pass` wants the profile's first capability declared full or partial, and every MUST of `core` and of the profile
    run and kept, without an expected failure. A plugin that declares nothing at all has no profile. `local`: no key is
    needed.
    """
    declared: Mapping[str, str] = subject["capabilities"]
    api = subject["api"]
    held = {result.id for result in results if result.api in ("", api) and not result.bad}
    # A check that was not run has not held.
    bad = [check for check in registry.values() if check.keyword == "MUST" and check.id not in held]
    found: dict[str, str] = {}
    core_holds = not any(_belongs(check, "core") for check in bad)
    for name, features in FEATURES.items():
        state = _declared(declared, features)
        if state in _SAID:
            holds = core_holds and not any(_belongs(check, name) for check in bad)
            found[name] = "pass" if holds else "fail"
        else:
            found[name] = state
    in_process = any(result.reason == IN_PROCESS for result in results if result.api == api)
    if found["core"] == "pass" and (in_process or not subject["credentials"]):
        found["local"] = "pass"
    return found


def _declared(declared: Mapping[str, str], features: Sequence[str]) -> str:
    if not features:
        return "full" if any(value in _SAID for value in declared.values()) else "unknown"
    return declared.get(features[0], "unknown")


def _belongs(check: Check, profile: str) -> bool:
    needed = set(check.needs)
    if profile == "core":
        return not any(needed.intersection(features) for features in FEATURES.values())
    return bool(needed.intersection(FEATURES[profile]))


def overall(each: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """The same over all APIs: a profile holds where no API that declares it fails, and one passes."""
    names = dict.fromkeys(name for found in each for name in found)
    result: dict[str, str] = {}
    for name in names:
        states = [found[name] for found in each if name in found]
        result[name] = next((state for state in ("fail", "pass", "unknown") if state in states), "unsupported")
    return result
