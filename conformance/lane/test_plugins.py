"""Our own plugins under the suite."""

from byollm_conformance.suite import *  # noqa: F403  (this is how a plugin's author writes it)

plugins = ["openai", "anthropic", "custom"]
