"""Stop strings where a provider has none: the answer ends before the first of them."""

from typing import Any

import pytest
from core_driving import Acme, Script, line, run, run_async, said
from hypothesis import example, given
from hypothesis import strategies as st

from byollm import Capabilities, Finished, ReasoningDelta, Started, Support, TextDelta, Usage, UsageReported
from byollm.engine.cut import StopCutter

letters = st.text("ab.", max_size=30)
stops = st.lists(st.text("ab.", min_size=1, max_size=4), min_size=1, max_size=3, unique=True).map(tuple)


def before(text: str, stop: tuple[str, ...]) -> str:
    """The law: what stands before the stop string that is complete first; of two that end at one place, the longer."""
    for end in range(len(text) + 1):
        ended = [it for it in stop if text[:end].endswith(it)]
        if ended:
            return text[: end - max(map(len, ended))]
    return text


def shown(events: list[Any]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


@given(st.lists(letters, max_size=8), stops)
@example(["a", ".", "b"], (".", "a.b"))
@example(["a.b"], (".", "a.b"))
@example(["ba"], ("a", "ba"))
def test_the_answer_ends_before_the_first_stop_string(pieces: list[str], stop: tuple[str, ...]):
    """However the text arrives, and wherever the stop string is cut."""
    cutter = StopCutter(stop)
    out = [event for piece in pieces for event in cutter.feed([TextDelta(0, piece)])]
    out += cutter.feed([Finished("stop", "end")])
    text = "".join(pieces)

    assert before(text, stop) == shown(out)
    assert cutter.cut == any(it in text for it in stop)
    (finish,) = [event for event in out if isinstance(event, Finished)]
    assert (finish.raw in stop) if cutter.cut else (finish.raw == "end")


@given(st.lists(letters, max_size=8), stops)
def test_what_is_shown_never_has_to_be_taken_back(pieces: list[str], stop: tuple[str, ...]):
    """At every moment, what was shown is the beginning of what will have been shown."""
    cutter, text, out = StopCutter(stop), "", ""
    for piece in pieces:
        if not cutter.cut:
            text += piece
            out += shown(cutter.feed([TextDelta(0, piece)]))
            assert before(text, stop).startswith(out)
            assert len(text) - len(out) < max(map(len, stop)) or cutter.cut


@given(st.lists(st.tuples(st.integers(0, 1), letters), max_size=8), stops)
def test_parts_are_cut_each_on_their_own(pieces: list[tuple[int, str]], stop: tuple[str, ...]):
    """The end of one part and the beginning of another are no stop string together; until one comes, all is shown."""
    cutter = StopCutter(stop)
    out = [event for index, piece in pieces for event in cutter.feed([TextDelta(index, piece)])]
    out += cutter.feed([Finished("stop", "end")])

    if not cutter.cut:
        for index in (0, 1):
            said_ = "".join(piece for at, piece in pieces if at == index)
            assert said_ == "".join(it.text for it in out if isinstance(it, TextDelta) and it.index == index)


def test_other_events_pass_and_nothing_follows_the_cut():
    """Reasoning is not cut; after the stop string there is only the end."""
    cutter = StopCutter(("END",))
    events: list[Any] = [
        Started(),
        ReasoningDelta(0, "END"),
        TextDelta(1, "so EN"),
        TextDelta(1, "D more"),
        UsageReported(Usage()),
    ]

    assert [Started(), ReasoningDelta(0, "END"), TextDelta(1, "so "), Finished("stop", "END")] == cutter.feed(events)
    assert [] == cutter.feed([TextDelta(1, "x")])


def test_usage_does_not_release_what_is_held():
    """Counts come in between; what could be a stop string still waits."""
    cutter = StopCutter(("END",))

    assert [UsageReported(Usage())] == cutter.feed([TextDelta(0, "EN"), UsageReported(Usage())])
    assert [TextDelta(0, "EN"), Finished("stop", None)] == cutter.feed([Finished("stop")])


@pytest.mark.parametrize("ask", [run, run_async])
@pytest.mark.parametrize("stream", [True, False])
def test_a_call_is_cut_by_the_core(ask: Any, stream: bool):
    """Streamed or whole: the provider never sees `stop`, the connection is dropped, the caller is told."""
    plugin = Acme(capabilities=Capabilities(stop=Support.unsupported))
    script = Script(said("one, t", "wo, three", " four"))

    done = ask(line(plugin), script, stop=["two", "four"], stream=stream)

    assert ("one, ", "stop", "two") == (done.reply.text, done.reply.finish_reason, done.reply.raw_finish_reason)
    assert (None, [False], ["stop"]) == (
        plugin.asked[0].stop, script.closed, [it.field for it in done.reply.adjustments],
    )  # fmt: skip
