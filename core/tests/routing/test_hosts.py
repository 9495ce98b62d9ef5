"""Patterns of host names."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byollm.routing.hosts import matches, meet, plain, problem

LABEL = st.from_regex(r"[a-z][a-z0-9-]{0,6}[a-z0-9]", fullmatch=True)


@pytest.mark.parametrize(
    ("host", "pattern", "inside"),
    [
        ("a.openai.azure.com", "*.openai.azure.com", True),
        ("a.b.openai.azure.com", "*.openai.azure.com", True),
        ("openai.azure.com", "*.openai.azure.com", False),
        ("a.openai.azure.com.evil.test", "*.openai.azure.com", False),
        ("evilopenai.azure.com", "*.openai.azure.com", False),
        ("bedrock-runtime.eu-west-1.amazonaws.com", "bedrock-runtime.eu-*.amazonaws.com", True),
        ("bedrock-runtime.us-east-1.amazonaws.com", "bedrock-runtime.eu-*.amazonaws.com", False),
        ("bedrock-runtime.eu-x.evil.amazonaws.com", "bedrock-runtime.eu-*.amazonaws.com", False),
        ("API.example.com.", "api.example.com", True),
        ("api.example.com:8443", "api.example.com", True),
        ("apixexample.com", "api.example.com", False),
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.11", "127.0.0.1", False),
        ("::1", "[::1]", True),
        ("localhost", "localhost", True),
        ("", "*.example.com", False),
    ],
)
def test_a_pattern_lets_in_what_it_names(host: str, pattern: str, inside: bool) -> None:
    """Label by label: a star first stands for one label and more, inside a label for the rest of it."""
    assert problem(pattern) == ""
    assert matches(host, [plain(pattern)]) is inside


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("*", "every host"),
        ("*.*", "every host"),
        ("*.com", "owner of the name open"),
        ("a.*.com", "owner of the name open"),
        ("a.example.*", "owner of the name open"),
        ("https://a.example.com", "is a URL"),
        ("a.example.com:443", "names a port"),
        ("a..example.com", "no host name"),
        ("münchen.example.com", "no host name"),
    ],
)
def test_what_is_no_pattern(pattern: str, told: str) -> None:
    """A pattern that would let strangers in, or that no host can match, is none."""
    assert told in problem(pattern)


@given(labels=st.lists(LABEL, min_size=3, max_size=5), more=st.lists(LABEL, min_size=1, max_size=3))
def test_what_stands_behind_never_counts(labels: list[str], more: list[str]) -> None:
    """Whoever owns the end of a name owns it: nothing in front lets a foreign end in."""
    pattern = ".".join(["*", *labels])
    host = ".".join([*more, *labels])

    assert matches(host, [pattern])
    assert not matches(f"{host}.{'.'.join(more)}x", [pattern])


HOSTS = [".".join(labels) for depth in range(1, 5) for labels in product(("a", "b", "ab", "ba"), repeat=depth)]
PATTERN = st.builds(
    lambda deep, labels: ".".join([*["*"] * deep, *labels]),
    st.booleans(),
    st.lists(st.sampled_from(("a", "b", "a*", "*b", "*ab", "b*a")), min_size=1, max_size=3),
)


@given(PATTERN, PATTERN)
def test_two_patterns_meet_where_a_host_is_in_both(first: str, second: str) -> None:
    """Against every host name of four labels that their letters can make."""
    both = any(matches(host, [first]) and matches(host, [second]) for host in HOSTS)

    assert both == meet(first, second) == meet(second, first)
