"""QRK: what vendors do differently, held to on the wire."""

from __future__ import annotations

from byollm.errors import ConfigError
from byollm_conformance.effort import Effort
from byollm_conformance.model import Broken, check
from byollm_conformance.quirks import quirks_of
from byollm_conformance.subject import Subject


@check(
    "QRK-01",
    "MUST",
    "Every fact that is written down about the provider's wire names its provider, its models, the guarantee, its "
    "source and the day it was read.",
    spec="spec/quirks.md#1",
    layer="L0",
)
def quirks_are_told(subject: Subject, effort: Effort) -> None:
    """The project's own list, and the plugin's."""
    try:
        subject.count(len(quirks_of(subject)))
    except ConfigError as error:
        raise Broken(error.message) from None


@check(
    "QRK-02",
    "MUST",
    "Every such fact holds on the wire: the request of the entry, translated by the plugin, shows what it says.",
    spec="spec/quirks.md#2",
    needs=("wire",),
)
def quirks_hold(subject: Subject, effort: Effort) -> None:
    """Each entry, over each of its models."""
    for quirk in quirks_of(subject):
        subject.count(len(quirk.models))
        quirk.hold(subject)
