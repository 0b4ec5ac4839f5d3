"""Where organizations, people and environments are kept: the `control` table, one partition an organization.

ORG#{org}    ORG                       the organization            one partition: the whole directory is one Query
ORG#{org}    ENV#{env_id:010d}         an environment              'ENV' < 'ORG', and nothing else is between; `v` counts its versions
ORG#{org}    USER#{user_id:010d}       a person                    past that range: there may be thousands
ORG#{org}    SLUG#{environment slug}   takes a slug                a conditional put makes it unique
SLUG#{slug}  ORG                       takes an organization slug  the only place where organizations meet
DSN#{key}    DSN                       a public key's project      browsers present nothing else
COLLECT#{digest}  COLLECT              an ingest token's collection
SEQ          {name}                    the last number given out   ADD 1
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import orjson
from botocore.exceptions import ClientError

from tapedeck import aws, clock, errors, ids
from tapedeck.environments.model import Environment, EnvironmentRole, Organization, OrganizationRole, User

Item = dict[str, Any]
_MOST_ATTEMPTS = 20
_ENVIRONMENT = (
    *("env_id", "slug", "project_id", "project_key", "bucket_id", "collection_id", "public_key", "created_at"),
    *("name", "database_instance", "retention_days"),
)


def create_organization(slug: str, name: str) -> Organization:
    """A new organization. Conflict when the slug is taken. A crash between the two puts leaves the slug taken by nobody: not reused."""
    made = Organization(_next("organization"), slug, name, ids.random_uuid(), clock.now())
    _put(f"SLUG#{slug}", "ORG", {"organization_id": made.id}, taken=f"There is an organization named {slug} already.")
    _put(f"ORG#{made.id}", "ORG", {"id": made.id, "slug": slug, "name": name, "team_id": made.team_id, "created_at": made.created_at})
    return made


def organization_id(slug: str) -> int | None:
    """The id of the organization that has this slug: for operators, never for requests."""
    found = _get(f"SLUG#{slug}", "ORG")
    return int(found["organization_id"]) if found else None


def create_user(organization_id: int, email: str, name: str, role: OrganizationRole = "member") -> User:
    """A new person in an organization."""
    made = User(_next("user"), email, name, role, clock.now())
    _put(
        f"ORG#{organization_id}",
        f"USER#{made.id:010d}",
        {"id": made.id, "email": email, "name": name, "role": role, "created_at": made.created_at},
    )
    return made


def create_environment(
    organization_id: int,
    slug: str,
    owner: User,
    *,
    name: str = "",
    database_instance: str | None = None,
    retention_days: int | None = None,
) -> Environment:
    """A new environment with its five handles, owned by `owner`. Conflict when the organization has one of that slug.

    One transaction: a crash leaves all of it or nothing. The answer alone carries the collection token; only its SHA-256 is kept.
    """
    number = _next("environment")
    made = Environment(
        env_id=number,
        slug=slug,
        project_id=number,
        project_key=ids.random_base62(20),
        bucket_id=ids.random_hex(24),
        collection_id=ids.random_uuid(),
        public_key=ids.random_hex(32),
        roles={owner.id: "owner"},
        created_at=clock.now(),
        name=name or slug,
        database_instance=database_instance,
        retention_days=retention_days,
        version=1,
        collection_token=ids.random_uuid(),
    )
    rows = [
        _item(f"ORG#{organization_id}", f"SLUG#{slug}", {"env_id": number}),
        _item(f"DSN#{made.public_key}", "DSN", {"organization_id": organization_id, "project_id": number}),
        _collection_item(organization_id, made, made.collection_id, str(made.collection_token)),
        _environment_item(organization_id, made),
    ]
    try:
        aws.client("dynamodb").transact_write_items(TransactItems=[_first(item) for item in rows])
    except ClientError as error:
        if error.response["Error"]["Code"] != "TransactionCanceledException":
            raise
        taken = error.response["CancellationReasons"][0].get("Item")
        if taken is None:
            raise errors.Unavailable from None  # somebody is taking the slug at this moment
        if orjson.loads(taken["d"]["B"])["env_id"] != number:  # if not, the answer to an earlier attempt was lost on its way
            raise errors.Conflict(f"There is an environment named {slug} already.") from None
    return made


def issue_collection_token(organization_id: int, environment: Environment, collection_id: str | None = None) -> str:
    """A further ingest token of a collection (the default one), in the clear for the last time; earlier ones stay good."""
    token = ids.random_uuid()
    item = _collection_item(organization_id, environment, collection_id or environment.collection_id, token)
    aws.client("dynamodb").put_item(TableName=aws.setting("CONTROL_TABLE"), Item=item)
    return token


def set_role(organization_id: int, environment: Environment, user_id: int, role: EnvironmentRole) -> Environment:
    """The environment with one more role in it. Safe to repeat: the same role again changes nothing."""
    return change_roles(organization_id, environment, lambda now: {**now.roles, user_id: role})


def change_roles(
    organization_id: int, environment: Environment, decide: Callable[[Environment], Mapping[int, EnvironmentRole]]
) -> Environment:
    """The environment with the roles that `decide` makes of it: see `change`."""
    return change(organization_id, environment, lambda now: replace(now, roles=decide(now)))


def change(
    organization_id: int,
    environment: Environment,
    decide: Callable[[Environment], Environment],
    *,
    with_: Callable[[Environment, Environment], Item] | None = None,
) -> Environment:
    """The environment that `decide` makes of it, written only over the version that `decide` saw.

    When somebody else was faster it decides again, on what is there now: two admins at once lose nothing, and who has lost the right to
    decide is refused. What `with_` makes of the environment before and after is a part of the same transaction. Where nothing changes
    nothing is written. NotFound when the environment is gone; Unavailable when everybody changes it at once.
    """
    for _ in range(_MOST_ATTEMPTS):
        decided = decide(environment)
        same = decided == environment
        changed = decided if same else replace(decided, version=environment.version + 1)
        if not same and _written(organization_id, environment.version, changed, [with_(environment, changed)] if with_ else []):
            return changed
        now = _environment_now(organization_id, environment.env_id)
        if now == replace(changed, collection_token=None):
            return now  # nothing to do; or an answer was lost on its way, or somebody else made the very same change
        environment = now
    raise errors.Unavailable


def _written(organization_id: int, version: int, changed: Environment, others: Sequence[Item]) -> bool:
    """Write an environment over a version of it, with `others` in one transaction; False when it is another one by now."""
    put = {
        "TableName": aws.setting("CONTROL_TABLE"),
        "Item": _environment_item(organization_id, changed),
        **(
            {"ConditionExpression": "v = :known", "ExpressionAttributeValues": {":known": {"N": str(version)}}}
            if version
            else {"ConditionExpression": "attribute_exists(pk) AND attribute_not_exists(v)"}  # of a time when none were counted
        ),
    }
    try:
        if others:
            aws.client("dynamodb").transact_write_items(TransactItems=[{"Put": put}, *others])
        else:
            aws.client("dynamodb").put_item(**put)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("ConditionalCheckFailedException", "TransactionCanceledException"):
            raise
        return False
    return True


def organization(organization_id: int, *, fresh: bool = False) -> Organization | None:
    """An organization with all its environments: one Query, of one page up to a thousand of them."""
    items = aws.query(
        "CONTROL_TABLE",
        KeyConditionExpression="pk = :pk AND sk BETWEEN :env AND :org",
        ExpressionAttributeValues={":pk": {"S": f"ORG#{organization_id}"}, ":env": {"S": "ENV#"}, ":org": {"S": "ORG"}},
        ConsistentRead=fresh,
    )
    rows = {item["sk"]["S"]: item for item in items}
    found = rows.pop("ORG", None)
    if found is None:
        return None
    return Organization(**orjson.loads(found["d"]["B"]), environments=tuple(map(_environment, rows.values())))


def user(organization_id: int, user_id: int, *, fresh: bool = False) -> User | None:
    """A person of an organization."""
    found = _get(f"ORG#{organization_id}", f"USER#{user_id:010d}", fresh=fresh)
    return User(**found) if found else None


def users(organization_id: int, user_ids: list[int]) -> list[User]:
    """Those of these people who are still in the organization, in the order asked for."""
    found = aws.together(*(_reader(organization_id, user_id) for user_id in user_ids)) if user_ids else []
    return [each for each in found if each is not None]


def people(organization_id: int) -> list[User]:
    """Everybody in an organization, by id: there may be thousands. For operators, and for what an admin does once in a while."""
    found = aws.query(
        "CONTROL_TABLE",
        KeyConditionExpression="pk = :pk AND begins_with(sk, :user)",
        ExpressionAttributeValues={":pk": {"S": f"ORG#{organization_id}"}, ":user": {"S": "USER#"}},
        ConsistentRead=True,
    )
    return [User(**orjson.loads(item["d"]["B"])) for item in found]


def project_of(public_key: str) -> tuple[int, int] | None:
    """(organization id, project id) of a DSN's public key."""
    found = _get(f"DSN#{public_key}", "DSN")
    return (found["organization_id"], found["project_id"]) if found else None


