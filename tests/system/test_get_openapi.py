"""GET /openapi.json: every route, described."""

from __future__ import annotations

from tests.harness import System


def test_the_document_is_openapi_3_1_and_may_be_read_from_anywhere(system: System) -> None:
    answer = system.request("GET", "/openapi.json")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.headers["access-control-allow-origin"] == "*"
    document = answer.json()
    assert document["openapi"].startswith("3.1")
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    assert len({operation["operationId"] for operation in operations}) == len(operations)
