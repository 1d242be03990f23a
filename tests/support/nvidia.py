"""A driver library of NVIDIA that is not there."""

from __future__ import annotations

from typing import Any


class Driver:
    """Stand in for the driver library: the calls that are made of it, through real pointers."""

    def __init__(self, version: int, *capabilities: tuple[int, int], init: int = 0) -> None:
        self.version, self.capabilities, self.init = version, capabilities, init

    def cuInit(self, flags: int) -> int:  # noqa: N802
        return self.init

    def cuDriverGetVersion(self, to: Any) -> int:  # noqa: N802
        to._obj.value = self.version
        return 0

    def cuDeviceGetCount(self, to: Any) -> int:  # noqa: N802
        to._obj.value = len(self.capabilities)
        return 0

    def cuDeviceGetAttribute(self, to: Any, attribute: int, device: int) -> int:  # noqa: N802
        to._obj.value = self.capabilities[device][attribute - 75]
        return 0
