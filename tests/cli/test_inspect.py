from __future__ import annotations

import json
import tomllib
from pathlib import Path

from support.binaries import NUMPY_2, VEX, elf, fatbin, macho
from support.checks import LINUX, MAC
from support.cli import run
from support.wheels import make_wheel
from variant_publish.config.configuration import Config

PLAIN = f"foo-1.0-cp312-cp312-{LINUX}.whl"


def test_what_is_inside_becomes_properties(tmp_path: Path) -> None:
    module = elf(
        exports=["PyInit_a"], functions=[VEX] * 60, needed=["libcudart.so.12", "libc.so.6"],
        versions={"libc.so.6": ["GLIBC_2.4", "GLIBC_2.17"]},
        extra=NUMPY_2.replace(b"%s", b"1.25+") + fatbin((90, "", False), (120, "", True)),
    )  # fmt: skip
    path = make_wheel(tmp_path, PLAIN, files={"foo/a.so": module})
    result = run("inspect", str(path))
    assert result.code == 0
    assert "  NVIDIA code     sm_90, compute_120" in result.stdout
    assert "  NumPy           1.25 or later" in result.stdout
    assert "  newest symbols  GLIBC_2.17" in result.stdout
    assert "  other libraries libcudart.so.12" in result.stdout
    block = result.stdout[result.stdout.index("properties = [") :]
    properties = tomllib.loads(block)["properties"]
    assert properties == [
        "x86_64 :: level :: v3", "nvidia :: cuda_version_lower_bound :: 12.0", "nvidia :: sm_arch :: 90_real",
        "nvidia :: sm_arch :: 120_virtual",
    ]  # fmt: skip
    assert Config.parse(f"[tool.variant-publish.variants.x]\n{block}").variants["x"].properties


def test_a_generic_wheel_speaks_for_nothing(tmp_path: Path) -> None:
    path = make_wheel(tmp_path, f"foo-1.0-cp312-cp312-{MAC}.whl", files={"foo/a.so": macho(minimum=(14, 0))})
    result = run("inspect", str(path))
    assert "  macOS           arm64 14.0" in result.stdout
    assert "no properties follow" in result.stdout


def test_machines_get_json(tmp_path: Path) -> None:
    path = make_wheel(tmp_path, PLAIN, files={"foo/a.so": elf(isa=3), "foo/b.so": b"\x7fELF?"})
    (wheel,) = json.loads(run("inspect", str(path), "--format", "json", "--fast").stdout)["wheels"]
    assert wheel["properties"] == ["x86_64 :: level :: v3"]
    assert [binary["fault"] is None for binary in wheel["binaries"]] == [True, False]
    assert "not understood  foo/b.so" in run("inspect", str(path)).stdout


def test_an_exact_requirement_says_what_a_wheel_was_built_against(tmp_path: Path) -> None:
    files = {"foo/_c.so": elf(exports=["PyInit__c"], needed=["libtorch.so", "libc.so.6"])}
    wheel = make_wheel(tmp_path, PLAIN, files=files, requires=["torch==2.9.1", "numpy>=2"])
    assert '    "abi_dependency :: torch :: 2.9",' in run("inspect", str(wheel)).stdout
    pure = make_wheel(tmp_path, "bar-1.0-py3-none-any.whl", requires=["torch==2.9.1"])
    assert "abi_dependency" not in run("inspect", str(pure)).stdout
