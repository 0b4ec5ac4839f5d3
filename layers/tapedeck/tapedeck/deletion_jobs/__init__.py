"""Deletion jobs: one person is erased from everything that an environment keeps, and a receipt proves it."""