def collection_of(token: str) -> tuple[int, int, str] | None:
    """(organization id, environment id, collection id) of an ingest token."""
    found = _get(f"COLLECT#{hashlib.sha256(token.encode()).hexdigest()}", "COLLECT")
    return (found["organization_id"], found["env_id"], found["collection_id"]) if found else None


def _reader(organization_id: int, user_id: int) -> Any:
    return lambda: user(organization_id, user_id)


def _environment(item: Item) -> Environment:
    row = orjson.loads(item["d"]["B"])
    roles = cast(Mapping[int, EnvironmentRole], {int(user_id): role for user_id, role in row.pop("roles").items()})
    return Environment(**row, roles=roles, version=int(item["v"]["N"]) if "v" in item else 0)


def _environment_now(organization_id: int, env_id: int) -> Environment:
    answer = aws.client("dynamodb").get_item(
        TableName=aws.setting("CONTROL_TABLE"), Key=_key(f"ORG#{organization_id}", f"ENV#{env_id:010d}"), ConsistentRead=True
    )
    if "Item" not in answer:
        raise errors.NotFound("The requested resource does not exist")
    return _environment(answer["Item"])


def _environment_item(organization_id: int, made: Environment) -> Item:
    row = {name: getattr(made, name) for name in _ENVIRONMENT} | {"roles": {str(user_id): role for user_id, role in made.roles.items()}}
    return {**_item(f"ORG#{organization_id}", f"ENV#{made.env_id:010d}", row), "v": {"N": str(made.version)}}


