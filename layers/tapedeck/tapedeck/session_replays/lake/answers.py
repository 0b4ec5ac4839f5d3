"""How one person goes from what Athena answered: all answers go, whoever asked, for nobody can tell whom they tell of.

They are files of the last day, which whoever asked has read, and can ask again. The lake is asked after the sessions are erased: what is
answered from then on does not tell of the person.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any

from tapedeck import objects
from tapedeck.erasure import Page, Subject
from tapedeck.session_replays.lake import places

BATCH = 500  # a page: their keys are in one row
LONGEST = 1800  # seconds that Athena lets a query run: what was asked before the cut-off is answered by then


class Answers:
    """Answers of Athena, to anybody, that may have been asked for before the cut-off."""

    name = "answers"

    def prepare(self, subject: Subject) -> None:
        """Nothing: nobody commits an answer."""

    def find(self, subject: Subject, after: str) -> Page | None:
        """The next of them. Later ones are left: people who ask all the time would keep an erasure from ending."""
        found = objects.put_under(places.ANSWERS, after)
        keys = list(islice((key for key, put_at in found if put_at <= subject.until + LONGEST), BATCH))
        return Page(keys, counts={"answers": len(keys)}, object_keys=keys, after=keys[-1]) if keys else None

    def erase(self, subject: Subject, what: Sequence[Any]) -> None:  # noqa: ARG002 - a key says all
        """Delete these answers."""
        objects.delete_many(what)
