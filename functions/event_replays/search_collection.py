"""POST /v1/collection/{collection_id}/search: the events of a collection that a query finds."""

from __future__ import annotations

from tapedeck.api.request import Request
from tapedeck.api.resolver import Api, Response, note
from tapedeck.events import asking, collections, lucene, searching

app = Api()


@app.post("/v1/collection/{collection_id}/search")
def search_collection(request: Request, collection_id: str) -> Response:
    """`{"total", "data"}`: how many events `query` finds, and `size` of them after the first `from`, the newest first."""
    asked = asking.search(request.body())
    organization = request.organization
    collection = collections.one(organization, request.who.environments_of(organization, "event:read"), collection_id)
    query = lucene.compile(asked.query, team_id=organization.team_id, collection=collection.name)
    found = searching.search(collections.span(organization, collection), query, offset=asked.offset, size=asked.size)
    note(found=found.total, complete=found.complete)
    return Response(searching.present(found, team_id=organization.team_id, collection=collection.name))


lambda_handler = app.handler
