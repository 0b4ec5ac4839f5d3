"""Destinations are made, changed and archived: from a request's wishes to a row, its secrets sealed on the way."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from tapedeck import clock, errors, ids
from tapedeck.environments.model import Caller, Environment, Organization
from tapedeck.event_replays import store as replays
from tapedeck.event_replays.destinations import metadata, sealing, store, surroundings
from tapedeck.event_replays.destinations.model import KINDS, NOTICES, Destination
from tapedeck.events import collections

MOST = 500  # live destinations of an organization
_MOST_NAME, _MOST_NOTES, _MOST_RATE = 256, 4096, 10_000
_MEMBERS = ("name", "notes", "type", "metadata", "max_per_second", "notifications", "team_id", "archived")


def create(
    organization: Organization,
    caller: Caller,
    body: Mapping[str, Any],
    *,
    environments: Sequence[Environment],
    base_url: str,
    key: str | None = None,
) -> Destination:
    """A new destination. Invalid by member; Conflict beyond MOST of them.

    Safe to repeat under the same Idempotency-Key: its id is made of that, and what is there already is the answer. Conflict when that is
    something else. Without a key another one is made.
    """
    now = clock.now()
    made = Destination(
        organization_id=organization.id,
        id=_id(organization.id, caller, key),
        type=_kind(body),
        name="",
        notes="",
        metadata={},
        created_at=now,
        updated_at=now,
        author_id=caller.user_id,
    )
    if "role_arn" in metadata.FIELDS[made.type]:
        made = replace(made, external_id=f"tapedeck-{organization.team_id}")
    needed = ("name",) if made.type == "listen" else ("name", "metadata")
    missing = {name: ["is required"] for name in needed if body.get(name) is None}
    made = _changed(made, body, organization, environments, base_url, missing)
    there = store.of_organization(organization.id)
    if earlier := next((each for each in there if each.id == made.id), None):
        return _same(earlier, made)
    if sum(not each.archived for each in there) >= MOST:
        raise errors.Conflict(f"There are {MOST} destinations already.")
    return store.save(made)


def edit(
    known: Destination, organization: Organization, body: Mapping[str, Any], *, environments: Sequence[Environment], base_url: str
) -> Destination:
    """A destination with other members: those that are not said stay, `metadata` are said as a whole.

    A secret that is sent back as it is shown, masked, stays, unless the URL leads to another server. Invalid by member; the type never
    changes. Conflict when it is archived, or was changed by somebody else meanwhile. `{"archived": true}` archives it.
    """
    if known.archived:
        raise errors.Conflict("The destination is archived.")
    if "type" in body and body["type"] != known.type:
        raise errors.Invalid(fields={"type": ["cannot be changed: make another destination"]})
    changed = _changed(known, body, organization, environments, base_url, {})
    return archive(changed) if body.get("archived") is True else store.save(changed)


def archive(known: Destination) -> Destination:
    """The destination without its secrets: not listed, never sent to again, still to be read. Safe to repeat.

    Conflict while a replay that is not over uses it. One that begins at this very moment may slip by: it fails at its first delivery.
    """
    if known.archived:
        return known
    if replays.uses(known.organization_id, known.id):
        raise errors.Conflict("A replay that is not over uses this destination: archive the replay first.")
    return store.save(replace(known, archived=True, secrets={}, updated_at=clock.now()))


def _id(organization_id: int, caller: Caller, key: str | None) -> str:
    """The id of a new destination: of the request's key, where there is one."""
    if not key:
        return ids.random_uuid()
    if len(key) > _MOST_NAME:
        raise errors.Invalid(fields={"Idempotency-Key": [f"at most {_MOST_NAME} characters"]})
    digest = hashlib.sha256(f"{organization_id}\n{caller.user_id}\n{key}".encode()).digest()
    return str(uuid.UUID(bytes=digest[:16], version=4))


def _same(earlier: Destination, made: Destination) -> Destination:
    """What was made before under the same key: Conflict when something else was asked for, as far as it was not changed since."""
    if earlier.version > 1:
        return earlier
    meant = [(each.type, each.name, each.notes, each.metadata, each.max_per_second, list(each.notifications)) for each in (earlier, made)]
    if meant[0] != meant[1]:
        raise errors.Conflict("Another destination was asked for under this Idempotency-Key.")
    return earlier


