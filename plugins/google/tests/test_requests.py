"""What goes over the wire: the golden bodies, and every quirk of this wire that a body can show."""

import json

import pytest
from google_driving import NEW, OLD, body, exchange, fitted, result, say

from byollm.plugin import Audio, Document, Image, Opaque, ProviderTool, Reasoning, Request, Text, Tool, ToolCall
from byollm.plugin import UnsupportedFeatureError as Unsupported
from byollm_google.parts import SENTINEL

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = Tool("weather", "Tells the weather.", SCHEMA)
SIGNED = Opaque("google", "gemini", {"thoughtSignature": "c2ln", "id": "call-1"})


def turns(request, model=NEW):
    return body(request, model)["contents"]


def history(*calls, results=None):
    answered = results or [result(call.id, "ok") for call in calls]
    return [say("user", "hi"), say("assistant", calls), say("tool", tuple(answered))]


def test_the_smallest_request():
    """One turn of one text goes to the model's own path, with the key in a header and nowhere else."""
    asked = exchange("hi")

    assert {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]} == json.loads(asked.request.body)
    assert (
        "https://generativelanguage.googleapis.com/v1beta/models/gemini-3.8-flash:generateContent" == asked.request.url
    )
    assert "x-goog-api-key" == asked.auth.header


def test_a_stream_is_asked_for_as_events():
    """Without alt=sse the server sends one JSON array."""
    asked = exchange(Request("hi", stream=True))

    assert asked.request.url.endswith(":streamGenerateContent?alt=sse")
    assert "sse" == asked.framing


@pytest.mark.parametrize(
    ("model", "path"),
    [
        ("models/gemini-3.8-flash", "/v1beta/models/gemini-3.8-flash:generateContent"),
        ("tunedModels/mine-1", "/v1beta/tunedModels/mine-1:generateContent"),
        ("a/../b;c", "/v1beta/models/a%2F..%2Fb%3Bc:generateContent"),
    ],
)
def test_a_model_is_one_segment(model, path):
    """Whatever the name, the path has the segments it should have."""
    assert exchange("hi", model).request.url.endswith(path)


def test_an_endpoint_may_name_the_version():
    """`…/v1` stays `v1`."""
    assert "/v1/models/" in exchange("hi", endpoint="https://generativelanguage.googleapis.com/v1").request.url


def test_instructions_are_joined_in_order():
    """Any number of leading system messages becomes one instruction."""
    made = body(Request([say("system", "b"), say("developer", "c"), say("user", "hi")], system="a"))

    assert {"parts": [{"text": "a"}, {"text": "b"}, {"text": "c"}]} == made["systemInstruction"]


def test_gemma_has_no_system():
    """What has no system instruction gets the text at the beginning of the first turn."""
    made = body(Request("hi", system="be kind"), "gemma-3-27b-it")

    assert "systemInstruction" not in made
    assert [{"text": "be kind"}, {"text": "hi"}] == made["contents"][0]["parts"]


def test_a_late_system_message_is_marked_text():
    """It is never hoisted, and the caller is told."""
    made, adjusted = fitted(Request([say("user", "a"), say("system", "b"), say("user", "c")]), NEW)

    assert [{"text": "a"}, {"text": "<system>\nb\n</system>"}, {"text": "c"}] == made["contents"][0]["parts"]
    assert {"messages"} == adjusted


@pytest.mark.parametrize("messages", [[], [say("assistant", "I said"), say("user", "hi")]])
def test_the_user_begins(messages):
    """Contents are required and start with the user."""
    made, adjusted = fitted(Request(messages, system="s"), NEW)

    assert {"role": "user", "parts": [{"text": "."}]} == made["contents"][0]
    assert {"messages"} == adjusted


def test_nothing_at_all_is_refused():
    """There is no request without any content."""
    with pytest.raises(Unsupported):
        body(Request([say("user", "")]))


def test_parameters_have_their_names():
    """Renames are silent."""
    made = body(Request("hi", max_tokens=5, temperature=1, top_p=0.5, top_k=3, seed=7, stop=("END",)), OLD)

    assert made["generationConfig"] == {
        "temperature": 1, "topP": 0.5, "topK": 3, "maxOutputTokens": 5, "seed": 7, "stopSequences": ["END"],
    }  # fmt: skip


