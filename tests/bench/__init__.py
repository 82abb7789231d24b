"""Measurements: a command (`python -m tests.bench`), never a timed test."""
