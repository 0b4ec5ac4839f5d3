"""The way out to addresses that strangers name: HTTP that reaches the public internet and nothing else (trust.md §5.1).

A name is resolved once, when a connection is made; every address that it has must be a public one, and the one that was checked is
dialled, while Host, SNI and the certificate stay the name's. So no name leads inside, whatever it resolves to a moment later, and however
an address is spelt: the system's resolver has read it by then. Redirects are not followed, proxies of the environment not asked, bodies
not inflated. An exchange ends after 10 seconds, however slowly the other side talks, and of what it says 64 KiB are read.

The local stage alone also lets plain http, other ports, and this machine itself be reached.
"""

from __future__ import annotations

import io
import ipaddress
import re
import socket
import ssl
import time
from collections.abc import Sequence
from functools import cache
from http.client import HTTPException, HTTPResponse
from typing import Any, NamedTuple

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, LocationParseError
from urllib3.util import parse_url
from urllib3.util.wait import wait_for_read

CONNECT = 2.0  # seconds
TOTAL = 10.0
MOST_READ = 64 * 1024  # bytes of an answer's body
MOST_URL = 2048
PORTS = (443, 8443)
_PIECE = 64 * 1024
_IDLE = 60.0  # seconds after which a connection that nobody used is not trusted any more

_URL = re.compile(r"[\x21-\x5b\x5d-\x7e]+")  # printable ASCII without blanks and backslashes: nothing that two parsers read differently
_HOST = re.compile(r"[0-9A-Za-z._-]+|\[[0-9A-Fa-f:.]+\]")
_LOCALLY = frozenset(map(ipaddress.ip_address, ("127.0.0.1", "::1")))
_PUBLIC_V6 = ipaddress.ip_network("2000::/3")
_REFUSED = [
    ipaddress.ip_network(network)
    for network in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24"),
        *("192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24"),
        *("203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        *("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20", "64:ff9b::/96", "64:ff9b:1::/48"),
    )
]


class Refused(Exception):
    """A URL or an address that nothing is sent to. Its text is fit for a client."""


class Target(NamedTuple):
    """Where a URL leads: what is dialled, and what is asked for there."""

    secure: bool
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """What the Host header says."""
        return self.host if self.port == (443 if self.secure else 80) else f"{self.host}:{self.port}"


class Reply(NamedTuple):
    """What the other side said, as far as it is of use to us."""

    status: int
    retry_after: str | None
    latency_ms: int


def target(url: str, *, local: bool, own: Sequence[tuple[str, int]] = ()) -> Target:
    """Where a URL leads. Refused for what may not be sent to, as far as the text shows it; `own` are the (host, port) we answer under."""
    if len(url) > MOST_URL or not _URL.fullmatch(url):
        raise Refused(f"must be a URL of at most {MOST_URL} printable ASCII characters")
    try:
        parsed = parse_url(url)
    except LocationParseError:
        raise Refused("must be a URL") from None
    if parsed.scheme not in ("https", "http") or not parsed.host or not _HOST.fullmatch(parsed.host):
        raise Refused("must be a URL of https:// and a host's name")
    authority = re.split("[/?#]", url.split("//", 1)[1])[0]
    if "@" in authority or "%" in authority:
        raise Refused("must not have a user, a password or an escaped host: what is secret goes into a header")
    if _is_address(parsed.host) and not is_public(parsed.host.strip("[]"), local=local):
        raise Refused("must not be an address that is not public")
    secure = parsed.scheme == "https"
    if not secure and not local:
        raise Refused("must begin with https://")
    port = parsed.port if parsed.port is not None else (443 if secure else 80)
    if not local and port not in PORTS:
        raise Refused(f"must have one of the ports {' and '.join(map(str, PORTS))}")
    if (parsed.host.rstrip(".").lower(), port) in own:
        raise Refused("must not lead back here: to copy events into a collection, use a destination of the type collection")
    return Target(secure, parsed.host.lower(), port, parsed.request_uri)


def _is_address(host: str) -> bool:
    try:
        return bool(ipaddress.ip_address(host.strip("[]")))
    except ValueError:
        return False


def is_public(text: str, *, local: bool = False) -> bool:
    """Whether an address is one of the public internet, or of this machine on the local stage.

    >>> is_public("93.184.216.34"), is_public("169.254.169.254"), is_public("64:ff9b::a9fe:a9fe")
    (True, False, False)
    """
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if local and address in _LOCALLY:
        return True
    if isinstance(address, ipaddress.IPv6Address) and address not in _PUBLIC_V6:
        return False
    return address.is_global and not any(address in network for network in _REFUSED)


