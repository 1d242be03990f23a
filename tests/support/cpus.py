"""A CPU that is another one."""

from __future__ import annotations

import pytest


class Target:
    """Stand in for a microarchitecture of archspec."""

    def __init__(self, name: str, *ancestors: str) -> None:
        self.name = name
        self.ancestors = [Target(ancestor) for ancestor in ancestors]


def on(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Make this CPU one of that lineage."""
    monkeypatch.setattr("archspec.cpu.host", lambda: Target(*names))
