"""moto, quickly: what it does again and again, and in a large table for seconds, is done once. What it answers stays the same."""

from __future__ import annotations

import copy
import functools
from collections import defaultdict
from typing import Any

import moto.core.responses
import pytest
from moto.core.serialize import ResponseSerializer
from moto.core.utils import method_names_from_class
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table

_get_value, _query, _update_item = ResponseSerializer.get_value, Table.query, DynamoDBBackend.update_item
_method_names = functools.cache(method_names_from_class)  # asked at every call


def install(patch: pytest.MonkeyPatch) -> None:
    """Be quick, until the patch is undone."""
    patch.setattr(moto.core.responses, "method_names_from_class", _method_names)
    patch.setattr(ResponseSerializer, "get_value", _pick)
    patch.setattr(Table, "query", _look)
    patch.setattr(Table, "__deepcopy__", _snapshot, raising=False)
    patch.setattr(DynamoDBBackend, "update_item", _update)


def _pick(serializer: Any, value: Any, key: str, shape: Any) -> Any:
    """moto looks for each of the ten types of a DynamoDB value under every name that it could have: a fifth of a test's time."""
    if type(value) is dict and shape.parent.name == "AttributeValue":
        return value.get(key)
    return _get_value(serializer, value, key, shape)


def _look(table: Table, hash_key: Any, *others: Any, **named: Any) -> Any:
    """moto sorts the whole table for every Query; what is asked of the table itself is in one partition."""
    everything = table.items
    if (named.get("index_name") or (others[6] if len(others) > 6 else None)) is None:
        table.items = defaultdict(dict, {hash_key: everything[hash_key]} if hash_key in everything else {})
    try:
        return _query(table, hash_key, *others, **named)
    finally:
        table.items = everything


def _snapshot(table: Table, _memo: dict[int, Any]) -> Table:
    """moto copies a transaction's tables whole, once for each of its parts, to be able to go back. A copy of which item is where is
    enough, for items are put anew when they are put, and copied before they are updated."""
    copied = copy.copy(table)
    copied.items = defaultdict(dict, {key: dict(partition) for key, partition in table.items.items()})
    return copied


def _update(backend: DynamoDBBackend, table_name: str, key: dict[str, Any], *others: Any, **named: Any) -> Any:
    table = backend.tables.get(table_name)
    if table is not None and table.hash_key_attr in key and table.range_key_attr in key:
        partition = table.items.get(DynamoType(key[table.hash_key_attr]), {})
        at = DynamoType(key[table.range_key_attr])
        if at in partition:
            partition[at] = copy.deepcopy(partition[at])
    return _update_item(backend, table_name, key, *others, **named)
