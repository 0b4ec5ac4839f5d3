"""Owners: nobody who is in a chunk is ever missed, and owners join like the events whose they are."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tapedeck.events import owners
from tapedeck.events.model import Event

users = st.none() | st.text(min_size=1, max_size=12)


def events(names: list[str | None]) -> list[Event | None]:
    return [Event(id="0" * 24, name="n", app="a", server="", at=1, user=name, data=msgspec.Raw(b"1")) for name in names]


@given(st.lists(users))
def test_nobody_is_missed(names: list[str | None]) -> None:
    packed = owners.of(events(names))
    assert all(owners.may_hold(packed, name) for name in names if name)
    assert len(packed) == 4 * len({name for name in names if name})


@given(st.lists(users), st.lists(users))
def test_owners_join(ours: list[str | None], theirs: list[str | None]) -> None:
    joined = owners.merge([owners.of(events(ours)), owners.of(events(theirs))])
    assert joined == owners.of(events(ours + theirs))
    assert owners.merge([joined, joined]) == joined


def test_a_stranger_is_hardly_ever_suspected() -> None:
    packed = owners.of(events([f"user-{n}" for n in range(10_000)]))
    assert not [n for n in range(2_000) if owners.may_hold(packed, f"stranger-{n}")]
    assert not owners.may_hold(b"", "anybody")
