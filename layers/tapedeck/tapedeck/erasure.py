"""What erasing one person asks of a store: whose data, up to when, and how they go a page at a time (docs/erasure.md).

It stands below the domains: each writes its own eraser, and `deletion_jobs.erasers` puts them in a row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from tapedeck import tombstones


@dataclass(frozen=True, slots=True)
class Subject:
    """A user of an environment, and all of theirs up to a moment (seconds): what is later is of somebody who has come back."""

    organization_id: int
    project_id: int
    user_id: str
    until: float

    @property
    def digest(self) -> str:
        """What stands for the person where they must not be named: SHA-256 of their id, 64 hex digits."""
        return tombstones.of_user(self.user_id).removeprefix("U#")


@dataclass(frozen=True, slots=True)
class Page:
    """Some of a person's data, to be written down before the first byte of it goes.

    `what` names it to its eraser (JSON). `seals` are parts of the transaction that writes the page down: what must hold then, and what
    keeps further data out. `after` is where the eraser looks on from. A page without `what` was looked at and has nothing to erase.
    """

    what: Sequence[Any]
    counts: Mapping[str, int] = field(default_factory=dict)
    object_keys: Sequence[str] = ()
    named: Mapping[str, Sequence[str]] = field(default_factory=dict)  # counted once each, however many pages name them
    seals: Sequence[dict[str, Any]] = ()
    after: str = ""


class Eraser(Protocol):
    """How one kind of data goes."""

    @property
    def name(self) -> str:
        """What pages of it are called in a job's row."""

    def prepare(self, subject: Subject) -> None:
        """What has to be done once the person's tombstone has been put, or lifted, so that it holds everywhere. Safe to repeat."""

    def find(self, subject: Subject, after: str) -> Page | None:
        """The next of the person's data, as a consistent read sees them now; None when there are none behind `after`: the proof."""

    def erase(self, subject: Subject, what: Sequence[Any]) -> None:
        """Erase a page: objects before rows, then list again until nothing is there. Safe to repeat and to kill."""
