"""What is taken unseen is what `fit()` would hand back untouched."""

from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from byollm import Capabilities, Request, Support, Text, Tool, assistant, system, user
from byollm.providers.fit import Fitted, fit
from byollm.providers.taken import Taken
from byollm.types.capabilities import FEATURES
from byollm.types.messages import Message
from byollm.types.request import EFFORTS, PARAMETERS

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "system": st.sampled_from(["be brief", [Text("be", cache="5m")]]),
    "temperature": st.floats(0, 2),
    "top_p": st.floats(0, 2),
    "top_k": st.integers(0, 9),
    "max_tokens": st.integers(1, 99),
    "stop": st.lists(st.sampled_from("abcd"), min_size=1, unique=True),
    "seed": st.integers(0, 9),
    "frequency_penalty": st.floats(-2, 2),
    "presence_penalty": st.floats(-2, 2),
    "logit_bias": st.just({"7": 1}),
    "logprobs": st.integers(0, 3),
    "n": st.integers(1, 2),
    "tools": st.just([Tool("f")]),
    "tool_choice": st.sampled_from(["auto", "required"]),
    "parallel_tool_calls": st.booleans(),
    "output_schema": st.just({"type": "object"}),
    "reasoning_effort": st.sampled_from(EFFORTS),
    "verbosity": st.just("low"),
    "service_tier": st.sampled_from(["auto", "flex"]),
    "cache_key": st.just("k"),
    "end_user_id": st.just("u"),
    "metadata": st.just({"a": "b"}),
    "store": st.booleans(),
    "prefill": st.booleans(),
    "extra": st.just({"acme": {"a": 1}}),
    "stream": st.booleans(),
}
MESSAGES: st.SearchStrategy[Any] = st.just("hi") | st.lists(
    st.sampled_from(
        [
            user("a"),
            user("a", Text("b", cache="5m")),
            system("s"),
            assistant("b"),
            Message("user", ("c",), "ann"),
            Message("tool", ("d",)),
        ]
    ),
    min_size=1,
    max_size=3,
)
asked = st.lists(st.sampled_from(sorted(PARAMETERS)), max_size=4, unique=True).flatmap(
    lambda names: st.builds(Request, MESSAGES, **{name: st.none() | VALUES[name] for name in names})
)
able = st.builds(
    Capabilities,
    **dict.fromkeys(FEATURES, st.sampled_from([*Support, *[Support.unknown, Support.full] * 5])),
    temperature_range=st.none() | st.just((0.0, 1.0)),
    max_output_tokens=st.none() | st.just(50),
    stop_limit=st.none() | st.integers(1, 3),
    reasoning_efforts=st.none() | st.lists(st.sampled_from(EFFORTS), min_size=1, unique=True).map(tuple),
    default_effort=st.none() | st.sampled_from(EFFORTS),
    service_tiers=st.none() | st.just(("auto",)),
    sampling_needs_no_reasoning=st.booleans(),
    temperature_xor_top_p=st.booleans(),
)  # fmt: skip


def test_every_parameter_is_tried():
    """A new parameter is held to the law below as well."""
    assert set(VALUES) == PARAMETERS


@settings(max_examples=300)
@given(asked, able)
def test_what_is_taken_unseen_fit_leaves_alone(request: Request, can: Capabilities):
    """For any request and any model: no change, no refusal, nothing to report."""
    assume(Taken(can).takes(request))

    assert Fitted(request) == fit(request, can, provider="acme", transport="chat")


@given(asked, able)
def test_what_is_taken_unseen_is_the_same_object(request: Request, can: Capabilities):
    """Nobody downstream can tell who decided."""
    assume(Taken(can).takes(request))

    assert request is fit(request, can, provider="acme", transport="chat").request


def test_the_usual_request_is_taken_unseen():
    """A few texts and a few parameters, at a model of which little is known."""
    request = Request([system("Be brief."), user("Hello")], temperature=0.5, max_tokens=100, stop="x", seed=None)

    assert Taken(Capabilities()).takes(request)


def test_a_value_beyond_a_limit_is_for_fit_to_judge():
    """Ranges are looked at, value by value."""
    taken = Taken(Capabilities(temperature_range=(0.0, 1.0), max_output_tokens=50))

    found = [
        taken.takes(Request("hi", temperature=heat, max_tokens=most)) for heat, most in [(1, 50), (2, 50), (1, 51)]
    ]

    assert [True, False, False] == found
