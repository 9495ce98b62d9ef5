"""Azure OpenAI: addresses of both surfaces, names, the model behind a deployment, and what refusals become."""

from __future__ import annotations

import json
from typing import Any

import pytest

import byollm
from byollm import errors, testing
from byollm.plugin import Capabilities, Request, Target, TokenCount
from byollm.wire.exchange import Exchange, Frame, Head
from byollm_azure import provider

HOST = "https://acme.openai.azure.com"
CHAT = {"api": "chat"}
CLASSIC = {"api": "chat", "api_version": "2024-10-21"}
CITY = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}


def made(request: Any = "hi", model: str = "prod", endpoint: str = HOST, **fields: Any) -> testing.Translation:
    return testing.translate("azure", request, model=model, endpoint=endpoint, api_key="k-123456789", **fields)


def known(model: str, api: str = "responses", **options: Any) -> Capabilities:
    return provider.capabilities(Target(provider="azure", model=model, endpoint=HOST, api=api, options=options))


def refused(status: int, document: Any, headers: Any = None) -> errors.ProviderError:
    body = json.dumps(document).encode()
    with pytest.raises(errors.ProviderError) as caught:
        testing.replay("azure", status=status, headers=headers, body=body, api="chat", retries={"attempts": 1})
    return caught.value


@pytest.mark.parametrize(
    ("endpoint", "path"),
    [
        (HOST, "/openai/v1"),
        (f"{HOST}/", "/openai/v1"),
        (f"{HOST}/openai", "/openai/v1"),
        (f"{HOST}/openai/v1/", "/openai/v1"),
        (f"{HOST}/openai/v1/chat/completions", "/openai/v1"),
        (f"{HOST}/api/projects/p1", "/api/projects/p1/openai/v1"),
        (f"{HOST}/gateway/llm", "/gateway/llm"),
    ],
)
def test_v1_addresses(endpoint: str, path: str) -> None:
    """A bare host, its `/openai`, a project's path; a gateway's own path is kept. The deployment is in the body."""
    sent = made(endpoint=endpoint, **CHAT)

    assert f"{HOST}{path}/chat/completions" == sent.url
    assert "prod" == sent.body["model"]


@pytest.mark.parametrize(
    "endpoint",
    [
        HOST,
        f"{HOST}/",
        f"{HOST}/openai",
        f"{HOST}/openai/v1",
        f"{HOST}/openai/deployments/prod",
        f"{HOST}/openai/deployments/prod/chat/completions",
        f"{HOST}/openai/deployments/prod/chat/completions?api-version=2024-10-21",
    ],
)
def test_classic_addresses(endpoint: str) -> None:
    """The deployment is in the path, the version in the query, each once."""
    assert (
        f"{HOST}/openai/deployments/prod/chat/completions?api-version=2024-10-21"
        == made(endpoint=endpoint, **CLASSIC).url
    )


def test_a_pasted_deployment_address_is_classic() -> None:
    """With the version that it names."""
    pasted = f"{HOST}/openai/deployments/prod/chat/completions?api-version=2024-06-01"

    assert pasted == made(endpoint=pasted, **CHAT).url


def test_surfaces_by_word_and_by_version() -> None:
    """A date is classic, `preview` is v1, a word of the file decides over both."""
    assert f"{HOST}/openai/v1/responses" == made().url
    assert f"{HOST}/openai/v1/responses?api-version=preview" == made(api_version="preview").url
    assert f"{HOST}/openai/responses?api-version=2025-04-01-preview" == made(api_version="2025-04-01-preview").url
    assert made(surface="v1", api_version="2025-04-01-preview").url.startswith(f"{HOST}/openai/v1/responses?")


def test_classic_needs_a_version() -> None:
    """Refused before sending, with the line that mends it."""
    with pytest.raises(errors.ConfigError, match="api_version"):
        made(surface="classic", **CHAT)


def test_a_deployment_stays_in_its_segment() -> None:
    """Whatever its name."""
    assert "/openai/deployments/a%2F..%2Fb%3Fc/chat/completions?" in made(model="a/../b?c", **CLASSIC).url


def test_the_key_has_a_header_of_its_own() -> None:
    """`api-key`; a token of one's own goes as bearer."""
    assert "api-key" in made().headers
    assert "authorization" not in made().headers
    assert "authorization" in made(authentication="bearer-token").headers
    assert ("azure_openai",) == provider.manifest.aliases


def test_the_core_brings_oauth() -> None:
    """For an authority of another cloud."""
    oauth = {
        "type": "oauth",
        "token_url": "https://login.example.com/t",
        "client_id": "c-1234567",
        "client_secret": "s-1234567",
    }
    target = {"provider": "azure", "model": "prod", "endpoint": HOST, "authentication": oauth}

    assert f"{HOST}/openai/v1/responses" == byollm.Client(target).preview("hi").url


def test_a_whole_chat_request() -> None:
    """Golden: names, order, and `store` only where it means something."""
    asked = Request("hi", system="s", max_tokens=9, temperature=0, seed=7, end_user_id="u", store=False)

    assert {
        "model": "prod",
        "messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "hi"}],
        "max_completion_tokens": 9,
        "temperature": 0,
        "seed": 7,
        "user": "u",
    } == made(asked, base_model="gpt-4o", **CLASSIC).body


def test_a_whole_responses_request() -> None:
    """Golden: stateless, and reasoning comes back encrypted where the model reasons."""
    assert {
        "model": "prod",
        "input": [{"role": "user", "content": "hi"}],
        "max_output_tokens": 99,
        "reasoning": {"effort": "low"},
        "include": ["reasoning.encrypted_content"],
        "store": False,
    } == made(Request("hi", max_tokens=99, reasoning_effort="low"), base_model="gpt-5.6").body
    assert "include" not in made(base_model="gpt-4o").body


