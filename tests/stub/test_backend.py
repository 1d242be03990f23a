"""The backend by itself: it runs on old Pythons, knows the tags that installers know, and sees what `host` sees."""

from __future__ import annotations

import ast
import ctypes
import platform
import sys
import sysconfig
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging import tags as packaging_tags
from packaging.utils import parse_wheel_filename

from support.archives import assert_gap_free, contents
from support.nvidia import Driver
from support.odd_wheels import INFO, NAME, SHAPES
from support.stub import BACKEND, load_backend, table_of
from variant_publish.archive.wheel import WholeWheel
from variant_publish.config.configuration import Config
from variant_publish.dialects.wheel_name import WheelName
from variant_publish.formats.record import Record, RecordRow
from variant_publish.formats.simple import IndexFile
from variant_publish.model.tags import modern_platform
from variant_publish.providers import platforms, x86_64
from variant_publish.providers.machine import Machine
from variant_publish.providers.platforms import compatible_platforms
from variant_publish.view import choose

CONFIG = """
[tool.variant-publish.variants.cu128]
properties = ["nvidia :: cuda_version_lower_bound :: 12.8", "nvidia :: sm_arch :: 90_real"]
[tool.variant-publish.variants.v3]
properties = ["x86_64 :: level :: v3"]
[tool.variant-publish.variants.arm]
properties = ["aarch64 :: version :: 8.2a"]
"""
FORCE = {"NV_VARIANT_PROVIDER_FORCE_CUDA_DRIVER_VERSION": "12.9", "NV_VARIANT_PROVIDER_FORCE_SM_ARCH": "9.0"}


@pytest.fixture
def backend() -> Any:
    return load_backend()


@pytest.fixture
def no_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(name: str) -> object:
        raise OSError(name)

    monkeypatch.setattr(ctypes, "CDLL", load)


def values(backend: Any, **settings: str) -> dict[str, str]:
    found: dict[str, str] = backend.Machine(table_of(Config.parse(CONFIG)), settings).values
    return found


def test_it_is_python_3_9_and_imports_the_standard_library_alone() -> None:
    tree = ast.parse(BACKEND.read_text("utf-8"), feature_version=(3, 9))
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").partition(".")[0])
    assert names <= sys.stdlib_module_names


def test_the_tags_of_this_python_are_those_of_packaging(backend: Any) -> None:
    wanted = dict.fromkeys(
        (tag.interpreter, tag.abi, modern_platform(tag.platform)) for tag in packaging_tags.sys_tags()
    )
    found = backend.compatible()
    assert list(wanted) == sorted(found, key=found.__getitem__)


@pytest.mark.parametrize(
    ("version", "arch"), [("14.5", "arm64"), ("11.0", "arm64"), ("13.2", "x86_64"), ("10.15", "x86_64")]
)
def test_the_platforms_of_macos_are_those_of_packaging(backend: Any, version: str, arch: str) -> None:
    major, minor = map(int, version.split("."))
    wanted = [
        name
        for name in packaging_tags.mac_platforms((major, minor), arch)
        # Nobody builds these for macOS 11 and later.
        if not (name.split("_")[1] != "10" and name.endswith(("intel", "fat64", "fat3", "universal")))
    ]
    assert list(backend._macos(version, arch)) == wanted


def test_the_platforms_of_musl_and_of_a_32_bit_python(backend: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend.sys, "platform", "linux")
    monkeypatch.setattr(sysconfig, "get_platform", lambda: "linux-aarch64")
    monkeypatch.setattr(backend, "_glibc", lambda: None)
    monkeypatch.setattr(backend, "_musl", lambda: 2)
    *wanted, linux = compatible_platforms("musllinux_1_2_aarch64")
    assert list(backend.platforms()) == [linux, *wanted]
    monkeypatch.setattr(backend, "_glibc", lambda: 35)
    *modern, linux = dict.fromkeys(map(modern_platform, compatible_platforms("manylinux_2_35_aarch64")))
    assert list(backend.platforms()) == [linux, *modern]
    monkeypatch.setattr(sysconfig, "get_platform", lambda: "linux-x86_64")
    monkeypatch.setattr(backend.struct, "calcsize", lambda kind: 4)
    assert list(backend.platforms())[:2] == ["linux_i686", "manylinux_2_35_i686"]


def test_the_platform_of_windows(backend: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend.sys, "platform", "win32")
    monkeypatch.setattr(sysconfig, "get_platform", lambda: "win-amd64")
    assert list(backend.platforms()) == ["win_amd64"]


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="an x86-64 level is that of an x86-64 CPU")
def test_the_level_of_this_cpu_is_that_of_archspec(backend: Any) -> None:
    assert backend.x86_64_level() == x86_64.X86().here_is()


