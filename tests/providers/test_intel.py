from __future__ import annotations

import ctypes
import shutil
import subprocess
from pathlib import Path

import pytest

from variant_publish.providers.intel import Intel, ip_of

LOADER = r"""
#include <stdint.h>
#include <string.h>
struct init { int stype; void *next; uint32_t flags; };
struct version { int stype; void *next; uint32_t ip; };
struct properties { int stype; void *next; int type; uint32_t vendor; };
int zeInitDrivers(uint32_t *count, void **drivers, struct init *wanted) {
    if (wanted->stype != 0x00020021 || wanted->flags != 1) return 1;
    *count = 1; drivers[0] = (void *)0x1000; return 0;
}
int zeDeviceGet(void *driver, uint32_t *count, void **devices) {
    if (driver != (void *)0x1000) return 1;
    *count = 2; devices[0] = (void *)0x1; devices[1] = (void *)0x2; return 0;
}
int zeDeviceGetProperties(void *device, struct properties *asked) {
    struct version *more = asked->next;
    if (asked->stype != 3 || more->stype != 0x1000F) return 1;
    asked->vendor = device == (void *)0x2 ? 0x8086 : 0x10de;
    more->ip = 20u << 22 | 2u << 14;
    return 0;
}
"""


def test_the_loader_tells_the_first_device_of_intel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("gcc") is None:
        pytest.skip("gcc, which builds the stand-in of the loader, is not installed")
    (tmp_path / "loader.c").write_text(LOADER, "utf-8")
    subprocess.run(
        ["gcc", "-shared", "-fPIC", "-o", str(tmp_path / "loader.so"), str(tmp_path / "loader.c")], check=True
    )
    load = ctypes.CDLL
    monkeypatch.setattr(ctypes, "CDLL", lambda name: load(str(tmp_path / "loader.so")))
    assert Intel().detect({}) == {"xpu": "20.2.0"}


def test_without_a_loader_there_is_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> None:
        raise OSError(name)

    monkeypatch.setattr(ctypes, "CDLL", fail)
    assert Intel().detect({}) == {}
    assert Intel().detect({"INTEL_VARIANT_PROVIDER_FORCE_DEVICE_IP": "12.60.7"}) == {"xpu": "12.60.7"}


def test_a_device_runs_the_code_of_its_base() -> None:
    assert Intel().supported({"xpu": "20.2.0"}) == {"device_ip": ("20.2.0", "20.1.0")}
    assert Intel().supported({"xpu": "none"}) == {}


def test_a_number_is_architecture_release_and_revision() -> None:
    assert ip_of(12 << 22 | 55 << 14 | 8) == "12.55.8"


def test_words_are_the_names_of_ocloc() -> None:
    assert [str(item) for item in Intel().properties_of("bmg")] == ["intel :: device_ip :: 20.1.0"]
    assert len(Intel().properties_of("xpu")) == 5
    assert Intel().properties_of("gpu") == ()
