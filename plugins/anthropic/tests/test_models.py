"""What each Claude takes, and how effort is said to it."""

import json

import pytest
from anthropic_driving import exchange, fitted, result, say, target

from byollm.plugin import (
    Frame,
    Head,
    Opaque,
    Request,
    Support,
    Tool,
    ToolCall,
    UnsupportedFeatureError,
)
from byollm_anthropic import provider
from byollm_anthropic.dialect import Host, capabilities_of, family_of
from byollm_anthropic.families import FAMILIES, NOT_CLAUDE, UNKNOWN_CLAUDE
from byollm_anthropic.manifest import MANIFEST

CLAUDES = [f"claude-{name}" for name in FAMILIES]
FORCING = [
    "claude-fable-5-1",
    "claude-fable-5-2",
    "claude-mythos-5-1",
    "claude-mythos-5-2",
    "claude-opus-5-5",
    "claude-sonnet-5-5",
]
TOOL = Tool("f")


@pytest.mark.parametrize("model", CLAUDES)
def test_the_essentials_of_every_claude_are_known(model):
    """Window, output, tools, streaming, structured output and the range of temperature, each with its source."""
    can = provider.capabilities(target(model))

    assert None not in (can.context_window, can.default_max_tokens, can.temperature_range)
    assert Support.unknown not in (can.tools, can.streaming, can.structured_output, can.temperature)
    assert (can.default_max_tokens or 0) <= (can.max_output_tokens or 0)
    assert {"context_window", "tools", "structured_output", "temperature_range"} <= {
        name for name, source in can.sources.items() if source
    }


@pytest.mark.parametrize(
    ("model", "family"),
    [
        ("claude-opus-4-5-20251101", "opus-4-5"),
        ("claude-haiku-4-5@20251001", "haiku-4-5"),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "sonnet-4-5"),
        ("anthropic/claude-haiku-4.5", "haiku-4-5"),
        ("claude-3-5-haiku-latest", "3-5-haiku"),
        ("claude-3-opus", "3-opus"),
        ("claude-3.5-sonnet", "3-5-sonnet"),
        ("claude-sonnet-4-0", "sonnet-4"),
        ("claude-4-opus-20250514", "opus-4"),
        ("claude-opus-5-5", "opus-5-5"),
        ("Claude-Sonnet-5", "sonnet-5"),
    ],
)
def test_a_model_is_found_under_any_hosts_name(model, family):
    """Prefixes, dates, dots and suffixes of hosts do not hide a family."""
    assert family == family_of(model).name


def test_a_claude_nobody_knows_follows_the_newest_rules():
    """Its window is unknown, hints the newer families reject are left out, and contracts are sent as they stand."""
    can = capabilities_of("claude-opus-9", Host())

    assert family_of("claude-opus-9") is UNKNOWN_CLAUDE
    assert (can.context_window, can.temperature, can.tools) == (None, Support.unsupported, Support.full)
    assert (can.tool_choice_required, can.prefill) == (Support.unknown, Support.unknown)


def test_another_model_behind_this_wire_is_sent_what_the_user_set():
    """Of a model that is no Claude nothing is claimed, so nothing is left out but what the wire has no word for."""
    made, adjusted = fitted(Request("hi", temperature=0.3, seed=1), "gpt-oss:20b", endpoint="http://127.0.0.1:11434")

    assert family_of("gpt-oss:20b") is NOT_CLAUDE
    assert (made["temperature"], made["max_tokens"], adjusted) == (0.3, 4096, {"seed"})


@pytest.mark.parametrize("version", ["2023-06-01", "2026-10-21"])
@pytest.mark.parametrize("model", CLAUDES)
def test_a_sampling_parameter_reaches_only_models_that_take_it(model, version):
    """Newer models, and the second API version on every model, reject all three."""
    made, adjusted = fitted(Request("hi", temperature=0.4, top_k=5), model, options={"version": version})

    sent = {"temperature", "top_k"} & made.keys()
    assert sent | adjusted == {"temperature", "top_k"}
    assert not (sent & adjusted)
    assert bool(sent) == (version == "2023-06-01" and FAMILIES[model.removeprefix("claude-")].sampling is Support.full)


