"""The exception tree: drawn as it is, and each error goes wherever a value can go."""

import copy
import inspect
import pickle
import re
from collections.abc import Iterator
from typing import Any

import pytest

from byollm import Completion, Text, errors
from byollm.errors import (
    AuthenticationError,
    ByollmError,
    ConfigError,
    NoRouteError,
    OutputInvalidError,
    ProviderError,
    RateLimitError,
    StreamInterruptedError,
)
from byollm.types.completion import Attempt


def tree(kind: type[ByollmError] = ByollmError) -> Iterator[type[ByollmError]]:
    yield kind
    for below in kind.__subclasses__():
        if below.__module__ == "byollm.errors":
            yield from tree(below)


TREE = list(dict.fromkeys(tree()))


def made(kind: type[ByollmError]) -> ByollmError:
    """One with every attribute set to something of its own."""
    values: dict[str, Any] = {
        "hint": "mend it", "file": "a.yaml", "line": 3, "column": 4, "field": "seed", "nearest": "seed",
        "completion": Completion(parts=(Text("half"),)), "problems": ["p"], "skipped": {"a": "no"},
        "partial": Completion(parts=(Text("half"),)), "status": 429, "code": "x", "retryable": False,
        "retry_after": 7.0, "failover_ok": False, "sent": "partial", "billed": "yes", "provider": "acme",
        "model": "m", "deployment": "d", "request_id": "r", "phase": "idle",
        "attempts": [Attempt("d", "acme", "m")],
    }  # fmt: skip
    known: set[str] = set()
    for base in kind.__mro__:
        if issubclass(base, ByollmError):
            known |= inspect.signature(base).parameters.keys()
            if "details" not in inspect.signature(base).parameters:
                break
    return kind("it broke", **{name: value for name, value in values.items() if name in known})


def test_the_tree_is_drawn_as_it_is():
    """The drawing in the docstring has every class, below its base, with the builtin it also is."""
    drawn: dict[str, tuple[str, set[str]]] = {}
    above: list[str] = []
    for row in re.findall(r"^    ([│├└─ ]*)(\w+Error)((?: \(\w+\))?)", str(errors.__doc__), re.MULTILINE):
        depth = len(row[0]) // 4
        above[depth:] = [row[1]]
        drawn[row[1]] = (above[depth - 1] if depth else "Exception", set(re.findall(r"\w+", row[2])))
    real = {}
    for kind in TREE:
        bases = [base.__name__ for base in kind.__bases__]
        real[kind.__name__] = (bases[0], set(bases[1:]))

    assert real == drawn


@pytest.mark.parametrize("kind", TREE)
@pytest.mark.parametrize("again", [lambda it: pickle.loads(pickle.dumps(it)), copy.copy, copy.deepcopy])
def test_each_error_pickles_and_copies(kind: type[ByollmError], again: Any):
    """An error that went through pickle or copy has the same class, text and attributes."""
    error = made(kind)

    twin = again(error)

    assert (type(error), str(error), error.args, vars(error)) == (type(twin), str(twin), twin.args, vars(twin))


def test_an_error_that_knows_itself_by_its_attempts_pickles():
    """The last attempt holds the error that holds the attempts."""
    error = RateLimitError("slow down", retry_after=7)
    error.attempts = (Attempt("d", "acme", "m", error=error),)

    twin = pickle.loads(pickle.dumps(error))

    assert twin.attempts[0].error is twin
    assert [7] == [getattr(it.error, "retry_after", None) for it in copy.deepcopy(error).attempts]


@pytest.mark.parametrize("kind", TREE)
def test_each_text_is_one_screen_that_ends_with_the_hint(kind: type[ByollmError]):
    """What is printed fits a screen, and its last line is the one that mends it."""
    lines = str(made(kind)).splitlines()

    assert len(lines) <= 12
    if "hint" in inspect.signature(kind).parameters or issubclass(kind, ProviderError):
        assert "  mend it" == lines[-1]


@pytest.mark.parametrize(
    "kind", [kind for kind in TREE if issubclass(kind, ProviderError) and kind is not ProviderError]
)
def test_each_provider_error_has_a_mend_of_its_own(kind: type[ProviderError]):
    """Nobody is left with a bare complaint."""
    assert str(kind("it broke")).splitlines()[1:] == [f"  {kind.default_hint}"]


def test_the_text_names_provider_model_status_and_request():
    """What a support desk asks for first is in the first line."""
    error = AuthenticationError("bad key", provider="acme", model="m", status=401, request_id="r-1")

    assert "acme/m: bad key (status 401, request r-1)" == str(error).splitlines()[0]


def test_a_place_in_a_file_comes_first():
    """File, line and column stand where editors look for them."""
    assert "a.yaml:3:4: no" == str(ConfigError("no", file="a.yaml", line=3, column=4))


def test_no_route_tells_the_reasons():
    """Why each candidate was left out is part of the text."""
    assert "none\n  a: too small\n  b: refused" == str(NoRouteError("none", skipped={"a": "too small", "b": "refused"}))


@pytest.mark.parametrize(
    "kind, also",
    [("ConfigError", ValueError), ("ProviderTimeoutError", TimeoutError), ("ProviderConnectionError", ConnectionError)],
)
def test_the_builtin_words_catch_too(kind: str, also: type[Exception]):
    """Whoever catches the builtin catches ours."""
    with pytest.raises(also):
        raise getattr(errors, kind)("no")


def test_partial_and_completion_are_kept():
    """What arrived stays with the error."""
    half = Completion(parts=(Text("half"),))

    assert half is StreamInterruptedError("cut", partial=half).partial
    assert half is OutputInvalidError("bad", completion=half, problems=["p"]).completion
