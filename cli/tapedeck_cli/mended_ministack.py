"""Runs in MiniStack's own environment: MiniStack, with three things done as AWS does them.

With `BinaryMediaTypes: ['*/*']` API Gateway hands every body on as bytes, also one that names no type: it takes such a body, and a
request that accepts nothing in particular, for application/json. MiniStack takes them for text, and replaces what is not UTF-8.
An unmodified browser SDK sends its compressed envelopes without a Content-Type, so every recording would be spoilt.

A path reaches a REST API as it was sent, percent-encoded: `a%2Fb` is one segment, and whoever reads it decodes it once. MiniStack decodes
it before it looks for the route.

CloudWatch Logs makes metrics of lines in the embedded metric format; MiniStack keeps the lines only, and captures would have no metrics.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from ministack import app
from ministack.services import apigateway_v1, cloudwatch, lambda_svc

_matches = apigateway_v1._media_type_matches
apigateway_v1._media_type_matches = lambda media_type, configured: _matches(media_type or "application/json", configured)
_execute = app._handle_execute_api_request
_emit = lambda_svc._emit_lambda_logs


async def _execute_as_sent(host: str, path: str, *others: Any, raw_path: str | None = None, **named: Any) -> Any:
    return await _execute(host, raw_path or path, *others, raw_path=raw_path, **named)


def _emit_and_meter(func: Any, request_id: Any, log_text: str, *others: Any, **named: Any) -> None:
    _emit(func, request_id, log_text, *others, **named)
    for line in log_text.splitlines():
        if line.startswith('{"_aws"') or ',"_aws":' in line:
            _meter(json.loads(line))


def _meter(told: dict[str, Any]) -> None:
    for directive in told["_aws"]["CloudWatchMetrics"]:
        dimensions = {name: told[name] for name in directive["Dimensions"][0]}
        for metric in directive["Metrics"]:
            for value in told[metric["Name"]]:
                cloudwatch.record_metric(directive["Namespace"], metric["Name"], value, metric["Unit"], dimensions)


app._handle_execute_api_request = _execute_as_sent
lambda_svc._emit_lambda_logs = _emit_and_meter

if __name__ == "__main__":
    sys.exit(app.main())
