"""Programs to begin with: each is short, runs as `python -m node.examples.NAME`, and is run by a test."""
