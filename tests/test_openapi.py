"""The OpenAPI document: what is committed is what the code says, and every route is in it."""

from __future__ import annotations

import json

from tapedeck.api.routes import ROUTES
from tapedeck_cli import openapi


def test_the_committed_document_is_what_make_openapi_would_write() -> None:
    assert openapi.TARGET.read_text("utf-8") == openapi.text(), "run `make openapi`"


def test_every_route_is_in_the_document_with_its_security() -> None:
    paths = json.loads(openapi.TARGET.read_text("utf-8"))["paths"]
    for route in ROUTES:
        operation = paths[route.path.replace("+}", "}")][route.method.lower()]
        assert operation["summary"]
        assert bool(operation["security"]) == (route.reach != "public"), route


def test_operations_are_named_once() -> None:
    names = [operation["operationId"] for path in openapi.build()["paths"].values() for operation in path.values()]
    assert len(names) == len(set(names))