def test_what_a_model_ignores_is_not_sent():
    """3.8-flash accepts temperature and ignores it: left out, and told."""
    made, adjusted = fitted(Request("hi", temperature=0, top_p=0.5, frequency_penalty=1), NEW)

    assert "generationConfig" not in made
    assert {"temperature", "top_p", "frequency_penalty"} == adjusted


def test_more_stops_than_five_are_cut_here():
    """None is lost: byollm cuts the answer itself."""
    made, adjusted = fitted(Request("hi", stop=tuple("abcdef")), NEW)

    assert "generationConfig" not in made
    assert {"stop"} == adjusted


@pytest.mark.parametrize(
    ("model", "effort", "config"),
    [
        (OLD, "none", {"thinkingBudget": 0}),
        (OLD, "low", {"thinkingBudget": 1024}),
        (OLD, "max", {"thinkingBudget": 24576}),
        ("gemini-2.5-pro", "none", {"thinkingBudget": 512}),
        ("gemini-3-flash-preview", "minimal", {"thinkingLevel": "MINIMAL"}),
        ("gemini-3-pro-preview", "medium", {"thinkingLevel": "HIGH"}),
        ("gemini-3.1-pro-preview", "none", {"thinkingLevel": "LOW"}),
        (NEW, "minimal", {"thinkingLevel": "LOW"}),
        ("gemini-4-argon", "max", {"thinkingLevel": "HIGH"}),
        ("gemini-9-ultra", "minimal", {"thinkingLevel": "LOW"}),
    ],
)
def test_effort_is_said_as_the_family_wants(model, effort, config):
    """A budget before 3, a level from 3 on, the nearest where the model lacks one."""
    made, _ = fitted(Request("hi", reasoning_effort=effort), model)

    assert config == made["generationConfig"]["thinkingConfig"]


def test_effort_of_a_model_that_does_not_think():
    """Left out, and told."""
    assert ({"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}, {"reasoning_effort"}) == fitted(
        Request("hi", reasoning_effort="low"), "gemini-2.0-flash"
    )


def test_thoughts_are_shown_when_the_file_asks():
    """`include_thoughts` stands in the thinking config."""
    made = body("hi", options={"include_thoughts": True})

    assert {"thinkingConfig": {"includeThoughts": True}} == made["generationConfig"]


def test_tools_and_choice():
    """All functions in one entry; a named choice is ANY with one allowed name."""
    made = body(Request("hi", tools=[WEATHER, Tool("now", None, {"type": "object", "properties": {}})],
                        tool_choice="weather"))  # fmt: skip

    assert made["tools"] == [{"functionDeclarations": [
        {"name": "weather", "description": "Tells the weather.", "parametersJsonSchema": SCHEMA}, {"name": "now"},
    ]}]  # fmt: skip
    assert made["toolConfig"] == {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["weather"]}}


@pytest.mark.parametrize(("choice", "mode"), [("auto", "AUTO"), ("none", "NONE"), ("required", "ANY")])
def test_modes_of_choice(choice, mode):
    """The words of the wire."""
    made = body(Request("hi", tools=[WEATHER], tool_choice=choice))

    assert {"functionCallingConfig": {"mode": mode}} == made["toolConfig"]


def test_strict_tools_are_validated():
    """A strict schema asks for the mode that holds calls to it."""
    made = body(Request("hi", tools=[Tool("f", None, SCHEMA, strict=True)]))

    assert {"functionCallingConfig": {"mode": "VALIDATED"}} == made["toolConfig"]


def test_one_call_at_a_time_is_refused():
    """The wire has no switch for it."""
    with pytest.raises(Unsupported):
        fitted(Request("hi", tools=[WEATHER], parallel_tool_calls=False), NEW)


