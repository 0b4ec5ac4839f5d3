"""What a bulk deletion is: how it is asked for, how far it is, how it is told (contract §1.12). Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from tapedeck.clock import iso
from tapedeck.errors import Invalid
from tapedeck.session_replays import periods

Status = Literal["pending", "in-progress", "completed", "failed"]
_REQUIRED = "This field is required."
_MOST_TEXT = 4096


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be deleted: replays that began in [start, end) seconds, in one of the environments (none: in any), that a query finds."""

    start: float
    end: float
    environments: Sequence[str]
    query: str


@dataclass(frozen=True, slots=True)
class Job:
    """An order and how far it is.

    `batch` are the replays that are being deleted now: they are written down before the first of them goes, so that a job that dies
    and is taken up again neither forgets nor counts one twice. The next batch is looked for from the moment `after` on (milliseconds).
    """

    organization_id: int
    project_id: int
    id: int
    order: Order
    created_at: float
    updated_at: float
    status: Status = "pending"
    deleted: int = 0
    batch: Sequence[str] = ()
    after: int = 0
    version: int = 0

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to do."""
        return self.status in ("completed", "failed")


def read_order(body: Mapping[str, Any]) -> Order:
    """The order in a request's body. Invalid with the contract's map of messages under `data`."""
    data = body.get("data")
    if not isinstance(data, dict):
        raise _refusal(data=[_REQUIRED])
    wrong: dict[str, list[str]] = {name: [_REQUIRED] for name in ("rangeStart", "rangeEnd", "environments", "query") if name not in data}
    moments = {}
    for name in ("rangeStart", "rangeEnd"):
        if name in data:
            try:
                moments[name] = periods.instant(data[name]) if isinstance(data[name], str) else None
            except Invalid:
                moments[name] = None
            if moments[name] is None:
                wrong[name] = ["Datetime has wrong format. Use ISO 8601."]
    environments, query = data.get("environments", []), data.get("query", "")
    if not isinstance(environments, list):
        wrong["environments"] = [f'Expected a list of items but got type "{type(environments).__name__}".']
    elif not all(isinstance(name, str) and 0 < len(name) <= 64 for name in environments):
        wrong["environments"] = ["An environment's name is a text of 1 to 64 characters."]
    if query is not None and not isinstance(query, str):
        wrong["query"] = ["Not a valid string."]
    elif query and len(query) > _MOST_TEXT:
        wrong["query"] = [f"Ensure this field has no more than {_MOST_TEXT} characters."]
    if wrong:
        raise _refusal(**wrong)
    order = Order(moments["rangeStart"] or 0.0, moments["rangeEnd"] or 0.0, list(dict.fromkeys(environments)), query or "")
    if order.start >= order.end:
        raise _refusal(non_field_errors=["rangeStart must be before rangeEnd"])
    return order


def describe(job: Job) -> dict[str, Any]:
    """A job as the world sees it."""
    return {
        "id": job.id,
        "dateCreated": iso(job.created_at),
        "dateUpdated": iso(job.updated_at),
        "rangeStart": iso(job.order.start),
        "rangeEnd": iso(job.order.end),
        "environments": list(job.order.environments),
        "status": job.status,
        "query": job.order.query,
        "countDeleted": job.deleted,
    }


def _refusal(**fields: list[str]) -> Invalid:
    return Invalid(fields={"data": fields})
