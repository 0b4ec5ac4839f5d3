"""Bulk deletion: a job that deletes whatever a search finds, a batch at a time."""
