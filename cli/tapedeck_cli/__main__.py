"""`python -m tapedeck_cli` is `tapedeck`."""

from __future__ import annotations

from tapedeck_cli.main import main

main()
