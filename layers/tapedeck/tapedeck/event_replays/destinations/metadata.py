"""What a destination of each type has to say of itself: rows of a table, read and refused by name. Pure.

AWS resources in our own account are taken when they are called `tapedeck-dest-…`, which is all that our role reaches: so none of the
installation's own can ever be a destination. Those of another account are reached through a role there, `role_arn`, which must be called
`tapedeck-dest-…` as well and be of the resource's account; it is assumed with the organization's external id (trust.md T19).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from tapedeck.event_replays import signing
from tapedeck.event_replays.destinations import egress

OURS = "tapedeck-dest-"  # what resources and roles must be called
MOST_HEADERS = 50
_MOST_VALUE = 2048
_MOST_SECRET = 4096  # bytes that KMS seals

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}")
_VALUE = re.compile(r"[\x20-\x7e\xa0-\xff]*")
# What is ours to say, or the connection's, or a proxy's.
_RESERVED = re.compile(
    r"(?i)host|content-length|transfer-encoding|connection|keep-alive|te|trailer|upgrade|expect|proxy-.*|x-forwarded-.*|forwarded|via"
    r"|idempotency-key|x-replay-hops|webhook-(id|timestamp|signature)"
)
_SECRET = re.compile(r"(?i).*(auth|token|secret|key|cookie|passw|credential|signature|session).*")
_NAME = r"[A-Za-z0-9_-]"
_QUEUE_URL = re.compile(rf"https://sqs\.([a-z0-9-]+)\.amazonaws\.com/([0-9]{{12}})/({_NAME}{{1,80}}(?:\.fifo)?)")
_QUEUE = re.compile(rf"{_NAME}{{1,75}}(\.fifo)?|{_NAME}{{1,80}}")
_ACCOUNT = re.compile(r"[0-9]{12}")
_REGION = re.compile(r"[a-z]{2}(-[a-z]+){1,2}-[0-9]{1,2}")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_PREFIX = re.compile(r"[A-Za-z0-9!_.*'()/-]{0,512}")
_GROUP = re.compile(r"[\x21-\x7e]{1,128}")
_SOURCE = re.compile(r"(?!aws\.)[A-Za-z0-9._/-]{1,256}")


class Here(NamedTuple):
    """Where this installation is: what a destination is held against. `own` are the (host, port) under which it answers."""

    account: str
    region: str
    local: bool = False
    own: tuple[tuple[str, int], ...] = ()


class Field(NamedTuple):
    """A member of the metadata: how it is read (ValueError with what is wrong), and what it means."""

    read: Callable[[Any, Here], Any]
    means: str
    required: bool = False
    secret: bool = False


class Place(NamedTuple):
    """A resource of AWS: where it is, what it is called, and through which role it is reached."""

    region: str
    account: str
    name: str
    role_arn: str | None

    def arn(self, service: str, kind: str = "") -> str:
        """Its ARN."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{kind}{self.name}"


# ------------------------------------------------------------------------------------------------------------ members


def _text(pattern: re.Pattern[str], wanted: str) -> Callable[[Any, Here], str]:
    def read(value: Any, _: Here) -> str:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise ValueError(wanted)
        return value

    return read


def _arn(service: str, name: str) -> Callable[[Any, Here], str]:
    pattern = re.compile(rf"arn:aws:{service}:{_REGION.pattern}:[0-9]{{12}}:{name}")
    return _text(pattern, f"must be an ARN arn:aws:{service}:…")


def _one_of(*words: str) -> Callable[[Any, Here], str]:
    def read(value: Any, _: Here) -> str:
        if value not in words:
            raise ValueError(f"must be one of {', '.join(words)}")
        return str(value)

    return read


def _url(value: Any, here: Here) -> str:
    if not isinstance(value, str):
        raise ValueError("must be a URL")  # noqa: TRY004 - what is wrong with a member is a ValueError
    try:
        egress.target(value, local=here.local, own=here.own)
    except egress.Refused as why:
        raise ValueError(str(why)) from None
    return value


