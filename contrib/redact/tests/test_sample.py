"""How much is found, and how much of what is found is right: on a sample that was labelled by hand."""

import re
from pathlib import Path

import pytest

from byollm_redact.kinds import KINDS, found

LABEL = re.compile(r"«([A-Z]+):(.*?)»")
LINES = [
    line for line in (Path(__file__).parent / "sample.txt").read_text("utf-8").splitlines() if line[:1] not in ("#", "")
]


def labelled(line):
    """The text without its labels, and where each of them was."""
    text, spans, at = "", [], 0
    for match in LABEL.finditer(line):
        text += line[at : match.start()]
        spans.append((len(text), len(text) + len(match[2]), match[1]))
        text, at = text + match[2], match.end()
    return text + line[at:], spans


def scores(kinds):
    """Labels that were found whole, by kind; what was found; what of it touches a label."""
    counts = {name: [0, 0] for name in sorted({kind for line in LINES for _, _, kind in labelled(line)[1]})}
    claims, right, missed, wrong = 0, 0, [], []
    for line in LINES:
        text, wanted = labelled(line)
        spans = found(text, kinds)
        for start, end, kind in wanted:
            covered = any(begin <= start and end <= stop and name == kind for begin, stop, name in spans)
            counts[kind][0] += covered
            counts[kind][1] += 1
            missed += [] if covered else [f"{kind}: {line}"]
        for begin, stop, name in spans:
            good = any(start < stop and begin < end for start, end, _ in wanted)
            claims, right = claims + 1, right + good
            wrong += [] if good else [f"{name} {text[begin:stop]!r}: {line}"]
    return counts, right / claims, missed, wrong


def test_recall_and_precision_on_the_sample(record_property, capsys):
    """At least 97 % of what is there is found, by its kind and whole; at least 97 % of what is found is there."""
    counts, precision, missed, wrong = scores(list(KINDS.values()))
    hits, labels = (sum(pair[at] for pair in counts.values()) for at in (0, 1))
    for name, (good, there) in counts.items():
        record_property(name, f"{good} of {there}")
    record_property("recall", f"{hits / labels:.3f} of {labels}")
    record_property("precision", f"{precision:.3f}")
    with capsys.disabled():
        print(f"\nredaction sample: recall {hits / labels:.3f} of {labels} labels, precision {precision:.3f}")

    assert labels >= 90
    assert hits / labels >= 0.97, missed
    assert precision >= 0.97, wrong


@pytest.mark.parametrize("word", KINDS)
def test_every_kind_is_in_the_sample(word):
    """Several times each."""
    name = KINDS[word].name

    assert sum(kind == name for line in LINES for _, _, kind in labelled(line)[1]) >= 4


@pytest.mark.parametrize(
    "text",
    [
        "a" * 100_000,
        "1 " * 50_000,
        "@" * 50_000,
        "a@" * 30_000,
        "::" * 30_000,
        "+1" * 30_000,
        "'" * 50_000,
        "0 12" * 20_000,
    ],
)
def test_no_text_takes_long(text):
    """Every pattern is linear enough: what nobody would write ends, too."""
    assert isinstance(found(text, list(KINDS.values())), list)
