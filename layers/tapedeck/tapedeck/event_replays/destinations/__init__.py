"""Destinations: where events are sent, how they are sent there, and how they fare."""
