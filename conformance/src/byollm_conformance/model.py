"""What a check is, what it answers, and the one registry of all checks.

A check is a function of a subject and an effort. It returns None when the promise is kept and raises `Broken` when it
is not. It never skips: whether it applies is told by `needs`, the names of capabilities.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

if TYPE_CHECKING:
    from byollm_conformance.effort import Effort
    from byollm_conformance.subject import Subject

Keyword = Literal["MUST", "SHOULD", "MAY"]
Layer = Literal["L0", "L1"]
Outcome = Literal["pass", "fail", "warn", "n/a", "untestable", "error"]
"""`untestable` counts as `fail`; `error` is the suite's own mistake, never the plugin's."""

Function = Callable[["Subject", "Effort"], None]
_ID: Final = re.compile(r"[A-Z]{3}-\d{2}[a-z]?")


class Broken(Exception):
    """A promise is broken. `sentence` says how; `evidence` is what shows it: the example, the request, wire bytes."""

    def __init__(self, sentence: str, **evidence: Any) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.evidence = evidence


class Warned(Broken):
    """Allowed, and yet worth telling: the outcome is `warn`, whatever the keyword."""


class Untestable(Broken):
    """What the check needs is missing (a plugin that does not load, a distribution that is not installed): a fail."""


class Unsaid(Broken):
    """The dialect has no words for it, as the other end's own bytes show: n/a, with that reason."""


@dataclass(frozen=True, slots=True)
class Check:
    """One check, bound to one sentence of the spec.

    `id` is three letters and two digits (`STR-07`, and a small letter for one of several kin); `spec` the anchor of its
    sentence (`spec/events.md#7`); `since` the spec version that brought it. `needs` are capability names: with one of
    them declared `unsupported` the check is n/a, if `mirror` (the id of the check that proves the refusal) holds.
    `plugin` is True when the answer is the same for every API of the plugin, so that it runs once.
    """

    id: str
    keyword: Keyword
    sentence: str
    spec: str
    layer: Layer
    since: str
    needs: tuple[str, ...]
    mirror: str | None
    function: Function
    plugin: bool = False

    @property
    def area(self) -> str:
        """The three letters."""
        return self.id[:3]


@dataclass(slots=True)
class Result:
    """The outcome of one check on one API of a plugin ("" where it runs once). `reason` says why it is n/a."""

    id: str
    outcome: Outcome
    api: str = ""
    message: str = ""
    reason: str = ""
    evidence: Mapping[str, str] = field(default_factory=dict)
    examples: int = 0
    milliseconds: float = 0.0
    printed: str = ""

    @property
    def bad(self) -> bool:
        """The promise is not shown to be kept."""
        return self.outcome in ("fail", "untestable", "error")


REGISTRY: Final[dict[str, Check]] = {}
"""All checks by id, in the order of their modules. `byollm_conformance.checks.load()` fills it."""


def check(
    id: str,
    keyword: Keyword,
    sentence: str,
    *,
    spec: str,
    layer: Layer = "L1",
    since: str = "1",
    needs: tuple[str, ...] = (),
    mirror: str | None = None,
    plugin: bool = False,
) -> Callable[[Function], Function]:
    """Register a check. Raises ValueError for an id that is taken or malformed, and for an empty sentence.

    A check with `needs` has the mirror CAP-04 when it names none.
    """
    if not _ID.fullmatch(id) or id in REGISTRY:
        raise ValueError(f"{id!r} is taken or no check id (like STR-07 or REQ-07a)")
    if keyword not in get_args(Keyword) or not sentence.strip() or "#" not in spec:
        raise ValueError(f"{id}: a check has a keyword, a sentence and the anchor of its sentence in spec/")

    def registered(function: Function) -> Function:
        proof = mirror or ("CAP-04" if needs else None)
        REGISTRY[id] = Check(id, keyword, sentence, spec, layer, since, needs, proof, function, plugin)
        return function

    return registered
