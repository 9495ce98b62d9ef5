"""MET: packaging. What a plugin's distribution and its manifest say about it."""

from __future__ import annotations

import re

from byollm.errors import PluginError
from byollm.providers.discovery import GROUP, check_spec
from byollm_conformance.effort import Effort
from byollm_conformance.model import Broken, Untestable, check
from byollm_conformance.subject import Subject

_NAME = re.compile(r"[a-z][a-z0-9_-]*")


@check(
    "MET-01",
    "MUST",
    "The distribution has exactly one entry point of the group `byollm.providers` for the name, it loads, and the "
    "manifest has the same name.",
    spec="spec/config.md#1",
    layer="L0",
    plugin=True,
)
def one_entry_point(subject: Subject, effort: Effort) -> None:
    """Of the metadata, not of the code."""
    if subject.distribution is None:
        raise Untestable("the plugin belongs to no installed distribution: install it, and name its provider")
    points = [point for point in subject.distribution.entry_points if point.group == GROUP]
    mine = [point for point in points if point.name == subject.entry]
    if len(mine) != 1:
        raise Broken(
            f"{len(mine)} entry points of {GROUP} are called {subject.entry!r}", found=[str(point) for point in points]
        )
    if not _NAME.fullmatch(mine[0].name):
        raise Broken(f"{mine[0].name!r} is no provider name: lower-case letters, digits, - and _ after a letter")
    if subject.manifest.name != mine[0].name:
        raise Broken(f"the entry point is called {mine[0].name!r} and the manifest {subject.manifest.name!r}")


@check(
    "MET-05",
    "MUST",
    "The manifest names the version of the border it was written for, and the core understands it.",
    spec="spec/config.md#2",
    layer="L0",
    plugin=True,
)
def spec_is_understood(subject: Subject, effort: Effort) -> None:
    """`Manifest.spec`."""
    try:
        check_spec(subject.manifest, subject.entry or "the plugin", "this version")
    except PluginError as error:
        raise Broken(error.message) from None
