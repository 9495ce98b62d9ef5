"""Through a client: what is sent, what comes back, what is counted and recorded."""

import asyncio
import json
import re
from pathlib import Path

import pytest

import byollm
from byollm import AsyncClient, Client
from byollm.errors import ConfigError, StreamInterruptedError, UnsupportedFeatureError
from byollm_redact import KINDS, Redact, Session
from byollm_redact.requests import redacted

MAIL, PHONE = "bob@example.com", "+49 30 901820"


def sent(twin, at=-1):
    return json.dumps(twin.requests[at].body, default=str)


@pytest.fixture
def client(target):
    with Client(target, middleware=[Redact()]) as made:
        yield made


def test_a_placeholder_is_sent_and_the_value_comes_back(client, twin):
    """In whole answers."""
    twin.script("write to [EMAIL_1], soon")
    reply = client.complete(f"who is {MAIL}?")

    assert f"write to {MAIL}, soon" == reply.text
    assert MAIL not in sent(twin)
    assert "who is [EMAIL_1]?" in sent(twin)


def test_streams_give_the_value_back(client, twin):
    """Event by event, and in the completion."""
    twin.script("write to [EMAIL_1] or call [PHONE_1], soon")
    with client.stream(f"who is {MAIL}, {PHONE}?") as stream:
        text = "".join(event.text for event in stream if isinstance(event, byollm.TextDelta))

    assert f"write to {MAIL} or call {PHONE}, soon" == text == stream.completion.text


def test_every_text_of_a_request_is_redacted(client, twin):
    """System, messages, tool calls and their results, the user's id, metadata."""
    call = byollm.ToolCall("c1", "send", {"to": MAIL})
    messages = [
        byollm.user(f"mail {MAIL}"),
        byollm.assistant(call),
        byollm.tool_results(byollm.ToolResult("c1", f"sent to {MAIL}")),
        byollm.user("thanks"),
    ]
    tool = byollm.Tool("send", "sends", {"type": "object", "properties": {"to": {"type": "string"}}})
    client.complete(messages, system=f"you are {MAIL}", end_user_id=MAIL, metadata={"who": MAIL}, tools=[tool])

    assert MAIL not in sent(twin)
    assert sent(twin).count("[EMAIL_1]") >= 4


def test_tool_calls_get_the_value_back(client, twin):
    """In their arguments, which stay JSON."""
    twin.script(byollm.ToolCall("c1", "send", {"to": "[EMAIL_1]"}))
    tool = byollm.Tool("send", "sends", {"type": "object", "properties": {"to": {"type": "string"}}})
    reply = client.complete(f"mail {MAIL}", tools=[tool])

    assert {"to": MAIL} == reply.tool_calls[0].args


def test_structured_output_gets_the_value_back_as_json(target, twin):
    """A value with a quote in it does not break the document."""
    quote = {"patterns": {"NICK": '"[a-z]+" \\\\o/'}}
    schema = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
    twin.script(json.dumps({"name": "[NICK_1]"}))
    with Client(target, middleware=[Redact(**quote)]) as client:
        reply = client.complete('it is "bob" \\o/ himself', output_schema=schema)

    assert {"name": '"bob" \\o/'} == reply.parsed


def test_what_the_user_wrote_like_a_placeholder_stays(client, twin):
    """It takes its number away from ours."""
    twin.script("you said [EMAIL_1], and [EMAIL_2]")
    reply = client.complete(f"what is [EMAIL_1] to {MAIL}?")

    assert "what is [EMAIL_1] to [EMAIL_2]?" in sent(twin)
    assert f"you said [EMAIL_1], and {MAIL}" == reply.text


def test_patterns_of_ones_own(target, twin):
    """From the file; a group named `value` is what is replaced."""
    options = {"patterns": {"EMPLOYEE": "E-[0-9]{6}", "CASE": "case (?P<value>[0-9]+)"}, "kinds": []}
    config = {"deployments": {"a": target}, "tasks": {"t": {"route": ["a"]}}, "middleware": [{"redact": options}]}
    twin.script("[EMPLOYEE_1] has [CASE_1]")
    with Client({"llm_config": config}) as client:
        reply = client.complete(f"E-123456 asks about case 77, {MAIL}")

    assert "E-123456 has 77" == reply.text
    assert f"[EMPLOYEE_1] asks about case [CASE_1], {MAIL}" in sent(twin)


