"""What is wrong with the options of a plugin or an extension, in words of ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from byollm.config.words import listing, nearest

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError

_WANTED: Final[Mapping[str, str]] = {
    "string": "a text",
    "float": "a number",
    "finite": "a finite number",
    "int": "a whole number",
    "bool": "true or false",
    "list": "a list",
    "tuple": "a list",
    "set": "a list",
    "dict": "a mapping",
    "mapping": "a mapping",
    "model": "a mapping",
    "path": "a path",
    "string_pattern_mismatch": "a text that matches {pattern}",
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
}
"""By the type of pydantic's error, or its first word (`int_type`, `int_parsing`, `int_from_float` are one to us)."""


def first_of(error: ValidationError) -> Any:
    """The problem that is told. What is missing often stands there under another name: that name tells more."""
    problems = error.errors(include_url=False, include_input=False)
    return next((each for each in problems if each["type"] == "extra_forbidden"), problems[0])


def sentence_of(error: ValidationError, model: type[BaseModel], above: str = "") -> str:
    """The first problem of some options, without what was written: it may hold a secret.

    A `ValueError` that a validator of the model raised is told in its own words.
    """
    problem = first_of(error)
    label = ".".join([above, *map(str, problem["loc"])] if above else map(str, problem["loc"]))
    kind, context = problem["type"], problem.get("ctx", {})
    if kind == "extra_forbidden":
        known = model.model_fields if len(problem["loc"]) == 1 else {}
        meant = nearest(label, known) if known else None
        return f"`{label}` is no option" + (f"; did you mean `{meant}`?" if meant else "")
    if kind == "missing":
        return f"`{label}` is missing"
    if kind == "literal_error":
        allowed = str(context.get("expected", "")).replace("'", "").replace(" or ", ", ").split(", ")
        return f"`{label}` is {listing(allowed).replace(' and ', ' or ')}"
    if kind in ("value_error", "assertion_error"):
        return _raised(context.get("error"), model, label)
    wanted = _WANTED.get(kind) or _WANTED.get(kind.partition("_")[0], "something else")
    bounds = {word: f"{bound:g}" for word, bound in context.items() if isinstance(bound, int | float)}
    bounds["pattern"] = str(context.get("pattern"))
    return f"`{label}` must be {wanted.format(**bounds)}"


def _raised(cause: Any, model: type[BaseModel], label: str) -> str:
    from pydantic import ValidationError

    if isinstance(cause, ValidationError):
        return sentence_of(cause, model, label)
    told = f"{cause}".splitlines()
    return f"`{label}`: {told[0]}" if told else f"`{label}` cannot be used"
