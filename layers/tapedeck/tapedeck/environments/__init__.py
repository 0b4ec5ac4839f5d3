"""Organizations, their people and keys, and environments: one thing with five handles."""
