"""How events are put into batches. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def packed(sizes: Sequence[int], most: int, most_bytes: int) -> Iterator[list[int]]:
    """Indexes in batches of at most so many, and of at most so many bytes unless one alone has more.

    >>> list(packed([4, 4, 4, 99, 1], 10, 10))
    [[0, 1], [2], [3], [4]]
    """
    part: list[int] = []
    room = most_bytes
    for index, size in enumerate(sizes):
        if part and (len(part) == most or size > room):
            yield part
            part, room = [], most_bytes
        part.append(index)
        room -= size
    if part:
        yield part
