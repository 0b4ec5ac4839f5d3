"""GET /console/…: the files of the web page people watch replays in."""

from __future__ import annotations

from tapedeck.api import static
from tapedeck.api.request import Request
from tapedeck.api.resolver import Api, Response

app = Api()


@app.get("/console")
def get_console(request: Request) -> Response:
    """The page itself; without its slash, the way there: its relative addresses want one."""
    if request.url.endswith("/"):
        return static.answer(request, "tapedeck_console", "")
    return Response(status=302, headers={"Location": f"{request.url}/"})


@app.get("/console/{path+}")
def get_console_file(request: Request, path: str) -> Response:
    """A file, with the policy that keeps recorded pages from running or loading anything (trust.md §5.3)."""
    return static.answer(request, "tapedeck_console", path)


lambda_handler = app.handler
