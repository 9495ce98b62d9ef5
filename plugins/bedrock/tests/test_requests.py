"""What Converse and InvokeModel are sent, and what is refused before anything is."""

from typing import Any

import pytest
from bedrock_driving import CLAUDE, JURASSIC, NOVA, NOVA_2, TITAN, body, exchange, fitted, result, say

from byollm.errors import UnsupportedFeatureError
from byollm.plugin import Audio, Document, Image, Opaque, Reasoning, Request, Text, Tool, ToolCall
from byollm_bedrock.state import Home

PNG = Image(b"\x89PNG\r\n\x1a\n")
PDF = Document(b"%PDF-1.4", name="Report (final) v2.pdf")
SCHEMA = {"type": "object", "properties": {"a": {"type": "string", "minLength": 2}}, "required": ["a"]}
TOOL = Tool("f", "Does f.", SCHEMA)
CALLED = [say("user", "a"), say("assistant", (ToolCall("1", "f", '{"a": "x"}'), ToolCall("2", "f", "{}")))]
LLAMA, WRITER, GROK = "us.meta.llama4-maverick-17b-instruct-v1:0", "writer.palmyra-x5-v1:0", "us.xai.grok-4.7"
MISTRAL, QWEN, OSS = "mistral.mistral-large-2407-v1:0", "qwen.qwen3-32b-v1:0", "openai.gpt-oss-120b-1:0"


NEAREST = {(OSS, "minimal"), (QWEN, "low"), (GROK, "max"), (NOVA, "high")}
"""Efforts that the model has no such word for."""


def messages(request: Any, model: str = CLAUDE) -> Any:
    """The turns that are sent."""
    return body(request, model)["messages"]


def test_a_plain_question():
    """Nothing optional, the model in the path, encoded once."""
    sent = exchange("hi").request

    assert b'{"messages":[{"role":"user","content":[{"text":"hi"}]}]}' == sent.body
    assert sent.url.endswith("/model/us.anthropic.claude-haiku-4-5-20251001-v1%3A0/converse")
    assert exchange(Request("hi", stream=True)).request.url.endswith("/converse-stream")


def test_an_arn_is_one_segment():
    """Its slash and its colons are encoded."""
    arn = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-pro-v1:0"

    assert (
        "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Ainference-profile%2Fus.amazon.nova-pro-v1%3A0/converse"
        in exchange("hi", arn).request.url
    )


def test_all_parameters_have_their_place():
    """Sampling, stops, hints, and what only Claude has a word for."""
    made = body(
        Request(
            "hi", system="s", temperature=0.5, max_tokens=9, stop=["END"], top_k=3, service_tier="flex",
            metadata={"team": "blue"},
        )
    )  # fmt: skip

    assert [{"text": "s"}] == made["system"]
    assert {"maxTokens": 9, "temperature": 0.5, "stopSequences": ["END"]} == made["inferenceConfig"]
    assert {"top_k": 3} == made["additionalModelRequestFields"]
    assert {"type": "flex"} == made["serviceTier"]
    assert {"team": "blue"} == made["requestMetadata"]
    assert ["/stop_sequence", "/delta/stop_sequence"] == made["additionalModelResponseFieldPaths"]


@pytest.mark.parametrize(
    "model, effort, fields",
    [
        (CLAUDE, "low", {"thinking": {"type": "enabled", "budget_tokens": 2048}}),
        ("us.anthropic.claude-opus-4-8", "max", {"thinking": {"type": "adaptive"}, "output_config": {"effort": "max"}}),
        ("us.anthropic.claude-sonnet-5", "none", {"thinking": {"type": "disabled"}}),
        (NOVA_2, "medium", {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "medium"}}),
        (NOVA_2, "none", {"reasoningConfig": {"type": "disabled"}}),
        (OSS, "minimal", {"reasoning_effort": "low"}),
        (QWEN, "low", {"reasoning_config": "high"}),
        ("deepseek.v3.2", "none", {"reasoning_effort": "none"}),
        (GROK, "max", {"reasoning": {"effort": "xhigh"}}),
        ("us.zai.glm-5.3", "max", {"reasoning_effort": "max"}),
        (NOVA, "high", None),
    ],
)
def test_every_family_is_told_its_effort_in_its_own_words(model: str, effort: str, fields: Any):
    """The nearest word the model takes; one that takes none is told nothing, and the caller hears of it."""
    made, adjusted = fitted(Request("hi", reasoning_effort=effort), model)

    assert fields == made.get("additionalModelRequestFields")
    assert ("reasoning_effort" in adjusted) == ((model, effort) in NEAREST)


