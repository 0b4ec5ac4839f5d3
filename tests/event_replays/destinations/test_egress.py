"""The way out: what strangers may not make us reach, and what strangers may not make us suffer (trust.md T6, T23, §5.1)."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.client import HTTPException
from typing import Any

import pytest
import urllib3

from tapedeck.event_replays.destinations import egress
from tapedeck.event_replays.destinations.egress import Line, Refused, Target, is_public, target
from tests.event_replays.destinations.sink import OK, Asked, Sink, listening, says

# Spellings of this machine that getaddrinfo reads: a check of the text would have to know them all.
LOOPBACK = [
    "127.0.0.1", "127.1", "127.0.1", "127.000.000.001", "0x7f.1", "0x7f.0.0.1", "0x7f000001", "0x7F000001", "2130706433", "017700000001",
    "0177.0.0.1", "0177.1", "0", "0.0.0.0", "0x0", "localhost", "LOCALHOST", "localhost.", "①②⑦.⓪.⓪.①", "127。0。0。1", "127.0.0.1.",
    "::ffff:127.0.0.1", "::ffff:7f00:1", "0:0:0:0:0:ffff:127.0.0.1", "::", "::1", "0:0:0:0:0:0:0:1", "127.255.255.254", "ip6-localhost",
]  # fmt: skip
INSIDE = [
    "169.254.169.254", "169.254.169.253", "169.254.170.2", "169.254.0.1", "10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1",
    "192.168.255.255", "100.64.0.0", "100.127.255.255", "192.0.0.1", "192.0.0.170", "192.0.2.1", "198.18.0.1", "198.19.255.255", "198.51.100.7",
    "203.0.113.7", "192.88.99.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "0.0.0.1", "0.255.255.255", "127.0.0.2",
    "::127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:0:127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1",
    "2002:7f00:1::", "2002:a9fe:a9fe::1", "2002:808:808::1", "2001::1", "2001:0:7f00:1::", "2001:10::1", "2001:20::1", "2001:db8::1", "3fff::1",
    "fc00::1", "fd00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "ff0e::1", "100::1", "5f00::1", "4000::1", "::2",
]  # fmt: skip
OUTSIDE = [
    "93.184.216.34", "8.8.8.8", "1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "172.15.255.255", "172.32.0.0", "169.253.255.255",
    "169.255.0.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255", "126.255.255.255", "128.0.0.0",
    "2606:2800:220:1:248:1893:25c8:1946", "2a00:1450:4001:80b::200e", "2003::1", "::ffff:8.8.8.8", "2001:200::1", "2001:4860:4860::8888",
]  # fmt: skip


def ask(where: Target, *, local: bool = False) -> Any:
    """One exchange, on a line of its own."""
    line = Line(where, local=local)
    try:
        return line.ask(f"GET {where.path} HTTP/1.1\r\nHost: {where.authority}\r\n\r\n".encode(), method="GET")
    finally:
        line.close()


def resolver(*answers: list[str]) -> Callable[..., Any]:
    """A getaddrinfo that answers these addresses, one list a lookup, the last one for ever."""
    left = list(answers)
    asked: list[str] = []

    def look_up(host: str, port: int, *_: Any, **__: Any) -> Any:
        asked.append(host)
        return [
            (socket.AF_INET6 if ":" in each else socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port, 0, 0) if ":" in each else (each, port))
            for each in (left.pop(0) if len(left) > 1 else left[0])
        ]

    look_up.asked = asked  # type: ignore[attr-defined]
    return look_up


# Addresses -----------------------------------------------------------------


def test_no_spelling_of_this_machine_is_reached_and_without_the_check_many_are() -> None:
    """trust.md §7: a zero without a control proves little."""
    assert len(LOOPBACK) + len(INSIDE) >= 60
    reached = 0
    for family in (socket.AF_INET, socket.AF_INET6):
        with listening(family) as sink:
            for host in LOOPBACK:
                with pytest.raises((Refused, OSError, UnicodeError)):
                    ask(Target(False, host, sink.port, "/"))
            assert sink.connections == 0
            for host in LOOPBACK:
                try:
                    with urllib3.PoolManager(retries=False, timeout=2) as plain:
                        plain.request("GET", f"http://{f'[{host}]' if ':' in host else host}:{sink.port}/")
                except (urllib3.exceptions.HTTPError, OSError, UnicodeError):
                    continue
            reached += len(sink.asked)
    assert reached > 15, "the control"


@pytest.mark.parametrize("address", INSIDE)
def test_what_is_inside_is_never_dialled(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not is_public(address)
    assert not is_public(address, local=True), "not on the local stage either"
    monkeypatch.setattr(socket, "getaddrinfo", resolver([address]))
    monkeypatch.setattr(egress.socket, "socket", lambda *_: pytest.fail("dialled"))
    with pytest.raises(Refused):
        ask(Target(True, "innocent.example", 443, "/"))


@pytest.mark.parametrize("address", OUTSIDE)
def test_the_public_neighbours_stay_allowed(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("answers", [["93.184.216.34", "127.0.0.1"], ["127.0.0.1", "93.184.216.34"], ["2606:2800:220:1::1", "::1"]])
def test_one_bad_address_among_good_ones_spoils_them(answers: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", resolver(answers))
    monkeypatch.setattr(egress.socket, "socket", lambda *_: pytest.fail("dialled"))
    with pytest.raises(Refused):
        ask(Target(True, "mixed.example", 443, "/"))


def test_a_name_is_looked_up_once_and_the_checked_address_is_dialled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rebinding: public at first, inside a moment later."""
    look_up = resolver(["93.184.216.34"], ["127.0.0.1"])
    dialled: list[Any] = []

    class Unconnected(socket.socket):
        def connect(self, where: Any) -> None:
            dialled.append(where)
            assert 0 < (self.gettimeout() or 0) <= egress.CONNECT, "trust.md T23"
            raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr(egress.socket, "socket", Unconnected)
    with pytest.raises(ConnectionRefusedError):
        ask(Target(True, "rebinding.example", 443, "/"))
    assert look_up.asked == ["rebinding.example"]  # type: ignore[attr-defined]
    assert dialled == [("93.184.216.34", 443)]
    with pytest.raises(Refused):
        ask(Target(True, "rebinding.example", 443, "/"))
    assert len(dialled) == 1, "the next connection is checked again"


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_the_local_stage_reaches_this_machine(host: str) -> None:
    with listening(socket.AF_INET6 if host == "::1" else socket.AF_INET) as sink:
        assert ask(Target(False, host, sink.port, "/"), local=True).status == 200


