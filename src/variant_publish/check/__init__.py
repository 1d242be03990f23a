"""Prove that a release is whole: an engine and rules."""
