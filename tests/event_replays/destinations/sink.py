"""An HTTP server that says what a test has written down, and remembers what it was sent."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import NamedTuple


class Asked(NamedTuple):
    """A request as it came."""

    line: str
    headers: dict[str, str]  # lower-case names
    body: bytes


Talk = Callable[[socket.socket, Asked], bool]  # says something; whether the connection stays open


def says(status: int, *headers: str, body: bytes = b"") -> Talk:
    """An answer."""
    head = "".join(f"{header}\r\n" for header in headers)
    whole = f"HTTP/1.1 {status} Said\r\nContent-Length: {len(body)}\r\n{head}\r\n".encode() + body

    def talk(connection: socket.socket, _: Asked) -> bool:
        connection.sendall(whole)
        return "close" not in head.lower()

    return talk


OK = says(200)


@dataclass
class Sink:
    """What listens on a port of this machine. `script` is talked through, one request each; after its end everything is `then`."""

    port: int = 0
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    script: list[Talk] = field(default_factory=list)
    then: Talk = OK

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}/hook?of=tests"

    def serve(self, connection: socket.socket) -> None:
        """Talk until one of the two has enough."""
        with connection, suppress(OSError), connection.makefile("rb") as stream:
            while line := stream.readline():
                headers = {}
                while (header := stream.readline().strip()) != b"":
                    name, _, value = header.decode("latin-1").partition(":")
                    headers[name.lower()] = value.strip()
                body = stream.read(int(headers.get("content-length", 0)))
                self.asked.append(Asked(line.decode().strip(), headers, body))
                talk = self.script.pop(0) if self.script else self.then
                if not talk(connection, self.asked[-1]):
                    return


@contextmanager
def listening(family: int = socket.AF_INET, *, tls: ssl.SSLContext | None = None) -> Iterator[Sink]:
    """A sink on a free port of 127.0.0.1, or of ::1."""
    with socket.create_server(("127.0.0.1" if family == socket.AF_INET else "::1", 0), family=family) as server:
        sink = Sink(server.getsockname()[1])
        opened: list[socket.socket] = []

        def accept() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    sink.connections += 1
                    opened.append(connection)
                    threading.Thread(target=greet, args=(connection,), daemon=True).start()

        def greet(connection: socket.socket) -> None:
            with suppress(OSError):
                sink.serve(tls.wrap_socket(connection, server_side=True) if tls else connection)

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield sink
        finally:
            with suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)
            for connection in opened:
                with suppress(OSError):
                    connection.close()
