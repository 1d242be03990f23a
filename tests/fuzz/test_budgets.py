"""Whatever a file of 1 MB has in it, a command that reads it ends soon, and in little memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.attacks import BINARIES, WHEELS, hostile_wheel
from support.limits import measured

SECONDS, MEBIBYTES = 10, 300
READABLE = {"many_symbols", "many_notes", "many_functions", "dense_code", "nested_device_code"}
"""What is large, and no lie."""


@pytest.mark.slow
@pytest.mark.parametrize("attack", [*BINARIES, *WHEELS])
def test_a_hostile_wheel_costs_little(tmp_path: Path, attack: str) -> None:
    wheel = hostile_wheel(attack, tmp_path / "wheels")
    for command in (
        ["check", "--offline"],
        ["inspect"],
        ["retag", "--tag", "x86_64_v3", "-o", str(tmp_path / "out")],
    ):
        result = measured(*command, wheel, cwd=tmp_path)
        assert "Traceback" not in result.output, command
        assert result.exit_code in (0, 1), result.output
        assert result.seconds <= SECONDS, (command, result.seconds)
        assert result.peak <= MEBIBYTES, (command, result.peak)


@pytest.mark.slow
@pytest.mark.parametrize("attack", [attack for attack in BINARIES if attack not in READABLE])
def test_a_library_that_cannot_be_read_is_no_pass(tmp_path: Path, attack: str) -> None:
    wheel = hostile_wheel(attack, tmp_path / "wheels")
    result = measured("check", "--offline", "--select", "VP510", wheel, cwd=tmp_path)
    assert "cannot be understood" in result.output
    assert "1 unknown" in result.output


@pytest.mark.slow
def test_memory_does_not_follow_the_largest_member(tmp_path: Path) -> None:
    wheel = hostile_wheel("one_large_binary", tmp_path / "wheels")
    assert wheel.stat().st_size > 200_000_000
    result = measured("check", "--offline", wheel, cwd=tmp_path)
    assert "1 wheel checked" in result.output
    assert result.peak <= 160
