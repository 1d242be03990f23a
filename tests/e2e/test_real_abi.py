"""Real wheels that were built against torch 2.9, and what their symbols say of other releases (about 600 MB)."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from support.real_wheels import wheel_of
from variant_publish import api
from variant_publish.binary.linkage import Linkage
from variant_publish.config.configuration import Config

LINUX = ("manylinux_2_28_aarch64",)
MAC = ("macosx_12_0_arm64", "macosx_11_0_arm64")
CASES = [
    ("torchvision", "0.24.1", LINUX, "2.8.0", "c10::SymInt::maybe_as_int_slow_path(...)"),
    ("torchvision", "0.24.1", LINUX, "2.9.1", None),
    ("torchvision", "0.24.1", LINUX, "2.10.0", "torch::autograd::_wrap_outputs(...)"),
    ("torchaudio", "2.9.1", LINUX, "2.8.0", "c10::SymInt::maybe_as_int_slow_path(...)"),
    ("torchaudio", "2.9.1", LINUX, "2.9.1", None),
    ("torchaudio", "2.9.1", LINUX, "2.10.0", "c10::MessageLogger::MessageLogger(...)"),
    ("torchvision", "0.24.1", MAC, "2.8.0", "c10::SymInt::maybe_as_int_slow_path(...)"),
    ("torchvision", "0.24.1", MAC, "2.9.1", None),
    ("torchvision", "0.24.1", MAC, "2.10.0", "torch::autograd::_wrap_outputs(...)"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("project", "version", "platforms", "torch", "symbol"), CASES)
def test_symbols_tell_which_torch_a_wheel_loads_with(
    project: str, version: str, platforms: tuple[str, ...], torch: str, symbol: str | None
) -> None:
    index = wheel_of(f"torch=={torch}", *platforms).parent
    wheel = wheel_of(f"{project}=={version}", *platforms)
    options = api.CheckOptions(select=("VP411",), against=(f"torch=={torch}",), index=str(index))
    report = api.check([wheel], Config.parse(""), options)
    if symbol is None:
        assert report.findings == ()
        assert f"loads with torch {torch}" in report.proven[0]
    else:
        (finding,) = report.findings
        assert finding.verdict.value == "fail"
        assert finding.message.startswith(f"torch {torch} does not export `")
        assert f"`{symbol}`" in finding.message


@pytest.mark.slow
def test_the_symbols_of_torch_are_read_in_two_seconds(tmp_path: Path) -> None:
    start = time.process_time()
    found = Linkage.read(wheel_of("torch==2.9.1", *LINUX), is_dependency=True)
    seconds = time.process_time() - start
    assert len(found.exports) > 77_000
    assert seconds <= 2
    assert len(found.dumps()) <= 3_000_000
