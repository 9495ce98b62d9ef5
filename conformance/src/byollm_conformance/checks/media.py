"""VIS, RSN-01, CCH: pictures, documents and sounds, thoughts and cache marks, there and back unchanged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from byollm.errors import ByollmError
from byollm.types.capabilities import Support
from byollm.types.messages import user
from byollm.types.parts import Audio, Document, Image, Opaque, Reasoning, Text, ToolCall, ToolResult
from byollm.types.request import Request
from byollm_conformance.checks.answers import modes
from byollm_conformance.checks.requests import sent_or_refused, texts_of
from byollm_conformance.checks.sampling import is_told
from byollm_conformance.effort import Effort
from byollm_conformance.generate import documents
from byollm_conformance.judge import alike, completed
from byollm_conformance.mirror import PDF, PNG, TOOL, WAV
from byollm_conformance.model import Broken, Function, check
from byollm_conformance.subject import Subject
from byollm_conformance.wire import Answer, Seen

JPEG: Final = b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(range(256)) * 3
MP3: Final = b"ID3\x04\x00\x00" + bytes(range(255, -1, -1)) * 3
MEDIA: Final[Mapping[str, tuple[str, tuple[Any, ...]]]] = {
    "a": ("images", (Image(PNG), Image(JPEG), Image(PNG + b"\x00" * 3_001, "image/png"))),
    "b": ("documents", (Document(PDF), Document(PDF + bytes(range(256)), name="a report.pdf"))),
    "c": ("audio", (Audio(WAV), Audio(MP3))),
}
"""Letter of the check → capability, parts that every provider with it takes. Sizes with every remainder of three."""
_TYPES: Final = {"audio/mp3": "audio/mpeg", "audio/x-wav": "audio/wav"}


def parts_of(seen: Seen, kind: Any) -> list[Any]:
    """All parts of a kind on the wire."""
    return [part for turn in seen.messages for part in turn.parts if isinstance(part, kind)]


def _arrives(capability: str, parts: tuple[Any, ...]) -> Function:
    def function(subject: Subject, effort: Effort) -> None:
        for part in parts:
            subject.count()
            request = Request([user("before", part, "after")])
            try:
                made = subject.translate(request)
            except ByollmError as error:
                if subject.support(capability) is Support.full:
                    problem = f"{capability} is declared full, and refused: {error.message}"
                    raise Broken(problem, request=request) from None
                continue
            seen = subject.seen(made)
            got = [(item.source, _type(item.media_type)) for item in parts_of(seen, type(part))]
            alike([(part.source, _type(part.media.media_type))], got, f"{capability} arrived changed", request=request)
            if is_told(made, "messages"):  # the wire has no places, and the caller can read it
                alike(["before", "after"], "\n".join(texts_of(seen, "user")).split(), "the texts around it were lost")
                continue
            alike(["before", "after"], texts_of(seen, "user"), "the texts around it arrived changed", request=request)
            kinds = [type(item).__name__ for turn in seen.turns for item in turn.parts]
            alike(["Text", type(part).__name__, "Text"], kinds, "the parts of a turn changed places", request=request)

    return function


def _type(media_type: str | None) -> str | None:
    return _TYPES.get(media_type or "", media_type)


for _letter, (_capability, _parts) in MEDIA.items():
    check(
        f"VIS-01{_letter}",
        "MUST",
        f"The bytes of {_capability} arrive as they were, with their media type, in their place among the texts.",
        spec="spec/messages.md#24",
        needs=("wire", _capability),
    )(_arrives(_capability, _parts))


@check(
    "VIS-02",
    "MUST",
    "The address of a picture or a document is passed on as it is, or refused: the plugin fetches nothing.",
    spec="spec/messages.md#25",
    needs=("wire", "images"),
)
def addresses(subject: Subject, effort: Effort) -> None:
    """Addresses with everything in them that an address may have."""
    for capability, part in (
        ("image_urls", Image("https://img.example.com/a%20b.png?x=1&y=ü#z")),
        ("document_urls", Document("https://docs.example.com/r.pdf?sig=a%2Fb")),
    ):
        subject.count()
        request = Request([user("look", part)])
        made = sent_or_refused(subject, request)
        if made is None:
            if subject.support(capability) is Support.full:
                raise Broken(f"{capability} is declared full, and refused", request=request)
            continue
        got = [item.source for item in parts_of(subject.seen(made), type(part))]
        alike([part.source], got, "an address was changed, or fetched", request=request, body=made.body)


ODD: Final = (
    Image(b"nobody knows what this is"), Image("file:///etc/passwd"), Image("/etc/passwd"),
    Image(b"II*\x00" + b"\0" * 40, "image/tiff"), Image(PNG, "image/svg+xml"),
    Document(b"PK\x03\x04", "application/zip"), Image("data:image/png;base64,!!!"), Image("data:text/plain,hello"),
    Document("notes.txt"),
)  # fmt: skip
NO_FILE: Final = (b"passwd", b"notes.txt", b"!!!", b"hello")


@check(
    "VIS-03",
    "MUST",
    "A file that cannot be sent (of no known kind, no file at all, of a kind the provider does not take) is refused "
    "before any byte leaves.",
    spec="spec/messages.md#26",
    needs=("wire", "images"),
)
def odd_media(subject: Subject, effort: Effort) -> None:
    """What kinds a server reads is known where `images` is declared full; what is no file at all is never sent."""
    knows = subject.support("images") is Support.full
    for part in ODD:
        subject.count()
        request = Request([user("look", part)])
        made = sent_or_refused(subject, request)
        rejection = subject.rejected(made) if made is not None else None
        if made is not None and ((knows and rejection is not None) or any(word in made.body for word in NO_FILE)):
            raise Broken("what is no file the provider takes was sent", part=part, body=made.body)


TOKEN: Final = "ErUBCkYIBhgCIkDzz+/0815abcdefghijklmnopqrstuvwxyzABCDEF=="
THOUGHT: Final = "First,  I think.\n\nThen ü. "


@check(
    "RSN-01",
    "MUST",
    "Thoughts are told apart from the answer, and the provider's own state goes back byte for byte in the next turn.",
    spec="spec/messages.md#27",
    needs=("wire", "reasoning"),
)
def state_goes_back(subject: Subject, effort: Effort) -> None:
    """A thought with a signature where the dialect has one, then an answer, or a call and its result."""
    efforts = [word for word in subject.capabilities.reasoning_efforts or ("medium",) if word != "none"]
    wanted = {} if subject.support("reasoning_effort").refused else {"reasoning_effort": efforts[-1]}
    thought = Reasoning(THOUGHT, Opaque("zz", "zz", {"": TOKEN}))
    endings: list[tuple[Any, ...]] = [(Text("Said."),)]
    if not (subject.support("tools").refused or subject.support("tools_while_reasoning").refused):
        endings.append((Text("Said."), ToolCall("call_1", TOOL.name, '{"word":"tea"}')))
    for ending in endings:
        for stream in modes(subject):
            subject.count()
            tools = {"tools": [TOOL]} if len(ending) > 1 else {}
            answer = Answer(parts=(thought, *ending), events=5)
            rendered = subject.dialect.render(answer, stream)
            asked = Request([user("hi")], **wanted, **tools)
            reply = completed(subject.read(rendered, stream=stream, request=asked), body=rendered.body)
            alike((THOUGHT, "Said."), (reply.reasoning, reply.text), "thought and answer are mixed", stream=stream)
            carried = any(TOKEN in repr(document) for document in documents(rendered))
            results = [ToolResult(call.id, (Text("ok"),)) for call in reply.tool_calls]
            following = user(*results) if results else user("go on")
            history = Request([user("hi"), reply.message, following], **wanted, **tools)
            made = subject.translate(history)
            if carried and TOKEN.encode() not in made.body:
                words = "the provider's own state did not go back as it came"
                raise Broken(words, answer=rendered.body, body=made.body, stream=stream)
            rejection = subject.rejected(made)
            if rejection is not None:
                raise Broken(f"the provider would refuse its own turn: {rejection.message}", body=made.body)


@check(
    "CCH-01",
    "MUST",
    "A cache mark stands on the part it was put on and on no other, or the caller is told.",
    spec="spec/messages.md#29",
    needs=("wire", "cache_hints"),
)
def cache_marks(subject: Subject, effort: Effort) -> None:
    """In the system prompt, in the first turn, in the last; with the default lifetime."""
    for marked in ("one", "two", "three", "four"):
        subject.count()

        def text(words: str, marked: str = marked) -> Text:
            return Text(f"{words} " * 40, "default" if words == marked else None)

        request = Request([user(text("two"), text("three")), user(text("four"))], system=[text("one"), text("zero")])
        made = subject.translate(request)
        parts = parts_of(subject.seen(made), Text)
        got = [part.text.split()[0] for part in parts if part.cache]
        if got != [marked] and not any(item.field in ("cache", "messages", "system") for item in made.adjustments):
            raise Broken("the cache mark is not where it was put", expected=marked, got=got, body=made.body)