def test_googles_own_tools_beside_functions():
    """3 and later want to be told; before that it is refused before sending."""
    search = ProviderTool("google", {"googleSearch": {}})
    made = body(Request("hi", tools=[search, WEATHER]))

    assert {"includeServerSideToolInvocations": True} == made["toolConfig"]
    assert {"googleSearch": {}} == made["tools"][1]
    with pytest.raises(Unsupported):
        body(Request("hi", tools=[search, WEATHER]), OLD)


def test_results_answer_in_the_order_of_the_calls():
    """Pairing is by position: one user turn, results first, in call order, whatever the order given."""
    calls = (ToolCall("a", "f"), ToolCall("b", "g"))
    messages = history(*calls, results=[result("b", "2"), Text("and"), result("a", "1")])
    last = turns(Request(messages, tools=[WEATHER]), OLD)[-1]

    assert last == {"role": "user", "parts": [
        {"functionResponse": {"name": "f", "response": {"output": "1"}}},
        {"functionResponse": {"name": "g", "response": {"output": "2"}}},
        {"text": "and"},
    ]}  # fmt: skip


def test_ids_go_back_where_they_were_given():
    """An id of Google's goes back with call and result; a made one, and one to an older model, does not."""
    given = ToolCall("call-1", "f", "{}", state=SIGNED)
    new = turns(Request(history(given)))

    assert {"name": "f", "args": {}, "id": "call-1"} == new[1]["parts"][0]["functionCall"]
    assert "call-1" == new[2]["parts"][0]["functionResponse"]["id"]
    for other in (turns(Request(history(given)), OLD), turns(Request(history(ToolCall("x", "f"))))):
        assert "id" not in other[1]["parts"][0]["functionCall"]
        assert "id" not in other[2]["parts"][0]["functionResponse"]


def test_signatures_go_back_byte_exact():
    """On the part they came with, empty text included; parallel calls keep only what they had."""
    parts = (Text("a", state=Opaque("google", "gemini", {"thoughtSignature": "QQ=="})),
             Reasoning("", Opaque("google", "gemini", {"thoughtSignature": "Qg=="})),
             ToolCall("call-1", "f", "{}", state=SIGNED), ToolCall("2", "g"))  # fmt: skip
    sent = turns(Request([say("user", "hi"), say("assistant", parts), say("tool", (result("call-1"), result("2")))]))

    assert ["QQ==", "Qg==", "c2ln", None] == [part.get("thoughtSignature") for part in sent[1]["parts"]]
    assert {"text": "", "thoughtSignature": "Qg=="} == sent[1]["parts"][1]


def test_a_foreign_call_gets_the_stand_in():
    """Gemini 3 refuses the first call of a step without a signature; older models know none."""
    foreign = ToolCall("toolu_1", "f", "{}", state=Opaque("anthropic", "messages", {"x": 1}))
    made, adjusted = fitted(Request(history(foreign, ToolCall("2", "g")), tools=[WEATHER]), NEW)
    old, _ = fitted(Request(history(foreign), tools=[WEATHER]), OLD)

    assert [SENTINEL, None] == [part.get("thoughtSignature") for part in made["contents"][1]["parts"]]
    assert "messages" in adjusted
    assert "thoughtSignature" not in old["contents"][1]["parts"][0]


def test_foreign_thoughts_stay_away():
    """Reasoning without a signature of this host is left out."""
    messages = [say("user", "a"), say("assistant", (Reasoning("hm"), Text("b"))), say("user", "c")]

    assert [{"text": "b"}] == turns(Request(messages))[1]["parts"]


@pytest.mark.parametrize(
    ("text", "response"),
    [
        ('{"a": [1]}', {"a": [1]}),
        ("plain", {"output": "plain"}),
        ("[1]", {"output": "[1]"}),
        ('{"$ref": "x"}', {"output": '{"$ref": "x"}'}),
        ('{"a": [{"$ref": 1}]}', {"output": '{"a": [{"$ref": 1}]}'}),
        ('{"output": 1}', {"output": '{"output": 1}'}),
        ("{broken", {"output": "{broken"}),
    ],
)
def test_a_result_is_an_object(text, response):
    """A JSON object stays one; all else, and what the wire would misread, is text under `output`."""
    sent = turns(Request(history(ToolCall("a", "f"), results=[result("a", text)])))

    assert response == sent[2]["parts"][0]["functionResponse"]["response"]


