"""The search language of session replays: text → expression → a function of a replay."""