def test_proxies_of_the_environment_are_not_asked(sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    with listening() as proxy:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        ask(target(sink.url, local=True), local=True)
        assert (proxy.connections, len(sink.asked)) == (0, 1)


# URLs -----------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "", "example.com", "//example.com/", "ftp://example.com/", "file:///etc/passwd", "gopher://example.com/", "https://", "https:///x",
        "http://example.com/", "http://example.com:443/", "https://exa!mple.com/", "https://example.com:80/", "https://example.com:22/", "https://example.com:0/", "https://example.com:99999/",
        "https://user@example.com/", "https://user:secret@example.com/", "https://@example.com/", "https://example.com@127.0.0.1/",
        "https://exa mple.com/", "https://example.com/\r\nX: y", "https://example.com\\@127.0.0.1/", "https://example.com/\x00", "https://example.com\t/",
        "https://bücher.example/", "https://①②⑦.⓪.⓪.①/", "https://exam%70le.com/", "https://[fe80::1%25eth0]/", "https://[::1", "https://" + "a" * 2048,
        "javascript:alert(1)", "https://127.0.0.1/", "https://[::1]/", "https://10.0.0.1:8443/x", "https://169.254.169.254/", "https://[::ffff:127.0.0.1]/", "https://api.tapedeck.example/v/v1/collect", "https://API.tapedeck.example./",
    ],
)  # fmt: skip
def test_urls_that_are_not_taken(url: str) -> None:
    with pytest.raises(Refused):
        target(url, local=False, own=[("api.tapedeck.example", 443)])


