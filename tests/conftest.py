"""What all tests share: the order in which they run, and settings of property tests."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

# A machine under load is slow, which is no fault of what is tested; examples that a filter throws away are.
settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("default")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run slow tests first: what begins last and takes long would keep one worker busy alone."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)
