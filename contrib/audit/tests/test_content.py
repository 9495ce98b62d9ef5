"""What is kept of prompts and answers, when asked: encrypted, and erasable one by one."""

import pytest

from byollm import Client
from byollm_audit import Audit, AuditKeyError
from byollm_audit.command import audit as command
from byollm_audit.content import WRAPPED, Vault
from byollm_audit.keys import Key, new_key
from byollm_audit.verify import records

SECRET = "my mother's maiden name"


@pytest.fixture
def audit(path, key, tmp_path):
    new_key(tmp_path / "content.key")
    return Audit(path=path, key=key, content={"key": f"file:{tmp_path / 'content.key'}"})


def contents(audit):
    return [record for record in records(audit.store.lines()) if "content" in record]


def opened(audit, record):
    bound = f"{record['operation']} {record['attempt']} {record['kind']}"
    return Vault(Key(audit.settings.content.key)).open(audit.store.content(record["content"]), bound)


def test_prompt_and_answer_come_back(audit, target, path, proved):
    """With the customer's key, and nowhere in plain text."""
    with Client(target, observers=[audit]) as client:
        reply = client.complete(SECRET)
    intent, outcome = contents(audit)
    files = path.iterdir() if path.is_dir() else path.parent.glob("audit.db*")

    assert SECRET.encode() in opened(audit, intent)
    assert reply.text[:20].encode() in opened(audit, outcome)
    assert [] == [each for each in files if SECRET.encode() in each.read_bytes()]
    assert proved().intact


def test_another_key_opens_nothing(audit, target, tmp_path):
    """A named error, no garbage."""
    with Client(target, observers=[audit]) as client:
        client.complete(SECRET)
    new_key(tmp_path / "other.key")
    record = contents(audit)[0]

    with pytest.raises(AuditKeyError):
        Vault(Key(f"file:{tmp_path / 'other.key'}")).open(audit.store.content(record["content"]), "")


def test_one_operation_is_erased_and_the_chain_still_verifies(audit, target, path, key, proved, capsys):
    """Its keys are gone, everybody else's are there, and the record says so."""
    with Client(target, observers=[audit]) as client:
        client.complete(SECRET)
        client.complete("another")
    first, other = contents(audit)[0], contents(audit)[2]
    words = ["erase", first["operation"], "--reason", "article 17", "--path", str(path), "--key", key]

    assert 0 == command(words)
    assert (None, True) == (opened(audit, first), b"another" in opened(audit, other))
    report = proved()
    assert (True, 4, 2) == (report.intact, report.contents, report.erased)
    assert "erased" == list(records(audit.store.lines()))[-1]["kind"]


def test_a_key_that_somebody_destroyed_in_secret_is_found(audit, target, proved):
    """No record says that it was to be."""
    with Client(target, observers=[audit]) as client:
        client.complete(SECRET)
    audit.store.destroy(contents(audit)[0]["content"])

    assert ["the key of the content of record 2 was destroyed, and no record says so"] == proved().problems


@pytest.mark.parametrize("at", [0, WRAPPED - 1, WRAPPED, -1])
def test_a_content_that_was_changed_is_found(tmp_path, key, target, chain_key, at):
    """Key or text, first byte or last."""
    from byollm_audit.verify import verify

    new_key(tmp_path / "content.key")
    audit = Audit(path=tmp_path / "log", key=key, content={"key": f"file:{tmp_path / 'content.key'}"})
    with Client(target, observers=[audit]) as client:
        client.complete(SECRET)
    file = tmp_path / "log" / "audit-000001.content"
    data = bytearray(file.read_bytes())
    data[at] ^= 1
    file.write_bytes(data)

    assert 1 == len(verify(tmp_path / "log", chain_key).problems)
