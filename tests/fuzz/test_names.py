"""Names of wheels from outside: a value that any folder can take, or an error of ours."""

from __future__ import annotations

from pathlib import Path, PurePosixPath, PureWindowsPath

from support.fuzz import fuzz
from variant_publish.config.configuration import Config
from variant_publish.dialects.registry import DIALECTS, dialect_of_file, release_of_file
from variant_publish.dialects.wheel_name import WheelName

NAMES = [
    b"foo-1.0-py3-none-any.whl",
    b"foo_bar-2!1.0rc1+local.5-1build-cp312.cp313-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
    b"foo-1.0-cp312-cp312-manylinux_2_17_x86_64+x86_64_v3+cu128.manylinux2014_x86_64+x86_64_v3+cu128.whl",
    b"foo-1.0-2-cp312-cp312-win_amd64-cu128.torch2.9.whl",
]
STANDARD = b"""
[variant.default-priorities]
namespace = ["nvidia", "blas"]
[variant.providers.nvidia]
requires = ["nvidia-variant-provider"]
[variant.providers.blas]
static-properties = { lib = ["mkl", "openblas"], threads = ["omp"] }
feature-order = ["lib", "threads"]
[variant.variants."cu128.mkl"]
nvidia.cuda_version_lower_bound = ["12.8"]
blas.lib = ["mkl"]
[tool.variant-publish.matrix]
python = ["cp312-cp312"]
platform = ["any"]
product = [["cu128", ""], ["torch2.9"]]
"""


def is_plain(content: bytes) -> None:
    text = content.decode("utf-8", "surrogateescape")
    name = WheelName.parse(text)
    shown = str(name)
    assert shown == text
    assert shown.isascii()
    assert shown.isprintable()
    assert len(shown) <= 255
    assert PurePosixPath(shown).name == PureWindowsPath(shown).name == shown
    assert ".." not in shown
    assert Path("folder", shown).parent == Path("folder")
    assert WheelName.parse(str(name.generic())).dialect is None
    assert len(name.tags) <= 1000
    for dialect in DIALECTS.values():
        name.with_known(dialect, [("cu128",)])


def test_a_name_is_a_plain_name_in_every_part() -> None:
    assert fuzz(is_plain, NAMES, words=[b"+cu128", b"-cu128", b".whl", b"-1-", b"/", b"\\", b"..", b"C:", b" "]) > 0


def test_the_name_of_a_selector_file_says_its_release_or_nothing() -> None:
    def read(content: bytes) -> None:
        text = content.decode("utf-8", "surrogateescape")
        assert (release_of_file(text) is None) or dialect_of_file(text) is not None

    fuzz(read, [b"foo-1.0-wheel-selector.toml", b"foo_bar-2!1.0rc1-variants.json"])


def test_the_standard_table_is_a_configuration_or_one_sentence() -> None:
    def read(content: bytes) -> None:
        Config.parse(content.decode("utf-8", "replace"), "pyproject.toml")

    assert fuzz(read, [STANDARD], words=[b"variant.", b"= 1\n", b"[[", b"build-requires = ['x']\n", b"null"]) > 0
