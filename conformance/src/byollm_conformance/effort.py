"""How hard to try: how many examples, from which seed."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from byollm_conformance.model import Broken

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

    from byollm_conformance.subject import Subject

T = TypeVar("T")
SEED: Final = 20261121


@dataclass(frozen=True, slots=True)
class Effort:
    """`max_examples` per property, `seed` for all chance, `shrink`: look for the smallest failing example."""

    max_examples: int = 200
    seed: int = SEED
    shrink: bool = True

    def random(self, label: str = "") -> random.Random:
        """A generator of its own for each label: the same in every run with this seed."""
        return random.Random(self.seed ^ zlib.crc32(label.encode()))

    def scaled(self, share: float) -> int:
        """A share of `max_examples`, at least one: for checks whose single example is dear."""
        return max(1, round(self.max_examples * share))

    def each(
        self, subject: Subject, strategy: SearchStrategy[T], test: Callable[[T], Any], *, share: float = 1.0
    ) -> None:
        """Run `test` on examples of a hypothesis strategy. The smallest example that breaks it is in the evidence.

        A test raises `Broken`. Each example counts. `share` is the part of `max_examples` to draw.
        """
        from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings

        phases = [Phase.explicit, Phase.generate, *([Phase.shrink] if self.shrink else [])]

        @settings(
            max_examples=self.scaled(share),
            database=None,
            deadline=None,
            phases=phases,
            verbosity=Verbosity.quiet,
            suppress_health_check=list(HealthCheck),
            report_multiple_bugs=False,
            print_blob=False,
        )
        @seed(self.seed)
        @given(strategy)
        def body(example: T) -> None:
            subject.count()
            try:
                test(example)
            except Broken as broken:
                broken.evidence.setdefault("example", example)
                raise

        body()
