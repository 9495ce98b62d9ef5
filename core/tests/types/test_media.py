"""Where the bytes of a picture come from."""

import pytest

from byollm.errors import ConfigError
from byollm.types.parts import Document, Image


@pytest.mark.parametrize("text", ["!!!", "", "a b*c", "AAAA===="])
def test_a_data_uri_is_base64(text: str) -> None:
    """What cannot be decoded is refused where it is made plain, before anything is sent."""
    with pytest.raises(ConfigError, match="base64"):
        _ = Image(f"data:image/png;base64,{text}").media


def test_line_ends_in_base64_are_taken() -> None:
    """Mail programs break it into lines."""
    assert "aGVs\r\nbG8=" == Document("data:text/plain;base64,aGVs\r\nbG8=").media.base64
