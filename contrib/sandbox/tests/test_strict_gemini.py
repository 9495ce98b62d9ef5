"""What Google refuses, the twin refuses, in Google's words; and what it takes, the twin takes."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from byollm_sandbox import Twins, dialect_named, serve

NEW, OLD = "gemini-3.8-flash", "gemini-2.5-flash"
USER = {"role": "user", "parts": [{"text": "hi"}]}
CALL = {"functionCall": {"name": "f", "args": {}}}
SIGNED = {**CALL, "thoughtSignature": "c2lnbmVk"}
ANSWER = {"functionResponse": {"name": "f", "response": {"output": "1"}}}
FUNCTION = {"functionDeclarations": [{"name": "f"}]}


def body(**more: Any) -> dict[str, Any]:
    return {"contents": [USER], **more}


def turns(*parts: list[Any]) -> dict[str, Any]:
    roles = ("model", "user")
    return {"contents": [USER, *({"role": roles[at % 2], "parts": item} for at, item in enumerate(parts))]}


def verdict(asked: Any, model: str = NEW) -> Any:
    return dialect_named("gemini").validate({"model": model, **asked} if isinstance(asked, dict) else asked, {})


@pytest.mark.parametrize(
    ("model", "asked", "words"),
    [
        (NEW, [], "an object was expected"),
        (NEW, {}, "contents is not specified"),
        (NEW, {"contents": []}, "contents is not specified"),
        (NEW, body(unknown=1), 'Unknown name "unknown"'),
        (NEW, {"contents": [{"role": "assistant", "parts": [{"text": "a"}]}]}, "valid role: user, model"),
        (NEW, {"contents": [{"role": "function", "parts": [ANSWER]}]}, "valid role"),
        (NEW, {"contents": [{"role": "user", "parts": []}]}, "must not be empty"),
        (NEW, {"contents": [{"role": "user", "parts": [{}]}]}, "one initialized field"),
        (NEW, {"contents": [{"role": "user", "parts": [{"text": "a", "inlineData": {}}]}]}, "oneof field"),
        (NEW, {"contents": [{"role": "user", "parts": [{"inlineData": {"mimeType": "image/png", "data": "?"}}]}]},
         "Base64"),
        (NEW, {"contents": [{"role": "user", "parts": [{"text": 1}]}]}, "TYPE_STRING"),
        (NEW, turns([CALL], [ANSWER]), "missing a thought_signature"),
        (NEW, turns([SIGNED, CALL], [ANSWER]) | turns([SIGNED, CALL], [ANSWER], [{"text": "b"}]), "number of function"),
        (NEW, turns([SIGNED], [ANSWER, ANSWER]), "number of function response parts"),
        (NEW, turns([SIGNED], [{"functionResponse": {"name": "f", "response": "text"}}]), "Struct"),
        (NEW, turns([SIGNED], [{"functionResponse": {"name": "f", "response": {"a": {"$ref": "b"}}}}]), "$ref"),
        (NEW, body(generationConfig={"temperature": 2.5}), "supported range"),
        (NEW, body(generationConfig={"presencePenalty": 0.5}), "Penalty is not enabled"),
        (OLD, body(generationConfig={"frequencyPenalty": 0.5}), "Penalty is not enabled"),
        (NEW, body(generationConfig={"maxOutputTokens": 65_537}), "maxOutputTokens"),
        (NEW, body(generationConfig={"stopSequences": list("abcdef")}), "at most 5"),
        (NEW, body(generationConfig={"responseJsonSchema": {"type": "object"}}), "response_mime_type"),
        (NEW, body(generationConfig={"responseMimeType": "application/json", "responseSchema": {"type": "OBJECT"},
                                     "responseJsonSchema": {"type": "object"}}), "mutually exclusive"),
        (NEW, body(generationConfig={"responseMimeType": "application/json", "responseJsonSchema": {"allOf": []}}),
         "allOf"),
        (NEW, body(generationConfig={"responseMimeType": "application/json",
                                     "responseJsonSchema": {"$ref": "#/$defs/a", "title": "t"}}), "$ref"),
        ("gemini-2.5-flash-image", body(generationConfig={"responseMimeType": "application/json"}), "JSON mode"),
        (OLD, body(tools=[FUNCTION], generationConfig={"responseMimeType": "application/json"}), "is unsupported"),
        (OLD, body(tools=[FUNCTION, {"googleSearch": {}}]), "is unsupported"),
        (NEW, body(generationConfig={"thinkingConfig": {"thinkingBudget": 1, "thinkingLevel": "LOW"}}), "only set one"),
        (NEW, body(generationConfig={"thinkingConfig": {"thinkingLevel": "MINIMAL"}}), "not supported"),
        ("gemini-2.5-pro", body(generationConfig={"thinkingConfig": {"thinkingBudget": 0}}), "Budget 0 is invalid"),
        (OLD, body(generationConfig={"thinkingConfig": {"thinkingBudget": 30_000}}), "is invalid"),
        (NEW, body(tools=[{"functionDeclarations": [{"name": "a/b"}]}]), "Invalid function name"),
        (NEW, body(tools=[FUNCTION, FUNCTION]), "Duplicate function declaration"),
        (NEW, body(toolConfig={"functionCallingConfig": {"mode": "ANY"}}), "without function_declarations"),
        (NEW, body(tools=[FUNCTION], toolConfig={"functionCallingConfig": {"mode": "AUTO",
                                                                          "allowedFunctionNames": ["f"]}}), "ANY or"),
        (NEW, body(tools=[FUNCTION], toolConfig={"functionCallingConfig": {"mode": "ANY",
                                                                          "allowedFunctionNames": ["g"]}}), "subset"),
        (NEW, body(cachedContent="cachedContents/1", tools=[FUNCTION]), "CachedContent"),
        ("gemma-3-27b-it", body(systemInstruction={"parts": [{"text": "s"}]}), "Developer instruction"),
    ],
)  # fmt: skip
def test_a_refused_request(model: str, asked: Any, words: str) -> None:
    """400 INVALID_ARGUMENT, and the sentence tells why."""
    refused = verdict(asked, model)

    assert refused is not None
    assert (400, "INVALID_ARGUMENT") == (refused.status, refused.type)
    assert words in refused.message


@pytest.mark.parametrize(
    ("model", "asked"),
    [
        (NEW, body()),
        (NEW, turns([SIGNED, CALL], [ANSWER, ANSWER])),
        (NEW, turns([SIGNED], [ANSWER, {"text": "and"}])),
        (OLD, turns([CALL, CALL], [ANSWER, ANSWER])),
        (NEW, {"contents": [{"parts": [{"text": "a"}]}], "generation_config": {"max_output_tokens": 5}}),
        (NEW, {"contents": [USER, {"role": "model", "parts": [{"text": "", "thoughtSignature": "c2ln"}]}, USER]}),
        (OLD, body(generationConfig={"thinkingConfig": {"thinkingBudget": -1}})),
        ("tunedModels/mine", body(generationConfig={"thinkingConfig": {"thinkingLevel": "MINIMAL"}})),
    ],
)
def test_a_taken_request(model: str, asked: Any) -> None:
    """Nothing is refused that Google takes, in either spelling of a field."""
    assert verdict(asked, model) is None


@pytest.mark.parametrize("model", ["gemini-3.6-flahs", "gemini-pro", "gemini-1.5-flash", "no-such-model"])
def test_a_model_that_does_not_exist(model: str) -> None:
    """404 NOT_FOUND, naming it."""
    refused = verdict(body(), model)

    assert (404, "NOT_FOUND") == (refused.status, refused.type)
    assert model in refused.message


@pytest.fixture(scope="module")
def running() -> Any:
    with serve() as twin:
        yield twin


@pytest.mark.parametrize(
    "path", ["/gemini/v1beta/models", "/gemini/models", "/gemini/v1/projects/p/locations/l/publishers/google/models"]
)
def test_the_model_stands_in_the_path(running: Twins, path: str) -> None:
    """AI Studio's paths and Vertex's: the answer echoes the model, streamed or whole."""
    url = f"http://127.0.0.1:{running.port}{path}/{OLD}"
    running.script("one", "two")

    whole = httpx.post(f"{url}:generateContent", json=body(), trust_env=False)
    streamed = httpx.post(f"{url}:streamGenerateContent?alt=sse", json=body(), trust_env=False)

    assert (OLD, "text/event-stream; charset=utf-8") == (whole.json()["modelVersion"], streamed.headers["content-type"])
    assert '"finishReason":"STOP"' in streamed.text.splitlines()[-2]


NAMES = st.sampled_from([
    "contents", "parts", "text", "role", "functionCall", "name", "tools", "functionDeclarations", "generationConfig",
    "toolConfig", "thinkingConfig", "systemInstruction", "generateContentRequest",
])  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=10,
)


@given(JSON)
def test_no_request_breaks_the_twin(asked: Any) -> None:
    """Whatever JSON arrives is refused or taken, never a crash."""
    dialect = dialect_named("gemini")
    for check in (dialect.validate, dialect.validate_count):
        refused = check(asked, {})
        if refused is None and isinstance(asked, dict):
            dialect.prompt(asked)
            dialect.count(asked)
