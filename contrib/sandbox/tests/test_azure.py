"""Azure's addresses, keys, reports and refusals, as the official SDK and byollm's own plugin meet them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import openai
import pytest

import byollm
from byollm.errors import AuthenticationError, ContentFilterError, ModelNotFoundError
from byollm_sandbox import Answer, Twins, serve

KEY = "azure-key-0123456789abcdef0123456789"


@pytest.fixture
def twin() -> Iterator[Twins]:
    """A resource of Azure's that takes one key."""
    with serve(key=KEY) as server:
        yield server


def sdk(twin: Twins, **changes: Any) -> openai.AzureOpenAI:
    """The official SDK on the classic surface."""
    root = twin.url("azure-chat").removesuffix("/openai")
    return openai.AzureOpenAI(**{"azure_endpoint": root, "api_key": KEY, "api_version": "2024-10-21", **changes})


TALK: Any = [{"role": "user", "content": "hi"}]
SURFACES: dict[str, dict[str, Any]] = {
    "v1 responses": {},
    "v1 chat": {"api": "chat"},
    "classic": {"api": "chat", "api_version": "2024-10-21"},
}


def client(twin: Twins, surface: str, **changes: Any) -> byollm.Client:
    """The plugin on one of Azure's surfaces."""
    target = {"provider": "azure", "model": "prod-4o", "endpoint": twin.url("azure-chat"), "api_key": KEY}
    return byollm.Client({**target, "base_model": "gpt-4o", **SURFACES[surface], **changes})


def test_the_sdk_reads_a_whole_answer(twin: Twins) -> None:
    """On the classic surface, with the filter's reports."""
    twin.script("hello")

    reply = sdk(twin).chat.completions.create(model="prod-4o", messages=TALK)

    assert "hello" == reply.choices[0].message.content
    extra = reply.model_extra or {}
    assert [0] == [report["prompt_index"] for report in extra["prompt_filter_results"]]
    (request,) = twin.requests
    assert "/azure/openai/deployments/prod-4o/chat/completions" == request.path
    assert "azure-chat" == request.dialect


def test_a_stream_begins_without_choices(twin: Twins) -> None:
    """The SDK sees the report on the prompt first, in a chunk without choices, id and model."""
    twin.script("hello there")

    first, *rest = list(sdk(twin).chat.completions.create(model="prod-4o", messages=TALK, stream=True))

    assert ([], "", "") == (first.choices, first.id, first.model)
    assert "hello there" == "".join(chunk.choices[0].delta.content or "" for chunk in rest if chunk.choices)


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (AuthenticationError(""), openai.AuthenticationError, "401"),
        (ModelNotFoundError(""), openai.NotFoundError, "DeploymentNotFound"),
        (ContentFilterError(""), openai.BadRequestError, "content_filter"),
    ],
)
def test_refusals_have_azures_codes(twin: Twins, error: Any, kind: Any, code: str) -> None:
    """As the SDK reads them."""
    twin.script(error)

    with pytest.raises(kind) as raised:
        sdk(twin, max_retries=0).chat.completions.create(model="prod-4o", messages=TALK)

    assert code == raised.value.code


def test_a_classic_address_needs_its_version(twin: Twins) -> None:
    """Azure does not know it without one."""
    import httpx

    url = f"{twin.url('azure-chat')}/deployments/prod-4o/chat/completions"
    asked = httpx.post(url, json={"model": "m", "messages": TALK}, headers={"api-key": KEY})

    assert (404, "Resource not found") == (asked.status_code, asked.json()["error"]["message"])


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("streamed", [False, True])
def test_byollm_reads_the_same_on_every_surface(twin: Twins, surface: str, streamed: bool) -> None:
    """Whole and streamed; the path and the key's header are Azure's."""
    twin.script(Answer(parts="hello", usage=byollm.Usage(9, 3)))
    with client(twin, surface) as asked:
        if streamed:
            with asked.stream("hi") as stream:
                reply = stream.completion if list(stream) else None
        else:
            reply = asked.complete("hi")

    assert reply is not None
    assert ("hello", "stop", 3) == (reply.text, reply.finish_reason, reply.usage.output_tokens)
    (request,) = twin.requests
    assert KEY == request.headers["api-key"]
    assert ("/deployments/prod-4o/" in request.path) == (surface == "classic")
    assert request.dialect == ("azure-responses" if surface == "v1 responses" else "azure-chat")


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("error", [AuthenticationError(""), ModelNotFoundError(""), ContentFilterError("")])
def test_byollm_knows_azures_refusals(twin: Twins, surface: str, error: Any) -> None:
    """Each by its own class, whatever the surface."""
    twin.script(error, error)

    with client(twin, surface, retries={"attempts": 1}) as asked, pytest.raises(type(error)):
        asked.complete("hi")


@pytest.mark.parametrize("surface", SURFACES)
def test_a_wrong_key_is_refused(twin: Twins, surface: str) -> None:
    """401, and the key in no word of it."""
    wrong = "azure-wrong-0123456789abcdef012345"
    with client(twin, surface, api_key=wrong) as asked, pytest.raises(AuthenticationError) as raised:
        asked.complete("hi")

    assert (401, False) == (raised.value.status, wrong in str(raised.value))


def test_the_filter_cuts_an_answer(twin: Twins) -> None:
    """It ends with `content_filter`, and its report says why."""
    twin.script(Answer(parts="hal", finish_reason="content_filter"))

    with client(twin, "v1 chat") as asked:
        reply = asked.complete("hi")

    assert ("hal", "content_filter") == (reply.text, reply.finish_reason)
    assert (reply.usage.details or {})["content_filter_results"]["hate"]["filtered"]
