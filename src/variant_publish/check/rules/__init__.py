"""Checks of a release: one small class for each id, a registry of them, and the runner."""
