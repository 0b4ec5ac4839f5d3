"""Tapedeck: record what happened, keep the part you need, play it again, erase one person from all of it."""
