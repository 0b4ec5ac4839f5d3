"""The secrets of destinations: sealed by KMS one by one, unsealed by those alone who send, and masked for everybody else.

Each is bound to its organization and destination (the encryption context), so a ciphertext that is copied into another's row opens
nothing (trust.md T21). Who edits a destination cannot unseal: a secret that stays is passed on as it is.
"""

from __future__ import annotations

import base64
import copy
from collections.abc import Mapping
from functools import partial
from typing import Any

from tapedeck import aws
from tapedeck.event_replays.destinations.model import Destination

_SHOWN = 4  # last characters of a secret of at least thrice as many


def masked(secret: str) -> str:
    """What is shown of a secret.

    >>> masked("Bearer abcdefgh1234"), masked("short")
    ('****1234', '****')
    """
    return "****" + (secret[-_SHOWN:] if len(secret) >= 3 * _SHOWN else "")


def sealed(organization_id: int, destination_id: str, secret: str) -> str:
    """A secret as it is kept."""
    answer = aws.client("kms").encrypt(
        KeyId=aws.setting("DESTINATIONS_KEY"), Plaintext=secret.encode(), EncryptionContext=_context(organization_id, destination_id)
    )
    return base64.b64encode(answer["CiphertextBlob"]).decode()


def revealed(destination: Destination) -> dict[str, Any]:
    """The metadata of a destination with its secrets in place: never to be stored, logged or answered."""
    metadata: dict[str, Any] = copy.deepcopy(dict(destination.metadata))
    if destination.secrets:
        opened = aws.together(*(partial(_unsealed, destination, secret) for secret in destination.secrets.values()))
        for path, plain in zip(destination.secrets, opened, strict=True):
            put(metadata, path, plain)
    return metadata


def put(metadata: dict[str, Any], path: str, value: str) -> None:
    """Set a member by its path: its name, or `headers.{name}`."""
    name, _, header = path.partition(".")
    if header:
        for each in metadata[name]:
            if header in each:
                each[header] = value
    else:
        metadata[name] = value


def _unsealed(destination: Destination, secret: str) -> str:
    answer = aws.client("kms").decrypt(
        KeyId=aws.setting("DESTINATIONS_KEY"),
        CiphertextBlob=base64.b64decode(secret),
        EncryptionContext=_context(destination.organization_id, destination.id),
    )
    plain: bytes = answer["Plaintext"]
    return plain.decode()


def _context(organization_id: int, destination_id: str) -> Mapping[str, str]:
    return {"organization": str(organization_id), "destination": destination_id}
