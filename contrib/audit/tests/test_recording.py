"""What is recorded of a call through a client: before it, after it, and when there is none."""

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import pytest

import byollm
from byollm import AsyncClient, Client
from byollm.errors import ConfigError, NoRouteError, PluginError, ServerError
from byollm_audit import Audit, AuditKeyError, AuditStoreError
from byollm_audit.keys import Key, Mac
from byollm_audit.records import prompt_hash
from byollm_audit.verify import records

SECRET = "my mother's maiden name"


def kept(audit):
    return [record for record in records(audit.store.lines()) if record["kind"] != "segment"]


def test_a_call_is_an_intent_and_an_outcome(path, key, target, proved):
    """Who, what for, where to, why; then what became of it, what it took and cost."""
    audit = Audit(path=path, key=key)
    route = {"policy": "cheapest", "over": ["a", "b"]}
    config = {"deployments": {"a": target, "b": target}, "tasks": {"sums": {"route": route}}}
    with Client({"llm_config": config}, observers=[audit]) as client:
        reply = client.complete(SECRET, temperature=1.5, labels={"team": "x"}, end_user_id="u-7")
    intent, outcome = kept(audit)

    assert ("intent", "sums", "a", "cheapest", ["a", "b"]) == tuple(
        intent[name] for name in ("kind", "task", "deployment", "policy", "candidates")
    )
    assert ({"team": "x"}, "u-7", "custom") == (intent["labels"], intent["user"], intent["provider"])
    assert intent["host"].startswith("127.0.0.1:")
    assert ["temperature", "clamped"] == intent["adjustments"][0][:2]
    assert (intent["operation"], 1) == (outcome["operation"], outcome["attempt"])
    assert ("answered", "yes", reply.id) == (outcome["outcome"], outcome["billed"], outcome["reply"])
    assert (str(reply.cost), "EUR") == (outcome["cost"], outcome["currency"])
    assert reply.usage.input_tokens == outcome["tokens"]["input"]
    assert proved().intact


def test_no_text_of_prompt_or_answer_is_recorded(path, key, target):
    """Nor a key."""
    audit = Audit(path=path, key=key)
    with Client(target, observers=[audit]) as client:
        reply = client.complete(SECRET, system="you are a bank", stop=["maiden"])
    text = json.dumps(kept(audit))

    assert [] == [word for word in (SECRET, "maiden", "bank", reply.text, "k-1234567890") if word in text]


def test_the_prompts_hash_is_keyed(path, key, target):
    """Whoever has the key finds a prompt again; whoever lacks it cannot try prompts."""
    audit = Audit(path=path, key=key)
    with Client(target, observers=[audit]) as client:
        client.complete("yes")
    found = kept(audit)[0]["prompt"]

    assert prompt_hash([byollm.user("yes")], Mac(Key(key).derive("prompt"))) == found
    assert prompt_hash([byollm.user("yes")], Mac(bytes(32))) != found


def test_prompts_that_differ_have_other_hashes():
    """Wherever one part ends and the next begins, and whoever speaks."""
    prompts = [
        [byollm.user("ab", "c")],
        [byollm.user("a", "bc")],
        [byollm.user("ab"), byollm.user("c")],
        [byollm.system("abc")],
        [byollm.user("abc")],
        [byollm.user(byollm.Image(b"abc", "image/png"))],
    ]

    assert len(prompts) == len({prompt_hash(prompt, Mac(b"k")) for prompt in prompts})


def test_every_attempt_is_recorded(path, key, target, twin):
    """The failed ones too, by the error's class and never by its text."""
    audit = Audit(path=path, key=key)
    twin.script(*[ServerError("it is about your " + SECRET)] * 9)
    with Client(target, observers=[audit]) as client, pytest.raises(ServerError) as caught:
        client.complete(SECRET)
    found = kept(audit)

    assert ["intent", "outcome"] * len(caught.value.attempts) == [record["kind"] for record in found]
    assert {"ServerError"} == {record["outcome"] for record in found if record["kind"] == "outcome"}
    assert SECRET not in json.dumps(found)


