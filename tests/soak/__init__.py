"""What takes long: kills at random moments, again and again. `python -m tests.soak --kills 50`; CI runs a few."""
