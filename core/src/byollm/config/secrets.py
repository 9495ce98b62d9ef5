"""References to secrets: read at first use, never when a configuration is loaded.

===================  ===============================================================================================
`${NAME}`            an environment variable; in headers and proxies also inside a longer text (`Bearer ${TOKEN}`)
`env:NAME`           the same
`file:PATH`          a file's text, stripped; a relative path starts at the configuration's folder
`keyring:SERVICE/N`  the system's keyring, when the package `keyring` is installed
`cmd:PROGRAM ARGS`   what a program prints, only with `secrets: {allow_cmd: true}`; no shell, 30 seconds at most
`SCHEME:TEXT`        what a plugin brings under the entry point group `byollm.secrets`, see `stores.py`
`literal:TEXT`       the text after the colon, for a key that looks like a reference
a callable           from Python: called without arguments, returns a str or a Secret
anything else        the key itself: it works, and a warning is recorded
===================  ===============================================================================================
"""

from __future__ import annotations

import os
import re
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

from byollm.config.kept import Kept
from byollm.config.places import NOWHERE, Problem, Where, name
from byollm.errors import AuthenticationError, ByollmError, ConfigError
from byollm.wire.redact import Secret

if TYPE_CHECKING:
    from byollm.config.stores import Stores

PLAIN: Final = ("env", "template", "file", "keyring", "cmd", "callable", "literal", "refused")
"""Kinds that the core reads itself; every other is a store's name, or a plugin's."""
MAX_CHARACTERS: Final = 64 * 1024
VARIABLE: Final = re.compile(r"\$\{([^}]*)\}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_SCHEME = re.compile(r"((?:env|file|keyring)(?=://)|[a-z][a-z0-9_-]+(?!://)):(?://)?(.*)\Z", re.DOTALL)
_FOREIGN: Final = (
    (re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)\Z"), "a variable is written with braces"),
    (re.compile(r"os\.environ/([A-Za-z_][A-Za-z0-9_]*)\Z"), "`os.environ/` is another library's way"),
    (re.compile(r"%([A-Za-z_][A-Za-z0-9_]*)%\Z"), "a variable is not written with percent signs"),
    (re.compile(r"\{\{\s*(?:env\.)?([A-Za-z_][A-Za-z0-9_]*)\s*\}\}\Z"), "templates are not read"),
)


class SecretReference:
    """Where a secret comes from. `resolve()` reads and keeps it, `refused()` has it read again; shows nothing.

    `name` is what it is for (`api_key`, `header authorization`), `kind` one of env, template, file, keyring, cmd,
    callable, literal or a plugin's scheme; `given` is the callable, or the Secret that was written. An `optional` one
    that is not there is an empty Secret instead of an error. `kept` is the value, which references that say the same
    share; `stores` are the file's secret stores.
    """

    __slots__ = ("given", "kept", "kind", "name", "optional", "stores", "text", "where")

    def __init__(
        self, name: str, kind: str, text: Any, where: Where = NOWHERE, *, given: Any = None, optional: bool = False
    ) -> None:
        self.name = name
        self.kind = kind
        self.text = text
        self.where = where
        self.optional = optional
        self.given = given
        self.kept = Kept()
        self.stores: Stores | None = None

    def __repr__(self) -> str:
        return f"SecretReference({self.name} from {self.source})"

    def __reduce__(self) -> Any:
        raise TypeError("a SecretReference is never pickled: load the configuration in each process")

    @property
    def source(self) -> str:
        """Where it is looked for, in words that may be shown."""
        if self.kind in ("env", "template"):
            return " or ".join(f"${{{name(variable)}}}" for variable in self.text)
        words = {"literal": "the configuration itself", "callable": "a Python callable", "refused": "nowhere"}
        if self.kind in words:
            return words[self.kind]
        if self.kind == "cmd":
            return f"the program {name(self.text.split(maxsplit=1)[0])}"
        return f"{self.kind}:{name(self.text)}"

    @property
    def is_placeholder(self) -> bool:
        """True for a literal that somebody was to replace (`your-openai-key`)."""
        return self.kind == "literal" and is_placeholder(self.given.reveal())

    def resolve(self) -> Secret:
        """The secret, read at the first call and kept as long as `kept` says. May block.

        Raises AuthenticationError (`sent="no"`) when it is not there, ConfigError when the reference cannot be used.
        """
        found = self.kept.get(self._read)
        if isinstance(found, ByollmError):
            raise found
        return found

    @property
    def due(self) -> float:
        """The instant of `time.monotonic` from which on `resolve` reads it again; infinity for never."""
        return self.kept.due

    def refresh(self) -> None:
        """Forget the value: the next `resolve` reads it again."""
        self.kept.forget()

    def refused(self, secret: Secret | None) -> None:
        """The provider refused this value: the next `resolve` reads it again, unless another one did meanwhile."""
        self.kept.refused(secret)

    def _read(self) -> Secret | ByollmError:
        from byollm.config.sources import read

        found = read(self)
        if isinstance(found, ByollmError) or found or self.optional:
            return found
        return self.missing(f"{self.source} is empty")

    def missing(self, sentence: str) -> AuthenticationError:
        """The error for a secret that is not there."""
        asked = f"   ({self.where} asks for it)" if self.where.line is not None else ""
        mend = f"put the {self.name} there"
        if self.kind in ("env", "template"):
            mend = f"export {name(self.text[0])}=…{asked}"
        elif asked:
            mend += asked
        return AuthenticationError(f"no {self.name}: {sentence}", sent="no", hint=mend)


def parse_reference(
    label: str, value: Any, where: Where = NOWHERE, *, allow_cmd: bool = False, base: str | None = None
) -> SecretReference:
    """The reference that `value` writes; nothing is read. `base` is the folder that relative files start at.

    Raises ConfigError, without the value in it, for what cannot be a reference.
    """
    if callable(value) and not isinstance(value, type):
        return SecretReference(label, "callable", "", where, given=value)
    if isinstance(value, PurePath):
        value = f"file:{value}"
    elif hasattr(value, "get_secret_value"):  # pydantic's SecretStr, which programs already have at hand
        value = Secret(f"literal:{value.get_secret_value()}")
    text = value.reveal() if isinstance(value, Secret) else value
    nothing = Problem("a reference is a text or a callable", f"write `{label}: ${{NAME}}`, or put a number in quotes")
    found = _parse(label, text, where, allow_cmd, base) if isinstance(text, str) else nothing
    if isinstance(found, SecretReference):
        return found
    file, line, column = where
    raise ConfigError(f"`{label}`: {found.message}", hint=found.hint, file=file, line=line, column=column)


def _parse(label: str, text: str, where: Where, allow_cmd: bool, base: str | None) -> SecretReference | Problem:
    for pattern, sentence in _FOREIGN:
        foreign = pattern.match(text)
        if foreign:
            return Problem(sentence, f"write `${{{name(foreign.group(1))}}}`")
    if not text.strip():
        return Problem("it is empty", "write `${NAME}`, or remove the line")
    if len(text) > MAX_CHARACTERS:
        return Problem("it is longer than any key", "name a file that holds it: `file:PATH`")
    scheme = _SCHEME.match(text)
    if scheme:
        kind, rest = scheme.groups()
        return _scheme(label, kind, rest, where, allow_cmd, base)
    if "${" not in text:
        return SecretReference(label, "literal", "", where, given=Secret(text))
    names = VARIABLE.findall(text)
    if text.count("${") != len(names) or not all(_NAME.match(item) for item in names):
        sentence = "what stands in `${ }` is no variable's name"
        return Problem(sentence, "write `${NAME}` with letters, digits and `_`; no default, no expression")
    kind = "env" if VARIABLE.fullmatch(text) else "template"
    return SecretReference(label, kind, tuple(names), where, given=Secret(text) if kind == "template" else None)


def _scheme(
    label: str, kind: str, rest: str, where: Where, allow_cmd: bool, base: str | None
) -> SecretReference | Problem:
    if not rest.strip():
        return Problem(f"nothing follows `{kind}:`", f"write `{kind}:` and what it needs")
    if kind == "literal":
        return SecretReference(label, kind, "", where, given=Secret(rest))
    if "${" in rest:
        return Problem(f"`${{…}}` is not read inside `{kind}:`", f"write `{kind}:` with the text itself")
    if kind == "env":
        if not _NAME.match(rest):
            return Problem("what follows `env:` is no variable's name", "write `env:NAME`")
        return SecretReference(label, kind, (rest,), where)
    if kind == "file":
        path = os.path.join(base, rest) if base and not rest.startswith("~") else rest
        return SecretReference(label, kind, path, where)
    if kind == "keyring" and not all(rest.rpartition("/")):
        return Problem("a keyring is asked for a service and a name", "write `keyring:service/name`")
    if kind == "cmd" and not allow_cmd:
        hint = "if it may, write `secrets: {allow_cmd: true}` beside the tasks"
        return Problem("`cmd:` runs a program, and this file does not allow it", hint)
    return SecretReference(label, kind, rest, where)


def ambient(label: str, variables: tuple[str, ...], *, optional: bool) -> SecretReference:
    """The provider's usual variables, the first that is set: for a configuration that names no key."""
    return SecretReference(label, "env", variables, optional=optional)


def refused(error: AuthenticationError) -> SecretReference:
    """A reference that is not to be had: it raises a copy of `error`, at each call."""
    return SecretReference("api_key", "refused", "", given=error)


_PLACEHOLDER: Final = (
    r"(?i)(?:(?:.*[-_ ])?(?:your|my|insert|replace|change|enter|put|add)[-_ ]"
    r"(?:.*[-_ ])?(?:key|token|secret|here|me|this|it)"
    r"|your[-_ ].*|<[^>]*>|\[[^\]]*\]"
    r"|(?:sk|pk|key|api)?[-_]?(?:x{3,}|\*{3,}|\.{3,}|…|0{6,}|123(?:4(?:5(?:6(?:789?0?)?)?)?)?)"
    r"|sk-(?:\.+|…|<.*>|key|test)?|(?:api[-_ ]?key|key|token|secret|todo|fixme|tbd|none|null|dummy|fake|example|"
    r"placeholder|changeme|replaceme|foo|bar|test|redacted)(?:[-_ ](?:api[-_ ]?)?(?:key|token|secret|here))?)\Z"
)


def is_placeholder(text: str) -> bool:
    """True for a text that somebody was to replace: `your-openai-key`, `sk-...`, `<key>`, `changeme`, `xxx`."""
    return re.match(_PLACEHOLDER, text.strip()) is not None
