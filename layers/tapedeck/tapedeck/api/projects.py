"""Which projects a request is about: `project`, `projectSlug`, or all that the caller may read (contract §3)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tapedeck.api.request import Request
from tapedeck.errors import Forbidden, Invalid

if TYPE_CHECKING:
    from tapedeck.environments.model import Environment

_NAME = re.compile(r"-?[0-9]{1,18}|[a-z0-9][a-z0-9_-]{0,63}")


def projects(request: Request, scope: str) -> list[Environment]:
    """The projects meant, all of them the caller's. Invalid for what is no id; Forbidden for one that is not theirs to read."""
    visible = request.who.environments_of(request.organization, scope)
    named = [name for value in request.query.all("project") for name in value.split(",")]
    slugs = request.query.all("projectSlug")
    if not all(_NAME.fullmatch(name) for name in named):
        raise Invalid("Invalid project ids")
    if "-1" in named or "$all" in slugs or not (named or slugs):
        return visible
    wanted = [each for each in visible if each.slug in slugs]
    for name in named:
        found = next((each for each in visible if name in (each.slug, str(each.project_id))), None)
        if found is None:
            raise Forbidden
        wanted.append(found)
    return list({each.project_id: each for each in wanted}.values())