def test_the_levels_need_what_archspec_says(backend: Any) -> None:
    import archspec.cpu  # type: ignore[import-untyped]

    needs: set[str] = set()
    for level, flags in (("x86_64_v2", backend.V2), ("x86_64_v3", backend.V3), ("x86_64_v4", backend.V4)):
        needs |= {"pni" if flag == "sse3" else flag for flag in flags}
        wanted = {"pni" if flag == "sse3" else flag for flag in archspec.cpu.TARGETS[level].features}
        assert wanted - needs == {"mmx", "sse", "sse2"}  # every x86-64 CPU has these
        assert needs <= wanted


@pytest.mark.parametrize(
    ("flags", "level"),
    [
        ("", "x86-64"),
        ("fpu sse2 cx16 lahf_lm popcnt pni sse4_1 sse4_2 ssse3", "x86-64-v2"),
        ("cx16 lahf_lm popcnt pni sse4_1 sse4_2 ssse3 avx avx2 bmi1 bmi2 f16c fma movbe xsave", "x86-64-v2"),
        ("cx16 lahf_lm popcnt pni sse4_1 sse4_2 ssse3 avx avx2 bmi1 bmi2 f16c fma movbe xsave abm", "x86-64-v3"),
    ],
)
def test_a_level_needs_every_instruction(backend: Any, monkeypatch: pytest.MonkeyPatch, flags: str, level: str) -> None:
    monkeypatch.setattr(backend.sys, "platform", "linux")
    monkeypatch.setattr(backend, "_cpuinfo", lambda key: flags.split())
    assert backend.x86_64_level() == level


@pytest.mark.parametrize(
    ("flags", "version"),
    [
        ("fp asimd", "8a"),
        ("fp atomics asimdrdm crc32", "8.1a"),
        ("atomics asimdrdm crc32 dcpop jscvt fcma lrcpc ilrcpc uscat dit flagm asimddp", "8.4a"),
    ],
)
def test_the_version_of_an_arm_cpu(backend: Any, monkeypatch: pytest.MonkeyPatch, flags: str, version: str) -> None:
    monkeypatch.setattr(backend.sys, "platform", "linux")
    monkeypatch.setattr(backend, "_cpuinfo", lambda key: flags.split())
    assert backend.aarch64_version() == version


def test_the_driver_is_asked_through_its_library(backend: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda name: Driver(12080, (8, 6), (9, 0)))
    assert backend.nvidia() == ("12.8", "9.0")
    for driver in (Driver(12080, init=100), Driver(0), Driver(10020), object()):
        monkeypatch.setattr(ctypes, "CDLL", lambda name, driver=driver: driver)
        assert backend.nvidia()[0] == "none"


