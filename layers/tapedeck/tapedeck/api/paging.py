"""Pages of rows: Sentry's `0:offset:is_prev` cursors and `Link` header, and the described `limit`/`offset` (decisions 8 and 37)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tapedeck import errors
from tapedeck.api.request import Query, Request
from tapedeck.api.resolver import Response

MAX_PER_PAGE = 100
_CURSOR = re.compile(r"-?\d{1,18}:(\d{1,9}):[01]")
# Far beyond what a person pages through; keeps one request's work bounded.
_MAX_OFFSET = 1_000_000


@dataclass(frozen=True)
class Window:
    """Which rows of an ordered list are wanted: `limit` of them from `offset` on."""

    offset: int
    limit: int


def window(query: Query, *, default: int = MAX_PER_PAGE) -> Window:
    """The window that `cursor`/`per_page` or `offset`/`limit` ask for; Invalid in the contract's words (§1)."""
    limit = _number(query, "per_page", lowest=1)
    if limit is None:
        limit = _number(query, "limit", lowest=1)
    offset = _number(query, "offset", lowest=0) or 0
    if cursor := query.one("cursor"):
        match = _CURSOR.fullmatch(cursor)
        if match is None:
            raise errors.Invalid("Invalid cursor parameter.")
        offset = int(match[1])
    if offset > _MAX_OFFSET:
        raise errors.Invalid(f"Invalid offset. Cannot exceed {_MAX_OFFSET}.")
    return Window(offset, default if limit is None else limit)


def link(request: Request, at: Window, *, more: bool, taken: int | None = None) -> str:
    """The `Link` header: both directions always, `results` says whether there is anything there.

    `taken` is how many rows this page holds, where a bound on bytes may have ended it before `limit`.
    """
    step = at.limit if taken is None else taken
    return ", ".join(
        f'<{request.url_with(cursor=cursor)}>; rel="{rel}"; results="{"true" if results else "false"}"; cursor="{cursor}"'
        for rel, results, cursor in (
            ("previous", at.offset > 0, f"0:{max(0, at.offset - at.limit)}:1"),
            ("next", more, f"0:{at.offset + step}:0"),
        )
    )


def page(request: Request, rows: Sequence[Any], at: Window, *, within: str | None = None) -> Response:
    """The answer to a list that is whole in memory: the window's rows, bare or `within` a member, with their `Link` header."""
    end = at.offset + at.limit
    taken = rows[at.offset : end]
    return Response({within: taken} if within else taken, headers={"Link": link(request, at, more=len(rows) > end)})


def _number(query: Query, name: str, *, lowest: int) -> int | None:
    text = query.one(name)
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) < lowest:
        raise errors.Invalid(f"Invalid {name} parameter.")
    if name != "offset" and int(text) > MAX_PER_PAGE:
        raise errors.Invalid(f"Invalid {name} value. Cannot exceed {MAX_PER_PAGE}.")
    return int(text)