def _headers(value: Any, _: Here) -> list[dict[str, str]]:
    """Batch's array of one-pair objects, or an object: each name once."""
    given = [{name: said} for name, said in value.items()] if isinstance(value, dict) else value
    if not isinstance(given, list) or not all(isinstance(each, dict) and len(each) == 1 for each in given):
        raise ValueError("must be an array of objects with one header each, or an object")
    pairs = [pair for each in given for pair in each.items()]
    if len(pairs) > MOST_HEADERS:
        raise ValueError(f"must be at most {MOST_HEADERS}")
    for name, said in pairs:
        if not _TOKEN.fullmatch(name):
            raise ValueError(f"{name[:64]!r} is no name of a header")
        if _RESERVED.fullmatch(name):
            raise ValueError(f"{name} is not yours to set")
        if not isinstance(said, str) or len(said) > _MOST_VALUE or not _VALUE.fullmatch(said):
            raise ValueError(f"{name} must be a text of at most {_MOST_VALUE} printable characters")
    if len({name.lower() for name, _ in pairs}) != len(pairs):
        raise ValueError("must name each header once")
    return [{name: said} for name, said in pairs]


def _secret(value: Any, _: Here) -> str:
    if not isinstance(value, str) or len(value.encode()) > _MOST_SECRET:
        raise ValueError("must be a text")
    return value


_ROLE_ARN = re.compile(rf"arn:aws:iam::[0-9]{{12}}:role/{OURS}[A-Za-z0-9+=,.@_-]{{1,50}}")
_ROLE = Field(
    _text(_ROLE_ARN, f"must be arn:aws:iam::…:role/{OURS}…"), f"A role `{OURS}…` of the resource's account, when that is not ours."
)
_GROUP_ID = Field(_text(_GROUP, "must be 1 to 128 printable characters"), "The message group on a FIFO resource; the replay unless said.")

FIELDS: Mapping[str, Mapping[str, Field]] = {
    "http": {
        "url": Field(_url, "Where each event is POSTed: https, port 443 or 8443.", required=True),
        "headers": Field(_headers, "Headers to send along: `[{name: value}, …]`, or an object."),
        "signing_secret": Field(_secret, "`whsec_` and the base64 of 24 to 64 bytes: requests are signed.", secret=True),
    },
    "sqs": {
        "queue_url": Field(_text(_QUEUE_URL, "must be https://sqs.{region}.amazonaws.com/{account}/{name}"), "The queue."),
        "aws_account_id": Field(_text(_ACCOUNT, "must be 12 digits"), "The queue's account, with `queue_name`: instead of `queue_url`."),
        "queue_name": Field(_text(_QUEUE, "must be the name of a queue"), "The queue's name, with `aws_account_id`."),
        "region": Field(_text(_REGION, "must be the name of a region"), "With `queue_name`: the queue's region; ours unless said."),
        "group_id": _GROUP_ID,
        "role_arn": _ROLE,
    },
    "sns": {
        "topic_arn": Field(_arn("sns", rf"{_NAME}{{1,256}}(\.fifo)?"), "The topic.", required=True),
        "group_id": _GROUP_ID,
        "role_arn": _ROLE,
    },
    "eventbridge": {
        "event_bus_arn": Field(_arn("events", r"event-bus/[A-Za-z0-9._-]{1,256}"), "The event bus.", required=True),
        "source": Field(
            _text(_SOURCE, "must be letters, digits, dots and not begin with aws."), "The entries' source; `tapedeck` unless said."
        ),
        "role_arn": _ROLE,
    },
    "kinesis": {
        "stream_arn": Field(_arn("kinesis", r"stream/[A-Za-z0-9_.-]{1,128}"), "The stream.", required=True),
        "role_arn": _ROLE,
    },
    "s3": {
        "bucket": Field(_text(_BUCKET, "must be the name of a bucket"), "The bucket.", required=True),
        "prefix": Field(_text(_PREFIX, "must be at most 512 characters that are safe in a key"), "What the keys begin with."),
        "region": Field(_text(_REGION, "must be the name of a region"), "The bucket's region; ours unless said."),
        "role_arn": _ROLE,
    },
    "lambda": {
        "function_arn": Field(_arn("lambda", rf"function:{_NAME}{{1,64}}"), "The function, without a version.", required=True),
        "invocation": Field(_one_of("event", "request"), "`event` (unless said): Lambda queues it; `request`: its answer is waited for."),
        "role_arn": _ROLE,
    },
    "collection": {
        "collection_id": Field(_text(re.compile(r"[0-9a-f-]{36}"), "must be the id of a collection"), "A live collection.", required=True),
    },
    "listen": {},
}