def test_the_model_behind_a_deployment() -> None:
    """By the file; a name that is a model's is believed, with a note; of others nothing is known."""
    assert 128_000 == known("prod", base_model="gpt-4o").context_window
    assert 16_385 == known("gpt-35-turbo").context_window
    assert "base_model" in known("gpt-4o").notes
    assert known("o9-team").context_window is known("prod").context_window is None
    assert "unknown" == known("prod").temperature.value


def test_habits_follow_the_model() -> None:
    """Sampling is left out for a model that always reasons, and told; Mistral wants `max_tokens`."""
    asked = Request("hi", temperature=0.2, max_tokens=9)
    reasoning = made(asked, base_model="gpt-5", **CHAT)

    assert "temperature" not in reasoning.body
    assert ["temperature"] == [note.field for note in reasoning.adjustments]
    assert 9 == made(asked, base_model="mistral-large-3", **CHAT).body["max_tokens"]
    assert 9 == made(asked, max_tokens_field="max_tokens", **CHAT).body["max_tokens"]


def test_usage_is_asked_for_where_the_version_knows_how() -> None:
    """From 2024-09-01 on, and on v1."""
    asked = Request("hi", stream=True)

    assert "stream_options" not in made(asked, api="chat", api_version="2024-02-01").body
    assert "stream_options" in made(asked, **CLASSIC).body
    assert "stream_options" in made(asked, **CHAT).body


def test_documents_need_responses() -> None:
    """Chat has no file parts there."""
    asked = Request([byollm.user("read", byollm.Document(b"%PDF-1.4"))])

    with pytest.raises(errors.UnsupportedFeatureError):
        made(asked, base_model="gpt-4o", **CHAT)
    assert "input_file" in json.dumps(made(asked, base_model="gpt-4o").body)


def test_cache_marks_on_v1_only() -> None:
    """From gpt-5.6 on; the classic surface is told to be without."""
    asked = Request([byollm.user(byollm.Text("long", cache="30m"), byollm.Text("short"))])

    assert "prompt_cache_breakpoint" in json.dumps(made(asked, base_model="gpt-5.6").body)
    old = made(asked, base_model="gpt-5.6", **CLASSIC)
    assert "prompt_cache_breakpoint" not in json.dumps(old.body)
    assert ["cache"] == [note.field for note in old.adjustments]


def test_tokens_are_counted_by_v1() -> None:
    """Exactly, over Responses; elsewhere the core estimates."""
    asked = Request("hi", system="s", max_tokens=5, stream=True)
    counted = provider.count_tokens(asked, Target(provider="azure", model="prod", endpoint=HOST, api="responses"))

    assert isinstance(counted, Exchange)
    assert f"{HOST}/openai/v1/responses/input_tokens" == counted.request.url
    assert {"model", "instructions", "input"} == json.loads(counted.request.body).keys()
    assert [TokenCount(9, "exact", source="azure")] == counted.reader(Head(200, {}))(Frame("", {"input_tokens": 9}))
    assert provider.count_tokens(asked, Target(provider="azure", model="prod", endpoint=HOST, api="chat")) is None


@pytest.mark.parametrize(
    ("status", "document", "kind"),
    [
        (404, {"error": {"code": "DeploymentNotFound", "message": "does not exist"}}, errors.ModelNotFoundError),
        (404, {"error": {"code": "404", "message": "Resource not found"}}, errors.ModelNotFoundError),
        (401, {"statusCode": 401, "message": "Unauthorized. Access token is missing"}, errors.AuthenticationError),
        (401, {"error": {"code": "401", "message": "Access denied due to invalid key"}}, errors.AuthenticationError),
        (403, {"statusCode": 403, "message": "Out of call volume quota."}, errors.QuotaExhaustedError),
        (403, {"statusCode": 403, "message": "Forbidden"}, errors.PermissionDeniedError),
        (429, {"error": {"code": "429", "message": "Please retry after 86400 seconds."}}, errors.RateLimitError),
        (429, {"error": {"code": "too_many_requests", "message": "slow"}}, errors.RateLimitError),
        (400, {"error": {"code": "OperationNotSupported", "message": "no"}}, errors.InvalidRequestError),
        (400, {"error": {"code": "BadRequest", "message": "Invalid image (base64) data."}}, errors.InvalidRequestError),
        (400, {"error": {"code": "content_filter", "message": "filtered"}}, errors.ContentFilterError),
        (
            400,
            {"error": {"code": None, "message": "no", "innererror": {"code": "ResponsibleAIPolicyViolation"}}},
            errors.ContentFilterError,
        ),
        (
            400,
            {"error": {"code": None, "message": "no", "inner_error": {"code": "ResponsibleAIPolicyViolation"}}},
            errors.ContentFilterError,
        ),
    ],
)
def test_errors(status: int, document: Any, kind: type[errors.ProviderError]) -> None:
    """Azure's own envelope, and API Management's in front of it."""
    assert kind is type(refused(status, document))


def test_a_wrong_address_is_told() -> None:
    """A 404 that names no deployment points at the endpoint."""
    assert "endpoint" in refused(404, {"error": {"code": "404", "message": "Resource not found"}}).hint


def test_the_wait_that_only_the_text_tells() -> None:
    """In seconds; a header goes before it."""
    document = {"error": {"code": "429", "message": "Exceeded rate limit. Please retry after 39 seconds."}}

    assert 39 == refused(429, document).retry_after
    assert 2 == refused(429, document, {"retry-after-ms": "2000"}).retry_after
