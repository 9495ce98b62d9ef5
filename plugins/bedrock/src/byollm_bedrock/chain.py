"""botocore's chain of credential sources, for `authentication: chain`. It comes with the extra `chain`.

It may read files, run programs and ask local or AWS's own token hosts, as its own configuration says.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

from byollm.plugin import AuthenticationError, Secret
from byollm_bedrock.sigv4 import Keys


@dataclass(frozen=True, slots=True, repr=False)
class Found:
    """What the chain found, and the source that keeps it fresh."""

    keys: Keys
    source: Any

    @property
    def stale(self) -> bool:
        """They expire soon: the source is to be asked again."""
        needed = getattr(self.source, "refresh_needed", None)
        return bool(needed()) if needed is not None else False


def look(profile: str | None, before: Found | None) -> Found:
    """Ask the source found before, else look for one. May block. Raises AuthenticationError."""
    try:
        source = before.source if before is not None else _session(profile).get_credentials()
        frozen = source.get_frozen_credentials() if source is not None else None
    except ImportError:
        problem, hint = "botocore is not installed", "pip install 'byollm-bedrock[chain]'"
    except Exception as error:  # botocore's own; what they say may hold paths and addresses, their kind does not
        problem, hint = f"botocore failed with {type(error).__name__}", "aws sts get-caller-identity shows the same"
    else:
        if frozen is not None and frozen.access_key and frozen.secret_key:
            keys = Keys(Secret(frozen.access_key), Secret(frozen.secret_key), Secret(frozen.token or ""))
            return Found(keys, source)
        problem, hint = "botocore found no credentials", "aws configure, or name a `profile:`"
    raise AuthenticationError(f"no credentials of AWS: {problem}", sent="no", hint=hint)


def _session(profile: str | None) -> Any:
    return import_module("botocore.session").Session(profile=profile)
