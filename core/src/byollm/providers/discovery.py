"""Finding plugins: lazily, one by one, and none imported that was not asked for.

Entry points are listed with `importlib.metadata`, which knows the distribution behind each. A name claimed by two
distributions is refused before either is imported. Exactly one entry point is then handed to stevedore, which loads
and holds it; stevedore never searches, because its search writes and obeys a cache file in the home folder.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final

from byollm.errors import PluginError
from byollm.providers.manifest import SPEC, Manifest
from byollm.types.forks import forkable

GROUP: Final = "byollm.providers"
ALIASES: Final = {"azure_openai": "azure", "aws_bedrock": "bedrock", "gemini": "google", "local": "custom"}
"""Other words for a provider, known before its plugin is loaded."""

KNOWN: Final = {
    "openai": "byollm-openai", "anthropic": "byollm-anthropic", "custom": "byollm-openai-compatible",
    "google": "byollm-google", "vertex": "byollm-vertex", "azure": "byollm-azure", "bedrock": "byollm-bedrock",
    "groq": "byollm-groq", "baseten": "byollm-baseten", "ollama": "byollm-ollama", "vllm": "byollm-vllm",
    "llamacpp": "byollm-llamacpp", "lmstudio": "byollm-lmstudio", "tgi": "byollm-tgi",
    "openrouter": "byollm-openrouter",
    "mistral": "byollm-mistral", "deepseek": "byollm-deepseek", "xai": "byollm-xai", "together": "byollm-together",
    "fireworks": "byollm-fireworks", "cohere": "byollm-cohere",
}  # fmt: skip
"""Which distribution brings which provider: only to name it when it is missing."""


@dataclass(frozen=True, slots=True)
class Listed:
    """An entry point and who installed it."""

    name: str
    distribution: str
    version: str
    value: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """A plugin object with its passport and its distribution."""

    plugin: Any
    manifest: Manifest
    distribution: str
    version: str


_lock = forkable(threading.RLock())  # a plugin may load another while it is imported
_loaded: dict[tuple[str, str], Any] = {}


def canonical(name: str) -> str:
    """A provider's name without its alias: `gemini` is `google`."""
    plain = name.strip().lower().replace("-", "_")
    return ALIASES.get(plain, plain)


def listed(group: str = GROUP) -> list[Listed]:
    """All entry points of a group, by name. Nothing is imported."""
    found = [_listed(point) for point in _points(group)]
    return sorted(found, key=lambda item: (item.name, item.distribution))


def load_provider(name: str, allowed: Sequence[str] | None = None, lock: str | None = None) -> Loaded:
    """Load one provider plugin. Raises PluginError when it is missing, claimed twice, broken, or of another spec.

    `allowed` and `lock` are what the file's `plugins:` says, see `permit`.
    """
    plain = canonical(name)
    point = pick(GROUP, plain)
    if point is None:
        raise _missing(name, plain)
    permit(point, allowed, lock)
    plugin = load(GROUP, point)
    manifest = getattr(plugin, "manifest", None)
    origin = _listed(point)
    if isinstance(plugin, type):
        kind = plugin.__name__
        raise PluginError(
            f"{origin.distribution} {origin.version} brings the class {kind}: provider {plain!r} cannot be used",
            hint=f"its entry point has to name an object: `provider = {kind}()`",
        )
    if not isinstance(manifest, Manifest):
        raise PluginError(f"{origin.distribution} {origin.version} has no manifest: provider {plain!r} cannot be used")
    check_spec(manifest, origin.distribution, origin.version)
    if plain not in map(canonical, (manifest.name, *manifest.aliases)):
        # Under another's name it would be handed what belongs to that provider: opaque state, and `extra`.
        raise PluginError(f"{origin.distribution} brings {plain!r}, but its manifest says {manifest.name!r}: not used")
    return Loaded(plugin, manifest, origin.distribution, origin.version)


def permit(point: EntryPoint, allowed: Sequence[str] | None = None, lock: str | None = None) -> None:
    """Refuse what the configuration does not let in, by metadata and files alone, before any import.

    `allowed` are the distributions that may be loaded, None allows any; `lock` is the path of a lock file, and what is
    installed must be what it pins. Raises PluginError, and ConfigError for a lock file that cannot be read.
    """
    if allowed is None and lock is None:
        return
    from byollm.providers.lock import normalized, require_pinned

    owner = _listed(point).distribution
    if allowed is not None and normalized(owner) not in map(normalized, allowed):
        sentence = f"{owner} brings {point.name!r} and is not in `plugins:`: not loaded"
        kept = [item for item in allowed if canonical(item) != canonical(point.name)]
        raise PluginError(sentence, hint=f"plugins: [{', '.join([*kept, owner])}]")
    if lock is not None:
        if point.dist is None:
            raise PluginError(f"{point.name!r} belongs to no distribution, so nothing can pin it: not loaded")
        require_pinned(point.dist, lock)


