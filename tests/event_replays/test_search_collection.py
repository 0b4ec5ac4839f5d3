"""POST /v1/collection/{id}/search: contract §1.3, `{total, data}`, the events as the envelopes of §1.2; the language is §1.5's."""

from __future__ import annotations

from typing import Any

import pytest

from tapedeck.events import searching
from tapedeck.events.shapes import FoundEvents
from tests.event_replays.test_create_collection import create
from tests.harness import System
from tests.harness.agent import collect, noise, put, record
from tests.harness.gateway import Response


def ask(system: System, query: Any = None, *, of: str | None = None, by: str = "member", **asked: Any) -> Response:
    """POST a search of a collection: acme/web's own unless said."""
    body = ({} if query is None else {"query": query}) | asked
    return system.request("POST", f"/v1/collection/{of or system.acme.web.collection_id}/search", json=body, token=system.acme.token(by))


def search(system: System, query: Any = None, **asked: Any) -> tuple[int, list[Any]]:
    """The total and the payloads that are found; the answer must have its shape."""
    answer = ask(system, query, **asked)
    assert answer.status == 200, answer
    FoundEvents.model_validate(answer.json())
    return answer.json()["total"], [event["client"]["payload"] for event in answer.json()["data"]]


def test_an_event_is_found_as_its_envelope(system: System) -> None:
    """§1.2."""
    at = system.now - 60
    [event_id] = put(system, system.acme, {**record("paid", at=at, amount=4.20, note="Größe"), "user": "u1"})
    [event] = ask(system, "note:GRÖSSE AND user:u1").json()["data"]
    received = system.now
    moment = event["batch"]["info"].pop("date_human")
    assert moment.endswith("Z")
    assert event == {
        "batch": {
            "info": {"date_string": f"{int(received * 1000)}000000", "request_id": event_id, "source": "web"},
            "team": {"id": system.acme.team_id},
        },
        "client": {
            "metadata": {"event_name": "paid", "app_name": "shop", "server_name": "web-1", "pm_id": "0", "user": "u1"},
            "payload": {"amount": 4.2, "note": "Größe"},
        },
    }


def test_a_payload_is_as_it_was_sent(system: System) -> None:
    made = create(system, name="orders").json()
    sent = b'{ "sum":12.50,\n"big":12345678901234567890.0, "name":"p\\u0061id" }'
    assert collect(system, made["token"], sent).status == 200
    answer = ask(system, "name:paid", of=made["id"])
    assert answer.body.endswith(b'"payload":' + sent + b"}}]}")


def test_the_total_is_of_the_whole_query_and_a_page_is_of_the_newest(system: System) -> None:
    """§1.3: total is for the whole query."""
    for n in range(12):
        put(system, system.acme, *(record("paid" if m % 3 else "left", n=n * 10 + m) for m in range(10)))
    wanted = sorted((n for n in range(120) if n % 10 % 3), reverse=True)
    total, page = search(system, "event_name:paid")
    assert (total, [each["n"] for each in page]) == (len(wanted), wanted[:25])
    assert search(system, "event_name:paid", size=0) == (len(wanted), [])
    paged = [each["n"] for offset in range(0, 80, 7) for each in search(system, "event_name:paid", size=7, **{"from": offset})[1]]
    assert paged == wanted
    system.drain()
    assert [each["n"] for each in search(system, "event_name:paid", size=100)[1]] == wanted, "chunks that were merged tell the same"


def test_without_a_query_everything_is_found(system: System) -> None:
    put(system, system.acme, *(record(n=n) for n in range(30)))
    assert search(system)[0] == search(system, "*")[0] == search(system, "* ", size="5")[0] == 30


