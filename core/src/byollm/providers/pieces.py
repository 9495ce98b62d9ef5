"""How many tokens a text may have, told without a tokenizer: by pieces and what a vocabulary makes of each at most.

A text is cut into words, figures, signs and white space about as byte-pair tokenizers cut it. Each kind of piece has a
price: at most so many tokens on the average of a sentence, fitted to tiktoken's own counts of 50,000 sentences and
snippets (the messages of free software in 45 languages, code in 7), so that for a sentence of 40 characters and more
the sum lies between its tokens and twice its tokens. This is no tokenizer: a text made against the prices passes them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Final, Literal

Vocabulary = Literal["o200k_base", "cl100k_base"]
"""OpenAI's public vocabularies: of its current models, and of gpt-4 and gpt-3.5."""

_LATIN: Final = "A-Za-zÀ-ÖØ-öø-ɏḀ-ỿ"
_PIECE: Final = re.compile(
    rf" ?[{_LATIN}]+|[0-9]{{1,3}}|[!-/:-@\[-`{{-~]+| ?[Ѐ-ԯ]+| ?[Ͱ-Ͽἀ-῿]+| ?[\u0530-\u058f]+| ?[\u0590-\u05ff]+"
    r"| ?[\u0600-\u06ff\u0750-\u077f]+| ?[\u0900-\u097f]+| ?[\u0980-\u09ff]+| ?[\u0a00-\u0dff]+|[\u0e00-\u0eff]+"
    r"| ?[\u10a0-\u10ff]+|\s*[\r\n]+|[ \t]+|.",
    re.DOTALL,
)
_HUMP: Final = re.compile(r"(?<=[a-zß-öø-ÿ])(?=[A-ZÀ-ÖØ-Þ])|(?<=[A-Z])(?=[A-Z][a-z]{2})")
"""Where a name in camel case is cut."""
_RUN: Final = re.compile(r"(.)\1{15,}", re.DOTALL)
_KEPT: Final = 16
_RULES: Final = " \t\n-=*#_./~+"
"""Signs that stand in long rows; 8 and more of them are one token."""
_HARD: Final = frozenset("kwzjyåäöüõøæıßőűčšžćđłńśźżşğąęėįųūžāēģīķļņň")
"""Letters that English and the Romance languages hardly have: words with them are cut smaller."""
_DOUBLE: Final = re.compile(r"([aeiouyäö])\1|kk|sz|cz|rz|gy|ny")
"""The like of Finnish, Polish and Hungarian."""
_OTHER_CYRILLIC: Final = frozenset("іїєґўјљњћђџѓќѕъІЇЄ")
"""Letters that Russian does not have: vocabularies know Russian best."""
_VIETNAMESE: Final = frozenset("ơưđăƠƯĐĂ")
_SCRIPTS: Final = (
    ("cyrillic", 0x400, 0x52F),
    ("greek", 0x370, 0x3FF),
    ("greek", 0x1F00, 0x1FFF),
    ("armenian", 0x530, 0x58F),
    ("hebrew", 0x590, 0x5FF),
    ("arabic", 0x600, 0x77F),
    ("devanagari", 0x900, 0x97F),
    ("bengali", 0x980, 0x9FF),
    ("indic", 0xA00, 0xDFF),
    ("thai", 0xE00, 0xEFF),
    ("georgian", 0x10A0, 0x10FF),
)
_SIGNS: Final = (("kana", 0x3040, 0x30FF), ("han", 0x4E00, 0x9FFF), ("hangul", 0xAC00, 0xD7A3))

