"""Inflation with a ceiling: what arrives compressed is opened as far as the limit and not a block further, whatever it claims to hold."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator

from tapedeck.errors import Invalid, TooLarge

# zstd turns four bytes into a block of 128 KiB: fed in such pieces, no single step can yield more than a few MiB.
_ZSTD_PIECE = 256
# The largest window that RFC 8878 §3.1.1.1.2 asks every decoder to support; a larger one is memory that a stranger makes us reserve.
_ZSTD_WINDOW = 8 * 1024 * 1024


def inflate(body: bytes, encoding: str, limit: int) -> bytes:
    """`body` without its content encoding (`gzip`, `deflate`, `zlib`, `br`, `zstd`, `identity`): at most `limit` bytes.

    Raises TooLarge when there is more, Invalid when it is corrupt, cut short or in an encoding that we do not know, such as two at once.
    """
    opened = _OPENERS.get(encoding.strip().lower())
    if opened is None:
        raise Invalid("unsupported content encoding", causes=[f"unknown encoding '{encoding[:64]}'"])
    parts: list[bytes] = []
    size = 0
    for part in opened(body, limit):
        size += len(part)
        if size > limit:
            raise TooLarge(f"more than {limit} bytes after decompression")
        parts.append(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def looks_like_zlib(data: bytes) -> bool:
    """Whether these are the two bytes with which a zlib stream begins (RFC 1950 §2.2)."""
    return len(data) > 1 and data[0] & 0x0F == 8 and (data[0] << 8 | data[1]) % 31 == 0


def _corrupt(encoding: str, why: object) -> Invalid:
    return Invalid("failed to decode the content encoding", causes=[f"{encoding}: {why}"])


def _identity(body: bytes, _limit: int) -> Iterator[bytes]:
    yield body


def _by_zlib(encoding: str, window: int) -> Callable[[bytes, int], Iterator[bytes]]:
    def opened(body: bytes, limit: int) -> Iterator[bytes]:
        while body:
            stream = zlib.decompressobj(window)
            try:
                part = stream.decompress(body, limit + 1)
            except zlib.error as error:
                raise _corrupt(encoding, error) from None
            yield part
            if not stream.eof:
                raise _corrupt(encoding, "the stream is cut short")
            body = stream.unused_data if window > zlib.MAX_WBITS else b""  # a gzip file may be several, one after the other
            limit -= len(part)

    return opened


def _deflate(body: bytes, limit: int) -> Iterator[bytes]:
    # "deflate" means zlib (RFC 9110 §8.4.1.2); some senders leave its two bytes of header out.
    return _by_zlib("deflate", zlib.MAX_WBITS if looks_like_zlib(body) else -zlib.MAX_WBITS)(body, limit)


def _brotli(body: bytes, limit: int) -> Iterator[bytes]:
    import brotli  # type: ignore[import-untyped]

    stream = brotli.Decompressor()
    try:
        part = stream.process(body, output_buffer_limit=limit + 1)
        yield part
        while part and not stream.is_finished():
            part = stream.process(b"", output_buffer_limit=limit + 1)
            yield part
    except brotli.error as error:
        raise _corrupt("br", error) from None
    if not stream.is_finished():
        raise _corrupt("br", "the stream is cut short")


def _zstd(body: bytes, _limit: int) -> Iterator[bytes]:
    import zstandard

    stream = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW).decompressobj()
    try:
        for start in range(0, len(body), _ZSTD_PIECE):
            yield stream.decompress(body[start : start + _ZSTD_PIECE])
            if stream.eof:
                return
    except zstandard.ZstdError as error:
        raise _corrupt("zstd", error) from None
    raise _corrupt("zstd", "the stream is cut short")


_OPENERS: dict[str, Callable[[bytes, int], Iterator[bytes]]] = {
    "": _identity,
    "identity": _identity,
    "gzip": _by_zlib("gzip", zlib.MAX_WBITS | 16),
    "x-gzip": _by_zlib("gzip", zlib.MAX_WBITS | 16),
    "zlib": _by_zlib("zlib", zlib.MAX_WBITS),
    "deflate": _deflate,
    "br": _brotli,
    "zstd": _zstd,
}