def test_temperature_and_top_p_do_not_meet():
    """Claude 4 rejects the pair: temperature stays, the caller is told."""
    made, adjusted = fitted(Request("hi", temperature=0.4, top_p=0.5), "claude-sonnet-4-5")

    assert (made["temperature"], "top_p" in made, adjusted) == (0.4, False, {"top_p"})


def test_temperature_above_one_is_clamped():
    """The neutral range ends at 2, this one at 1."""
    assert fitted(Request("hi", temperature=1.7), "claude-sonnet-4-6")[0]["temperature"] == 1.0


ADAPTIVE = {"type": "adaptive"}
EFFORTS = [
    ("claude-haiku-4-5", "none", None, None),
    ("claude-haiku-4-5", "minimal", {"type": "enabled", "budget_tokens": 1024}, None),
    ("claude-haiku-4-5", "max", {"type": "enabled", "budget_tokens": 15999}, None),
    ("claude-sonnet-4-5", "medium", {"type": "enabled", "budget_tokens": 8192}, None),
    ("claude-opus-4-5", "low", {"type": "enabled", "budget_tokens": 2048}, "low"),
    ("claude-opus-4-5", "xhigh", {"type": "enabled", "budget_tokens": 15999}, "high"),
    ("claude-opus-4-6", "none", None, None),
    ("claude-opus-4-6", "xhigh", ADAPTIVE, "max"),
    ("claude-sonnet-4-6", "minimal", ADAPTIVE, "low"),
    ("claude-opus-4-7", "xhigh", ADAPTIVE, "xhigh"),
    ("claude-opus-4-8", "none", None, None),
    ("claude-sonnet-5", "none", {"type": "disabled"}, None),
    ("claude-opus-5", "none", {"type": "disabled"}, None),
    ("claude-opus-5", "max", ADAPTIVE, "max"),
    ("claude-haiku-5-5", "none", {"type": "disabled"}, None),
    ("claude-fable-5", "none", ADAPTIVE, "low"),
    ("claude-sonnet-5-5", "none", ADAPTIVE, "low"),
    ("claude-opus-5-5", "medium", ADAPTIVE, "medium"),
    ("claude-3-opus", "high", None, None),
]


@pytest.mark.parametrize(("model", "effort", "thinking", "level"), EFFORTS)
def test_effort_is_said_as_the_model_understands_it(model, effort, thinking, level):
    """A budget on old models, adaptive thinking with a level on newer ones, `disabled` only where it is allowed."""
    made, _ = fitted(
        Request("hi", reasoning_effort=effort, max_tokens=21332 if "budget" in str(thinking) else None), model
    )

    assert thinking == made.get("thinking")
    assert level == made.get("output_config", {}).get("effort")


def test_a_budget_leaves_room_for_the_answer():
    """The budget counts inside max_tokens."""
    made, _ = fitted(Request("hi", reasoning_effort="high", max_tokens=2000), "claude-haiku-4-5")

    assert {"type": "enabled", "budget_tokens": 1500} == made["thinking"]


@pytest.mark.parametrize(
    "request_",
    [
        Request("hi", reasoning_effort="high", max_tokens=1024),
        Request("hi", reasoning_effort="high", tools=[TOOL], tool_choice="required"),
        Request(
            [
                say("user", "a"),
                say("assistant", (ToolCall("1", "f"),)),
                say("tool", (result("1", "x"),)),
            ],
            tools=[TOOL],
            reasoning_effort="high",
        ),
    ],
)
def test_effort_gives_way_where_manual_thinking_would_be_refused(request_):
    """Too few tokens, a forced tool, a tool turn of another model: effort is a hint, and the caller is told."""
    made, adjusted = fitted(request_, "claude-haiku-4-5")

    assert "thinking" not in made
    assert "reasoning_effort" in adjusted


def test_a_tool_turn_with_its_own_thinking_goes_on_thinking():
    """The turn being answered begins with its signed thought."""
    from byollm.plugin import Reasoning

    thought = Reasoning("so", Opaque("anthropic", "messages", {"signature": "s"}))
    messages = [
        say("user", "a"),
        say("assistant", (thought, ToolCall("1", "f"))),
        say("tool", (result("1", "x"),)),
    ]
    made, adjusted = fitted(Request(messages, tools=[TOOL], reasoning_effort="low"), "claude-haiku-4-5")

    assert (made["thinking"]["type"], made["messages"][1]["content"][0]["type"], adjusted) == (
        "enabled",
        "thinking",
        set(),
    )


