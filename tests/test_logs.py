"""Nothing that a client sends comes out in a log: no key, no body, no query, nobody's data (trust.md T13)."""

from __future__ import annotations

import json

import pytest

from tapedeck_cli.logs import told
from tests.harness import System, envelopes
from tests.harness.sdk import send
from tests.tour import tour

CANARY = "canary7f3a"


def test_no_secret_and_nobodys_data_is_ever_logged(system: System, capfd: pytest.CaptureFixture[str]) -> None:
    acme = system.acme
    system.request("GET", "/health")
    logs = system.capture_logs()
    tour(system)
    fields = {"urls": [f"https://{CANARY}.example/"], "user": {"id": CANARY, "email": f"{CANARY}@example.com"}, "tags": {CANARY: CANARY}}
    body = envelopes.segment(envelopes.new_id(), events=[{"type": 3, "data": CANARY}], environment=CANARY, **fields)
    headers = {"Cookie": CANARY, "X-Canary": CANARY, "User-Agent": CANARY, "Referer": CANARY}
    send(system, acme.web, body, headers=headers)
    send(system, acme.web, CANARY.encode() + b"\n{", headers=headers)
    send(system, acme.web, envelopes.segment(envelopes.new_id(), error_ids=[CANARY]), headers=headers)
    system.request(
        "GET", "/api/0/organizations/acme/replays/", query={"query": CANARY, "field": CANARY}, token=acme.token("member"), headers=headers
    )
    system.request("GET", f"/api/0/projects/acme/{CANARY}/", token=acme.token("member"), headers=headers)
    system.request("GET", f"/api/0/projects/acme/web/replays/{CANARY}/", token=f"tdu_{CANARY}", headers=headers)
    with system.cloud.fault("refused", 0):
        send(system, acme.web, body, headers=headers)
    out = logs.getvalue() + "".join(capfd.readouterr())
    assert '"route"' in out, "there are logs to look at"
    for secret in (
        CANARY,
        acme.org_key,
        acme.web.public_key,
        *(person.token for person in acme.users.values()),
        "member@acme.example",
        "203.0.113.7",
    ):
        assert secret not in out, secret


def test_a_request_is_one_line_of_json_with_the_id_the_client_has(system: System) -> None:
    system.request("GET", "/health")
    logs = system.capture_logs()
    answer = system.request("GET", "/api/0/organizations/acme/", token=system.acme.token("member"))
    [line] = [json.loads(line) for line in logs.getvalue().splitlines() if '"route"' in line]
    assert line["request_id"] == answer.headers["request-id"]
    assert (line["method"], line["route"], line["status"]) == ("GET", "/api/0/organizations/{org}/", 200)


def test_people_are_shown_requests_and_no_measurements() -> None:
    """`tapedeck dev` tells one line a request; what a function measures for CloudWatch is none."""
    shown = told('{"message":"request","method":"GET","status":200,"ms":1.5,"route":"/health"}')
    assert shown is not None
    assert shown.plain.endswith("GET    200      1.5 ms  /health")
    assert told('{"_aws":{"Timestamp":1},"message":"request","status":200}') is None
