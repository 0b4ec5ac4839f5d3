"""The five dialects as data: which number and which words each family of endpoints uses for the same refusal (product.md §5)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tapedeck import errors

_STATUS = {
    errors.Unspecified: 400,
    errors.Invalid: 400,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.TooLarge: 413,
    errors.Unsupported: 501,
    errors.Unavailable: 503,
}
_WORDS = {
    errors.Unspecified: "It is not said what is meant.",
    errors.Invalid: "The request is not valid.",
    errors.Unauthenticated: "Authentication credentials were not provided.",
    errors.Forbidden: "You do not have permission to perform this action.",
    errors.NotFound: "The requested resource does not exist",
    errors.Conflict: "The resource is in a state that does not allow this.",
    errors.TooLarge: "The request is too large.",
    errors.Unsupported: "This cannot be done.",
    errors.Unavailable: "Try again in a moment.",
}
INTERNAL_ERROR = "Internal error: quote the Request-Id when you report it."


@dataclass(frozen=True)
class Dialect:
    """How one family speaks: statuses that differ from the usual ones, words of its own, and the JSON of an error."""

    name: str
    shape: Callable[[int, str, errors.DomainError | None], Any]
    statuses: Mapping[type[errors.DomainError], int]
    words: Mapping[type[errors.DomainError], str]
    silent: frozenset[type[errors.DomainError]] = frozenset()  # answered without a body when nothing is to be said
    no_environment: str = _WORDS[errors.NotFound]  # of a path that names none of the caller's organization

    def refuse(self, error: errors.DomainError) -> tuple[int, Any]:
        """(status, JSON body) of a refusal; the body is None where this family answers without one."""
        kind = next(kind for kind in type(error).__mro__ if kind in _STATUS)
        status = self.statuses.get(kind, _STATUS[kind])
        if kind in self.silent and error.detail is None:
            return status, None
        return status, self.shape(status, error.detail or self.words.get(kind, _WORDS[kind]), error)

    def fail(self) -> tuple[int, Any]:
        """(status, JSON body) of a surprise: says nothing about its cause."""
        return 500, self.shape(500, INTERNAL_ERROR, None)


def _session_replays(_status: int, words: str, error: errors.DomainError | None) -> Any:
    """Sentry's: `{"detail"}`, a bare field map for invalid fields, `causes` where Relay would give them."""
    if isinstance(error, errors.Invalid) and error.fields:
        return error.fields
    return {"detail": words, "causes": list(error.causes)} if error and error.causes else {"detail": words}


_KINDS = {_STATUS[kind]: kind.__name__ for kind in _STATUS} | {422: "Invalid"}


def _event_replays(status: int, words: str, error: errors.DomainError | None) -> Any:
    """Batch's: `{"errors": [{code, domain, field, status, message}]}`, one entry a field."""
    entry = {"code": status, "domain": "replay", "status": _KINDS.get(status, "Internal")}
    if isinstance(error, errors.Invalid) and error.fields:
        return {"errors": [{**entry, "field": name, "message": " ".join(said)} for name, said in error.fields.items()]}
    return {"errors": [{**entry, "field": "", "message": words}]}


def _captures(status: int, words: str, error: errors.DomainError | None) -> Any:
    """MyCRT's: `{"code", "message"}`, and a bare array with every failure for invalid input."""
    if isinstance(error, errors.Invalid):
        fields = error.fields or {"": [words]}
        return [{"message": message, "path": name.split(".") if name else []} for name, said in fields.items() for message in said]
    return {"code": status, "message": words}


def _deletion_jobs(_status: int, words: str, _error: errors.DomainError | None) -> Any:
    """OpenReplay's: `{"errors": ["…"]}`."""
    return {"errors": [words]}


def _bucket_events(_status: int, words: str, _error: errors.DomainError | None) -> Any:
    """PM2's: `{"msg"}`."""
    return {"msg": words}


DIALECTS: Mapping[str, Dialect] = {
    dialect.name: dialect
    for dialect in (
        Dialect("session_replays", _session_replays, {}, {}, frozenset({errors.NotFound})),
        Dialect("event_replays", _event_replays, {errors.Invalid: 422, errors.Forbidden: 404}, {errors.Forbidden: _WORDS[errors.NotFound]}),
        Dialect("captures", _captures, {}, {errors.Unauthenticated: "You must be logged in to do this."}),
        Dialect(
            "deletion_jobs",
            _deletion_jobs,
            {errors.Forbidden: 404},
            {errors.Unauthenticated: "Invalid API Key", errors.Forbidden: "project not found.", errors.NotFound: "project not found."},
            no_environment="project not found.",
        ),
        Dialect("bucket_events", _bucket_events, {}, {}),
    )
}
