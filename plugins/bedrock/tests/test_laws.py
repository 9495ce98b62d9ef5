"""Laws: of names and ids that other providers made, and of answers in any pieces."""

import json
import re

from bedrock_driving import CLAUDE, completion
from hypothesis import given
from hypothesis import strategies as st

from byollm_bedrock.names import Names
from byollm_sandbox import Answer, dialect_named
from byollm_sandbox.dialects import Call
from byollm_sandbox.wire import binary_reply

anything = st.text(max_size=80)


@given(st.sets(anything, max_size=30), st.booleans())
def test_ids_stay_apart(ids: set[str], short: bool):
    """Every id becomes a legal one, and no two the same."""
    made = [Names(short=short).call(identity) for identity in sorted(ids)]

    assert all(re.fullmatch(r"[a-zA-Z0-9]{9}" if short else r"[a-zA-Z0-9_.:-]{1,64}", identity) for identity in made)
    assert len(ids) == len(set(made))


@given(st.sets(anything, max_size=30))
def test_tool_names_come_back(names: set[str]):
    """Legal on the wire, themselves again in the answer."""
    table = Names(short=False)
    made = {name: table.wire(name) for name in names}

    assert all(re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", wire) for wire in made.values())
    assert len(names) == len(set(made.values()))
    assert all(name == table.back.get(wire, wire) for name, wire in made.items())


@given(st.lists(st.one_of(st.none(), st.text(max_size=300)), max_size=8))
def test_document_names_are_legal_and_all_their_own(titles: list[str | None]):
    """Whatever the file is called; the same each time, so that a cache finds them."""
    first, again = Names(short=False), Names(short=False)
    made = [first.title(title) for title in titles]

    assert all(re.fullmatch(r"[a-zA-Z0-9()\[\]-]+( [a-zA-Z0-9()\[\]-]+)*", name) and len(name) <= 200 for name in made)
    assert len(titles) == len(set(made))
    assert made == [again.title(title) for title in titles]


@given(st.text(min_size=1, max_size=60).filter(lambda text: text.isprintable()), st.integers(1, 50))
def test_a_stream_in_any_pieces_is_the_document(text: str, size: int):
    """The twin's own two renderings of one answer."""
    dialect, call = dialect_named("bedrock-converse"), Call(body={"model": CLAUDE, "messages": []}, number=1, created=0)
    answer = Answer(parts=text)
    body = b"".join(piece for piece in binary_reply(dialect.stream(answer, call)).pieces() if isinstance(piece, bytes))
    pieces = [body[at : at + size] for at in range(0, len(body), size)]

    whole = completion(json.dumps(dialect.document(answer, call)).encode())
    streamed = completion(pieces, stream=True)
    assert (whole.parts, whole.usage, whole.finish_reason) == (streamed.parts, streamed.usage, streamed.finish_reason)
