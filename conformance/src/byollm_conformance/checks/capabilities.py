"""CAP: capabilities tell the truth, in both directions."""

from __future__ import annotations

from byollm.types.capabilities import FEATURES, Support
from byollm_conformance.effort import Effort
from byollm_conformance.mirror import prove
from byollm_conformance.model import Broken, check
from byollm_conformance.subject import Subject


@check(
    "CAP-02",
    "MUST",
    "Asked twice for the same model and target, `capabilities` gives equal answers.",
    spec="spec/capabilities.md#2",
    layer="L1",
)
def capabilities_are_pure(subject: Subject, effort: Effort) -> None:
    """Two deployments of the same target."""
    first, second = subject.fresh().capabilities, subject.fresh().capabilities
    if first != second:
        differing = [name for name in FEATURES if getattr(first, name) != getattr(second, name)]
        raise Broken("the same question had two answers", differing=differing)


@check(
    "CAP-04",
    "MUST",
    "A feature that is declared unsupported is refused, or left out and told, before any byte is sent.",
    spec="spec/capabilities.md#4",
)
def unsupported_is_refused(subject: Subject, effort: Effort) -> None:
    """Every unsupported feature in turn."""
    for name in FEATURES:
        if subject.support(name) is Support.unsupported:
            subject.count()
            prove(subject, name)
