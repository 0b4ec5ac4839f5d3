"""The grammar of tokens: made, checked without a read, digested; nothing here knows who a token belongs to.

`tdu_` (a person) or `tdo_` (an organization's key), then `dev_` on the local stage only, then 10 characters that name the key,
`_`, 43 characters of secret (256 bits) and 6 of checksum. The checksum is the CRC-32 of everything before it in base 62, as
GitHub's tokens have it: a mistyped or made-up token is refused without a database read, and secret scanners find real ones.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from dataclasses import dataclass
from typing import Literal

from tapedeck import ids

Kind = Literal["tdu", "tdo"]
_TOKEN = re.compile(r"(?P<kind>td[uo])_(?P<dev>dev_)?(?P<id>[0-9A-Za-z]{10})_(?P<secret>[0-9A-Za-z]{43})(?P<checksum>[0-9A-Za-z]{6})")


@dataclass(frozen=True, slots=True)
class Token:
    """A well-formed token: which key it claims to be, and the SHA-256 by which to recognise it."""

    kind: str
    key_id: str
    dev: bool
    sha256: str


def make(kind: Kind, *, dev: bool) -> str:
    """A new token of random characters."""
    body = f"{kind}_{'dev_' if dev else ''}{ids.random_base62(10)}_{ids.random_base62(43)}"
    return body + _checksum(body)


def parse(text: str) -> Token | None:
    """What a token says of itself, or None when it is not one: wrong shape or wrong checksum."""
    match = _TOKEN.fullmatch(text)
    if match is None or _checksum(text[:-6]) != match["checksum"]:
        return None
    return Token(match["kind"], match["id"], bool(match["dev"]), hashlib.sha256(text.encode()).hexdigest())


def claim(token: str) -> Token:
    """What a token that we made ourselves says of itself."""
    parsed = parse(token)
    if parsed is None:
        raise ValueError("not a token")
    return parsed


def _checksum(body: str) -> str:
    return ids.base62(zlib.crc32(body.encode()), 6)
