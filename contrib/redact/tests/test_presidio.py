"""The extra `presidio` where it is not installed; tests/servers/test_presidio.py asks the real one."""

import sys

import pytest

from byollm import errors
from byollm_redact import KINDS, Redact


@pytest.fixture(autouse=True)
def absent(monkeypatch):
    """As in an environment without the extra, whatever this one has."""
    monkeypatch.setitem(sys.modules, "presidio_analyzer", None)


@pytest.mark.parametrize("options", [True, {}, {"entities": ["CRYPTO"], "score": 0.8, "language": "en"}])
def test_without_the_extra_the_error_names_it(options):
    """When the client is made, not at the first call."""
    with pytest.raises(errors.PluginError, match="needs presidio-analyzer") as caught:
        Redact(presidio=options)

    assert "pip install byollm-redact[presidio]" == caught.value.hint


@pytest.mark.parametrize("options", [{}, {"presidio": False}, {"presidio": None}])
def test_who_does_not_ask_for_it_needs_no_extra(options):
    """Our kinds alone."""
    assert list(KINDS.values()) == Redact(**options).kinds


@pytest.mark.parametrize(
    "options, where",
    [
        ("yes", "presidio"),
        ({"langauge": "en"}, "presidio.langauge"),
        ({"entities": "CRYPTO"}, "presidio.entities"),
        ({"score": "high"}, "presidio.score"),
    ],
)
def test_a_wrong_option_is_named_before_anything_is_loaded(options, where):
    """With its place in the file, whether the extra is there or not."""
    with pytest.raises(errors.ConfigError, match=f"redact: `{where}`"):
        Redact(presidio=options)
