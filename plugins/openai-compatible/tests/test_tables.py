"""Model tables as text."""

import pytest

from byollm_openai_compatible.dialect import table


def test_a_line_is_a_model():
    """Name, window, longest answer, letters: small means yes, capital no, what is left out is unknown."""
    found = table("""
acme/large 1000 100 tsV
acme/small - - -
""")

    calls = dict.fromkeys(("tools", "tool_choice_required", "tool_choice_named"), "full")
    sees = {"images": "unsupported", "image_urls": "unsupported"}
    large = {"context_window": 1000, "max_output_tokens": 100, **calls, "structured_output": "full", **sees}
    assert {"acme/large": large, "acme/small": {}} == found


@pytest.mark.parametrize(("line", "kind"), [("a 1 2", ValueError), ("a x 2 t", ValueError), ("a 1 2 q", KeyError)])
def test_a_broken_line_is_an_error(line, kind):
    """Of another shape, with a number that is none, or a letter that means nothing."""
    with pytest.raises(kind):
        table(line)