@pytest.mark.parametrize(
    ("url", "where"),
    [
        ("https://example.com", Target(True, "example.com", 443, "/")),
        ("https://Example.COM/a%20b?c=d#e", Target(True, "example.com", 443, "/a%20b?c=d")),
        ("https://example.com:8443/x", Target(True, "example.com", 8443, "/x")),
        ("https://xn--bcher-kva.example/", Target(True, "xn--bcher-kva.example", 443, "/")),
        ("https://[2606:2800:220:1::1]/", Target(True, "[2606:2800:220:1::1]", 443, "/")),
    ],
)
def test_urls_that_are_taken(url: str, where: Target) -> None:
    assert target(url, local=False) == where


# Hostile servers -----------------------------------------------------------------


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time of an exchange is short."""
    monkeypatch.setattr(egress, "TOTAL", 0.3)


def drip(text: bytes, *, again: bytes = b"") -> Callable[[socket.socket, Asked], bool]:
    """Say something a byte at a time, and then `again` for ever."""

    def talk(connection: socket.socket, _: Asked) -> bool:
        for at in range(len(text)):
            connection.sendall(text[at : at + 1])
            time.sleep(0.02)
        while again:
            connection.sendall(again)
            time.sleep(0.02)
        return False

    return talk


@pytest.mark.parametrize(
    "talk",
    [
        drip(b"HTTP/1.1 200 OK\r\nX-Slow: " + b"a" * 1000),
        drip(b"", again=b"a"),
        drip(b"", again=b"HTTP/1.1 100 Continue\r\n\r\n"),
        drip(b"", again=b"\r\n"),
        lambda connection, _: threading.Event().wait(1) and False,
    ],
    ids=["slow headers", "endless status line", "endless continues", "empty lines", "silence"],
)
def test_who_talks_slowly_is_not_listened_to_for_long(sink: Sink, hurried: None, talk: Any) -> None:
    sink.then = talk
    started = time.monotonic()
    with pytest.raises((OSError, HTTPException)):
        ask(target(sink.url, local=True), local=True)
    assert time.monotonic() - started < 1.0


def test_who_does_not_listen_is_not_talked_to_for_long(hurried: None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        started = time.monotonic()
        with pytest.raises(OSError):
            Line(Target(False, "127.0.0.1", server.getsockname()[1], "/"), local=True).ask(b"POST / HTTP/1.1\r\n\r\n", b"x" * 50_000_000)
        assert time.monotonic() - started < 1.5


@pytest.mark.parametrize("length", [b"Content-Length: 10000000000\r\n", b"Transfer-Encoding: chunked\r\n", b""])
def test_an_endless_body_is_read_for_64_kib_and_no_further(sink: Sink, length: bytes) -> None:
    sent = 0

    def talk(connection: socket.socket, _: Asked) -> bool:
        nonlocal sent
        piece = b"x" * 65536
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + length + b"\r\n")
        while True:
            connection.sendall(b"10000\r\n" + piece + b"\r\n" if b"chunked" in length else piece)
            sent += len(piece)

    sink.then = talk
    assert ask(target(sink.url, local=True), local=True).status == 200
    assert sent < 64 * 1024 * 1024, "what the kernel's buffers take, and then it is hung up on"


def test_a_bomb_is_not_inflated_and_its_connection_is_kept(sink: Sink) -> None:
    sink.then = says(200, "Content-Encoding: gzip", body=gzip.compress(b"0" * 20_000_000))
    line = Line(target(sink.url, local=True), local=True)
    for _ in range(3):
        assert line.ask(b"GET / HTTP/1.1\r\n\r\n", method="GET").status == 200
    assert sink.connections == 1


def test_redirects_are_not_followed(sink: Sink) -> None:
    with listening() as inside:
        sink.then = says(302, f"Location: http://127.0.0.1:{inside.port}/")
        assert ask(target(sink.url, local=True), local=True).status == 302
        assert inside.connections == 0


@pytest.mark.parametrize("said", [b"", b"SSH-2.0-OpenSSH\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200 + b"\r\n", b"HTTP/1.1 200 OK\r\nA: " + b"b" * 70_000])
def test_what_is_no_answer_is_a_failure(sink: Sink, said: bytes) -> None:
    sink.then = lambda connection, _: bool(connection.sendall(said))
    with pytest.raises((OSError, HTTPException)):
        ask(target(sink.url, local=True), local=True)


# Connections -----------------------------------------------------------------


def test_connections_are_kept_and_one_that_was_hung_up_is_noticed(sink: Sink) -> None:
    line = Line(target(sink.url, local=True), local=True)
    for _ in range(5):
        line.ask(b"GET / HTTP/1.1\r\n\r\n", method="GET")
    assert sink.connections == 1
    sink.script = [says(200, "Connection: close"), OK]
    for _ in range(2):
        line.ask(b"GET / HTTP/1.1\r\n\r\n", method="GET")
    assert sink.connections == 2
    sink.script = [lambda connection, _: bool(connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))]  # hangs up unannounced
    line.ask(b"GET / HTTP/1.1\r\n\r\n", method="GET")
    time.sleep(0.05)
    assert line.ask(b"GET / HTTP/1.1\r\n\r\n", method="GET").status == 200
    assert sink.connections == 3


@pytest.mark.parametrize("talk", [says(200, body=b"x" * 100_000), says(200, "Connection: close", body=b"x"), says(200, "Connection: close")])
def test_a_connection_whose_answer_does_not_end_where_we_do_is_not_used_again(sink: Sink, talk: Any) -> None:
    sink.script = [lambda connection, asked: talk(connection, asked) or True, says(404)]  # says that it will close, and does not
    line = Line(target(sink.url, local=True), local=True)
    assert [line.ask(b"GET / HTTP/1.1\r\n\r\n", method="GET").status for _ in range(2)] == [200, 404]
    assert sink.connections == 2


def test_several_threads_have_a_connection_each(sink: Sink) -> None:
    line = Line(target(sink.url, local=True), local=True)
    barrier = threading.Barrier(4)

    def work() -> None:
        barrier.wait()
        for _ in range(25):
            line.ask(b"GET / HTTP/1.1\r\n\r\n", method="GET")

    workers = [threading.Thread(target=work) for _ in range(4)]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    assert len(sink.asked) == 100
    assert sink.connections <= 4


# TLS -----------------------------------------------------------------


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """(a server's context for name.example, a client's that trusts it)"""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "name.example")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("name.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context(cafile=str(path))
    server.load_cert_chain(path)
    return server, client


def test_sni_and_certificate_are_the_names_while_the_checked_address_is_dialled(
    authority: tuple[ssl.SSLContext, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, client = authority
    everybody = egress._trusted
    asked_for: list[Any] = []
    server.sni_callback = lambda _connection, name, _context: asked_for.append(name)
    monkeypatch.setattr(egress, "_trusted", lambda: client)
    with listening(tls=server) as sink:
        monkeypatch.setattr(socket, "getaddrinfo", resolver(["127.0.0.1"]))
        assert ask(Target(True, "name.example", sink.port, "/"), local=True).status == 200
        assert asked_for == ["name.example"]
        assert sink.asked[0].headers["host"] == f"name.example:{sink.port}"
        with pytest.raises(ConnectionError):
            ask(Target(True, "other.example", sink.port, "/"), local=True)
        monkeypatch.setattr(egress, "_trusted", everybody)
        with pytest.raises(ConnectionError):
            ask(Target(True, "name.example", sink.port, "/"), local=True)
