"""Keys from mounted Kubernetes secrets: `kubernetes:NAME/KEY`.

The kubelet replaces all files of a volume at once by renaming the symbolic link `..data` (its atomic writer); what is
read through it is old or new, never half of each. Read 2026-11-22.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import ClassVar, Final

from byollm.plugin import AuthContext, AuthenticationError, ConfigError, Secret, StoreFlow

FOLDER: Final = "/var/run/secrets/byollm"
MAX_BYTES: Final = 1024 * 1024
"""No Secret of Kubernetes is larger."""
TRIES: Final = 3
"""A file that vanishes under its reader was swapped: it is looked for again."""

__all__ = ["Mounted"]


class Mounted:
    """A folder with one volume for each secret: `kubernetes:openai/api_key` is the file `openai/api_key` in it.

    `folder` is where the volumes are mounted. Raises ValueError when it is no absolute path.
    """

    credentials: ClassVar[Mapping[str, tuple[str, ...]]] = {}

    def __init__(self, folder: str = FOLDER) -> None:
        if not os.path.isabs(folder):
            raise ValueError(f"`folder` is an absolute path, e.g. {FOLDER}")
        self._folder = folder

    def __repr__(self) -> str:
        return f"Mounted({self._folder})"

    @property
    def hosts(self) -> frozenset[str]:
        """None: it asks nobody."""
        return frozenset()

    def read(self, text: str, context: AuthContext) -> StoreFlow:
        """The file's text as it is now."""
        name, _, key = text.partition("/")
        if not _is_name(name) or not _is_name(key):
            raise ConfigError("`kubernetes:` names a secret and a key of it", hint="kubernetes:openai/api_key")
        found: Secret = yield _reading(self._folder, name, key)
        return found


def _is_name(text: str) -> bool:
    """Kubernetes allows letters, digits, `-`, `_` and `.`; names that begin with `..` are the kubelet's own."""
    return (
        bool(text)
        and text.isascii()
        and not text.startswith("..")
        and text != "."
        and (text.replace("-", "").replace("_", "").replace(".", "").isalnum())
    )


def _reading(folder: str, name: str, key: str) -> Callable[[], Secret]:
    def work() -> Secret:
        problem = ""
        for _ in range(TRIES):
            try:
                return Secret(_text(folder, os.path.join(folder, name, key)))
            except FileNotFoundError as error:
                problem = error.strerror or "not there"
            except OSError as error:
                problem = error.strerror or type(error).__name__
                break
            except UnicodeDecodeError:
                problem = "it is not UTF-8"
                break
        raise AuthenticationError(
            f"{name}/{key} cannot be read in {folder} ({problem})", sent="no",
            hint=f"mount the secret: volumeMounts: [{{name: {name}, mountPath: {folder}/{name}, readOnly: true}}]",
        )  # fmt: skip

    return work


def _text(folder: str, path: str) -> str:
    base = os.path.realpath(folder)
    if os.path.commonpath([base, os.path.realpath(path)]) != base:
        raise PermissionError(0, "it leads out of the folder")
    with open(path, "rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise PermissionError(0, "it is larger than any secret")
    return data.decode("utf-8")
