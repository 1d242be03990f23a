"""Publish a release: plan where every file goes, send it, and write the pages of the extra index."""
