"""The demo as a whole, in a fresh process."""

from __future__ import annotations

import os
import pty
import re
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from byollm_examples.command import demo
from byollm_examples.table import columns_of

SCENES = (
    "1  One request, three bodies",
    "2  A stream that breaks",
    "3  A provider that repeats your key",
    "4  Three tasks, three providers",
    "5  One line moves a task",
    "Done",
)


def test_it_goes_through_without_a_terminal(shown: Any) -> None:
    """Exit code 0, nothing on stderr, every scene in its order."""
    places = [shown.stdout.find(title) for title in SCENES]

    assert (0, "") == (shown.returncode, shown.stderr)
    assert sorted(places) == places
    assert -1 not in places


def test_it_is_readable_at_eighty_columns(shown: Any) -> None:
    """No line is wider; no colour where there is no terminal."""
    wide = [line for line in shown.stdout.splitlines() if columns_of(line) > 80]

    assert [] == wide
    assert "\x1b" not in shown.stdout


def test_it_says_what_the_model_is(shown: Any) -> None:
    """Before anything else: a stand-in, no network, no keys."""
    first = " ".join(shown.stdout.split("\n\n")[0].split())

    assert "rule-based stand-in" in first
    assert "no network, no keys" in first


def test_it_ends_with_three_commands(shown: Any) -> None:
    """The end of it is what to do next."""
    words = [line.strip() for line in shown.stdout.split("Done ─")[1].splitlines()]

    assert ["demo", "init", "complete"] == [line.split()[1] for line in words if line.startswith("byollm ")]


def test_the_three_bodies_differ_and_are_the_ones_that_were_sent(told: Any) -> None:
    """Each previewed body equals the recorded one, was accepted, and no two are alike."""
    previews = told[0]["previews"]

    assert ["custom", "anthropic", "openai"] == [item["provider"] for item in previews]
    assert [True] * 3 == [item["recorded_equal"] for item in previews]
    assert [200] * 3 == [item["status"] for item in previews]
    assert 3 == len({frozenset(item["body"]) for item in previews})
    assert any(item["adjustments"] for item in previews)


def test_a_cut_stream_keeps_its_text_and_fails_over_only_before_content(told: Any) -> None:
    """After content the typed error with the partial text, whatever the file; before content the backup's answer."""
    cut = told[0]["cut"]

    assert "StreamInterruptedError" == cut["without"]["error"] == cut["after_content"]["error"]
    assert cut["without"]["text"] != ""
    assert cut["without"]["finish_reason"] is None
    assert ["claude", "gpt"] == [item["deployment"] for item in cut["before_content"]["attempts"]]
    assert cut["before_content"]["text"].startswith(cut["without"]["text"][:20])


def test_every_document_has_an_answer_to_every_task(told: Any) -> None:
    """Three tasks over at least twelve documents, each task on its own provider, in spite of the outage."""
    rows = told[0]["rows"]
    by_task = {row["task"]: [other for other in rows if other["task"] == row["task"]] for row in rows}

    assert ["rule_extraction", "pii_detection", "document_classification"] == list(by_task)
    assert all(len(task) >= 12 and not any(row["error"] for row in task) for task in by_task.values())
    assert {"anthropic"} == {row["provider"] for row in by_task["rule_extraction"]}
    assert {"openai", "anthropic"} == {row["provider"] for row in by_task["pii_detection"]}
    assert {"custom"} == {row["provider"] for row in by_task["document_classification"]}


def test_the_outage_is_told_by_the_attempts(told: Any) -> None:
    """Who answered instead stands in reply.attempts: a failed attempt at the primary, then the backup's answer."""
    outage = told[0]["outage"]
    moved = [
        row for row in told[0]["rows"] if row["task"] == outage["task"] and row["deployment"] != outage["deployment"]
    ]
    first = next(row for row in moved if len(row["attempts"]) > 1)

    assert 1 < outage["before_document"] < 14
    assert "ProviderConnectionError" == first["attempts"][0]["error"]
    assert first["attempts"][-1]["error"] is None


def test_one_line_moves_a_task(told: Any) -> None:
    """One line out, one line in; the same answers from another provider."""
    switch = told[0]["switch"]

    assert ["-", "+"] == [line[0] for line in switch["diff"]]
    assert [row["answer"] for row in switch["before"]] == [row["answer"] for row in switch["after"]]
    assert {"custom"} == {row["provider"] for row in switch["before"]}
    assert {"anthropic"} == {row["provider"] for row in switch["after"]}


def test_no_piece_of_the_key_is_shown(
    in_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a key that the test knows: no twelve characters of it on the screen, in the page, or in a file it wrote."""
    secret = secrets.token_hex(16)
    monkeypatch.setattr("byollm_examples.scenes.secrets.token_urlsafe", lambda size: secret)
    code = demo(["--page", "page.html"])
    written = [path.read_text("utf-8") for path in in_folder.iterdir()]
    everything = "\n".join([*capsys.readouterr(), *written])

    assert 0 == code
    assert "‹the key›" in everything
    assert [] == [secret[at : at + 12] for at in range(len(secret) - 11) if secret[at : at + 12] in everything]


def on_a_terminal(folder: Path, **variables: str) -> str:
    """What a run writes to a terminal of 100 columns."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100", **variables}
    command = [sys.executable, "-m", "byollm_examples", "--page", "page.html"]
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    read = b""
    try:
        while piece := os.read(ours, 65536):
            read += piece
    except OSError:
        pass  # Linux's way of saying that the other end of a terminal was closed
    finally:
        os.close(ours)
    assert process.wait(60) == 0
    return read.decode()


def test_a_terminal_gets_a_bar_and_colours(tmp_path: Path) -> None:
    """Colours and a moving bar; with NO_COLOR the bar alone."""
    coloured = on_a_terminal(tmp_path, NO_COLOR="")
    plain = on_a_terminal(tmp_path, NO_COLOR="1")

    assert "\x1b[1m" in coloured
    assert "\x1b[2K" in plain
    assert [] == re.findall(r"\x1b\[[0-9;]+m", plain)
    assert "█" in plain


def test_what_does_not_hold_is_told(in_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A page that cannot be written is a problem: it is named, and the exit code is 1."""
    (in_folder / "taken").write_text("a file where a folder should be")
    code = demo(["--page", "taken/page.html"])

    assert 1 == code
    assert "the page cannot be written" in capsys.readouterr().out


@pytest.mark.parametrize("page", ["llm.yaml", "llm.html", "notes.txt"])
def test_nothing_of_the_users_is_written_over(page: str, in_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither what stands where the page goes, nor what has the name of the configuration beside it."""
    for name in ("llm.yaml", "notes.txt"):
        (in_folder / name).write_text("mine")

    assert 2 == demo(["--page", page])
    assert "stays as it is" in capsys.readouterr().err
    assert ["mine", "mine"] == [(in_folder / name).read_text() for name in ("llm.yaml", "notes.txt")]


@pytest.mark.parametrize("words", [["--nonsense"], ["--yes"], ["--config", "llm.yaml"], ["folder"]])
def test_wrong_words_are_usage(words: list[str], in_folder: Path) -> None:
    """Exit code 2, before anything is started."""
    with pytest.raises(SystemExit) as ended:
        demo(words)

    assert 2 == ended.value.code
