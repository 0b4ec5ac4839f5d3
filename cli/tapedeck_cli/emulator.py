"""MiniStack, the local AWS: started on loopback from its own environment, stopped so that it saves what it holds."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import urllib3

from tapedeck_cli.local import ROOT, Home
from tapedeck_cli.trouble import Trouble

_STARTS_WITHIN = 60.0
_SAVES_WITHIN = 60.0


def environment(port: int) -> dict[str, str]:
    """The environment in which every AWS client talks to MiniStack and to nothing else, whatever this shell was set up for."""
    mine = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("AWS_") and name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")
    }
    return mine | {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_REGION": "us-east-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "SAM_CLI_TELEMETRY": "0",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
    }


@contextmanager
def running(home: Home, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """MiniStack answering on 127.0.0.1:port; stopped and saved at the end."""
    python = ROOT / ".venvs" / "ministack" / "bin" / "python"
    if not python.exists():
        raise Trouble("MiniStack is not installed: start with `make run`, which installs it")
    if _answers(port):
        raise Trouble(f"port {port} is in use: stop what listens there, or choose another with `make run PORT=…`")
    scratch = home.path / "tmp"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    with home.log("ministack").open("wb") as log:
        # In a session of its own: Ctrl-C in the terminal reaches us alone, and we stop it when nobody needs it any more.
        process = subprocess.Popen(
            [python, Path(__file__).with_name("mended_ministack.py")],
            cwd=home.path,
            env=_settings(home, port),
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    try:
        _await(process, home, port)
        yield process
    finally:
        _stop(process)
        shutil.rmtree(scratch, ignore_errors=True)


def _settings(home: Home, port: int) -> Mapping[str, str]:
    mine = {name: value for name, value in environment(port).items() if not name.startswith("AWS_")}
    return mine | {
        "BIND_HOST": "127.0.0.1",  # it would listen on every interface
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": "localhost",
        "PERSIST_STATE": "1",
        "STATE_DIR": str(home.state / "services"),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(home.state / "s3"),
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "LAMBDA_WARM_TTL_SECONDS": "1800",
        "TMPDIR": str(home.path / "tmp"),
    }


def _answers(port: int) -> bool:
    """Whether somebody holds the port already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def _await(process: subprocess.Popen[bytes], home: Home, port: int) -> None:
    http = urllib3.PoolManager(retries=False, timeout=2.0)
    until = time.monotonic() + _STARTS_WITHIN
    while time.monotonic() < until:
        if process.poll() is not None:
            raise Trouble(f"MiniStack did not start: {last_line(home, 'ministack')} (all of it: {home.log('ministack')})")
        with suppress(urllib3.exceptions.HTTPError):
            if http.request("GET", f"http://127.0.0.1:{port}/_ministack/health").status == 200:
                return
        time.sleep(0.1)
    raise Trouble(f"MiniStack did not answer within {_STARTS_WITHIN:.0f} s; what it said: {home.log('ministack')}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM, on which it saves its state; only one that does not end is killed."""
    process.terminate()
    try:
        process.wait(_SAVES_WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def last_line(home: Home, name: str) -> str:
    """The last thing that a tool said."""
    lines = home.log(name).read_text(errors="replace").split("\n") if home.log(name).exists() else []
    return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")
