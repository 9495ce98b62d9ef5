"""Recorded exchanges: where nobody can render a wire, and beside one that can be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conformance_acme import Conform, Install, of

from byollm.errors import ConfigError
from byollm_conformance.recorded import LEAST, read_recordings

CHUNK = 'data: {"choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":null}]}\n\n'
END = 'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
WHOLE: dict[str, Any] = {
    "recorded": "2026-11-21",
    "source": "by hand",
    "response": {
        "status": 200,
        "headers": {"Content-Type": "application/json"},
        "body": {"choices": [{"index": 0, "message": {"content": "hi"}, "finish_reason": "stop"}]},
    },
    "expect": {"text": "hi", "finish_reason": "stop", "input_tokens": None},
}
STREAM = {
    **WHOLE,
    "stream": True,
    "response": {"status": 200, "headers": {"content-type": "text/event-stream"}, "body": [CHUNK, CHUNK, END]},
    "expect": {"text": "hihi", "finish_reason": "stop"},
}
REFUSAL = {
    **WHOLE,
    "response": {
        "status": 429,
        "headers": {},
        "body": {"error": {"message": "slow down", "code": "rate_limit_exceeded"}},
    },
    "expect": {"error": "RateLimitError"},
}
UNKNOWN_WIRE = """
import dataclasses
from byollm_openai_compatible import OpenAICompatible

class Acme(OpenAICompatible):
    def __init__(self):
        super().__init__(name="acme", base_url="https://api.acme.example/v1", apis=("chat",))
        self.manifest = dataclasses.replace(self.manifest, apis=("telegraph",))

    def exchange(self, target, *arguments, **named):
        return super().exchange(target, *arguments, **named)

    from byollm.plugin import hookimpl as _hookimpl

    @_hookimpl
    def complete(self, request, target):
        return super().complete(request, dataclasses.replace(target, api="chat"))

provider = Acme()
"""


def write(folder: Path, *recordings: dict[str, Any]) -> str:
    for number, recording in enumerate(recordings):
        (folder / f"{number:02}.json").write_text(json.dumps(recording), "utf-8")
    return str(folder)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    folder = tmp_path / "exchanges"
    folder.mkdir()
    return folder


def test_a_wire_that_can_be_rendered(install: Install, conform: Conform, place: Path) -> None:
    """Recordings are read beside the twin's answers."""
    install()
    report = conform("REC-01", "REC-02", exchanges=write(place, WHOLE, STREAM, REFUSAL))

    assert ["pass", "pass"] == [result.outcome for result in report.results], report.results
    assert "generic" == report.subjects[0]["twin"]


def test_a_recording_that_is_read_otherwise(install: Install, conform: Conform, place: Path) -> None:
    """The file and what differs are named."""
    install()
    report = conform("REC-01", exchanges=write(place, {**WHOLE, "expect": {"text": "ho"}}))

    assert "00.json: text is 'hi', and 'ho' was expected" == of(report, "REC-01").message


def test_a_wire_nobody_knows(install: Install, conform: Conform, place: Path) -> None:
    """Enough recordings of each kind stand in for a renderer; the report says so."""
    install(UNKNOWN_WIRE)
    report = conform("REC-01", "RSP-01", exchanges=write(place, *[WHOLE, STREAM, REFUSAL] * (LEAST // 3)))

    assert "recorded" == report.subjects[0]["twin"]
    assert "pass" == of(report, "REC-01").outcome
    assert "n/a" == of(report, "RSP-01").outcome
    assert f"{LEAST} recordings stand in" in of(report, "RSP-01").reason


def test_too_few_recordings(install: Install, conform: Conform, place: Path) -> None:
    """Fewer do not stand in for anything: what cannot be shown is untestable."""
    install(UNKNOWN_WIRE)
    result = of(conform("RSP-01", exchanges=write(place, WHOLE)), "RSP-01")

    assert "untestable" == result.outcome
    assert "12 recordings (there are 1), a stream, a refusal" in result.message


def test_no_wire_and_no_recordings(install: Install, conform: Conform) -> None:
    """The message says what to supply."""
    install(UNKNOWN_WIRE)
    result = of(conform("RSP-01"), "RSP-01")

    assert "untestable" == result.outcome
    assert "nobody knows the dialect of api 'telegraph': supply a wire" in result.message


def changed(path: str, value: Any) -> dict[str, Any]:
    """The whole recording with one member changed."""
    copy: dict[str, Any] = json.loads(json.dumps(WHOLE))
    *above, last = path.split(".")
    inner = copy
    for word in above:
        inner = inner[word]
    inner[last] = value
    return copy


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("recorded", "lately", "recorded must be a day like 2026-11-21, not 'lately'"),
        ("recorded", None, "recorded must be a day like 2026-11-21, not None"),
        ("source", 7, "source must be a text, not 7"),
        ("stream", "yes", "stream must be true or false, not 'yes'"),
        ("response", None, "response must be an object, not NoneType"),
        ("response.status", "200", "response.status must be a whole number, not '200'"),
        ("response.headers", {"a": 1}, "response.headers.a must be a text, not 1"),
        ("response.body", 7, "response.body must be a text, an object"),
        ("response.body", {"base64": "%"}, "response.body holds base64 that is none"),
        ("expect", {}, "expect says nothing"),
        ("expect.error", "KeyError", "expect.error 'KeyError' is no class of byollm.errors"),
        ("expect.txt", "hi", "expect has the unknown member 'txt'"),
        ("respones", {}, "the document has the unknown member 'respones'"),
    ],
)
def test_a_broken_recording(place: Path, path: str, value: Any, words: str) -> None:
    """The error names the file and the field."""
    with pytest.raises(ConfigError) as caught:
        read_recordings(write(place, changed(path, value)))

    assert f"{place / '00.json'}: {words}" in caught.value.message


def test_a_file_that_is_no_json(place: Path) -> None:
    """The error names the file and the place in it."""
    (place / "00.json").write_text('{"api": ', "utf-8")
    with pytest.raises(ConfigError) as caught:
        read_recordings(place)

    assert "00.json: not a JSON document: Expecting value: line 1" in caught.value.message


def test_an_empty_folder(place: Path) -> None:
    """No recordings where some were promised is an error."""
    with pytest.raises(ConfigError, match="no recorded exchange"):
        read_recordings(place)