def _collection_item(organization_id: int, environment: Environment, collection_id: str, token: str) -> Item:
    row = {"organization_id": organization_id, "env_id": environment.env_id, "collection_id": collection_id}
    return _item(f"COLLECT#{hashlib.sha256(token.encode()).hexdigest()}", "COLLECT", row)


def _next(name: str) -> int:
    """The next number of a sequence: gaps are possible after a crash, repeats are not."""
    answer = aws.client("dynamodb").update_item(
        TableName=aws.setting("CONTROL_TABLE"),
        Key={"pk": {"S": "SEQ"}, "sk": {"S": name}},
        UpdateExpression="ADD n :one",
        ExpressionAttributeValues={":one": {"N": "1"}},
        ReturnValues="UPDATED_NEW",
    )
    return int(answer["Attributes"]["n"]["N"])


def _put(pk: str, sk: str, row: Mapping[str, Any], *, taken: str | None = None) -> None:
    condition = {"ConditionExpression": "attribute_not_exists(pk)"} if taken else {}
    try:
        aws.client("dynamodb").put_item(TableName=aws.setting("CONTROL_TABLE"), Item=_item(pk, sk, row), **condition)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        raise errors.Conflict(taken) from None


def _first(item: Item) -> Item:
    """A transaction's put of an item where there is none yet; a refusal brings what is there."""
    return {
        "Put": {
            "TableName": aws.setting("CONTROL_TABLE"),
            "Item": item,
            "ConditionExpression": "attribute_not_exists(pk)",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
    }


def _get(pk: str, sk: str, *, fresh: bool = False) -> dict[str, Any] | None:
    answer = aws.client("dynamodb").get_item(TableName=aws.setting("CONTROL_TABLE"), Key=_key(pk, sk), ConsistentRead=fresh)
    return cast(dict[str, Any], orjson.loads(answer["Item"]["d"]["B"])) if "Item" in answer else None


def _key(pk: str, sk: str) -> Item:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def _item(pk: str, sk: str, row: Mapping[str, Any]) -> Item:
    return {**_key(pk, sk), "d": {"B": orjson.dumps(row)}}
