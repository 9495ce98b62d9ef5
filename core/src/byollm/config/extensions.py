"""Middleware and observers of a file: objects as they are, names through their entry points."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from byollm.config.words import listing, nearest
from byollm.errors import ConfigError, PluginError

BROUGHT: Final[Mapping[str, Mapping[str, str]]] = {
    "byollm.observers": {"ledger": "ledger", "audit": "audit", "otel": "otel"},
    "byollm.middleware": {"budgets": "ledger", "redact": "redact"},
}
"""Names that our own packages bring, by group: what to install where they are missing."""

if TYPE_CHECKING:
    from byollm.config.records import Extension, LlmConfig


def extension_of(group: str, config: LlmConfig, entry: Extension) -> Any:
    """What an entry means, made with its options, if it may be loaded.

    Raises ConfigError with the entry's place for options that it does not take, PluginError when nobody brings it.
    """
    factory = entry.instance if entry.instance is not None else _loaded(group, config, entry)
    if not _makes(factory):
        return factory
    _check_options(factory, entry)
    try:
        return factory(**entry.options)
    except ConfigError as error:
        if error.file is None:
            error.file, error.line, error.column = entry.where
        raise


def _loaded(group: str, config: LlmConfig, entry: Extension) -> Any:
    from byollm.providers.discovery import listed, load, permit, pick

    point = pick(group, entry.name)
    if point is None:
        names = [item.name for item in listed(group)]
        known = ", ".join(names) or "none"
        sentence = f"no plugin brings {entry.name!r} ({group}); installed: {known}"
        raise PluginError(sentence, hint=_mend(entry.name, names, BROUGHT[group]))
    permit(point, config.plugins, config.lock)
    return load(group, point)


def _mend(word: str, installed: list[str], brought: Mapping[str, str]) -> str:
    """The right spelling, or what has to be installed."""
    package = brought.get(word)
    if package is not None:
        return f"pip install byollm-{package}   (from a clone: pip install ./contrib/{package})"
    meant = nearest(word, {*installed, *brought})
    return f"write `{meant}`" if meant else ""


def _check_options(factory: Any, entry: Extension) -> None:
    try:
        parameters = inspect.signature(factory).parameters.values()
    except (TypeError, ValueError):  # some classes of C tell nobody what they take
        return
    if any(each.kind is each.VAR_KEYWORD for each in parameters):
        return
    named = [each for each in parameters if each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)]
    known = [each.name for each in named]
    for option in entry.options:
        if option not in known:
            meant = nearest(str(option), known)
            hint = f"write `{meant}`" if meant else f"it takes {listing(known)}" if known else "it takes no options"
            raise _wrong(entry, f"{entry.name} has no option `{option}`", hint)
    for each in named:
        if each.default is each.empty and each.name not in entry.options:
            raise _wrong(entry, f"{entry.name} needs the option `{each.name}`", f"- {entry.name}: {{{each.name}: …}}")


def _wrong(entry: Extension, message: str, hint: str) -> ConfigError:
    file, line, column = entry.where
    return ConfigError(message, hint=hint, file=file, line=line, column=column)


def _makes(factory: Any) -> bool:
    """A class or a function makes the thing; an object that already is one is taken as it is."""
    is_one = any(hasattr(factory, word) for word in ("around", "started", "finished"))
    return isinstance(factory, type) or (callable(factory) and not is_one)
