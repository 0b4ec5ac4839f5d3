"""moto, quickly: what it does again and again, and in a large table for seconds, is done once. What it answers stays the same."""

from __future__ import annotations

import base64
import copy
import functools
from collections import defaultdict
from decimal import Decimal
from typing import Any, cast

import moto.core.responses
import moto.dynamodb.models.utilities
import moto.dynamodb.responses
import pytest
from moto.core.serialize import ResponseSerializer
from moto.core.utils import method_names_from_class
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict
from moto.dynamodb.models.table import Table

_get_value, _query, _update_item = ResponseSerializer.get_value, Table.query, DynamoDBBackend.update_item
_serialize_structure, _cast = ResponseSerializer._serialize_type_structure, vars(DynamoType)["cast_value"].fget
_to_plain = moto.dynamodb.models.utilities.dynamo_to_dict
_number = functools.lru_cache(100_000)(Decimal)
_method_names = functools.cache(method_names_from_class)  # asked at every call


def install(patch: pytest.MonkeyPatch) -> None:
    """Be quick, until the patch is undone."""
    patch.setattr(moto.core.responses, "method_names_from_class", _method_names)
    patch.setattr(ResponseSerializer, "get_value", _pick)
    patch.setattr(ResponseSerializer, "_serialize_type_structure", _serialize)
    patch.setattr(DynamoType, "cast_value", property(_value))
    patch.setattr(Item, "__deepcopy__", _copy_item)
    patch.setattr(Item, "size", _size)
    for module in (moto.dynamodb.models.utilities, moto.dynamodb.responses):
        patch.setattr(module, "dynamo_to_dict", _plain)
    patch.setattr(Table, "query", _look)
    patch.setattr(Table, "__deepcopy__", _snapshot, raising=False)
    patch.setattr(DynamoDBBackend, "update_item", _update)


def _pick(serializer: Any, value: Any, key: str, shape: Any) -> Any:
    """moto looks for each of the ten types of a DynamoDB value under every name that it could have: a fifth of a test's time."""
    if type(value) is dict and shape.parent.name == "AttributeValue":
        return value.get(key)
    return _get_value(serializer, value, key, shape)


def _serialize(serializer: Any, serialized: Any, value: Any, shape: Any, key: str) -> None:
    """moto goes through the ten types of a DynamoDB value to find that it is a text."""
    if key and shape.name == "AttributeValue" and type(value) is dict and len(value) == 1:
        kind, told = next(iter(value.items()))
        if kind in ("S", "N", "BOOL"):
            serialized[serializer.get_serialized_name(shape, key)] = value
            return
        if kind == "B" and type(told) is bytes:
            serialized[serializer.get_serialized_name(shape, key)] = {"B": base64.b64encode(told).decode()}
            return
    _serialize_structure(serializer, serialized, value, shape, key)


def _value(it: DynamoType) -> Any:
    """moto asks of what type a value is, type by type; and then makes a Decimal of the same text again and again."""
    kind = it.type
    if kind in ("S", "B", "BOOL"):
        return it.value
    return _number(it.value) if kind == "N" else _cast(it)


def _copy_item(item: Item, memo: dict[int, Any]) -> Item:
    """A value without parts is never changed, only replaced: a copy of an item can share it."""
    copied: Any = Item.__new__(Item)
    copied.hash_key, copied.range_key = item.hash_key, item.range_key
    attributes = LimitedSizeDict.__new__(LimitedSizeDict)
    for name, value in item.attrs.items():
        scalar = type(value) is DynamoType and value.type in ("S", "N", "B", "BOOL", "NULL")
        dict.__setitem__(attributes, name, value if scalar else copy.deepcopy(value, memo))
    copied.attrs = attributes
    return cast(Item, copied)


def _size(item: Item) -> int:
    """moto weighs every item of an answer, value by value."""
    return sum(_weight(name) + (_weight(it.value) if type(it.value) is str else it.size()) for name, it in item.attrs.items())


def _weight(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


def _plain(it: Any) -> Any:
    """moto asks of everything in an answer whether it is a date."""
    if type(it) is DynamoType and it.type in ("S", "N", "BOOL"):
        return {it.type: it.value}
    if type(it) is str:
        return it
    return {name: _plain(part) for name, part in it.items()} if type(it) in (dict, LimitedSizeDict) else _to_plain(it)


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
