"""What a cold start costs: the functions as `sam build` left them, over handlers that do nothing, built the same way."""

from __future__ import annotations

import compileall
import importlib.util
import os
import py_compile
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import material
from bench.figures import Figure

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / ".aws-sam" / "build"
LAYER = BUILD / "TapedeckLayer" / "python"
REQUIREMENTS = ROOT / "requirements" / "bench.txt"
FRAMEWORK = ROOT / ".aws-sam" / "bench"
ROUNDS = 15
FUNCTIONS = {
    "ingest": ("IngestEnvelope", "session_replays.ingest_envelope", "dynamodb,s3"),
    "index": ("ListReplays", "session_replays.list_replays", "dynamodb"),
}

BARE = """
import boto3

client = boto3.client("dynamodb")


def lambda_handler(event, context):
    return {"statusCode": 200}
"""
FASTAPI = """
import boto3
from fastapi import FastAPI
from mangum import Mangum

client = boto3.client("dynamodb")
app = FastAPI()


@app.get("/")
def read():
    return {}


lambda_handler = Mangum(app, lifespan="off")
"""
# What Lambda does in INIT, without the interpreter's own start: import the module that has the handler. The clients of the first request
# are made as well, if they are not: put off is not saved.
INIT = """
import sys, time
clients = [name for name in sys.argv[2].split(",") if name]
sys.path[:0] = sys.argv[3:]
before = time.perf_counter()
__import__(sys.argv[1])
for name in clients:
    sys.modules["tapedeck.aws"].client(name)
print(time.perf_counter() - before)
"""


def measure() -> list[Figure]:
    """Medians of fresh processes, every kind in turn."""
    names = [f"init of {name} over {what}" for name in FUNCTIONS for what in ("a bare boto3 dynamodb client", "FastAPI + Mangum + boto3")]
    if not all((BUILD / folder).is_dir() for folder, *_ in FUNCTIONS.values()) or not LAYER.is_dir():
        return [Figure(name, None, note="not built: `make build` first") for name in names]
    with TemporaryDirectory() as made:
        starts: dict[str, Sequence[str]] = {
            name: (module, clients, str(BUILD / folder), str(LAYER)) for name, (folder, module, clients) in FUNCTIONS.items()
        }
        starts["bare"] = (_handler(Path(made), "bare_handler", BARE), "", made, str(LAYER))
        if _framework():
            starts["fastapi"] = (_handler(Path(made), "fastapi_handler", FASTAPI), "", made, str(FRAMEWORK), str(LAYER))
        took = _medians(starts)
    figures = []
    for name in FUNCTIONS:
        figures.append(Figure(f"init of {name} over a bare boto3 dynamodb client", took[name], took["bare"], 1.6))
        if "fastapi" in took:
            figures.append(Figure(f"init of {name} over FastAPI + Mangum + boto3", took[name], took["fastapi"], 0.8))
        else:
            figures.append(
                Figure(f"init of {name} over FastAPI + Mangum + boto3", None, note=f"{REQUIREMENTS.name} cannot be installed here")
            )
    stale = list(uncompiled(BUILD))
    return [*figures, Figure("shipped .py without a valid .pyc", len(stale), target=0, unit="", note=", ".join(map(str, stale[:3])))]


def uncompiled(folder: Path) -> Iterator[Path]:
    """The sources of a build that Python would compile in every cold start: those without a .pyc that is theirs and is never checked."""
    for source in sorted(folder.rglob("*.py")):
        compiled = Path(importlib.util.cache_from_source(str(source)))
        header = compiled.read_bytes()[:16] if compiled.exists() else b""
        # PEP 552: bit 0 of the flags says that it is known by the source's hash, bit 1 that Python shall check that hash.
        wanted = importlib.util.MAGIC_NUMBER + (0b01).to_bytes(4, "little") + importlib.util.source_hash(source.read_bytes())
        if header != wanted and _compiles(source):
            yield source.relative_to(folder)


def _compiles(source: Path) -> bool:
    """Some packages ship templates and sources of other Pythons: what no interpreter can compile cannot be precompiled."""
    try:
        compile(source.read_bytes(), str(source), "exec")
    except (SyntaxError, ValueError):
        return False
    return True


def _handler(folder: Path, name: str, text: str) -> str:
    (folder / f"{name}.py").write_text(text)
    py_compile.compile(str(folder / f"{name}.py"), invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH, doraise=True)
    return name


def _framework() -> bool:
    """FastAPI and Mangum, installed and precompiled as the layer is; False where there is no index to get them from."""
    if (FRAMEWORK / "mangum").is_dir():
        return True
    install = [sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--root-user-action=ignore", "--no-compile"]
    wanted = ["--no-deps", "--require-hashes", "--requirement", str(REQUIREMENTS), "--target", str(FRAMEWORK)]
    if subprocess.run([*install, *wanted], check=False, capture_output=True).returncode:
        return False
    return bool(compileall.compile_dir(FRAMEWORK, quiet=2, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH))


def _medians(starts: dict[str, Sequence[str]]) -> dict[str, float]:
    took: dict[str, list[float]] = {name: [] for name in starts}
    environment = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", **material.ENVIRONMENT}
    for _ in range(ROUNDS + 1):
        for name, arguments in starts.items():
            child = [sys.executable, "-S", "-E", "-c", INIT, *arguments]
            ran = subprocess.run(child, check=False, capture_output=True, text=True, env=environment)
            if ran.returncode:
                raise RuntimeError(f"{name} does not start:\n{ran.stderr}")
            took[name].append(float(ran.stdout.split()[-1]) * 1000)
    return {name: statistics.median(times[1:]) for name, times in took.items()}  # the first only warms the disk's cache
