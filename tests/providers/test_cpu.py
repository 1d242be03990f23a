from __future__ import annotations

import pytest

from variant_publish.providers import cpu


class Target:
    """Stand in for a microarchitecture of archspec."""

    def __init__(self, name: str, *ancestors: str) -> None:
        self.name = name
        self.ancestors = [Target(ancestor) for ancestor in ancestors]


def on(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    monkeypatch.setattr("archspec.cpu.host", lambda: Target(*names))


@pytest.mark.parametrize(
    ("lineage", "level"),
    [
        (("zen4", "x86_64_v3", "x86_64_v4", "x86_64_v2", "x86_64"), "x86-64-v4"),
        (("haswell", "x86_64_v3", "x86_64_v2", "x86_64"), "x86-64-v3"),
        (("x86_64",), "x86-64"),
        (("k8", "x86_64"), "x86-64"),
    ],
)
def test_the_level_is_the_highest_in_the_lineage(
    monkeypatch: pytest.MonkeyPatch, lineage: tuple[str, ...], level: str
) -> None:
    on(monkeypatch, *lineage)
    assert cpu.x86_64_level() == level


@pytest.mark.parametrize(
    ("lineage", "version"),
    [
        (("neoverse_v1", "neoverse_n1", "armv8.4a", "armv8.2a", "aarch64"), "8.4a"),
        (("neoverse_v2", "armv9.0a", "armv8.5a", "aarch64"), "9.0a"),
        (("cortex_a72", "aarch64"), "8a"),
    ],
)
def test_the_arm_version_is_the_highest_in_the_lineage(
    monkeypatch: pytest.MonkeyPatch, lineage: tuple[str, ...], version: str
) -> None:
    on(monkeypatch, *lineage)
    assert cpu.aarch64_version() == version


def test_a_cpu_that_cannot_be_read_is_the_lowest(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise RuntimeError("no cpuinfo")

    monkeypatch.setattr("archspec.cpu.host", fail)
    assert cpu.x86_64_level() == "x86-64"
    assert cpu.aarch64_version() == "8a"


def test_a_level_supports_itself_and_the_lower_ones_best_first() -> None:
    assert cpu.x86_64_values("x86-64-v3") == ("v3", "v2", "v1")
    assert cpu.x86_64_values("x86-64") == ("v1",)
    assert cpu.aarch64_values("8.2a") == ("8.2a", "8.1a", "8a")
    assert cpu.aarch64_values("9.0a")[:2] == ("9.0a", "8.5a")


@pytest.mark.parametrize("text", ["v2", "x86-64-v2", "x86_64_v2", "X86-64-V2"])
def test_a_level_may_be_written_in_several_ways(text: str) -> None:
    assert cpu.parse_x86_64_level(text) == "x86-64-v2"


@pytest.mark.parametrize("text", ["v5", "generic", "", "2", "x86-64-v0"])
def test_what_is_no_level_is_none(text: str) -> None:
    assert cpu.parse_x86_64_level(text) is None


@pytest.mark.parametrize(
    ("text", "version"),
    [("8.2a", "8.2a"), ("8.2", "8.2a"), ("armv8.2a", "8.2a"), ("8.0a", "8a"), ("9", "9.0a"), ("8.99a", None)],
)
def test_an_arm_version_is_one_that_is_known(text: str, version: str | None) -> None:
    assert cpu.parse_aarch64_version(text) == version


@pytest.mark.parametrize(("name", "spelled"), [("AMD64", "x86_64"), ("arm64", "aarch64"), ("riscv64", "riscv64")])
def test_an_architecture_has_one_spelling(name: str, spelled: str) -> None:
    assert cpu.architecture(name) == spelled
