"""`.tapedeck/local.json`: what a running local stack tells its clients, and where everything else of it is kept."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Home:
    """The folder of one local stack: `.tapedeck`, ignored by git."""

    path: Path

    @property
    def state(self) -> Path:
        """What MiniStack keeps between starts."""
        return self.path / "state"

    @property
    def about(self) -> Path:
        """The file that clients read."""
        return self.path / "local.json"

    def log(self, name: str) -> Path:
        """Where the output of a tool goes."""
        return self.path / f"{name}.log"

    def read(self) -> dict[str, Any] | None:
        """What the last start wrote, if it can be read."""
        try:
            about = orjson.loads(self.about.read_bytes())
        except (OSError, orjson.JSONDecodeError):
            return None
        return about if isinstance(about, dict) and "api_url" in about and about.get("organizations") else None

    def write(self, about: dict[str, Any]) -> None:
        """Replace the file in one step; it holds tokens, so it is its owner's alone from the first byte."""
        draft = self.about.with_suffix(".tmp")
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(orjson.dumps(about, option=orjson.OPT_INDENT_2) + b"\n")
        draft.replace(self.about)


def home(path: Path | None = None) -> Home:
    """The stack's folder: as given, or TAPEDECK_HOME, or `.tapedeck` in the repository."""
    return Home((path or Path(os.environ.get("TAPEDECK_HOME") or ROOT / ".tapedeck")).resolve())
