"""What `fit()` guarantees: nothing is dropped in silence, no contract is weakened, and what fits is left alone."""

import copy
from dataclasses import fields, replace
from typing import Any

import pytest
from core_strategies import messages
from hypothesis import assume, given
from hypothesis import strategies as st

from byollm import (
    Audio,
    Capabilities,
    Citation,
    Document,
    Image,
    Message,
    Opaque,
    ProviderTool,
    Reasoning,
    Request,
    Support,
    Text,
    Tool,
    ToolCall,
    ToolResult,
    assistant,
    system,
    tool_results,
    user,
)
from byollm.errors import ConfigError, UnsupportedFeatureError
from byollm.providers.fit import CLASSES, Fitted, fit, nearest_effort
from byollm.types.capabilities import FEATURES
from byollm.types.request import EFFORTS, PARAMETERS

NO = Support.unsupported
TOOL = Tool("f")
PNG = b"\x89PNG\r\n\x1a\n"


def fitted(request: Request, on_unsupported: Any = "adapt", **can: Any) -> Fitted:
    return fit(
        request, Capabilities(**can), provider="acme", transport="chat", model="m", on_unsupported=on_unsupported
    )


def refused(request: Request, **can: Any) -> UnsupportedFeatureError:
    with pytest.raises(UnsupportedFeatureError) as raised:
        fitted(request, **can)
    return raised.value


HINTS: dict[str, Any] = {
    "temperature": 0.5, "top_p": 0.5, "top_k": 5, "seed": 7, "frequency_penalty": 0.5, "presence_penalty": 0.5,
    "verbosity": "low", "cache_key": "k", "end_user_id": "u", "metadata": {"a": "b"}, "service_tier": "flex",
    "reasoning_effort": "high", "max_tokens": 5,
}  # fmt: skip
CONTRACTS: dict[str, Any] = {
    "tools": ("tools", {"tools": [TOOL]}),
    "tool_choice_required": ("tool_choice", {"tools": [TOOL], "tool_choice": "required"}),
    "tool_choice_named": ("tool_choice", {"tools": [TOOL], "tool_choice": "f"}),
    "parallel_tool_calls_off": ("parallel_tool_calls", {"tools": [TOOL], "parallel_tool_calls": False}),
    "strict_tools": ("tools", {"tools": [Tool("f", strict=True)]}),
    "provider_tools": ("tools", {"tools": [ProviderTool("acme", {"type": "search"})]}),
    "structured_output": ("output_schema", {"output_schema": {"type": "object"}}),
    "store": ("store", {"store": True}),
    "prefill": ("prefill", {"messages": [user("a"), assistant("b")], "prefill": True}),
    "system": ("system", {"system": "be brief"}),
    "streaming": ("stream", {"stream": True}),
    "logit_bias": ("logit_bias", {"logit_bias": {"1": 1}}),
    "logprobs": ("logprobs", {"logprobs": 1}),
    "images": ("images", {"messages": user(Image(PNG))}),
    "image_urls": ("images", {"messages": user(Image("https://a/b.png"))}),
    "documents": ("documents", {"messages": user(Document(b"%PDF-"))}),
    "document_urls": ("documents", {"messages": user(Document("https://a/b.pdf"))}),
    "audio": ("audio", {"messages": user(Audio(b"ID3"))}),
    "tool_result_media": (
        "messages",
        {"messages": [user("a"), assistant(ToolCall("1", "f")), tool_results(ToolResult("1", (Image(PNG),)))]},
    ),
}


def asked(parameters: dict[str, Any]) -> Request:
    parameters = dict(parameters)
    return Request(parameters.pop("messages", "hi"), **parameters)


def test_every_parameter_has_a_class():
    """The table knows what happens to each."""
    assert PARAMETERS | {"messages"} == CLASSES.keys()


@pytest.mark.parametrize("field", sorted(HINTS))
@pytest.mark.parametrize("support", ["unsupported", "not_implemented"])
def test_a_hint_is_left_out_and_reported(field: str, support: str):
    """Where a model has no such thing, the caller reads so, once."""
    result = fitted(Request("hi", **{field: HINTS[field]}), **{field: Support(support)})

    assert getattr(result.request, field) is None
    assert [(field, "dropped", HINTS[field])] == [(it.field, it.action, it.before) for it in result.adjustments]


