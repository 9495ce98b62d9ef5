"""`--data`: any folder of text files."""

from __future__ import annotations

import json
import random
import string
from pathlib import Path

import pytest

from byollm_examples.command import demo
from byollm_examples.folder import MOST_BYTES, MOST_FILES, FolderError, read_folder

MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November")


def planted(chance: random.Random) -> tuple[list[str], str]:
    """Values that no rule can know beforehand, and a document that mentions each once."""
    word = "".join(chance.choices(string.ascii_lowercase, k=9))
    amounts = [
        f"EUR {chance.randint(1, 999):,}.{chance.randint(0, 99):02d}",
        f"${chance.randint(1, 99)},{chance.randint(0, 999):03d}.{chance.randint(0, 99):02d}",
        f"{chance.randint(2, 999)} euros",
    ]
    dates = [
        f"{chance.randint(1990, 2029)}-{chance.randint(1, 12):02d}-{chance.randint(1, 28):02d}",
        f"{chance.randint(1, 28)} {chance.choice(MONTHS)} {chance.randint(1990, 2029)}",
    ]
    email = f"{word}.{chance.randint(10, 99)}@example.com"
    text = (
        f"The buyer must pay {amounts[0]} no later than {dates[0]}. A late payment costs {amounts[1]}.\n\n"
        f"The seller shall deliver by {dates[1]} and keep {amounts[2]} as a deposit.\n\nQuestions go to {email}.\n"
    )
    return [*amounts, *dates, email], text


def test_planted_figures_are_found(in_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Random amounts, dates and addresses in fresh documents: each is in that document's answers."""
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    folder = in_folder / "mine"
    folder.mkdir()
    wanted = {}
    for number in range(9):
        wanted[f"{number}.txt"], text = planted(chance)
        (folder / f"{number}.txt").write_text(text, "utf-8")
    capsys.readouterr()
    code = demo(["--data", "mine", "--json", "--page", "page.html"])
    run = json.loads(capsys.readouterr().out)
    answers = {name: [row["answer"] for row in run["rows"] if row["document"] == name] for name in wanted}
    missing = [
        (name, value)
        for name, values in wanted.items()
        for value in values
        if json.dumps(value, ensure_ascii=False)[1:-1] not in json.dumps(answers[name], ensure_ascii=False)
    ]

    assert ([], 0) == (missing, code), f"seed {seed}"


def test_one_document_is_enough(in_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The smallest folder goes through every scene, the outage included."""
    (in_folder / "one.txt").write_text("The tenant must pay EUR 12.00 by 1 May 2027.", "utf-8")
    code = demo(["--data", ".", "--page", str(in_folder / "page.html")])

    assert 0 == code
    assert "1/1" in capsys.readouterr().out


def test_what_is_not_taken_is_said(in_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Binary, empty and long files are left out with a reason; bytes that are no UTF-8 are replaced."""
    (in_folder / "picture.png").write_bytes(b"\x89PNG\x00\x00")
    (in_folder / "empty.txt").write_text(" \n")
    (in_folder / "long.txt").write_text("a" * (MOST_BYTES + 1))
    (in_folder / "old.txt").write_bytes(
        "The visitor must pay 5 euros at the café before they enter it.".encode("latin-1")
    )
    code = demo(["--data", ".", "--page", str(in_folder / "out" / "page.html")])
    shown = capsys.readouterr().out

    assert 0 == code
    assert "picture.png: not a text" in shown
    assert "empty.txt: empty" in shown
    assert "long.txt: longer than 64 KiB" in shown
    assert "caf\ufffd" in read_folder(".").texts[0]


def test_too_many_files_are_counted(tmp_path: Path) -> None:
    """The first by name are taken; the rest is told."""
    for number in range(MOST_FILES + 3):
        (tmp_path / f"{number:04}.txt").write_text("text")
    documents = read_folder(str(tmp_path))

    assert MOST_FILES == len(documents.items)
    assert (f"3 more files: the demo takes {MOST_FILES}",) == documents.left_out


@pytest.mark.parametrize(
    "name, reason", [("nowhere", "no folder"), ("file.txt", "is a file"), ("empty", "no text file")]
)
def test_a_folder_without_texts_is_usage(
    name: str, reason: str, in_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2 and the reason, and nothing is started or written."""
    (in_folder / "file.txt").write_text("text")
    (in_folder / "empty").mkdir()
    code = demo(["--data", name])

    assert 2 == code
    assert reason in capsys.readouterr().err
    assert ["empty", "file.txt"] == sorted(path.name for path in in_folder.iterdir())


def test_only_binaries_are_no_texts(tmp_path: Path) -> None:
    """The error says why none was taken."""
    (tmp_path / "a.bin").write_bytes(bytes(range(256)))

    with pytest.raises(FolderError, match=r"a\.bin: not a text"):
        read_folder(str(tmp_path))


def test_control_characters_do_not_reach_the_terminal(in_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither a name of a file nor its text can steer the terminal."""
    (in_folder / "evil\x1b[31m.txt").write_text("The reader must \x1b]0;title\x07 pay EUR 3.00.\u202e", "utf-8")
    demo(["--data", ".", "--page", str(in_folder / "out" / "page.html")])
    shown = capsys.readouterr().out

    assert "evil" in shown
    assert {"\x1b", "\x07", "\u202e"}.isdisjoint(shown)
