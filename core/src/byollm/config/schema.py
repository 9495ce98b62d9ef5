"""What people may write, as pydantic models, and what is said when they wrote something else.

The models are small and flat, and each is built when it is first needed: a model costs milliseconds, and most files use
two. Parts that may be written in several ways (`timeout: 30`) are checked by `settings.py` with the models here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from byollm.config import words
from byollm.config.places import Document, KeyPath, name, shown
from byollm.errors import ConfigError

Seconds = Annotated[float, Field(gt=0, le=7 * 24 * 3600, allow_inf_nan=False)]
Text = Annotated[str, Field(min_length=1, max_length=1000)]


class Written(BaseModel):
    """The common rules: no key that is not known, no value that has to be converted, nothing shown in an error."""

    model_config = ConfigDict(
        extra="forbid", strict=True, defer_build=True, hide_input_in_errors=True, arbitrary_types_allowed=True
    )


class TimeoutModel(Written):
    """`timeout:` in seconds; null switches a bound off."""

    connect: Seconds | None = None
    first_byte: Seconds | None = None
    idle: Seconds | None = None
    total: Seconds | None = None


class RetriesModel(Written):
    """`retries:`; both numbers count the first attempt."""

    attempts: Annotated[int, Field(ge=1, le=20)] = 3
    total: Annotated[int, Field(ge=1, le=100)] = 5
    budget: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 0.2
    on_unknown: Literal["fail_over", "fail"] = "fail_over"
    on_cut: Literal["fail", "restart"] = "fail"


class TlsModel(Written):
    """`tls:` paths, from the configuration's folder; the password is a reference."""

    ca: Text | None = None
    cert: Text | None = None
    key: Text | None = None
    key_password: Any = None


class OAuthModel(Written):
    """`authentication: {type: oauth, …}`: the client-credentials grant."""

    type: Literal["oauth"]
    token_url: Text
    client_id: Any
    client_secret: Any
    scope: Text | None = None


class DefaultsModel(Written):
    """`defaults:`: what every target starts from. Nothing that names a provider, and no key: it would go to all."""

    region: Text | None = None
    tags: list[Text] | None = None
    data_classes: list[Text] | None = None
    headers: dict[str, Any] | None = None
    query: dict[str, Any] | None = None
    proxy: Any = None
    tls: Any = None
    timeout: Any = None
    retries: Any = None
    on_unsupported: Literal["adapt", "strict"] | None = None
    guard: Literal["local", "ask"] | None = None
    transport: Any = None


class TargetModel(DefaultsModel):
    """A deployment, or a task with a target of its own. Other keys are the plugin's options."""

    model_config = ConfigDict(extra="allow")

    provider: Text
    model: Text
    api: Text | None = None
    endpoint: Text | None = None
    api_key: Any = None
    credentials: dict[str, Any] | None = None
    authentication: Any = None
    failover: Any = None
    route: Any = None
    pricing: dict[str, Any] | None = None
    limits: Any = None
    capabilities: dict[str, Any] | None = None
    extra: dict[str, Any] | None = None


class TaskModel(Written):
    """A task over deployments that are named elsewhere."""

    deployment: Any = None
    route: Any = None
    failover: Any = None
    data_class: Any = None
    requires: Any = None
    residency: Any = None
    defer: Any = None
    batch: Any = None


class TenantModel(Written):
    """One tenant: its own keys, by provider or deployment, its region, and what it asks beyond everybody's rules."""

    credentials: dict[str, Any]
    region: Text | None = None
    limits: Any = None
    tasks: Any = None
    providers: Any = None
    requires: Any = None
    residency: Any = None
    data_class: Any = None


class SecretsModel(Written):
    """`secrets:`: what references may do, and the stores that they name."""

    model_config = ConfigDict(extra="allow")

    allow_cmd: bool = False
    max_age: Seconds | Literal[False] | None = None


class PluginsModel(Written):
    """`plugins: {lock: …}`: the file that pins them."""

    lock: Text


class AllowedModel(Written):
    """`plugins: […]`: the distributions that may be loaded."""

    plugins: list[Text]


class RootModel(Written):
    """The settings beside the tasks."""

    version: Literal[1] = 1
    default: Any = None
    defaults: dict[str, Any] | None = None
    deployments: dict[str, Any] | None = None
    tasks: dict[str, Any] | None = None
    tenants: dict[str, Any] | None = None
    policies: Any = None
    middleware: list[Any] | None = None
    observers: list[Any] | None = None
    plugins: Any = None
    transport: Any = None
    on_unsupported: Literal["adapt", "strict"] | None = None
    secrets: dict[str, Any] | None = None
    limits: dict[str, Any] | None = None
    log_content: bool = False


SETTINGS: Final = frozenset(RootModel.model_fields)
"""The reserved keys of the root."""
COMMON: Final = frozenset(TargetModel.model_fields)
"""The common keys of a target."""

EXAMPLES: Final = words.EXAMPLES
_OTHERS: Final = ("tenants", "policies", "residency set", "data class")
"""Mappings in which the same word wants something else than in a target: the examples are none of theirs."""

_TYPES: Final[Mapping[str, str]] = {
    "string_type": "a text",
    "string_unicode": "a text of valid characters",
    "string_too_short": "a text that is not empty",
    "string_too_long": "a text of at most 1000 characters",
    "float_type": "a number",
    "finite_number": "a finite number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
}