def test_the_window_of_batchs_command_line(system: System) -> None:
    """§1.5: `<query> AND batch.info.date_human: [FROM TO TO]`, without parentheses: the window is of the last alternative alone."""
    moments = []
    for n in range(3):
        moments.append(ask(system).status and system.now)
        put(system, system.acme, record(n=n, kind="ab"[n % 2]))
        system.skip(60)
    dates = [ask(system, f"n:{n}").json()["data"][0]["batch"]["info"]["date_human"] for n in range(3)]
    window = f"batch.info.date_human: [{dates[1]} TO {dates[2]}]"
    assert search(system, window)[0] == 2
    assert [each["n"] for each in search(system, f"kind:a OR kind:b AND {window}")[1]] == [2, 1, 0]
    assert [each["n"] for each in search(system, f"(kind:a OR kind:b) AND {window}")[1]] == [2, 1]
    assert search(system, f"batch.team.id: '{system.acme.team_id}' AND batch.info.source: web")[0] == 3
    assert search(system, f"batch.info.date_human: [{dates[2]} TO {dates[1]}]")[0] == 0, "reversed bounds match nothing"


def test_what_is_emptied_is_not_found(system: System) -> None:
    put(system, system.acme, record(n=1))
    system.skip(1)
    url = f"/api/bucket/{system.acme.web.bucket_id}/data/events/delete_all"
    assert system.request("DELETE", url, token=system.acme.token("admin")).status == 200
    put(system, system.acme, record(n=2))
    assert search(system) == (1, [{"n": 2}])


@pytest.mark.parametrize(
    "query", ["", "  ", "/re/", "a~", "(", ")", '"a', "a AND", "f:", "f:(", "x " * 3000, "a OR " * 200 + "a", "(" * 41 + "a" + ")" * 41, 5, ["*"]]
)
def test_what_is_no_query_is_a_422_on_query(system: System, query: Any) -> None:
    """Decision 28."""
    answer = ask(system, query)
    assert (answer.status, [each["field"] for each in answer.json()["errors"]]) == (422, ["query"])


@pytest.mark.parametrize(("name", "value"), [("from", -1), ("from", "x"), ("size", 101), ("size", -1), ("size", 1.5), ("size", True)])
def test_a_wrong_page_is_a_422(system: System, name: str, value: Any) -> None:
    answer = ask(system, "*", **{name: value})
    assert (answer.status, [each["field"] for each in answer.json()["errors"]]) == (422, [name])


def test_others_collections_are_unknown_ones(system: System) -> None:
    asked = [
        ask(system, of=name, by=by)
        for name, by in (
            (system.globex.web.collection_id, "owner"),
            (system.acme.web.collection_id, "outsider"),
            ("00000000-0000-4000-8000-000000000000", "owner"),
            ("nonsense", "owner"),
        )
    ]
    assert {(answer.status, answer.body) for answer in asked} == {(404, asked[0].body)}


def test_a_page_of_heavy_events_ends_before_lambdas_limit_and_goes_on_by_from(system: System) -> None:
    for n in range(9):
        put(system, system.acme, record(n=n, text=noise(n, 900_000)))
    seen: list[int] = []
    while page := search(system, "event_name:paid", **{"from": len(seen)})[1]:
        assert len(page) < 9
        seen += [each["n"] for each in page]
    assert seen == list(range(8, -1, -1))


def test_chunks_that_receive_times_decide_are_not_opened(system: System) -> None:
    for n in range(6):
        put(system, system.acme, *(record(n=n, text=noise(n * 50 + m)) for m in range(50)))
        system.skip(60)
    date = ask(system, "n:4", size=1).json()["data"][0]["batch"]["info"]["date_human"]
    for query, expected, opened in (
        ("*", 300, 1),
        (f"batch.info.date_human:[{date} TO *]", 100, 1),
        (f"event_name:paid AND batch.info.date_human:[{date} TO {date}]", 50, 1),
        (f"event_name:paid AND NOT batch.info.date_human:[* TO {date}]", 50, 1),
    ):
        with system.cloud.watch() as calls:
            assert search(system, query)[0] == expected
        assert [call.operation for call in calls if call.service == "s3"] == ["GetObject"] * opened, query


def test_a_search_that_takes_too_long_says_so(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(9):
        put(system, system.acme, record(n=n))
    monkeypatch.setattr(searching, "LONGEST", -1)
    answer = ask(system, "n:>=0")
    FoundEvents.model_validate(answer.json())
    assert (answer.json()["total"], answer.json()["complete"]) == (searching.AT_ONCE, False)
    assert [event["client"]["payload"]["n"] for event in answer.json()["data"]] == [8, 7, 6, 5], "the newest were looked at"
