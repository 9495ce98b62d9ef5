"""A secret's value while it is in use: how old it may grow, who reads it again, and what a dead source changes."""

import threading
from concurrent.futures import ThreadPoolExecutor

from byollm.config.kept import HOLD, RETRY, Kept
from byollm.errors import AuthenticationError
from byollm.testing import ManualClock
from byollm.wire.redact import Secret

OLD, NEW = Secret("old-0123456789"), Secret("new-0123456789")


class Source:
    """What is read, and how often it was."""

    def __init__(self, found=OLD):
        self.found = found
        self.reads = 0

    def __call__(self):
        self.reads += 1
        return self.found


def gone() -> AuthenticationError:
    return AuthenticationError("the source is gone", sent="no")


def test_a_value_is_read_once():
    """However often it is asked for."""
    kept, source = Kept(), Source()

    assert [OLD, OLD] == [kept.get(source), kept.get(source)]
    assert 1 == source.reads


def test_a_value_that_grew_old_is_read_again():
    """When it is asked for, not before."""
    clock, source = ManualClock(), Source()
    kept = Kept(300, clock=clock.monotonic)
    kept.get(source)
    source.found = NEW
    clock.now += 299
    before = kept.get(source)
    clock.now += 1

    assert (OLD, NEW) == (before, kept.get(source))


def test_while_its_source_is_gone_an_old_value_stays():
    """Nobody refused it. The source is asked again half a minute later."""
    clock, source = ManualClock(), Source()
    kept = Kept(300, clock=clock.monotonic)
    kept.get(source)
    source.found = gone()
    clock.now += 301

    assert [OLD] * 3 == [kept.get(source) for _ in range(3)]
    assert 2 == source.reads
    source.found = NEW
    clock.now += RETRY
    assert NEW == kept.get(source)


def test_a_refused_value_is_read_again_once_for_all_who_met_it():
    """Sixteen calls were refused with the same key."""
    kept, source = Kept(), Source()
    kept.get(source)
    source.found = NEW
    barrier = threading.Barrier(16, timeout=10)

    def ask(_: int) -> object:
        barrier.wait()
        kept.refused(OLD)
        return kept.get(source)

    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(ask, range(16)))

    assert [NEW] * 16 == found
    assert 2 == source.reads


def test_a_key_that_is_simply_wrong_is_not_read_at_every_refusal():
    """A store is asked once a second at most for what it just said."""
    clock, source = ManualClock(), Source()
    kept = Kept(holds=True, clock=clock.monotonic)
    kept.get(source)
    for _ in range(10):
        kept.refused(OLD)
        kept.get(source)
    assert 2 == source.reads
    clock.now += HOLD
    kept.refused(OLD)
    kept.get(source)

    assert 3 == source.reads


def test_a_store_that_fails_is_not_asked_by_everybody():
    """Each gets an error of its own: exceptions are not shared between threads."""
    clock, source = ManualClock(), Source(gone())
    kept = Kept(holds=True, clock=clock.monotonic)
    first, second = kept.get(source), kept.get(source)

    assert isinstance(second, AuthenticationError)
    assert ("the source is gone", 1) == (second.message, source.reads)
    assert first is not second
    source.found = OLD
    clock.now += HOLD
    assert OLD == kept.get(source)


def test_it_says_nothing():
    """Whatever prints it."""
    kept = Kept()
    kept.get(Source())

    assert "Kept(…)" == repr(kept)


def test_while_one_reads_an_old_value_the_others_go_on():
    """A slow store holds up the one who asks it, and nobody else."""
    clock, reading, go_on = ManualClock(), threading.Event(), threading.Event()
    kept = Kept(300, clock=clock.monotonic)
    kept.get(Source())
    clock.now += 301

    def slow() -> Secret:
        reading.set()
        assert go_on.wait(10)
        return NEW

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(kept.get, slow)
        assert reading.wait(10)
        meanwhile = kept.get(slow)
        go_on.set()

    assert (OLD, NEW, NEW) == (meanwhile, first.result(), kept.get(slow))
