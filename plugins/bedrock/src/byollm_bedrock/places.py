"""Where Bedrock is: one runtime host for each region, and Mantle, which serves the dialects of Anthropic and OpenAI.

A host that is not listed can be named as `endpoint:` of a target. Source: botocore 1.44.5's list of regions and rules
for endpoints, anthropic 2.12.0's Mantle client, read 2026-11-21.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from byollm.plugin import ConfigError, Target

HOME: Final = "us-east-1"
"""Where a target without `region:` and `endpoint:` is sent, if its model may be served there."""
REGIONS: Final = (
    "af-south-1", "ap-east-2", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-south-2",
    "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ap-southeast-6",
    "ap-southeast-7", "ca-central-1", "ca-west-1", "eu-central-1", "eu-central-2", "eu-north-1", "eu-south-1",
    "eu-south-2", "eu-west-1", "eu-west-2", "eu-west-3", "il-central-1", "me-central-1", "me-south-1", "mx-central-1",
    "sa-east-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2", "us-gov-east-1", "us-gov-west-1", "eusc-de-east-1",
)  # fmt: skip
_SUFFIXES: Final = (("cn-", "amazonaws.com.cn"), ("eusc-", "amazonaws.eu"))
_IN_HOST: Final = re.compile(r"bedrock-(?:runtime|mantle)(?:-fips)?\.([a-z0-9-]+)\.")
_REGION: Final = re.compile(r"[a-z]{2,4}(?:-[a-z]+)+-\d{1,2}")


def runtime(region: str) -> str:
    """The runtime's host of a region."""
    suffix = next((suffix for start, suffix in _SUFFIXES if region.startswith(start)), "amazonaws.com")
    return f"bedrock-runtime.{region}.{suffix}"


def mantle(region: str) -> str:
    """Mantle's host of a region."""
    return f"bedrock-mantle.{region}.api.aws"


HOSTS: Final = (
    *(host(region) for region in REGIONS for host in (runtime, mantle)),
    *(f"bedrock-runtime-fips.{region}.amazonaws.com" for region in REGIONS if region.startswith(("us-", "ca-"))),
    *(f"*.bedrock-runtime.{region}.vpce.amazonaws.com" for region in REGIONS),
)
DEFAULT_ENDPOINT: Final = f"https://{runtime(HOME)}"


def at_home(url: str) -> bool:
    """Whether an address lies at one of Bedrock's own hosts."""
    host = urlsplit(url).hostname or ""
    return host in HOSTS or any(host.endswith(known[1:]) for known in HOSTS if known[0] == "*")


def region_of(endpoint: str) -> str | None:
    """The region that a host of Bedrock names; None for any other host."""
    found = _IN_HOST.search(f"{urlsplit(endpoint).hostname or ''}.")
    return found[1] if found and _REGION.fullmatch(found[1]) else None


def place(target: Target, *, on_mantle: bool, needed: str | None) -> tuple[str, str]:
    """Endpoint and region of a target. `needed` is the region that its model's ARN names.

    Raises ConfigError where no region is said and the default would be a guess, or where the model is somewhere else.
    """
    plain = target.endpoint.rstrip("/") == DEFAULT_ENDPOINT
    region = target.region or (region_of(target.endpoint) if not plain else None)
    if needed is not None and needed != (region or HOME):
        raise ConfigError(f"the model is in {needed}, the target in {region or HOME}", hint=f"region: {needed}")
    if region is not None and not _REGION.fullmatch(region):
        raise ConfigError(f"{region!r} is no region of AWS", hint="region: eu-central-1")
    if not plain:
        return target.endpoint, region or HOME
    if region is None and on_mantle:
        raise ConfigError(f"`api: {target.api}` of bedrock needs `region:`", hint=f"region: {HOME}")
    region = region or HOME
    return f"https://{mantle(region) if on_mantle else runtime(region)}", region


def require_region(target: Target, geography: str) -> None:
    """A model that belongs to one part of the world is not sent to the default region. Raises ConfigError."""
    unsaid = target.region is None and target.endpoint.rstrip("/") == DEFAULT_ENDPOINT
    if unsaid and geography not in ("", "us", "global"):
        raise ConfigError(
            f"{target.model!r} is served in {geography!r}: say from which region it is called",
            hint="region: eu-central-1" if geography == "eu" else "region: …",
        )


def on_mantle(target: Target) -> bool:
    """Is this surface served by Mantle? Messages always, Responses unless the target says `service: runtime`."""
    service = target.options.get("service")
    if target.api in ("chat", "responses"):
        return (service or ("mantle" if target.api == "responses" else "runtime")) == "mantle"
    return target.api == "messages"
