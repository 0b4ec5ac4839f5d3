"""Whose events a chunk holds: four bytes a person, so that one person's chunks are found among a million events without opening the others.

A chunk's owners are the sorted BLAKE2b digests, four bytes long, of its users' ids. They join by union. Two people may share a digest,
so "may hold" is not yet "holds"; nobody can be told from four bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from tapedeck.events.model import Event

_WIDTH = 4


def of(events: Iterable[Event | None]) -> bytes:
    """The owners of these events; empty when they are nobody's."""
    return b"".join(sorted({_digest(event.user) for event in events if event and event.user}))


def merge(parts: Iterable[bytes]) -> bytes:
    """The owners of everything that these are the owners of."""
    return b"".join(sorted({part[at : at + _WIDTH] for part in parts for at in range(0, len(part), _WIDTH)}))


def may_hold(owners: bytes, user: str) -> bool:
    """Whether some of the events may be this person's; False is certain."""
    wanted, at = _digest(user), -1
    while (at := owners.find(wanted, at + 1)) >= 0:
        if at % _WIDTH == 0:
            return True
    return False


def _digest(user: str) -> bytes:
    return hashlib.blake2b(user.encode(), digest_size=_WIDTH).digest()
