"""One deployment, ready to be asked: its plugin behind a pluggy manager of its own, its capabilities merged.

There is one manager per deployment and never one for all, so a prompt is seen by the plugin it is meant for only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from inspect import signature
from typing import TYPE_CHECKING, Any, Final

import pluggy

from byollm.errors import ByollmError, ConfigError, PluginError, UnsupportedFeatureError
from byollm.providers.fit import Fitted, OnUnsupported, fit
from byollm.providers.hooks import PROJECT, BatchProvider, Provider
from byollm.providers.manifest import Manifest
from byollm.providers.taken import Taken
from byollm.providers.target import Target
from byollm.types.capabilities import FIELDS, Capabilities, TokenCount, mistakes
from byollm.types.completion import Adjustment
from byollm.types.request import Request
from byollm.wire.exchange import FRAMINGS, Exchange, HttpRequest, LocalCall, unsendable

if TYPE_CHECKING:
    from byollm.wire.batches import Batches

HOOKS: Final = ("complete", "count_tokens", "capabilities", "batch")
_NOTHING: Final = Capabilities()


@dataclass(slots=True, eq=False)
class Deployment:
    """A plugin bound to one target. `override` are the file's `capabilities:`, which win over the plugin's."""

    plugin: Any
    manifest: Manifest
    target: Target
    on_unsupported: OnUnsupported = "adapt"
    override: Mapping[str, Any] = field(default_factory=dict)
    distribution: str = ""
    version: str = ""
    _hooks: Any = field(default=None, init=False, repr=False)
    _answers: dict[str, Callable[..., Any]] = field(default_factory=dict, init=False, repr=False)
    _capabilities: Capabilities | None = field(default=None, init=False, repr=False)
    _taken: tuple[Capabilities, Taken] | None = field(default=None, init=False, repr=False)
    _asked: bool = field(default=False, init=False, repr=False)
    _headers: Any = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        manager = pluggy.PluginManager(PROJECT)
        manager.add_hookspecs(Provider)
        manager.add_hookspecs(BatchProvider)
        problem = ""
        try:
            manager.register(self.plugin, self.manifest.name)
            manager.check_pending()
        except pluggy.PluginValidationError as error:
            problem = str(error)
        if problem:
            raise PluginError(f"{self.who}: a hook does not fit: {problem}")
        self._hooks = manager.hook
        self._answers = {name: _who_answers(getattr(manager.hook, name)) for name in HOOKS}

    @property
    def name(self) -> str:
        """The deployment's name."""
        return self.target.deployment

    @property
    def who(self) -> str:
        """The plugin and what brought it, as messages name it."""
        return f"{self.manifest.name} ({self.distribution} {self.version})" if self.distribution else self.manifest.name

    @property
    def capabilities(self) -> Capabilities:
        """Plugin, model family and the file, merged; asked once. Raises ConfigError for an unknown name in the file."""
        if self._capabilities is None:
            found = self._ask("capabilities", target=self.target) or Capabilities()
            if not isinstance(found, Capabilities):
                raise PluginError(f"{self.who}: capabilities answered {type(found).__name__}")
            if problem := next(mistakes(found), None):
                raise PluginError(f"{self.who}: capabilities answered {problem}")
            self._capabilities = self._merged(found)
        return self._capabilities

    @property
    def is_unsure(self) -> bool:
        """The window is unknown, and the server can tell it but was not asked yet."""
        if self._asked:
            return False
        can = self.capabilities
        if can.context_window is None and can.refine is not None:
            return True
        self._asked = True  # nothing to ask: the next call need not look
        return False

    def ask(self) -> Exchange[Capabilities]:
        """The question to the server, asked at most once by the engine."""
        self._asked = True
        question: Exchange[Capabilities] = self.capabilities.refine
        return question

    def refine(self, found: Capabilities) -> None:
        """Take what the provider itself said over what the plugin knew; the file still wins."""
        said = {name: value for name in FIELDS if (value := getattr(found, name)) != getattr(_NOTHING, name)}
        known = replace(self.capabilities, **said, sources={**self.capabilities.sources, **found.sources})
        self._capabilities = self._merged(known)

    def _merged(self, found: Capabilities) -> Capabilities:
        if not self.override:
            return found
        try:
            return found.merged(self.override, "configuration")
        except (KeyError, ValueError) as error:
            problem = str(error)
        raise ConfigError(f"deployment {self.name!r}: capabilities: {problem}", hint="`byollm capabilities` lists them")

    def fit(self, request: Request) -> Fitted:
        """The request as this model takes it. Raises UnsupportedFeatureError for a contract it cannot keep."""
        can, target = self.capabilities, self.target
        taken = self._taken
        if taken is None or taken[0] is not can:  # the server may have told more meanwhile
            taken = self._taken = (can, Taken(can))
        if taken[1].takes(request):
            return Fitted(request)
        return fit(
            request,
            can,
            provider=self.manifest.name,
            transport=target.api,
            model=target.model,
            on_unsupported=self.on_unsupported,
        )

    def exchange(self, request: Request) -> Exchange[Any] | LocalCall:
        """The plugin's translation. Raises UnsupportedFeatureError when it has none, PluginError when it breaks."""
        answer = self._ask("complete", request=request, target=self.target)
        if isinstance(answer, Exchange):
            return self._sendable("complete", answer)
        if isinstance(answer, LocalCall):
            return answer
        if answer is None and not self._hooks.complete.get_hookimpls():
            mend = "mark it with @byollm.plugin.hookimpl" if hasattr(self.plugin, "complete") else ""
            raise PluginError(f"{self.who} has no hook `complete`", hint=mend)
        if answer is None:
            raise UnsupportedFeatureError(f"{self.manifest.name} has no way to complete over {self.target.api!r}")
        raise PluginError(f"{self.who}: complete answered {type(answer).__name__}, not an Exchange")

    def noted(self, fitted: Fitted, answer: Exchange[Any] | LocalCall) -> Fitted:
        """With what the translator itself changed, and an `extra` for others only. Raises UnsupportedFeatureError for
        any of it under `strict`."""
        notes = answer.adjustments if isinstance(answer, Exchange) else ()
        extra = fitted.request.extra
        if extra and self.manifest.name not in extra:
            whose = ", ".join(sorted(extra))
            reason = f"it is for {whose}, and this is {self.manifest.name}"
            notes = (*notes, Adjustment("extra", "dropped", before=dict(extra), reason=reason))
        if notes and self.on_unsupported == "strict":
            raise UnsupportedFeatureError(
                f"{self.manifest.name}/{self.target.model} cannot take {notes[0].field} as asked: {notes[0].reason}",
                field=notes[0].field,
                hint="leave it out, or set `on_unsupported: adapt`",
            )
        return replace(fitted, adjustments=(*fitted.adjustments, *notes)) if notes else fitted

    def count(self, request: Request) -> TokenCount | Exchange[TokenCount] | None:
        """The plugin's count, an exchange that asks for it, or None."""
        answer = self._ask("count_tokens", request=request, target=self.target)
        if answer is not None and not isinstance(answer, TokenCount | Exchange):
            raise PluginError(f"{self.who}: count_tokens answered {type(answer).__name__}")
        if isinstance(answer, TokenCount) and (type(answer.tokens) is not int or answer.tokens < 0):
            raise PluginError(f"{self.who}: count_tokens answered {answer.tokens!r} tokens")
        return self._sendable("count_tokens", answer) if isinstance(answer, Exchange) else answer

    def _sendable(self, hook: str, answer: Exchange[Any]) -> Exchange[Any]:
        asked = answer.request
        if (
            type(asked) is HttpRequest and asked.headers is self._headers and type(asked.body) is bytes
            and type(asked.url) is str and asked.method == "POST" and answer.framing in FRAMINGS
            and callable(answer.reader)
        ):  # fmt: skip  # nearly all, at a glance
            return answer
        problem = unsendable(answer)
        if problem:
            raise PluginError(f"{self.who}: {hook} answered an Exchange {problem}")
        self._headers = answer.request.headers
        return answer

    def batches(self) -> Batches | None:
        """How its requests are sent in batches; None where they are not."""
        answer: Batches | None = self._ask("batch", target=self.target)
        return answer

    def _ask(self, hook: str, **arguments: Any) -> Any:
        try:
            return self._answers[hook](**arguments)
        except ByollmError:
            raise
        except (Exception, SystemExit) as error:
            problem = f"{type(error).__name__}: {error}"
        raise PluginError(f"{self.who}: {hook} failed: {problem}")


def _who_answers(hook: Any) -> Callable[..., Any]:
    """Whoever pluggy would call, worked out once: there is one plugin, and it was checked. Else pluggy itself."""
    asked: Callable[..., Any] = hook
    found = hook.get_hookimpls()
    if len(found) != 1 or found[0].wrapper or found[0].hookwrapper:
        return asked
    function: Callable[..., Any] = found[0].function
    parameters = signature(function).parameters.values()
    wanted = set(hook.spec.argnames)
    same = {it.name for it in parameters} == wanted and all(it.kind is it.POSITIONAL_OR_KEYWORD for it in parameters)
    return function if same else asked
