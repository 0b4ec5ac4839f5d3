"""What people do with replays that are there: find, pause, resume, change, archive, delete.

A caller sees the replays of environments in which they may do what they ask for; all others answer like unknown ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from tapedeck import clock, errors
from tapedeck.environments import store as people
from tapedeck.environments.model import Caller, Environment, Organization, User
from tapedeck.event_replays import asking, model, planning, presenting, ringing, store
from tapedeck.event_replays.destinations import presenting as shown
from tapedeck.event_replays.destinations import store as destinations
from tapedeck.event_replays.destinations.model import NEVER_CHECKED, Destination
from tapedeck.event_replays.model import Edit, Replay
from tapedeck.events import collections, lucene
from tapedeck.events.collections import Collection

PATIENCE = 5.0  # seconds for which a pause waits for the worker to let go
LOOK = 0.05  # seconds between two looks whether it has


@dataclass(frozen=True, slots=True)
class Desk:
    """Where a caller stands: the organization, and the environments in which they may do what they ask for."""

    organization: Organization
    environments: Sequence[Environment]

    @classmethod
    def of(cls, caller: Caller, organization: Organization, scope: str) -> Desk:
        """The desk of a caller who needs a scope."""
        return cls(organization, caller.environments_of(organization, scope))

    def find(self, replay_id: str) -> Replay:
        """A replay that the caller may do that to. NotFound for any other."""
        found = store.read(self.organization.id, asking.known_as(replay_id))
        if found.env_id not in {each.env_id for each in self.environments}:
            raise errors.NotFound("There is no such replay.")
        return found

    def all(self, *, archived: bool) -> list[Replay]:
        """The replays that the caller may see, the newest first: those that are archived, or those that are not."""
        visible = {each.env_id for each in self.environments}
        return [each for each in store.all_of(self.organization.id) if each.archived == archived and each.env_id in visible]

    def show(self, *replays: Replay) -> dict[str, Any]:
        """The answer: an object keyed by id, in the order given."""
        if len(replays) == 1:
            found = [_or_none(partial(collections.one, self.organization, self.organization.environments, replays[0].collection_id))]
            sent_to = [_or_none(partial(destinations.read, self.organization.id, replays[0].destination_id))]
        else:
            found = [*collections.of_environments(self.organization, self.organization.environments)] if replays else []
            sent_to = [*destinations.of_organization(self.organization.id)] if replays else []
        sources: dict[str, Collection] = {each.id: each for each in found if each}
        targets: dict[str, Destination] = {each.id: each for each in sent_to if each}
        names = dict.fromkeys(each.author_id for each in replays if each.author_id is not None)
        authors = {each.id: each for each in people.users(self.organization.id, list(names))}
        answer: dict[str, Any] = {}
        for each in replays:
            author = authors.get(each.author_id or 0)
            answer |= self._shown(each, sources.get(each.collection_id), targets.get(each.destination_id), author)
        return answer

    def _shown(self, replay: Replay, source: Collection | None, target: Destination | None, author: User | None) -> dict[str, Any]:
        return presenting.replay(
            replay,
            collection=collections.describe(source, self.organization) if source else {"id": replay.collection_id},
            destination=shown.describe(target, self.organization) if target else {"id": replay.destination_id},
            health=target.health if target else NEVER_CHECKED,
            team={"id": self.organization.team_id, "name": self.organization.name},
            author=author,
        )


def toggle(replay: Replay, request: str) -> Replay:
    """Pause or resume (decision 4). After a pause nothing leaves but what is on its way: the answer waits for the worker to let go.

    `request` names the request: it toggles once, however often it is repeated. Conflict outside of running and paused.
    """
    moved = store.change(replay, lambda it: model.toggled(it, request, clock.now()))
    if moved.state == "running":
        if not moved.pulled:
            ringing.ring(moved.organization_id, moved.id)
        return moved
    return _let_go(moved)


def edit(desk: Desk, replay: Replay, asked: asking.Change) -> Replay:
    """Change name, notes, query, destination (decision 6). Invalid for what cannot be changed, or cannot be used."""
    wrong: dict[str, list[str]] = {}
    if asked.type not in (None, replay.type):
        wrong["type"] = ["the type of a replay cannot be changed"]
    if asked.collection_id not in (None, replay.collection_id):
        wrong["collection_id"] = ["the collection of a replay cannot be changed"]
    target = None
    if asked.destination_id is not None:
        try:
            target = planning.destination_of(desk.organization, asked.destination_id)
        except errors.NotFound as missing:
            wrong["destination_id"] = [missing.detail or ""]
    if wrong:
        raise errors.Invalid(fields=wrong)
    if asked.query is not None:
        lucene.compile(asked.query, team_id=desk.organization.team_id)
    pulled = target is not None and planning.is_pulled(target)
    change = Edit(asked.name, asked.notes, asked.query, asked.destination_id, pulled)
    moved = store.change(replay, lambda it: model.edited(it, change))
    if moved.state == "pending" and not moved.pulled:
        ringing.ring(moved.organization_id, moved.id)
    return moved


def archive(replay: Replay) -> Replay:
    """Stop and hide (decision 5). Safe to repeat. The answer waits, as a pause's does, for the worker to let go."""
    moved = _let_go(store.change(replay, lambda it: model.archived(it, clock.now())))
    if moved.notice_at is not None:
        ringing.ring(moved.organization_id, moved.id)
    return moved


def delete(replays: Sequence[Replay]) -> None:
    """Delete for good, histories and all. First nobody may write to them any more: so no worker brings anything of them back."""
    for replay in replays:
        store.delete(store.change(replay, model.doomed))


def _let_go(replay: Replay) -> Replay:
    """The replay without its worker; as it is after PATIENCE, when that has not come to itself (it then looks before it sends)."""
    until = clock.now() + PATIENCE
    while replay.is_held(clock.now()) and not replay.pulled and clock.now() < until:
        clock.sleep(LOOK)
        replay = store.read(replay.organization_id, replay.id)
    return replay


def _or_none(read: Any) -> Any:
    try:
        return read()
    except errors.NotFound:
        return None
