"""The environment's proxy, read when a deployment is first used.

`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`, in small letters first. As elsewhere, `HTTP_PROXY` in capitals
is ignored under CGI, where a request header could set it (https://httpoxy.org). Loopback addresses are never asked for
through the environment's proxy; an explicit `proxy:` holds for every address.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from byollm.config.settings import proxy_problem
from byollm.errors import ConfigError


def environment_proxy(scheme: str, host: str, port: int | None, environ: Mapping[str, str] | None = None) -> str | None:
    """The proxy for a URL's scheme, host and port, or None. Raises ConfigError when the variable holds no proxy."""
    found = _found(scheme, host, port, environ)
    if isinstance(found, ConfigError):
        raise found
    return found


def _found(scheme: str, host: str, port: int | None, environ: Mapping[str, str] | None) -> str | ConfigError | None:
    """An error comes back as a value: a proxy's URL may hold a password, and so do the locals here."""
    environ = os.environ if environ is None else environ
    if is_loopback(host):
        return None
    variable = next((item for item in (f"{scheme}_proxy", "all_proxy") if _lookup(item, environ)), None)
    if variable is None or _bypassed(host, port or (443 if scheme == "https" else 80), _lookup("no_proxy", environ)):
        return None
    found = _lookup(variable, environ)
    proxy = found if "://" in found else f"http://{found}"
    problem = proxy_problem(proxy)
    if not problem:
        return proxy
    hint = "set `proxy:` in the configuration (`proxy: none` for none), or list the host in NO_PROXY"
    return ConfigError(f"the environment variable {variable.upper()} {problem}", hint=hint)


def _lookup(variable: str, environ: Mapping[str, str]) -> str:
    found = environ.get(variable, "").strip()
    if found or (variable == "http_proxy" and "REQUEST_METHOD" in environ):
        return found
    return environ.get(variable.upper(), "").strip()


def _bypassed(host: str, port: int, exceptions: str) -> bool:
    return any(_matches(host, port, entry.lower()) for entry in re.split(r"[\s,]+", exceptions) if entry)


def _matches(host: str, port: int, entry: str) -> bool:
    if entry == "*":
        return True
    if ":" in host or "/" in entry or re.fullmatch(r"[0-9.]+", entry):
        return _address_matches(host, entry)
    name, _, wanted = entry.partition(":")
    if wanted and wanted != str(port):
        return False
    name = name.removeprefix("*").removeprefix(".")
    return bool(name) and (host == name or host.endswith(f".{name}"))


def _address_matches(host: str, entry: str) -> bool:
    import ipaddress

    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(entry.strip("[]"), strict=False)
    except ValueError:
        return False


def is_loopback(host: str) -> bool:
    """True for this machine itself."""
    return host == "localhost" or host.endswith(".localhost") or host == "::1" or bool(_LOOPBACK.match(host))


def is_private(host: str) -> bool:
    """True for hosts that no public network reaches: private addresses, single words, `.local`, `.internal`."""
    if is_loopback(host) or host.endswith((".local", ".internal", ".lan", ".home.arpa")):
        return True
    if ":" not in host and not re.fullmatch(r"[0-9.]+", host):
        return "." not in host
    import ipaddress

    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return False


_LOOPBACK = re.compile(r"127(?:\.[0-9]{1,3}){3}\Z")
