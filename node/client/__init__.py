"""Talking to a controller, ours or a real one. Nothing is imported here: each client is loaded by who needs it."""