@pytest.mark.parametrize("display", ["summarized", "omitted"])
def test_reasoning_text_is_shown_when_the_file_asks(display):
    """Newer models show none by default."""
    asked = exchange(Request("hi"), "claude-opus-5-5", options={"thinking_display": display})

    assert json.loads(asked.request.body)["thinking"] == {"type": "adaptive", "display": display}


@pytest.mark.parametrize("model", CLAUDES)
@pytest.mark.parametrize("choice", ["required", "f"])
def test_a_forced_tool_is_refused_by_name_where_the_model_refuses_it(model, choice):
    """A contract is never weakened."""
    request = Request("hi", tools=[TOOL], tool_choice=choice)

    if model in FORCING:
        with pytest.raises(UnsupportedFeatureError) as raised:
            fitted(request, model)
        assert raised.value.field == "tool_choice"
    else:
        assert fitted(request, model)[0]["tool_choice"]["type"] in ("any", "tool")


@pytest.mark.parametrize(
    ("model", "takes"), [("claude-opus-4-5", True), ("claude-sonnet-4-6", False), ("claude-opus-5", False)]
)
def test_prefill_ended_with_the_four_six_models(model, takes):
    """Before sending, not as a 400."""
    request = Request([say("user", "a"), say("assistant", "b")], prefill=True)

    if takes:
        assert fitted(request, model)[0]["messages"][-1]["role"] == "assistant"
    else:
        with pytest.raises(UnsupportedFeatureError):
            fitted(request, model)


def test_max_tokens_never_exceeds_the_model():
    """More is clamped and reported."""
    made, adjusted = fitted(Request("hi", max_tokens=10**7), "claude-haiku-4-5")

    assert (made["max_tokens"], adjusted) == (64_000, {"max_tokens"})


@pytest.mark.parametrize("name", sorted(MANIFEST.models))
def test_every_retired_name_has_a_living_successor(name):
    """`byollm check` can say what to write instead."""
    note = MANIFEST.models[name]

    assert note.replacement not in MANIFEST.models
    assert family_of(note.replacement or "").known


def test_the_models_endpoint_mends_the_bundled_answer():
    """What the provider says of itself wins over what was bundled, and says that it is the source."""
    static = provider.capabilities(target("claude-opus-9"))
    asked = static.refine
    said = {"id": "claude-opus-9", "max_input_tokens": 2_000_000, "max_tokens": 256_000,
            "capabilities": {"pdf_input": {"supported": False}, "thinking": {"supported": True}}}  # fmt: skip
    (refined,) = asked.reader(Head(200, {}))(Frame("", said))

    assert asked.request.url == "https://api.anthropic.com/v1/models/claude-opus-9"
    assert (refined.context_window, refined.max_output_tokens, refined.documents) == (
        2_000_000,
        256_000,
        Support.unsupported,
    )
    assert (refined.sources["context_window"], refined.temperature) == ("GET /v1/models", static.temperature)


def test_the_passport_says_where_a_key_may_go():
    """One host, one variable, x-api-key first, no beta and the first version by default."""
    options = MANIFEST.options.model_validate({})

    assert (MANIFEST.name, MANIFEST.hosts, MANIFEST.apis) == ("anthropic", ("api.anthropic.com",), ("messages",))
    assert MANIFEST.credentials == {"api_key": ("ANTHROPIC_API_KEY",)}
    assert next(iter(MANIFEST.authentication)) == "api-key"
    assert (options.version, options.betas) == ("2023-06-01", [])


@pytest.mark.parametrize("word", ["version", "anthropic_version"])
def test_the_version_has_two_names_and_two_values(word):
    """In a file of one target `version` is the file's own, so the header's own name works too."""
    assert MANIFEST.options.model_validate({word: "2026-10-21"}).model_dump()["version"] == "2026-10-21"
    with pytest.raises(ValueError, match="2023-06-01"):
        MANIFEST.options.model_validate({word: "2024-01-01"})