@pytest.mark.usefixtures("no_driver")
def test_without_the_library_nvidia_smi_is_asked(backend: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert backend._ask_tool() == backend.nvidia()
    tool = tmp_path / "nvidia-smi"
    tool.write_text(
        "#!/bin/sh\n"
        'case "$*" in *compute_cap*) printf "8.6\\n9.0\\n";;\n'
        '*) echo "| NVIDIA-SMI 570.86  Driver Version: 570.86   CUDA Version: 12.8  |";; esac\n'
    )
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert backend.nvidia() == ("12.8", "9.0")


@pytest.mark.usefixtures("no_driver")
def test_what_is_forced_or_set_counts_as_in_the_rest_of_the_program(
    backend: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", "")
    for name, value in FORCE.items():
        monkeypatch.setenv(name, value)
    detected = Machine.detect(FORCE).values
    found = values(backend)
    assert found == {name: detected[name] for name in found}
    assert values(backend, cuda="none")["sm_arch"] == "none"
    assert values(backend, x86_64_version="v2", cuda="12")["x86_64_version"] == "x86-64-v2"
    preferences = tmp_path / "variant-publish" / "preferences.toml"
    preferences.parent.mkdir()
    preferences.write_text('[limits]\ncuda = "12.4" # no more\n[providers]\ndeny = ["x86_64"]\n')
    found = values(backend)
    assert (found["cuda"], found["x86_64_version"]) == (
        "12.4",
        "x86-64" if platforms.architecture() == "x86_64" else "none",
    )
    assert values(backend, cuda="12.8")["cuda"] == "12.8"
    with pytest.raises(SystemExit, match="cuda cannot be 'new'"):
        values(backend, cuda="new")


def test_a_stored_machine_stands_for_this_one(backend: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stored = Machine.detect({}).described({"cuda": "13.1", "sm_arch": "12.0", "x86_64_version": "v1"})
    file = tmp_path / "variants.toml"
    file.write_text(stored.store().dumps(), "utf-8")
    monkeypatch.setenv("VARIANT_PUBLISH_HOST", str(file))
    found = values(backend)
    assert found == {name: stored.values[name] for name in found}
    assert found["cuda"] == "13.1"
    monkeypatch.setenv("VARIANT_PUBLISH_HOST", str(tmp_path / "nowhere.toml"))
    with pytest.raises(SystemExit, match="cannot be read"):
        values(backend)


def test_pythons_without_a_toml_reader_read_what_we_write(backend: Any) -> None:
    text = Machine.detect(FORCE).described({"blas": 'with "quotes" and # signs'}).store().dumps()
    assert backend._simple_toml(text) == tomllib.loads(text)
    with pytest.raises(ValueError, match="more than this Python"):
        backend._simple_toml("[a]\nb = { c = 1 }\n")


@pytest.mark.parametrize("shape", SHAPES)
def test_a_plain_wheel_is_made_of_every_shape_of_archive(backend: Any, tmp_path: Path, shape: str) -> None:
    source, target = tmp_path / "source.whl", tmp_path / NAME
    source.write_bytes(SHAPES[shape]())
    before = contents(source)
    new = before[f"{INFO}/WHEEL"] + b"X-Changed: yes\n"
    wheel = {"dist-info": INFO, "changed": ["WHEEL", "abi-requires.txt"], "dropped": ["variant.json"]}
    backend.make_plain(source, target, wheel, {"WHEEL": new, "abi-requires.txt": b"num+pypi==2\n"})
    after = contents(target)
    assert after.pop(f"{INFO}/WHEEL") == new
    assert after.pop(f"{INFO}/abi-requires.txt") == b"num+pypi==2\n"
    rows = {row.path: row for row in Record.parse(after.pop(f"{INFO}/RECORD")).rows}
    assert rows[f"{INFO}/WHEEL"] == RecordRow.of(f"{INFO}/WHEEL", new)
    assert after == {name: text for name, text in before.items() if not name.endswith(("/WHEEL", "/RECORD"))}
    assert WholeWheel.read(target).record is not None
    if "zip64" not in shape:
        assert_gap_free(target)


TAGS = ("cp39-abi3-manylinux_2_17_{arch}.manylinux2014_{arch}", "{own}-{own}-manylinux_2_28_{arch}", "py3-none-any",
        "{own}-{own}-manylinux_2_5_{arch}", "1-py3-none-any", "2b-py3-none-any", "{own}-none-any",
        "cp38-cp38-manylinux_2_28_{arch}", "py2.py3-none-linux_{arch}", "{own}-{own}-win_amd64",
        "{own}-{own}-manylinux_2_99_{arch}")  # fmt: skip


def test_of_the_wheels_of_a_variant_the_one_is_taken_that_select_takes(backend: Any) -> None:
    own = f"cp3{sys.version_info.minor}{'t' if sysconfig.get_config_var('Py_GIL_DISABLED') else ''}"
    names = [WheelName.parse(f"foo-1.0-{tag.format(arch=platform.machine(), own=own)}.whl") for tag in TAGS]
    wheels = [
        {"variant": "generic", "filename": str(name), "build": parse_wheel_filename(str(name))[2] or (-1, ""),
         "tags": [(tag.interpreter, tag.abi, modern_platform(tag.platform)) for tag in name.tags]}
        for name in names
    ]  # fmt: skip
    while wheels:
        files = [IndexFile(str(wheel["filename"]), "", "") for wheel in wheels]
        chosen = choose(files, {}, Machine.detect({})).selected
        found = backend._best({"wheels": wheels}, "generic")
        assert (None if found is None else found["filename"]) == chosen
        if found is None:
            break
        wheels.remove(found)
    assert len(wheels) == 3  # for another Python, another system, and a newer one


ABI = """
[tool.variant-publish]
dialects = ["{dialect}"]
[tool.variant-publish.variants.torch2_8]
properties = ["abi_dependency :: torch :: 2.8"]
[tool.variant-publish.variants.torch2_9]
properties = ["abi_dependency :: torch :: 2.9"]
"""


@pytest.mark.parametrize("dialect", ["plus", "pep825"])
@pytest.mark.parametrize(
    ("release", "variant"),
    [("2.8.0", "torch2_8"), ("2.9.1", "torch2_9"), ("2.9", "torch2_9"), ("2.90.0", "generic"), ("2.10.0", "generic")],
)
def test_the_release_of_a_dependency_that_is_installed_decides(
    backend: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dialect: str, release: str, variant: str
) -> None:
    data = table_of(Config.parse(ABI.format(dialect=dialect)))
    assert backend._variants(data, backend.Machine(data, {"torch": release}))[0] == variant
    (tmp_path / f"Torch-{release}+cpu.dist-info").mkdir()
    monkeypatch.setattr(backend.sysconfig, "get_path", lambda kind: str(tmp_path))
    assert backend._variants(data, backend.Machine(data, None))[0] == variant


def test_a_dependency_that_is_not_installed_has_no_release(backend: Any) -> None:
    assert backend.installed("no_such_project") == "none"
