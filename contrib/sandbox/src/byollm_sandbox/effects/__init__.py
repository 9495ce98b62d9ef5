"""Faults at work: on the answer, instead of it, on its events, on its bytes, in time."""

from __future__ import annotations

from dataclasses import replace

from byollm.types.usage import Usage
from byollm_sandbox.answers import Answer
from byollm_sandbox.effects.events import alter_events
from byollm_sandbox.effects.instead import instead
from byollm_sandbox.effects.octets import alter_bytes
from byollm_sandbox.effects.scene import DRIP, Scene
from byollm_sandbox.faults import Fault
from byollm_sandbox.wire import End, Reply, Step

SETTLE = 0.03
"""Seconds before an RST, so that what was written before it arrives first."""


def alter_answer(fault: Fault, answer: Answer) -> Answer:
    """The answer as the fault wants it."""
    for kind in fault.kinds:
        if kind == "empty-filtered":
            answer = replace(answer, parts=(), pieces=None, refusal=None, finish_reason="content_filter")
        elif kind == "unknown-finish":
            word = fault.options.get("value", "galaxy_brain")
            answer = replace(answer, finish_reason="other", raw_finish_reason=word)
        elif kind == "stop-with-tools":
            answer = replace(answer, finish_reason="stop")
        elif kind == "no-usage":
            answer = replace(answer, usage=Usage())
        elif kind == "pause":
            answer = replace(answer, pause=float(fault.options.get("seconds", DRIP)))
    return answer


def alter_reply(scene: Scene, reply: Reply) -> Reply:
    """The rendered reply as the fault wants it."""
    for kind in scene.fault.kinds:
        alter_events(kind, scene, reply)
        alter_bytes(kind, scene, reply)
    return reply


def alter_steps(fault: Fault, steps: list[Step]) -> list[Step]:
    """What happens in time: waits, drips, silence."""
    if "hang" in fault.kinds:
        after = fault.options.get("after")
        steps = [End.hang] if after is None else [*_head_and_frames(steps, int(after)), End.hang]
    if "drip-head" in fault.kinds and steps and isinstance(steps[0], bytes):
        seconds = float(fault.options.get("seconds", DRIP))
        dripped: list[Step] = []
        for byte in steps[0]:
            dripped += [bytes([byte]), seconds]
        steps = [*dripped, *steps[1:]]
    if "delay" in fault.kinds:
        steps = [float(fault.options.get("seconds", 1.0)), *steps]
    if steps and steps[-1] is End.reset and len(steps) > 1:
        steps = [*steps[:-1], SETTLE, End.reset]
    return steps


def bare(fault: Fault, reply: Reply) -> bool:
    """The connection ends before any byte of an answer."""
    return not {"reset", "disconnect"}.isdisjoint(fault.kinds) and not reply.body


def _head_and_frames(steps: list[Step], after: int) -> list[Step]:
    kept, seen = steps[:1], 0
    for step in steps[1:]:
        if isinstance(step, bytes):
            seen += 1
            if seen > after:
                break
        if not isinstance(step, End):
            kept.append(step)
    return kept


__all__ = ["Scene", "alter_answer", "alter_reply", "alter_steps", "bare", "instead"]
