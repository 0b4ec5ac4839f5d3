"""The ids that we make or read: what they look like, and nothing about what they name."""

from __future__ import annotations

import re
import secrets
import uuid

_HEX32 = re.compile(r"[0-9a-f]{32}")
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def parse_uuid(text: object) -> str | None:
    """32 lower-case hex digits for a UUID written with or without dashes; None for anything else.

    >>> parse_uuid("7E07485F-12F9-416B-8B14-26260799B51F")
    '7e07485f12f9416b8b1426260799b51f'
    """
    if not isinstance(text, str) or len(text) not in (32, 36):
        return None
    bare = text.lower().replace("-", "") if len(text) == 36 and text[8] == text[13] == text[18] == text[23] == "-" else text.lower()
    return bare if _HEX32.fullmatch(bare) else None


def random_uuid() -> str:
    """A random UUID with dashes."""
    return str(uuid.uuid4())


def random_hex(digits: int) -> str:
    """Random lower-case hex digits."""
    return secrets.token_hex((digits + 1) // 2)[:digits]


def random_base62(length: int) -> str:
    """Random letters and digits: about 5.95 bits each."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def base62(number: int, width: int) -> str:
    """`number` in base 62, left-padded with zeros to `width` digits."""
    digits = ""
    while number:
        number, rest = divmod(number, 62)
        digits = _ALPHABET[rest] + digits
    return digits.rjust(width, "0")
