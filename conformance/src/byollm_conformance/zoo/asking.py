"""Faults of translators: what was asked does not arrive, or something else does."""
# ruff: noqa: D102, RUF012  (a fault is told by the docstring of its class, and is never shared)

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import byollm.plugin as b
from byollm_conformance.zoo.fault import fault
from byollm_conformance.zoo.reference import PARAMETERS, Reference


@fault("REQ-01")
class StripsTexts(Reference):
    """Trims the white space around texts."""

    def block(self, part: Any) -> dict[str, Any]:
        block = super().block(part)
        return {**block, "text": block["text"].strip()} if "text" in block else block

    def content(self, parts: Any) -> Any:
        made = super().content(parts)
        return made.strip() if isinstance(made, str) else made


@fault("REQ-02", alone=True)
class SwapsNeighbours(Reference):
    """Of two turns of one role that stand together it sends the later one first."""

    def body(self, request: b.Request, target: b.Target) -> dict[str, Any]:
        body = super().body(request, target)
        turns = body["messages"]
        for at in range(len(turns) - 1):
            if turns[at]["role"] == turns[at + 1]["role"] == "user":
                turns[at], turns[at + 1] = turns[at + 1], turns[at]
        return body


@fault("REQ-03", alone=True)
class MovesLateInstructions(Reference):
    """Puts every instruction in front, whenever it was given."""

    def body(self, request: b.Request, target: b.Target) -> dict[str, Any]:
        body = super().body(request, target)
        body["messages"].sort(key=lambda turn: turn["role"] not in ("system", "developer"))
        return body


@fault("REQ-04", alone=True)
class DropsEmptyTurns(Reference):
    """Leaves out a user's turn that has no text."""

    def turns(self, message: b.Message) -> Iterator[dict[str, Any]]:
        yield from (turn for turn in super().turns(message) if turn.get("content") or turn["role"] != "user")


@fault("REQ-05")
class EscapesEverything(Reference):
    """Writes ASCII with escapes, halves of surrogate pairs too."""

    def written(self, request: b.Request, target: b.Target) -> bytes:
        return json.dumps(self.body(request, target)).encode()


class Changes(Reference):
    """Changes the parameters of the body."""

    def change(self, sent: dict[str, Any]) -> None:
        """In place."""

    def parameters(self, request: b.Request) -> dict[str, Any]:
        """Changed."""
        sent = super().parameters(request)
        self.change(sent)
        return sent


@fault("REQ-07a")
class DropsTemperature(Changes):
    """Never sends the temperature."""

    def change(self, sent: dict[str, Any]) -> None:
        sent.pop("temperature", None)


@fault("REQ-07a")
class TakesZeroForUnset(Changes):
    """Takes a temperature of 0 for one that was not set."""

    def change(self, sent: dict[str, Any]) -> None:
        if not sent.get("temperature"):
            sent.pop("temperature", None)


@fault("REQ-07b")
class RoundsTopP(Changes):
    """Sends top_p with one digit."""

    def change(self, sent: dict[str, Any]) -> None:
        if "top_p" in sent:
            sent["top_p"] = round(sent["top_p"] - 0.05, 1)


@fault("REQ-07c")
class TopKOffByOne(Changes):
    """Counts top_k from zero."""

    def change(self, sent: dict[str, Any]) -> None:
        sent.update({"top_k": sent["top_k"] - 1} if "top_k" in sent else {})


@fault("REQ-07d")
class AlwaysSeeds(Changes):
    """Sends a seed that nobody set."""

    def change(self, sent: dict[str, Any]) -> None:
        sent.setdefault("seed", 42)


@fault("REQ-07e")
class FirstStopOnly(Changes):
    """Sends the first stop string only."""

    def change(self, sent: dict[str, Any]) -> None:
        sent.update({"stop": sent["stop"][:1]} if "stop" in sent else {})


@fault("REQ-07f")
class CrossesPenalties(Changes):
    """Sends the presence penalty as the frequency penalty."""

    def change(self, sent: dict[str, Any]) -> None:
        sent.update({"frequency_penalty": sent.pop("presence_penalty")} if "presence_penalty" in sent else {})


@fault("REQ-07g")
class CapsFrequencyPenalty(Changes):
    """Cuts the frequency penalty at 1."""

    def change(self, sent: dict[str, Any]) -> None:
        sent.update({"frequency_penalty": min(1, sent["frequency_penalty"])} if "frequency_penalty" in sent else {})


@fault("REQ-07h", alone=True)
class ScalesBias(Changes):
    """Sends a hundredth of each bias."""

    def change(self, sent: dict[str, Any]) -> None:
        if "logit_bias" in sent:
            sent["logit_bias"] = {token: int(value / 100) for token, value in sent["logit_bias"].items()}


@fault("REQ-07i")
class PromisesManyAnswers(Reference):
    """Declares that it answers several times, which nobody can ask for."""

    can = {**Reference.can, "n": "full"}


@fault("REQ-08")
class InventsALimit(Changes):
    """Sends a limit of 4096 tokens that nobody set and nothing declares."""

    def change(self, sent: dict[str, Any]) -> None:
        sent.setdefault("max_tokens", 4096)


@fault("REQ-09", alone=True)
class ClosesYourSchema(Reference):
    """Writes into the caller's own schema."""

    def body(self, request: b.Request, target: b.Target) -> dict[str, Any]:
        if isinstance(request.output_schema, dict):
            request.output_schema.setdefault("additionalProperties", False)
        return super().body(request, target)


@fault("REQ-10")
class AddsANonce(Reference):
    """Puts something new into every body."""

    def body(self, request: b.Request, target: b.Target) -> dict[str, Any]:
        return {**super().body(request, target), "nonce": os.urandom(4).hex()}


