"""Stores: where an index lies."""