def test_counts_are_of_what_would_be_sent(target):
    """`count_tokens` passes the middleware, too."""
    with Client(target, middleware=[Redact()]) as client, Client(target) as plain:
        assert plain.count_tokens("ask [EMAIL_1]").tokens == client.count_tokens(f"ask {MAIL}").tokens


def test_observers_see_what_was_sent(target, twin):
    """So what they record holds no value either."""

    class Watcher:
        seen = ""

        def finished(self, call, attempt):
            self.seen = f"{call.request}{call.answer}{call.notes['redact']}"

    watcher = Watcher()
    twin.script("[EMAIL_1] it is")
    with Client(target, middleware=[Redact()], observers=[watcher]) as client:
        assert f"{MAIL} it is" == client.complete(f"who is {MAIL}").text

    assert MAIL not in watcher.seen
    assert "{'EMAIL': 1}" in watcher.seen


def test_the_partial_answer_of_a_cut_stream_has_the_values(client, twin):
    """Whatever had come, up to the cut."""
    twin.script("[EMAIL_1] it is, and a good many words more, so that there is something to cut off")
    twin.fault("cut")
    with pytest.raises(StreamInterruptedError) as caught, client.stream(f"who is {MAIL}?") as stream:
        list(stream)
    partial = caught.value.partial

    assert partial is not None
    assert partial.text.startswith(MAIL)


def test_async_streams_and_calls(target, twin):
    """The same middleware, awaited."""

    async def run():
        async with AsyncClient(target, middleware=[Redact()]) as client:
            twin.script("hello [EMAIL_1]", "hello [EMAIL_1]")
            reply = await client.complete(f"greet {MAIL}")
            async with client.stream(f"greet {MAIL}") as stream:
                text = "".join([event.text async for event in stream if isinstance(event, byollm.TextDelta)])
            return reply.text, text

    assert (f"hello {MAIL}",) * 2 == asyncio.run(run())


def test_a_long_text_holds_up_no_event_loop(target, twin):
    """It is looked through in a thread; another task goes on meanwhile."""
    twin.script("hello [EMAIL_1]")
    text = f"greet {MAIL} " + "and call 030 1234567 on 2024-05-06. " * 20_000
    steps = []

    async def count():
        while True:
            steps.append(1)
            await asyncio.sleep(0.001)

    async def run():
        counting = asyncio.create_task(count())
        async with AsyncClient(target, middleware=[Redact()]) as client:
            tokens = await client.count_tokens(text)
        counting.cancel()
        return tokens

    assert asyncio.run(run()).upper > 1000
    assert len(steps) > 10


def test_a_request_without_anything_is_sent_as_it_is(client, twin):
    """And its answer is not touched."""
    twin.script("[EMAIL_1] is what I write")

    assert "[EMAIL_1] is what I write" == client.complete("hi").text


def test_media_can_be_refused(target, twin):
    """Nothing was sent."""
    with Client(target, middleware=[Redact(media="refuse")]) as client, pytest.raises(UnsupportedFeatureError):
        client.complete([byollm.user("what is it?", byollm.Image(b"\x89PNG", "image/png"))])

    assert 0 == len(twin.requests)


@pytest.mark.parametrize(
    "options",
    [
        {"kinds": ["emial"]},
        {"patterns": {"lower": "x"}},
        {"patterns": {"BAD": "("}},
        {"patterns": {"EMPTY": "x*"}},
        {"media": "maybe"},
        {"kind": []},
        {"presidio": {"langauge": "en"}},
    ],
)
def test_bad_options_are_a_config_error(options):
    """With the option's name."""
    with pytest.raises(ConfigError, match="redact: `"):
        Redact(**options)


def test_the_readmes_program_runs():
    """As it stands."""
    readme = (Path(__file__).parents[1] / "README.md").read_text("utf-8")
    [program] = re.findall(r"^```python\n(.*?)^```$", readme, re.DOTALL | re.MULTILINE)

    exec(compile(program, "README.md", "exec"), {})


def test_a_thought_with_a_signature_goes_back_as_it_came(target, twin):
    """Only what was restored in it is replaced again: the signature is over the model's own letters."""
    session = Session(list(KINDS.values()))
    state = byollm.Opaque("custom", "chat", {"signature": "s"})
    thought = byollm.Reasoning(f"ask {MAIL}, or 10.0.0.1", state)
    request = byollm.Request([byollm.user(f"who is {MAIL}?"), byollm.assistant(thought, "ok")])
    changed = redacted(session, request, refuse_media=False)

    assert byollm.Reasoning("ask [EMAIL_1], or 10.0.0.1", state) == changed.messages[1].parts[0]