def test_novas_own_top_k():
    """It stands in a configuration of its own; other families have no place for it."""
    assert {"inferenceConfig": {"topK": 3}} == body(Request("hi", top_k=3), NOVA)["additionalModelRequestFields"]
    assert {"top_k"} == fitted(Request("hi", top_k=3), LLAMA)[1]


def test_ranges_and_words_are_fitted():
    """Temperature up to 1; a model that takes no sampling gets none."""
    made, adjusted = fitted(Request("hi", temperature=1.7, seed=3, max_tokens=10**9), NOVA)

    assert {"temperature": 1.0, "maxTokens": 10_000} == made["inferenceConfig"]
    assert {"temperature", "seed", "max_tokens"} == adjusted
    assert "inferenceConfig" not in fitted(Request("hi", temperature=0.3), "us.anthropic.claude-opus-5")[0]


def test_tools_and_the_choice_among_them():
    """Auto, any, one by name; names that are not legal get legal ones."""
    tool = Tool("a/b", "Does it.", {"properties": None})
    choices = {
        choice: body(Request("hi", tools=[TOOL], tool_choice=choice), NOVA) for choice in ("auto", "required", "f")
    }
    (spec,) = body(Request("hi", tools=[tool]))["toolConfig"]["tools"]

    assert {"auto": {}} == choices["auto"]["toolConfig"]["toolChoice"]
    assert {"any": {}} == choices["required"]["toolConfig"]["toolChoice"]
    assert {"tool": {"name": "f"}} == choices["f"]["toolConfig"]["toolChoice"]
    assert spec["toolSpec"]["name"].startswith("a_b_")
    assert {"json": {"type": "object"}} == spec["toolSpec"]["inputSchema"]


def test_no_tool_may_be_called():
    """There is no word for it: Claude has one of its own, from others the tools are kept away."""
    asked = Request("hi", tools=[TOOL], tool_choice="none")
    answered = Request([*CALLED, say("tool", (result("1"), result("2", "x")))], tools=[TOOL], tool_choice="none")

    assert {"tool_choice": {"type": "none"}} == body(asked)["additionalModelRequestFields"]
    assert "toolChoice" not in body(asked)["toolConfig"]
    assert "toolConfig" not in body(asked, NOVA)
    assert "toolConfig" in body(answered, NOVA)
    assert "tool_choice" in fitted(answered, NOVA)[1]


@pytest.mark.parametrize("choice, word", [(None, "auto"), ("required", "any"), ("f", "tool")])
def test_one_call_at_a_time_is_claudes_own_switch(choice: Any, word: str):
    """The whole choice moves into Claude's fields then: said twice it is refused."""
    made = body(Request("hi", tools=[TOOL], tool_choice=choice, parallel_tool_calls=False))
    said = made["additionalModelRequestFields"]["tool_choice"]

    assert (word, True) == (said["type"], said["disable_parallel_tool_use"])
    assert "toolChoice" not in made["toolConfig"]
    with pytest.raises(UnsupportedFeatureError):
        fitted(Request("hi", tools=[TOOL], parallel_tool_calls=False), NOVA)


def test_a_history_of_calls_without_tools_gets_them_back():
    """AWS wants a toolConfig there; nothing of the history is lost."""
    made, adjusted = fitted(Request([*CALLED, say("tool", (result("2", "y"), result("1", "x", is_error=True)))]))

    assert ["f"] == [tool["toolSpec"]["name"] for tool in made["toolConfig"]["tools"]]
    assert {"tools"} <= adjusted
    results = [block["toolResult"] for block in made["messages"][-1]["content"]]
    assert [("2", None), ("1", "error")] == [(item["toolUseId"], item.get("status")) for item in results]


def test_results_stand_first_in_one_turn():
    """What the user says beside them comes behind."""
    said = [*CALLED, say("tool", result("1", "x")), say("tool", result("2", "y")), say("user", "and?")]

    content = messages(Request(said, tools=[TOOL]))[-1]["content"]
    assert ["toolResult", "toolResult", "text"] == [next(iter(block)) for block in content]


