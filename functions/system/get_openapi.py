"""GET /openapi.json: the OpenAPI 3.1 document of every route."""

from __future__ import annotations

from importlib import resources

from tapedeck.api.request import Request
from tapedeck.api.resolver import Api, Response

app = Api()
_DOCUMENT = (resources.files("tapedeck.api") / "openapi.json").read_text("utf-8")


@app.get("/openapi.json")
def get_openapi(request: Request) -> Response:
    """The document that `make openapi` wrote."""
    return Response(_DOCUMENT, headers={"Access-Control-Allow-Origin": "*"})


lambda_handler = app.handler
