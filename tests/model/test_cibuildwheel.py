from __future__ import annotations

import tomllib

import pytest

from variant_publish.model.cibuildwheel import cibuildwheel_matrix

PROJECT = """
[project]
requires-python = ">=3.11"
classifiers = ["Programming Language :: Python :: 3.10", "Programming Language :: Python :: 3.11",
    "Programming Language :: Python :: 3", "Programming Language :: Python :: 3.12"]
"""
X86, ARM = "manylinux_2_28_x86_64", "manylinux_2_28_aarch64"


@pytest.mark.parametrize(
    ("text", "pythons", "platforms"),
    [
        ("", (), ()),
        (PROJECT, (), ()),
        ("[tool.cibuildwheel]", (), ()),
        (f"{PROJECT}[tool.cibuildwheel]", ("311", "312"), ()),
        (f"{PROJECT}[tool.cibuildwheel]\nskip = 'cp312-*'", ("311",), ()),
        ("[tool.cibuildwheel]\nbuild = 'cp39-* cp314t-*'", ("39", "314t"), ()),
        ("[tool.cibuildwheel]\nbuild = ['cp31{1,2}-*', 'pp310-*']\nskip = ['*-musllinux_*']", ("311", "312"), ()),
        ("[tool.cibuildwheel]\nbuild = 'cp312-manylinux_x86_64 cp312-win_amd64 cp312-macosx_arm64'", ("312",),
         ("macosx_11_0_arm64", X86, "win_amd64")),
        ("[tool.cibuildwheel.linux]\narchs = 'x86_64 aarch64'", (), (ARM, X86)),
        ("[tool.cibuildwheel.linux]\narchs = ['auto', 'x86_64']\nmanylinux-x86_64-image = 'manylinux2014'", (),
         ("manylinux2014_x86_64",)),
        ("[tool.cibuildwheel]\nmanylinux-x86_64-image = 'registry.example.org/own@sha256:00'", (), ()),
        ("[tool.cibuildwheel]\nmusllinux-aarch64-image = 'musllinux_1_2'", (), ("musllinux_1_2_aarch64",)),
        ("[tool.cibuildwheel.macos]\narchs = ['x86_64', 'arm64']", (), ("macosx_10_13_x86_64", "macosx_11_0_arm64")),
        ("[tool.cibuildwheel.macos]\narchs = 'universal2'\nenvironment = { MACOSX_DEPLOYMENT_TARGET = '14' }", (),
         ("macosx_14_0_universal2",)),
        ("[tool.cibuildwheel.windows]\narchs = 'AMD64, ARM64'", (), ("win_amd64", "win_arm64")),
    ],
)  # fmt: skip
def test_what_is_named_outright_is_known(text: str, pythons: tuple[str, ...], platforms: tuple[str, ...]) -> None:
    expected = tuple(f"cp{minor.removesuffix('t')}-cp{minor}" for minor in pythons)
    assert cibuildwheel_matrix(tomllib.loads(text)) == (expected, platforms)
