"""The guide's three recommended configurations, as files that `byollm init --preset NAME` writes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from byollm.cli.faults import UsageFault
from byollm.cli.presets import quoted

_HEAD: Final = """\
# byollm: {title}
# Keys are references, read when they are first needed: put none of them here.
#   byollm check            is everything in here right, and which hosts can it reach?
#   byollm explain          who would be asked now, and why?
"""

COST: Final = """\
llm_config:
  default: everyday

  deployments:
    gemini:                            # primary: cost-effective
      provider: google
      model: gemini-3.8-flash
      api_key: ${GEMINI_API_KEY}
    gpt:                               # backup: a reliable fallback
      provider: openai
      model: gpt-6.1-terra
      api_key: ${OPENAI_API_KEY}
    claude:                            # premium: complex analysis only
      provider: anthropic
      model: claude-opus-5-5
      api_key: ${ANTHROPIC_API_KEY}

  # Programs ask with client.complete(…, task="everyday"); what a task costs is decided here.
  tasks:
    everyday: {route: [gemini, gpt]}                           # the primary, and the backup when it cannot
    bulk: {route: {policy: cheapest, over: [gemini, gpt]}}     # whoever is cheaper for this very request, now
    analysis: {route: [claude]}                                # nothing else ever pays the premium price
"""

SECURITY: Final = """\
llm_config:
  default: documents

  policies:
    approved_providers: [azure, bedrock, custom]
    residency:
      cloud:
        regions: [@AZURE_REGION@, us-east-1]
        hosts: ["@AZURE_HOST@", "bedrock-runtime.us-*.amazonaws.com"]
      house:
        regions: [house]
        hosts: ["@HOUSE_HOST@"]
    data_classes:
      internal: {residency: [cloud, house]}
      sensitive: {residency: house}    # never leaves your own machines, whatever fails
    default_data_class: internal
    # What a regime asks of a provider is attested, with evidence, and ends: see spec/guides/rules.md.
    # tags:
    #   - {tag: hipaa-baa, for: azure, evidence: "BAA of …", owner: "privacy@example.com", expires: 2027-12-31}

  deployments:
    azure:                             # primary: enterprise SLA
      provider: azure
      model: gpt-5.4                   # the name of your deployment there
      endpoint: "@AZURE@"
      region: @AZURE_REGION@
      api_key: ${AZURE_OPENAI_API_KEY}
    bedrock:                           # backup: multi-cloud strategy
      provider: bedrock
      model: us.anthropic.claude-sonnet-5-5
      endpoint: "https://bedrock-runtime.us-east-1.amazonaws.com"
      region: us-east-1
      authentication: bearer-token
      api_key: ${AWS_BEARER_TOKEN_BEDROCK}
    house:                             # on-premise: sensitive data
      provider: custom
      model: your-fine-tuned-model
      endpoint: "@HOUSE@"
      region: house
      authentication: bearer-token
      api_key: ${CUSTOM_API_KEY}

  tasks:
    documents: {route: [azure, bedrock]}
    sensitive: {deployment: house, data_class: sensitive}
"""

GLOBAL: Final = """\
llm_config:
  default: assistant

  policies:
    residency:
      europe:                          # region="europe" keeps a call in here, also when both of them are down
        regions: [@AZURE_REGION@, @SECOND_REGION@]
        hosts: ["@AZURE_HOST@", "@SECOND_HOST@"]
    data_classes:
      european: {residency: europe}    # data_class="european" does the same for a call of any region
      general: {}

  deployments:
    americas:                          # low latency
      provider: openai
      model: gpt-5.4
      api_key: ${OPENAI_API_KEY}
    europe:                            # data residency
      provider: azure
      model: gpt-5.4
      endpoint: "@AZURE@"
      region: @AZURE_REGION@
      api_key: ${AZURE_OPENAI_API_KEY}
    europe-2:                          # the next lawful one for Europe
      provider: azure
      model: gpt-5.4
      endpoint: "@SECOND@"
      region: @SECOND_REGION@
      api_key: ${AZURE_OPENAI_API_KEY_2}
    asia-pacific:                      # regional presence
      provider: google
      model: gemini-3.8-flash
      api_key: ${GEMINI_API_KEY}

  tasks:
    assistant:
      route:
        policy: by_region              # client.complete(…, region="europe"), or a tenant's own `region:`
        over: [americas, europe, europe-2, asia-pacific]
        regions:
          americas: americas
          europe: [europe, europe-2]
          asia-pacific: asia-pacific
