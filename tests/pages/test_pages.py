"""Every page that byollm makes, as a reader sees it: on a desk and a phone, by day and by night."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.pages.browser import Browser, opened
from tests.pages.makers import MAKERS

LOOK = (Path(__file__).parent / "look.js").read_text("utf-8")
VIEWS = [(width, scheme) for width in (1280, 390) for scheme in ("light", "dark")]
LARGEST = 6_000_000


def looked(browser: Browser, file: Path, width: int, scheme: str, picture: Path | None = None) -> dict[str, Any]:
    """What an eye would notice, and what the page asked for and complained of."""
    with opened(browser, file, width, scheme) as page:
        page.run("document.querySelectorAll('details').forEach((it) => { it.open = true; })")
        found = dict(page.run(LOOK))
        if picture is not None:
            page.picture(picture)
        return {**found, "requests": page.requests, "complaints": page.complaints}


@pytest.mark.parametrize("width, scheme", VIEWS, ids=str)
@pytest.mark.parametrize("name", MAKERS)
def test_a_page_can_be_read(
    name: str, width: int, scheme: str, browser: Browser, made: Callable[[str], Path], pictures: Path | None
) -> None:
    """No text upon another, none outside, none too faint; nothing asked for, nothing complained of."""
    picture = pictures / f"{name.replace(' ', '-')}-{width}-{scheme}.png" if pictures is not None else None
    found = looked(browser, made(name), width, scheme, picture)

    assert found["texts"] > 20
    assert [] == found["overlaps"]
    assert 0 == found["wider"]
    assert [] == found["outside"]
    assert [] == found["faint"]
    assert (scheme == "dark", True) == (found["dark"], found["painted"])
    assert ("en", True) == (found["language"], bool(found["title"]))
    assert ([], []) == (found["requests"], found["complaints"])


@pytest.mark.parametrize("name", MAKERS)
def test_a_page_is_one_file(name: str, made: Callable[[str], Path]) -> None:
    """Of at most six megabytes, which names nothing to be fetched."""
    file = made(name)
    text = file.read_text("utf-8")

    assert file.stat().st_size <= LARGEST
    assert "default-src 'none'" in text
    assert not any(word in text for word in ('src="http', "src='http", "@import", "url(http", '<link rel="stylesheet"'))


BROKEN = {
    "overlaps": '<p style="position:absolute;top:50px">one text</p><p style="position:absolute;top:55px">another</p>',
    "wider": '<div style="width:3000px">a text in a box that is much wider than any screen</div>',
    "outside": '<p style="position:absolute;left:-40px">a text that begins outside</p>',
    "faint": '<p style="color:#999;background:#aaa">a text that nobody can read</p>',
    "requests": '<img src="http://127.0.0.1:9/picture.png" alt="">',
    "complaints": "<script>console.error('something is wrong')</script>",
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_page_is_noticed(kind: str, browser: Browser, tmp_path: Path) -> None:
    """The eye itself is tested: each fault it looks for is found where it is."""
    file = tmp_path / "broken.html"
    file.write_text(f"<!doctype html><html lang=en><title>x</title><body><p>good</p>{BROKEN[kind]}", "utf-8")

    assert looked(browser, file, 1280, "light")[kind]


def test_a_good_page_is_left_alone(browser: Browser, tmp_path: Path) -> None:
    """Nothing is found where nothing is."""
    file = tmp_path / "good.html"
    file.write_text("<!doctype html><html lang=en><title>x</title><body><p>one</p><p>two <b>three</b></p>", "utf-8")
    found = looked(browser, file, 390, "light")

    assert not any(found[kind] for kind in BROKEN)