def _kind(body: Mapping[str, Any]) -> str:
    kind = body.get("type")
    if kind not in KINDS:
        raise errors.Invalid(fields={"type": [f"must be one of {', '.join(KINDS)}"]})
    return str(kind)


def _changed(
    known: Destination,
    body: Mapping[str, Any],
    organization: Organization,
    environments: Sequence[Environment],
    base_url: str,
    wrong: dict[str, list[str]],
) -> Destination:
    wrong |= _wrong(known.type, body, organization)
    changed = replace(known, updated_at=clock.now()) if known.version else known
    said: dict[str, Any] | None = None
    if not wrong and ("metadata" in body or not known.version):
        said, wrong = metadata.read(known.type, body.get("metadata") or {}, surroundings.here(base_url))
        if not wrong and known.type == "collection":
            wrong = _wrong_collection(organization, environments, said["collection_id"])
        if not wrong:
            secrets = metadata.secret_paths(known.type, said)
            new = {path: secret for path, secret in secrets.items() if not _stays(known, said, path, secret)}
            wrong = {f"metadata.{path}": [why] for path, secret in new.items() if (why := metadata.bad_secret(path, secret))}
    if wrong:
        raise errors.Invalid(fields=wrong)
    if said is not None:
        changed = _with_metadata(changed, said, new)
    return replace(
        changed,
        name=str(body.get("name") or known.name).strip(),
        notes=known.notes if body.get("notes") is None else str(body["notes"]),
        max_per_second=body.get("max_per_second", known.max_per_second),
        notifications=known.notifications if body.get("notifications") is None else sorted(set(body["notifications"])),
    )


def _wrong(kind: str, body: Mapping[str, Any], organization: Organization) -> dict[str, list[str]]:
    """What is wrong with the members that every type has."""
    wrong = {name[:64]: ["there is no such member"] for name in body if name not in _MEMBERS}
    name, notes, rate, told = (body.get(each) for each in ("name", "notes", "max_per_second", "notifications"))
    if name is not None and (not isinstance(name, str) or not 0 < len(name.strip()) <= _MOST_NAME):
        wrong["name"] = [f"a text of 1 to {_MOST_NAME} characters is needed"]
    if notes is not None and (not isinstance(notes, str) or len(notes) > _MOST_NOTES):
        wrong["notes"] = [f"a text of at most {_MOST_NOTES} characters"]
    if rate is not None and (not isinstance(rate, int) or isinstance(rate, bool) or not 1 <= rate <= _MOST_RATE):
        wrong["max_per_second"] = [f"a whole number from 1 to {_MOST_RATE} is needed"]
    if told is not None and (not isinstance(told, list) or not all(each in NOTICES for each in told)):
        wrong["notifications"] = [f"a list of {', '.join(NOTICES)}"]
    elif told and kind != "http":
        wrong["notifications"] = ["only destinations of the type http are told"]
    if body.get("team_id") not in (None, organization.team_id):
        wrong["team_id"] = ["is not the team of the key"]
    if not isinstance(body.get("archived", False), bool):
        wrong["archived"] = ["must be true or false"]
    return wrong


def _wrong_collection(organization: Organization, environments: Sequence[Environment], collection_id: str) -> dict[str, list[str]]:
    try:
        if collections.one(organization, environments, collection_id).window is None:
            return {}
    except errors.NotFound:
        return {"metadata.collection_id": ["there is no such collection"]}
    return {"metadata.collection_id": ["is sealed: nothing enters it"]}


def _stays(known: Destination, said: Mapping[str, Any], path: str, secret: str) -> bool:
    """Whether a secret that was sent is the mask of the one that there is, and is still sent to the same server.

    Else whoever may edit a destination could have its secrets sent to a server of their own.
    """
    shown = metadata.secret_paths(known.type, known.metadata).get(path)
    return path in known.secrets and shown == secret and metadata.server(said) == metadata.server(known.metadata)


def _with_metadata(known: Destination, said: dict[str, Any], new: Mapping[str, str]) -> Destination:
    kept = {path: known.secrets[path] for path in metadata.secret_paths(known.type, said) if path not in new}
    sealed = {path: sealing.sealed(known.organization_id, known.id, secret) for path, secret in new.items()}
    for path, secret in new.items():
        sealing.put(said, path, sealing.masked(secret))
    return replace(known, metadata=said, secrets=kept | sealed)
