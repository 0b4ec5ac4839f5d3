"""The life of a key: issued and shown once, recognised by digest, rotated with a grace period, revoked.

KEY#{key id}  KEY            the key: its digest, whose it is, what it may do, until when    a caller presents the id
ORG#{org}     TOKEN#{key id} nothing more: which keys an organization has
Both are swept by their `ttl` a day after a key has expired: every sign-in and every exchange makes one.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from botocore.exceptions import ClientError

from tapedeck import aws, clock, errors
from tapedeck.environments import tokens
from tapedeck.environments.model import ALL_SCOPES, Caller, Key

MAX_GRACE = 30 * 86400.0
_KEPT = 86400  # seconds for which a key that has expired is still there, to be seen


def issue(
    kind: tokens.Kind,
    organization_id: int,
    user_id: int | None = None,
    scopes: frozenset[str] | None = None,
    *,
    dev: bool = False,
    expires_at: float | None = None,
    name: str = "",
) -> tuple[str, Key]:
    """A new token, in the clear for the last time, and its key. `scopes` None means every scope.

    The listing row is written first: a crash leaves a listed id without a key, which is listed by nobody.
    """
    token = tokens.make(kind, dev=dev)
    claim = tokens.claim(token)
    key = Key(claim.key_id, kind, claim.sha256, organization_id, user_id, scopes or ALL_SCOPES, clock.now(), expires_at, name)
    listed = {"pk": {"S": f"ORG#{organization_id}"}, "sk": {"S": f"TOKEN#{key.id}"}, **_swept(key)}
    aws.client("dynamodb").put_item(TableName=aws.setting("CONTROL_TABLE"), Item=listed)
    _write(key, condition="attribute_not_exists(pk)")
    return token, key


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a new key shall be."""

    name: str
    scopes: frozenset[str]
    expires_at: float | None


def wanted(body: Mapping[str, Any], maker: Caller) -> Wanted:
    """A request's wishes: `name`, `scopes` (a list; default all that the maker has), `expires_in` seconds. Invalid by field.

    A key may do no more than its maker: a scope that the maker lacks is Invalid, not silently left out.
    """
    wrong: dict[str, list[str]] = {}
    name, scopes, expires_in = body.get("name", ""), body.get("scopes"), body.get("expires_in")
    own = frozenset(scope for scope in ALL_SCOPES if maker.may(scope))
    if not isinstance(name, str) or len(name) > 64:
        wrong["name"] = ["A name is text of at most 64 characters."]
    if scopes is not None and (not isinstance(scopes, list) or not scopes or not all(isinstance(each, str) for each in scopes)):
        wrong["scopes"] = ["Scopes are a list of names."]
    elif scopes is not None and (beyond := sorted(set(scopes) - own)):
        wrong["scopes"] = [f"You do not have {', '.join(beyond)[:200]}."]
    if expires_in is not None and (isinstance(expires_in, bool) or not isinstance(expires_in, (int, float)) or not 0 < expires_in < 1e10):
        wrong["expires_in"] = ["A positive number of seconds is needed."]
    if unknown := sorted(set(body) - {"name", "scopes", "expires_in"}):
        wrong |= {field[:64]: ["There is no such field."] for field in unknown}
    if wrong:
        raise errors.Invalid(fields=wrong)
    return Wanted(name, frozenset(scopes) if scopes else own, clock.now() + expires_in if expires_in else None)


def grace(body: Mapping[str, Any]) -> float:
    """How long a rotated key lives on, in seconds: `grace`, a day unless it is said. Invalid when it is no number of seconds."""
    said = body.get("grace", 86400)
    if isinstance(said, bool) or not isinstance(said, (int, float)) or not 0 <= said <= MAX_GRACE:
        raise errors.Invalid(fields={"grace": [f"A number of seconds from 0 to {MAX_GRACE:.0f} is needed."]})
    return float(said)


def owned(key_id: str, caller: Caller) -> Key:
    """A live key of the caller's organization. NotFound for any other; Forbidden when it may do more than the caller."""
    key = get(key_id, fresh=True) if key_id.isalnum() and len(key_id) == 10 else None
    if key is None or key.organization_id != caller.organization_id or not key.is_live(clock.now()):
        raise errors.NotFound("The requested resource does not exist")
    if not key.scopes <= caller.scopes:
        raise errors.Forbidden
    return key


