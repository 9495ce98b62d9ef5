"""Counting tokens without a tokenizer: an estimate between bounds.

The lower bound leaves out what a provider may leave out itself: earlier reasoning, a schema, tools that may not be
called. The upper bound allows for the templates that servers put around a conversation, and in prose, code, Chinese,
Japanese and Korean it is at most twice what OpenAI's current vocabulary (o200k) makes of the text. Tests hold both
against that vocabulary and against the counts that providers gave in recordings. Vocabularies of 2023 and before take
more for scripts other than Latin, and characters drawn at random are no writing: there the upper bound may be passed.
The exactness always says that this is an estimate.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import Any, Final

from byollm.types.capabilities import TokenCount
from byollm.types.parts import Audio, Document, Image, Part, Reasoning, Text, ToolCall, ToolResult
from byollm.types.request import Request
from byollm.types.tools import ProviderTool, Tool

MESSAGE_OVERHEAD: Final = 4
TEMPLATE: Final = 256
"""What a server's own template may add: Llama Guard and Grok models add up to 205 tokens to any conversation."""
TOOLS_TEMPLATE: Final = 640
"""The same where there are tools: Groq's models added 540 to theirs."""
MEDIA_TOKENS: Final = 1_000
_RUN: Final = re.compile(r"(.)\1{4,}", re.DOTALL)
_WORD: Final = re.compile(r"[A-Za-zÀ-ÖØ-öø-ɏḀ-ỿ]+|[0-9]{1,3}|[!-/:-@\[-`{-~]+|\s+|.", re.DOTALL)
"""Words in Latin letters, accents and all; digits by threes; signs in a row; white space; any other character alone."""
_HUMP: Final = re.compile(r"(?<=[a-zß-öø-ÿ])(?=[A-ZÀ-ÖØ-Þ])")
"""Where a name in camel case is cut."""
_RULES: Final = " \t\n-=*#_./~+"
"""Signs that stand in long rows; 8 and more of them are one token."""
_LETTERS: Final = (0.0, 1.0, 1.0, 1.05, 1.2, 1.45, 1.75, 2.1, 2.45, 2.8, 3.15, 3.5, 3.85)
"""At most so many tokens for a word of so many letters, on the average of a text; Finnish is the dearest."""


def texts_of(request: Request) -> Iterator[tuple[str, bool]]:
    """Every text of the request that the model may read, and whether it certainly does."""
    for message in request.conversation:
        for part in message.parts:
            yield from _texts(part)
    callable_ = request.tool_choice is None or request.tool_choice.mode != "none"
    for tool in request.tools or ():
        if isinstance(tool, Tool):
            yield tool.name + (tool.description or ""), callable_
            yield _json(tool.parameters), callable_
        elif isinstance(tool, ProviderTool):
            yield _json(tool.definition), False
    if request.output_schema is not None:
        yield _json(request.json_schema), False


def _json(value: Any) -> str:
    return json.dumps(value, default=str)


def _texts(part: Part) -> Iterator[tuple[str, bool]]:
    if isinstance(part, Text):
        yield part.text, True
    elif isinstance(part, Reasoning):
        yield part.text, False
    elif isinstance(part, ToolCall):
        yield part.name + part.arguments, True
    elif isinstance(part, ToolResult):
        for inner in part.parts:
            yield from _texts(inner)


def bytes_of(request: Request) -> int:
    """An upper bound of the tokens that is quick to have: four bytes a character, media and overhead included."""
    size = sum([len(text) for text, _ in texts_of(request)])
    template = TOOLS_TEMPLATE if request.tools else TEMPLATE
    return 4 * size + template + 16 * (len(request.messages) + 2) + _media(request) * 100_000


def rough(request: Request) -> int:
    """Tokens of the text, roughly and at once: a quarter of its bytes. For choosing between prices, not for limits."""
    size = 0
    for text, _ in texts_of(request):
        size += len(text) if text.isascii() else len(text.encode("utf-8", "replace"))
    return size // 4 + MESSAGE_OVERHEAD * len(request.messages) + MEDIA_TOKENS * _media(request) + 1


def estimate(request: Request) -> TokenCount:
    """Tokens of the whole request. `lower` ≤ the true number ≤ `upper` for text; media and tools that
    the provider runs have no upper bound."""
    low = middle = high = 0
    for text, read in texts_of(request):
        least, likely, most = estimate_text(text)
        low, middle, high = low + (least if read else 0), middle + likely, high + most
    high += TOOLS_TEMPLATE if request.tools else TEMPLATE
    turns = len(request.conversation)
    media = _media(request)
    open_end = media or any(isinstance(tool, ProviderTool) for tool in request.tools or ())
    return TokenCount(
        middle + MESSAGE_OVERHEAD * turns + MEDIA_TOKENS * media,
        "estimate",
        low,
        None if open_end else high + 16 * (turns + 1),
        "byollm's own bounds",
    )


