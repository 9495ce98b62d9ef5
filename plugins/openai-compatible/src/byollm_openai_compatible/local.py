"""Servers of one's own: no key unless one is given, and a server that is asked about itself.

What makes such a server differ from a cloud is data here: the path that tells its window, the path that counts its
tokens, and surfaces whose wire another distribution owns (`messages`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any, Final, NamedTuple, Protocol
from urllib.parse import urlsplit, urlunsplit

from byollm.plugin import (
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
    NoAuth,
    ProtocolError,
    Request,
    Target,
    TokenCount,
    dump_json,
    hookimpl,
    join_url,
)
from byollm_openai_compatible.chat_body import chat_body
from byollm_openai_compatible.errors import fail
from byollm_openai_compatible.plugin import OpenAICompatible, count_reader
from byollm_openai_compatible.responses_body import responses_body

HOSTS: Final = ("127.0.0.1", "localhost", "::1")
"""Where a key from the environment may go; any other host needs the key in the file."""
KEYLESS: Final[Mapping[str, AuthScheme]] = {
    "none": NoAuth(),
    "bearer-token": Bearer(),
    "api-key": HeaderKey("api-key"),
}
"""The words of `authentication:`; without a key in the file none is sent, with one it is a bearer token."""


class Way(NamedTuple):
    """How to reach a server for a surface that another distribution translates.

    `url` answers for a path below the base path, `root` for one beside it.
    """

    url: Callable[[str], str]
    root: Callable[[str], str]
    auth: AuthScheme
    fail: Any


class Surface(Protocol):
    """One more `api` of a server, whose wire is somebody else's."""

    def complete(self, request: Request, target: Target, way: Way) -> Exchange[Event]:
        """The exchange of one request."""
        ...

    def count(self, request: Request, target: Target, way: Way) -> Exchange[TokenCount] | None:
        """The exchange that counts, or None."""
        ...

    def describe(self, target: Target) -> Capabilities:
        """What this wire takes."""
        ...


class Question(NamedTuple):
    """Something a server tells of itself: a path below its root, and what to read from the document.

    `read(document, model)` answers the capabilities that the document names, by field; nothing when it names none.
    """

    path: str
    read: Callable[[Any, str], Mapping[str, Any]]


class Count(NamedTuple):
    """Where a server counts a Chat body's tokens: a path below its root, and how the number is read."""

    path: str
    read: Callable[[Any], Any]


