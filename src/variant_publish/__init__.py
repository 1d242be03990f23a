"""Publish variant wheels: retag, check, metadata, upload, select."""

__version__ = "0.1.0"
