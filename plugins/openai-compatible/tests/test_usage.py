"""Token counts in neutral terms: input with all that was cached, output with all that was thought."""

import pytest
from compatible_driving import chunk, read, sse, whole
from hypothesis import given
from hypothesis import strategies as st

from byollm.plugin import Usage
from byollm_openai_compatible.usage import chat_usage


def usage(told, **document):
    return chat_usage(told, document)


OPENAI = {
    "prompt_tokens": 10, "completion_tokens": 20, "total_tokens": 30,
    "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 3, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 5, "accepted_prediction_tokens": 0},
}  # fmt: skip


def test_openais_counts():
    """Details of details that are zero are left out."""
    assert Usage(10, 20, 4, 3, 5) == usage(OPENAI)


@pytest.mark.parametrize("told", [
    {"prompt_cache_hit_tokens": 4, "prompt_cache_miss_tokens": 6}, {"cached_tokens": 4}, {"num_cached_tokens": 4},
    {"cache_read_input_tokens": 4},
])  # fmt: skip
def test_cached_tokens_have_many_names(told):
    """DeepSeek, Together and Moonshot, Mistral, Databricks."""
    assert Usage(10, 20, 4) == usage({"prompt_tokens": 10, "completion_tokens": 20, **told})


def test_what_was_written_to_a_cache_has_two_names_among_the_details():
    """OpenAI's, and Alibaba's."""
    told = {"prompt_tokens": 10, "completion_tokens": 20, "prompt_tokens_details": {"cache_creation_input_tokens": 3}}

    assert Usage(10, 20, cache_write_tokens=3) == usage(told)


def test_reasoning_outside_the_output_is_put_inside():
    """xAI's total is the sum of three; Gemini's total shows thoughts that nothing else does."""
    outside = {"prompt_tokens": 10, "completion_tokens": 10, "total_tokens": 297}

    assert 287 == usage({**outside, "completion_tokens_details": {"reasoning_tokens": 277}}).output_tokens
    assert 287 == usage(outside).output_tokens
    assert 287 == usage({**outside, "total_tokens": 20, "reasoning_tokens": 277}).output_tokens


def test_reasoning_a_little_over_the_output_is_a_miscount():
    """A server that counts 132 of 128 left nothing out."""
    told = {"prompt_tokens": 16, "completion_tokens": 128, "total_tokens": 144, "reasoning_tokens": 132}

    assert 132 == usage(told).output_tokens


def test_a_target_may_say_that_reasoning_is_outside():
    """Where no number shows it."""
    told = {"prompt_tokens": 1, "completion_tokens": 20, "completion_tokens_details": {"reasoning_tokens": 5}}

    assert 25 == whole({"content": "a"}, document={"usage": told}, reasoning_outside_usage=True).usage.output_tokens


def test_sound_left_out_of_the_prompt_is_put_inside():
    """Mistral's total counts the audio tokens that its prompt_tokens leave out."""
    told = {
        "prompt_tokens": 10,
        "completion_tokens": 5,
        "total_tokens": 390,
        "prompt_tokens_details": {"audio_tokens": 375},
    }

    assert (385, 5) == (usage(told).input_tokens, usage(told).output_tokens)


def test_what_has_no_neutral_name_is_kept():
    """Cost, times, the tier that served."""
    told = usage({"prompt_tokens": 1, "completion_tokens": 2, "cost": 0.5, "queue_time": 0.1}, service_tier="flex")

    assert {"cost": 0.5, "queue_time": 0.1, "service_tier": "flex"} == told.details


def test_running_counts_are_not_added_up():
    """The last value that was told wins; null tells nothing."""
    running = [{"prompt_tokens": 3, "completion_tokens": number} for number in (1, 2, 3)]

    reply = read(sse(*(chunk({"content": "a"}, usage=told) for told in running), chunk({}, "stop", usage=None)))

    assert (3, 3) == (reply.usage.input_tokens, reply.usage.output_tokens)


def test_usage_may_stand_beside():
    """Groq's streams told it in x_groq."""
    tail = chunk({}, "stop", x_groq={"usage": {"prompt_tokens": 3, "completion_tokens": 4}})

    assert 4 == read(sse(chunk({"content": "a"}), tail)).usage.output_tokens


def test_not_told_is_none():
    """byollm invents no numbers."""
    assert Usage() == whole({"content": "a"}).usage
    assert Usage() == whole({"content": "a"}, document={"usage": None}).usage


COUNT = st.none() | st.integers(0, 10**6)


NAMES = ("prompt_tokens", "completion_tokens", "total_tokens", "reasoning_tokens", "cached_tokens")


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(NAMES, COUNT)))
def test_the_whole_contains_its_parts(told):
    """Input holds what was cached and output what was thought, whatever the numbers."""
    found = usage(told)

    assert found.input_tokens is None or (found.cached_tokens or 0) <= found.input_tokens
    assert (
        found.output_tokens is None
        or found.input_tokens is None
        or (found.reasoning_tokens or 0) <= found.output_tokens
    )


@pytest.mark.parametrize("told", [-1, 1.5, 10**30, True, "12", [3]])
def test_what_is_no_count_is_unknown(told):
    """Conformance USE-03: never a figure that was made up."""
    assert usage({"prompt_tokens": told, "completion_tokens": 3}).input_tokens is None


def test_a_whole_number_may_be_written_with_a_point():
    """Some servers count in floats."""
    assert 12 == usage({"prompt_tokens": 12.0, "completion_tokens": 3}).input_tokens
