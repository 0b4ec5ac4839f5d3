"""Session replays: what a browser recorded, one row a replay, one object a segment."""