@pytest.mark.parametrize("model", [LLAMA, MISTRAL, WRITER])
def test_some_models_take_results_alone(model: str):
    """The rest gets a turn of its own, with an assistant's between: AWS would join the two again."""
    said = [*CALLED, say("tool", (result("1", "x"), result("2", "y"))), say("user", "and?")]
    made, adjusted = fitted(Request(said, tools=[TOOL]), model)

    assert ["user", "assistant", "user"] == [turn["role"] for turn in made["messages"]][-3:]
    assert [{"text": "."}] == made["messages"][-2]["content"]
    assert "messages" in adjusted


def test_mistral_wants_ids_of_nine_letters():
    """Legal ones stay, others are mapped, call and result alike; Writer's results have no status."""
    said = [
        say("user", "a"),
        say("assistant", (ToolCall("abcDEF123", "f", "{}"), ToolCall("tooluse_bpe71yCfRloh", "f", "{}"))),
        say("tool", (result("abcDEF123", "x"), result("tooluse_bpe71yCfRloh", "y", is_error=True))),
    ]
    turns = messages(Request(said, tools=[TOOL]), MISTRAL)
    ids = [block["toolUse"]["toolUseId"] for block in turns[1]["content"]]

    assert "abcDEF123" == ids[0]
    assert (9, True) == (len(ids[1]), ids[1].isalnum())
    assert ids == [block["toolResult"]["toolUseId"] for block in turns[2]["content"]]
    assert "status" not in messages(Request(said, tools=[TOOL]), WRITER)[2]["content"][1]["toolResult"]


def test_roles_alternate_and_begin_with_the_user():
    """Neighbours are joined; a later system message is marked; who has not spoken says a dot."""
    said = [say("user", "a"), say("user", "b"), say("system", "c"), say("assistant", "d"), say("user", "e")]
    leading = [say("assistant", "a"), say("user", "b")]

    assert [["a", "b", "<system>\nc\n</system>"], ["d"], ["e"]] == [
        [block["text"] for block in turn["content"]] for turn in messages(said)
    ]
    assert ["user", "assistant", "user"] == [turn["role"] for turn in messages(leading, NOVA)]
    assert ["assistant", "user"] == [turn["role"] for turn in messages(leading, CLAUDE)]


def test_blank_texts_never_leave():
    """They are left out; a turn of nothing else is a dot, and the caller is told."""
    made, adjusted = fitted(Request([say("user", "a"), say("assistant", "b"), say("user", " \n")]))

    assert [{"text": "."}] == made["messages"][-1]["content"]
    assert {"messages"} == adjusted
    with pytest.raises(UnsupportedFeatureError, match="empty"):
        body([say("user", " ")])


def test_media_and_documents():
    """Bytes in base64 with AWS's word for the kind; a document has a legal name and a text beside it."""
    content = messages([say("user", (PNG, PDF, PDF, Document(b"a,b", "text/csv")))], NOVA)[0]["content"]

    assert {"format": "png", "source": {"bytes": "iVBORw0KGgo="}} == content[0]["image"]
    assert ["Report (final) v2 pdf", "Report (final) v2 pdf 2", "document"] == [
        block["document"]["name"] for block in content[1:4]
    ]
    assert ["pdf", "pdf", "csv"] == [block["document"]["format"] for block in content[1:4]]
    assert {"text": "."} == content[4]


def test_addresses():
    """Nova reads S3; nobody reads the web: such a request is refused before anything is sent."""
    source = messages([say("user", ("a", Image("s3://bucket/a.png")))], NOVA)[0]["content"][1]["image"]

    assert {"format": "png", "source": {"s3Location": {"uri": "s3://bucket/a.png"}}} == source
    for model in (NOVA, CLAUDE):
        with pytest.raises(UnsupportedFeatureError):
            fitted(Request([say("user", (Image("https://example.com/a.png"),))]), model)


@pytest.mark.parametrize(
    "part, model",
    [
        (Audio(b"ID3"), CLAUDE),
        (PNG, OSS),
        (PDF, OSS),
        (Image(b"x", "image/tiff"), CLAUDE),
        (Document(b"x", "a/b"), CLAUDE),
    ],
)
def test_media_that_a_model_does_not_take_is_refused(part: Any, model: str):
    """Before a byte leaves."""
    with pytest.raises(UnsupportedFeatureError):
        body([say("user", ("a", part))], model)


def test_media_in_results():
    """Inside where the family takes it, beside where not."""
    said = Request([CALLED[0], say("assistant", ToolCall("1", "f", "{}")), say("tool", result("1", (Text("x"), PNG)))])

    assert ["text", "image"] == [next(iter(b)) for b in messages(said)[-1]["content"][0]["toolResult"]["content"]]
    assert ["toolResult", "image"] == [
        next(iter(block)) for block in messages(said, "qwen.qwen3-vl-235b-a22b")[-1]["content"]
    ]


