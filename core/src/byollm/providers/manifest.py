"""A plugin's passport: what it is called, whom it may reach, what it asks for. Read right after load."""

from __future__ import annotations

from collections.abc import Mapping
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
    where an endpoint has an empty path.
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