"""


class Place(NamedTuple):
    """An address, or the region of one, that a preset needs. `flag` says it without a question: its first use the first
    place of that flag, its second the second."""

    question: str
    default: str
    flag: str

    def check(self, answer: str) -> None:
        """Raises UsageFault, which names the flag, for an answer that cannot be written."""
        problem = self.problem(answer)
        if problem:
            raise UsageFault(f"{self.flag} {quoted(answer)}: {problem}", f"{self.flag} {self.default}")

    def problem(self, answer: str) -> str:
        """Why an answer cannot be written; empty when it can."""
        from urllib.parse import urlsplit

        if self.flag.endswith("region"):
            return "" if _REGION.match(answer) else "a region is one word, as in eastus or westeurope"
        try:
            parts = urlsplit(answer)
            whole = parts.scheme in ("https", "http") and bool(parts.hostname) and _PLAIN.match(answer)
        except ValueError:
            whole = False
        return "" if whole else f"an address is a whole URL, as in {self.default}"


_REGION: Final = re.compile(r"[a-z][a-z0-9-]{2,}\Z")
_PLAIN: Final = re.compile(r"[^\s\"\\]+\Z")


class Preset(NamedTuple):
    """A configuration of the guide. `places`: word in the text → what has to be asked."""

    title: str
    text: str
    places: Mapping[str, Place] = {}


_AZURE: Final = Place("Endpoint of your Azure resource", "https://your-resource.openai.azure.com", "--azure-endpoint")
_SECOND: Final = Place(
    "Endpoint of a second one in Europe", "https://your-second-resource.openai.azure.com", "--azure-endpoint"
)
OWN: Final = Place("Endpoint of your own model", "https://internal-ai.example.com", "--endpoint")

PRESETS: Final[Mapping[str, Preset]] = {
    "cost": Preset("cheap first, premium for complex analysis only", COST),
    "security": Preset("two approved clouds, and your own machines for sensitive data", SECURITY, {
        "AZURE": _AZURE,
        "AZURE_REGION": Place("The Azure region it was made in", "eastus", "--azure-region"),
        "HOUSE": OWN,
    }),
    "global": Preset("each region by its provider, Europe's data in Europe", GLOBAL, {
        "AZURE": _AZURE._replace(question="Endpoint of your Azure resource in Europe"),
        "AZURE_REGION": Place("The Azure region it was made in", "westeurope", "--azure-region"),
        "SECOND": _SECOND,
        "SECOND_REGION": Place("The region of the second one", "swedencentral", "--azure-region"),
    }),
}  # fmt: skip


def configuration(name: str, places: Mapping[str, str]) -> str:
    """The file of a preset, with the addresses that were given; the others are its defaults."""
    from urllib.parse import urlsplit

    preset = PRESETS[name]
    text = preset.text
    for word, place in preset.places.items():
        given = places.get(word) or place.default
        text = text.replace(f"@{word}@", given).replace(f"@{word}_HOST@", urlsplit(given).hostname or given)
    return _HEAD.format(title=preset.title) + text


def variables(text: str) -> list[str]:
    """The environment variables that a file's keys are read from, in its order."""
    return list(dict.fromkeys(re.findall(r"^ *api_key: \$\{(\w+)\}", text, re.MULTILINE)))