@fault("REQ-11")
class ModelInTheUrl(Reference):
    """Puts the model's name into the query as it is."""

    def url(self, target: b.Target) -> str:
        return f"{super().url(target)}?model={target.model}"


@fault("REQ-12", alone=True)
class UserInAHeader(Reference):
    """Tells the end user in a header, whatever is in the name."""

    def headers(self, request: b.Request) -> tuple[tuple[str, str], ...]:
        return (*super().headers(request), ("x-end-user", request.end_user_id or ""))


@fault("REQ-13")
class SendsEverybodysExtra(Reference):
    """Sends the extra words of every provider."""

    def body(self, request: b.Request, target: b.Target) -> dict[str, Any]:
        body = super().body(request, target)
        return {**body, **{name: value for words in (request.extra or {}).values() for name, value in words.items()}}


@fault("REQ-15")
class TellsTheDeployment(Reference):
    """Tells the provider what the deployment is called."""

    def body(self, request: b.Request, target: b.Target) -> dict[str, Any]:
        return {**super().body(request, target), "deployment": target.deployment}


@fault("REQ-16")
class AlwaysStreamOptions(Reference):
    """Sends stream_options where nothing is streamed."""

    def body(self, request: b.Request, target: b.Target) -> dict[str, Any]:
        return {**super().body(request, target), "stream_options": {"include_usage": True}}


@fault("REQ-18", alone=True)
class CopiesTheHistory(Reference):
    """Copies all earlier turns for each turn."""

    def body(self, request: b.Request, target: b.Target) -> dict[str, Any]:
        turns: list[dict[str, Any]] = []
        for message in request.conversation:
            turns = [dict(turn.items()) for turn in turns] + list(self.turns(message))
        return {**super().body(request, target), "messages": turns}


@fault("LAW-01")
class SwapsVerbosity(Changes):
    """Says low for high and high for low."""

    def change(self, sent: dict[str, Any]) -> None:
        if "verbosity" in sent:
            sent["verbosity"] = {"low": "high", "high": "low"}.get(sent["verbosity"], "medium")


@fault("LAW-05")
class SortsTools(Reference):
    """Sends tools in the order of their names, the last first."""

    def body(self, request: b.Request, target: b.Target) -> dict[str, Any]:
        body = super().body(request, target)
        body.get("tools", []).sort(key=lambda tool: str(tool["function"]["name"]), reverse=True)
        return body


@fault("LAW-06")
class ForgetsTheBeginning(Reference):
    """Sends the last twelve messages of a conversation, in silence."""

    def body(self, request: b.Request, target: b.Target) -> dict[str, Any]:
        first = max(0, len(request.messages) - 12)
        while first < len(request.messages) and request.messages[first].role == "tool":
            first += 1
        return super().body(request.with_(messages=request.messages[first:]), target)


@fault("LAW-07", alone=True)
class OrderOfASet(Reference):
    """Writes parameters in the order of a set."""

    def parameters(self, request: b.Request) -> dict[str, Any]:
        sent = super().parameters(request)
        return {name: sent[name] for name in set(PARAMETERS.values()) if name in sent}


@fault("LAW-07", alone=True)
class KnowsTheYear(Reference):
    """Sends a member more from a certain day on."""

    def body(self, request: b.Request, target: b.Target) -> dict[str, Any]:
        body = super().body(request, target)
        return {**body, "future": True} if time.time() > 4e9 else body


@fault("TOL-01")
class StripsDefinitions(Reference):
    """Leaves the definitions out of a tool's schema."""

    def tool(self, tool: Any) -> dict[str, Any]:
        kept = {name: value for name, value in tool.parameters.items() if name not in ("$defs", "additionalProperties")}
        return super().tool(replace(tool, parameters=kept))


@fault("TOL-02", alone=True)
class RenamesForGood(Reference):
    """Makes legal names of tools and does not turn them back."""

    def tool(self, tool: Any) -> dict[str, Any]:
        legal = "".join([letter if letter.isascii() and letter.isalnum() else "_" for letter in tool.name])
        return super().tool(replace(tool, name=f"{legal[:40]}_{len(tool.name)}" if legal != tool.name else tool.name))


@fault("TOL-03")
class RequiredBecomesAuto(Reference):
    """Lets the model choose where it must call."""

    def body(self, request: b.Request, target: b.Target) -> dict[str, Any]:
        body = super().body(request, target)
        return {**body, "tool_choice": "auto"} if body.get("tool_choice") == "required" else body


@fault("TOL-09")
class StripsResults(Reference):
    """Trims what a tool answered."""

    def turns(self, message: b.Message) -> Iterator[dict[str, Any]]:
        for turn in super().turns(message):
            yield {**turn, "content": turn["content"].strip()} if turn["role"] == "tool" else turn


@fault("TOL-10")
class CallsWithoutWords(Reference):
    """Drops the text of a turn that calls tools."""

    def turn(self, message: b.Message, parts: Any) -> dict[str, Any]:
        turn = super().turn(message, parts)
        return {name: value for name, value in turn.items() if name != "content" or "tool_calls" not in turn}


@fault("TOL-11")
class RewritesArguments(Reference):
    """Reads the numbers of earlier arguments as floats."""

    def call(self, part: b.ToolCall) -> dict[str, Any]:
        return super().call(replace(part, arguments=json.dumps(json.loads(part.arguments, parse_int=float))))


@fault("TOL-12")
class ForgetsOneAtATime(Changes):
    """Drops parallel_tool_calls=False."""

    def change(self, sent: dict[str, Any]) -> None:
        if sent.get("parallel_tool_calls") is False:
            del sent["parallel_tool_calls"]