def test_a_refused_call_is_recorded_with_every_reason(path, key, target):
    """Nothing was sent, and it says why."""
    audit = Audit(path=path, key=key)
    config = {"deployments": {"a": {**target, "region": "eu"}}, "tasks": {"sums": {"route": ["a"]}}}
    with Client({"llm_config": config}, observers=[audit]) as client, pytest.raises(NoRouteError):
        client.complete("hi", region="us")
    [refused] = kept(audit)

    assert ("refused", "us", {"a"}) == (refused["kind"], refused["region"], set(refused["skipped"]))


def test_streams_are_recorded_and_so_are_those_that_are_left(path, key, target):
    """A stream that nobody read to its end may have cost money all the same."""
    audit = Audit(path=path, key=key)
    with Client(target, observers=[audit]) as client:
        with client.stream("hi") as stream:
            list(stream)
        with client.stream("hi there, tell me a story") as stream:
            next(iter(stream))
    outcomes = [record for record in kept(audit) if record["kind"] == "outcome"]

    assert ["answered", "CancelledError"] == [record["outcome"] for record in outcomes]
    assert 0 < outcomes[0]["first_milliseconds"]


def test_async_calls_are_recorded(path, key, target, proved):
    """Many at once, one chain."""

    async def run():
        async with AsyncClient(target, observers=[Audit(path=path, key=key)]) as client:
            await asyncio.gather(*[client.complete(f"hi {number}") for number in range(20)])

    asyncio.run(run())
    report = proved()
    assert (True, 41, 0) == (report.intact, report.records, report.open)


def test_no_record_no_call(path, key, target, twin):
    """With `required`, a key that is missing stops the call before anything is sent."""
    audit = Audit(path=path, key="env:NOBODY_SET_THIS", required=True)
    with Client(target, observers=[audit]) as client, pytest.raises(AuditKeyError):
        client.complete("hi")

    assert 0 == len(twin.requests)


def test_a_place_that_cannot_be_written_stops_the_call(tmp_path, key, target, twin):
    """A folder below a file can never be."""
    (tmp_path / "file").write_text("")
    audit = Audit(path=tmp_path / "file" / "audit", key=key, required=True)
    with Client(target, observers=[audit]) as client, pytest.raises(AuditStoreError):
        client.complete("hi")

    assert 0 == len(twin.requests)


def test_without_required_the_call_goes_on(tmp_path, key, target):
    """The failure is counted, for `byollm doctor`."""
    (tmp_path / "file").write_text("")
    audit = Audit(path=tmp_path / "file" / "audit", key=key)
    with Client(target, observers=[audit]) as client:
        client.complete("hi")
        assert {"Audit": 2} == client.observers.failures


def test_what_was_lost_is_named_when_it_can_be(tmp_path, key, target, chain_key):
    """The next record is that of the gap."""
    audit = Audit(path=tmp_path / "file" / "audit", key=key)
    (tmp_path / "file").write_text("")
    with Client(target, observers=[audit]) as client:
        client.complete("hi")
        (tmp_path / "file").unlink()
        client.complete("hi")
    gap, *rest = kept(audit)

    assert ("gap", 2) == (gap["kind"], gap["records"])
    assert ["intent", "outcome"] == [name.split()[0] for name in gap["lost"]]
    assert ["intent", "outcome"] == [record["kind"] for record in rest]


def lost(name: str) -> Any:
    """A call whose record cannot be written."""
    return SimpleNamespace(id=name)


def test_what_is_lost_while_a_gap_is_written_is_the_next_gaps(path, key, target, monkeypatch):
    """Another thread may lose a record at any moment: it is named, too."""
    audit = Audit(path=path, key=key)
    append, others = audit.store.append, ["other"]

    def slow(fields):
        if b'"gap"' in fields and others:
            audit._miss(lost(others.pop()), "intent")
        return append(fields)

    monkeypatch.setattr(audit.store, "append", slow)
    audit._miss(lost("one"), "outcome")
    with Client(target, observers=[audit]) as client:
        client.complete("hi")
    gaps = [record for record in kept(audit) if record["kind"] == "gap"]

    assert [(1, ["outcome one"]), (1, ["intent other"])] == [(gap["records"], gap["lost"]) for gap in gaps]


