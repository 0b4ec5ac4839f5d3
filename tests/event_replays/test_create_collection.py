"""POST /v1/collection: decision 31."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness import System
from tests.harness.agent import collect, keys
from tests.harness.gateway import Response


def create(system: System, *, by: str = "member", **body: Any) -> Response:
    """POST a collection."""
    return system.request("POST", "/v1/collection", json=body, token=system.acme.token(by))


def test_a_collection_needs_only_a_name_and_takes_events_with_its_token(system: System) -> None:
    answer = create(system, name="orders")
    assert answer.status == 200
    made = answer.json()
    assert {name: made[name] for name in ("name", "notes", "type", "environment", "team_id", "archived")} == {
        "name": "orders", "notes": "", "type": "live", "environment": "web", "team_id": system.acme.team_id, "archived": False,
    }  # fmt: skip
    assert collect(system, made["token"], {"type": "paid"}).status == 200
    assert keys(system, system.acme) == [], "it is a source of its own: the bucket shows the default collection"


@pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": 5}, {"name": "x" * 257}, {"name": "a", "notes": 5}, {"name": "a", "environment": "?"}])
def test_invalid_members_are_a_422_that_names_them(system: System, body: dict[str, Any]) -> None:
    answer = create(system, **body)
    assert answer.status == 422
    assert answer.json()["errors"][0]["field"] in ("name", "notes", "environment")


def test_an_environment_of_ones_own(system: System) -> None:
    assert create(system, name="a", environment="shop").json()["environment"] == "shop"
    assert create(system, name="a", environment=system.acme.shop.env_id).json()["environment"] == "shop"
    assert create(system, name="a", by="outsider").status == 422