_MOST: Final[Mapping[str, tuple[float, ...]]] = {
    # kind: at most so many tokens under o200k, under cl100k, and under both where that is not what cl100k says
    "known": (1.1, 1.08),
    "short": (1.27, 1.36),
    "soft": (1.42, 2.15),
    "soft 4-8": (0.19, 0.1),
    "soft 9-12": (0.16, 0.17),
    "soft 13-": (0.38, 0.48),
    "hard": (1.42, 2.18),
    "hard 4-8": (0.35, 0.34),
    "hard 9-12": (0.2, 0.23),
    "hard 13-": (0.36, 0.41),
    "double": (0.54, 1.15),
    "accent": (0.62, 1.26),
    "vietnamese": (0.34, 1.12),
    "capitals": (1.23, 1.16),
    "capitals 4-": (0.4, 0.42),
    "mixed": (0.68, 0.64),
    "mixed 4-": (1.12, 1.3),
    "digits": (2.05, 2.06),
    "signs": (1.15, 1.03),
    "sign changes": (0.47, 0.45),
    "sign again": (0.04, 0.04),
    "line end": (0.27, 0.14),
    "blank line": (0.14, 0.66),
    "blank": (0.64, 0.65),
    "indentation": (1.53, 1.65),
    "cyrillic": (1.64, 2.06),
    "cyrillic 2-4": (0.06, 0.24),
    "cyrillic 5-": (0.26, 0.6),
    "not russian": (1.82, 3.9),
    "greek": (0.24, 1.13),
    "greek 2-4": (0.65, 1.66),
    "greek 5-": (0.58, 1.43),
    "armenian": (0.92, 2.03),
    "armenian 2-4": (0.69, 3.78),
    "armenian 5-": (0.24, 2.7),
    "hebrew": (0.78, 1.0),
    "hebrew 2-4": (0.41, 1.45),
    "hebrew 5-": (0.47, 1.2),
    "arabic": (0.78, 0.66),
    "arabic 2-4": (0.41, 1.45),
    "arabic 5-": (0.47, 1.05),
    "devanagari": (0.6, 1.05),
    "devanagari 2-4": (0.45, 1.72),
    "devanagari 5-": (0.55, 1.7),
    "bengali": (0.6, 1.3),
    "bengali 2-4": (0.45, 2.1),
    "bengali 5-": (0.55, 2.1),
    "indic": (0.6, 1.6),
    "indic 2-4": (0.45, 2.7),
    "indic 5-": (0.55, 2.7),
    "thai": (0.8, 0.92),
    "thai 2-4": (0.6, 1.37),
    "thai 5-": (0.58, 1.31),
    "georgian": (0.1, 1.74),
    "georgian 2-4": (0.71, 3.68),
    "georgian 5-": (0.43, 2.78),
    "han 11": (0.91, 1.15, 1.01),
    "han 12": (1.46, 2.92, 2.07),
    "han 13": (2.05, 4.74, 3.37),
    "han": (3.62, 3.92, 3.61),
    "kana 11": (0.84, 1.19, 1.0),
    "kana 12": (1.52, 2.63, 2.01),
    "kana": (1.5, 2.6, 2.0),
    "hangul 11": (0.64, 0.98),
    "hangul 12": (0.95, 2.16),
    "hangul 13": (1.47, 3.94),
    "hangul": (2.84, 3.19),
    "east asian sign": (1.28, 1.35, 1.09),
    "other 2": (0.73, 1.03),
    "other 3": (1.05, 1.72),
    "other 4": (2.6, 3.2),
}
_ONCE: Final = (0.54, 0.13, 0.3)
"""The same for the text as a whole."""
_MARGIN: Final = 1.38
"""How far the prices lie above the mean of the sentences."""


def estimate_text(text: str, vocabulary: Vocabulary | None = None) -> tuple[int, int, int]:
    """At least, likely, at most so many tokens, under one vocabulary or (None) under any of the two.

    `lower` ≤ exact holds for every text. exact ≤ `upper` ≤ 2.0 × exact holds from a sentence of 40 characters up for
    prose, for code, and for Chinese, Japanese and Korean when the vocabulary is named; of 100 single sentences one or
    two may lie outside. Under None it holds for English, code, Chinese and Japanese; elsewhere `upper` is at most twice
    what the vocabulary that is dearer for the text makes of it. That can be more than twice the other's tokens: cl100k
    takes 2.1 times o200k's for some Korean, so no figure could serve both. Texts that are no writing (characters drawn
    at random, keys, encoded data) may pass `upper`.
    """
    if not text:
        return 0, 0, 0
    plain = _RUN.sub(lambda run: run.group()[:_KEPT], text)
    low, current, older, either = _runs(text) if len(plain) < len(text) else (0.0, 0.0, 0.0, 0.0)
    for piece, times in Counter(_PIECE.findall(plain)).items():
        least, *most = _piece(piece)
        low += times * least
        current, older, either = current + times * most[0], older + times * most[1], either + times * most[2]
    if vocabulary is None:
        high, likely = either + _ONCE[2], (current + older) / 2
    else:
        high, likely = (current + _ONCE[0], current) if vocabulary == "o200k_base" else (older + _ONCE[1], older)
    lower = int(low)
    whole = max(1, lower, int(likely / _MARGIN + 0.5))
    return lower, whole, max(min(int(high + 0.5), len(text.encode("utf-8", "surrogatepass"))), whole)


def _runs(text: str) -> tuple[float, float, float, float]:
    """What the rest of each run of one character adds: blanks compress best, other controls not at all."""
    low = most = 0.0
    for run in _RUN.finditer(text):
        size, sign = len(run.group()) - _KEPT, run.group(1)
        each = 1 / 8 if sign in _RULES else 1.0 if sign < " " else 0.5 if sign.isascii() else _piece(sign)[3]
        low, most = low + size / 128, most + size * each
    return low, most, most, most