def validated(model: type[Written], value: Any, document: Document, path: KeyPath, what: str) -> dict[str, Any]:
    """What was written, by key, once it is right; `what` names the kind of mapping. Raises ConfigError, placed."""
    if value == {} and not any(field.is_required() for field in model.model_fields.values()):
        return {}  # nothing was written: no reason to build the model
    try:
        found = model.model_validate(value)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False)
    else:
        named = {key: getattr(found, key) for key in found.model_fields_set if key in model.model_fields}
        return named | (found.model_extra or {})
    raise _first(problems, model, document, path, what)


def _first(problems: list[Any], model: type[Written], document: Document, path: KeyPath, what: str) -> ConfigError:
    """The problem that stands first in the file; the places of the others are told."""
    places = [document.where((*path, *problem["loc"])) for problem in problems]
    # A key that is missing often stands there under another name: a key that nobody knows tells more.
    order = sorted(range(len(problems)), key=lambda n: (problems[n]["type"] == "missing", places[n].line or 0, n))
    error = _error(problems[order[0]], model.model_fields, document, path, what)
    others = sorted({line for n in order[1:] if (line := places[n].line) is not None})
    if others:
        error.message += f" (more to mend on line {', '.join(map(str, others[:5]))})"
    return error


def _error(problem: Any, known: Iterable[str], document: Document, path: KeyPath, what: str) -> ConfigError:
    kind: str = problem["type"]
    loc: KeyPath = (*path, *problem["loc"])
    key = str(problem["loc"][0]) if problem["loc"] else ""
    if kind == "extra_forbidden":
        return unknown_key(document, loc, known, what)
    if kind == "missing":
        return _missing(document, path, key, known, what)
    hint = EXAMPLES.get(key, "")
    context = problem.get("ctx", {})
    if kind == "literal_error":
        return _wrong_word(problem, document, loc, key)
    wanted = _TYPES.get(kind)
    bounds = {word: f"{bound:g}" for word, bound in context.items() if isinstance(bound, int | float)}
    told = wanted.format(**bounds) if wanted else ""
    told = told or problem["msg"].lower()
    raw = document.raw(loc)
    if kind == "string_type" and raw is not None and len(raw) <= 40:
        sentence = f"`{key}` is a text, and `{raw}` was read as a number or boolean"
        return document.error(loc, sentence, _quoted(key, raw, problem["loc"]), value=True)
    label = _label(problem["loc"]) or name(str(path[-1]))
    return document.error(loc, f"`{label}` must be {told}", hint or EXAMPLES.get(what, ""), value=True)


def _quoted(key: str, raw: str, loc: KeyPath) -> str:
    """The same as a text, where quotes alone can mend it; an entry of a list is no value of its key."""
    if isinstance(loc[-1], int):
        return f'"{raw}", in quotes'
    return EXAMPLES["endpoint"] if key == "endpoint" else f'{key}: "{raw}"'


def _missing(document: Document, path: KeyPath, key: str, known: Iterable[str], what: str) -> ConfigError:
    """A key is not there; perhaps it is, misspelled."""
    written = document.at(path)
    others = [other for other in written if other not in known] if isinstance(written, dict) else []
    wrong = next((other for other in others if words.nearest(other, [key], words.OF_A_TARGET) == key), None)
    if wrong is not None:
        return document.error((*path, wrong), f"`{name(wrong)}` is not a key of {_kind(what)}", f"write `{key}:`")
    return document.error(path, f"{_kind(what)} needs `{key}:`", EXAMPLES.get(key, f"add `{key}:`"))


def _kind(what: str) -> str:
    if what in words.OF_A_PART or what in SETTINGS or what in COMMON:
        return f"`{what}`"
    return f"{'an' if what[:1] in 'aeiou' else 'a'} {what}"


def _label(loc: KeyPath) -> str:
    steps = [step for step in loc if isinstance(step, int) or not step.startswith(("constrained-", "literal["))]
    return "".join(f"[{step}]" if isinstance(step, int) else (f".{name(step)}") for step in steps).lstrip(".")


def _wrong_word(problem: Any, document: Document, loc: KeyPath, key: str) -> ConfigError:
    value = document.at(loc)
    allowed = str(problem.get("ctx", {}).get("expected", "")).replace("'", "").replace(" or ", ", ").split(", ")
    meant = words.nearest(value, allowed) if isinstance(value, str) else None
    sentence = f"`{key}` is {words.listing(allowed).replace(' and ', ' or ')}, not {shown(value)}"
    return document.error(loc, sentence, f"{key}: {meant or allowed[0]}", value=True)


def unknown_key(document: Document, path: KeyPath, known: Iterable[str], what: str) -> ConfigError:
    """The error for a key that nobody takes, with the nearest that somebody does."""
    key = str(path[-1])
    known = sorted(known)
    synonyms = words.OF_A_PART.get(what) or (words.OF_A_TARGET if "provider" in known else words.OF_THE_ROOT)
    meant = words.nearest(key, known, synonyms)
    if what == "defaults" and key in COMMON:
        sentence = f"`{key}` cannot stand in `defaults`: it would hold for every provider"
        return document.error(path, sentence, f"write `{key}:` in each target that needs it")
    if key in words.OF_THE_CALL and meant is None:
        return document.error(path, f"`{key}` is a parameter of the call", words.as_called(key))
    if what == "tls" and key in ("verify", "insecure", "verify_ssl"):
        return document.error(path, "certificates are always verified", "name your own authority: `ca: company.pem`")
    label = _kind(what)
    example = EXAMPLES.get(meant or "") if not what.startswith(_OTHERS) else None
    mend = example or f"write `{meant}:`" if meant else f"{label} takes {words.listing(known, 30)}"
    told = f"; did you mean `{meant}`?" if meant else ""
    return document.error(path, f"`{name(key)}` is not a key of {label}{told}", mend)