def test_reasoning_goes_back_with_its_signature_or_not_at_all():
    """Byte for byte, redacted thoughts too; another provider's stays there."""
    mine, other = Home(), Opaque("anthropic", "messages", {"signature": "s"})
    thoughts = (
        Reasoning("so", mine.state({"signature": "c2ln"})), Reasoning("", mine.state({"redactedContent": "cmVk"})),
        Reasoning("bare"), Reasoning("foreign", other), Text("b"),
    )  # fmt: skip
    made, adjusted = fitted(
        Request([say("user", "a"), say("assistant", thoughts), say("user", "c")], reasoning_effort="low")
    )

    assert [
        {"reasoningContent": {"reasoningText": {"text": "so", "signature": "c2ln"}}},
        {"reasoningContent": {"redactedContent": "cmVk"}},
        {"text": "b"},
    ] == made["messages"][1]["content"]
    assert "messages" in adjusted


def test_cache_hints_become_cache_points():
    """Behind what they mark; four at most, no hour after five minutes; none where the model has no cache."""
    said = [
        say("user", (Text("a", cache="5m"), Text("b", cache="1h"), Text("c"))),
        say("assistant", "d"),
        say("user", "e"),
    ]
    made, adjusted = fitted(Request(said, system=(Text("s", cache="1h"),), tools=[Tool("f", None, SCHEMA, cache="1h")]))

    assert [{"cachePoint": {"type": "default", "ttl": "1h"}}] == made["system"][1:]
    kept = [block["cachePoint"].get("ttl") for block in made["messages"][0]["content"] if "cachePoint" in block]
    assert (["5m", "5m"], True) == (kept, "cache" in adjusted)
    assert "cachePoint" not in str(fitted(Request(said), LLAMA)[0])
    many = [say("user", [Text(letter, cache="default") for letter in "abcdef"])]
    assert ["c", "d", "e", "f"] == [
        before["text"]
        for before, after in zip(messages(many)[0]["content"], messages(many)[0]["content"][1:], strict=False)
        if "cachePoint" in after
    ]


def test_a_schema_goes_out_as_text():
    """What the server would not enforce moves into descriptions; models without it are refused."""
    made, adjusted = fitted(Request("hi", output_schema=SCHEMA))
    wire = made["outputConfig"]["textFormat"]["structure"]["jsonSchema"]["schema"]

    assert '"additionalProperties":false' in wire
    assert "minLength" in wire
    assert {"output_schema"} == adjusted
    for model in (LLAMA, "anthropic.claude-opus-4-1-20250805-v1:0"):
        with pytest.raises(UnsupportedFeatureError):
            fitted(Request("hi", output_schema=SCHEMA), model)


def test_options_of_the_target():
    """Guardrail, latency, betas, and the model behind an ARN."""
    options = {
        "guardrail": {"identifier": "gr1", "version": "2", "trace": "enabled"},
        "latency": "optimized",
        "betas": ["b", "a"],
    }
    made = body("hi", options=options)
    arn = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/x"
    hidden = body(Request("hi", top_k=3), arn, options={"base_model": "anthropic.claude-haiku-4-5-20251001-v1:0"})

    assert {"guardrailIdentifier": "gr1", "guardrailVersion": "2", "trace": "enabled"} == made["guardrailConfig"]
    assert {"latency": "optimized"} == made["performanceConfig"]
    assert {"anthropic_beta": ["a", "b"]} == made["additionalModelRequestFields"]
    assert {"top_k": 3} == hidden["additionalModelRequestFields"]
    headers = dict(exchange("hi", api="invoke", options=options).request.headers)
    assert ("gr1", "2") == (headers["x-amzn-bedrock-guardrailidentifier"], headers["x-amzn-bedrock-guardrailversion"])


def test_extra_has_the_last_word():
    """Objects are joined, everything else replaced."""
    extra = {"bedrock": {"additionalModelRequestFields": {"x": 1}, "promptVariables": {"a": {"text": "b"}}}}
    made = body(Request("hi", top_k=3, extra=extra))

    assert {"top_k": 3, "x": 1} == made["additionalModelRequestFields"]
    assert {"a": {"text": "b"}} == made["promptVariables"]