def estimate_text(text: str) -> tuple[int, int, int]:
    """At least, likely, at most so many tokens."""
    if not text:
        return 0, 0, 0
    plain = _RUN.sub(lambda run: run.group()[:4], text)
    low, likely, high = _runs(text) if len(plain) < len(text) else (0.0, 0.0, 0.0)
    for match in _WORD.finditer(plain):
        piece = match.group()
        first = piece[0]
        size = len(piece)
        if first.isalpha() and (size > 1 or first.isascii() or _is_latin(first)):
            accents = 0 if piece.isascii() else len(piece.encode()) - size
            low += 0.4
            likely += max(1.0, (size + 2 * accents) / 6)
            high += _most_of_word(piece) + accents
        elif first.isspace():
            numbered = "0" <= plain[match.end() : match.end() + 1] <= "9"
            likely, high = likely + (0.2 if size > 1 else 0), high + _most_of_space(piece, numbered)
        elif not first.isascii():
            width = len(first.encode("utf-8", "replace"))
            # An alphabet's letters make words: Russian has five and more to a token.
            least = 0.25 if first >= "\u2e80" else 0.1
            low, likely, high = low + least, likely + (0.8 if width == 3 else 0.5), high + _most_of(first)
        elif first.isdigit():
            low, likely, high = low + 0.34, likely + 1, high + 1
        else:
            low, likely, high = low + 0.2 * size, likely + 0.6 * size, high + 0.25 + 0.75 * size
    whole = max(1, int(likely + 0.5))
    return min(int(low), whole), whole, max(int(high) + 2, whole)


def _runs(text: str) -> tuple[float, float, float]:
    """What the rest of each run of one character adds: blanks compress best, other controls not at all."""
    low = likely = high = 0.0
    for run in _RUN.finditer(text):
        size, sign = len(run.group()) - 4, run.group(1)
        each = 1 / 8 if sign in _RULES else (1.0 if sign < " " else 0.5) if sign.isascii() else _most_of(sign)
        low, likely, high = low + size / 128, likely + size / 8, high + size * each
    return low, likely, high


def _most_of_word(word: str) -> float:
    if word.islower():
        return _most_of_part(word)
    return sum([_most_of_part(part) for part in _HUMP.split(word)])


def _most_of_part(part: str) -> float:
    """A word, or what stands between two humps. Letters of mixed size are no word: they are somebody's data."""
    size = len(part)
    most = _LETTERS[size] if size < len(_LETTERS) else _LETTERS[-1] + 0.55 * (size - len(_LETTERS) + 1)
    if size < 4 or part[1:].islower():
        return most
    return 1.25 * most if part.isupper() else max(most, 0.75 * size)


def _most_of_space(space: str, numbered: bool) -> float:
    """A blank goes with the word after it, but not with a number; lines end once, and then they are indented."""
    alone = 0.9 if numbered and space[-1] == " " else 0.0
    if space == " ":
        return max(alone, 0.05)
    ends = 0.85 if "\n" in space or "\r" in space else 0.0
    indented = 0.75 if not ends or space[-1] not in "\r\n" else 0.0
    changes = sum([one != other for one, other in pairwise(space)])
    return alone + ends + indented + max(0, changes - 1) / 2 + (0 if space.isascii() else len(space.encode()))


@lru_cache(maxsize=16_384)
def _most_of(sign: str) -> float:
    """At most so many tokens for a sign outside ASCII. Chinese, Japanese and Korean standards put the usual ones first:
    the first levels of GB 2312, JIS X 0208 and Big5, and KS X 1001."""
    code = ord(sign)
    if 0x4E00 <= code <= 0x9FFF:
        return next((most for codec, last, most in _LEVELS if _is_usual(sign, codec, last)), 2.5)
    if 0xAC00 <= code <= 0xD7A3:
        return 1.1 if _is_usual(sign, "euc_kr", 0xFF) else 3.0
    for start, end, most in _SCRIPTS:
        if start <= code <= end:
            return most
    return float(len(sign.encode("utf-8", "replace")))


def _is_usual(sign: str, codec: str, last: int) -> bool:
    try:
        data = sign.encode(codec)
    except UnicodeEncodeError:
        return False
    return len(data) == 2 and data[0] <= last


_LEVELS: Final = (("gb2312", 0xD7, 1.28), ("euc_jp", 0xCF, 1.28), ("big5", 0xC6, 1.7))
"""Encodings, the first byte with which the usual characters end, and at most so many tokens for one of them."""
_SCRIPTS: Final = ((0x3041, 0x30FF, 1.22), (0x3000, 0x303F, 1.15), (0xFF00, 0xFF65, 1.15), (0x370, 0x6FF, 1.2))
"""Kana, the signs of East Asia, and the alphabets from Greek to Arabic."""


def _is_latin(letter: str) -> bool:
    return "À" <= letter <= "ɏ" or "Ḁ" <= letter <= "ỿ"


def _media(request: Request) -> int:
    parts: list[Any] = [part for message in request.messages for part in message.parts]
    inner = [part for result in parts if isinstance(result, ToolResult) for part in result.parts]
    return sum(isinstance(part, Image | Document | Audio) for part in (*parts, *inner))
