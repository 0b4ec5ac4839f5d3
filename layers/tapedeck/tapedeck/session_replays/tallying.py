"""How many replays there are of each thing that a list names: the replay-count endpoint (contract §1.9)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

from tapedeck import clock, ids
from tapedeck.errors import Invalid
from tapedeck.session_replays import merging, searching, store
from tapedeck.session_replays.search import language
from tapedeck.session_replays.search.document import Document
from tapedeck.session_replays.searching import Search
from tapedeck.session_replays.store import ReplayId

if TYPE_CHECKING:
    from tapedeck.session_replays.blocks.counting import Reduction

SOURCES = ("discover", "events", "search_issues", "spans")  # of Sentry's stores; here there is one
KEYS = ("issue.id", "transaction", "replay_id")
CAP = 51  # counts and lists of ids end here: the client shows "50+"
MOST = {"issue.id": 25, "transaction": 25, "replay_id": 100}


def asked(query: str | None, source: str | None) -> tuple[str, tuple[str, ...]]:
    """(key, values) that a query lists; what else it says is tolerated. Raises Invalid in the contract's words."""
    if source is not None and source not in SOURCES:
        raise Invalid(fields={"data_source": [f'"{source[:64]}" is not a valid choice.']})
    if query is None:
        raise Invalid(fields={"query": ["This field is required."]})
    terms = [term for term in language.terms(language.parse(query)) if term.key in KEYS and not term.is_tag]
    if not terms:
        raise Invalid("Must provide at least one issue.id, transaction, or replay_id")
    if len(terms) > 1:
        raise Invalid("Must provide only one of: issue.id, transaction, replay_id")
    (term,) = terms
    if term.operator != "in":
        raise Invalid("Condition value must be a list of strings")
    if len(term.values) > MOST[term.key]:
        raise Invalid("Too many values provided")
    return term.key, tuple(_uuid(value) for value in term.values) if term.key == "replay_id" else term.values


def tally(wanted: Search, key: str, values: Sequence[str]) -> dict[str, list[str]]:
    """The ids of the replays of each value, at most CAP of them; a value without a replay is left out.

    A transaction is the tag of that name. Issues are Sentry's: no replay here belongs to one.
    """
    if key == "replay_id":
        return {replay_id: [replay_id] for replay_id in _there(wanted, values)}
    if key == "issue.id":
        return {}
    pages = searching.gather(
        wanted, lambda replays: _of_transactions(replays, frozenset(values)), lambda: _transactions_in_blocks(list(dict.fromkeys(values)))
    )
    found: dict[str, list[str]] = {}
    for value, replay_id in chain.from_iterable(pages):
        if len(known := found.setdefault(value, [])) < CAP:
            known.append(replay_id)
    return found


def describe(found: dict[str, list[str]], *, ids: bool) -> dict[str, Any]:
    """What the endpoint answers: a count, or the ids, of each value."""
    return dict(found) if ids else {value: len(of) for value, of in found.items()}


def _there(wanted: Search, replay_ids: Sequence[str]) -> list[str]:
    period = wanted.period
    names = [ReplayId(period.organization_id, project_id, key) for project_id in period.project_ids for key in dict.fromkeys(replay_ids)]
    rows = [version.row or {} for version in (store.read_many(names) if names else ())]
    now = clock.now()
    return [
        name.key
        for name, row in zip(names, rows, strict=True)
        if merging.has_segment(row, 0)
        and not merging.is_archived(row)
        and period.start <= (merging.started_at(row) or 0.0) < period.end
        and period.keeps(Document(name.key, name.project_id, row), now)
    ]


def _of_transactions(replays: Sequence[Document], wanted: frozenset[str]) -> list[tuple[str, str]]:
    return [
        (value, replay.replay_id) for replay in replays for value in replay.row.get("tags", {}).get("transaction", ()) if value in wanted
    ]


def _transactions_in_blocks(values: Sequence[str]) -> Reduction[list[tuple[str, str]]]:
    from tapedeck.session_replays.blocks import counting

    return counting.transactions(values, CAP)


def _uuid(text: str) -> str:
    found = ids.parse_uuid(text)
    if found is None:
        raise Invalid(f"Invalid UUID: {text[:64]}")
    return found