def test_metadata_that_aws_would_refuse_is_left_out():
    """Letters, length and number."""
    made, adjusted = fitted(Request("hi", metadata={"a": "b", "ü": "c", "d": "x" * 300}))

    assert ({"a": "b"}, {"metadata"}) == (made["requestMetadata"], adjusted)


def test_claude_over_invoke_model():
    """Its own dialect, with the version in the body and the model in the path."""
    made = body(Request("hi", max_tokens=5, stream=True), api="invoke")
    url = exchange(Request("hi", stream=True), api="invoke").request.url

    assert {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 5,
        "messages": [{"role": "user", "content": "hi"}],
    } == made
    assert url.endswith("/invoke-with-response-stream")


def test_titan_over_invoke_model():
    """The published schema; a conversation is written down as Titan's own form has it."""
    made = body(Request("hi", max_tokens=5, temperature=0.5, top_p=0.9), TITAN, api="invoke")
    talk = body([say("system", "s"), say("user", "a"), say("assistant", "b"), say("user", "c")], TITAN, api="invoke")

    assert {"inputText": "hi", "textGenerationConfig": {"maxTokenCount": 5, "temperature": 0.5, "topP": 0.9}} == made
    assert {"inputText": "s\n\nUser: a\nBot: b\nUser: c\nBot:"} == talk


def test_jurassic_over_invoke_model():
    """Its default of 16 tokens is not left to chance; it does not stream."""
    made = body(Request("hi", stop=["##"], frequency_penalty=0.5), JURASSIC, api="invoke")

    assert {"prompt": "hi", "maxTokens": 2048, "stopSequences": ["##"], "frequencyPenalty": {"scale": 0.5}} == made
    with pytest.raises(UnsupportedFeatureError):
        exchange(Request("hi", stream=True), JURASSIC, api="invoke")


@pytest.mark.parametrize("model", [TITAN, JURASSIC])
@pytest.mark.parametrize(
    "asked", [Request([say("user", (PNG,))]), Request("hi", tools=[TOOL]), Request("hi", output_schema=SCHEMA)]
)
def test_texts_are_all_they_read(model: str, asked: Request):
    """Pictures, tools and schemas are refused before anything is sent."""
    with pytest.raises(UnsupportedFeatureError):
        fitted(asked, model, api="invoke")


def test_titan_is_never_sent_a_stop_string():
    """It takes two forms of them only: byollm cuts the answer itself."""
    made, adjusted = fitted(Request("hi", stop=["END"]), TITAN, api="invoke")

    assert ({"inputText": "hi"}, {"stop"}) == (made, adjusted)


@pytest.mark.parametrize(
    "model, said",
    [
        ("anthropic.claude-v2:1", {"prompt": "\n\nHuman: hi\n\nAssistant:", "max_tokens_to_sample": 2048}),
        ("meta.llama2-13b-chat-v1", {"prompt": "<s>[INST] hi [/INST]", "max_gen_len": 2048}),
        ("cohere.command-text-v14", {"prompt": "hi"}),
        ("cohere.command-r-v1:0", {"message": "hi"}),
        ("mistral.mistral-7b-instruct-v0:2", {"prompt": "<s>[INST] hi [/INST]"}),
    ],
)
def test_older_families_over_invoke_model(model: str, said: Any):
    """Each in its own words."""
    assert said == body("hi", model, api="invoke")


def test_command_r_is_told_the_turns_before():
    """As a history, with the system's text as its preamble."""
    talk = [say("system", "s"), say("user", "a"), say("assistant", "b"), say("user", "c")]

    assert {
        "message": "c", "preamble": "s",
        "chat_history": [{"role": "USER", "message": "a"}, {"role": "CHATBOT", "message": "b"}],
    } == body(talk, "cohere.command-r-v1:0", api="invoke")  # fmt: skip


def test_nova_over_invoke_model():
    """Converse's body with the name of its schema."""
    made = body(Request("hi", max_tokens=5), NOVA, api="invoke")

    assert "messages-v1" == made.pop("schemaVersion")
    assert body(Request("hi", max_tokens=5), NOVA) == made


@pytest.mark.parametrize(
    "api, path",
    [("chat", "/openai/v1/chat/completions"), ("responses", "/v1/responses"), ("messages", "/anthropic/v1/messages")],
)
def test_the_dialects_of_others(api: str, path: str):
    """Their owners' bodies, AWS's addresses."""
    sent = exchange("hi", OSS, api=api, region="us-west-2").request

    assert sent.url.endswith(path)
    assert OSS == body("hi", OSS, api=api, region="us-west-2")["model"]
