"""REQ-07, REQ-08, RSN-03: every number and word about sampling is sent if it was set, and only then."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from byollm.errors import UnsupportedFeatureError
from byollm.types.capabilities import Support
from byollm.types.request import EFFORTS, Request
from byollm_conformance.effort import Effort
from byollm_conformance.judge import alike
from byollm_conformance.model import Broken, Function, check
from byollm_conformance.subject import Subject, Translation


def settled(subject: Subject) -> dict[str, Any]:
    """Parameters that switch reasoning off where sampling, or a call of tools, is refused while the model reasons."""
    can = subject.capabilities
    hampered = can.sampling_needs_no_reasoning or can.tools_while_reasoning.refused
    can_stop = not can.reasoning_effort.refused and "none" in (can.reasoning_efforts or ())
    return {"reasoning_effort": "none"} if hampered and can_stop else {}


def is_told(made: Translation, field: str) -> bool:
    """The caller can read that the field was changed."""
    return field in {item.field for item in made.adjustments}


FIELDS: Final[Mapping[str, tuple[str, tuple[Any, ...]]]] = {
    "a": ("temperature", (0, 0.0, 0.7, 1)),
    "b": ("top_p", (0.1, 0.95)),
    "c": ("top_k", (1, 40)),
    "d": ("seed", (0, 7, 2**31)),
    "e": ("stop", (("END",), ("END", "STOP HERE"))),
    "f": ("presence_penalty", (0, -1.5, 0.5)),
    "g": ("frequency_penalty", (0, 0.5, 2)),
    "h": ("logit_bias", ({"50256": -100},)),
    "i": ("n", (2,)),
}
"""Letter of the check → field, values that every provider takes."""


def _sent_if_set(field: str, values: tuple[Any, ...]) -> Function:
    def function(subject: Subject, effort: Effort) -> None:
        base = settled(subject)
        plain = subject.translate(Request("hi", **base))
        if field in subject.seen(plain).parameters:
            raise Broken(f"{field} was sent, and nobody set it", body=plain.body)
        for value in values:
            subject.count()
            _arrives(subject, Request("hi", **{**base, field: value}), field, value)

    return function


def _arrives(subject: Subject, request: Request, field: str, value: Any) -> None:
    declared = subject.support(field)
    refused = ""
    try:
        made = subject.translate(request)
    except UnsupportedFeatureError as error:
        refused = error.message
    if refused:
        if declared is Support.full:
            raise Broken(f"{field} is declared full, and refused: {refused}", request=request)
        return
    seen = subject.seen(made)
    if field not in seen.parameters and (declared is Support.full or not is_told(made, field)):
        words = "is declared full, and was not sent" if declared is Support.full else "was dropped without a word"
        raise Broken(f"{field} {words}", request=request, body=made.body)
    if field in seen.parameters and not is_told(made, field):
        alike(value, seen.parameters[field], f"{field} was changed without a word", request=request, body=made.body)


for _letter, (_field, _values) in FIELDS.items():
    check(
        f"REQ-07{_letter}",
        "MUST",
        f"`{_field}` is sent if and only if it was set, unchanged, or the caller is told; 0 is not None.",
        spec="spec/messages.md#7",
        needs=("wire", _field),
    )(_sent_if_set(_field, _values))


@check(
    "REQ-08",
    "MUST",
    "`max_tokens` arrives under the name that the model's family knows; unset, nothing is sent but the declared "
    "`default_max_tokens`.",
    spec="spec/messages.md#8",
    needs=("wire", "max_tokens"),
)
def max_tokens(subject: Subject, effort: Effort) -> None:
    """The strict twin knows which family wants which name."""
    base = settled(subject)
    for value in (77, 2_000):
        subject.count()
        request = Request("hi", **base, max_tokens=value)
        made = subject.translate(request)
        _arrives(subject, request, "max_tokens", value)
        rejection = subject.rejected(made)
        if rejection is not None:
            raise Broken(f"the provider would refuse the limit: {rejection.message}", request=request, body=made.body)
    unset = subject.seen(Request("hi", **base)).parameters.get("max_tokens")
    if unset is not None and unset != subject.capabilities.default_max_tokens:
        raise Broken(
            "a limit was sent that nobody set and default_max_tokens does not declare",
            expected=subject.capabilities.default_max_tokens,
            got=unset,
        )


@check(
    "RSN-03",
    "MUST",
    "Each declared reasoning effort reaches the wire as itself or as a budget that grows with it, or the caller is "
    "told; none is sent unasked.",
    spec="spec/messages.md#28",
    needs=("wire", "reasoning_effort"),
)
def efforts(subject: Subject, effort: Effort) -> None:
    """In the order of the words, weakest first."""
    can = subject.capabilities
    plain = subject.seen(Request("hi")).parameters
    if "reasoning_effort" in plain or "reasoning_budget" in plain:
        raise Broken("an effort was sent that nobody asked for", got=plain)
    words = sorted(can.reasoning_efforts or ("low", "medium", "high"), key=EFFORTS.index)
    budget = 0
    for word in words:
        subject.count()
        request = Request("hi", reasoning_effort=word, max_tokens=can.max_output_tokens or 64_000)
        made = subject.translate(request)
        sent = subject.seen(made).parameters
        told = is_told(made, "reasoning_effort")
        if "reasoning_budget" in sent:
            if sent["reasoning_budget"] <= budget and not told:
                raise Broken(f"{word} is sent as a budget no larger than a weaker word's", got=sent)
            budget = sent["reasoning_budget"]
        elif sent.get("reasoning_effort") != word and not told and not (word == "none" and can.default_effort == word):
            raise Broken(f"the effort {word} did not arrive", request=request, body=made.body)
