"""Endpoints and paths: whichever way an address is written, it means the same."""

from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byollm.errors import ConfigError
from byollm.wire.urls import join_url, path_segment

segments = st.text(st.sampled_from("abcv1-_."), min_size=1, max_size=6).filter(lambda it: it not in (".", ".."))
endpoints = st.builds(
    lambda scheme, host, port, path, slash, query: (
        f"{scheme}://{host}{port}{''.join('/' + it for it in path)}{slash}{query}"
    ),
    st.sampled_from(["http", "https"]),
    st.sampled_from(["api.example.com", "127.0.0.1", "[::1]", "my-host"]),
    st.sampled_from(["", ":8080"]),
    st.lists(segments, max_size=3),
    st.sampled_from(["", "/"]),
    st.sampled_from(["", "?api-version=1", "?a=1&b=2"]),
)
paths = st.lists(segments, min_size=1, max_size=3).map(lambda it: "/" + "/".join(it))


@pytest.mark.parametrize(
    "endpoint, url",
    [
        ("https://a.example", "https://a.example/v1/chat/completions"),
        ("https://a.example/", "https://a.example/v1/chat/completions"),
        ("https://a.example/v1", "https://a.example/v1/chat/completions"),
        ("https://a.example/v1/", "https://a.example/v1/chat/completions"),
        ("https://a.example/v1/chat/completions", "https://a.example/v1/chat/completions"),
        ("https://a.example/v1/chat/completions/", "https://a.example/v1/chat/completions"),
        ("https://a.example/proxy/openai", "https://a.example/proxy/openai/chat/completions"),
        ("https://a.example/v1?api-version=2", "https://a.example/v1/chat/completions?api-version=2"),
        ("https://a.example/v1#top", "https://a.example/v1/chat/completions"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/v1/chat/completions"),
    ],
)
def test_an_endpoint_gets_its_path_once(endpoint: str, url: str):
    """An empty path gets the dialect's base, any other is kept, a pasted whole path is not doubled."""
    assert url == join_url(endpoint, "/chat/completions", base_path="/v1")


@given(endpoints, paths)
def test_joining_twice_is_joining_once(endpoint: str, path: str):
    """A URL that is already whole stays as it is."""
    once = join_url(endpoint, path, base_path="/v1")

    assert once == join_url(once, path, base_path="/v1")


@given(endpoints, paths)
def test_host_and_query_are_the_endpoints(endpoint: str, path: str):
    """Only the path grows."""
    given_, made = urlsplit(endpoint), urlsplit(join_url(endpoint, path))

    assert (given_.scheme, given_.netloc, given_.query) == (made.scheme, made.netloc, made.query)
    assert made.path.endswith(path)
    assert made.path.startswith(given_.path.rstrip("/").removesuffix(path))


def test_a_query_is_added():
    """To what the endpoint has, or alone."""
    assert "https://a.example/x?q=1" == join_url("https://a.example", "x", query="q=1")
    assert "https://a.example/x?a=2&q=1" == join_url("https://a.example?a=2", "/x", query="q=1")


@pytest.mark.parametrize(
    "endpoint",
    ["", "api.example.com", "example.com/v1", "ftp://a.example", "file:///etc/passwd", "https://", "http://:80",
     "//a/v1", "http://[::1", "http://a:99999", "http://a:x", "http://a:0", "https:a", "javascript:alert(1)"],
)  # fmt: skip
def test_what_is_no_url_is_a_config_error(endpoint: str):
    """The address is refused when it is read, with an example of a whole one."""
    with pytest.raises(ConfigError, match="is not a URL"):
        join_url(endpoint, "/x")


@given(st.text(max_size=60))
def test_any_endpoint_is_joined_or_a_config_error(endpoint: str):
    """There is no third way."""
    try:
        url = join_url(endpoint, "/x")
    except ConfigError:
        return
    assert urlsplit(url).scheme in ("http", "https")


@given(st.text(min_size=1).filter(lambda it: it not in (".", "..") and it.isprintable()))
def test_a_model_id_is_one_segment(model: str):
    """Slashes, dots and question marks cannot climb out of their place."""
    segment = path_segment(model)

    assert f"/m/{segment}" == urlsplit(f"https://a.example/m/{segment}").path
    assert "/" not in segment
    assert model == unquote(segment)


@pytest.mark.parametrize("model", ["", ".", ".."])
def test_a_model_id_that_moves_is_refused(model: str):
    """These would be another path."""
    with pytest.raises(ConfigError):
        path_segment(model)


def test_half_a_character_does_not_break_a_path():
    """A lone surrogate is no reason for a crash."""
    assert "a%3F" == path_segment("a\ud800")
