"""LAW-06: whole conversations, turn by turn, as programs have them."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis import strategies as st
from hypothesis.reporting import with_reporter
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from byollm.types.messages import Message, user
from byollm.types.parts import Part, Text, ToolCall, ToolResult
from byollm.types.request import Request
from byollm.types.serialize import dump_messages, load_messages
from byollm_conformance.checks.sampling import settled
from byollm_conformance.effort import Effort
from byollm_conformance.generate import has_ids, spared
from byollm_conformance.judge import alike, completed, spoken
from byollm_conformance.mirror import TOOL
from byollm_conformance.model import Broken, check
from byollm_conformance.strategies import arguments, texts
from byollm_conformance.subject import Subject
from byollm_conformance.wire import Answer

TURNS = 30


@check(
    "LAW-06",
    "MUST",
    "A conversation stays one that the provider takes, turn after turn; earlier turns are written again as they were, "
    "so that a prompt cache still matches, after being saved and loaded too.",
    spec="spec/messages.md#32",
    needs=("wire",),
)
def conversations_stay_valid(subject: Subject, effort: Effort) -> None:
    """Up to 30 turns: questions, answers with and without calls, results, streamed or not."""
    machine = seed(effort.seed)(_machine(subject))
    phases = [Phase.generate, *([Phase.shrink] if effort.shrink else [])]
    with with_reporter(lambda text: None):
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=effort.scaled(0.02),
                stateful_step_count=TURNS,
                database=None,
                deadline=None,
                phases=phases,
                verbosity=Verbosity.quiet,
                suppress_health_check=list(HealthCheck),
                report_multiple_bugs=False,
                print_blob=False,
            ),
        )


class Conversation:
    """A history that grows, and what the other end saw of it last."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.tools = not subject.support("tools").refused
        self.ids = not self.tools or has_ids(subject)
        self.fixed: dict[str, Any] = {**settled(subject), **({"tools": [TOOL]} if self.tools else {})}
        if not subject.support("system").refused:
            self.fixed["system"] = "be brief"
        self.history: list[Message] = []
        self.before: list[Any] = []
        self.calls: tuple[ToolCall, ...] = ()
        self.asked = False

    def ask(self, message: Message) -> None:
        """One more turn of the caller's; the request is looked at from the other end."""
        self.history.append(message)
        self.asked = True
        subject = self.subject
        subject.count()
        request = Request(self.history, **self.fixed)
        made = subject.translate(request)
        rejection = subject.rejected(made)
        if rejection is not None:
            raise Broken(
                f"after {len(self.history)} turns the provider would refuse: {rejection.message}", body=made.body
            )
        again = subject.translate(Request(load_messages(dump_messages(self.history)), **self.fixed))
        alike(made.body, again.body, "saved and loaded, the conversation is written otherwise", history=self.history)
        turns = [(turn.role, turn.parts) for turn in subject.seen(made).messages]
        kept = turns[: len(self.before)]
        alike(self.before, kept, "earlier turns are written otherwise than before", history=self.history)
        self.before = turns[:-1]

    def answer(self, answer: Answer, stream: bool) -> None:
        """The provider's turn, read by the plugin and put into the history."""
        answer = spared(self.subject, answer)
        rendered = self.subject.dialect.render(answer, stream)
        request = Request(self.history, **self.fixed)
        reply = completed(self.subject.read(rendered, stream=stream, request=request), body=rendered.body)
        alike(
            spoken(answer.parts, self.ids),
            spoken(reply.parts, self.ids),
            "in a conversation the answer was read changed",
        )
        self.history.append(reply.message)
        self.calls, self.asked = reply.tool_calls, False


def _visible() -> st.SearchStrategy[str]:
    return texts(min_size=1).map(lambda text: f"[{text}]")


def _machine(subject: Subject) -> type[RuleBasedStateMachine]:
    streams = st.just(False) if subject.support("streaming").refused else st.booleans()

    class Machine(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.talk = Conversation(subject)

        @precondition(lambda self: not self.talk.asked and not self.talk.calls)
        @rule(text=_visible())
        def question(self, text: str) -> None:
            self.talk.ask(user(text))

        @precondition(lambda self: self.talk.asked)
        @rule(text=_visible(), stream=streams)
        def says(self, text: str, stream: bool) -> None:
            self.talk.answer(Answer(parts=(Text(text),), events=6), stream)

        @precondition(lambda self: self.talk.asked and self.talk.tools)
        @rule(text=st.none() | _visible(), given=st.lists(arguments(), min_size=1, max_size=3), stream=streams)
        def calls(self, text: str | None, given: list[str], stream: bool) -> None:
            first = len(self.talk.history) * 10
            made = [ToolCall(f"call_{first + at}", TOOL.name, value) for at, value in enumerate(given)]
            said: tuple[Part, ...] = (Text(text),) if text else ()
            self.talk.answer(Answer(parts=(*said, *made), events=6), stream)

        @precondition(lambda self: bool(self.talk.calls))
        @rule(text=_visible(), failed=st.booleans())
        def results(self, text: str, failed: bool) -> None:
            flag = failed and not subject.support("tool_error_flag").refused
            parts = tuple(ToolResult(call.id, (Text(text),), flag) for call in self.talk.calls)
            self.talk.calls = ()
            self.talk.ask(Message("tool", parts))

    return Machine