class _Dialling:
    """How a connection gets its socket: the name is resolved, every address checked, and the first that answers taken."""

    _dns_host: str  # with its dot at the end, if it has one
    port: int
    socket_options: Any
    local = False

    def _new_conn(self) -> socket.socket:
        until = time.monotonic() + CONNECT
        found = socket.getaddrinfo(self._dns_host, self.port, type=socket.SOCK_STREAM)
        if not all(is_public(str(where[0]), local=self.local) for *_, where in found):
            raise Refused("the name leads to an address that is not public")
        failure: OSError = ConnectionError("there is no address")
        for family, kind, protocol, _, where in found:
            dialled = socket.socket(family, kind, protocol)
            try:
                for option in self.socket_options or ():
                    dialled.setsockopt(*option)
                dialled.settimeout(max(until - time.monotonic(), 0.001))
                dialled.connect(where)
                return dialled
            except OSError as error:
                dialled.close()
                failure = error
        raise failure


class _Plain(_Dialling, HTTPConnection):
    """http:// through the check."""


class _Secure(_Dialling, HTTPSConnection):
    """https:// through the check."""


class _Timed(io.RawIOBase):
    """A socket's bytes, as long as the time of the whole exchange lasts: `http.client` reads through `makefile`."""

    def __init__(self, dialled: socket.socket, until: float) -> None:
        self._socket, self._until = dialled, until
        self._raw = dialled.makefile("rb", buffering=0)

    def makefile(self, _mode: str) -> io.BufferedReader:
        """What an HTTPResponse asks its socket for."""
        return io.BufferedReader(self, _PIECE)

    def readable(self) -> bool:
        """It is for reading."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Some bytes, before the time is over."""
        self._socket.settimeout(_left(self._until))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        """The socket stays as it is: it may be used again."""
        if not self.closed:
            self._raw.close()
        super().close()


class Line:
    """Connections to one target, kept alive between exchanges. May be used by several threads: each takes a connection of its own."""

    def __init__(self, where: Target, *, local: bool = False) -> None:
        self.target, self._local = where, local
        self._idle: list[tuple[Any, float]] = []

    def ask(self, head: bytes, body: bytes = b"", *, method: str = "POST") -> Reply:
        """One exchange: a request's head and body out, an answer's head in. Raises Refused, TimeoutError, OSError and HTTPException.

        Nothing is sent a second time: who calls decides that, and says so by its key.
        """
        started = time.monotonic()
        until = started + TOTAL
        connection = self._taken() or self._connected()
        try:
            _send(connection.sock, head + body, until)
            answer = HTTPResponse(_Timed(connection.sock, until), method=method)  # type: ignore[arg-type]
            answer.begin()
            reply = Reply(answer.status, answer.getheader("Retry-After"), round((time.monotonic() - started) * 1000))
        except BaseException:
            connection.close()
            raise
        if self._reusable(answer):
            self._idle.append((connection, time.monotonic()))
        else:
            connection.close()
        return reply

    def close(self) -> None:
        """Hang up."""
        while self._idle:
            self._idle.pop()[0].close()

    def _taken(self) -> Any:
        while True:
            try:
                connection, since = self._idle.pop()
            except IndexError:
                return None
            if time.monotonic() - since < _IDLE and not wait_for_read(connection.sock, timeout=0.0):
                return connection
            connection.close()  # the other side has hung up, or says something that nobody asked for

    def _connected(self) -> Any:
        host, port = self.target.host.strip("[]"), self.target.port
        connection: _Plain | _Secure = _Plain(host, port, timeout=CONNECT)
        if self.target.secure:
            connection = _Secure(host, port, timeout=CONNECT, ssl_context=_trusted())
        connection.local = self._local
        try:
            connection.connect()
        except (ssl.SSLError, HTTPError) as error:
            connection.close()
            raise ConnectionError(type(error).__name__) from error
        except BaseException:
            connection.close()
            raise
        return connection

    def _reusable(self, answer: HTTPResponse) -> bool:
        """Whether the connection is at the end of the answer: read, but never beyond what we read of anybody."""
        if answer.will_close:
            return False
        try:
            answer.read(MOST_READ + 1)
        except (OSError, HTTPException, ValueError):
            return False
        return answer.isclosed()


@cache
def _trusted() -> ssl.SSLContext:
    """Whom we believe: the system's authorities. Reading them takes longer than an exchange."""
    return ssl.create_default_context()


def _send(dialled: socket.socket, data: bytes, until: float) -> None:
    """All of it, a piece at a time: the time is that of the whole exchange, not of each write."""
    for start in range(0, len(data), _PIECE):
        dialled.settimeout(_left(until))
        dialled.sendall(data[start : start + _PIECE])


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
