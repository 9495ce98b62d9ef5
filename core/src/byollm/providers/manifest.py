"""A plugin's passport: what it is called, whom it may reach, what it asks for. Read right after load."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from byollm.wire.auth import AuthScheme

SPEC: Final = 1
"""The version of the border that this core speaks. It loads plugins of this version and of the one before."""


@dataclass(frozen=True, slots=True)
class ModelNote:
    """What `byollm check` says of a model name: when it was or will be retired (ISO date), and what replaced it."""

    retired: str | None = None
    replacement: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """`Manifest(name="acme", …)`; keyword-only, frozen.

    `spec`: the border version the plugin was written for. `aliases`: other names in YAML. `default_endpoint`: used when
    the file names none; None means that the file must, "" that there is none: the model runs in the process. `hosts`:
    the host names a key found in the environment may be sent to (`*.example.com` matches one level and more).
    `credentials`: secret name → usual environment variables, first found wins. `authentication`: word in YAML → auth
    scheme; the first is the default. `apis`: the surfaces it speaks, the default first. `options`: a pydantic model
    class of its own YAML keys, or None. `docs`: a link. `models`: notes on names, for `byollm check`. `base_path`: put
    where an endpoint has an empty path. Raises TypeError for a value of another type: a text where names are wanted
    would be read letter by letter.
    """

    name: str
    spec: int = SPEC
    aliases: tuple[str, ...] = ()
    default_endpoint: str | None = None
    base_path: str = ""
    hosts: tuple[str, ...] = ()
    credentials: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    authentication: Mapping[str, AuthScheme] = field(default_factory=dict)
    apis: tuple[str, ...] = ()
    options: Any = None
    docs: str = ""
    models: Mapping[str, ModelNote] = field(default_factory=dict)

    def __post_init__(self) -> None:
        problem = next(_mistakes(self), None)
        if problem:
            raise TypeError(f"Manifest({self.name!r}): {problem}")


def _mistakes(manifest: Manifest) -> Iterator[str]:
    yield from _plain_mistakes(manifest)
    for field_ in ("credentials", "authentication", "models"):
        if not isinstance(getattr(manifest, field_), Mapping):
            yield f"{field_} is a mapping, not {getattr(manifest, field_)!r}"
            return
    for name, variables in manifest.credentials.items():
        if not isinstance(name, str) or not _names(variables):
            yield f"credentials[{name!r}] is a tuple of environment variables' names, not {variables!r}"
    for word, scheme in manifest.authentication.items():
        if isinstance(scheme, type | str | None):
            yield f"authentication[{word!r}] is an auth scheme, not {scheme!r}"


def _plain_mistakes(manifest: Manifest) -> Iterator[str]:
    if not isinstance(manifest.name, str) or not manifest.name:
        yield "name is a text that is not empty"
    if type(manifest.spec) is not int:
        yield f"spec is a whole number, not {manifest.spec!r}"
    for field_ in ("base_path", "docs"):
        if not isinstance(getattr(manifest, field_), str):
            yield f"{field_} is a text, not {getattr(manifest, field_)!r}"
    if not isinstance(manifest.default_endpoint, str | None):
        yield f"default_endpoint is a text or None, not {manifest.default_endpoint!r}"
    for field_ in ("aliases", "hosts", "apis"):
        if not _names(getattr(manifest, field_)):
            yield f"{field_} is a tuple of texts, not {getattr(manifest, field_)!r}"


def _names(value: object) -> bool:
    return isinstance(value, Collection) and not isinstance(value, str) and all(isinstance(each, str) for each in value)
