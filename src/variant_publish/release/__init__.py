"""A release: its wheels, selector files and matrix."""
