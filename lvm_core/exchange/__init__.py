"""Corpora with their vectors, in and out: concept tables in PostgreSQL, NPZ files, chains."""