@pytest.mark.parametrize("field", sorted(HINTS))
@pytest.mark.parametrize("support", ["unknown", "partial", "full"])
def test_a_hint_that_is_taken_or_unknown_is_sent(field: str, support: str):
    """Unknown is sent as it stands: the same object, nothing to report."""
    request = Request("hi", **{field: HINTS[field]})

    assert Fitted(request) == fitted(request, **{field: Support(support)})
    assert request is fitted(request, **{field: Support(support)}).request


@pytest.mark.parametrize("feature", sorted(CONTRACTS))
@pytest.mark.parametrize("support", ["unsupported", "not_implemented"])
def test_a_contract_is_refused(feature: str, support: str):
    """What the caller's program depends on is never weakened: nothing is sent, and the field is named."""
    field, parameters = CONTRACTS[feature]

    error = refused(asked(parameters), **{feature: Support(support)})

    assert (field, True) == (error.field, bool(error.hint))


@pytest.mark.parametrize("feature", sorted(CONTRACTS.keys() - {"logit_bias", "logprobs"}))
@pytest.mark.parametrize("support", ["unknown", "partial", "full"])
def test_a_contract_that_is_kept_or_unknown_is_sent(feature: str, support: str):
    """Unknown is not a refusal."""
    request = asked(CONTRACTS[feature][1])

    assert request is fitted(request, **{feature: Support(support)}).request


@pytest.mark.parametrize("support", ["unknown", "partial"])
@pytest.mark.parametrize("field, value", [("logit_bias", {"1": 1}), ("logprobs", 1)])
def test_reserved_contracts_want_full_support(support: str, field: str, value: Any):
    """They are refused unless a plugin vouches for them."""
    assert field == refused(Request("hi", **{field: value}), **{field: Support(support)}).field
    assert fitted(Request("hi", **{field: value}), **{field: Support.full}).adjustments == ()


def test_each_feature_stands_in_one_of_the_tables():
    """No capability is left without a test of what it does."""
    elsewhere = {
        "parallel_tool_calls", "tools_while_reasoning", "tool_error_flag", "reasoning", "citations", "stop", "n",
        "cache_hints", "message_names", "count_tokens",
    }  # fmt: skip

    assert set(FEATURES) == HINTS.keys() | CONTRACTS.keys() | elsewhere


def test_more_than_one_answer_is_refused_whatever_the_model():
    """One answer a request; one is what everybody does."""
    assert "n" == refused(Request("hi", n=2), n=Support.full).field
    assert fitted(Request("hi", n=1)).adjustments == ()


def test_not_storing_is_always_possible():
    """A provider that cannot store does not."""
    assert fitted(Request("hi", store=False), store=NO).adjustments == ()


@pytest.mark.parametrize("role", ["system", "developer"])
def test_a_system_message_in_the_list_counts_too(role: Any):
    """However the instructions are given, a model without them refuses."""
    assert "system" == refused(Request([Message(role, "be brief"), user("hi")]), system=NO).field


@pytest.mark.parametrize(
    "field, asked_for, bounds, sent",
    [("temperature", 1.7, (0.0, 1.0), 1.0), ("temperature", 0.0, (0.1, 1.0), 0.1), ("top_p", 1.5, None, 1.0)],
)
def test_a_range_is_clamped_and_reported(field: str, asked_for: float, bounds: Any, sent: float):
    """The nearest value that is taken."""
    result = fitted(Request("hi", **{field: asked_for}), **({"temperature_range": bounds} if bounds else {}))

    assert sent == getattr(result.request, field)
    assert [(field, "clamped", asked_for, sent)] == [
        (it.field, it.action, it.before, it.after) for it in result.adjustments
    ]


def test_the_limit_of_an_answer_is_clamped():
    """More than the model can say is not asked for."""
    result = fitted(Request("hi", max_tokens=9), max_output_tokens=5)

    assert (5, "clamped") == (result.request.max_tokens, result.adjustments[0].action)


