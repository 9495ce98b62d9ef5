"""The sample: a JSON Lines file with one question a line, and what was expected where somebody knows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from byollm import Request
from byollm.errors import ByollmError
from byollm.plugin import parse_json
from byollm_compare.errors import SampleError

_KEYS: Final = {"id", "prompt", "messages", "system", "expected"}
NOTHING: Final = object()


@dataclass(frozen=True, slots=True)
class Sample:
    """One question. `expected`: a label or JSON data; `NOTHING` where the line says none. `digest`: of what is sent."""

    name: str
    request: Request = field(repr=False)
    digest: str
    expected: Any = NOTHING

    @property
    def judged(self) -> bool:
        """Whether somebody said what to expect."""
        return self.expected is not NOTHING


def read_samples(path: str, parameters: Mapping[str, Any], limit: int | None = None) -> list[Sample]:
    """The questions of a file, each with the same `parameters`; the first `limit` of them.

    Raises SampleError for a file or a line that cannot be used, and for two lines of the same `id`.
    """
    found: list[Sample] = []
    names: dict[str, int] = {}
    for number, line in enumerate(_lines(path), 1):
        if not line.strip():
            continue
        if limit is not None and len(found) == limit:
            break
        place = f"{path}, line {number}"
        sample = _sample(_told(line, place), str(number), parameters, place)
        if sample.name in names:
            raise SampleError(f"{place}: line {names[sample.name]} has the id {sample.name!r}, too")
        names[sample.name] = number
        found.append(sample)
    if not found:
        raise SampleError(f"{path} holds no question")
    return found


def _lines(path: str) -> list[str]:
    problem = ""
    try:
        return Path(path).read_text("utf-8-sig").splitlines()
    except OSError as error:
        problem = f"cannot be read: {error.strerror or type(error).__name__}"
    except UnicodeDecodeError:
        problem = "is not UTF-8 text"
    raise SampleError(f"{path} {problem}", "--data names a file of JSON lines")


def _told(line: str, place: str) -> dict[str, Any]:
    problem = ""
    try:
        told = parse_json(line)
    except ValueError as error:
        problem = str(error).splitlines()[0]
    else:
        if isinstance(told, dict):
            strange = sorted(told.keys() - _KEYS)
            if strange:
                raise SampleError(f"{place}: {strange[0]!r} is none of {', '.join(sorted(_KEYS))}")
            return told
        problem = "this is no JSON object"
    raise SampleError(f"{place}: {problem}")


def _sample(told: dict[str, Any], name: str, parameters: Mapping[str, Any], place: str) -> Sample:
    if ("prompt" in told) == ("messages" in told):
        raise SampleError(f"{place}: a question is a `prompt` or `messages`, one of them")
    asked = dict(parameters)
    if "system" in told:
        asked["system"] = told["system"]
    problem = ""
    try:
        request = Request(told["prompt"] if "prompt" in told else told["messages"], **asked, stream=True)
        if not request.messages:
            problem = "there is nothing to answer"
    except (ByollmError, TypeError, ValueError) as error:
        problem = str(error).splitlines()[0]
    if problem:
        raise SampleError(f"{place}: {problem}")
    sent = json.dumps({**{key: repr(value) for key, value in asked.items()}, **told, "expected": None}, sort_keys=True)
    digest = hashlib.sha256(sent.encode()).hexdigest()[:16]
    return Sample(str(told.get("id", name)), request, digest, told.get("expected", NOTHING))
