"""A view over HTTP: a simple repository without variants that any installer reads."""
