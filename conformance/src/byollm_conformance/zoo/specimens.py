"""Every plugin of the zoo by its fault's name, so that another process can load it (`…specimens:drops_temperature`)."""

from __future__ import annotations

from typing import Any

from byollm_conformance.zoo import answering, asking, batch_answers, batching, fixing, refusing, showing, streaming
from byollm_conformance.zoo.fault import FAULTS

MODULES = (asking, showing, answering, streaming, refusing, fixing, batching, batch_answers)
"""Where faults are defined."""


def __getattr__(name: str) -> Any:
    if name in FAULTS:
        return FAULTS[name].plugin()
    raise AttributeError(name)
