"""What OpenAI's model families take, as far as requests are refused for it.

After the reasoning matrix of the wire notes (pydantic-ai 2.68, litellm 1.109, vercel/ai 2026-08-22), read 2026-11-21.
Names nobody knows are taken with everything: the twin also plays servers of other models.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

Sampling = Literal["always", "when_off", "never"]
_FULL: Final = ("low", "medium", "high")


@dataclass(frozen=True, slots=True)
class Family:
    """One family.

    `efforts`: accepted reasoning efforts, empty when it does not reason. `default`: what it does when not told.
    `sampling`: whether temperature and its kin are taken. `window`, `output`: tokens; None when unknown.
    """

    efforts: tuple[str, ...] = ()
    default: str = "none"
    sampling: Sampling = "always"
    window: int | None = None
    output: int | None = None
    known: bool = True

    @property
    def reasons(self) -> bool:
        """It can reason at all."""
        return bool(self.efforts)


_XHIGH: Final = (*_FULL, "xhigh")
_MAX: Final = (*_XHIGH, "max")
_OFF: Final[tuple[str, ...]] = ("none",)
_FAMILIES: Final[tuple[tuple[str, Family], ...]] = (
    (r"gpt-(6-astra|6\.1-sol)", Family(_MAX, "medium", "never", 922_000, 128_000)),
    (r"gpt-6(\.\d)?", Family((*_OFF, *_MAX), "medium", "when_off", 922_000, 128_000)),
    (r"gpt-5\.6", Family((*_OFF, *_MAX), "medium", "when_off", 1_050_000, 128_000)),
    (r"gpt-5\.[2-5]-pro", Family(("medium", "high", "xhigh"), "medium", "never", 1_050_000, 128_000)),
    (r"gpt-5\.5", Family((*_OFF, *_XHIGH), "medium", "when_off", 1_050_000, 128_000)),
    (r"gpt-5\.[123]-chat", Family(("medium",), "medium", "never", 128_000, 16_384)),
    (r"gpt-5\.4", Family((*_OFF, *_XHIGH), "none", "when_off", 1_050_000, 128_000)),
    (r"gpt-5\.[23]", Family((*_OFF, *_XHIGH), "none", "when_off", 400_000, 128_000)),
    (r"gpt-5\.1", Family((*_OFF, *_FULL), "none", "when_off", 400_000, 128_000)),
    (r"gpt-5-chat", Family(window=128_000, output=16_384)),
    (r"gpt-5-pro", Family(("high",), "high", "never", 400_000, 272_000)),
    (r"gpt-5", Family(("minimal", *_FULL), "medium", "never", 400_000, 128_000)),
    (r"o[134]", Family(_FULL, "medium", "never", 200_000, 100_000)),
    (r"codex-mini", Family(_FULL, "medium", "never", 200_000, 100_000)),
    (r"gpt-4\.1", Family(window=1_047_576, output=32_768)),
    (r"gpt-4o", Family(window=128_000, output=16_384)),
    (r"gpt-4(-turbo|-\d{4}-preview|-vision)", Family(window=128_000, output=4_096)),
    (r"gpt-4-32k", Family(window=32_768)),
    (r"gpt-4\.5", Family(window=128_000, output=16_384)),
    (r"gpt-4", Family(window=8_192)),
    (r"gpt-3\.5-turbo", Family(window=16_385, output=4_096)),
    (r"gpt-audio", Family(window=128_000, output=16_384)),
)
_COMPILED: Final = tuple((re.compile(pattern), family) for pattern, family in _FAMILIES)
UNKNOWN: Final = Family(known=False)

_WORDS: Final = (
    "mini nano pro codex chat turbo latest preview audio search api realtime instruct sol terra luna astra max spark "
    "vision transcribe tts diarize image oss safeguard deep research 16k 32k 20b 120b"
)
_PIECE: Final = re.compile(rf"(?:{'|'.join(_WORDS.split())}|\d{{2,4}}|\d{{8}})")
_GENERATION: Final = re.compile(r"gpt-(?:\d(?:\.\d{1,2})?o?|oss|audio|realtime|image)(?:[-_:]|$)|o\d(?:-|$)")
_NONSENSE: Final = re.compile(
    r"does-?not-?exist|non-?existent|no-such|not-a-(?:real-)?model|invalid-model|unknown-model|fake-model|bogus|definitely-not"
)
_RETIRED: Final = frozenset({"gpt-3.5-turbo-0301", "gpt-3.5-turbo-16k-0613", "gpt-4-32k-0314", "text-davinci-003"})
_ONLY_RESPONSES: Final = re.compile(r"gpt-5(\.\d)?-(?:pro|codex)|o[13]-pro|codex-mini|.*deep-research|computer-use")
_NOT_CHAT: Final = re.compile(
    r"gpt-3\.5-turbo-instruct|(?:davinci|babbage)-002|text-|whisper|tts|dall-e|gpt-image|omni-moderation"
)
_NOT_RESPONSES: Final = re.compile(
    r"o1-(?:mini|preview)|gpt-(?:4o-(?:mini-)?)?(?:audio|search)|gpt-audio|.*-search-preview"
)


def bare(name: str) -> str:
    """A model name without a gateway's prefix or a fine-tune's wrapping, in lower case."""
    lowered = name.lower().rpartition("/")[2]
    return lowered.split(":")[1] if lowered.startswith("ft:") else lowered


@lru_cache(maxsize=512)
def family_of(name: str) -> Family:
    """The family of a model; UNKNOWN takes everything."""
    plain = bare(name)
    for pattern, family in _COMPILED:
        if pattern.match(plain):
            return family
    return UNKNOWN


def exists(name: str) -> bool:
    """Could this be a model? A name like one of OpenAI's is read word by word; other names may be anybody's."""
    plain = bare(name)
    if _NONSENSE.search(plain) or plain in _RETIRED:
        return False
    generation = _GENERATION.match(plain)
    if generation is None:
        return not plain.startswith(("gpt-", "chatgpt-")) or plain.startswith("chatgpt-4o")
    rest = plain[generation.end() :]
    return all(_PIECE.fullmatch(piece) for piece in re.split("[-_:]", rest)) if rest else True


def chat_refuses(name: str) -> bool:
    """Known, but not to Chat Completions."""
    plain = bare(name)
    return bool(_ONLY_RESPONSES.match(plain) or _NOT_CHAT.match(plain))


def responses_refuses(name: str) -> bool:
    """Known, but not to Responses."""
    plain = bare(name)
    return bool(_NOT_RESPONSES.match(plain) or _NOT_CHAT.match(plain))


def hears(name: str) -> bool:
    """It takes audio; an unknown model may."""
    return "audio" in bare(name) or "realtime" in bare(name) or not family_of(name).known


def searches(name: str) -> bool:
    """It takes `web_search_options`; an unknown model may."""
    return "search" in bare(name) or not family_of(name).known


def serial(name: str) -> bool:
    """It calls one tool at a time and takes no `parallel_tool_calls`: the o series."""
    return bool(re.match(r"o[134](?:-|$)", bare(name)))


def unsupported_role(name: str) -> tuple[str, ...]:
    """Roles the first o models do not know."""
    return ("system", "developer") if bare(name).startswith(("o1-mini", "o1-preview")) else ()


def refuses_tools(name: str) -> bool:
    """It takes no tools at all (recorded of gpt-5-chat-latest)."""
    return bare(name).startswith(("gpt-5-chat", "chatgpt-4o"))


def takes_flex(name: str) -> bool:
    """It takes the `flex` tier."""
    return bool(re.match(r"o[34]|gpt-[56]", bare(name))) or not family_of(name).known


def refuses_tools_while_reasoning(name: str) -> bool:
    """Chat Completions refuses functions with an effort from gpt-5.4 on."""
    return bool(re.match(r"gpt-(?:5\.[4-9]|6)", bare(name)))
