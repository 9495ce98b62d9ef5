"""Hosts, paths and bodies: the same wires as their owners speak, under Google Cloud's roof."""

import json
from typing import Any

import pytest
from vertex_driving import body, exchange, target

from byollm.engine.build import line_from
from byollm.plugin import ConfigError, Failure, Image, Message, Opaque, ProviderTool, Request, Support, Tool, ToolCall
from byollm_vertex import provider

CLAUDE = "claude-opus-4-6@20260101"


@pytest.mark.parametrize(
    ("region", "host"),
    [
        (None, "https://aiplatform.googleapis.com/v1/projects/p1/locations/global"),
        ("global", "https://aiplatform.googleapis.com/v1/projects/p1/locations/global"),
        ("eu", "https://aiplatform.eu.rep.googleapis.com/v1/projects/p1/locations/eu"),
        ("us", "https://aiplatform.us.rep.googleapis.com/v1/projects/p1/locations/us"),
        ("europe-west4", "https://europe-west4-aiplatform.googleapis.com/v1/projects/p1/locations/europe-west4"),
    ],
)
def test_the_region_chooses_host_and_path(region, host):
    """Global, two continents, regions; each host is one of the manifest's."""
    url = exchange("hi", region=region).request.url

    assert f"{host}/publishers/google/models/gemini-3.8-flash:generateContent" == url
    assert url.split("/")[2] in provider.manifest.hosts


def test_every_regions_host_may_be_reached():
    """A file that names a region and no endpoint: the engine lets requests go to that region's host."""
    line = line_from(provider, {"provider": "vertex", "model": "m", "project": "p1", "region": "europe-west4"})

    assert {"europe-west4-aiplatform.googleapis.com", "oauth2.googleapis.com"} <= line.place.hosts


def test_an_endpoint_is_kept():
    """A gateway's address stays what the file says, with its path."""
    url = exchange("hi", endpoint="https://gate.example.com/vertex/v1beta1", region="us-east5").request.url

    assert url.startswith("https://gate.example.com/vertex/v1beta1/projects/p1/locations/us-east5/publishers/google/")


def test_no_project_is_told():
    """Nothing is sent without one."""
    with pytest.raises(ConfigError, match="project"):
        provider.complete(Request("hi"), target(options={"project": None}))


@pytest.mark.parametrize("model", ["a;b", "../../x", "a%2Fb"])
def test_a_model_is_one_segment(model):
    """Whatever the name, the path has the segments it should have."""
    assert 9 == exchange("hi", model).request.url.partition("://")[2].count("/")


def test_gemini_says_what_google_says():
    """The same body as AI Studio's, without what only that API knows."""
    search = ProviderTool("vertex", {"googleSearch": {}})
    made = body(Request("hi", store=False, service_tier="flex", tools=[search, Tool("f")], tool_choice="auto"))

    assert made.keys() == {"contents", "tools", "toolConfig"}
    assert {"functionCallingConfig": {"mode": "AUTO"}} == made["toolConfig"]


def test_the_tier_is_a_header():
    """Not in the body here."""
    headers = dict(exchange(Request("hi", service_tier="priority")).request.headers)

    assert "priority" == headers["x-vertex-ai-llm-shared-request-type"]
    assert provider.capabilities(target()).service_tier is Support.full


def test_addresses_of_buckets_are_taken():
    """gs:// is at home here."""
    made = body([Message("user", (Image("gs://bucket/a.png"),))])

    assert {"fileData": {"mimeType": "image/png", "fileUri": "gs://bucket/a.png"}} == made["contents"][0]["parts"][0]


def test_signatures_of_ai_studio_stay_there():
    """Each host refuses the other's: the stand-in goes instead, and ours are tagged as ours."""
    call = ToolCall("1", "f", "{}", state=Opaque("google", "gemini", {"thoughtSignature": "QQ==", "id": "1"}))
    messages = [Message("user", "hi"), Message("assistant", (call,)), Message("tool", ())]
    made = body(Request(messages))["contents"][1]["parts"][0]

    assert {"functionCall": {"name": "f", "args": {}}, "thoughtSignature": "skip_thought_signature_validator"} == made


def test_claude_under_this_roof():
    """Version in the body, model and stream in the path, and no header of Anthropic's."""
    asked = exchange(Request("hi", max_tokens=5, stream=True), CLAUDE, api="anthropic", region="us-east5")
    made = json.loads(asked.request.body)

    assert asked.request.url.endswith("/publishers/anthropic/models/claude-opus-4-6%4020260101:streamRawPredict")
    assert made == {"anthropic_version": "vertex-2023-10-16", "max_tokens": 5, "stream": True,
                    "messages": [{"role": "user", "content": "hi"}]}  # fmt: skip
    assert "anthropic-version" not in dict(asked.request.headers)


def test_counting():
    """Gemini counts the parts it is asked for; Claude without its version, and not at `global`."""
    gemini: Any = provider.count_tokens(Request("hi", system="s", max_tokens=3), target())
    claude: Any = provider.count_tokens(Request("hi"), target(CLAUDE, api="anthropic", region="us-east5"))

    assert json.loads(gemini.request.body).keys() == {"contents", "systemInstruction", "generationConfig"}
    assert claude.request.url.endswith("/publishers/anthropic/models/count-tokens:rawPredict")
    assert "claude-opus-4-6" == json.loads(claude.request.body)["model"]
    assert provider.count_tokens(Request("hi"), target(CLAUDE, api="anthropic")) is None


@pytest.mark.parametrize(
    ("api", "status", "document", "kind"),
    [
        ("gemini", 403, {"error": {"code": 403, "message": "no", "status": "FORBIDDEN"}}, "PermissionDeniedError"),
        ("anthropic", 403, {"error": {"code": 403, "message": "no", "status": "FORBIDDEN"}}, "PermissionDeniedError"),
        ("anthropic", 429, [{"error": {"code": 429, "message": "q", "status": "EXHAUSTED"}}], "RateLimitError"),
        ("anthropic", 529, {"type": "error", "error": {"type": "overloaded_error", "message": "o"}}, "OverloadedError"),
    ],
)  # fmt: skip
def test_refusals_of_both_envelopes(api, status, document, kind):
    """Claude's refusals come in Anthropic's envelope, Google's in Google's."""
    asked = exchange(Request("hi", max_tokens=5), CLAUDE if api == "anthropic" else "gemini-3.8-flash", api=api)

    assert kind == type(asked.fail(Failure(status, {}, b"", document))).__name__


def test_capabilities_are_the_owners():
    """Each dialect's row, at this host."""
    assert 1_048_576 == provider.capabilities(target()).context_window
    assert provider.capabilities(target(CLAUDE, api="anthropic")).tools is Support.full


@pytest.mark.parametrize("api", ["gemini", "anthropic"])
def test_there_are_no_batches(api):
    """Google Cloud's go through its storage: the owners' are not its."""
    assert (
        line_from(provider, {"provider": "vertex", "model": "m", "project": "p1", "api": api}).deployment.batches()
        is None
    )