def check_spec(manifest: Manifest, distribution: str, version: str) -> None:
    """The core loads plugins of its own spec and of the one before. Raises PluginError for others."""
    understood = [number for number in (SPEC - 1, SPEC) if number > 0]
    if manifest.spec in understood:
        return
    mend = f"upgrade byollm, or pin {distribution}<{version}" if manifest.spec > SPEC else f"upgrade {distribution}"
    words = " and ".join(map(str, understood))
    raise PluginError(f"{distribution} {version} speaks spec {manifest.spec}; this byollm understands {words}: {mend}")


def pick(group: str, name: str) -> EntryPoint | None:
    """The one entry point of that name, or None. Raises PluginError when two distributions claim it."""
    wanted = name.lower().replace("-", "_")
    claims = [point for point in _points(group) if point.name.lower().replace("-", "_") == wanted]
    owners = sorted({_listed(point).distribution for point in claims})
    if len(owners) > 1 or len({point.value for point in claims}) > 1:
        raise PluginError(
            f"{name!r} is claimed by {' and '.join(owners)}: neither was loaded",
            hint=f"uninstall one of them, e.g. pip uninstall {owners[-1]}",
        )
    return claims[0] if claims else None


def load(group: str, point: EntryPoint) -> Any:
    """Import one entry point, once a process. Raises PluginError, naming the distribution, when that fails."""
    key = (group, point.value)
    with _lock:
        if key not in _loaded:
            _loaded[key] = _import(group, point)
        return _loaded[key]


def _import(group: str, point: EntryPoint) -> Any:
    from stevedore.driver import DriverManager
    from stevedore.extension import Extension

    try:
        plugin = point.load()
        extension = Extension(point.name, point, plugin, None)
        return DriverManager.make_test_instance(extension, namespace=group).driver
    except PluginError:  # of another plugin, which this one stands on: it says what is wrong there
        raise
    except (Exception, SystemExit) as error:  # a module that ends the program on import is broken, and no more
        problem = f"{type(error).__name__}: {getattr(error, 'message', error)}"
    origin = _listed(point)
    raise PluginError(
        f"{origin.distribution} {origin.version} cannot be imported ({problem})",
        hint=f"reinstall it: pip install --force-reinstall {origin.distribution}",
    )


def _missing(name: str, plain: str) -> PluginError:
    said = name.strip().lower().replace("-", "_")
    owner = next((item.distribution for item in listed() if item.name == said != plain), None)
    if owner is not None:
        sentence = f"{owner} brings {said!r}, but that is another word for {plain!r}: it is never asked"
        return PluginError(sentence, hint=f"{owner} has to choose another name; {plain!r} is not installed")
    if plain in KNOWN:
        package = KNOWN[plain]
        hint = f"pip install {package}   (from a clone: pip install ./plugins/{package.removeprefix('byollm-')})"
        return PluginError(f"no plugin for provider {name!r} is installed", hint=hint)
    import difflib

    names = sorted({item.name for item in listed()} | KNOWN.keys() | ALIASES.keys())
    nearest = next(iter(difflib.get_close_matches(plain, names, n=1)), None)
    installed = ", ".join(item.name for item in listed()) or "none"
    hint = (
        f"did you mean {nearest!r}?"
        if nearest
        else f"installed: {installed}; any OpenAI-compatible endpoint is `custom`"
    )
    return PluginError(f"no plugin for provider {name!r} is installed", hint=hint)


def _points(group: str) -> tuple[EntryPoint, ...]:
    return tuple(entry_points(group=group))


def _listed(point: EntryPoint) -> Listed:
    distribution = point.dist
    if distribution is None:
        return Listed(point.name, "an unnamed distribution", "0", point.value)
    return Listed(point.name, *_identity(distribution), point.value)


@lru_cache(maxsize=256)
def _identity(distribution: Any) -> tuple[str, str]:
    return distribution.name, distribution.version
