"""Idle things by key: the last first, the old and the stale discarded."""

from __future__ import annotations

import time

from byollm.transports.pool import Pool


class Thing:
    """Something to keep in a pool."""

    def __init__(self, name: str, stale: bool = False) -> None:
        self.name = name
        self.stale = stale
        self.discarded = False

    def is_stale(self) -> bool:
        return self.stale

    def discard(self) -> None:
        self.discarded = True


def test_last_in_first_out():
    """The connection used last is used next, so that the others may grow old."""
    pool: Pool[Thing] = Pool()
    for name in "abc":
        pool.give("key", Thing(name))

    taken = [pool.take("key") for _ in range(4)]

    assert ["c", "b", "a", None] == [thing and thing.name for thing in taken]


def test_the_oldest_goes():
    """One too many: the oldest is discarded."""
    pool: Pool[Thing] = Pool(most=2)
    things = [Thing(name) for name in "abc"]
    for thing in things:
        pool.give("key", thing)

    assert [True, False, False] == [thing.discarded for thing in things]


def test_expiry():
    """What waited too long is discarded, at the latest when its neighbour comes in."""
    pool: Pool[Thing] = Pool(keep=0.05)
    old, new = Thing("old"), Thing("new")
    pool.give("key", old)
    time.sleep(0.06)
    pool.give("key", new)

    assert [True, False] == [old.discarded, new.discarded]
    time.sleep(0.06)
    assert pool.take("key") is None
    assert new.discarded


def test_stale_things_are_passed_over():
    """A connection that the server closed is discarded on the way to a good one."""
    pool: Pool[Thing] = Pool()
    pool.give("key", Thing("good"))
    pool.give("key", Thing("bad", stale=True))

    taken = pool.take("key")
    assert taken is not None
    assert "good" == taken.name