# ------------------------------------------------------------------------------------------------------------ the whole


def read(kind: str, given: Any, here: Here) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """(the metadata as they are kept, secrets still in the clear; what is wrong with which member)."""
    if not isinstance(given, dict):
        return {}, {"metadata": ["must be an object"]}
    fields = FIELDS[kind]
    wrong = {f"metadata.{name[:64]}": [f"a destination of the type {kind} has no such member"] for name in given if name not in fields}
    wrong |= {f"metadata.{name}": ["is required"] for name, field in fields.items() if field.required and given.get(name) is None}
    said: dict[str, Any] = {}
    for name, field in fields.items():
        if given.get(name) is not None:
            try:
                said[name] = field.read(given[name], here)
            except ValueError as why:
                wrong[f"metadata.{name}"] = [str(why)]
    if not wrong:
        wrong = _together(kind, said, here)
    return said, wrong


def secret_paths(kind: str, said: Mapping[str, Any]) -> dict[str, str]:
    """The members that are secrets, by path: those that are declared so, and headers whose names sound like it."""
    found = {name: said[name] for name, field in FIELDS[kind].items() if field.secret and name in said}
    for each in said.get("headers", ()):
        found |= {f"headers.{name}": value for name, value in each.items() if value and _SECRET.fullmatch(name)}
    return found


def server(said: Mapping[str, Any]) -> tuple[bool, str, int] | None:
    """Which server an http destination's secrets are for: by TLS or not, host and port."""
    return egress.target(said["url"], local=True)[:3] if "url" in said else None


def bad_secret(path: str, secret: str) -> str | None:
    """What is wrong with a secret that is new."""
    if secret.startswith("****"):
        return "is masked, and is not that of this server: send the secret itself"
    if path == "signing_secret" and not signing.is_secret(secret):
        return "must be whsec_ and the base64 of 24 to 64 bytes"
    return None


def place(kind: str, said: Mapping[str, Any], here: Here) -> Place:
    """The resource that the metadata of an AWS type name."""
    role = said.get("role_arn")
    if kind == "sqs":
        if "queue_url" in said:
            found = _QUEUE_URL.fullmatch(said["queue_url"])
            assert found is not None
            return Place(found[1], found[2], found[3], role)
        return Place(said.get("region", here.region), said["aws_account_id"], said["queue_name"], role)
    if kind == "s3":
        return Place(said.get("region", here.region), _account_of(role) if role else here.account, said["bucket"], role)
    arn = said[{"sns": "topic_arn", "eventbridge": "event_bus_arn", "kinesis": "stream_arn", "lambda": "function_arn"}[kind]]
    _, _, _, region, account, rest = arn.split(":", 5)
    return Place(region, account, re.split("[/:]", rest)[-1], role)


def _together(kind: str, said: Mapping[str, Any], here: Here) -> dict[str, list[str]]:
    """What is wrong with members that are well-formed each for itself."""
    if kind == "sqs":
        by_name = {"aws_account_id", "queue_name"} & said.keys()
        if ("queue_url" in said) == bool(by_name) or len(by_name) == 1:
            return {"metadata.queue_url": ["either queue_url, or aws_account_id and queue_name"]}
        if "region" in said and not by_name:
            return {"metadata.region": ["is in queue_url already"]}
    if kind in ("http", "collection", "listen"):
        return {}
    where = place(kind, said, here)
    name = next(name for name in ("queue_url", "queue_name", *FIELDS[kind]) if name in said)
    if where.role_arn is None:
        if where.account != here.account:
            return {"metadata.role_arn": [f"is required: {where.account} is another account than ours"]}
        if not where.name.startswith(OURS):
            return {f"metadata.{name}": [f"in our own account only what is called {OURS}… is reached"]}
    elif _account_of(where.role_arn) == here.account:
        return {"metadata.role_arn": ["is of our own account: leave it out"]}
    elif _account_of(where.role_arn) != where.account:
        return {"metadata.role_arn": ["must be of the account of the resource"]}
    if "group_id" in said and not where.name.endswith(".fifo"):
        return {"metadata.group_id": ["only FIFO resources have message groups"]}
    return {}


def _account_of(role_arn: str) -> str:
    return role_arn.split(":")[4]
