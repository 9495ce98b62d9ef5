"""Bodies come out as they went in, however they were packed and cut, and never larger than allowed."""

from __future__ import annotations

import gzip
import itertools
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as some

from byollm.transports.base import Broken, Limits
from byollm.transports.inflate import Body


def raw_deflate(data: bytes) -> bytes:
    """Deflate data without zlib's header, as some servers send it."""
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "identity": bytes,
    "": bytes,
}


def unpacked(encoding: str, data: bytes, cuts: list[int], limits: Limits = Limits()) -> bytes | Broken:  # noqa: B008  # a frozen value
    """Feed `data` in pieces that end at `cuts`."""
    body, out = Body(encoding, limits), b""
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    for start, end in itertools.pairwise(edges):
        if start < end:
            made = body.piece(data[start:end])
            if isinstance(made, Broken):
                return made
            out += made
    return body.end() or out


@given(some.sampled_from(sorted(PACKERS)), some.binary(max_size=500), some.lists(some.integers(0, 10_000), max_size=6))
def test_any_cut(encoding, data, cuts):
    """Any encoding, any content, any cut: the same bytes."""
    assert data == unpacked(encoding, PACKERS[encoding](data), cuts)


@given(some.binary(max_size=500), some.lists(some.integers(0, 10_000), max_size=6))
def test_raw_deflate(data, cuts):
    """Deflate without zlib's header is understood too."""
    assert data == unpacked("deflate", raw_deflate(data), cuts)


@given(some.binary(min_size=1, max_size=300), some.lists(some.integers(0, 10_000), max_size=6))
def test_several_members(data, cuts):
    """A gzip body may hold several members, and zeros at the end."""
    assert data * 2 == unpacked("gzip", gzip.compress(data) * 2 + bytes(8), cuts)


@given(some.binary(min_size=1, max_size=300), some.integers(1, 10_000))
def test_cut_short(data, cut):
    """Compressed data that stops short anywhere is a failure, never a shorter answer."""
    packed = gzip.compress(data)

    assert isinstance(unpacked("gzip", packed[: 1 + cut % (len(packed) - 1)], []), Broken)


@given(some.binary(max_size=300), some.sampled_from(["gzip", "deflate"]))
def test_anything_at_all(data, encoding):
    """Whatever bytes come: an answer or a failure, no exception."""
    assert isinstance(unpacked(encoding, data, []), bytes | Broken)


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_bomb(encoding):
    """What grows beyond the ratio is stopped, long before it is large."""
    found = unpacked(encoding, PACKERS[encoding](bytes(20_000_000)), [])

    assert isinstance(found, Broken)
    assert "too_large" == found.kind


def test_small_bodies_may_grow():
    """A short answer that repeats itself is no bomb, whatever its ratio."""
    assert bytes(1_000_000) == unpacked("gzip", gzip.compress(bytes(1_000_000)), [])


def test_size_counts_unpacked():
    """The limit of the body is that of the unpacked one."""
    packed = gzip.compress(bytes(1000))

    assert isinstance(unpacked("gzip", packed, [], Limits(body=999)), Broken)
    assert bytes(1000) == unpacked("gzip", packed, [], Limits(body=1000))


@pytest.mark.parametrize("encoding", ["GZIP", " gzip ", "Identity"])
def test_spelling(encoding):
    """Case and spaces do not matter."""
    assert Body(encoding, Limits()).unknown is None
