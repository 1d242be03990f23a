"""Bring the chosen wheels into an environment: cache, plan, pip or uv, and the record of what was installed."""