@given(st.floats(-5, 5), st.floats(-5, 5), st.floats(0, 1), st.floats(1, 2))
def test_clamping_is_monotone(one: float, two: float, low: float, high: float):
    """Who asks for more never gets less."""
    first, second = sorted((one, two))

    cold = fitted(Request("hi", temperature=first), temperature_range=(low, high)).request.temperature
    hot = fitted(Request("hi", temperature=second), temperature_range=(low, high)).request.temperature

    assert low <= (cold or 0.0) <= (hot or 0.0) <= high


def test_temperature_or_top_p_where_both_are_too_many():
    """The temperature stays."""
    result = fitted(Request("hi", temperature=0.5, top_p=0.5), temperature_xor_top_p=True)

    assert (0.5, None, ["top_p"]) == (
        result.request.temperature, result.request.top_p, [it.field for it in result.adjustments],
    )  # fmt: skip


@given(st.sampled_from(EFFORTS), st.lists(st.sampled_from(EFFORTS), min_size=1, unique=True))
def test_the_nearest_effort_is_the_weakest_that_is_enough(wanted: str, accepted: list[str]):
    """Enough where there is enough, else the most there is; thinking is not turned off for who asked to think."""
    rank = EFFORTS.index
    thinking = [word for word in accepted if word != "none"] if wanted != "none" else accepted
    nearest = nearest_effort(wanted, tuple(accepted))

    assert nearest in accepted
    enough = [word for word in thinking or accepted if rank(word) >= rank(wanted)]
    assert nearest == (min(enough, key=rank) if enough else max(thinking or accepted, key=rank))


def test_an_effort_is_mapped_and_reported():
    """The caller reads what was asked instead."""
    result = fitted(Request("hi", reasoning_effort="xhigh"), reasoning_efforts=("low", "high"))

    assert ("high", "mapped", "xhigh") == (
        result.request.reasoning_effort, result.adjustments[0].action, result.adjustments[0].before,
    )  # fmt: skip


def test_a_model_that_does_not_reason_is_asked_not_to_without_a_word():
    """Asked for none, it has none: nothing was lost."""
    result = fitted(Request("hi", reasoning_effort="none"), reasoning=NO)

    assert (None, ()) == (result.request.reasoning_effort, result.adjustments)


@pytest.mark.parametrize(
    "effort, default, silenced",
    [("high", None, True), (None, "medium", True), ("none", "medium", False), (None, None, False)],
)
def test_sampling_gives_way_to_reasoning_where_it_must(effort: Any, default: Any, silenced: bool):
    """Some models refuse a temperature while they reason: it is left out and reported, their own default silently."""
    request = Request("hi", temperature=0.3, top_p=1, reasoning_effort=effort)
    result = fitted(request, sampling_needs_no_reasoning=True, default_effort=default)

    assert (["temperature"] if silenced else []) == [it.field for it in result.adjustments]
    assert (None if silenced else 0.3) == result.request.temperature


def test_stop_strings_are_cut_by_the_core_where_the_provider_cannot():
    """They change where the answer ends, so they are never dropped: the core cuts."""
    for can in ({"stop": NO}, {"stop_limit": 1}):
        result = fitted(Request("hi", stop=["a", "b"]), **can)

        assert (None, ("a", "b"), "emulated") == (result.request.stop, result.cut_at, result.adjustments[0].action)
    assert ((), ()) == (fitted(Request("hi", stop=["a"]), stop_limit=1).cut_at, fitted(Request("hi")).cut_at)


def test_choices_mean_nothing_without_tools():
    """They are left out, because several providers refuse them; demanding a call without tools is a mistake."""
    result = fitted(Request("hi", tool_choice="auto", parallel_tool_calls=False))

    assert (None, None, ()) == (result.request.tool_choice, result.request.parallel_tool_calls, result.adjustments)
    assert "tool_choice" == refused(Request("hi", tool_choice="required")).field


def test_a_named_tool_must_be_there():
    """A name that is not among the tools is refused before the provider does."""
    assert "tool_choice" == refused(Request("hi", tools=[TOOL], tool_choice="g")).field


