"""From events to what is kept of them: a chunk's body, its summary, its owners; and back to that without some of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tapedeck.events import chunks, owners, summaries
from tapedeck.events.model import Event
from tapedeck.events.store import Batch, Chunk


def of(events: Sequence[Event | None]) -> Batch:
    """A batch of these events; None is a number without an event."""
    there = [event for event in events if event]
    return Batch(chunks.encode(events), summaries.encode(summaries.summarise(there)), owners.of(there))


def merged(parts: Sequence[tuple[Chunk, bytes, bytes]]) -> Batch:
    """One batch of neighbours, given as (chunk, its body, its owners), oldest first; no event is parsed."""
    return Batch(
        chunks.concat([(body, chunk.received) for chunk, body, _ in parts]),
        summaries.encode(summaries.merge([summaries.decode(chunk.summary) for chunk, _, _ in parts])),
        owners.merge([owned for _, _, owned in parts]),
    )


def without(body: bytes, unwanted: Callable[[int, bytes], bool]) -> tuple[Batch | None, int]:
    """What is left of a chunk's body without the lines that are unwanted by index and text, and how many went; None when none did."""
    left, gone = chunks.without(body, unwanted)
    if not gone:
        return None, 0
    events = chunks.decode(left)
    return Batch(left, summaries.encode(summaries.summarise(events)), owners.of(events)), gone