class LocalServer(OpenAICompatible):
    """An OpenAICompatible for servers that people run themselves; its words, and these:

    - `surfaces`: further `api` words, and functions that make who translates them, asked at first use. Named in `apis`,
      too, they can be the default.
    - `hosts`: where a key from the environment may go beside this machine.
    - `about`: what the server tells of itself; asked when `capabilities(refine=True)` wants it.
    - `counts`: where it counts exactly what a Chat request has. `count_path` (a quirk) is the same below the base path.
    - `responses_count_path`: where it counts a Responses body, below its base path; empty: nowhere.
    - `differs`: capabilities by `api`, over what all its surfaces take.
    - `names_tools`: False where `tool_choice` takes no name: then only the named tool is sent, and `required`.
    """

    def __init__(
        self,
        *,
        name: str,
        base_url: str,
        apis: tuple[str, ...] = ("chat", "responses"),
        surfaces: Mapping[str, Callable[[], Surface]] | None = None,
        hosts: tuple[str, ...] = (),
        about: Question | None = None,
        counts: Count | None = None,
        responses_count_path: str = "",
        differs: Mapping[str, Mapping[str, Any]] | None = None,
        names_tools: bool = True,
        **row: Any,
    ) -> None:
        self.surfaces = {api: cache(make) for api, make in (surfaces or {}).items()}
        self.about = about
        self.counts = counts
        self.responses_count_path = responses_count_path
        self.differs = dict(differs or {})
        self.names_tools = names_tools
        super().__init__(
            name=name,
            base_url=base_url,
            base_path="/v1",
            hosts=(*HOSTS, *hosts),
            authentication=KEYLESS,
            apis=tuple(dict.fromkeys((*apis, *self.surfaces))),
            **row,
        )

    def surface(self, target: Target) -> Surface | None:
        """Who translates the target's `api`; None when it is a dialect of this package."""
        make = self.surfaces.get(target.api)
        return None if make is None else make()

    @hookimpl
    def complete(self, request: Request, target: Target) -> Exchange[Event]:
        """The exchange of one request over the target's dialect."""
        surface = self.surface(target)
        if surface is not None:
            return surface.complete(request, target, self.way(target))
        exchange: Exchange[Event] = super().complete(request, target)
        return exchange

    def count(self, request: Request, target: Target) -> TokenCount | Exchange[TokenCount] | None:
        """By the surface's owner, by `counts`, by `count_path`, or by `responses_count_path`."""
        surface = self.surface(target)
        if surface is not None:
            return surface.count(request, target, self.way(target))
        if target.api == "responses":
            return self._responses_count(request, target)
        if self.counts is None:
            return super().count(request, target)
        body = chat_body(request.with_(stream=False), target.model, self.settled(target), self.manifest.name)
        asked = HttpRequest("POST", self.beside(target, self.counts.path), _HEADERS, dump_json(body))
        return self._asking(asked, target, _counted(self.manifest.name, self.counts.read))

    def _responses_count(self, request: Request, target: Target) -> Exchange[TokenCount] | None:
        if not self.responses_count_path:
            return None
        quirks, name = self.settled(target), self.manifest.name
        body = responses_body(request.with_(stream=False), target.model, quirks, name, self.reasons(request, target))
        return self.exchange(
            target, quirks, self.responses_count_path, self.amended(body, target), count_reader(name, "exact")
        )

    def describe(self, target: Target) -> Capabilities:
        """What is bundled; `refine` asks the server itself."""
        surface = self.surface(target)
        known = super().describe(target) if surface is None else surface.describe(target)
        known = known.merged(self.differs.get(target.api, {}), self.source)
        if self.about is None:
            return known
        asked = HttpRequest("GET", self.beside(target, self.about.path), _HEADERS[1:])
        source = f"{self.manifest.name}'s {self.about.path}"
        return replace(known, refine=self._asking(asked, target, _told(self.about, target.model, source)))

    def amended(self, body: dict[str, Any], target: Target) -> dict[str, Any]:
        """A named tool choice as one tool and `required`, where the server takes no name."""
        choice = body.get("tool_choice")
        if self.names_tools or not isinstance(choice, Mapping):
            return body
        wanted = (choice.get("function") or choice).get("name")
        body["tools"] = [tool for tool in body["tools"] if (tool.get("function") or tool).get("name") == wanted]
        body["tool_choice"] = "required"
        return body

    def beside(self, target: Target, path: str) -> str:
        """The URL of a path below the server's root, next to its `/v1`."""
        parts = urlsplit(join_url(target.endpoint, "/models", base_path="/v1"))
        root = parts.path.removesuffix("/models").removesuffix("/v1")
        return urlunsplit(parts._replace(path=root + path))

    def way(self, target: Target) -> Way:
        """How another distribution's surface reaches this server."""
        quirks = self.settled(target)
        return Way(
            lambda path: self.url(target, path),
            lambda path: self.beside(target, path),
            self._auth(target),
            fail(quirks),
        )

    def _auth(self, target: Target) -> AuthScheme:
        word = target.authentication or "none"
        if word not in KEYLESS:
            raise ConfigError(f"authentication {word!r} is not one of {', '.join(KEYLESS)}")
        return KEYLESS[word]

    def _asking(self, request: HttpRequest, target: Target, reader: Any) -> Exchange[Any]:
        return Exchange(
            request=request, reader=reader, framing="json", auth=self._auth(target), fail=fail(self.settled(target))
        )


_HEADERS: Final = (("content-type", "application/json"), ("accept", "application/json"))


def whole(value: Any) -> int | None:
    """A positive whole number, or None for anything else."""
    return value if type(value) is int and value > 0 else None


def _counted(source: str, read: Callable[[Any], Any]) -> Callable[[Head], Callable[[Frame], list[TokenCount]]]:
    def counted(frame: Frame) -> list[TokenCount]:
        tokens = _read(read, frame.data)
        if type(tokens) is not int or tokens < 0:
            raise ProtocolError("the server did not answer with a token count")
        return [TokenCount(tokens, "exact", source=source)]

    return lambda head: counted


def _told(about: Question, model: str, source: str) -> Callable[[Head], Callable[[Frame], list[Capabilities]]]:
    def told(frame: Frame) -> list[Capabilities]:
        found = _read(lambda document: about.read(document, model), frame.data)
        if not isinstance(found, Mapping):
            raise ProtocolError("the server did not tell about itself in the shape that is known")
        known = {name: value for name, value in found.items() if value is not None}
        return [Capabilities().merged(known, source)]

    return lambda head: told


def _read(read: Callable[[Any], Any], document: Any) -> Any:
    """What `read` finds; None when the document has another shape."""
    try:
        return read(document)
    except (AttributeError, TypeError, KeyError, IndexError, ValueError, StopIteration):
        return None
