"""Baseten: where a request goes, with which words, and what its refusals become."""

from __future__ import annotations

import json
from typing import Any

import pytest

import byollm
from byollm import errors, testing
from byollm.config.bind import may_go_to
from byollm.plugin import AuthContext, HttpRequest, Request, Target
from byollm.wire.redact import Secret
from byollm_baseten import provider
from byollm_baseten.models import MODELS

DEDICATED = "https://model-abcd1234.api.baseten.co"


def url(endpoint: str | None = None, **fields: Any) -> str:
    place = {"endpoint": endpoint} if endpoint else {}
    return testing.translate("baseten", "hi", api_key="k-123456789", **place, **fields).url


def authorization(word: str) -> str:
    """The header that the scheme of this word makes."""
    context = AuthContext({"api_key": Secret("k-1")}, lambda: 0.0, lambda: "")
    flow = provider.manifest.authentication[word].flow(HttpRequest("POST", DEDICATED, (), b""), context)
    with pytest.raises(StopIteration) as ended:
        next(flow)
    return str(ended.value.value["authorization"])


def refused(status: int, document: Any) -> errors.ProviderError:
    with pytest.raises(errors.ProviderError) as caught:
        testing.replay("baseten", status=status, body=json.dumps(document).encode(), retries={"attempts": 1})
    return caught.value


def known(model: str, endpoint: str = "https://inference.baseten.co/v1") -> byollm.plugin.Capabilities:
    return provider.capabilities(Target(provider="baseten", model=model, endpoint=endpoint, api="chat"))


def test_model_apis_are_the_default() -> None:
    """And the key's usual variable is BASETEN_API_KEY."""
    assert "https://inference.baseten.co/v1/chat/completions" == url()
    assert {"api_key": ("BASETEN_API_KEY",)} == provider.manifest.credentials


@pytest.mark.parametrize(
    ("endpoint", "path"),
    [
        (DEDICATED, "/environments/production/sync/v1"),
        (f"{DEDICATED}/", "/environments/production/sync/v1"),
        (f"{DEDICATED}/environments/staging/sync/v1", "/environments/staging/sync/v1"),
        (f"{DEDICATED}/development/sync/v1", "/development/sync/v1"),
        (f"{DEDICATED}/deployment/d-1/sync/v1", "/deployment/d-1/sync/v1"),
        (f"{DEDICATED}/development/sync/v1/chat/completions", "/development/sync/v1"),
        ("https://model-abcd1234-production.api.baseten.co", "/sync/v1"),
        ("https://model-abcd1234-eu-prod.api.baseten.co/sync/v1", "/sync/v1"),
    ],
)
def test_dedicated_addresses(endpoint: str, path: str) -> None:
    """A bare host gets its environment's path, a regional one none; a path in the file is kept."""
    host = endpoint.split("/")[2]

    assert f"https://{host}{path}/chat/completions" == url(endpoint)


def test_another_environment() -> None:
    """By option; never out of its segment."""
    assert f"{DEDICATED}/environments/staging/sync/v1/chat/completions" == url(DEDICATED, environment="staging")
    with pytest.raises(errors.ConfigError):
        url(DEDICATED, environment="../../x")


def test_the_word_before_the_key() -> None:
    """`Api-Key` unless the file says `bearer-token`."""
    assert "api-key" == next(iter(provider.manifest.authentication))
    assert "Api-Key k-1" == authorization("api-key")
    assert "Bearer k-1" == authorization("bearer-token")


def test_a_key_of_the_environment_stays_with_baseten() -> None:
    """Model APIs and dedicated hosts, and no look-alike."""
    hosts = ["inference.baseten.co", "model-abcd1234.api.baseten.co", "api.baseten.co.example.com", "example.com"]

    assert [True, True, False, False] == [may_go_to(provider.manifest, host) for host in hosts]


def test_a_whole_request() -> None:
    """Golden: `max_tokens`, and what is not among its parameters is told instead of sent."""
    asked = Request("hi", max_tokens=9, seed=7, stop="x", end_user_id="u", metadata={"a": "b"}, cache_key="c")
    made = testing.translate("baseten", asked, model="zai-org/GLM-5.3")

    messages = [{"role": "user", "content": "hi"}]
    model = "zai-org/GLM-5.3"
    assert {
        "model": model, "messages": messages, "max_tokens": 9, "stop": ["x"], "seed": 7, "user": "u",
    } == made.body  # fmt: skip
    assert {"metadata", "cache_key"} == {note.field for note in made.adjustments}


@pytest.mark.parametrize(
    ("status", "document", "kind"),
    [
        (400, {"error": "please check the model you provided"}, errors.ModelNotFoundError),
        (404, {"error": "please check the model you provided"}, errors.ModelNotFoundError),
        (401, {"error": "please check the api-key you provided"}, errors.AuthenticationError),
        (400, {"error": {"message": "no", "type": "BadRequestError", "code": 400}}, errors.InvalidRequestError),
        (
            400,
            {"object": "error", "message": "maximum context length is 9 tokens", "code": 400},
            errors.ContextLengthError,
        ),
        (429, {"error": "rate limit"}, errors.RateLimitError),
        (400, {"error": {"code": "ModelNotReady", "message": "not ready yet"}}, errors.OverloadedError),
        (503, {"error": "busy"}, errors.OverloadedError),
    ],
)
def test_errors(status: int, document: Any, kind: type[errors.ProviderError]) -> None:
    """A bare text from Model APIs, the server's own object from a dedicated deployment."""
    assert kind is type(refused(status, document))


def test_models_by_exact_name() -> None:
    """A name that only begins alike is another model; a dedicated deployment may be anything."""
    assert 1_048_576 == known("zai-org/GLM-5.3").context_window
    assert known("zai-org/GLM-5.3-Turbo").context_window is None
    assert known("zai-org/GLM-5.3", DEDICATED).context_window is None


def test_text_models_refuse_images() -> None:
    """Before sending, on Model APIs; a dedicated deployment is asked."""
    asked = Request([byollm.user("look", byollm.Image("https://example.com/a.png"))])
    blind = {"model": "openai/gpt-oss-120b", "api_key": "k-123456789"}

    with pytest.raises(errors.UnsupportedFeatureError):
        testing.translate("baseten", asked, **blind)
    assert "image_url" in json.dumps(testing.translate("baseten", asked, endpoint=DEDICATED, **blind).body)


def test_retired_names_are_dated() -> None:
    """And what replaces them is served."""
    notes = provider.manifest.models

    assert "2026-10-16" == notes["moonshotai/Kimi-K2.6"].retired
    assert {note.replacement for note in notes.values() if note.replacement} <= MODELS.keys()
    assert notes.keys().isdisjoint(MODELS)
