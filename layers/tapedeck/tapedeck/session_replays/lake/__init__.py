"""The lake: a line of JSON for every finished replay, where any engine that reads files answers SQL over them (docs/lake.md)."""
