"""Inflation opens what is honest, names what is broken, and stops at the limit whatever is behind it."""

from __future__ import annotations

import gzip
import subprocess
import sys
import zlib
from collections.abc import Callable
from contextlib import suppress

import brotli  # type: ignore[import-untyped]
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from tapedeck.errors import DomainError, Invalid, TooLarge
from tapedeck.inflating import inflate

MIB = 1024 * 1024


def raw_deflate(data: bytes) -> bytes:
    return zlib.compress(data, wbits=-zlib.MAX_WBITS)


ENCODINGS: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("gzip", gzip.compress),
    ("x-gzip", gzip.compress),
    ("zlib", zlib.compress),
    ("deflate", zlib.compress),
    ("deflate", raw_deflate),
    ("br", brotli.compress),
    ("zstd", zstandard.compress),
]
each_encoding = pytest.mark.parametrize(("encoding", "compress"), ENCODINGS, ids=[f"{name}-{how.__name__}" for name, how in ENCODINGS])


@each_encoding
@pytest.mark.parametrize("data", [b"[]", b"x", b"hello " * 10_000, bytes(range(256)) * 40])
def test_what_was_compressed_comes_back(encoding: str, compress: Callable[[bytes], bytes], data: bytes) -> None:
    assert inflate(compress(data), encoding, len(data)) == data
    assert inflate(compress(data), f" {encoding.upper()} ", MIB) == data


@each_encoding
def test_one_byte_over_the_limit_is_too_large(encoding: str, compress: Callable[[bytes], bytes]) -> None:
    with pytest.raises(TooLarge):
        inflate(compress(b"a" * 1001), encoding, 1000)


@each_encoding
def test_a_stream_cut_short_is_invalid(encoding: str, compress: Callable[[bytes], bytes]) -> None:
    whole = compress(bytes(range(256)) * 40)
    for length in (1, 2, 5, len(whole) // 2, len(whole) - 1):
        with pytest.raises(Invalid):
            inflate(whole[:length], encoding, MIB)


@each_encoding
@given(st.binary(max_size=200))
def test_noise_is_a_refusal_and_never_a_surprise(encoding: str, compress: Callable[[bytes], bytes], noise: bytes) -> None:
    for body in (noise, compress(noise)[:-3] + noise):
        with suppress(DomainError):
            inflate(body, encoding, 1000)


def test_a_gzip_file_of_several_members_is_one_text() -> None:
    assert inflate(gzip.compress(b"one ") + gzip.compress(b"two"), "gzip", 7) == b"one two"
    with pytest.raises(TooLarge):
        inflate(gzip.compress(b"one ") + gzip.compress(b"two"), "gzip", 6)


@pytest.mark.parametrize("encoding", ["", "identity"])
def test_what_is_not_compressed_passes_within_the_limit(encoding: str) -> None:
    assert inflate(b"plain", encoding, 5) == b"plain"
    with pytest.raises(TooLarge):
        inflate(b"plain", encoding, 4)


@pytest.mark.parametrize("encoding", ["gzip, gzip", "lzma", "compress", "x" * 10_000])
def test_an_unknown_encoding_is_invalid_and_named(encoding: str) -> None:
    with pytest.raises(Invalid) as refusal:
        inflate(b"", encoding, 10)
    assert encoding[:64] in refusal.value.causes[0]


BOMB = """
import gzip, resource, sys, time, zlib
import brotli, zstandard
from tapedeck.errors import TooLarge
from tapedeck.inflating import inflate

MIB = 1024 * 1024
piece = bytes(MIB)
squeeze = zlib.compressobj(9, wbits={"gzip": 31, "zlib": 15, "deflate": -15}.get(sys.argv[1], 15))
if sys.argv[1] == "br":
    squeeze = brotli.Compressor(quality=4)
    bomb = b"".join(squeeze.process(piece) for _ in range(200)) + squeeze.finish()
elif sys.argv[1] == "zstd":
    squeeze = zstandard.ZstdCompressor().compressobj()
    bomb = b"".join(squeeze.compress(piece) for _ in range(200)) + squeeze.flush()
else:
    bomb = b"".join(squeeze.compress(piece) for _ in range(200)) + squeeze.flush()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    inflate(bomb, sys.argv[1], 20 * MIB)
except TooLarge:
    print(len(bomb), (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.parametrize("encoding", ["gzip", "zlib", "deflate", "br", "zstd"])
def test_a_bomb_of_200_mb_costs_no_more_than_the_limit(encoding: str) -> None:
    """In a process of its own, so that the highest tide is its own: the 20 MiB of the limit, and as much again to grow and join them."""
    here = {"PYTHONPATH": ":".join(sys.path)}
    ran = subprocess.run([sys.executable, "-c", BOMB, encoding], capture_output=True, text=True, check=True, env=here)
    wire, grown = map(int, ran.stdout.split())
    assert wire < 300_000
    assert grown < 64


def test_zstd_may_not_reserve_a_window_of_its_own_choice() -> None:
    """A header of a few bytes may ask for gigabytes: we refuse above what RFC 8878 makes everybody support."""
    parameters = zstandard.ZstdCompressionParameters(window_log=27, compression_level=1)
    stream = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    with pytest.raises(Invalid):
        inflate(stream.compress(bytes(MIB)) + stream.flush(), "zstd", 20 * MIB)
