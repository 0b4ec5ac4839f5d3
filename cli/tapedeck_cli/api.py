"""The HTTP API as the tool uses it: one connection, the token, and refusals as lines for a person."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import orjson
import urllib3

from tapedeck_cli.trouble import FAILED, NOT_FOUND, REFUSED, Trouble

_CODES = {401: REFUSED, 403: REFUSED, 404: NOT_FOUND}


class Client:
    """Calls one stack as one caller."""

    def __init__(self, api_url: str, token: str | None = None) -> None:
        self.api_url = api_url.rstrip("/")
        self._headers = {"Accept": "*/*"} | ({"Authorization": f"Bearer {token}"} if token else {})
        self._http = urllib3.PoolManager(retries=urllib3.Retry(3, redirect=False, backoff_factor=0.2), timeout=60.0)

    def get(self, path: str, query: dict[str, str] | None = None) -> Any:
        """The JSON of an answer."""
        return orjson.loads(self._call("GET", self.api_url + path, query).data)

    def post(self, path: str, body: bytes, query: dict[str, str] | None = None, *, key: str | None = None) -> Any:
        """Send bytes; the JSON of the answer. Under a `key` it is done once, however often it is sent."""
        return orjson.loads(self._call("POST", self.api_url + path, query, body, key).data)

    def put(self, path: str, body: bytes = b"", *, key: str | None = None) -> Any:
        """Change a thing; the JSON of the answer. Under a `key` it is done once, however often it is sent."""
        return orjson.loads(self._call("PUT", self.api_url + path, None, body, key).data)

    def delete(self, path: str, body: bytes | None = None, query: dict[str, str] | None = None) -> Any:
        """Delete a thing; the JSON of the answer."""
        return orjson.loads(self._call("DELETE", self.api_url + path, query, body).data)

    def pages(self, path: str, query: dict[str, str]) -> Iterator[bytes]:
        """The bytes of every page of a list, following `Link` and redirects."""
        url: str | None = self.api_url + path
        asked: dict[str, str] | None = query
        while url:
            answer = self._call("GET", url, asked)
            yield answer.data
            following = re.search(r'<([^>]+)>;\s*rel="next";\s*results="true";\s*cursor="([^"]+)"', answer.headers.get("Link", ""))
            url, asked = (self.api_url + path, query | {"cursor": following[2]}) if following else (None, None)

    def _call(
        self, method: str, url: str, query: dict[str, str] | None = None, body: bytes | None = None, key: str | None = None
    ) -> urllib3.BaseHTTPResponse:
        if query:
            url += "?" + urlencode(query)
        headers = self._headers | ({"Idempotency-Key": key} if key else {})
        try:
            answer = self._http.request(method, url, headers=headers, body=body, redirect=False)
            if answer.status in (302, 303, 307) and (elsewhere := answer.headers.get("Location")):
                # A presigned URL carries its own right: our token is not for it.
                link = answer.headers.get("Link")
                answer = self._http.request("GET", elsewhere)
                if link:
                    answer.headers["Link"] = link
        except urllib3.exceptions.HTTPError as error:
            reason = getattr(error, "reason", None) or error
            line = f"{self.api_url} does not answer ({type(reason).__name__}): is it running? `make run` starts it"
            raise Trouble(line, status=0) from None
        if answer.status >= 400:
            line = f"{method} {url.split('?')[0]}: {answer.status} {_detail(answer.data) or answer.reason}"
            raise Trouble(line, _CODES.get(answer.status, FAILED), answer.status)
        return answer


def _detail(body: bytes) -> str:
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        return body[:200].decode(errors="replace")
    if isinstance(said, list):  # every failure of invalid input: [{"message", "path"}]
        return "; ".join(str(each.get("message", each)) for each in said if isinstance(each, dict))
    if not isinstance(said, dict):
        return str(said)
    causes = f" ({'; '.join(map(str, said['causes']))})" if said.get("causes") else ""
    refused = "; ".join(map(_failure, said.get("errors", [])))
    return f"{said.get('detail') or said.get('message') or said.get('msg') or refused or said}{causes}"


def _failure(said: Any) -> str:
    """One of `errors`: a sentence, or {"field", "message"}."""
    return ": ".join(filter(None, (said.get("field"), said.get("message")))) if isinstance(said, dict) else str(said)