def opens(claim: tokens.Token, key: Key | None) -> bool:
    """Whether a token opens this key now. An unknown id costs the same comparison as a wrong secret (trust.md T1)."""
    same = hmac.compare_digest(claim.sha256, key.sha256 if key else "0" * 64)
    return same and key is not None and key.is_live(clock.now())


def get(key_id: str, *, fresh: bool = False) -> Key | None:
    """A key by its id, live or not."""
    answer = aws.client("dynamodb").get_item(TableName=aws.setting("CONTROL_TABLE"), Key=_key(key_id), ConsistentRead=fresh)
    return _read(answer["Item"]) if "Item" in answer else None


def of_organization(organization_id: int) -> list[Key]:
    """The organization's keys that are live, oldest first."""
    listed = aws.client("dynamodb").query(
        TableName=aws.setting("CONTROL_TABLE"),
        KeyConditionExpression="pk = :pk AND begins_with(sk, :key)",
        ExpressionAttributeValues={":pk": {"S": f"ORG#{organization_id}"}, ":key": {"S": "TOKEN#"}},
        ConsistentRead=True,
    )["Items"]
    found = aws.together(*(_reader(item["sk"]["S"].removeprefix("TOKEN#")) for item in listed)) if listed else []
    live = [key for key in found if key is not None and key.is_live(clock.now())]
    return sorted(live, key=lambda key: (key.created_at, key.id))


def rotate(key: Key, *, grace: float, dev: bool = False) -> tuple[str, Key]:
    """A successor with the same rights; the old token lives for `grace` seconds more. Conflict when it was rotated already.

    The successor is written first: a crash leaves both live, and the same call again makes another successor.
    """
    if key.rotated_to:
        raise errors.Conflict("This key has been rotated already.")
    token, successor = issue(key.kind, key.organization_id, key.user_id, key.scopes, dev=dev, expires_at=key.expires_at, name=key.name)
    until = clock.now() + min(max(grace, 0.0), MAX_GRACE)
    retired = _replace(key, expires_at=until if key.expires_at is None else min(until, key.expires_at), rotated_to=successor.id)
    try:
        _write(retired, condition="attribute_exists(pk) AND attribute_not_exists(rotated)")
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        revoke(successor)
        raise errors.Conflict("This key has been rotated already.") from None
    return token, successor


def revoke(key: Key) -> None:
    """The key is gone, at once on `fresh` routes and within a minute on others. Safe to repeat."""
    dynamodb = aws.client("dynamodb")
    dynamodb.delete_item(TableName=aws.setting("CONTROL_TABLE"), Key=_key(key.id))
    dynamodb.delete_item(
        TableName=aws.setting("CONTROL_TABLE"), Key={"pk": {"S": f"ORG#{key.organization_id}"}, "sk": {"S": f"TOKEN#{key.id}"}}
    )


def _reader(key_id: str) -> Any:
    return lambda: get(key_id, fresh=True)


def _key(key_id: str) -> dict[str, Any]:
    return {"pk": {"S": f"KEY#{key_id}"}, "sk": {"S": "KEY"}}


def _fields(key: Key) -> dict[str, Any]:
    return {name: getattr(key, name) for name in Key.__slots__}


def _replace(key: Key, **changes: Any) -> Key:
    return Key(**{**_fields(key), **changes})


def _write(key: Key, *, condition: str) -> None:
    item = {**_key(key.id), "d": {"B": orjson.dumps({**_fields(key), "scopes": sorted(key.scopes)})}, **_swept(key)}
    if key.rotated_to:
        item["rotated"] = {"S": key.rotated_to}
    aws.client("dynamodb").put_item(TableName=aws.setting("CONTROL_TABLE"), Item=item, ConditionExpression=condition)


def _swept(key: Key) -> dict[str, Any]:
    return {} if key.expires_at is None else {"ttl": {"N": str(int(key.expires_at) + _KEPT)}}


def _read(item: dict[str, Any]) -> Key:
    row = orjson.loads(item["d"]["B"])
    return Key(**{**row, "scopes": frozenset(row["scopes"])})