def test_one_call_at_a_time_is_no_news_to_a_model_that_makes_one():
    """`True` is a hint: dropped and reported."""
    result = fitted(Request("hi", tools=[TOOL], parallel_tool_calls=True), parallel_tool_calls=NO)

    assert ["parallel_tool_calls"] == [it.field for it in result.adjustments]


def test_tools_are_refused_while_a_model_reasons_and_cannot_both():
    """With the way out in the hint."""
    error = refused(Request("hi", tools=[TOOL], reasoning_effort="high"), tools_while_reasoning=NO)

    assert ("tools", True) == (error.field, "reasoning_effort" in error.hint)


def test_another_providers_tool_is_never_translated():
    """It would be another tool."""
    assert "tools" == refused(Request("hi", tools=[ProviderTool("other", {})])).field


def turns() -> list[Message]:
    return [
        Message("user", (Text("look", cache="5m"), Image(PNG)), "ann"),
        assistant(ToolCall("1", "f", cache="1h")),
        tool_results(ToolResult("1", (Text("no"), Text("way", cache="5m")), is_error=True)),
    ]


@pytest.mark.parametrize(
    "feature, field, gone",
    [("message_names", "name", "'ann'"), ("cache_hints", "cache", "'5m'"), ("tool_error_flag", "is_error", "True")],
)
def test_a_hint_inside_a_message_is_taken_out_and_reported(feature: str, field: str, gone: str):
    """Names, cache marks and error flags that a provider has no place for are gone from what the plugin sees."""
    request = Request(turns(), tools=[Tool("f", cache="5m")], system=[Text("s", cache="5m")])

    result = fitted(request, **{feature: NO})

    assert [field] == [it.field for it in result.adjustments]
    assert f"{field}={gone}" in repr(request)
    assert f"{field}={gone}" not in repr(result.request)


def test_turns_that_say_nothing_are_left_out():
    """Several providers refuse them, none needs them."""
    request = Request([user("a"), assistant(), user("b")])

    assert [user("a"), user("b")] == list(fitted(request).request.messages)


@pytest.mark.parametrize(
    "conversation, legal",
    [
        ([user("a"), assistant("b")], False),
        ([user("a"), assistant("b"), user("c")], True),
        ([user("a"), assistant(Opaque("acme", "chat", {"type": "server_tool_use"}))], True),
        ([user("a"), assistant(ToolCall("1", "f")), tool_results(ToolResult("1"))], True),
    ],
)
def test_the_caller_has_the_last_word(conversation: list[Message], legal: bool):
    """Unless the model's own turn is to be continued."""
    if legal:
        assert fitted(Request(conversation)).adjustments == ()
    else:
        assert "messages" == refused(Request(conversation)).field
        assert fitted(Request(conversation, prefill=True)).adjustments == ()


def test_strict_raises_on_whatever_would_be_adapted():
    """With the field that would have been changed."""
    with pytest.raises(UnsupportedFeatureError, match="as asked") as raised:
        fitted(Request("hi", seed=7), "strict", seed=NO)

    assert "seed" == raised.value.field


