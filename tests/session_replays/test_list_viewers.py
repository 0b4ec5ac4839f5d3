"""GET …/viewed-by/: contract §1.10."""

from __future__ import annotations

from tests.harness import System
from tests.harness.sdk import record, replay_url

USER = {
    "avatar", "avatarUrl", "dateJoined", "email", "emails", "experiments", "has2fa", "hasPasswordAuth", "id", "isActive", "isManaged",
    "isStaff", "isSuperuser", "lastActive", "lastLogin", "name", "type", "username",
}  # fmt: skip


def test_viewers_are_listed_with_sentrys_eighteen_members(system: System) -> None:
    replay_id = record(system, system.acme.web)
    url, acme = replay_url(system.acme, system.acme.web, replay_id, "viewed-by/"), system.acme
    assert system.request("GET", url, token=acme.token("member")).json() == {"data": {"viewed_by": []}}
    for role in ("owner", "member", "owner"):
        system.request("POST", url, token=acme.token(role))
    viewers = system.request("GET", url, token=acme.token("admin")).json()["data"]["viewed_by"]
    assert sorted(viewer["email"] for viewer in viewers) == ["member@acme.example", "owner@acme.example"]
    assert set(viewers[0]) == USER
    assert viewers[0]["type"] == "user"


def test_an_unknown_replay_has_no_viewers_to_list(system: System) -> None:
    url = replay_url(system.acme, system.acme.web, "0" * 32, "viewed-by/")
    assert system.request("GET", url, token=system.acme.token("member")).status == 404