def test_a_failed_tool_is_told():
    """An error result is said as one."""
    sent = turns(Request(history(ToolCall("a", "f"), results=[result("a", "no", is_error=True)])))

    assert {"error": "no"} == sent[2]["parts"][0]["functionResponse"]["response"]


def test_media_of_a_result():
    """Inside the result from 3 on, beside it before, and told."""
    messages = history(ToolCall("a", "f"), results=[result("a", (Text("see"), Image(b"\x89PNG\r\n\x1a\n")))])
    made, adjusted = fitted(Request(messages, tools=[WEATHER]), OLD)
    image = {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}}

    assert [image] == turns(Request(messages))[2]["parts"][0]["functionResponse"]["parts"]
    assert image == made["contents"][2]["parts"][1]
    assert {"messages"} == adjusted


def test_media_bytes_and_addresses():
    """Bytes inline, addresses as file data with the type that the name tells."""
    parts = (Image(b"GIF8"), Document(b"%PDF-"), Audio(b"ID3"), Image("https://example.com/a.png?b=1"))
    sent = turns(Request([say("user", parts)]))[0]["parts"]

    assert ["image/gif", "application/pdf", "audio/mpeg"] == [part["inlineData"]["mimeType"] for part in sent[:3]]
    assert {"fileData": {"mimeType": "image/png", "fileUri": "https://example.com/a.png?b=1"}} == sent[3]


def test_an_address_of_a_bucket_is_refused():
    """gs:// is Vertex's."""
    with pytest.raises(Unsupported):
        body(Request([say("user", (Image("gs://bucket/a.png"),))]))


def test_structured_output_is_native():
    """`responseJsonSchema`, never together with `responseSchema`."""
    made = body(Request("hi", output_schema=SCHEMA))["generationConfig"]

    assert {"responseMimeType": "application/json", "responseJsonSchema": SCHEMA} == made


def test_a_schema_with_tools_needs_gemini_3():
    """Refused before sending on 2.5, taken from 3 on."""
    request = Request("hi", output_schema=SCHEMA, tools=[WEATHER])

    assert "responseJsonSchema" in body(request)["generationConfig"]
    with pytest.raises(Unsupported):
        body(request, OLD)


def test_hints_of_the_gemini_api():
    """Tier and store are said in the body; settings of the file go along."""
    settings = [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}]
    made = body(Request("hi", service_tier="flex", store=False), options={"safety_settings": settings})

    assert ("flex", False, settings) == (made["serviceTier"], made["store"], made["safetySettings"])


def test_extra_is_added_and_wins():
    """Into the generation config word by word, elsewhere as it stands, and only ours."""
    extra = {"google": {"generationConfig": {"topK": 1}, "cachedContent": "cachedContents/1"}, "other": {"x": 1}}
    made = body(Request("hi", top_k=9, max_tokens=3, extra=extra), OLD)

    assert {"topK": 1, "maxOutputTokens": 3} == made["generationConfig"]
    assert ("cachedContents/1", False) == (made["cachedContent"], "x" in made)


def test_blocks_of_this_dialect_go_back():
    """Code, results of code, tool calls of Google's own: as they came."""
    code = Opaque("google", "gemini", {"executableCode": {"language": "PYTHON", "code": "1"}})
    messages = [say("user", "a"), say("assistant", (code, Text("b"))), say("user", "c")]

    assert dict(code.data) == turns(Request(messages))[1]["parts"][0]


def test_an_empty_turn_never_vanishes_in_silence():
    """A user's becomes a full stop, the model's is left out, and both are told."""
    history = [say("user", "one"), say("assistant", ""), say("user", "two"), say("assistant", "three"), say("user", "")]

    adjusted = exchange(history).adjustments

    assert ["emulated", "dropped"] == [note.action for note in adjusted]
    assert [["one", "two"], ["three"], ["."]] == [[part["text"] for part in turn["parts"]] for turn in turns(history)]