requests = st.builds(
    Request,
    st.just("hi") | st.just([user("a"), assistant("b"), Message("user", ("c",), "ann")]) | st.just(turns()),
    temperature=st.none() | st.floats(0, 2),
    top_p=st.none() | st.floats(0, 1),
    top_k=st.none() | st.integers(0, 9),
    max_tokens=st.none() | st.integers(1, 99),
    stop=st.none() | st.lists(st.sampled_from("abc"), min_size=1, unique=True),
    seed=st.none() | st.integers(0, 9),
    frequency_penalty=st.none() | st.floats(-2, 2),
    reasoning_effort=st.none() | st.sampled_from(EFFORTS),
    verbosity=st.none() | st.just("low"),
    service_tier=st.sampled_from([None, "auto", "flex"]),
    tools=st.none() | st.just([Tool("f", cache="5m"), Tool("g", strict=True)]),
    tool_choice=st.sampled_from([None, "auto", "none", "required", "f"]),
    parallel_tool_calls=st.none() | st.booleans(),
    output_schema=st.none() | st.just({"type": "object"}),
    store=st.none() | st.booleans(),
    end_user_id=st.none() | st.just("u"),
    stream=st.booleans(),
)
supports = st.sampled_from(list(Support))
capabilities = st.builds(
    Capabilities,
    **dict.fromkeys(FEATURES, supports),
    temperature_range=st.none() | st.just((0.0, 1.0)),
    max_output_tokens=st.none() | st.just(50),
    stop_limit=st.none() | st.integers(1, 3),
    reasoning_efforts=st.none() | st.lists(st.sampled_from(EFFORTS), min_size=1, unique=True).map(tuple),
    default_effort=st.none() | st.sampled_from(EFFORTS),
    service_tiers=st.none() | st.just(("auto",)),
    sampling_needs_no_reasoning=st.booleans(),
    temperature_xor_top_p=st.booleans(),
)  # fmt: skip


@given(requests, capabilities)
def test_fitting_twice_is_fitting_once(request: Request, can: Capabilities):
    """What fits is left alone: the same object, and nothing more to report."""
    try:
        first = fit(request, can)
    except UnsupportedFeatureError:
        assume(False)

    second = fit(first.request, can)

    assert first.request is second.request
    assert ((), ()) == (second.adjustments, second.cut_at)


@given(requests, capabilities)
def test_what_is_changed_is_reported_or_a_matter_of_course(request: Request, can: Capabilities):
    """Nothing is dropped in silence but defaults said aloud and choices without tools."""
    try:
        result = fit(request, can)
    except UnsupportedFeatureError:
        assume(False)
    told = {it.field for it in result.adjustments}
    changed = {it.name for it in fields(Request) if getattr(request, it.name) != getattr(result.request, it.name)}

    silent = changed - told
    if "messages" in silent and told & {"name", "cache", "is_error"}:
        silent -= {"messages"}
    if "tools" in silent and "cache" in told:
        silent -= {"tools"}
    if request.tools is None:
        silent -= {"tool_choice", "parallel_tool_calls"}
    silent -= {field for field in ("temperature", "top_p") if getattr(request, field) == 1}
    if request.reasoning_effort == "none":
        silent -= {"reasoning_effort"}
    assert set() == silent


@given(requests, capabilities)
def test_strict_adapts_nothing(request: Request, can: Capabilities):
    """Under `strict`, a request goes out with nothing to report, or not at all."""
    try:
        result = fit(request, can, on_unsupported="strict")
    except UnsupportedFeatureError:
        return
    assert () == result.adjustments == fit(request, can).adjustments


@given(requests, capabilities)
def test_fitting_changes_neither_request_nor_capabilities(request: Request, can: Capabilities):
    """It is pure: what went in is as it was, and the same comes out again."""
    before = copy.deepcopy(request), copy.deepcopy(can)
    outcomes = []
    for _ in range(2):
        try:
            outcomes.append(repr(fit(request, can)))
        except UnsupportedFeatureError as error:
            outcomes.append(str(error))

    assert before == (request, can)
    assert outcomes[0] == outcomes[1]


FOREIGN = Opaque("other", "chat", {"signature": "secret-of-other"})
OWN = Opaque("acme", "chat", {"signature": "own"})


@pytest.mark.parametrize(
    "message",
    [
        assistant(Reasoning("hm", FOREIGN), Text("a", state=FOREIGN), FOREIGN),
        assistant(Text("a", state=replace(FOREIGN, provider="acme", transport="responses"))),
        user(Text("a", state=FOREIGN)),
        Message("user", (Text("a"), Opaque("other", "chat", {"annotations": "secret-of-other"}))),
        assistant(Text("a"), Citation("q", state=FOREIGN)),
    ],
)
def test_foreign_state_stays_at_home(message: Message):
    """A signature of one provider is never shown to another, nor to another surface of the same."""
    result = fitted(Request([message, user("go on")]))

    assert "secret-of-other" in repr(message)
    assert "secret-of-other" not in repr(result.request)
    assert ["messages"] == [it.field for it in result.adjustments]


