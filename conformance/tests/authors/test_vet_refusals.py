"""What is no wheel, or a trap, is refused by name: exit code 2, and nothing is read that it does not deserve."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path

import pytest
from wheels import INFO, NOISE, wheel

from byollm.cli.main import main


def refused(path: Path | str, capsys: pytest.CaptureFixture[str]) -> str:
    """What is said of it."""
    assert 2 == main(["vet", str(path)])
    return capsys.readouterr().err


def archive(path: Path, *members: tuple[zipfile.ZipInfo | str, bytes]) -> Path:
    """A zip archive of exactly these members."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members:
            file.writestr(name, data)
    return path


@pytest.mark.parametrize(
    "data", [b"", b"PK", b"not a wheel at all", b"PK\x05\x06" + b"\0" * 10, b"\x1f\x8b\x08" + b"\0" * 99]
)
def test_what_is_no_archive(tmp_path: Path, capsys: pytest.CaptureFixture[str], data: bytes) -> None:
    """Text, a half, another format."""
    path = tmp_path / "acme.whl"
    path.write_bytes(data)

    assert "this is no wheel" in refused(path, capsys)


def test_an_archive_without_metadata(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A zip is not yet a wheel."""
    assert "it has no .dist-info folder" in refused(archive(tmp_path / "a.whl", ("a.py", b"")), capsys)


@pytest.mark.parametrize("name", ["METADATA", "WHEEL"])
def test_metadata_that_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    """The file is named."""
    assert f"{INFO}/{name} is missing" in refused(wheel(tmp_path, {f"{INFO}/{name}": None}), capsys)


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("METADATA", "", "names no distribution and version"),
        ("METADATA", "Name: a\x1b[31m\nVersion: 1\n", "names no distribution and version"),
        ("METADATA", "Name: acme\nVersion: ../..\n", "names no distribution and version"),
        ("METADATA", b"Name: \xff\xfe\n", "is no UTF-8 text"),
        ("METADATA", NOISE, "is larger than 1 MiB"),
        ("entry_points.txt", "no section", "no section headers"),
        ("entry_points.txt", "[a]\nx = y\nx = z\n", "already exists"),
        ("entry_points.txt", b"\xff", "is no UTF-8 text"),
    ],
)
def test_metadata_that_is_broken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, data: str | bytes, told: str
) -> None:
    """The file, and what is wrong with it."""
    assert told in refused(wheel(tmp_path, {f"{INFO}/{name}": data}), capsys)


def test_two_metadata_folders(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody would know which one an installer reads."""
    assert "it has 2 .dist-info folders" in refused(wheel(tmp_path, {"other-1.dist-info/METADATA": "x"}), capsys)


@pytest.mark.parametrize(
    "name",
    ["../evil.py", "/etc/passwd", "a/../../evil.py", "..\\evil.py", "C:/evil.py", "a//b.py", "./a.py", "a\nb.py"],
)  # fmt: skip
def test_paths_that_lead_out(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    """An installer that follows them writes anywhere."""
    assert "leads out of the archive" in refused(wheel(tmp_path, {name: "1"}), capsys)


def test_a_path_cut_by_nul(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Some readers end a name there, and some do not."""
    path = wheel(tmp_path, {"evil.pyXtxt": "1"})
    path.write_bytes(path.read_bytes().replace(b"evil.pyXtxt", b"evil.py\0txt"))

    assert "leads out of the archive" in refused(path, capsys)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_path_that_stands_twice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One reader sees the first, another the last."""
    path = archive(tmp_path / "a.whl", ("a.py", b"1"), ("a.py", b"import socket"))

    assert "stands twice" in refused(path, capsys)


def test_a_link(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It would lead out once it is unpacked."""
    link = zipfile.ZipInfo("a.py")
    link.external_attr = 0o120777 << 16

    assert "is a link or a device" in refused(archive(tmp_path / "a.whl", (link, b"/etc/passwd")), capsys)


def test_an_encrypted_member(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody can look into it."""
    path = wheel(tmp_path)
    data = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + offset] |= 1
    path.write_bytes(bytes(data))

    assert "is encrypted" in refused(path, capsys)


def test_a_zip_bomb(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A megabyte of wheel, a gigabyte of zeros: not one of them is unpacked."""
    path = tmp_path / "bomb.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file, file.open("zeros.py", "w") as member:
        for _ in range(300):
            member.write(bytes(1024 * 1024))

    assert "a zip bomb" in refused(path, capsys)


def test_members_that_share_their_bytes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A thousand names for one member: what is promised counts, whatever the archive weighs."""
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a0000", bytes(1024 * 1024))
    data = inner.getvalue()
    start = data.index(b"PK\x01\x02")
    entry = data[start : data.index(b"PK\x05\x06")]
    directory = b"".join(entry.replace(b"a0000", f"a{number:04}".encode()) for number in range(1000))
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 1000, 1000, len(directory), start, 0)
    (tmp_path / "a.whl").write_bytes(data[:start] + directory + end)

    assert "a zip bomb" in refused(tmp_path / "a.whl", capsys)


def test_a_table_of_contents_that_never_ends(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is refused by its size, before anybody reads it."""
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 1, 1, 64 * 1024 * 1024, 0, 0)
    (tmp_path / "a.whl").write_bytes(bytes(64) + end)

    assert "its table of contents is larger" in refused(tmp_path / "a.whl", capsys)


def test_too_many_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No plugin has twenty thousand."""
    path = archive(tmp_path / "a.whl", *[(f"{number}.py", b"") for number in range(20_001)])

    assert "20001 files are more than any plugin has" in refused(path, capsys)


def test_a_broken_member(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The member is named."""
    path = wheel(tmp_path, {"byollm_acme/data.txt": "some text that is compressed " * 50})
    data = bytearray(path.read_bytes())
    at = data.index(b"byollm_acme/data.txt") + len("byollm_acme/data.txt")
    data[at + 4 : at + 12] = b"\xff" * 8
    path.write_bytes(bytes(data))

    assert "byollm_acme/data.txt cannot be read" in refused(path, capsys)


def test_every_byte_of_a_wheel_may_be_broken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever byte is flipped, the exit code is 0, 1 or 2, and nothing else is raised."""
    whole = wheel(tmp_path).read_bytes()
    path = tmp_path / "broken.whl"
    codes = set()
    for at in range(0, len(whole), 7):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        codes.add(main(["vet", str(path)]))
        assert "this is a mistake in the program" not in capsys.readouterr().err

    assert codes <= {0, 1, 2}
    assert 2 in codes


@pytest.mark.parametrize("target", ["no-such-distribution", "/nowhere/a.whl", "", "\0"])
def test_what_is_not_there(capsys: pytest.CaptureFixture[str], target: str) -> None:
    """Neither a file nor a folder nor a distribution."""
    assert "is no file, no folder and no installed distribution" in refused(target, capsys)


def test_a_folder_that_is_no_plugin(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without metadata there is nobody to ask."""
    assert "it has no .dist-info folder" in refused(tmp_path, capsys)


@pytest.mark.parametrize("text", ["[project]\n", "not toml", "[project]\nname = 1\nentry-points = 3\n"])
def test_a_repository_with_a_broken_pyproject(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    """The file is named."""
    (tmp_path / "pyproject.toml").write_text(text)

    assert "pyproject.toml cannot be read" in refused(tmp_path, capsys)
