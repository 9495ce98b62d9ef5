"""The options of the audit, as people write them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from byollm.config.option_words import sentence_of
from byollm.errors import ConfigError
from byollm_audit.keys import Key

if TYPE_CHECKING:
    from byollm_audit.content import Vault
    from byollm_audit.forward import Forward
    from byollm_audit.store import Store


class Syslog(BaseModel):
    """`syslog:`: `unix:/dev/log`, `udp://host:514` or `tcp://host:514`; RFC 5424."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    address: str = "unix:/dev/log"
    facility: int = Field(default=13, ge=0, le=23)
    """13 is `log audit` (RFC 5424, section 6.2.1)."""

    def make(self) -> Forward:
        """The sender. Raises ConfigError for another kind of address."""
        from byollm_audit.forward import Forward
        from byollm_audit.syslog import SyslogSink

        return Forward("syslog", SyslogSink(self.address, self.facility))


class OpenTelemetry(BaseModel):
    """`otel:`: through whatever log provider the program set up."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def make(self) -> Forward:
        """The sender. Raises PluginError where opentelemetry-api is not installed."""
        from byollm_audit.forward import Forward
        from byollm_audit.otel import OtelSink

        return Forward("otel", OtelSink())


class Content(BaseModel):
    """`content:`: prompts and answers are kept, encrypted with this key."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    key: Any


class Settings(BaseModel):
    """Where the record is kept and how.

    `path`: a folder of JSONL segments, or a SQLite database (`.db`, `.sqlite`). `key`: the reference of the chain's
    key. `required`: no record, no call. `content`: keep prompts and answers, encrypted. `forward`: copies of every
    line. `segment_megabytes`: when a segment is sealed (default 64; folders only). `durability`: `normal` outlives the
    process, `full` the machine (each record waits for the disk). `lock_seconds`: how long another process may lock it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    path: Path
    key: Any
    required: bool = False
    content: Content | None = None
    forward: tuple[Syslog | OpenTelemetry, ...] = ()
    segment_megabytes: float = Field(default=64, gt=0)
    durability: Literal["normal", "full"] = "normal"
    lock_seconds: float = Field(default=5, gt=0)

    @field_validator("forward", mode="before")
    @classmethod
    def _forwards(cls, value: Any) -> Any:
        kinds: dict[str, type[BaseModel]] = {"syslog": Syslog, "otel": OpenTelemetry}
        made = []
        for entry in value if isinstance(value, list | tuple) else [value]:
            told = {entry: None} if isinstance(entry, str) else entry
            label, options = next(iter(told.items()), ("", None)) if isinstance(told, dict) else ("", None)
            if label not in kinds or not isinstance(options, dict | None):
                raise ValueError("an entry is `syslog` or `otel`, with its options")
            made.append(kinds[label](**(options or {})))
        return tuple(made)

    def chain_key(self) -> Key:
        """The reference of the chain's key. Raises ConfigError."""
        return Key(self.key)

    def vault(self) -> Vault | None:
        """What encrypts contents; None where none are kept. Raises AuditKeyError, PluginError."""
        if self.content is None:
            return None
        from byollm_audit.content import Vault

        return Vault(Key(self.content.key))

    def open_store(self) -> Store:
        """The place of the record. Raises AuditError."""
        from byollm_audit.store import path_is_database

        key, sync, path = self.chain_key().derive("chain"), self.durability == "full", self.path.expanduser()
        if path_is_database(path):
            from byollm_audit.database import DatabaseStore

            return DatabaseStore(path, key, sync=sync, wait=self.lock_seconds)
        from byollm_audit.files import FileStore

        limit = int(self.segment_megabytes * 1_000_000)
        return FileStore(path, key, limit=limit, sync=sync, wait=self.lock_seconds)


def read(options: dict[str, Any]) -> Settings:
    """The options, checked; the form of the key references too. Raises ConfigError."""
    try:
        settings = Settings(**options)
    except ValidationError as error:
        problem = f"audit: {sentence_of(error, Settings)}"
    else:
        settings.chain_key()
        if settings.content is not None:
            Key(settings.content.key)
        return settings
    raise ConfigError(problem, hint="- audit: {path: audit, key: file:/etc/byollm/audit.key, required: true}")
