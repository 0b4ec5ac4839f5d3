"""Runs in MiniStack's own environment: MiniStack, with two things done as API Gateway does them.

With `BinaryMediaTypes: ['*/*']` API Gateway hands every body on as bytes, also one that names no type: it takes such a body, and a
request that accepts nothing in particular, for application/json. MiniStack takes them for text, and replaces what is not UTF-8.
An unmodified browser SDK sends its compressed envelopes without a Content-Type, so every recording would be spoilt.

API Gateway imports the gateway responses that an API's OpenAPI body carries, which is where SAM puts them. MiniStack knows gateway
responses, but does not look for them there, and would answer an unknown path in AWS's words instead of the template's.
"""

from __future__ import annotations

import sys
from typing import Any

from ministack.app import main
from ministack.services import apigateway_v1

_matches = apigateway_v1._media_type_matches
_import = apigateway_v1._import_rest_api


def _import_with_gateway_responses(spec: dict[str, Any], base_data: dict[str, Any] | None = None) -> str:
    api_id: str = _import(spec, base_data)
    for response_type, response in (spec.get("x-amazon-apigateway-gateway-responses") or {}).items():
        apigateway_v1._put_gateway_response(api_id, response_type, response)
    return api_id


apigateway_v1._media_type_matches = lambda media_type, configured: _matches(media_type or "application/json", configured)
apigateway_v1._import_rest_api = _import_with_gateway_responses

if __name__ == "__main__":
    sys.exit(main())