def _piece(piece: str) -> tuple[float, float, float, float]:
    """At least so many tokens, and at most under each vocabulary and under either. A sign has no more than bytes."""
    current = older = either = 0.0
    for kind, amount in _kinds(piece).items():
        most = _MOST[kind]
        current, older, either = current + amount * most[0], older + amount * most[1], either + amount * most[-1]
    if len(piece) == 1:
        size = len(piece.encode("utf-8", "replace"))
        current, older, either = min(current, size), min(older, size), min(either, size)
    return _least(piece), current, older, either


def _least(piece: str) -> float:
    first = piece[-1]
    if first.isspace():
        return 0.0
    if first.isascii():
        return 0.34 if first.isdigit() else 0.4 if first.isalpha() else 0.2 * (1 + _changes(piece))
    if _is_latin(first):
        return 0.4
    # An alphabet's letters make words: Russian has five and more to a token.
    return 0.25 if first >= "\u2e80" else 0.1 * len(piece.strip(" "))


def _kinds(piece: str) -> Mapping[str, int]:
    """What a piece is made of, in the words of the price list."""
    word = piece.strip(" ") or piece
    first = word[0]
    if first.isascii():
        if first.isalpha():
            return _latin(word)
        if first.isspace():
            return _space(word)
        if first.isdigit():
            return {"digits": 1}
        changes = _changes(word)
        return {"signs": 1, "sign changes": changes, "sign again": len(word) - 1 - changes}
    if _is_latin(first):
        return _latin(word)
    return {"line end": 1} if first.isspace() and len(word) > 1 else _foreign(word, ord(first))


def _changes(signs: str) -> int:
    return sum([one != other for one, other in pairwise(signs)])


def _latin(word: str) -> Mapping[str, int]:
    kinds: Counter[str] = Counter()
    for part in _HUMP.split(word):
        size, lowered = len(part), part.lower()
        titled = part[1:].islower()
        if size > 3 and titled and lowered in _words():
            kinds["known"] += 1
            continue
        if size <= 3:
            kinds["short"] += 1
        elif titled:
            kind = "hard" if not _HARD.isdisjoint(lowered) else "soft"
            kinds[kind] += 1
            kinds[f"{kind} 4-8"] += min(size, 8) - 3
            kinds[f"{kind} 9-12"] += max(0, min(size, 12) - 8)
            kinds[f"{kind} 13-"] += max(0, size - 12)
        else:
            kind = "capitals" if part.isupper() else "mixed"
            kinds[kind] += 1
            kinds[f"{kind} 4-"] += size - 3
        if size > 3:
            kinds["double"] += len(_DOUBLE.findall(lowered))
        if not part.isascii():
            marks = sum(["Ạ" <= letter <= "ỹ" or letter in _VIETNAMESE for letter in part])
            kinds["vietnamese"] += marks
            kinds["accent"] += sum([not letter.isascii() for letter in part]) - marks
    return kinds


def _space(space: str) -> Mapping[str, int]:
    if "\n" in space or "\r" in space:
        return {"line end": 1, "blank line": int(space.count("\n") > 1)}
    return {"blank" if space == " " else "indentation": 1}


def _foreign(word: str, code: int) -> Mapping[str, int]:
    for script, start, end in _SCRIPTS:
        if start <= code <= end:
            size = len(word)
            other = script == "cyrillic" and not _OTHER_CYRILLIC.isdisjoint(word)
            kinds = {script: 1, f"{script} 2-4": min(size, 4) - 1, f"{script} 5-": max(0, size - 4)}
            return {**kinds, "not russian": 1} if other else kinds
    for script, start, end in _SIGNS:
        if start <= code <= end:
            kind = _signs().get(word)
            return {f"{script} {kind}" if kind else script: 1}
    if 0x3000 <= code <= 0x303F or 0xFF00 <= code <= 0xFF65:
        return {"east asian sign": 1}
    return {f"other {len(word.encode('utf-8', 'replace'))}": 1} if code > 0x7FF else {"other 2": 1}


def _is_latin(letter: str) -> bool:
    return "À" <= letter <= "ɏ" or "Ḁ" <= letter <= "ỿ"


@cache
def _listed() -> Mapping[str, str]:
    told = (files("byollm.providers") / "vocabulary.txt").read_text("utf-8")
    return dict(line.split(" ", 1) for line in told.splitlines() if line[0] != "#")


@cache
def _words() -> frozenset[str]:
    """The usual English words, one token each under both vocabularies."""
    return frozenset(_listed()["words"].split())


@cache
def _signs() -> Mapping[str, str]:
    """Signs that are one token of o200k: the rest of their kind's name tells the tokens under either vocabulary."""
    return {sign: kind for kind in ("11", "12", "13") for sign in _listed()[kind]}