def test_a_clock_that_goes_back_is_told(path, key, target, proved):
    """The order is that of the numbers; the record says by how much."""
    from byollm.testing import ManualClock

    clock = ManualClock()
    audit = Audit(path=path, key=key)
    with Client(target, observers=[audit], clock=clock) as client:
        client.complete("hi")
        clock.now -= 60
        client.complete("hi")
    found = kept(audit)

    assert 60 == found[2]["clock_back"]
    assert 2 == proved().clock_back


def test_labels_that_json_cannot_hold_are_shown(path, key, target, proved):
    """A caller's odd words stop no record."""
    audit = Audit(path=path, key=key, required=True)
    with Client(target, observers=[audit]) as client:
        client.complete("hi", labels={"odd": "\ud800", "newline": "\n\x00"})

    assert proved().intact
    assert "\n\x00" == kept(audit)[0]["labels"]["newline"]


@pytest.mark.parametrize("options", [{}, {"path": "x"}, {"path": "x", "key": "env:A", "requird": True}])
def test_bad_options_are_a_config_error(options):
    """With the option's name."""
    with pytest.raises(ConfigError, match=r"audit: `(path|key|requird)`"):
        Audit(**options)


@pytest.mark.parametrize(
    "options, told",
    [
        ({"requird": True}, "`requird` is no option; did you mean `required`?"),
        ({"required": "perhaps"}, "`required` must be true or false"),
        ({"segment_megabytes": 0}, "`segment_megabytes` must be more than 0"),
        ({"segment_megabytes": "much"}, "`segment_megabytes` must be a number"),
        ({"durability": "ful"}, "`durability` is full or normal"),
        ({"content": 5}, "`content` must be a mapping"),
        ({"path": 5}, "`path` must be a path"),
        ({"forward": "mail"}, "`forward`: an entry is `syslog` or `otel`"),
        ({"forward": [5]}, "`forward`: an entry is `syslog` or `otel`"),
        ({"forward": [{"syslog": "unix:/dev/log"}]}, "`forward`: an entry is `syslog` or `otel`"),
        ({"forward": [{"syslog": {"facility": 99}}]}, "`forward.facility` must be at most 23"),
    ],
)
def test_bad_options_are_told_in_our_words(options, told):
    """What an option takes, and nothing of the library that reads them."""
    with pytest.raises(ConfigError) as raised:
        Audit(**{"path": "x", "key": "env:A", **options})

    assert raised.value.message.startswith(f"audit: {told}")


def test_a_misspelt_name_is_told_before_what_it_leaves_missing():
    """`keyy:` stands there, and the key is missing: what stands there is to be mended."""
    with pytest.raises(ConfigError, match=r"`keyy` is no option; did you mean `key`\?"):
        Audit(path="x", keyy="env:A")


def test_the_file_names_it(path, key, target):
    """`observers: [{audit: {…}}]`, found by its entry point."""
    observers = [{"audit": {"path": str(path), "key": key, "required": True}}]
    config = {"deployments": {"a": target}, "tasks": {"t": {"route": ["a"]}}, "observers": observers}
    with Client({"llm_config": config}) as client:
        client.complete("hi")

    assert path.exists()


def test_an_audit_is_not_pickled(path, key):
    """It holds a key."""
    import pickle

    with pytest.raises((TypeError, PluginError)):
        pickle.dumps(Audit(path=path, key=key))


def test_an_intent_that_another_observer_forbade_is_withdrawn(path, key, target, twin, proved):
    """Nothing was sent, and no intent stays open."""

    class Forbidding:
        required = True

        def started(self, call, deployment):
            raise PluginError("not today")

    with Client(target, observers=[Audit(path=path, key=key), Forbidding()]) as client, pytest.raises(PluginError):
        client.complete("hi")

    assert 0 == len(twin.requests)
    assert (True, 0, 3) == (proved().intact, proved().open, proved().records)
