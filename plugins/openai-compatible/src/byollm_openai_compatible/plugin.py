"""A complete provider plugin made of data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlsplit

from byollm.plugin import (
    Adjustment,
    AuthScheme,
    Bearer,
    Capabilities,
    ConfigError,
    Event,
    Exchange,
    Frame,
    Head,
    HeaderKey,
    HttpRequest,
    Manifest,
    ModelNote,
    NoAuth,
    ProtocolError,
    Request,
    Target,
    TokenCount,
    ToolCall,
    ToolResult,
    UnsupportedFeatureError,
    dump_json,
    hookimpl,
    join_url,
)
from byollm_openai_compatible.adjustments import adjustments_of
from byollm_openai_compatible.chat_body import chat_body
from byollm_openai_compatible.chat_reader import chat_reader
from byollm_openai_compatible.errors import fail
from byollm_openai_compatible.ids import kinds_in, taken_ids
from byollm_openai_compatible.profile import Quirks, options_model, split_fields
from byollm_openai_compatible.tool_names import naming_back, with_legal_names

if TYPE_CHECKING:
    from byollm.plugin import Batches

AUTHENTICATION: Final[Mapping[str, AuthScheme]] = {
    "bearer-token": Bearer(),
    "api-key": HeaderKey("api-key"),
    "none": NoAuth(),
}
"""The words of `authentication:`; the first is what a vendor is asked with when the file is silent."""


RESPONSES_LACKS: Final[Mapping[str, str]] = dict.fromkeys(
    (
        "stop", "seed", "frequency_penalty", "presence_penalty", "logit_bias", "logprobs", "top_k", "prefill",
        "message_names",
    ),
    "unsupported",
)  # fmt: skip
"""What the Responses API has no word for, whoever serves it (read 2026-11-21)."""


DIALECT: Final = "the dialect"
_REMEMBERED: Final = 256


class _Place(NamedTuple):
    target: Target  # kept, so that its id is nobody else's
    url: str
    headers: tuple[tuple[str, str], ...]
    auth: AuthScheme
    fail: Any


class OpenAICompatible:
    """`OpenAICompatible(name="acme", base_url="https://api.acme.example/v1")` is a complete plugin.

    - `name`: the provider's name; its key is then looked for in `ACME_API_KEY`. `aliases`: other names.
    - `base_url`: the usual endpoint with its path; None means that the file must name one.
    - `hosts`: where a key from the environment may go; by default the host of `base_url`.
    - `credentials`, `authentication`: as in the Manifest; `key_scheme` is another word than Bearer in the header.
    - `apis`: the dialects it speaks, the default first: "chat", "responses".
    - `capabilities`: what every model takes; `models`: pairs (prefix of a model's name, what differs), the first that
      fits wins; `source` says where this was read. `notes`: retired names, for `byollm check`.
    - `batch_endpoints`: it sells OpenAI's batches, over these paths as a batch names them ("/v1/chat/completions");
      `file_expiry`: uploaded files can be told when to go.
    - `options`: YAML keys of its own beside the quirks, as name → type.
    - every other word is a quirk (see `Quirks`): `max_tokens_field="max_completion_tokens"`, …

    Raises ConfigError for a word that is no quirk. All hooks are pure.
    """

    def __init__(
        self,
        *,
        name: str,
        base_url: str | None,
        base_path: str | None = None,
        hosts: tuple[str, ...] | None = None,
        aliases: tuple[str, ...] = (),
        credentials: Mapping[str, tuple[str, ...]] | None = None,
        authentication: Mapping[str, AuthScheme] | None = None,
        key_scheme: str = "Bearer",
        apis: tuple[str, ...] = ("chat",),
        capabilities: Mapping[str, Any] | None = None,
        models: tuple[tuple[str, Mapping[str, Any]], ...] = (),
        source: str = "",
        notes: Mapping[str, ModelNote] | None = None,
        options: Mapping[str, Any] | None = None,
        docs: str = "",
        batch_endpoints: tuple[str, ...] = (),
        file_expiry: bool = False,
        **quirks: Any,
    ) -> None:
        fields, unknown = split_fields(quirks)
        if unknown:
            raise ConfigError(
                f"provider {name}: {unknown[0]!r} is no quirk", hint="see byollm_openai_compatible.Quirks"
            )
        parts = urlsplit(base_url or "")
        self.base_quirks = Quirks(**fields)
        self._places: dict[tuple[int, str, bool], _Place] = {}
        self._quirks: dict[int, tuple[Target, Quirks]] = {}
        self._batch_endpoints = batch_endpoints
        self._file_expiry = file_expiry
        self.models = models
        self.source = source or docs or f"the {name} plugin"
        self.base_capabilities = _capabilities(self.base_quirks).merged(capabilities or {}, self.source)
        self.manifest = Manifest(
            name=name,
            aliases=aliases,
            default_endpoint=base_url,
            base_path=parts.path if base_path is None else base_path,
            hosts=((parts.hostname,) if parts.hostname else ()) if hosts is None else hosts,
            credentials=_usual_key(name) if credentials is None else credentials,
            authentication=authentication or {**AUTHENTICATION, "bearer-token": Bearer(scheme=key_scheme)},
            apis=apis,
            options=options_model(*(options or {}).items()),
            docs=docs,
            models=notes or {},
        )

    @hookimpl
    def complete(self, request: Request, target: Target) -> Exchange[Event]:
        """The exchange of one request over the target's dialect."""
        quirks, name = self.settled(target), self.manifest.name
        kinds = kinds_in(request.messages)
        own_names: Mapping[str, str] = {}
        if request.tools or ToolCall in kinds:
            request, own_names = with_legal_names(request)
        taken = taken_ids(request.messages) if ToolCall in kinds else ()
        reader: Callable[[Head], Callable[[Frame], Any]]
        if target.api == "responses":
            # Four modules that most programs never need.
            from byollm_openai_compatible.responses_body import responses_body
            from byollm_openai_compatible.responses_reader import responses_reader

            body = responses_body(request, target.model, quirks, name, self.reasons(request, target))
            path, reader = "/responses", responses_reader(quirks, name, taken)
        elif target.api in ("chat", ""):
            body = chat_body(request, target.model, quirks, name)
            path = "/chat/completions"
            reader = chat_reader(quirks, name, taken, _sound_format(body))
        else:
            known = ", ".join(self.manifest.apis)
            raise UnsupportedFeatureError(f"{name} has no api {target.api!r}; it speaks {known}")
        if own_names:
            reader = naming_back(reader, own_names)
        body = self.amended(body, target)
        notes = adjustments_of(request, quirks, target.api, ToolResult in kinds) + self.noted(request, body, target)
        return self.exchange(target, quirks, path, body, reader, stream=request.stream, notes=notes)

    @hookimpl
    def count_tokens(self, request: Request, target: Target) -> TokenCount | Exchange[TokenCount] | None:
        """A count by the server itself where it can; else the core estimates."""
        return self.count(with_legal_names(request)[0], target)

    @hookimpl
    def capabilities(self, target: Target) -> Capabilities:
        """What the model takes over the target's dialect."""
        return self.describe(target)

    @hookimpl
    def batch(self, target: Target) -> Batches | None:
        """OpenAI's batches, for a vendor that sells them."""
        path = "/responses" if target.api == "responses" else "/chat/completions"
        endpoint = next((it for it in self._batch_endpoints if it.endswith(path)), None)
        if endpoint is None:
            return None
        from byollm_openai_compatible.batches import OpenAIBatches  # most programs send none

        base, headers, exchange = self.asker(target, path)
        return OpenAIBatches(base, endpoint, headers, exchange, self._file_expiry)

    def asker(self, target: Target, path: str) -> tuple[str, Any, Callable[..., Exchange[Any]]]:
        """The address that `path` follows, the headers of its requests, and what makes exchanges with auth, errors."""
        at = self._remembered(target, self.settled(target), path, False)

        def exchange(request: HttpRequest, reader: Any, framing: Any = "json", then: Any = None) -> Exchange[Any]:
            return Exchange(request=request, reader=reader, framing=framing, auth=at.auth, fail=at.fail, then=then)

        return at.url.removesuffix(path), at.headers, exchange

    # what a vendor's subclass may say in code

    def describe(self, target: Target) -> Capabilities:
        """`base_capabilities`, the first entry of `models` whose prefix fits, and what the dialect lacks."""
        facts = next((facts for prefix, facts in self.models if target.model.startswith(prefix)), None)
        known = self.base_capabilities.merged(facts, self.source) if facts else self.base_capabilities
        if target.api != "responses":
            return known
        differs = dict(RESPONSES_LACKS)
        if known.sources.get("document_urls") == DIALECT:
            differs["document_urls"] = "unknown"  # it has a place for them; Chat has none
        return known.merged(differs, DIALECT)

    def count(self, request: Request, target: Target) -> TokenCount | Exchange[TokenCount] | None:
        """By default: `count_path` answers for Chat bodies."""
        quirks = self.settled(target)
        if not quirks.count_path or target.api == "responses":
            return None
        body = chat_body(request.with_(stream=False), target.model, quirks, self.manifest.name)
        return self.exchange(target, quirks, quirks.count_path, body, count_reader(self.manifest.name, "exact"))

    def settled(self, target: Target) -> Quirks:
        """`quirks(target)`, worked out once for each target."""
        known = self._quirks.get(id(target))
        if known is not None and known[0] is target:
            return known[1]
        found = self.quirks(target)
        if len(self._quirks) >= _REMEMBERED:
            self._quirks = {}
        self._quirks[id(target)] = (target, found)
        return found

    def quirks(self, target: Target) -> Quirks:
        """The habits of this target: the plugin's, and over them the file's."""
        return self.base_quirks.with_options(target.options)

    def reasons(self, request: Request, target: Target) -> bool | None:
        """Will the model reason over this request? None: nobody knows."""
        effort = request.reasoning_effort
        return None if effort is None else effort != "none"

    def amended(self, body: dict[str, Any], target: Target) -> dict[str, Any]:
        """The body with what the target's own options add."""
        return body

    def noted(self, request: Request, body: Mapping[str, Any], target: Target) -> tuple[Adjustment, ...]:
        """What `amended` changed in this request beyond names, for its caller to read."""
        return ()

    def url(self, target: Target, path: str) -> str:
        """Where a dialect's path is for this target."""
        return join_url(target.endpoint, path, base_path=self.manifest.base_path)

    def headers(self, target: Target) -> Mapping[str, str]:
        """Headers beside the usual ones, credentials excepted."""
        return {}

    def exchange(
        self,
        target: Target,
        quirks: Quirks,
        path: str,
        body: Mapping[str, Any],
        reader: Callable[[Head], Callable[[Frame], Any]],
        *,
        stream: bool = False,
        notes: tuple[Adjustment, ...] = (),
    ) -> Exchange[Any]:
        """Body and reader as an exchange with this target."""
        place = self._places.get((id(target), path, stream))
        if place is None or place.target is not target:
            place = self._remembered(target, quirks, path, stream)
        return Exchange(
            request=HttpRequest("POST", place.url, place.headers, dump_json(body)),
            reader=reader,
            framing="sse" if stream else "json",
            auth=place.auth,
            fail=place.fail,
            adjustments=notes,
        )

    def question(
        self, target: Target, path: str, reader: Callable[[Head], Callable[[Frame], list[Capabilities]]]
    ) -> Exchange[Capabilities]:
        """A GET of what the server tells of its models, for `Capabilities.refine`."""
        place = self._remembered(target, self.settled(target), path, False)
        headers = tuple((name, value) for name, value in place.headers if name != "content-type")
        request = HttpRequest("GET", place.url, headers)
        return Exchange(request=request, reader=reader, framing="json", auth=place.auth, fail=place.fail)

    def _remembered(self, target: Target, quirks: Quirks, path: str, stream: bool) -> _Place:
        """What is the same for every request to one target, worked out once."""
        headers = {
            "content-type": "application/json",
            "accept": "text/event-stream" if stream else "application/json",
            **{name.lower(): value for name, value in {**quirks.headers, **self.headers(target)}.items()},
        }
        schemes = self.manifest.authentication
        word = target.authentication or next(iter(schemes))
        # `oauth` is the core's own: it brings the scheme with its token URL, and asks nobody here.
        scheme = schemes.get(word, NoAuth() if word == "oauth" else None)
        if scheme is None:
            raise ConfigError(f"authentication {word!r} is not one of {', '.join(schemes)}")
        place = _Place(target, self.url(target, path), tuple(headers.items()), scheme, fail(quirks))
        if len(self._places) >= _REMEMBERED:
            self._places = {}
        self._places[id(target), path, stream] = place
        return place


def count_reader(source: str, exactness: Any) -> Callable[[Head], Callable[[Frame], list[TokenCount]]]:
    """Reads `{"input_tokens": N}`."""

    def read(frame: Frame) -> list[TokenCount]:
        tokens = frame.data.get("input_tokens") if isinstance(frame.data, dict) else None
        if type(tokens) is not int or tokens < 0:
            raise ProtocolError("the provider did not answer with a token count")
        return [TokenCount(tokens, exactness, source=source)]

    return lambda head: read


def _capabilities(quirks: Quirks) -> Capabilities:
    """What follows from the habits alone; everything else is unknown."""
    found: dict[str, Any] = {"n": "unsupported", "tool_error_flag": "unsupported"}
    for field, name in (("seed_field", "seed"), ("end_user_field", "end_user_id"), ("cache_key_field", "cache_key")):
        if not getattr(quirks, field):
            found[name] = "unsupported"
    if not quirks.cache_field:
        found["cache_hints"] = "unsupported"
    if not (quirks.effort_field or quirks.effort_bodies):
        found["reasoning_effort"] = "unsupported"
    if not quirks.file_urls:
        found["document_urls"] = "unsupported"
    if not quirks.stop_as_list:
        found["stop_limit"] = 1
    return Capabilities().merged(found, DIALECT)


def _usual_key(name: str) -> dict[str, tuple[str, ...]]:
    return {"api_key": (f"{name.upper().replace('-', '_')}_API_KEY",)}


def _sound_format(body: Mapping[str, Any]) -> str:
    audio = body.get("audio")
    return str(audio.get("format") or "wav") if audio and isinstance(audio, Mapping) else "wav"
