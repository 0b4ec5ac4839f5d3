"""Runs in MiniStack's own environment: MiniStack, with one thing done as API Gateway does it.

With `BinaryMediaTypes: ['*/*']` API Gateway hands every body on as bytes, also one that names no type: it takes such a body, and a
request that accepts nothing in particular, for application/json. MiniStack takes them for text, and replaces what is not UTF-8.
An unmodified browser SDK sends its compressed envelopes without a Content-Type, so every recording would be spoilt.
"""

from __future__ import annotations

import sys

from ministack.app import main
from ministack.services import apigateway_v1

_matches = apigateway_v1._media_type_matches
apigateway_v1._media_type_matches = lambda media_type, configured: _matches(media_type or "application/json", configured)

if __name__ == "__main__":
    sys.exit(main())
