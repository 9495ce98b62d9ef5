"""The guide's decision framework: nine sentences, each held against what is known, with the reason, and no guess."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

MANY: Final = 10_000
"""Operations a month above which the guide speaks of a high volume."""
FEW: Final = 1_000
"""Operations a month below which the guide speaks of a very low volume."""


@dataclass(frozen=True, slots=True)
class Fact:
    """What is known about one question, and how we know it."""

    value: bool | int
    because: str


@dataclass(frozen=True, slots=True)
class Question:
    """Something to know. `flag` answers it on the command line; `number`: with a number, else with yes or no."""

    name: str
    text: str
    number: bool = False

    @property
    def flag(self) -> str:
        """How to answer it."""
        return f"--{self.name.replace('_', '-')} {'N' if self.number else 'yes|no'}"


QUESTIONS: Final = (
    Question("operations", "How many operations a month?", number=True),
    Question("regulated", "Does a regulation, or a contract, say which AI providers you may use?"),
    Question("several_clouds", "Do you use several cloud providers, and is AI to follow the same strategy?"),
    Question("negotiating", "Do you need to be able to leave, for better enterprise rates?"),
    Question("capabilities", "Do tasks need particular models (one for analysis, another for speed)?"),
    Question("one_vendor", "Is the simplicity of a single vendor worth more to you than lower cost?"),
    Question("little_staff", "Is there little technical time for configuration and monitoring?"),
)

Facts = Mapping[str, Fact]


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of the guide: `side` for or against; `holds` None: nobody has said what it needs (`ask`)."""

    side: str
    says: str
    holds: bool | None
    because: str
    ask: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """`answer`: yes, no, both, neither or unknown; `because` in one sentence."""

    answer: str
    because: str
    sentences: tuple[Sentence, ...]


def decide(facts: Facts) -> Decision:
    """Every sentence of the guide, and what follows from them."""
    sentences = (
        _volume(facts, "for", "High volumes (more than 10,000 operations a month) where cost optimization matters"),
        _plain(facts, "for", "regulated", "A regulated industry with requirements for AI providers"),
        _plain(facts, "for", "several_clouds", "Several cloud providers, and AI is to align with the cloud strategy"),
        _plain(facts, "for", "negotiating", "Vendor flexibility is needed to negotiate better enterprise rates"),
        _plain(facts, "for", "capabilities", "Specific model capabilities are required"),
        _volume(facts, "against", "Very low volume (fewer than 1,000 operations a month)"),
        _no_requirements(facts),
        _plain(facts, "against", "one_vendor", "Single-vendor simplicity is preferred over cost optimization"),
        _plain(facts, "against", "little_staff", "Limited technical resources for configuration and monitoring"),
    )
    return Decision(*_answer(sentences), sentences)


def _volume(facts: Facts, side: str, says: str) -> Sentence:
    known = facts.get("operations")
    if known is None:
        return _unknown(side, says, "operations")
    holds = known.value > MANY if side == "for" else known.value < FEW
    return Sentence(side, says, holds, f"{known.value:,} operations a month: {known.because}")


def _plain(facts: Facts, side: str, name: str, says: str) -> Sentence:
    known = facts.get(name)
    return _unknown(side, says, name) if known is None else Sentence(side, says, bool(known.value), known.because)


def _no_requirements(facts: Facts) -> Sentence:
    """`No specific compliance or vendor requirements` is the absence of three other things."""
    says = "No specific compliance or vendor requirements"
    names = ("regulated", "several_clouds", "capabilities")
    known = [facts[name] for name in names if name in facts]
    there = next((fact for fact in known if fact.value), None)
    if there is not None:
        return Sentence("against", says, False, f"there is one: {there.because}")
    missing = [name for name in names if name not in facts]
    if missing:
        return _unknown("against", says, *missing)
    return Sentence("against", says, True, "no regulation, no cloud strategy and no particular model was named")


def _unknown(side: str, says: str, *names: str) -> Sentence:
    asked = tuple(question.flag for question in QUESTIONS if question.name in names)
    return Sentence(side, says, None, "nobody has said", asked)


def _answer(sentences: tuple[Sentence, ...]) -> tuple[str, str]:
    speaking = {side: sum(1 for it in sentences if it.side == side and it.holds) for side in ("for", "against")}
    open_ = sum(1 for it in sentences if it.holds is None)
    left = f"; {open_} of {len(sentences)} sentences are open" if open_ else ""
    count = f"{speaking['for']} of 5 reasons for it and {speaking['against']} of 4 against it hold{left}"
    if speaking["for"] and speaking["against"]:
        return "both", f"{count}: weigh them"
    if speaking["for"]:
        against_open = any(it.holds is None for it in sentences if it.side == "against")
        return "yes", f"{count}: {'so far, ' if against_open else ''}bringing your own is for you"
    if speaking["against"] and all(it.holds is False for it in sentences if it.side == "for"):
        return "no", f"{count}: consider the alternatives"
    if open_:
        return "unknown", f"{count}: not enough is known"
    return "neither", f"{count}: the guide says nothing for this case, and the calculator may"