def test_foreign_state_of_instructions_and_results_stays_at_home_too():
    """Wherever a state can stand."""
    answer = tool_results(ToolResult("1", (Text("b", state=FOREIGN),)))
    conversation = [user("a"), assistant(ToolCall("1", "f", state=FOREIGN)), answer]
    request = Request(conversation, system=[Text("s", state=FOREIGN)])

    assert "secret-of-other" not in repr(fitted(request).request)


def test_own_state_goes_back_untouched():
    """The same object: not a byte of a signature changes."""
    request = Request([assistant(Reasoning("hm", OWN), Text("a"), OWN), user("go on")])

    assert request is fitted(request).request


def test_a_question_in_another_dialect_is_refused():
    """A file id of one provider is part of the question: leaving it out would ask something else."""
    block = Opaque("other", "chat", {"type": "file", "file": {"file_id": "1"}})

    assert "messages" == refused(Request(user("read it", block))).field


@given(st.lists(messages, max_size=4), st.sampled_from(["acme", "other"]), st.sampled_from(["chat", "responses"]))
def test_no_foreign_state_ever_passes(conversation: list[Message], provider: str, transport: str):
    """Whatever the conversation."""
    try:
        result = fit(Request(conversation), Capabilities(), provider=provider, transport=transport)
    except (UnsupportedFeatureError, ConfigError):
        return
    for message in result.request.messages:
        inner = [part for it in message.parts if isinstance(it, ToolResult) for part in it.parts]
        for part in (*message.parts, *inner):
            state = part if isinstance(part, Opaque) else getattr(part, "state", None)
            assert state is None or (provider, transport) == (state.provider, state.transport)


CALL, RESULT = ToolCall("1", "f"), ToolResult("1", "ok")


@pytest.mark.parametrize(
    "conversation",
    [
        [user("a"), assistant(CALL), tool_results(RESULT)],
        [user("a"), assistant("b", CALL, ToolCall("2", "g")), tool_results(RESULT, ToolResult("2", "ok")), user("c")],
        [user("a"), assistant(CALL, ToolCall("2", "g")), tool_results(RESULT), tool_results(ToolResult("2", "ok"))],
        [user("a"), assistant(CALL), user(RESULT, "and this")],
        [user("a"), assistant(CALL), tool_results(RESULT), assistant(CALL), tool_results(RESULT)],
    ],
)
def test_calls_and_results_that_pair_are_sent(conversation: list[Message]):
    """One result for each call, directly after it, in one message or several."""
    assert fitted(Request(conversation)).adjustments == ()


@pytest.mark.parametrize(
    "conversation, words",
    [
        ([user("a"), assistant(CALL)], "not answered"),
        ([user("a"), assistant(CALL), user("b"), tool_results(RESULT)], "not answered"),
        ([user("a"), assistant(CALL, ToolCall("2", "g")), tool_results(RESULT), user("c")], "'2'"),
        ([user("a"), tool_results(RESULT)], "answers no call"),
        ([user("a"), assistant(CALL), tool_results(ToolResult("9", "ok"))], "'9' answers no call"),
        ([user("a"), assistant(CALL), tool_results(RESULT, RESULT)], "answers no call"),
        ([user("a"), assistant(CALL), tool_results(RESULT), tool_results(RESULT)], "answers no call"),
        ([user("a"), assistant(CALL, CALL), tool_results(RESULT)], "share the id"),
    ],
)
def test_calls_and_results_that_do_not_pair_are_refused(conversation: list[Message], words: str):
    """The call is named, and how to answer it."""
    error = refused(Request(conversation))

    assert words in error.message
    assert error.hint


def test_urls_are_told_from_bytes_without_reading_them():
    """A picture of ten megabytes is not encoded to find out that it is no URL."""
    assert fitted(Request(user(Image(b"?" * 10)))).adjustments == ()
    assert "images" == refused(Request(user(Image("https://a/b.png"))), image_urls=NO).field
    assert fitted(Request(user(system("x").parts[0]))).adjustments == ()
