"""Reading secrets where their references say that they are. Whatever goes wrong comes back as a value."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable
from typing import Any, Final

from byollm.config.places import name
from byollm.config.secrets import VARIABLE, SecretReference
from byollm.errors import ByollmError, ConfigError
from byollm.wire.redact import Secret

MAX_BYTES: Final = 64 * 1024
"""The most that is read from a file or a program."""


def read(reference: SecretReference) -> Secret | ByollmError:
    """The secret as it is now, or what went wrong, as a value."""
    kind = reference.kind
    if kind == "literal":
        return _usable(reference, reference.given)
    if kind in ("env", "template"):
        return _variables(reference)
    if kind == "refused":
        refusal: ByollmError = copy.copy(reference.given)
        return refusal
    readers: dict[str, Callable[[SecretReference], Secret | ByollmError]] = {
        "file": _file,
        "keyring": _keyring,
        "cmd": _command,
        "callable": _called,
    }
    found = readers.get(kind, _plugin)(reference)
    return _usable(reference, found) if isinstance(found, Secret) else found


def _variables(reference: SecretReference) -> Secret | ByollmError:
    values = {variable: os.environ.get(variable, "").strip() for variable in reference.text}
    if reference.kind == "env":
        found = Secret(next((value for value in values.values() if value), ""))
        missing = [] if found else list(values)
    else:
        missing = [variable for variable, value in values.items() if not value]
        found = Secret(VARIABLE.sub(lambda match: values[match.group(1)], reference.given.reveal()))
    if not missing:
        return _usable(reference, found)
    if reference.optional:
        return Secret("")
    shown = " or ".join(name(variable) for variable in missing) if reference.kind == "env" else name(missing[0])
    return reference.missing(f"the environment variable {shown} is not set")


def _file(reference: SecretReference) -> Secret | ByollmError:
    path = os.path.expanduser(reference.text)
    try:
        with open(path, "rb") as file:
            if os.fstat(file.fileno()).st_mode & 0o004:
                _warn("%s can be read by everybody on this machine: chmod 600 it", path)
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
        return reference.missing(f"{name(path)} cannot be read ({reason})")
    return _decoded(reference, data)


def _decoded(reference: SecretReference, data: bytes) -> Secret | ByollmError:
    if len(data) > MAX_BYTES:
        return reference.missing(f"{reference.source} holds more than {MAX_BYTES} bytes")
    try:
        return Secret(data.decode("utf-8").strip())
    except UnicodeDecodeError:
        return reference.missing(f"{reference.source} is not UTF-8")


def _keyring(reference: SecretReference) -> Secret | ByollmError:
    from importlib.util import find_spec

    file, line, column = reference.where
    if find_spec("keyring") is None:
        return ConfigError(
            "`keyring:` needs the package keyring", hint="pip install keyring", file=file, line=line, column=column
        )
    import importlib

    service, _, user = reference.text.rpartition("/")
    try:
        found = importlib.import_module("keyring").get_password(service, user)
    except Exception as error:
        return reference.missing(f"the keyring failed ({type(error).__name__})")
    if not isinstance(found, str):
        return reference.missing(f"the keyring has no {name(service)}/{name(user)}")
    return Secret(found)


def _command(reference: SecretReference) -> Secret | ByollmError:
    import shlex
    import subprocess

    try:
        words = shlex.split(reference.text)
        done = subprocess.run(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=30, check=False
        )
    except subprocess.TimeoutExpired:
        return reference.missing(f"{reference.source} did not end within 30 s")
    except (OSError, ValueError, IndexError) as error:
        return reference.missing(f"{reference.source} cannot be run ({type(error).__name__})")
    if done.returncode != 0:
        return reference.missing(f"{reference.source} ended with status {done.returncode}")
    return _decoded(reference, done.stdout)


def _called(reference: SecretReference) -> Secret | ByollmError:
    return answer_of(reference, reference.given)


def _plugin(reference: SecretReference) -> Secret | ByollmError:
    from byollm.config.stores import Stores

    return (reference.stores or Stores()).read(reference)


def answer_of(reference: SecretReference, function: Callable[[], Any]) -> Secret | ByollmError:
    """What a function answers as a secret, or what went wrong."""
    try:
        found = function()
    except ByollmError as error:
        return error.with_traceback(None)
    except Exception as error:
        problem = type(error).__name__
    else:
        if isinstance(found, str):
            return Secret(found.strip())
        if isinstance(found, Secret):
            return found
        problem = f"it answered {type(found).__name__}, not str"
    return reference.missing(f"{reference.source} failed ({problem})")


def _usable(reference: SecretReference, found: Secret) -> Secret | ByollmError:
    """What goes into a header must fit there: a quote mark or a line break that was copied along is found here."""
    if reference.name != "api_key" and not reference.name.startswith("header "):
        return found
    odd = next((character for character in found.reveal() if not " " <= character <= "~"), None)
    if odd is None:
        return found
    what = "a line break or control character" if odd < " " else "a character that is not ASCII"
    return reference.missing(f"{reference.source} holds {what}, which no header can carry")


def _warn(message: str, *arguments: Any) -> None:
    import logging

    logging.getLogger("byollm.config").warning(message, *arguments)
