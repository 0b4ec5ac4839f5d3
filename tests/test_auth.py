"""Keys: their grammar and checksum, kept as digests, rotated with grace, revoked within a minute (trust.md T1, T2, §8)."""

from __future__ import annotations

import base64
import random
import zlib

import pytest

from tapedeck import ids
from tapedeck.environments import keys, tokens
from tests.harness import System

READ, FRESH = "/api/0/organizations/acme/", "/api/0/organizations/acme/keys/"


def status(system: System, token: str, url: str = READ, **headers: str) -> int:
    """What a token gets."""
    return system.request("GET", url, token=None if headers else token, headers=headers).status


@pytest.mark.parametrize("kind", ["tdu", "tdo"])
@pytest.mark.parametrize("dev", [True, False])
def test_a_token_says_what_it_is_and_ends_in_its_checksum(kind: tokens.Kind, dev: bool) -> None:
    """trust.md §8.1."""
    token = tokens.make(kind, dev=dev)
    claim = tokens.parse(token)
    assert claim is not None
    assert (claim.kind, claim.dev) == (kind, dev)
    prefix, _, secret = token.rpartition("_")
    assert prefix == f"{kind}_{'dev_' if dev else ''}{claim.key_id}"
    assert len(secret) == 49
    assert secret[43:] == ids.base62(zlib.crc32(token[:-6].encode()), 6)


def test_ten_thousand_mutated_tokens_are_refused_without_a_read(system: System) -> None:
    dice, alphabet = random.Random(8), "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-"
    token = system.acme.org_key
    for _ in range(10_000):
        at = dice.randrange(len(token))
        mutant = token[:at] + dice.choice(alphabet) + token[at + 1 :]
        assert mutant == token or tokens.parse(mutant) is None, mutant
    with system.cloud.watch() as calls:
        assert status(system, token[:-1] + ("0" if token[-1] != "0" else "1")) == 401
    assert calls == []


def test_no_secret_is_at_rest(system: System) -> None:
    """Dump the tables: no token, no secret part of one, no collection token."""
    acme = system.acme
    token, _ = keys.issue("tdo", acme.id)
    secrets = [token, acme.org_key, *(person.token for person in acme.users.values())]
    dump = "".join(repr(item) for item in [*system.items("ControlTable"), *system.items("ReplaysTable")])
    assert "sha256" in dump
    for secret in secrets:
        whole = secret.rpartition("_")[2]
        assert whole not in dump
        assert whole[:43] not in dump
        assert base64.b64encode(whole.encode()).decode() not in dump
    for environment in acme.environments:
        assert str(environment.collection_token) not in dump


def test_an_unknown_id_costs_the_same_calls_as_a_wrong_secret(system: System) -> None:
    """Equal work, counted in calls and not in time."""
    known = system.acme.org_key
    body = known.rpartition("_")[0] + "_" + ids.random_base62(43)
    wrong_secret = body + ids.base62(zlib.crc32(body.encode()), 6)
    counts = []
    for token in (wrong_secret, tokens.make("tdo", dev=False)):
        system.cold()
        with system.cloud.watch() as calls:
            assert status(system, token) == 401
        counts.append([str(call) for call in calls])
    assert counts[0] == counts[1]


@pytest.mark.parametrize("stage", ["local", "staging", "prod"])
def test_development_keys_work_on_the_local_stage_only(stage: str) -> None:
    """trust.md §8.4."""
    with System(Stage=stage) as system:
        token, _ = keys.issue("tdo", system.acme.id, dev=True)
        assert "_dev_" in token
        assert status(system, token) == (200 if stage == "local" else 401)


@pytest.mark.parametrize("form", ["Bearer {}", "bearer {}", "{}", "  Bearer   {}  ", "BEARER {}"])
def test_a_token_is_read_in_every_usual_form(system: System, form: str) -> None:
    assert status(system, "", authorization=form.format(system.acme.org_key)) == 200


@pytest.mark.parametrize(
    "form", ["Basic {}", "Token {}", "AWS4-HMAC-SHA256 Credential={}/x", "Bearer {} {}", "Bearer", "{}x", "Bearer \u00e9"]
)
def test_other_forms_are_refused(system: System, form: str) -> None:
    assert status(system, "", authorization=form.format(*[system.acme.org_key] * 2)) == 401


def test_a_key_expires(system: System) -> None:
    token, _ = keys.issue("tdo", system.acme.id, expires_at=system.now + 100)
    assert status(system, token) == 200
    system.skip(99)
    assert status(system, token) == 200
    system.skip(1)
    assert status(system, token) == 401, "remembered or not"


def test_a_revoked_key_is_dead_at_once_where_it_could_destroy_and_within_a_minute_elsewhere(system: System) -> None:
    """T2, with a container that remembers the key: another one revoked it."""
    from tapedeck.api import auth

    token, key = keys.issue("tdo", system.acme.id)
    assert status(system, token) == 200
    remembered = dict(auth._memory)
    keys.revoke(key)
    auth._memory.update(remembered)
    assert status(system, token, FRESH) == 401, "fresh routes trust no memory"
    auth._memory.update(remembered)
    system.skip(60)
    assert status(system, token) == 401


def test_a_rotated_key_lives_for_its_grace_and_its_successor_at_once(system: System) -> None:
    token, key = keys.issue("tdo", system.acme.id)
    url = f"/api/0/organizations/acme/keys/{key.id}/rotate/"
    answer = system.request("POST", url, token=system.acme.org_key, json={"grace": 3600})
    assert answer.status == 201
    successor = answer.json()["data"]["token"]
    assert status(system, token) == status(system, successor) == 200
    assert system.request("POST", url, token=system.acme.org_key, json={}).status == 409, "twice is once"
    system.skip(3599)
    assert status(system, token) == 200
    system.skip(1)
    assert status(system, token) == 401
    assert status(system, successor) == 200


def test_a_role_that_was_taken_away_is_gone_within_a_minute(system: System) -> None:
    from tapedeck.environments import store

    acme, url = system.acme, "/api/0/projects/acme/web/"
    assert status(system, acme.token("member"), url) == 200
    left = {user: role for user, role in acme.web.roles.items() if user != acme.users["member"].id}
    store.change_roles(acme.id, acme.web, lambda _: left)
    system.skip(60)
    assert status(system, acme.token("member"), url) == 403


@pytest.mark.parametrize("kind", ["refused", "answers-lost"])
def test_a_control_plane_that_is_down_lets_nobody_in(system: System, kind: str) -> None:
    """trust.md F24: fail closed, 503 with Retry-After."""
    token = system.acme.org_key
    for k in range(2):
        system.cold()
        with system.cloud.fault(kind, k):  # type: ignore[arg-type]
            answer = system.request("GET", READ, token=token)
        assert answer.status == 503
        assert answer.headers["retry-after"]
