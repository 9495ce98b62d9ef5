"""A configuration written to a real file, and what loading it says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from byollm.config.llm_config import load
from byollm.config.records import LlmConfig
from byollm.errors import ConfigError


@pytest.fixture
def read(tmp_path: Path) -> Callable[[str], LlmConfig]:
    """Load a text as the file llm.yaml."""

    def read_text(text: str) -> LlmConfig:
        path = tmp_path / "llm.yaml"
        path.write_text(text, "utf-8")
        return load(path)

    return read_text


@pytest.fixture
def refused(read: Callable[[str], LlmConfig]) -> Callable[[str], ConfigError]:
    """The ConfigError of a text; the file's name is shortened to llm.yaml."""

    def refuse(text: str) -> ConfigError:
        with pytest.raises(ConfigError) as raised:
            read(text)
        error = raised.value
        if error.file is not None:
            error.file = Path(error.file).name
        return error

    return refuse
