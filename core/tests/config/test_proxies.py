"""The environment's proxies."""

from __future__ import annotations

import pytest

from byollm.config.proxies import environment_proxy, is_private
from byollm.errors import ConfigError

PROXY = "http://proxy.example.com:3128"


@pytest.mark.parametrize(
    "url, environment, expected",
    [
        (("https", "api.openai.com", None), {"HTTPS_PROXY": PROXY}, PROXY),
        (("https", "api.openai.com", None), {"https_proxy": PROXY, "HTTPS_PROXY": "http://other:1"}, PROXY),
        (("https", "api.openai.com", None), {"HTTP_PROXY": PROXY}, None),
        (("http", "ai.example.com", None), {"HTTP_PROXY": PROXY}, PROXY),
        (("http", "ai.example.com", None), {"HTTP_PROXY": PROXY, "REQUEST_METHOD": "GET"}, None),
        (("http", "ai.example.com", None), {"http_proxy": PROXY, "REQUEST_METHOD": "GET"}, PROXY),
        (("https", "ai.example.com", None), {"ALL_PROXY": PROXY}, PROXY),
        (("https", "ai.example.com", None), {"HTTPS_PROXY": "proxy:3128"}, "http://proxy:3128"),
        (("https", "ai.example.com", None), {"HTTPS_PROXY": ""}, None),
        (("http", "localhost", 80), {"HTTP_PROXY": PROXY}, None),
        (("http", "127.0.0.1", 80), {"ALL_PROXY": PROXY}, None),
        (("http", "::1", 80), {"ALL_PROXY": PROXY}, None),
    ],
)
def test_which_variable_counts(url, environment, expected):
    """By scheme, small letters first, never for this machine, never HTTP_PROXY under CGI."""
    assert expected == environment_proxy(url[0], url[1], url[2], environment)


@pytest.mark.parametrize(
    "host, port, exceptions, bypassed",
    [
        ("ai.example.com", None, "*", True),
        ("ai.example.com", None, "example.com", True),
        ("ai.example.com", None, ".example.com", True),
        ("ai.example.com", None, "*.example.com", True),
        ("example.com", None, ".example.com", True),
        ("notexample.com", None, "example.com", False),
        ("ai.example.com", None, "AI.EXAMPLE.COM", True),
        ("ai.example.com", None, "ai.example.com:443", True),
        ("ai.example.com", 8443, "ai.example.com:443", False),
        ("ai.example.com", None, "other.com, ai.example.com", True),
        ("10.1.2.3", None, "10.0.0.0/8", True),
        ("10.1.2.3", None, "10.1.2.3", True),
        ("11.1.2.3", None, "10.0.0.0/8", False),
        ("fd00::1", None, "fd00::/8", True),
        ("fd00::1", None, "[fd00::1]", True),
        ("fd00::1", None, "nonsense", False),
        ("ai.example.com", None, "", False),
    ],
)
def test_what_no_proxy_takes_out(host, port, exceptions, bypassed):
    """Names with their subdomains, ports, addresses and networks."""
    environment = {"HTTPS_PROXY": PROXY, "NO_PROXY": exceptions}

    assert (None if bypassed else PROXY) == environment_proxy("https", host, port, environment)


@pytest.mark.parametrize("value", ["socks5://x:1", "http://", "http://[", "http://a b:1"])
def test_a_variable_that_holds_no_proxy_is_an_error(value):
    """Going past a proxy in silence would be worse; the value may hold a password and is not shown."""
    with pytest.raises(ConfigError, match="the environment variable HTTPS_PROXY") as raised:
        environment_proxy("https", "ai.example.com", None, {"HTTPS_PROXY": value})

    assert value not in str(raised.value)


@pytest.mark.parametrize(
    "host, private",
    [
        ("localhost", True),
        ("db", True),
        ("a.internal", True),
        ("10.0.0.1", True),
        ("192.168.1.1", True),
        ("fd00::1", True),
        ("8.8.8.8", False),
        ("api.openai.com", False),
        ("2001:4860:4860::8888", False),
        ("999.1.1.1", False),
    ],
)
def test_which_hosts_are_private(host, private):
    """Addresses by their network, names by their ending."""
    assert private == is_private(host)
